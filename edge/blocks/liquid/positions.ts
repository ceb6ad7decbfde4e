/** Where values may stand in the HTML of a template: in text and in quoted attribute values, where escaping makes them harmless. */
import type { ProblemError } from "../../problem.ts";

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
  | "raw-text";

/**
 * Walks the source once as a browser's tokenizer would, taking Liquid outputs for opaque values. Branches are read one after
 * the other, as if all were taken. `urls`: a value stands in an attribute that holds a URL.
 */
export function checkPositions(source: string): { errors: ProblemError[]; urls: boolean } {
  const errors: ProblemError[] = [];
  let urls = false;
  let state: State = "text";
  let tag = "";
  let attribute = "";
  let i = 0;

  while (i < source.length) {
    if (source.startsWith("{{", i)) {
      checkValue(i);
      i = end("}}", i + 2);
      continue;
    }
    if (source.startsWith("{%", i)) {
      const name = /^\{%-?\s*([\w#]+)/.exec(source.slice(i, i + 40))?.[1];
      if (name === "raw" || name === "comment") {
        const close = new RegExp(`\\{%-?\\s*end${name}\\s*-?%\\}`, "g");
        close.lastIndex = i;
        const match = close.exec(source);
        i = match ? close.lastIndex : source.length;
        continue;
      }
      if (name === "echo" || name === "cycle" || name === "liquid" || name === "increment" || name === "decrement")
        checkValue(i);
      i = end("%}", i + 2);
      continue;
    }
    step(source[i]!);
  }
  return { errors, urls };

  function end(mark: string, from: number): number {
    const at = source.indexOf(mark, from);
    return at < 0 ? source.length : at + mark.length;
  }

  function step(char: string): void {
    const space = /\s/.test(char);
    switch (state) {
      case "text":
        if (source.startsWith("<!--", i)) {
          state = "comment";
          i += 3;
        } else if (char === "<" && /[a-z/!?]/i.test(source[i + 1] ?? "")) {
          state = "tag-name";
          tag = "";
        }
        break;
      case "comment":
        if (source.startsWith("-->", i)) {
          state = "text";
          i += 2;
        }
        break;
      case "raw-text":
        if (source.slice(i, i + 2 + tag.length).toLowerCase() === `</${tag}`) {
          state = "tag-name";
          tag = "";
        }
        break;
      case "tag-name":
        if (char === ">") closeTag();
        else if (space) state = "in-tag";
        else tag += char.toLowerCase();
        break;
      case "in-tag":
      case "after-attribute":
        if (char === ">") closeTag();
        else if (char === "=" && state === "after-attribute") state = "before-value";
        else if (!space && char !== "/") {
          state = "attribute";
          attribute = char.toLowerCase();
        }
        break;
      case "attribute":
        if (char === ">") closeTag();
        else if (char === "=") state = "before-value";
        else if (space) state = "after-attribute";
        else attribute += char.toLowerCase();
        break;
      case "before-value":
        if (char === '"') state = "double";
        else if (char === "'") state = "single";
        else if (char === ">") closeTag();
        else if (!space) state = "unquoted";
        break;
      case "double":
        if (char === '"') state = "in-tag";
        break;
      case "single":
        if (char === "'") state = "in-tag";
        break;
      case "unquoted":
        if (char === ">") closeTag();
        else if (space) state = "in-tag";
        break;
    }
    i++;
  }

  function closeTag(): void {
    state = RAW_TEXT.has(tag) ? "raw-text" : "text";
  }

  function checkValue(at: number): void {
    const where = /<\/?$/.test(source.slice(Math.max(0, at - 2), at)) ? "in a tag or attribute name" : unsafePlace();
    if (where) {
      const [line, column] = position(at);
      errors.push({
        pointer: "",
        code: "unsafe-position",
        detail: `A value cannot stand ${where} (line ${line}, column ${column}).`,
      });
    }
    if ((state === "double" || state === "single") && URL_ATTRIBUTES.has(attribute)) urls = true;
  }

  function unsafePlace(): string | null {
    switch (state) {
      case "text":
      case "comment":
        return null;
      case "raw-text":
        return SAFE_RAW_TEXT.has(tag) ? null : `inside <${tag}>`;
      case "double":
      case "single":
        if (attribute.startsWith("on")) return `in the event handler ${attribute}`;
        return attribute === "srcdoc" ? "in srcdoc" : null;
      case "unquoted":
      case "before-value":
        return "in an attribute value without quotes";
      default:
        return "in a tag or attribute name";
    }
  }

  function position(at: number): [number, number] {
    const before = source.slice(0, at).split("\n");
    return [before.length, before.at(-1)!.length + 1];
  }
}
