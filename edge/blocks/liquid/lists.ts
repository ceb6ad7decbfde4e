/** Filters on lists. What is no list is one of itself; lists inside lists count as their items. */
import { equals } from "./operators.ts";
import type { Run } from "./run.ts";
import { isTruthy, readProperty, sizeOf, toPlain, toText } from "./values.ts";

export function toList(value: unknown): unknown[] {
  const plain = toPlain(value);
  if (plain === null || plain === undefined) return [];
  return Array.isArray(plain) ? plain.flat(Infinity) : [plain];
}

/** Of an item its property, or that of a property: `"name"`, `"brand.name"`. A text has the pieces that are in it. */
function readFrom(item: unknown, property: unknown): unknown {
  const name = toPlain(property);
  if (item === null || item === undefined) return undefined;
  if (typeof item === "string") return item.includes(String(name)) ? name : undefined;
  if (typeof item !== "object") throw new Error(`a property is asked of ${String(item)}, which is no object`);
  if (typeof name !== "string" || Object.hasOwn(item, name)) return readProperty(item, name);
  return name.split(".").reduce(readProperty, item);
}

/** True of items whose property is that, or is true where nothing is said. */
function isWanted(run: Run, item: unknown, property: unknown, wanted: unknown): boolean {
  const value = readFrom(item, property);
  const plain = toPlain(wanted);
  return plain === null || plain === undefined ? isTruthy(value) : equals(run, value, wanted);
}

export function where(run: Run, value: unknown, property: unknown, wanted?: unknown): unknown[] {
  return toList(value).filter((item) => isWanted(run, item, property, wanted));
}

export function reject(run: Run, value: unknown, property: unknown, wanted?: unknown): unknown[] {
  return toList(value).filter((item) => !isWanted(run, item, property, wanted));
}

export function has(run: Run, value: unknown, property: unknown, wanted?: unknown): boolean {
  return toList(value).some((item) => isWanted(run, item, property, wanted));
}

export function find(run: Run, value: unknown, property: unknown, wanted?: unknown): unknown {
  return toList(value).find((item) => isWanted(run, item, property, wanted));
}

export function findIndex(run: Run, value: unknown, property: unknown, wanted?: unknown): number | undefined {
  const index = toList(value).findIndex((item) => isWanted(run, item, property, wanted));
  return index < 0 ? undefined : index;
}

export function map(_run: Run, value: unknown, property: unknown): unknown[] {
  return toList(value).map((item) => readFrom(item, property));
}

export function sum(_run: Run, value: unknown, property?: unknown): number {
  return toList(value).reduce((total: number, item) => {
    const number = Number(isAbsent(property) ? item : readFrom(item, property));
    return total + (Number.isNaN(number) ? 0 : number);
  }, 0);
}

export function join(run: Run, value: unknown, separator?: unknown): string {
  const glue = isAbsent(separator) ? " " : toText(run, separator);
  const items = toList(value);
  run.use(glue.length * items.length);
  return items.map((item) => toText(run, item)).join(glue);
}

export function reverse(_run: Run, value: unknown): unknown[] {
  return toList(value).reverse();
}

export function compact(_run: Run, value: unknown, property?: unknown): unknown[] {
  return toList(value).filter((item) => !isAbsent(isAbsent(property) ? item : readFrom(item, property)));
}

export function concat(_run: Run, value: unknown, more: unknown): unknown[] {
  const plain = toPlain(more);
  if (!Array.isArray(plain)) throw new Error("concat takes a list");
  return [...toList(value), ...plain];
}

/** Objects that say the same are the same. */
export function uniq(_run: Run, value: unknown, property?: unknown): unknown[] {
  const seen = new Set<unknown>();
  return toList(value).filter((item) => {
    const own = isAbsent(property) ? item : readFrom(item, property);
    const key = typeof own === "object" && own !== null ? JSON.stringify(own) : own;
    return !seen.has(key) && seen.add(key);
  });
}

export function sort(_run: Run, value: unknown, property?: unknown): unknown[] {
  return sortBy(value, property, (key) => key);
}

export function sortNatural(_run: Run, value: unknown, property?: unknown): unknown[] {
  return sortBy(value, property, (key) => (typeof key === "object" ? JSON.stringify(key) : String(key)).toLowerCase());
}

/** What is absent comes last. */
function sortBy(value: unknown, property: unknown, toKey: (value: unknown) => unknown): unknown[] {
  const keyed = toList(value).map((item) => {
    const own = isAbsent(property) ? item : readFrom(item, property);
    return { item, key: isAbsent(own) ? undefined : toKey(own) };
  });
  return keyed.sort((left, right) => compareKeys(left.key, right.key)).map(({ item }) => item);
}

function compareKeys(left: unknown, right: unknown): number {
  if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined);
  if (typeof left !== typeof right || typeof left === "object") throw new Error("what is sorted cannot be compared");
  if (left === right) return 0;
  return (left as number) < (right as number) ? -1 : 1;
}

export function groupBy(_run: Run, value: unknown, property: unknown): unknown[] {
  const groups = new Map<unknown, unknown[]>();
  for (const item of toList(value)) {
    const name = readFrom(item, property);
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return [...groups].map(([name, items]) => ({ name, items }));
}

export function first(_run: Run, value: unknown): unknown {
  const plain = toPlain(value);
  return typeof plain === "string" ? plain.at(0) : readProperty(plain, "first");
}

export function last(_run: Run, value: unknown): unknown {
  const plain = toPlain(value);
  return typeof plain === "string" ? plain.at(-1) : readProperty(plain, "last");
}

export function size(_run: Run, value: unknown): number {
  return sizeOf(toPlain(value)) ?? 0;
}

/** Of a list items, of anything else characters of its text. */
export function slice(run: Run, value: unknown, begin: unknown, length?: unknown): unknown {
  const plain = toPlain(value);
  if (plain === null || plain === undefined) return "";
  const items = Array.isArray(plain) ? plain : [...toText(run, plain)];
  const from = toInteger(begin);
  const count = length === undefined ? 1 : toInteger(length);
  const start = from < 0 ? items.length + from : from;
  const part = start < 0 || count < 0 ? [] : items.slice(start, start + count);
  return Array.isArray(plain) ? part : part.join("");
}

function toInteger(value: unknown): number {
  const plain = toPlain(value);
  const number = typeof plain === "string" && /^-?\d+$/.test(plain) ? Number(plain) : plain;
  if (!Number.isInteger(number)) throw new Error("slice takes whole numbers");
  return number as number;
}

function isAbsent(value: unknown): boolean {
  const plain = toPlain(value);
  return plain === null || plain === undefined;
}
