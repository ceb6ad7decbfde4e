/** Operators: from the object that follows a value in a condition to one test of it. These are what the browser has too. */
import type { Operators } from "../condition.ts";
import { combine } from "./logic.ts";
import { type Check, type Code, type Node, type Run, type Scope, unknown } from "./run.ts";
import { isScalar } from "./value.ts";

const equal: Check = (value, operand) => value === operand && isScalar(value);

export const oneOf: Check = (value, operand) => Array.isArray(operand) && operand.includes(value) && isScalar(value);

const not =
  (check: Check): Check =>
  (value, operand) =>
    !check(value, operand);

/** A check of two values of the same type. */
const typed =
  <T>(type: string, check: (value: T, operand: T) => boolean): Check =>
  (value, operand) =>
    typeof value === type && typeof operand === type && check(value as T, operand as T);

const numbers = (check: (value: number, operand: number) => boolean) => typed("number", check);

export const text = (check: (value: string, operand: string) => boolean) => typed("string", check);

const includes = text((value, part) => value.includes(part));

/** Their results do not change with time. */
export const CHECKS: { readonly [operator: string]: Check } = {
  gt: numbers((value, operand) => value > operand),
  gte: numbers((value, operand) => value >= operand),
  lt: numbers((value, operand) => value < operand),
  lte: numbers((value, operand) => value <= operand),
  eq: equal,
  ne: not(equal),
  in: oneOf,
  nin: not(oneOf),
  exists: (value, operand) => (value !== undefined) === operand,
  contains: (value, operand) => (Array.isArray(value) ? oneOf(operand, value) : includes(value, operand)),
  startsWith: text((value, part) => value.startsWith(part)),
  endsWith: text((value, part) => value.endsWith(part)),
};

/** How to read an operand in a run. */
export const readerOf = (operand: unknown, scope: Scope): ((run: Run) => unknown) =>
  scope.language.read?.(operand, scope) ?? (() => operand);

function testOf(operator: string, operand: unknown, scope: Scope): Node {
  const { checks, test } = scope.language;
  const special = test?.(operator, operand, scope);
  if (special) return special;
  if (!Object.hasOwn(checks, operator)) return unknown;
  const check = checks[operator]!;
  const read = readerOf(operand, scope);
  return (run, value) => {
    run.until = Infinity;
    return +check(value, read(run)) as Code;
  };
}

/** One test of all the operators in the object. */
export function testsOf(operators: Operators, scope: Scope): Node {
  return combine(
    Object.entries(operators).map(([operator, operand]) => testOf(operator, operand, scope)),
    0,
  );
}
