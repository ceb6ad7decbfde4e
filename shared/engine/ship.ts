/** What the browser is given of a condition. */
import type { Condition, EventCondition } from "../condition.ts";
import { baseLanguage } from "./language-base.ts";
import { childrenOf, kindOf } from "./run.ts";

/**
 * The same condition, its nodes at the same pointers: the first key of a leaf is its kind, as `browserLanguage` reads it, and what an
 * event condition says by default is left out.
 */
export function ship(condition: Condition): Condition {
  const { all, any, not } = condition as { all?: Condition[]; any?: Condition[]; not?: Condition };
  if (Array.isArray(all)) return { all: all.map(ship) };
  if (Array.isArray(any)) return { any: any.map(ship) };
  if (not) return { not: ship(not) };
  const { type, count, ...rest } = condition as EventCondition;
  // Alone it stands for tracked events of any name.
  const isTyped = type && (type !== "track" || rest.event === undefined);
  const leaf = { ...rest, ...(isTyped && { type }), ...(count && JSON.stringify(count) !== '{"gte":1}' && { count }) };
  const kind = kindOf(leaf);
  return kind === undefined ? leaf : ({ [kind]: leaf[kind as "event"], ...leaf } as Condition);
}

/** Whether it has a kind of leaf that browsers load when they need it. */
export const needsMore = (condition: Condition): boolean =>
  childrenOf(condition)?.some(needsMore) ?? !Object.hasOwn(baseLanguage.leaves, kindOf(condition) ?? "");
