/** Operators as zod schemas. */
import * as z from "zod";
import { duration, instant, jsonTypes, number, operand, ordered, path, text, version } from "./words.ts";

export const numberOperators = {
  eq: number.optional(),
  ne: number.optional(),
  in: z.array(number).optional(),
  nin: z.array(number).optional(),
  gt: number.optional(),
  gte: number.optional(),
  lt: number.optional(),
  lte: number.optional(),
};

export const hasOne = (keys: readonly string[]) => (value: object) => keys.some((key) => Object.hasOwn(value, key));

export const NUMBER_OPERATORS = Object.keys(numberOperators);
export const ONE_NUMBER_OPERATOR = `at least one operator: ${NUMBER_OPERATORS.join(", ")}`;
export const numbers = z.strictObject(numberOperators).refine(hasOne(NUMBER_OPERATORS), ONE_NUMBER_OPERATOR);

const textOperators = {
  eq: text.optional(),
  ne: text.optional(),
  in: z.array(text).optional(),
  nin: z.array(text).optional(),
  gt: text.optional(),
  gte: text.optional(),
  lt: text.optional(),
  lte: text.optional(),
  contains: text.optional(),
  startsWith: text.optional(),
  endsWith: text.optional(),
  like: z.string().optional(),
  lower: z.lazy(() => texts).optional(),
};
const TEXT_OPERATORS = Object.keys(textOperators);
const texts: z.ZodType = z
  .strictObject(textOperators)
  .refine(hasOne(TEXT_OPERATORS), `at least one operator: ${TEXT_OPERATORS.join(", ")}`)
  .meta({ id: "TextOperators" });

const versionOperators = {
  eq: version.optional(),
  ne: version.optional(),
  gt: version.optional(),
  gte: version.optional(),
  lt: version.optional(),
  lte: version.optional(),
};
const VERSION_OPERATORS = Object.keys(versionOperators);
const versions = z
  .strictObject(versionOperators)
  .refine(hasOne(VERSION_OPERATORS), `at least one operator: ${VERSION_OPERATORS.join(", ")}`);

/** The operators of a value, but those whose names say in a leaf of events which of them. */
export const valueOperators = {
  eq: operand.optional(),
  ne: operand.optional(),
  in: z.array(operand).optional(),
  nin: z.array(operand).optional(),
  gt: ordered.optional(),
  gte: ordered.optional(),
  lt: ordered.optional(),
  lte: ordered.optional(),
  exists: z.boolean().optional(),
  contains: operand.optional(),
  startsWith: text.optional(),
  endsWith: text.optional(),
  like: z.string().optional(),
  any: z.lazy(() => operators).optional(),
  all: z.lazy(() => operators).optional(),
  none: z
    .array(z.lazy(() => operators))
    .min(1)
    .optional(),
  isA: jsonTypes.optional(),
  size: numbers.optional(),
  number: numbers.optional(),
  text: texts.optional(),
  lower: texts.optional(),
  version: versions.optional(),
};
/** Those. */
export const factOperators = {
  before: instant.optional(),
  after: instant.optional(),
  within: duration.optional(),
  where: z
    .record(
      path,
      z.lazy(() => operators),
    )
    .optional(),
};

export const OPERATORS = [...Object.keys(valueOperators), ...Object.keys(factOperators)];
export const ONE_OPERATOR = `at least one operator: ${OPERATORS.join(", ")}`;

export const operators: z.ZodType = z
  .strictObject({ ...valueOperators, ...factOperators })
  .refine(hasOne(OPERATORS), ONE_OPERATOR)
  .meta({ id: "Operators" });
