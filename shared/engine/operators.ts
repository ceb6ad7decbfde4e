/** Operators: from the object that follows a value in a condition to one test of it. */
import type { Operators } from "../condition.ts";
import { combine } from "./logic.ts";
import { type Code, type Node, type Run, type Scope, unknown } from "./run.ts";
import { durationMs, instantOf, isScalar, readPath } from "./value.ts";

type Check = (value: unknown, operand: unknown) => boolean;

const equal: Check = (value, operand) => value === operand && isScalar(value);

const oneOf: Check = (value, operand) => Array.isArray(operand) && operand.includes(value) && isScalar(value);

const not =
  (check: Check): Check =>
  (value, operand) =>
    !check(value, operand);

/** The sign of the distance between two dates; NaN, which compares to nothing, when one of them is none. */
const dates = (value: unknown, operand: unknown) => instantOf(value) - instantOf(operand);

/** The same for two numbers or two dates. */
const distance = (value: unknown, operand: unknown) =>
  typeof value === "number" && typeof operand === "number" ? value - operand : dates(value, operand);

const text =
  (check: (value: string, operand: string) => boolean): Check =>
  (value, operand) =>
    typeof value === "string" && typeof operand === "string" && check(value, operand);

const includes = text((value, part) => value.includes(part));

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

/** Operators whose result does not change with time. */
const CHECKS: { readonly [operator: string]: Check } = {
  eq: equal,
  ne: not(equal),
  in: oneOf,
  nin: not(oneOf),
  gt: (value, operand) => distance(value, operand) > 0,
  gte: (value, operand) => distance(value, operand) >= 0,
  lt: (value, operand) => distance(value, operand) < 0,
  lte: (value, operand) => distance(value, operand) <= 0,
  before: (value, operand) => dates(value, operand) < 0,
  after: (value, operand) => dates(value, operand) > 0,
  exists: (value, operand) => (value !== undefined) === operand,
  contains: (value, operand) => (Array.isArray(value) ? oneOf(operand, value) : includes(value, operand)),
  startsWith: text((value, part) => value.startsWith(part)),
  endsWith: text((value, part) => value.endsWith(part)),
  like: matchesGlob,
};

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

function testOf(operator: string, operand: never, scope: Scope): Node {
  if (operator === "within") return within(durationMs(operand));
  if (operator === "any" || operator === "all") return elements(testsOf(operand, scope), operator === "any" ? 1 : 0);
  if (!Object.hasOwn(CHECKS, operator)) return unknown;
  const check = CHECKS[operator]!;
  const read = readerOf(operand, scope);
  return (run, value) => {
    run.until = Infinity;
    return +check(value, read(run)) as Code;
  };
}

/** One test of all the operators in the object. */
export function testsOf(operators: Operators, scope: Scope): Node {
  return combine(
    Object.entries(operators).map(([operator, operand]) => testOf(operator, operand as never, scope)),
    0,
  );
}
