/** What can be said of a condition without asking it of anyone: what it looks at, what it needs, where it can be decided. */
import type { Condition, Operators } from "../condition.ts";
import type { Purpose } from "../consent.ts";
import { type EventUse, eventsOf, lookbackOf } from "./events-of.ts";
import { browserLanguage } from "./language.ts";
import { childrenOf, kindOf } from "./run.ts";

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
  /** `edge` where the browser's script lacks a kind of leaf or an operator that it uses. */
  runtime: "browser" | "edge";
  /** Its answer depends on who it is, beyond what is known of them: a `sample`. */
  sampled: boolean;
}

/** Looks through the condition; lists are sorted and without repeats. */
export function analyze(condition: Condition): Analysis {
  const leaves = leavesOf(condition);
  const kinds = leaves.map(kindOf);
  const pick = (name: string) => leaves.filter((_, i) => kinds[i] === name) as unknown as { [key: string]: string }[];
  const events = mergeUses(leaves.flatMap(eventsOf));
  const traits = sorted([
    ...pick("trait").map((leaf) => leaf["trait"]!),
    ...leaves.flatMap((leaf, i) => (kinds[i] === "date" ? [(leaf as { date: { trait: string } }).date.trait] : [])),
    ...leaves.flatMap(traitOperands),
  ]);
  const context = [
    ...pick("context").map((leaf) => leaf["context"]!),
    ...(leaves.some((leaf, i) => kinds[i] === "time" && (leaf as { time: { zone?: string } }).time.zone === "visitor")
      ? ["timezone"]
      : []),
  ];
  const segments = sorted(pick("segment").map((leaf) => leaf["segment"]!));
  const lookback = lookbackOf(condition);
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
    runtime: leaves.every(isBrowserLeaf) ? "browser" : "edge",
    sampled: kinds.includes("sample"),
  };
}

/** Keys of a leaf that say which events; what else stands beside a sum are operators. */
const SELECTION = ["event", "type", "where", "within", "between", "after", "before", "count", "sum"];
const ORDERINGS = ["gt", "gte", "lt", "lte"];

/** True for a leaf of which the browser's script has every part. */
function isBrowserLeaf(leaf: Condition): boolean {
  const kind = kindOf(leaf);
  if (kind === undefined || !Object.hasOwn(browserLanguage.leaves, kind)) return false;
  if (traitOperands(leaf).length) return false;
  const { where, count, unless } = leaf as { where?: object; count?: object; unless?: { where?: object } };
  const ofEvents = eventsOf(leaf).length > 0;
  if (ofEvents && !unless && ["between", "after", "before"].some((bound) => Object.hasOwn(leaf, bound))) return false;
  const own = Object.entries(leaf).filter(([key]) => key !== kind && !(ofEvents && SELECTION.includes(key)));
  return [...Object.values(where ?? {}), ...Object.values(unless?.where ?? {}), count ?? {}, Object.fromEntries(own)]
    .flatMap((operators) => Object.entries(operators as Operators))
    .every(
      ([operator, operand]) =>
        Object.hasOwn(browserLanguage.checks, operator) &&
        (!ORDERINGS.includes(operator) || typeof operand === "number"),
    );
}

/** All the leaves, in order. */
export function leavesOf(condition: Condition): Condition[] {
  return childrenOf(condition)?.flatMap(leavesOf) ?? [condition];
}

/**
 * Segments whose conditions refer to each other in a circle, as the keys along it, the first one again at the end; undefined
 * when there is none.
 */
export function findCycle(segments: readonly { key: string; condition: Condition | null }[]): string[] | undefined {
  const references = new Map(
    segments.map(({ key, condition }) => [key, condition ? analyze(condition).segments : []] as const),
  );
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

/** Paths of `{"trait": …}` operands anywhere inside a leaf. */
function traitOperands(leaf: Condition): string[] {
  const found: string[] = [];
  const look = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(look);
    else if (typeof value === "object" && value !== null) {
      const keys = Object.keys(value);
      const { trait } = value as { trait?: unknown };
      if (keys.length === 1 && typeof trait === "string") found.push(trait);
      else Object.values(value).forEach(look);
    }
  };
  Object.values(leaf).forEach(look);
  return found;
}

function mergeUses(uses: EventUse[]): EventUse[] {
  const merged = new Map<string, EventUse>();
  for (const { type, event, paths } of uses) {
    const key = JSON.stringify([type, event]);
    merged.set(key, { type, event, paths: sorted([...(merged.get(key)?.paths ?? []), ...paths]) });
  }
  return [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, use]) => use);
}

const sorted = (values: string[]) => [...new Set(values)].sort();
