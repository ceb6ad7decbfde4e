/** Operators: from the object that follows a value in a condition to one test of it. These are what the browser has too. */
import type { Operators } from "../condition.ts";
import { combine } from "./logic.ts";
import { type Check, type Code, type Node, type Scope, unknown } from "./run.ts";
import { isScalar } from "./value.ts";

const equal: Check = (value, operand) => value === operand && isScalar(value);

export const oneOf: Check = (value, operand) => Array.isArray(operand) && operand.includes(value) && isScalar(value);

const not =
  (check: Check): Check =>
  (value, operand) =>
    !check(value, operand);

/** The distance of two numbers; NaN, which compares to nothing, when one of them is none. */
const distance = (value: unknown, operand: unknown) =>
  typeof value === "number" && typeof operand === "number" ? value - operand : Number.NaN;

export const text =
  (check: (value: string, operand: string) => boolean): Check =>
  (value, operand) =>
    typeof value === "string" && typeof operand === "string" && check(value, operand);

const includes = text((value, part) => value.includes(part));

/** Operators over any measure of distance, NaN where there is none. */
export const orderBy = (distance: (value: unknown, operand: unknown) => number): { [operator: string]: Check } => ({
  gt: (value, operand) => distance(value, operand) > 0,
  gte: (value, operand) => distance(value, operand) >= 0,
  lt: (value, operand) => distance(value, operand) < 0,
  lte: (value, operand) => distance(value, operand) <= 0,
});

/** Their results do not change with time. */
export const CHECKS: { readonly [operator: string]: Check } = {
  ...orderBy(distance),
  eq: equal,
  ne: not(equal),
  in: oneOf,
  nin: not(oneOf),
  exists: (value, operand) => (value !== undefined) === operand,
  contains: (value, operand) => (Array.isArray(value) ? oneOf(operand, value) : includes(value, operand)),
  startsWith: text((value, part) => value.startsWith(part)),
  endsWith: text((value, part) => value.endsWith(part)),
};

function testOf(operator: string, operand: unknown, scope: Scope): Node {
  const { checks, read, test } = scope.language;
  const special = test?.(operator, operand, scope);
  if (special) return special;
  if (!Object.hasOwn(checks, operator)) return unknown;
  const check = checks[operator]!;
  const reader = read?.(operand, scope);
  return (run, value) => {
    run.until = Infinity;
    return +check(value, reader ? reader(run) : operand) as Code;
  };
}

/** One test of all the operators in the object. */
export function testsOf(operators: Operators, scope: Scope): Node {
  return combine(
    Object.entries(operators).map(([operator, operand]) => testOf(operator, operand, scope)),
    0,
  );
}
