/**
 * Can one value pass some operators and fail others? The value is unknown; its types and its range may be known. "No" is certain;
 * what is too intricate to tell is a "yes".
 */
import { compile } from "../../../shared/engine/compile.ts";
import { instantOf } from "../../../shared/engine/dates.ts";
import { fullLanguage } from "../../../shared/engine/language-edge.ts";
import { durationMs } from "../../../shared/engine/value.ts";

/** That a value passes an operator, or fails it. */
export interface Claim {
  operator: string;
  operand: unknown;
  holds: boolean;
}

type Type = "undefined" | "null" | "boolean" | "number" | "string" | "array" | "object";

/** Where the value comes from: its types and, of a number, the bounds, both included. */
export interface Range {
  types: readonly Type[];
  least: number;
  most: number;
  /** Whole numbers only. */
  whole: boolean;
}

const EVERY: readonly Type[] = ["undefined", "null", "boolean", "number", "string", "array", "object"];
export const ANYTHING: Range = { types: EVERY, least: -Infinity, most: Infinity, whole: false };
export const numbersFrom = (least: number, most: number, whole: boolean, extra: readonly Type[] = []): Range => ({
  types: ["number", ...extra],
  ...{ least, most, whole },
});

const ORDERINGS = ["gt", "gte", "lt", "lte"];
const DATES = ["before", "after", "within"];
const TEXTS = ["startsWith", "endsWith", "like", "lower"];
const LISTS = ["any", "all", "size"];

/** Operators that no value of the type passes, whatever the operand. */
const FAILS: { readonly [type in Type]: readonly string[] } = {
  undefined: ["eq", "in", ...ORDERINGS, ...DATES, ...TEXTS, ...LISTS, "contains", "number", "text", "version"],
  null: [...ORDERINGS, ...DATES, ...TEXTS, ...LISTS, "contains"],
  boolean: [...ORDERINGS, ...DATES, ...TEXTS, ...LISTS, "contains"],
  number: [...DATES, ...TEXTS, ...LISTS, "contains"],
  string: LISTS,
  array: ["eq", "in", ...ORDERINGS, ...DATES, ...TEXTS],
  object: ["eq", "in", ...ORDERINGS, ...DATES, ...TEXTS, ...LISTS, "contains"],
};

/** A value that stands for all of its type where only the type matters. */
const SAMPLES: { readonly [type in Type]: unknown } = {
  undefined: undefined,
  null: null,
  boolean: true,
  number: 0.5,
  string: "x",
  array: [],
  object: {},
};

/** The same claim in fewer operators: what is not equal is equal, denied. */
export function claimOf(operator: string, operand: unknown, holds: boolean): Claim {
  if (operator === "ne") return { operator: "eq", operand, holds: !holds };
  if (operator === "nin") return { operator: "in", operand, holds: !holds };
  if (operator === "exists") return { operator, operand: true, holds: holds === operand };
  return { operator, operand, holds };
}

export const claimsOf = (operators: object, holds: boolean): Claim[] =>
  Object.entries(operators).map(([operator, operand]) => claimOf(operator, operand, holds));

/** False only where no value of the range fits all the claims. */
export function isPossible(claims: readonly Claim[], range: Range = ANYTHING): boolean {
  if (contradict(claims)) return false;
  const few = candidatesOf(claims);
  if (few) return few.some((value) => isIn(value, range) && fits(value, claims));
  return range.types.some((type) => {
    if (claims.some(({ operator, holds }) => holds && FAILS[type].includes(operator))) return false;
    if (
      !claims.every(
        ({ operator, operand, holds }) => !isOfType(operator) || passes(operator, operand, SAMPLES[type]) === holds,
      )
    )
      return false;
    if (type === "number") return isNumberPossible(claims, range);
    if (type === "string") return isTextPossible(claims);
    if (type === "boolean") return [true, false].some((value) => fits(value, claims));
    return type === "undefined" || type === "null" ? fits(SAMPLES[type], claims) : true;
  });
}

/** The value fits every claim that can be judged without the person and the clock. */
export function fits(value: unknown, claims: readonly Claim[]): boolean {
  return claims.every(({ operator, operand, holds }) => {
    const passed = FAILS[typeOf(value)].includes(operator) ? false : passes(operator, operand, value);
    return passed === undefined || passed === holds;
  });
}

const isOfType = (operator: string) => operator === "exists" || operator === "isA";

function typeOf(value: unknown): Type {
  return value === null ? "null" : Array.isArray(value) ? "array" : (typeof value as Type);
}

function isIn(value: unknown, { types, least, most, whole }: Range): boolean {
  if (!types.includes(typeOf(value))) return false;
  return typeof value !== "number" || (least <= value && value <= most && (!whole || Number.isInteger(value)));
}

/** Compares with the person's own traits, or with the clock. */
const isOpen = (operator: string, operand: unknown): boolean =>
  operator === "within" ||
  JSON.stringify(operand ?? null).includes('"trait":') ||
  JSON.stringify(operand ?? null).includes('"within":');

/** What the engine says of the operator; undefined where that depends on more than the value. */
function passes(operator: string, operand: unknown, value: unknown): boolean | undefined {
  if (isOpen(operator, operand)) return undefined;
  const { checks } = fullLanguage;
  if (Object.hasOwn(checks, operator)) return checks[operator]!(value, operand);
  const condition = { context: "value", [operator]: operand };
  const { evaluate } = compile([{ key: "", condition }], { timeZone: "UTC" }, fullLanguage);
  return evaluate({ traits: {}, events: [], context: { value } }, 0)[0]!.value === true;
}

/** The same operator with the same operand both passed and failed, or a longer last while failed and a shorter one passed. */
function contradict(claims: readonly Claim[]): boolean {
  const denied = claims.filter(({ holds }) => !holds);
  return claims.some(
    ({ operator, operand, holds }) =>
      holds &&
      denied.some((other) => {
        if (other.operator !== operator) return false;
        if (operator === "within") return durationMs(operand) <= durationMs(other.operand);
        return JSON.stringify(other.operand) === JSON.stringify(operand);
      }),
  );
}

/** The only values that can be meant, where a claim names them. */
function candidatesOf(claims: readonly Claim[]): unknown[] | undefined {
  for (const { operator, operand, holds } of claims) {
    if (!holds || isOpen(operator, operand)) continue;
    if (operator === "eq") return [operand];
    if (operator === "in") return operand as unknown[];
    if (operator === "like" && !(operand as string).includes("*")) return [operand];
  }
  return undefined;
}

function isNumberPossible(claims: readonly Claim[], { least, most, whole }: Range): boolean {
  let low = least;
  let high = most;
  let isLowOut = false;
  let isHighOut = false;
  for (const { operator, operand, holds } of claims) {
    if (!ORDERINGS.includes(operator)) continue;
    if (typeof operand === "string" && holds) return false;
    if (typeof operand !== "number") continue;
    // Failing "more than" is "at most".
    const isLower = (operator[0] === "g") === holds;
    const isOut = (operator.length === 2) === holds;
    if (isLower && (operand > low || (operand === low && isOut))) [low, isLowOut] = [operand, isOut];
    if (!isLower && (operand < high || (operand === high && isOut))) [high, isHighOut] = [operand, isOut];
  }
  // NaN fails every comparison.
  if (!whole && least === -Infinity && fits(Number.NaN, claims)) return true;
  const refused = claims.filter(({ holds, operator }) => !holds && (operator === "eq" || operator === "in"));
  if (!whole) return low < high || (low === high && !isLowOut && !isHighOut && fits(low, refused));
  const first = Math.ceil(low) + (isLowOut && Number.isInteger(low) ? 1 : 0);
  const last = Math.floor(high) - (isHighOut && Number.isInteger(high) ? 1 : 0);
  const named = refused.flatMap(({ operand }) => operand).length;
  for (let number = first; number <= last && number <= first + named; number++) if (fits(number, refused)) return true;
  return false;
}

/** The least whole number from `least` on, and the greatest up to `most`, that fit; undefined where there is none. */
export function boundsOf(
  claims: readonly Claim[],
  least: number,
  most: number,
): { least: number; most: number } | undefined {
  if (!isPossible(claims, numbersFrom(least, most, true))) return undefined;
  let low = least;
  let high = most;
  const is = (from: number, to: number) => isPossible(claims, numbersFrom(from, to, true));
  // Bounds can only lie at an operand or next to one.
  const marks = claims
    .flatMap(({ operand }) => operand)
    .filter((operand): operand is number => typeof operand === "number")
    .flatMap((operand) => [Math.floor(operand) - 1, Math.floor(operand), Math.ceil(operand), Math.ceil(operand) + 1])
    .sort((a, b) => a - b);
  for (const mark of marks) if (mark > low && !is(low, mark - 1)) low = mark;
  for (const mark of marks.toReversed()) if (mark < high && !is(mark + 1, high)) high = mark;
  return { least: low, most: high };
}

function isTextPossible(claims: readonly Claim[]): boolean {
  if (
    claims.some(({ operator, operand, holds }) => holds && ORDERINGS.includes(operator) && typeof operand === "number")
  )
    return false;
  const isText = ({ operator, operand }: Claim) => !isOpen(operator, operand);
  const held = claims.filter((claim) => claim.holds && isText(claim));
  const denied = claims.filter((claim) => !claim.holds && isText(claim));
  if (!isDatePossible(held, denied)) return false;
  // Every text begins and ends with the empty one, and contains it.
  const globs = held.filter(({ operator }) => operator === "like").map(({ operand }) => (operand as string).split("*"));
  const pieces = (operator: string) =>
    held.filter((claim) => claim.operator === operator).map(({ operand }) => operand as string);
  const starts = ["", ...pieces("startsWith"), ...globs.map((glob) => glob[0]!)];
  const ends = ["", ...pieces("endsWith"), ...globs.map((glob) => glob.at(-1)!)];
  const inside = [...starts, ...ends, ...pieces("contains"), ...globs.flat()].filter(
    (piece) => typeof piece === "string",
  );
  const longestStart = starts.reduce((a, b) => (b.length > a.length ? b : a));
  const longestEnd = ends.reduce((a, b) => (b.length > a.length ? b : a));
  if (!starts.every((start) => longestStart.startsWith(start)) || !ends.every((end) => longestEnd.endsWith(end)))
    return false;
  return denied.every(({ operator, operand }) => {
    if (typeof operand !== "string") return true;
    if (operator === "startsWith") return !longestStart.startsWith(operand);
    if (operator === "endsWith") return !longestEnd.endsWith(operand);
    if (operator === "contains") return !inside.some((piece) => piece.includes(operand));
    return operator !== "like" || !/^\*+$/.test(operand);
  });
}

/** Some instant lies where all comparisons of dates want it. */
function isDatePossible(held: readonly Claim[], denied: readonly Claim[]): boolean {
  const isDated = ({ operator, operand }: Claim) =>
    (ORDERINGS.includes(operator) || operator === "before" || operator === "after") && typeof operand === "string";
  if (!held.some(isDated)) return true;
  const asNumbers = [...held, ...denied].filter(isDated).map(({ operator, operand, holds }) => ({
    operator: operator === "before" ? "lt" : operator === "after" ? "gt" : operator,
    operand: instantOf(operand),
    holds,
  }));
  if (asNumbers.some(({ operand }) => Number.isNaN(operand))) return true;
  return isNumberPossible(asNumbers, numbersFrom(-Infinity, Infinity, true));
}
