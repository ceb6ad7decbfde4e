/** The trace of a rule as the API answers it. */
import * as z from "zod";
import type { Why } from "../../shared/engine/types.ts";
import { toIso, toIsoOrNull } from "./schemas.ts";

export const WhySchema = z.record(z.string(), z.unknown()).openapi("Why", {
  description:
    "The trace: value, until, says, pointer; what was found: actual, required, missing, unknown (reason and what); of a group which children decide it; segment: key of the rule that pointer leads into; completeAfter: older events are not looked at and could make another answer; children.",
});

/** As HTTP writes times. */
export function toWhy({ until, completeAfter, children, ...node }: Why): z.infer<typeof WhySchema> {
  return {
    ...node,
    until: toIsoOrNull(until),
    ...(completeAfter !== undefined && { completeAfter: toIso(completeAfter) }),
    ...(children && { children: children.map(toWhy) }),
  };
}
