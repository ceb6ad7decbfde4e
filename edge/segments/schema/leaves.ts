/** Each kind of leaf as a zod schema. */
import * as z from "zod";
import { instantOf } from "../../../shared/engine/dates.ts";
import { durationMs } from "../../../shared/engine/value.ts";
import { isZone } from "../../../shared/engine/zone.ts";
import { EVENT_TYPES } from "../../../shared/event.ts";
import { NAME_LENGTH } from "../../../shared/limits.ts";
import {
  factOperators,
  hasOne,
  NUMBER_OPERATORS,
  numberOperators,
  numbers,
  ONE_NUMBER_OPERATOR,
  ONE_OPERATOR,
  OPERATORS,
  valueOperators,
} from "./operators.ts";
import { delay, duration, isoInstant, name, ownTrait, path, signedDuration } from "./words.ts";

const selectorKeys = {
  event: name.optional(),
  type: z.enum(EVENT_TYPES).optional(),
  where: factOperators.where,
};
const windowKeys = {
  within: duration.optional(),
  between: z.tuple([delay, duration]).optional(),
  after: isoInstant.optional(),
  before: isoInstant.optional(),
};
const NAMED = "an event name, a type, or both";
const selector = z.strictObject(selectorKeys).refine(hasOne(["event", "type"]), NAMED);

const AGGREGATES = ["sum", "avg", "min", "max", "distinct", "first", "last"] as const;
const windowMakesSense = ({ within, between, after, before }: { [key: string]: unknown }) =>
  !(within !== undefined && between !== undefined) &&
  !(Array.isArray(between) && durationMs(between[0]) >= durationMs(between[1])) &&
  !(instantOf(after) >= instantOf(before));
const WINDOW = "within or between, not both; between goes from the nearer to the farther; after lies before before";

/** Kind of leaf → its schema. */
export const LEAVES = {
  trait: z.strictObject({ trait: path, ...valueOperators, ...factOperators }).refine(hasOne(OPERATORS), ONE_OPERATOR),
  context: z
    .strictObject({ context: path, ...valueOperators, ...factOperators })
    .refine(hasOne(OPERATORS), ONE_OPERATOR),
  segment: z.strictObject({ segment: name }),
  sample: z.strictObject({
    sample: z
      .strictObject({ seed: z.string().max(NAME_LENGTH), from: z.number().min(0).max(1), to: z.number().min(0).max(1) })
      .refine(({ from, to }) => from < to, "from is below to"),
  }),
  time: z.strictObject({
    time: z
      .strictObject({
        weekday: z
          .array(z.enum(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]))
          .min(1)
          .optional(),
        from: z
          .string()
          .regex(/^([01]\d|2[0-3]):[0-5]\d$/, "a time of day is 00:00 to 23:59")
          .optional(),
        to: z
          .string()
          .regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, "a time of day is 00:00 to 24:00")
          .optional(),
        zone: z
          .string()
          .refine(
            (zone) => zone === "visitor" || zone === "site" || isZone(zone),
            "visitor, site, or an IANA zone such as Europe/Lisbon",
          )
          .optional(),
      })
      .refine(hasOne(["weekday", "from", "to"]), "at least one of weekday, from, to"),
  }),
  date: z.strictObject({ date: ownTrait, anniversary: z.boolean().optional(), within: signedDuration }),
  sequence: z.strictObject({
    sequence: z.array(selector).min(2).max(10),
    gap: duration.optional(),
    within: duration.optional(),
  }),
  ratio: z
    .strictObject({
      ratio: z.tuple([selector, selector]),
      min: z.number().int().min(0).optional(),
      ...windowKeys,
      ...numberOperators,
    })
    .refine(windowMakesSense, WINDOW)
    .refine(hasOne(NUMBER_OPERATORS), ONE_NUMBER_OPERATOR),
  unless: z
    .strictObject({
      ...selectorKeys,
      unless: z
        .strictObject({ ...selectorKeys, same: z.array(path).min(1).max(10).optional() })
        .refine(hasOne(["event", "type"]), NAMED),
      after: delay,
      within: duration.optional(),
    })
    .refine(hasOne(["event", "type"]), NAMED)
    .refine(
      ({ after, within }) => within === undefined || durationMs(after) < durationMs(within),
      "after is shorter than within",
    ),
  event: z
    .strictObject({
      ...selectorKeys,
      ...windowKeys,
      ...valueOperators,
      count: numbers.optional(),
      days: numbers.optional(),
      recency: z
        .strictObject({ gt: delay.optional(), gte: delay.optional(), lt: delay.optional(), lte: delay.optional() })
        .refine(hasOne(["gt", "gte", "lt", "lte"]), "at least one of gt, gte, lt, lte")
        .optional(),
      ...Object.fromEntries(AGGREGATES.map((key) => [key, path.optional()])),
    })
    .refine(hasOne(["event", "type"]), NAMED)
    .refine(windowMakesSense, WINDOW)
    .refine(
      (leaf) => ["count", "days", "recency", ...AGGREGATES].filter((key) => Object.hasOwn(leaf, key)).length <= 1,
      `one of count, days, recency, ${AGGREGATES.join(", ")}; put several into all`,
    )
    .refine(
      (leaf) => hasOne(AGGREGATES)(leaf) === hasOne(Object.keys(valueOperators))(leaf),
      `operators go with ${AGGREGATES.join(", ")}, and only there; a number of events is count`,
    ),
};
