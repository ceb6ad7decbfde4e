/** What can be said of a condition without asking it of anyone: what it looks at, what it needs, where it can be decided. */
import type { Condition } from "../condition.ts";
import type { Purpose } from "../consent.ts";
import { escapePointer } from "../pointer.ts";
import { type EventUse, eventsOf, lookbackOf, mergeUses, sorted } from "./events-of.ts";
import { browserLanguage } from "./language.ts";
import { childrenOf, kindOf, type Language } from "./run.ts";

export interface Analysis {
  /** Each kind of event once, with all the property paths that are read from it. */
  events: EventUse[];
  /** How far back it looks; 0 = at no event, null = the whole history. */
  windowMs: number | null;
  /** Paths of traits, those that values are compared with included. */
  traits: string[];
  /** Paths of the request's context. */
  context: string[];
  /** Keys of other segments. */
  segments: string[];
  /** Purposes without which some part of it is unknown. */
  purposes: Purpose[];
  /** `edge` where the browser's script lacks a part of it. */
  runtime: "browser" | "edge";
  /** Those parts. */
  edgeOnly: Part[];
  /** Its answer depends on who it is, beyond what is known of them: a `sample`. */
  sampled: boolean;
}

/** A part of a condition: a kind of leaf, an operator, an operand. */
export interface Part {
  /** JSON Pointer into the condition. */
  pointer: string;
  what: string;
}

/** Looks through the condition; lists are sorted and without repeats. */
export function analyze(condition: Condition): Analysis {
  const placed = leavesOf(condition);
  const leaves = placed.map(({ leaf }) => leaf);
  const kinds = leaves.map(kindOf);
  const pick = (name: string) => leaves.filter((_, i) => kinds[i] === name) as unknown as { [key: string]: string }[];
  const events = mergeUses(leaves.flatMap(eventsOf));
  const traits = sorted(leaves.flatMap((leaf) => traitsOf(leaf).map(({ trait }) => trait)));
  const context = [
    ...pick("context").map((leaf) => leaf["context"]!),
    ...(leaves.some((leaf, i) => kinds[i] === "time" && (leaf as { time: { zone?: string } }).time.zone === "visitor")
      ? ["timezone"]
      : []),
  ];
  const segments = sorted(pick("segment").map((leaf) => leaf["segment"]!));
  const lookback = lookbackOf(condition);
  const edgeOnly = placed.flatMap(({ leaf, pointer }) =>
    lackingIn(leaf, browserLanguage).map((part) => ({ ...part, pointer: pointer + part.pointer })),
  );
  return {
    events,
    windowMs: lookback < Infinity ? lookback : null,
    traits,
    context: sorted(context),
    segments,
    purposes: [
      ...(events.length ? (["analytics"] as const) : []),
      ...(traits.length || segments.length ? (["personalization"] as const) : []),
    ],
    runtime: edgeOnly.length ? "edge" : "browser",
    edgeOnly,
    sampled: kinds.includes("sample"),
  };
}

/** Keys of a leaf that say which events; what else stands beside a sum are operators. */
const SELECTION = ["event", "type", "where", "within", "between", "after", "before", "count", "sum"];
const ORDERINGS = ["gt", "gte", "lt", "lte"];

/** The parts of a leaf that a runtime lacks, pointers from the leaf on. */
export function lackingIn(leaf: Condition, language: Language): Part[] {
  const kind = kindOf(leaf);
  if (kind === undefined || !Object.hasOwn(language.leaves, kind)) return [{ pointer: "", what: kind ?? "this" }];
  // With operators of its own a language has them all.
  if (language.test) return [];
  const { where = {}, count = {}, unless } = leaf as { where?: object; count?: object; unless?: { where?: object } };
  const ofEvents = eventsOf(leaf).length > 0;
  const own = Object.entries(leaf).filter(([key]) => key !== kind && !(ofEvents && SELECTION.includes(key)));
  const lacking = (operators: object, pointer: string): Part[] =>
    Object.entries(operators).flatMap(([operator, operand]) => {
      const inside = `${pointer}/${operator}`;
      if (!Object.hasOwn(language.checks, operator)) return [{ pointer: inside, what: operator }];
      const isDate = ORDERINGS.includes(operator) && typeof operand === "string";
      return isDate ? [{ pointer: inside, what: `${operator} of a date` }] : [];
    });
  const lackingWhere = (where: object, pointer: string) =>
    Object.entries(where).flatMap(([path, operators]) => lacking(operators, `${pointer}/${escapePointer(path)}`));
  return [
    ...traitOperands(leaf).map(({ pointer }) => ({ pointer, what: "a value that is a trait" })),
    ...["between", "after", "before"]
      .filter((bound) => ofEvents && !unless && Object.hasOwn(leaf, bound))
      .map((bound) => ({ pointer: `/${bound}`, what: bound })),
    ...(ofEvents ? lackingWhere(where, "/where") : []),
    ...lackingWhere(unless?.where ?? {}, "/unless/where"),
    ...lacking(count, "/count"),
    ...lacking(unless ? {} : Object.fromEntries(own), ""),
  ];
}

/** All the leaves, in order, each with its JSON Pointer. */
export function leavesOf(condition: Condition, pointer = ""): { leaf: Condition; pointer: string }[] {
  const group = Object.keys(condition)[0];
  return (
    childrenOf(condition)?.flatMap((child, i) =>
      leavesOf(child, group === "not" ? `${pointer}/not` : `${pointer}/${group}/${i}`),
    ) ?? [{ leaf: condition, pointer }]
  );
}

/**
 * Segments whose conditions refer to each other in a circle, as the keys along it, the first one again at the end; undefined
 * when there is none.
 */
export function findCycle(segments: readonly { key: string; condition: Condition | null }[]): string[] | undefined {
  const references = referencesOf(segments);
  const done = new Set<string>();
  const visit = (key: string, path: string[]): string[] | undefined => {
    if (path.includes(key)) return [...path.slice(path.indexOf(key)), key];
    if (done.has(key)) return undefined;
    for (const next of references.get(key) ?? []) {
      const cycle = visit(next, [...path, key]);
      if (cycle) return cycle;
    }
    done.add(key);
    return undefined;
  };
  for (const { key } of segments) {
    const cycle = visit(key, []);
    if (cycle) return cycle;
  }
  return undefined;
}

/** Key of each segment → keys of those that it refers to. */
const referencesOf = (segments: readonly { key: string; condition: Condition | null }[]) =>
  new Map(segments.map(({ key, condition }) => [key, condition ? analyze(condition).segments : []] as const));

/** How many segments the longest way through references passes; they must not go round in a circle. */
export function longestChain(segments: readonly { key: string; condition: Condition | null }[]): number {
  const references = referencesOf(segments);
  const lengths = new Map<string, number>();
  const lengthOf = (key: string): number => {
    const known = lengths.get(key);
    if (known !== undefined) return known;
    const length = 1 + Math.max(0, ...(references.get(key) ?? []).map(lengthOf));
    lengths.set(key, length);
    return length;
  };
  return Math.max(0, ...segments.map(({ key }) => lengthOf(key)));
}

/** Paths of the traits that a leaf looks at, operands included, with the place of each in it. */
export function traitsOf(leaf: Condition): { pointer: string; trait: string }[] {
  const { trait, date } = leaf as { trait?: string; date?: { trait: string } };
  return [
    ...(trait === undefined ? [] : [{ pointer: "/trait", trait }]),
    ...(date === undefined ? [] : [{ pointer: "/date/trait", trait: date.trait }]),
    ...traitOperands(leaf),
  ];
}

/** `{"trait": …}` operands anywhere inside a leaf. */
function traitOperands(leaf: Condition): { pointer: string; trait: string }[] {
  const found: { pointer: string; trait: string }[] = [];
  const look = (value: unknown, pointer: string): void => {
    if (typeof value !== "object" || value === null) return;
    const { trait } = value as { trait?: unknown };
    const isOperand = pointer && pointer !== "/date" && Object.keys(value).length === 1 && typeof trait === "string";
    if (isOperand) found.push({ pointer, trait });
    else for (const [key, child] of Object.entries(value)) look(child, `${pointer}/${escapePointer(key)}`);
  };
  look(leaf, "");
  return found;
}
