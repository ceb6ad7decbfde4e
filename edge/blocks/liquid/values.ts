/** Values as templates see them: own properties only, their text, what is empty. The same for both renderers. */
import { Drop, Tokenizer } from "liquidjs";
import { LimitError } from "./limits.ts";

const literal = (name: string) => (new Tokenizer(name).readValue() as unknown as { content: unknown }).content;
/** What liquidjs makes of these words. */
export const NIL = literal("nil");
export const EMPTY = literal("empty");
export const BLANK = literal("blank");

/** Characters. */
const LONGEST = 1_000_000;
/** As many are one thing, where they are looked at and not copied. */
export const CHARACTERS = 20;
const LOOP_FIELDS = new Set(
  "index index0 rindex rindex0 first last length name row col col0 col_first col_last".split(" "),
);

/** `obj[key]`: own properties, an index from the end where it is negative, and `size`, `first`, `last`. */
export function readProperty(value: unknown, key: unknown): unknown {
  const name = toPlain(key);
  if (value === null || value === undefined) return value;
  if (value instanceof Drop) return readLoop(value, name);
  if (typeof name === "number" && Array.isArray(value)) return value[name < 0 ? value.length + name : name];
  if (typeof name !== "string" && typeof name !== "number") return undefined;
  if (Object.hasOwn(value as object, name)) return (value as { [name: string]: unknown })[name];
  if (name === "size") return sizeOf(value);
  if (name === "last") return Array.isArray(value) ? value.at(-1) : undefined;
  if (name !== "first" || typeof value !== "object") return undefined;
  return Array.isArray(value) ? value[0] : Object.entries(value)[0];
}

function readLoop(loop: object, name: unknown): unknown {
  if (typeof name !== "string" || !LOOP_FIELDS.has(name)) return undefined;
  const field = (loop as { [name: string]: unknown })[name];
  return typeof field === "function" ? field.call(loop) : field;
}

export function sizeOf(value: unknown): number | undefined {
  if (typeof value === "string" || Array.isArray(value)) return value.length;
  return typeof value === "object" && value !== null ? Object.keys(value).length : undefined;
}

/** `nil`, `empty`, `blank` and loops stand for something else where they are not compared. */
export function toPlain(value: unknown): unknown {
  return value instanceof Drop ? value.valueOf() : value;
}

export function isTruthy(value: unknown): boolean {
  const plain = toPlain(value);
  return plain !== false && plain !== null && plain !== undefined;
}

/** How every value reaches a text. Objects print as JSON, so that a slip shows as such. */
export function toText(run: Budget, value: unknown): string {
  const text = typeof value === "string" ? value : write(run, value);
  run.use(text.length);
  return text;
}

function write(run: Budget, value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "object") return String(value);
  if (value instanceof Drop) return write(run, value.valueOf());
  weigh(run, value);
  return Array.isArray(value) ? value.map((item) => write(run, item)).join("") : JSON.stringify(value);
}

/** What is spent is counted here. */
export interface Budget {
  use(count: number): void;
}

/** What a filter is given. */
export function take(run: Budget, value: unknown): unknown {
  if (typeof value === "object" && value !== null) weigh(run, value);
  return value;
}

/**
 * Spends as much as there are things in it, before something is made of all of them: what is shared inside grows with each place in
 * which it stands.
 *
 * @throws Error when it is too much, or when the text would be
 */
export function weigh(run: Budget, value: unknown): void {
  let characters = 0;
  visit(value);
  run.use(characters / CHARACTERS);

  function visit(value: unknown): void {
    run.use(1);
    if (typeof value === "string") {
      characters += value.length;
      if (characters > LONGEST) throw new LimitError("the template makes a text that is too long");
    } else if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(visit);
  }
}

/** What a loop goes over: of an object, pairs of names and values. */
export function toItems(value: unknown): readonly unknown[] {
  const plain = toPlain(value);
  if (Array.isArray(plain)) return plain;
  if (typeof plain === "string" && plain !== "") return [plain];
  if (typeof plain === "object" && plain !== null) return Object.entries(plain);
  return [];
}

/** Further away numbers are not told from their neighbours. */
const FURTHEST = 1e15;

/** Of a range: whole numbers. */
export function toBound(value: unknown): number {
  const number = Math.trunc(Number(toPlain(value))) || 0;
  return Math.max(-FURTHEST, Math.min(number, FURTHEST));
}

export function readRange(run: Budget, low: unknown, high: unknown): number[] {
  const from = toBound(low);
  const length = Math.max(toBound(high) - from + 1, 0);
  run.use(length);
  return Array.from({ length }, (_, index) => from + index);
}

/** What is no number is 0. */
export function toNumber(value: unknown): number {
  return Number(toPlain(value)) || 0;
}
