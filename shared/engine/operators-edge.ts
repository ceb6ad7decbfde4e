/** The operators that the browser lacks: dates, patterns, elements, and values that are traits themselves. */
import { instantOf } from "./dates.ts";
import { combine } from "./logic.ts";
import { CHECKS, orderBy, testsOf, text } from "./operators.ts";
import type { Check, Code, Node, Run, Scope } from "./run.ts";
import { durationMs, isScalar, readPath } from "./value.ts";

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

/** All operators whose results do not change with time. */
export const ALL_CHECKS: { readonly [operator: string]: Check } = {
  ...CHECKS,
  ...orderBy(distance),
  before: (value, operand) => dates(value, operand) < 0,
  after: (value, operand) => dates(value, operand) > 0,
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

/** Operators that are more than a check; undefined for those that are one. */
export function specialTest(operator: string, operand: unknown, scope: Scope): Node | undefined {
  if (operator === "within") return within(durationMs(operand));
  if (operator === "any" || operator === "all")
    return elements(testsOf(operand as never, scope), operator === "any" ? 1 : 0);
  return undefined;
}
