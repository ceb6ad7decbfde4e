/** The smallest parts of the condition language as zod schemas: names, paths, operands, durations. */
import * as z from "zod";
import { instantOf } from "../../../shared/engine/dates.ts";
import { durationMs } from "../../../shared/engine/value.ts";
import { NAME_LENGTH, WINDOW_DAYS } from "../../../shared/limits.ts";

const DAY_MS = 86_400_000;

const OWN = `the person's own {"trait": "…"}`;
const ISO = "an ISO date such as 2026-11-27 or 2026-11-27T18:00:00Z";

export const name = z.string().min(1).max(NAME_LENGTH);
export const path = z
  .string()
  .max(NAME_LENGTH)
  .regex(/^[^.]+(\.[^.]+)*$/, "a path is names with dots between them, such as address.country");
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
export const ownTrait = z.strictObject({ trait: path });
export const operand = z.union([scalar, ownTrait], { error: `text, a number, true, false, null, or ${OWN}` });
export const isoInstant = z.string().refine((text) => !Number.isNaN(instantOf(text)), ISO);
/** What has an order. */
export const ordered = z.union([z.number(), isoInstant, ownTrait], { error: `a number, ${ISO}, or ${OWN}` });
export const instant = z.union([isoInstant, ownTrait], { error: `${ISO}, or ${OWN}` });
export const text = z.union([z.string(), ownTrait], { error: `text, or ${OWN}` });
export const version = z.union([z.string().min(1), ownTrait], { error: `a version such as "2.1.0", or ${OWN}` });
const jsonType = z.enum(["string", "number", "boolean", "null", "array", "object"]);
export const jsonTypes = z.union([jsonType, z.array(jsonType).min(1)], {
  error: `one of ${jsonType.options.join(", ")}, or a list of them; to compare with a value there is "eq"`,
});

const DURATION = "a duration is a whole number and s, m, h, d or w, such as 90s, 48h or 30d";
/** Of at least `least` milliseconds and not too long. */
const isDuration = (text: string, least: number) => {
  const length = Math.abs(durationMs(text));
  return length >= least && length <= WINDOW_DAYS * DAY_MS;
};
const TOO_LONG = `at most ${WINDOW_DAYS} days`;
export const duration = z
  .string()
  .regex(/^\d+[smhdw]$/, DURATION)
  .refine((text) => isDuration(text, 1), `a window is longer than nothing and ${TOO_LONG}`);
/** One that may be nothing. */
export const delay = z
  .string()
  .regex(/^\d+[smhdw]$/, DURATION)
  .refine((text) => isDuration(text, 0), TOO_LONG);
export const signedDuration = z
  .string()
  .regex(/^-?\d+[smhdw]$/, `${DURATION}; a leading - looks back`)
  .refine((text) => isDuration(text, 1), `a window is longer than nothing and ${TOO_LONG}`);

export const number = z.union([z.number(), ownTrait], { error: `a number, or ${OWN}` });
