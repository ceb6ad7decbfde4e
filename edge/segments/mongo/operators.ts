/**
 * Each operator of GrowthBook as a formula with exactly its meaning, for every JSON value. Where ours differ it is by what they
 * coerce, and views make up for it:
 *
 * | GrowthBook                                   | here                                                                        |
 * | -------------------------------------------- | --------------------------------------------------------------------------- |
 * | `"x"`, a text alone: `value + ""` equals it  | `text: {eq}`; `5` is `"5"`, `["x"]` is `"x"`                                |
 * | `5`, a number alone: `value * 1` equals it   | `number: {eq}`; `"5"`, `[5]`; of 0 also null, `""`, `false`, `[]`           |
 * | `true` / `false`: the value is truthy or not | none of, or one of, `false 0 ""`; null and missing are neither              |
 * | `null`                                       | null or missing                                                             |
 * | `[…]`: the same JSON                         | `size` and `where` each element                                             |
 * | `$eq $ne` strict                             | `eq ne`                                                                     |
 * | `$gt $gte $lt $lte`, a number                | `number`                                                                    |
 * | `$gt $gte $lt $lte`, a text                  | `text` of texts, lists and objects, in code units; `number` of all else     |
 * | `$in $nin`, `$inGroup $notInGroup`           | `in` of the value, or of some element                                       |
 * | `$ini $nini`                                 | the same in `lower` for texts                                               |
 * | `$all $alli`                                 | some element for each; ignoring case by `text: {lower}`                     |
 * | `$elemMatch`                                 | `any` with an element that is not null; `where` for what is in it           |
 * | `$size`                                      | `size`                                                                      |
 * | `$exists`                                    | null is missing                                                             |
 * | `$type`                                      | `isA`                                                                       |
 * | `$regex $regexi`, a search in `String(value)` | the texts that it looks for, in `text`                                     |
 * | `$veq $vne $vgt $vgte $vlt $vlte`            | `version`; what is no version is `"0"`                                      |
 */
import type { JsonType, NumberOperators, Operators } from "../../../shared/condition.ts";
import { CONDITION_NODES } from "../../../shared/limits.ts";
import { type Formula, holds, toOperators } from "./formula.ts";
import { readPattern } from "./pattern.ts";
import type { Refusal } from "./refusals.ts";

/** What an operator may ask for while it is read. */
export interface Reader {
  /** Notes an error; the formula is of no use. */
  refuse(pointer: string, code: Refusal): Formula;
  /** What is asked of a value: by a constant, or by operators. */
  readValue(asked: unknown, pointer: string): Formula;
  /** What is asked of an object: by attributes, `$and` and the like. */
  readCondition(asked: unknown, pointer: string): Formula;
  /** The values of a saved group, or why they are not to be had. */
  valuesOf(group: unknown): unknown[] | Refusal;
}

type Operator = (operand: unknown, pointer: string, reader: Reader) => Formula;

const not = (formula: Formula): Formula => ({ not: formula });
const isScalar = (value: unknown) =>
  value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
const isScalars = (value: unknown): value is (string | number | boolean | null)[] =>
  Array.isArray(value) && value.every(isScalar);

/** An object that has operators and nothing else. */
export function isOperators(value: unknown): value is { [operator: string]: unknown } {
  const keys = typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
  return keys.length > 0 && keys.every((key) => key.startsWith("$"));
}

const equals =
  (operator: "eq" | "ne"): Operator =>
  (operand, pointer, reader) =>
    isScalar(operand) ? { is: { [operator]: operand } } : reader.refuse(pointer, "operand");

const TEXTUAL: JsonType[] = ["string", "array", "object"];
const NUMERIC: JsonType[] = ["number", "boolean", "null"];

const orders =
  (operator: "gt" | "gte" | "lt" | "lte"): Operator =>
  (operand, pointer, reader) => {
    if (Number.isFinite(operand)) return { is: { number: { [operator]: operand } } };
    const number = typeof operand === "string" ? Number(operand) : Infinity;
    if (Math.abs(number) === Infinity) return reader.refuse(pointer, "operand");
    const texts: Formula = { is: { isA: TEXTUAL, text: { [operator]: operand } } };
    if (Number.isNaN(number)) return texts;
    return { any: [texts, { is: { isA: NUMERIC, number: { [operator]: number } } }] };
  };

const OPPOSITES = { eq: "ne", ne: "eq", gt: "lte", gte: "lt", lt: "gte", lte: "gt" } as const;

/** What is no version satisfies no operator here, so that the opposite, not satisfied, is said where "0" has to satisfy it. */
const compares =
  (operator: keyof typeof OPPOSITES): Operator =>
  (operand, pointer, reader) => {
    const version = typeof operand === "number" ? `${operand}` : operand;
    if (typeof version !== "string" || version === "") return reader.refuse(pointer, "operand");
    const say = (operator: keyof typeof OPPOSITES): Operators => ({ version: { [operator]: version } });
    return holds(say(operator), { x: "0" }) ? not({ is: say(OPPOSITES[operator]) }) : { is: say(operator) };
  };

/** The value, or some element of it, is among the list. */
const isAmong: Operator = (operand, pointer, reader) =>
  isScalars(operand)
    ? { any: [{ is: { in: operand } }, { is: { any: { in: operand } } }] }
    : reader.refuse(pointer, "operand");

const isAmongCaseless: Operator = (operand, pointer, reader) => {
  if (!isScalars(operand)) return reader.refuse(pointer, "operand");
  const texts = operand.filter((value) => typeof value === "string").map((text) => text.toLowerCase());
  const others = operand.filter((value) => typeof value !== "string");
  const ways: Operators[] = [];
  if (texts.length) ways.push({ lower: { in: texts } });
  if (others.length || !texts.length) ways.push({ in: others });
  return { any: ways.flatMap((is): Formula[] => [{ is }, { is: { any: is } }]) };
};

const isInGroup: Operator = (operand, pointer, reader) => {
  const values = reader.valuesOf(operand);
  return Array.isArray(values) ? isAmong(values, pointer, reader) : reader.refuse(pointer, values);
};

const hasElement: Operator = (operand, pointer, reader) => {
  const asked = isOperators(operand) ? reader.readValue(operand, pointer) : reader.readCondition(operand, pointer);
  const isThere = (is: Operators) => (holds(is, { x: null }) ? { nin: [null], ...is } : is);
  return { any: toOperators(asked).map((is) => ({ is: { any: isThere(is) } })) };
};

const hasAll =
  (ignoreCase: boolean): Operator =>
  (operand, pointer, reader) => {
    if (!Array.isArray(operand)) return reader.refuse(pointer, "operand");
    if (operand.length > CONDITION_NODES) return reader.refuse(pointer, "limit");
    const elements = operand.map((one, i): Formula => {
      const inside = `${pointer}/${i}`;
      if (ignoreCase && typeof one === "string") return { is: { any: { text: { lower: { eq: one.toLowerCase() } } } } };
      return { any: toOperators(reader.readValue(one, inside)).map((is) => ({ is: { any: is } })) };
    });
    return { all: elements.length ? elements : [{ is: { isA: "array" } }] };
  };

const NUMBER_OPERATORS = ["eq", "ne", "gt", "gte", "lt", "lte"];

const hasSize: Operator = (operand, pointer, reader) => {
  if (Number.isFinite(operand)) return { is: { size: { eq: operand as number } } };
  if (!isOperators(operand)) return reader.refuse(pointer, "operand");
  const entries = Object.entries(operand).map(([key, value]) => [key.slice(1), value] as const);
  const isKnown = entries.every(([key, value]) =>
    NUMBER_OPERATORS.includes(key)
      ? Number.isFinite(value)
      : ["in", "nin"].includes(key) && Array.isArray(value) && value.every(Number.isFinite),
  );
  return isKnown ? { is: { size: Object.fromEntries(entries) as NumberOperators } } : reader.refuse(pointer, "operand");
};

const exists: Operator = (operand) => ({ is: operand ? { ne: null } : { eq: null } });

const TYPES = [...TEXTUAL, ...NUMERIC];
const hasType: Operator = (operand, pointer, reader) =>
  TYPES.includes(operand as JsonType) ? { is: { isA: operand as JsonType } } : reader.refuse(pointer, "operand");

const matches =
  (ignoreCase: boolean): Operator =>
  (operand, pointer, reader) => {
    const texts = typeof operand === "string" ? readPattern(operand, ignoreCase) : undefined;
    if (texts) return { any: texts.map((text) => ({ is: { text } })) };
    const isPlain = typeof operand === "string" && readPattern(operand, false);
    return reader.refuse(pointer, isPlain ? "caseless" : "pattern");
  };

/** By name. */
export const OPERATORS: { readonly [operator: string]: Operator } = {
  $eq: equals("eq"),
  $ne: equals("ne"),
  $gt: orders("gt"),
  $gte: orders("gte"),
  $lt: orders("lt"),
  $lte: orders("lte"),
  $veq: compares("eq"),
  $vne: compares("ne"),
  $vgt: compares("gt"),
  $vgte: compares("gte"),
  $vlt: compares("lt"),
  $vlte: compares("lte"),
  $in: isAmong,
  $nin: (...asked) => not(isAmong(...asked)),
  $ini: isAmongCaseless,
  $nini: (...asked) => not(isAmongCaseless(...asked)),
  $inGroup: isInGroup,
  $notInGroup: (...asked) => not(isInGroup(...asked)),
  $all: hasAll(false),
  $alli: hasAll(true),
  $elemMatch: hasElement,
  $size: hasSize,
  $exists: exists,
  $type: hasType,
  $regex: matches(false),
  $regexi: matches(true),
  $not: (operand, pointer, reader) => not(reader.readValue(operand, pointer)),
};

/** What a constant in place of operators asks; undefined for an object, and a list with one in it. */
export function readConstant(value: unknown): Formula | undefined {
  if (typeof value === "string") return { is: { text: { eq: value } } };
  if (typeof value === "number" && Number.isFinite(value)) return { is: { number: { eq: value } } };
  if (value === true) return { is: { nin: [null, false, 0, ""] } };
  if (value === false) return { is: { in: [false, 0, ""] } };
  const is = sameJson(value);
  return is && { is };
}

/** Operators that hold for the same JSON and nothing else. */
function sameJson(value: unknown): Operators | undefined {
  if (isScalar(value)) return { eq: value as null };
  if (!Array.isArray(value)) return undefined;
  const elements = value.map(sameJson);
  if (!elements.every((one) => one !== undefined)) return undefined;
  return {
    size: { eq: value.length },
    ...(value.length && { where: { ...elements } as { [path: string]: Operators } }),
  };
}
