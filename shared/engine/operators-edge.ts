/** The operators that the browser lacks: dates, patterns, parts and views of values, and values that are traits themselves. */
import type { Operators } from "../condition.ts";
import { instantOf } from "./dates.ts";
import { combine, negate } from "./logic.ts";
import { CHECKS, testsOf, text } from "./operators.ts";
import type { Check, Code, Language, Node, Run, Scope } from "./run.ts";
import { durationMs, isScalar, readPath } from "./value.ts";

/** Operators over any measure of distance, NaN where there is none. */
const orderBy = (distance: (value: unknown, operand: unknown) => number): { [operator: string]: Check } => ({
  gt: (value, operand) => distance(value, operand) > 0,
  gte: (value, operand) => distance(value, operand) >= 0,
  lt: (value, operand) => distance(value, operand) < 0,
  lte: (value, operand) => distance(value, operand) <= 0,
});

/** The sign of the distance between two dates; NaN, which compares to nothing, when one of them is none. */
const dates = (value: unknown, operand: unknown) => instantOf(value) - instantOf(operand);

/** The same for two numbers or two dates. */
const distance = (value: unknown, operand: unknown) =>
  typeof value === "number" && typeof operand === "number" ? value - operand : dates(value, operand);

/** Each piece between stars is taken where it first fits and the last one at the end: linear, unlike a regular expression. */
const matchesGlob = text((value, glob) => {
  let at = 0;
  return glob.split("*").every((piece, i, { length }) => {
    const isLast = i === length - 1;
    const from = i && isLast ? value.length - piece.length : at;
    const found = from < at ? -1 : value.indexOf(piece, from);
    at = found + piece.length;
    return (i ? found >= 0 : !found) && (!isLast || at === value.length);
  });
});

const typeOf = (value: unknown) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);

/** All operators whose results do not change with time. */
export const ALL_CHECKS: { readonly [operator: string]: Check } = {
  ...CHECKS,
  ...orderBy(distance),
  before: (value, operand) => dates(value, operand) < 0,
  after: (value, operand) => dates(value, operand) > 0,
  like: matchesGlob,
  isA: (value, operand) => (Array.isArray(operand) ? operand : [operand]).includes(typeOf(value)),
};

const TEXT_CHECKS: { readonly [operator: string]: Check } = {
  ...ALL_CHECKS,
  ...orderBy((value, operand) =>
    typeof value === "string" && typeof operand === "string" ? +(value > operand) - +(value < operand) : Number.NaN,
  ),
};

/** A version as a text that sorts as versions do, the way GrowthBook pads them; undefined for what is none. */
function versionOf(value: unknown): string | undefined {
  const written = typeof value === "number" ? `${value}` : value;
  if (typeof written !== "string" || written === "") return undefined;
  // Build metadata goes from the first plus of the last line to the end.
  const line = written.slice(1 + Math.max(...["\n", "\r", "\u2028", "\u2029"].map((end) => written.lastIndexOf(end))));
  const build = line.includes("+") ? line.length - line.indexOf("+") : 0;
  const parts = written.slice(+written.startsWith("v"), written.length - build).split(/[-.]/);
  // The tilde sorts after letters: a release comes after its pre-releases.
  if (parts.length === 3) parts.push("~");
  return parts.map((part) => (/^\d+$/.test(part) ? part.padStart(5) : part)).join("-");
}

/** What is made of a value, undefined for nothing; the checks of the operators that are asked of it, and what they compare it with. */
interface View {
  read: (value: unknown) => unknown;
  checks: { readonly [operator: string]: Check };
  readOperand?: Language["read"];
}

const VIEWS: { readonly [operator: string]: View } = {
  size: { read: (value) => (Array.isArray(value) ? value.length : undefined), checks: CHECKS },
  number: { read: shallow(numberOf), checks: CHECKS },
  text: { read: shallow(textOf), checks: TEXT_CHECKS },
  lower: { read: (value) => (typeof value === "string" ? value.toLowerCase() : undefined), checks: TEXT_CHECKS },
  version: { read: versionOf, checks: TEXT_CHECKS, readOperand: versionReaderOf },
};

/** Nothing of what is nested too deep to be read. */
function shallow(read: (value: unknown) => unknown) {
  return (value: unknown) => {
    try {
      return read(value);
    } catch {
      return undefined;
    }
  };
}

/** As JavaScript writes JSON values, an object whatever it holds. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map((element) => (element == null ? "" : textOf(element))).join();
  return typeof value === "object" && value !== null ? "[object Object]" : String(value);
}

/** As JavaScript reads JSON values; undefined for what is no number. */
function numberOf(value: unknown): number | undefined {
  const number = Number(isScalar(value) ? value : textOf(value));
  return Number.isNaN(number) ? undefined : number;
}

/** How to read an operand in a run: a constant, or the person's own trait. */
export function readerOf(operand: unknown, scope: Scope): (run: Run) => unknown {
  const path = readPath(operand, ["trait"]);
  if (typeof path === "string") {
    const slot = scope.fact("traits", path);
    return (run) => run.facts[slot];
  }
  if (!Array.isArray(operand) || operand.every(isScalar)) return () => operand;
  const members = operand.map((member) => readerOf(member, scope));
  return (run) => members.map((member) => member(run));
}

/** The operand as `versionOf` makes it, of a constant once. */
function versionReaderOf(operand: unknown, scope: Scope): (run: Run) => unknown {
  const known = versionOf(operand);
  const read = readerOf(operand, scope);
  return known === undefined ? (run) => versionOf(read(run)) : () => known;
}

/** The date lies in the last `length`: it enters at its own instant and leaves `length` later. */
function within(length: number): Node {
  return (run, value) => {
    const from = instantOf(value);
    const age = run.now - from;
    run.until = age < 0 ? from : age < length ? from + length : Infinity;
    return +(age >= 0 && age < length) as Code;
  };
}

/** The test holds for some element of an array (decisive: true), or for each (decisive: false). */
function elements(test: Node, decisive: 0 | 1): Node {
  return (run, value) => {
    run.until = Infinity;
    if (!Array.isArray(value)) return 0;
    // Spread, since a hole is an element too.
    const tests = [...value].map(
      (element): Node =>
        (inner) =>
          test(inner, element),
    );
    return combine(tests, decisive)(run);
  };
}

/** The test holds for what the view makes of a value. */
function viewed({ read, checks, readOperand = readerOf }: View, operators: Operators, scope: Scope): Node {
  const test = testsOf(operators, { ...scope, language: { ...scope.language, checks, read: readOperand } });
  return (run, value) => {
    run.until = Infinity;
    const seen = value === undefined ? undefined : read(value);
    return seen === undefined ? 0 : test(run, seen);
  };
}

/** The tests hold for what lies at their paths inside a value. */
function parts(where: { [path: string]: Operators }, scope: Scope): Node {
  const tests = Object.entries(where).map(([path, operators]): Node => {
    const keys = path.split(".");
    const test = testsOf(operators, scope);
    return (run, value) => test(run, readPath(value, keys));
  });
  return combine(tests, 0);
}

/** Operators that are more than a check; undefined for those that are one. */
export function specialTest(operator: string, operand: unknown, scope: Scope): Node | undefined {
  if (operator === "within") return within(durationMs(operand));
  if (operator === "any" || operator === "all")
    return elements(testsOf(operand as never, scope), operator === "any" ? 1 : 0);
  if (operator === "none")
    return negate(
      combine(
        (operand as Operators[]).map((one) => testsOf(one, scope)),
        1,
      ),
    );
  if (operator === "where") return parts(operand as never, scope);
  return Object.hasOwn(VIEWS, operator) ? viewed(VIEWS[operator]!, operand as never, scope) : undefined;
}
