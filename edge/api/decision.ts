/** A decision as the API answers it. */
import * as z from "zod";
import { type Decision, REASONS } from "../../shared/decision.ts";
import { IsoSchema, toIsoOrNull } from "./schemas.ts";

export const DecisionSchema = z
  .object({
    id: z.string(),
    slot: z.string(),
    block: z.string().nullable(),
    variant: z.string().nullable(),
    reason: z.enum(REASONS),
    until: IsoSchema.nullable(),
  })
  .openapi("Decision");

export function toDecision(decision: Decision): z.infer<typeof DecisionSchema> {
  return { ...decision, until: toIsoOrNull(decision.until) };
}
