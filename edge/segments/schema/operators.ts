/** Operators as zod schemas. */
import * as z from "zod";
import { duration, instant, number, operand, ordered, text } from "./words.ts";

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

/** The operators of a value, but those whose names a window also has. */
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
};
export const dateOperators = { before: instant.optional(), after: instant.optional(), within: duration.optional() };

export const OPERATORS = [...Object.keys(valueOperators), ...Object.keys(dateOperators)];
export const hasOne = (keys: readonly string[]) => (value: object) => keys.some((key) => Object.hasOwn(value, key));
export const ONE_OPERATOR = `at least one operator: ${OPERATORS.join(", ")}`;
export const NUMBER_OPERATORS = Object.keys(numberOperators);
export const ONE_NUMBER_OPERATOR = `at least one operator: ${NUMBER_OPERATORS.join(", ")}`;

export const operators: z.ZodType = z
  .strictObject({ ...valueOperators, ...dateOperators })
  .refine(hasOne(OPERATORS), ONE_OPERATOR)
  .meta({ id: "Operators" });
export const numbers = z.strictObject(numberOperators).refine(hasOne(NUMBER_OPERATORS), ONE_NUMBER_OPERATOR);
