/** Where the visitor stands: each segment as it is, or as it would be at another instant and with some of them set by hand. */
import type { Condition } from "../../shared/condition.ts";
import type { Subject, Truth } from "../../shared/engine/types.ts";
import type { State } from "../runtime/store.ts";
import { endOf } from "../runtime/timer.ts";
import { type Explanation, explainAll } from "./explain.ts";
import { sinceAll } from "./since.ts";

/** What is pretended in a tab. */
export interface Plan {
  /** How much later than now it is, in milliseconds. */
  shift: number;
  /** Segments that the visitor is in or not in, whatever the rules say. */
  segments: { [key: string]: boolean };
  /** Key of a variant by slot. */
  variants: { [slot: string]: string };
}

export const NO_PLAN: Plan = { shift: 0, segments: {}, variants: {} };

export interface Standing {
  key: string;
  value: Truth;
  /** Who says so: the rule here, the edge, which knows more, or the plan. */
  by: "rule" | "edge" | "plan";
  /** Epoch milliseconds, of members only; -Infinity: since before what is known here. */
  since?: number;
  /** Epoch milliseconds; null = never. */
  until: number | null;
  /** Left out for a segment whose rule is not here. */
  why?: Explanation;
}

const EVERYBODY: Condition = { all: [] };
const NOBODY: Condition = { any: [] };

/** The public segments in the order of the manifest, then those that only the edge has told of. */
export function listStandings(
  { manifest, segments: told, denied }: Pick<State, "manifest" | "segments" | "denied">,
  subject: Subject,
  { shift, segments: set }: Plan,
  now: number,
): Standing[] {
  const at = now + shift;
  const isTold = (key: string) => Object.hasOwn(told, key) && !denied.includes(key);
  const plan = (key: string, why?: Explanation): Standing => ({
    key,
    value: set[key]!,
    by: "plan",
    until: null,
    ...(why && { why }),
  });
  const edge = (key: string): Standing => {
    const end = endOf(told[key]!);
    return { key, value: end > at || "unknown", by: "edge", until: end > at && end < Infinity ? end : null };
  };

  const rules = (manifest?.segments ?? []).map(({ key, condition }) => ({
    key,
    condition: !Object.hasOwn(set, key) ? condition : set[key] ? EVERYBODY : NOBODY,
  }));
  const options = { timeZone: manifest?.timeZone ?? "UTC" };
  const sinces = sinceAll(rules, subject, at, options);
  const whys = manifest ? explainAll({ ...manifest, segments: rules }, subject, at) : [];
  const ruled = whys.map((why, i): Standing => {
    const { key, value, until } = why;
    if (Object.hasOwn(set, key)) return plan(key, why);
    if (value === true && denied.includes(key)) return { key, value: false, by: "edge", until: null, why };
    if (value !== true && isTold(key) && endOf(told[key]!) > at) return { ...edge(key), why };
    return { key, value, by: "rule", until, why, ...(sinces[i] !== undefined && { since: sinces[i] }) };
  });

  const others = new Set([...Object.keys(told), ...Object.keys(set)]);
  for (const { key } of rules) others.delete(key);
  return [
    ...ruled,
    ...[...others].flatMap((key) => (Object.hasOwn(set, key) ? plan(key) : isTold(key) ? edge(key) : [])),
  ];
}
