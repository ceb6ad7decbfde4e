/** Conditions as they come in: any JSON object to zod, checked whole by the language's own schema. */
import * as z from "zod";
import type { Condition } from "../../shared/condition.ts";
import { Problem } from "../problem.ts";
import { checkCondition } from "../segments/schema.ts";

export const CONDITION_EXAMPLE = {
  event: "Product Viewed",
  where: { category: { eq: "shoes" } },
  within: "24h",
  count: { gte: 2 },
};

export const ConditionSchema = z.record(z.string(), z.unknown()).openapi("Condition", {
  description: "A rule of the condition language.",
  example: CONDITION_EXAMPLE,
});

/** @throws Problem `invalid-condition` with a JSON Pointer for each thing that is wrong. */
export function parseCondition(value: unknown, pointer: string): Condition {
  const checked = checkCondition(value, pointer);
  if (checked.condition) return checked.condition;
  throw new Problem("invalid-condition", checked.errors[0]?.detail, { errors: checked.errors });
}
