/**
 * The words that descriptions and traces are made of: operators, operands, durations, windows, kinds of event. Two things that
 * mean something different are worded differently, so operands are written exactly; what was found may be rounded.
 */
import type { EventSelector, JsonType, Operators, Window } from "../condition.ts";
import { durationMs } from "./value.ts";

const UNITS: readonly (readonly [unit: string, noun: string])[] = [
  ["w", "week"],
  ["d", "day"],
  ["h", "hour"],
  ["m", "minute"],
  ["s", "second"],
];

/** `1 day`, `2 days`. */
export const plural = (count: number | string, noun: string): string =>
  `${count} ${noun}${`${count}` === "1" ? "" : "s"}`;

/** `"24h"` → `24 hours`. */
export function phraseDuration(duration: unknown): string {
  const parts = typeof duration === "string" && /^-?(\d+)([smhdw])$/.exec(duration);
  return parts ? plural(+parts[1]!, UNITS.find(([unit]) => unit === parts[2])![1]) : String(duration);
}

/** A length of time in its two greatest units: `1 day 3 hours`. Less than a second is that. */
export function phraseMs(ms: number): string {
  const parts: string[] = [];
  for (const [unit, noun] of UNITS.slice(1)) {
    const length = durationMs(`1${unit}`);
    const count = Math.floor(ms / length);
    if (count) parts.push(plural(count, noun));
    else if (parts.length) break;
    ms -= count * length;
    if (parts.length === 2) break;
  }
  return parts.join(" ") || "less than a second";
}

/** Joins with commas and a last word: `a, b or c`. */
export function join(items: readonly string[], word: string): string {
  return items.length < 2 ? (items[0] ?? "") : `${items.slice(0, -1).join(", ")} ${word} ${items.at(-1)}`;
}

/** A path as it is, or in quotes where it could be taken for other words. */
export const phrasePath = (path: string): string => (/^[\w.$-]+$/.test(path) ? path : JSON.stringify(path));

/** A value exactly as it is. */
export function phraseValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return value.length ? `[${value.map(phraseValue).join(", ")}]` : "an empty list";
  if (typeof value !== "object" || value === null) return String(value);
  const { trait } = value as { trait?: unknown };
  return typeof trait === "string" ? `the person's ${phrasePath(trait)}` : "an object";
}

/** How much of a value that was found is shown. */
const SHOWN = 80;

/** A value that was found, for people: numbers without the noise of binary fractions, long texts and lists cut. */
export function phraseFound(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value !== "number") {
    const text = phraseValue(value);
    return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  }
  const clean = denoise(value);
  const rounded = Number(Math.abs(clean) < 1 ? clean.toPrecision(3) : clean.toFixed(2));
  return Math.abs(clean - rounded) < 5e-5 || !Number.isFinite(clean) ? `${clean}` : `about ${rounded}`;
}

/** `0.1 + 0.2` → `0.3`. */
export const denoise = (number: number): number => Number(number.toPrecision(12));

/** True where a phrase could be read in two ways inside a longer one. */
export const isCompound = (phrase: string): boolean => /, | and | or /.test(phrase.replace(/"([^"\\]|\\.)*"/g, ""));

const bracket = (phrase: string): string => (isCompound(phrase) ? `(${phrase})` : phrase);

/** `is one of 1, 2 or 3`, and what it is not. */
function phraseOneOf(list: unknown, not = false): string {
  const items = Array.isArray(list) ? list.map(phraseValue) : [];
  const is = not ? "is not" : "is";
  if (items.length === 0) return `${is} one of no values`;
  if (items.length === 2) return not ? `is neither ${items[0]} nor ${items[1]}` : `is ${join(items, "or")}`;
  return items.length === 1 ? `${is} ${items[0]}` : `${is} one of ${join(items, "or")}`;
}

const WORDS: { readonly [operator: string]: (operand: never) => string } = {
  eq: (operand) => `is ${phraseValue(operand)}`,
  ne: (operand) => `is not ${phraseValue(operand)}`,
  in: (operand) => phraseOneOf(operand),
  nin: (operand) => phraseOneOf(operand, true),
  gt: (operand) => `is more than ${phraseValue(operand)}`,
  gte: (operand) => `is at least ${phraseValue(operand)}`,
  lt: (operand) => `is less than ${phraseValue(operand)}`,
  lte: (operand) => `is at most ${phraseValue(operand)}`,
  exists: (operand) => (operand ? "is known" : "is not known"),
  contains: (operand) => `contains ${phraseValue(operand)}`,
  startsWith: (operand) => `starts with ${phraseValue(operand)}`,
  endsWith: (operand) => `ends with ${phraseValue(operand)}`,
  like: (operand) => `matches the pattern ${phraseValue(operand)}`,
  before: (operand) => `is a date before ${phraseValue(operand)}`,
  after: (operand) => `is a date after ${phraseValue(operand)}`,
  within: (operand) => `is a date in the last ${phraseLast(operand as string)}`,
  any: (operand) => `is a list in which some element ${bracket(phraseOperators(operand))}`,
  all: (operand) => `is a list in which each element ${bracket(phraseOperators(operand))}`,
  none: (operand: Operators[]) =>
    `is not such that it ${bracket(
      join(
        operand.map((operators) => bracket(phraseOperators(operators))),
        "or",
      ),
    )}`,
  where: (operand: { [path: string]: Operators }) =>
    `has ${join(
      Object.entries(operand).map(([path, inner]) => `${phrasePath(path)} that ${bracket(phraseOperators(inner))}`),
      "and",
    )}`,
  isA: (operand: JsonType | JsonType[]) =>
    `is ${join(
      [operand].flat().map((type) => TYPE_WORDS[type]),
      "or",
    )}`,
  size: (operand) => `is a list whose number of elements ${bracket(phraseOperators(operand))}`,
  number: (operand) => `read as a number ${bracket(phraseOperators(operand))}`,
  text: (operand) => `written as text ${bracket(phraseOperators(operand, [], TEXT_ORDER))}`,
  lower: (operand) => `in lower case ${bracket(phraseOperators(operand, [], TEXT_ORDER))}`,
  version: (operand) => `as a version ${bracket(phraseOperators(operand, [], {}))}`,
};

const TYPE_WORDS: { readonly [type in JsonType]: string } = {
  string: "a text",
  number: "a number",
  boolean: "true or false",
  null: "null",
  array: "a list",
  object: "an object",
};

/** How orderings of a text are worded. */
type Order = { readonly [operator: string]: string };

const TEXT_ORDER: Order = {
  gt: "sorts after",
  gte: "does not sort before",
  lt: "sorts before",
  lte: "does not sort after",
};
/** A text that is compared is a date, unless it is said otherwise. */
const DATE_ORDER: Order = {
  gt: "is later than",
  gte: "is not before",
  lt: "is earlier than",
  lte: "is not after",
};

/** `is at least 5 and is less than 9`. Keys that are not operators belong to the leaf and are passed over, as are those in `except`. */
export function phraseOperators(operators: Operators, except: readonly string[] = [], order = DATE_ORDER): string {
  return Object.entries(operators)
    .filter(([key]) => Object.hasOwn(WORDS, key) && !except.includes(key))
    .map(([key, operand]) =>
      typeof operand === "string" && Object.hasOwn(order, key)
        ? `${order[key]} ${phraseValue(operand)}`
        : WORDS[key]!(operand as never),
    )
    .join(" and ");
}

const COUNT_WORDS: { readonly [operator: string]: string } = {
  eq: "exactly",
  in: "exactly",
  ne: "not exactly",
  nin: "not exactly",
  gt: "more than",
  gte: "at least",
  lt: "fewer than",
  lte: "at most",
};

/** `at least 2 times`, `more than 1 and at most 5 times`. */
export function phraseCount(operators: Operators, noun: string): string {
  const parts = Object.entries(operators).map(([key, operand]) => {
    if (!Array.isArray(operand)) return `${COUNT_WORDS[key] ?? key} ${phraseValue(operand)}`;
    if (operand.length === 0) return key === "in" ? "no possible number of" : "any number of";
    return `${COUNT_WORDS[key] ?? key} ${join(operand.map(phraseValue), "or")}`;
  });
  return `${parts.join(" and ")} ${Object.values(operators).at(-1) === 1 ? noun : `${noun}s`}`;
}

const TYPES: { readonly [type: string]: string } = {
  track: "tracked event",
  page: "page view",
  screen: "screen view",
  identify: "identify",
  alias: "alias",
  group: "group call",
};

/** True for operators with which a `where` is not mistaken for a part of what comes after it: those that end in a quoted text. */
const isPlain = (operators: Operators) =>
  Object.entries(operators).every(
    ([key, operand]) => ["eq", "contains", "startsWith", "endsWith"].includes(key) && typeof operand === "string",
  );

/** `"Product Viewed" where category is "shoes"`, `the page view "Home"`. */
export function phraseEvent({ event, type = "track", where = {} }: EventSelector): string {
  const kind = TYPES[type] ?? type;
  const name =
    event === undefined ? `any ${kind}` : type === "track" ? phraseValue(event) : `the ${kind} ${phraseValue(event)}`;
  const clauses = Object.entries(where).map(([path, operators]) => `${phrasePath(path)} ${phraseOperators(operators)}`);
  if (clauses.length === 0) return name;
  const text = `where ${clauses.join(" and ")}`;
  return Object.values(where).every(isPlain) && !isCompound(text) ? `${name} ${text}` : `${name} (${text})`;
}

/** `24 hours`, but `minute` for one of them. */
const phraseLast = (within: string) => phraseDuration(within).replace(/^1 /, "");

/** ` in the last 24 hours`, with its space; empty for the whole history. */
export function phraseWindow({ within, between, after, before }: Window): string {
  return [
    within !== undefined && ` in the last ${phraseLast(within)}`,
    between && ` between ${phraseDuration(between[1])} and ${phraseDuration(between[0])} ago`,
    after !== undefined && ` from ${after} on`,
    before !== undefined && ` before ${before}`,
  ]
    .filter(Boolean)
    .join("");
}
