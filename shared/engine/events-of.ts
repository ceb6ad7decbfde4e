/** Which events, properties and windows a condition looks at: what decides what a history has to keep. */
import type { Condition, EventSelector } from "../condition.ts";
import { childrenOf, ensure } from "./run.ts";
import { durationMs } from "./value.ts";

/** One selector of a leaf, with the property paths that are read from its events. `event: null` = any name. */
export interface EventUse {
  type: string;
  event: string | null;
  paths: string[];
  /** Names that are read inside the values at these paths, at any depth: `where` looks into objects. */
  inside: string[];
}

const MEASURES = ["sum", "avg", "min", "max", "distinct", "first", "last"] as const;

/** Every selector in the condition, in order of appearance. */
export function eventsOf(condition: Condition): EventUse[] {
  const children = childrenOf(condition);
  if (children) return children.flatMap(eventsOf);
  const leaf = condition as { [key: string]: unknown };
  if (Array.isArray(leaf["sequence"])) return leaf["sequence"].map((selector) => useOf(selector));
  if (Array.isArray(leaf["ratio"])) return leaf["ratio"].map((selector) => useOf(selector));
  if (!Object.hasOwn(leaf, "event") && !Object.hasOwn(leaf, "type")) return [];
  const unless = leaf["unless"] as (EventSelector & { same?: string[] }) | undefined;
  if (unless) return [useOf(leaf, unless.same), useOf(unless, unless.same)];
  const paths = MEASURES.map((key) => leaf[key]).filter((path) => typeof path === "string");
  const { where, ...operators } = leaf;
  return [useOf(leaf, paths, operators)];
}

/** @param operators that are asked of the values at the `paths` */
function useOf(selector: EventSelector, paths: string[] = [], operators: object = {}): EventUse {
  const { event = null, type = "track", where = {} } = selector;
  const inside = [...Object.values(where), operators].flatMap(insideOf);
  return { type, event, paths: [...Object.keys(where), ...paths], inside };
}

/** The names in the paths of each `where` among operators, however deep. */
function insideOf(operators: unknown): string[] {
  if (typeof operators !== "object" || operators === null) return [];
  return Object.entries(operators).flatMap(([operator, operand]) => {
    const isWhere = operator === "where" && typeof operand === "object" && operand !== null;
    const names = isWhere ? Object.keys(operand).flatMap((path) => path.split(".")) : [];
    return [...names, ...(isWhere ? Object.values(operand) : [operand]).flatMap(insideOf)];
  });
}

/** The longest that any leaf of the condition looks back from `now`, in milliseconds; Infinity = the whole history, 0 = no events. */
export function lookbackOf(condition: Condition): number {
  const children = childrenOf(condition);
  if (children) return Math.max(0, ...children.map(lookbackOf));
  if (eventsOf(condition).length === 0) return 0;
  const { within, between } = condition as { within?: string; between?: [string, string] };
  const length = durationMs(Array.isArray(between) ? between[1] : within);
  return length >= 0 ? length : Infinity;
}

/** Each kind of event once, with all that is read of it; their order makes no difference. */
export function mergeUses(uses: readonly EventUse[]): EventUse[] {
  const kinds = new Map<string, EventUse[]>();
  for (const use of uses) ensure(kinds, JSON.stringify([use.type, use.event]), (): EventUse[] => []).push(use);
  return [...kinds]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, same]) => ({
      type: same[0]!.type,
      event: same[0]!.event,
      paths: sorted(same.flatMap(({ paths }) => paths)),
      inside: sorted(same.flatMap(({ inside }) => inside)),
    }));
}

/** Without repeats. */
export const sorted = (values: readonly string[]) => [...new Set(values)].sort();
