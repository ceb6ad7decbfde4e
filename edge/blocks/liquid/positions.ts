/** Where values may stand in the HTML of a template: in text and in quoted attribute values, where escaping makes them harmless. */
import type { ProblemError } from "../../problem.ts";
import { placeInStyle, STYLE_ATTRIBUTES, type StylePlace } from "./styles.ts";

/** Attributes whose value a browser follows or loads. */
export const URL_ATTRIBUTES = new Set([
  "href",
  "src",
  "action",
  "formaction",
  "poster",
  "background",
  "cite",
  "data",
  "xlink:href",
  "srcset",
  "ping",
  "manifest",
]);
const RAW_TEXT = new Set([
  "script",
  "style",
  "textarea",
  "title",
  "iframe",
  "noscript",
  "noembed",
  "noframes",
  "xmp",
  "plaintext",
]);
const SAFE_RAW_TEXT = new Set(["textarea", "title"]);
/** Where they are open, a browser reads what is text elsewhere as elements. */
const FOREIGN = new Set(["svg", "math", "select", "frameset"]);
/** What stands in an attribute of theirs loads code, leads the page away, or becomes another attribute. */
const ACTIVE = new Set([
  ...["script", "base", "meta", "link", "object", "embed"],
  ...["animate", "animatemotion", "animatetransform", "set"],
]);
const SPACE = /[\t\n\f\r ]/;
const BRANCHING = new Set(["if", "unless", "case", "for", "tablerow", "ifchanged", "capture"]);
const BRANCHES = new Set(["else", "elsif", "when"]);
const LEAVING = new Set(["break", "continue"]);
const WRITING = new Set(["echo", "cycle", "liquid", "increment", "decrement"]);

type State =
  | "text"
  | "tag-name"
  | "in-tag"
  | "attribute"
  | "after-attribute"
  | "before-value"
  | "double"
  | "single"
  | "unquoted"
  | "comment"
  | "bogus-comment"
  | "raw-text"
  /** A name ends here, or goes on: it depends on a branch. */
  | "name-or-not";

interface Place {
  state: State;
  /** Of the tag that is being read, or whose raw text this is; with a slash where it ends an element. */
  tag: string;
  attribute: string;
  /** Where the quote stands that its value begins with. */
  quote: number;
}

/** The value of an attribute that a browser follows or loads, and that Liquid writes in: where its quotes stand in the source. */
export interface UrlValue {
  start: number;
  end: number;
}

/** A Liquid tag that is open. */
interface Open {
  name: string;
  before: Place;
  /** Where its branches ended. */
  ends: Place[];
  /** What stands before the first `when` of a `case` is not written. */
  started: boolean;
  /** One of them is always taken. */
  whole: boolean;
}

const IN_TAG = new Set<State>(["tag-name", "in-tag", "attribute", "after-attribute", "name-or-not"]);

/**
 * Walks the source once as a browser's tokenizer would, taking Liquid outputs for opaque values. All branches have to end in the same
 * place. After what browsers read in more than one way, values are refused.
 *
 * @returns urls null where they cannot be told from what is around them; styled: by where their Liquid begins, values in styles
 */
export function checkPositions(source: string): {
  errors: ProblemError[];
  urls: UrlValue[] | null;
  styled: Map<number, StylePlace>;
} {
  const errors: ProblemError[] = [];
  const open: Open[] = [];
  const trimmed = findTrimmed(source);
  const urls: UrlValue[] = [];
  const styled = new Map<number, StylePlace>();
  let isLoose = false;
  let foreign = false;
  /** Why nobody knows any more where this is. */
  let lost: string | null = null;
  let place: Place = { state: "text", tag: "", attribute: "", quote: 0 };
  let i = 0;

  while (i < source.length) {
    if (source.startsWith("{{", i)) {
      checkValue(i);
      i = endOfOutput(i);
      skipTrimmed();
    } else if (source.startsWith("{%", i)) {
      readTag();
      skipTrimmed();
    } else if (trimmed.has(i)) i++;
    else step();
  }
  isLoose ||= lost !== null || isUrl();
  return { errors, urls: isLoose ? null : urls, styled };

  /** In the value of an attribute that holds a URL. */
  function isUrl(): boolean {
    const { state, attribute } = place;
    return ["before-value", "double", "single", "unquoted"].includes(state) && URL_ATTRIBUTES.has(attribute);
  }

  function endUrl(): void {
    const value = { start: place.quote, end: i };
    // What is captured is a value of its own.
    if (open.some(({ name }) => name === "capture")) return;
    if (isUrl() && /\{[{%]/.test(source.slice(value.start, value.end))) urls.push(value);
  }

  /** Blanks behind `-}}` and `-%}` are not written. */
  function skipTrimmed(): void {
    if (source[i - 3] === "-") while (i < source.length && /\s/.test(source[i]!)) i++;
  }

  /** Liquid looks for it outside of quotes. */
  function endOfOutput(from: number): number {
    let quote = "";
    for (let at = from + 2; at < source.length; at++) {
      const char = source[at]!;
      if (quote) {
        if (char === "\\") at++;
        else if (char === quote) quote = "";
      } else if (char === '"' || char === "'") quote = char;
      else if (source.startsWith("}}", at)) return at + 2;
    }
    return source.length;
  }

  function readTag(): void {
    isLoose ||= isUrl() && (place.state === "unquoted" || place.state === "before-value");
    const name = /^\{%-?\s*([\w#]+)/.exec(source.slice(i, i + 40))?.[1] ?? "";
    if (name === "comment") skip();
    else if (name === "raw") readRaw();
    else if (BRANCHING.has(name)) open.push({ name, before: place, ends: [], started: name !== "case", whole: false });
    else if (BRANCHES.has(name)) startBranch(name);
    else if (name === `end${open.at(-1)?.name}`) endBranches();
    else if (WRITING.has(name)) checkValue(i);
    const end = after("%}", i + 2);
    if (LEAVING.has(name) || (name === "liquid" && /\b(?:break|continue)\b/.test(source.slice(i, end)))) leaveLoop();
    i = end;
  }

  /** What follows in its body may be left out: it may end here. */
  function leaveLoop(): void {
    open.findLast(({ name }) => name === "for" || name === "tablerow")?.ends.push(place);
  }

  function startBranch(name: string): void {
    const tag = open.at(-1);
    if (!tag) return;
    if (tag.started) tag.ends.push(place);
    tag.started = true;
    tag.whole ||= name === "else" && tag.name !== "for";
    place = tag.before;
  }

  /** What is captured is written elsewhere, as a value. */
  function endBranches(): void {
    const tag = open.pop();
    if (!tag) return;
    const ends = tag.whole ? tag.ends : [...tag.ends, tag.before];
    place = tag.name === "capture" ? tag.before : ends.reduce(merge, place);
  }

  /** Comments may hold comments. */
  function skip(): void {
    for (let depth = 0; i < source.length; i = beginningOf("(?:end)?comment")) {
      depth += /^\{%-?\s*end/.test(source.slice(i, i + 40)) ? -1 : 1;
      if (depth === 0) return;
      i += 2;
    }
  }

  /** What is between is written as it is, Liquid or not. */
  function readRaw(): void {
    const end = beginningOf("endraw");
    i = after("%}", i + 2);
    skipTrimmed();
    while (i < end) {
      if (trimmed.has(i)) i++;
      else step();
    }
    i = end;
  }

  function beginningOf(tag: string): number {
    const end = new RegExp(`\\{%-?\\s*${tag}\\b`, "g");
    end.lastIndex = i;
    return end.exec(source)?.index ?? source.length;
  }

  function after(mark: string, from: number): number {
    const at = source.indexOf(mark, from);
    return at < 0 ? source.length : at + mark.length;
  }

  /** Where it goes on after branches that end here and there. */
  function merge(a: Place, b: Place): Place {
    if (a.state === b.state && a.attribute === b.attribute && isSameTag(a, b)) return a;
    if (IN_TAG.has(a.state) && IN_TAG.has(b.state) && isSameTag(a, b))
      return { ...a, state: a.state === b.state && a.state === "in-tag" ? "in-tag" : "name-or-not" };
    if (a.state === "text" && b.state === "text") return a;
    lost ??= "after branches that end in different places of the HTML";
    return a;
  }

  function isSameTag(a: Place, b: Place): boolean {
    const isPlain = ({ tag }: Place) => ![...RAW_TEXT, ...FOREIGN, ...ACTIVE].some((name) => name.startsWith(tag));
    return a.tag === b.tag || a.state === "text" || (isPlain(a) && isPlain(b));
  }

  function step(): void {
    const char = source[i]!;
    const space = SPACE.test(char);
    const { state } = place;
    switch (state) {
      case "text":
        readText();
        break;
      case "comment":
        if (source.startsWith("-->", i)) i += 2;
        else if (source.startsWith("--!>", i)) i += 3;
        else break;
        to("text");
        break;
      case "bogus-comment":
        if (char === ">") to("text");
        break;
      case "raw-text":
        readRawText();
        break;
      case "tag-name":
        if (char === ">") closeTag();
        else if (space || char === "/") to("in-tag");
        else place = { ...place, tag: place.tag + char.toLowerCase() };
        break;
      case "name-or-not":
        if (char === ">") closeTag();
        else if (space || char === "/") to("in-tag");
        else lost ??= "after a name that goes on behind a branch";
        break;
      case "in-tag":
      case "after-attribute":
        if (char === ">") closeTag();
        else if (char === "=" && state === "after-attribute") to("before-value");
        else if (char === "/") to("in-tag");
        else if (!space) place = { ...place, state: "attribute", attribute: char.toLowerCase() };
        break;
      case "attribute":
        if (char === ">") closeTag();
        else if (char === "=") to("before-value");
        else if (char === "/") to("in-tag");
        else if (space) to("after-attribute");
        else place = { ...place, attribute: place.attribute + char.toLowerCase() };
        break;
      case "before-value":
        if (char === '"' || char === "'") place = { ...place, state: char === '"' ? "double" : "single", quote: i };
        else if (char === ">") closeTag();
        else if (!space) to("unquoted");
        break;
      case "double":
      case "single":
        if (char !== source[place.quote]) break;
        endUrl();
        to("in-tag");
        break;
      case "unquoted":
        if (char === ">") closeTag();
        else if (space) to("in-tag");
        break;
    }
    i++;
  }

  function to(state: State): void {
    place = { ...place, state };
  }

  function readText(): void {
    if (source[i] !== "<") return;
    const next = source.slice(i + 1, i + 9);
    if (next.startsWith("!--")) {
      i += 3;
      // `<!-->` and `<!--->` are whole.
      const whole = /^-?>/.exec(source.slice(i + 1, i + 3))?.[0];
      if (whole) i += whole.length;
      else to("comment");
    } else if (/^\/?[a-z]/i.test(next)) {
      place = { ...place, state: "tag-name", tag: next.startsWith("/") ? "/" : "", attribute: "" };
      if (next.startsWith("/")) i++;
    } else if (/^[/!?]?\{/.test(next.trimStart())) lost ??= 'after "<" and Liquid';
    else if (/^(?:[!?]|\/[^>])/.test(next)) {
      if (next.startsWith("![CDATA[")) lost ??= "after <![CDATA[";
      to("bogus-comment");
    }
  }

  function readRawText(): void {
    const { tag } = place;
    if (source[i] !== "<") return;
    if (new RegExp(`^</${tag}[\\t\\n\\f\\r />]`, "i").test(source.slice(i, i + tag.length + 3))) {
      place = { ...place, state: "tag-name", tag: "/", attribute: "" };
      i++;
      return;
    }
    // What opens something inside of it does so for some browsers only, or hides its end.
    const isCode = !foreign && (tag === "script" || tag === "style");
    const opens = isCode ? /^<(?:!--|\{|\/[a-z]*\{)/i : /^<[a-z/!?{]/i;
    if (opens.test(source.slice(i, i + 12))) lost ??= `after "<" inside <${tag}>`;
  }

  function closeTag(): void {
    if (FOREIGN.has(place.tag)) foreign = true;
    to(RAW_TEXT.has(place.tag) ? "raw-text" : "text");
  }

  function checkValue(at: number): void {
    const before = source.slice(Math.max(0, at - 2), at);
    const where = /<[/!?]?$/.test(before) ? "in a tag or attribute name" : (unsafePlace() ?? unsafeStyle(at));
    if (where) {
      const [line, column] = position(at);
      errors.push({
        pointer: "",
        code: "unsafe-position",
        detail: `A value cannot stand ${where} (line ${line}, column ${column}).`,
      });
    }
  }

  function unsafePlace(): string | null {
    const { state, tag, attribute } = place;
    if (lost) return lost;
    switch (state) {
      case "text":
        return null;
      case "comment":
        // An empty value, or a dash, would make it the comment's end.
        return /^-?!?>/.test(source.slice(endOfOutput(i), endOfOutput(i) + 3)) ? "before the end of a comment" : null;
      case "bogus-comment":
        return "in <! or <?";
      case "raw-text":
        return SAFE_RAW_TEXT.has(tag) ? null : `inside <${tag}>`;
      case "double":
      case "single":
        if (ACTIVE.has(tag)) return `in an attribute of <${tag}>`;
        if (attribute.startsWith("on")) return `in the event handler ${attribute}`;
        return attribute === "srcdoc" ? "in srcdoc" : null;
      case "unquoted":
      case "before-value":
        return "in an attribute value without quotes";
      default:
        return "in a tag or attribute name";
    }
  }

  function unsafeStyle(at: number): string | null {
    const { state, attribute, quote } = place;
    if ((state !== "double" && state !== "single") || !STYLE_ATTRIBUTES.has(attribute)) return null;
    const styledAs = placeInStyle(source, quote + 1, at, attribute);
    if (styledAs === null) return "for a whole declaration or a property: write it out, as in color: {{ … }}";
    styled.set(at, styledAs);
    return null;
  }

  function position(at: number): [number, number] {
    const before = source.slice(0, at).split("\n");
    return [before.length, before.at(-1)!.length + 1];
  }
}

/** Where blanks stand that are not written: before `{{-` and `{%-`. */
function findTrimmed(source: string): Set<number> {
  const trimmed = new Set<number>();
  for (const { index } of source.matchAll(/\{[{%]-/g))
    for (let at = index - 1; at >= 0 && /\s/.test(source[at]!); at--) trimmed.add(at);
  return trimmed;
}
