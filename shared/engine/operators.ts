/** Operators: from the object that follows a value in a condition to one test of it. */
import type { Operand, Operators } from "../condition.ts";
import { combine, combineElements } from "./logic.ts";
import { type Code, type Node, type Run, type Scope, unknown } from "./run.ts";
import { durationMs, instantOf, isScalar, readPath } from "./value.ts";

type Check = (value: unknown) => boolean;
type Compare = (a: number, b: number) => boolean;

const never: Check = () => false;

const equal = (operand: unknown): Check => (isScalar(operand) ? (value) => value === operand : never);

const oneOf = (operands: unknown): Check => {
  const members = new Set(Array.isArray(operands) ? operands.filter(isScalar) : []);
  return (value) => members.has(value);
};

const not =
  (make: (operand: unknown) => Check) =>
  (operand: unknown): Check => {
    const check = make(operand);
    return (value) => !check(value);
  };

const dates =
  (compare: Compare) =>
  (operand: unknown): Check => {
    const instant = instantOf(operand);
    return (value) => compare(instantOf(value), instant);
  };

const order =
  (compare: Compare) =>
  (operand: unknown): Check =>
    typeof operand === "number"
      ? (value) => typeof value === "number" && compare(value, operand)
      : dates(compare)(operand);

const text =
  (compare: (value: string, operand: string) => boolean) =>
  (operand: unknown): Check =>
    typeof operand === "string" ? (value) => typeof value === "string" && compare(value, operand) : never;

const less: Compare = (a, b) => a < b;
const more: Compare = (a, b) => a > b;

/** Greedy from the left, so linear: each piece between stars is taken where it first fits, the last one at the end. */
function matchesGlob(value: string, glob: string): boolean {
  const pieces = glob.split("*");
  const head = pieces.shift()!;
  const tail = pieces.pop();
  if (tail === undefined) return value === head;
  let at = head.length;
  const end = value.length - tail.length;
  return (
    at <= end &&
    value.startsWith(head) &&
    value.endsWith(tail) &&
    pieces.every((piece) => {
      const found = value.indexOf(piece, at);
      at = found + piece.length;
      return found >= 0 && at <= end;
    })
  );
}

/** Operators whose result time does not change, each made for an operand. */
const CHECKS: { readonly [operator: string]: (operand: unknown) => Check } = {
  eq: equal,
  ne: not(equal),
  in: oneOf,
  nin: not(oneOf),
  gt: order(more),
  gte: order((a, b) => a >= b),
  lt: order(less),
  lte: order((a, b) => a <= b),
  before: dates(less),
  after: dates(more),
  exists: (operand) => (value) => (value !== undefined) === operand,
  contains: (operand) => {
    const inText = text((value, part) => value.includes(part))(operand);
    const isElement = equal(operand);
    return (value) => (Array.isArray(value) ? value.some(isElement) : inText(value));
  },
  startsWith: text((value, part) => value.startsWith(part)),
  endsWith: text((value, part) => value.endsWith(part)),
  like: text(matchesGlob),
};

/** Reads a constant, or the person's own trait. */
export function operandOf(operand: Operand | Operand[], scope: Scope): (run: Run) => unknown {
  if (Array.isArray(operand)) {
    const members = operand.map((member) => operandOf(member, scope));
    return (run) => members.map((member) => member(run));
  }
  const path = readPath(operand, ["trait"]);
  if (typeof path !== "string") return () => operand;
  const slot = scope.fact("traits", path);
  return (run) => run.facts[slot];
}

const isConstant = (operand: unknown): boolean =>
  Array.isArray(operand) ? operand.every(isConstant) : typeof operand !== "object" || operand === null;

/** The date lies in the last `duration`: it enters at its own instant and leaves `duration` later. */
function within(duration: unknown): Node {
  const length = durationMs(duration);
  return (run, value) => {
    const from = instantOf(value);
    const to = from + length;
    run.until = run.now < from && from < to ? from : from <= run.now && run.now < to ? to : Infinity;
    return run.until === to ? 1 : 0;
  };
}

function testOf(operator: string, operand: never, scope: Scope): Node {
  if (operator === "within") return within(operand);
  if (operator === "any") return combineElements(testsOf(operand, scope), 1);
  if (operator === "all") return combineElements(testsOf(operand, scope), 0);
  if (!Object.hasOwn(CHECKS, operator)) return unknown;
  const make = CHECKS[operator]!;
  if (isConstant(operand)) {
    const check = make(operand);
    return (run, value) => {
      run.until = Infinity;
      return +check(value) as Code;
    };
  }
  const read = operandOf(operand, scope);
  return (run, value) => {
    run.until = Infinity;
    return +make(read(run))(value) as Code;
  };
}

/** One test of all the operators in the object; the keys in `except` belong to the leaf itself. */
export function testsOf(operators: Operators, scope: Scope, except = ""): Node {
  const own = except.split(" ");
  return combine(
    Object.entries(operators)
      .filter(([operator]) => !own.includes(operator))
      .map(([operator, operand]) => testOf(operator, operand as never, scope)),
    0,
  );
}
