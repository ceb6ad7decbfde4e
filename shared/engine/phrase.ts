/** The words that descriptions are made of: operators, operands, durations, windows, kinds of event. */
import type { EventSelector, Operators, Window } from "../condition.ts";

const UNITS: { readonly [unit: string]: string } = { s: "second", m: "minute", h: "hour", d: "day", w: "week" };

/** `1 day`, `2 days`. */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** `"24h"` → `24 hours`. */
export function phraseDuration(duration: unknown): string {
  const parts = typeof duration === "string" && /^-?(\d+)([smhdw])$/.exec(duration);
  return parts ? plural(Number(parts[1]), UNITS[parts[2]!]!) : String(duration);
}

/** Joins with commas and a last word: `a, b or c`. */
export function join(items: readonly string[], word: string): string {
  return items.length < 2 ? (items[0] ?? "") : `${items.slice(0, -1).join(", ")} ${word} ${items.at(-1)}`;
}

/** A value as one would write it. */
export function phraseValue(value: unknown): string {
  if (typeof value === "string") return `"${value}"`;
  if (Array.isArray(value)) return value.length ? join(value.map(phraseValue), "and") : "nothing";
  if (typeof value !== "object" || value === null) return String(value);
  return Object.hasOwn(value, "trait") ? `the person's ${(value as { trait: unknown }).trait}` : "an object";
}

const either = (list: unknown) => (Array.isArray(list) ? join(list.map(phraseValue), "or") : phraseValue(list));

const WORDS: { readonly [operator: string]: (operand: never) => string } = {
  eq: (operand) => `is ${phraseValue(operand)}`,
  ne: (operand) => `is not ${phraseValue(operand)}`,
  in: (operand) => `is ${either(operand)}`,
  nin: (operand) => `is none of ${either(operand)}`,
  gt: (operand) => `is more than ${phraseValue(operand)}`,
  gte: (operand) => `is at least ${phraseValue(operand)}`,
  lt: (operand) => `is less than ${phraseValue(operand)}`,
  lte: (operand) => `is at most ${phraseValue(operand)}`,
  exists: (operand) => (operand ? "is known" : "is not known"),
  contains: (operand) => `contains ${phraseValue(operand)}`,
  startsWith: (operand) => `starts with ${phraseValue(operand)}`,
  endsWith: (operand) => `ends with ${phraseValue(operand)}`,
  like: (operand) => `matches ${phraseValue(operand)}`,
  before: (operand) => `is before ${phraseValue(operand)}`,
  after: (operand) => `is after ${phraseValue(operand)}`,
  within: (operand) => `is in the last ${phraseDuration(operand)}`,
  any: (operand) => `has an element that ${phraseOperators(operand)}`,
  all: (operand) => `has only elements of which each ${phraseOperators(operand)}`,
};

/** `is at least 5 and is less than 9`. Keys that are not operators belong to the leaf and are passed over, as are those in `except`. */
export function phraseOperators(operators: Operators, except: readonly string[] = []): string {
  return Object.entries(operators)
    .filter(([key]) => Object.hasOwn(WORDS, key) && !except.includes(key))
    .map(([key, operand]) => WORDS[key]!(operand as never))
    .join(" and ");
}

/** `at least 2 times`. */
export function phraseCount(operators: Operators, noun: string): string {
  const { gte, eq, ...others } = operators;
  if (Object.keys(others).length === 0 && typeof gte === "number" && eq === undefined) {
    return `at least ${plural(gte, noun)}`;
  }
  if (Object.keys(others).length === 0 && typeof eq === "number" && gte === undefined) {
    return `exactly ${plural(eq, noun)}`;
  }
  return `a number of ${noun}s that ${phraseOperators(operators)}`;
}

const TYPES: { readonly [type: string]: string } = {
  page: "a page view",
  screen: "a screen view",
  identify: "an identify",
  alias: "an alias",
  group: "a group call",
};

/** `"Product Viewed" where category is "shoes"`, `a page view of "Home"`. */
export function phraseEvent({ event, type = "track", where = {} }: EventSelector): string {
  const kind = TYPES[type];
  const name = event === undefined ? (kind ?? "any event") : kind ? `${kind} of "${event}"` : `"${event}"`;
  const clauses = Object.entries(where).map(([path, operators]) => `${path} ${phraseOperators(operators)}`);
  return clauses.length ? `${name} where ${clauses.join(" and ")}` : name;
}

/** ` in the last 24 hours`, with its space; empty for the whole history. */
export function phraseWindow({ within, between, after, before }: Window): string {
  return [
    within !== undefined && ` in the last ${phraseDuration(within)}`,
    between && ` between ${phraseDuration(between[1])} and ${phraseDuration(between[0])} ago`,
    after !== undefined && ` from ${after} on`,
    before !== undefined && ` before ${before}`,
  ]
    .filter(Boolean)
    .join("");
}
