/** Elements of a template that nothing closes, and closing tags that close nothing, on whichever way through its branches. */
import type { Finding } from "../../segments/lint/finding.ts";
import { BLOCKS, VOID } from "../../stream/plain.ts";
import { readTags, type Tag } from "../liquid/attributes.ts";
import { hideLiquid, placeOf } from "./html.ts";

/** HTML lets their end be left out. */
const OPTIONAL = new Set(
  "html head body p li dt dd option optgroup tr td th thead tbody tfoot colgroup caption rb rt rtc rp".split(" "),
);
/** Beside those that may stand in a page's stream. */
const VOID_OUTSIDE = new Set(["base", "meta", "embed", "param", "frame"]);
/** In these a slash ends an element. */
const DRAWINGS = new Set(["svg", "math"]);
/** A paragraph around them is not ended by what stands in them. */
const APART = new Set("applet button caption foreignobject html marquee object table td template th".split(" "));
const BRANCHING = new Set(["if", "unless", "case", "for", "tablerow", "ifchanged", "capture"]);
const LOOPS = new Set(["for", "tablerow"]);
const BRANCHES = new Set(["else", "elsif", "when"]);
const LIQUID = /\{%-?\s*(?:(raw|comment)\b[\s\S]*?\{%-?\s*end\1\b|(\w+)[\s\S]*?%\})/g;

/** Ways through a template that are told apart, elements open on one, and steps on all: where there are more, nothing is said. */
const WAYS = 64;
const DEPTH = 200;
const STEPS = 20_000;
/** More would help nobody. */
const FOUND = 20;

/** What is open, from the outermost: the same tags are the same objects. */
type Way = readonly Tag[];
/** `liquid`: the name of a Liquid tag. */
type Step = Tag | { start: number; liquid: string };

/** @param source Liquid over HTML or MJML, that can be parsed */
export function lintBalance(source: string, pointer: string): Finding[] {
  const walk = new Walk(readSteps(source));
  const found: Finding[] = [];
  const alone = walk.findUnmatched();
  const ends = [...alone].filter(({ isEnd }) => isEnd);
  for (const tag of alone) {
    if (found.length === FOUND) break;
    const isOwn = (end: Tag) => end.name === tag.name && end.start > tag.start && alone.has(end);
    const end = tag.isEnd ? undefined : ends.find(isOwn);
    if (end) alone.delete(end);
    const detail = phrase(tag, end, walk.endedBy.get(tag), ({ start }) => `(${placeOf(source, start)})`);
    if (detail) found.push({ code: "unbalanced-html", severity: "warning", pointer, detail });
  }
  return found;
}

function phrase(tag: Tag, end: Tag | undefined, block: Tag | undefined, at: (tag: Tag) => string): string | undefined {
  const { name, isEnd, hasSlash } = tag;
  if (isEnd) return `</${name}> ${at(tag)} closes nothing: no <${name}> is open there. Take it out.`;
  if (end && block)
    return `A <${block.name}> ${at(block)} cannot stand in a <p> ${at(tag)}: browsers end the paragraph before it, and make an empty one of </p> ${at(end)}. Write <div> in place of <p>.`;
  if (end)
    return `<${name}> ${at(tag)} and </${name}> ${at(end)} never belong together: close first what was opened last, in the same branch.`;
  if (OPTIONAL.has(name)) return undefined;
  const slash = hasSlash ? " A slash does not close it in HTML." : "";
  return `<${name}> ${at(tag)} is never closed: what follows stands in it.${slash} Write </${name}> where it ends.`;
}

/** Tags of HTML and of Liquid that branches begin, go on and end with, in order. */
function readSteps(source: string): Step[] {
  const html = hideLiquid(source);
  const tags = [...readTags(html)].filter(
    ({ name, start }) => !source.slice(start, start + 1 + name.length).includes("{"),
  );
  const liquid = [...source.matchAll(LIQUID)].flatMap(({ index, 2: liquid = "" }): Step[] =>
    BRANCHING.has(liquid.replace(/^end/, "")) || BRANCHES.has(liquid) ? [{ start: index, liquid }] : [],
  );
  return [...tags, ...liquid].sort((a, b) => a.start - b.start);
}

function liquidOf(step: Step | undefined): string {
  return step && "liquid" in step ? step.liquid : "";
}

/** A step, and the ways that lead there. */
interface Place {
  at: number;
  ways: readonly Way[];
}

class Walk {
  /** Paragraphs that a browser ends before their closing tag, by what. */
  readonly endedBy = new Map<Tag, Tag>();
  readonly #steps: readonly Step[];
  /** On some way, or nowhere to be matched. */
  readonly #matched = new Set<Step>();
  #left = STEPS;

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
  }

  /** In order; none where there are too many ways. */
  findUnmatched(): Set<Tag> {
    try {
      this.#body(0, [[]]);
    } catch (error) {
      if (error instanceof TooMany) return new Set();
      throw error;
    }
    const unmatched = this.#steps.filter(
      (step): step is Tag => !("liquid" in step) && !isWhole(step) && !this.#matched.has(step),
    );
    return new Set(unmatched);
  }

  /** From a step on, up to the one that ends the body. */
  #body(from: number, before: readonly Way[]): Place {
    let place: Place = { at: from, ways: before };
    for (let step = this.#steps[from]; step; step = this.#steps[place.at]) {
      const { at, ways } = place;
      if (!("liquid" in step)) place = { at: at + 1, ways: ways.map((way) => this.#take(way, step as Tag)) };
      else if (BRANCHING.has(step.liquid)) place = this.#branches(at, ways);
      else break;
    }
    return place;
  }

  /** @returns the step after it, and the ways out of it */
  #branches(at: number, before: readonly Way[]): Place {
    const name = liquidOf(this.#steps[at]);
    const first = this.#body(at + 1, before);
    // A value, and what stands before the first `when`: neither is written here.
    const isWritten = name !== "capture" && name !== "case";
    if (!isWritten) for (const step of this.#steps.slice(at, first.at)) this.#matched.add(step);
    const ends = isWritten ? [first.ways] : [];
    // One turn may close what the one before has opened.
    if (LOOPS.has(name) && keyOf(first.ways) !== keyOf(before)) ends.push(this.#body(at + 1, first.ways).ways);
    let end = first.at;
    let isElse = false;
    while (BRANCHES.has(liquidOf(this.#steps[end]))) {
      isElse ||= liquidOf(this.#steps[end]) === "else" && !LOOPS.has(name);
      const branch = this.#body(end + 1, before);
      ends.push(branch.ways);
      end = branch.at;
    }
    const ways = isElse ? ends.flat() : [...ends.flat(), ...before];
    this.#spend(ways.length);
    return { at: end + 1, ways: distinct(ways) };
  }

  #spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new TooMany();
  }

  #take(way: Way, tag: Tag): Way {
    this.#spend(1);
    if (way.length > DEPTH) throw new TooMany();
    const { name } = tag;
    if (!tag.isEnd) {
      const isClosed = isWhole(tag) || (tag.hasSlash && way.some((open) => DRAWINGS.has(open.name)));
      if (isClosed) this.#matched.add(tag);
      const around = BLOCKS.has(name) ? paragraphOf(way) : undefined;
      if (around) this.endedBy.set(around, tag);
      const rest = around ? way.filter((open) => open !== around) : way;
      return isClosed ? rest : [...rest, tag];
    }
    const at = way.findLastIndex((open) => open.name === name);
    if (at < 0) return way;
    this.#matched.add(tag).add(way[at]!);
    return way.slice(0, at);
  }
}

class TooMany extends Error {}

/** Has no end of its own. */
function isWhole({ name, isEnd, hasSlash }: Tag): boolean {
  return (
    !isEnd && (VOID.has(name) || VOID_OUTSIDE.has(name) || (hasSlash && (DRAWINGS.has(name) || name.startsWith("mj-"))))
  );
}

/** The paragraph that a block ends. */
function paragraphOf(way: Way): Tag | undefined {
  const open = way.findLast(({ name }) => name === "p" || APART.has(name));
  return open?.name === "p" ? open : undefined;
}

function distinct(ways: readonly Way[]): readonly Way[] {
  const found = new Map(ways.map((way) => [keyOf([way]), way]));
  if (found.size > WAYS) throw new TooMany();
  return [...found.values()];
}

function keyOf(ways: readonly Way[]): string {
  return JSON.stringify(ways.map((way) => way.map(({ start }) => start)));
}
