/** What operators say of values: the same for both renderers. Each costs what it looks at. */
import { BLANK, type Budget, CHARACTERS, EMPTY, isTruthy, NIL, toPlain } from "./values.ts";

export type Operator = (run: Budget, left: unknown, right: unknown) => boolean;

/** `left` alone is given to `not`. */
export const OPERATORS: { readonly [name: string]: Operator } = {
  "==": equals,
  "!=": (run, left, right) => !equals(run, left, right),
  "<>": (run, left, right) => !equals(run, left, right),
  ">": ordered((left, right) => left > right),
  "<": ordered((left, right) => left < right),
  ">=": ordered((left, right) => left >= right),
  "<=": ordered((left, right) => left <= right),
  contains,
  not: (_run, left) => !isTruthy(left),
  and: (_run, left, right) => isTruthy(left) && isTruthy(right),
  or: (_run, left, right) => isTruthy(left) || isTruthy(right),
};

export function equals(run: Budget, left: unknown, right: unknown): boolean {
  run.use(1);
  if (left === BLANK || right === BLANK) return isBlank(left === BLANK ? right : left);
  if (left === EMPTY || right === EMPTY) return isEmpty(left === EMPTY ? right : left);
  if (left === NIL || right === NIL) return isNil(left === NIL ? right : left);
  const a = toPlain(left);
  const b = toPlain(right);
  if (typeof a === "string") run.use(a.length / CHARACTERS);
  if (!Array.isArray(a)) return a === b;
  return Array.isArray(b) && a.length === b.length && a.every((item, index) => equals(run, item, b[index]));
}

function ordered(compare: (left: number | string, right: number | string) => boolean): Operator {
  return (run, left, right) => {
    run.use(1);
    return isScalar(left) && isScalar(right) && compare(left as number, right as number);
  };
}

/** Lists and objects are neither more nor less than anything. */
function isScalar(value: unknown): boolean {
  return value !== undefined && typeof value !== "object";
}

function contains(run: Budget, left: unknown, right: unknown): boolean {
  run.use(1);
  const whole = toPlain(left);
  const part = toPlain(right);
  if (Array.isArray(whole)) return whole.some((item) => equals(run, item, right));
  if (typeof whole !== "string" || !isScalar(part)) return false;
  const text = String(part);
  // The search looks at most characters more than once where both are long and alike.
  if (text.length > 1) run.use((whole.length * text.length) / 1_000);
  return whole.includes(text);
}

function isEmpty(value: unknown): boolean {
  if (value === EMPTY || value === BLANK) return false;
  const plain = toPlain(value);
  if (typeof plain === "string" || Array.isArray(plain)) return plain.length === 0;
  return typeof plain === "object" && plain !== null && Object.keys(plain).length === 0;
}

function isNil(value: unknown): boolean {
  const plain = toPlain(value);
  return plain === null || plain === undefined;
}

function isBlank(value: unknown): boolean {
  const plain = toPlain(value);
  if (plain === false || isNil(plain)) return true;
  return typeof plain === "string" && value !== EMPTY && value !== BLANK ? plain.trim() === "" : isEmpty(value);
}
