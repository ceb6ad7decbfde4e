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
  /** The operand as JSON. */
  text: string;
  /** Whether it holds depends on more than the value: on the person's own traits, or the clock. */
  isOpen: boolean;
  /** Of `in`. */
  members: ReadonlySet<unknown>;
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

/** In fewer operators: what is not equal is equal, denied. */
export function claimOf(operator: string, operand: unknown, holds: boolean): Claim {
  if (operator === "ne") return claimOf("eq", operand, !holds);
  if (operator === "nin") return claimOf("in", operand, !holds);
  if (operator === "exists" && operand === false) return claimOf(operator, true, !holds);
  const text = JSON.stringify(operand) ?? "";
  const isOpen = operator === "within" || text.includes('"trait":') || text.includes('"within":');
  return { operator, operand, holds, text, isOpen, members: new Set(operator === "in" ? (operand as unknown[]) : []) };
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
    if (!fits(SAMPLES[type], claims.filter(isOfType))) return false;
    if (type === "number") return isNumberPossible(claims, range);
    if (type === "string") return isTextPossible(claims);
    if (type === "boolean") return [true, false].some((value) => fits(value, claims));
    return type === "undefined" || type === "null" ? fits(SAMPLES[type], claims) : true;
  });
}

/** The value fits every claim that can be judged without the person and the clock. */
export function fits(value: unknown, claims: readonly Claim[]): boolean {
  const fails = FAILS[typeOf(value)];
  return claims.every((claim) => {
    if (fails.includes(claim.operator)) return !claim.holds;
    return claim.isOpen || passes(claim, value) === claim.holds;
  });
}

const isOfType = ({ operator }: Claim) => operator === "exists" || operator === "isA";

function typeOf(value: unknown): Type {
  return value === null ? "null" : Array.isArray(value) ? "array" : (typeof value as Type);
}

function isIn(value: unknown, { types, least, most, whole }: Range): boolean {
  if (!types.includes(typeOf(value))) return false;
  return typeof value !== "number" || (least <= value && value <= most && (!whole || Number.isInteger(value)));
}

/** What the engine says of a claim that is not open. */
function passes({ operator, operand, members }: Claim, value: unknown): boolean {
  if (operator === "in") return members.has(value);
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
    ({ operator, operand, holds, text }) =>
      holds &&
      denied.some((other) => {
        if (other.operator !== operator) return false;
        if (operator === "within") return durationMs(operand) <= durationMs(other.operand);
        return other.text === text;
      }),
  );
}

/** The only values that can be meant, where a claim names them. */
function candidatesOf(claims: readonly Claim[]): unknown[] | undefined {
  for (const { operator, operand, holds, isOpen } of claims) {
    if (!holds || isOpen) continue;
    if (operator === "eq") return [operand];
    if (operator === "in") return operand as unknown[];
    if (operator === "like" && !(operand as string).includes("*")) return [operand];
  }
  return undefined;
}

function isNumberPossible(claims: readonly Claim[], range: Range): boolean {
  if (
    claims.some(({ operator, operand, holds }) => holds && ORDERINGS.includes(operator) && typeof operand === "string")
  )
    return false;
  // NaN fails every comparison.
  if (!range.whole && range.least === -Infinity && fits(Number.NaN, claims)) return true;
  const { low, high, isLowOut, isHighOut } = intervalOf(claims, range);
  if (range.whole) return wholeIn(claims, range) !== undefined;
  return low < high || (low === high && !isLowOut && !isHighOut && !isRefused(claims)(low));
}

/** Between which numbers the comparisons leave it, and which of these they leave out. */
function intervalOf(claims: readonly Claim[], { least, most }: Range) {
  let [low, high, isLowOut, isHighOut] = [least, most, false, false];
  for (const { operator, operand, holds } of claims) {
    if (!ORDERINGS.includes(operator) || typeof operand !== "number") continue;
    // Failing "more than" is "at most".
    const isLower = (operator[0] === "g") === holds;
    const isOut = (operator.length === 2) === holds;
    if (isLower && (operand > low || (operand === low && isOut))) [low, isLowOut] = [operand, isOut];
    if (!isLower && (operand < high || (operand === high && isOut))) [high, isHighOut] = [operand, isOut];
  }
  return { low, high, isLowOut, isHighOut };
}

/** Values that a claim denies by name. */
function isRefused(claims: readonly Claim[]): (value: unknown) => boolean {
  const denied = claims.filter(({ holds, isOpen }) => !holds && !isOpen);
  return (value) =>
    denied.some(({ operator, operand, members }) => (operator === "eq" ? operand === value : members.has(value)));
}

/** The least and the greatest whole number that the comparisons and the refused values leave. */
function wholeIn(claims: readonly Claim[], range: Range): { least: number; most: number } | undefined {
  const { low, high, isLowOut, isHighOut } = intervalOf(claims, range);
  let least = Math.ceil(low) + +(isLowOut && Number.isInteger(low));
  let most = Math.floor(high) - +(isHighOut && Number.isInteger(high));
  const isDenied = isRefused(claims);
  // Beyond the safe integers the next one may be the same.
  const refuses = (value: number) => Number.isSafeInteger(value) && isDenied(value);
  while (least <= most && refuses(least)) least++;
  while (least <= most && refuses(most)) most--;
  return least <= most ? { least, most } : undefined;
}

/** The least and the greatest whole number between these that may fit; undefined where none does. */
export function boundsOf(
  claims: readonly Claim[],
  least: number,
  most: number,
): { least: number; most: number } | undefined {
  const range = numbersFrom(least, most, true);
  if (!isPossible(claims, range)) return undefined;
  const few = candidatesOf(claims)?.filter((value) => isIn(value, range) && fits(value, claims)) as
    | number[]
    | undefined;
  if (!few) return wholeIn(claims, range);
  return {
    least: few.reduce((a, b) => Math.min(a, b)),
    most: few.reduce((a, b) => Math.max(a, b)),
  };
}

function isTextPossible(claims: readonly Claim[]): boolean {
  if (
    claims.some(({ operator, operand, holds }) => holds && ORDERINGS.includes(operator) && typeof operand === "number")
  )
    return false;
  const held = claims.filter(({ holds, isOpen }) => holds && !isOpen);
  const denied = claims.filter(({ holds, isOpen }) => !holds && !isOpen);
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
  const asNumbers = [...held, ...denied]
    .filter(isDated)
    .map(({ operator, operand, holds }) =>
      claimOf(operator === "before" ? "lt" : operator === "after" ? "gt" : operator, instantOf(operand), holds),
    );
  if (asNumbers.some(({ operand }) => Number.isNaN(operand))) return true;
  return isNumberPossible(asNumbers, numbersFrom(-Infinity, Infinity, true));
}
