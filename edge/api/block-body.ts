/** What authors write of a block, as it comes in and as it is read back: the same fields in the same words. */
import * as z from "zod";
import type { Card } from "../../shared/card.ts";
import type { Condition } from "../../shared/condition.ts";
import { HISTORY_EVENTS, TEMPLATE_BYTES, WINDOW_DAYS } from "../../shared/limits.ts";
import { asWritten } from "../blocks/mjml.ts";
import type { BlockBody, LiveSchedule } from "../db/blocks.ts";
import { boundsOf } from "../manifest/slot.ts";
import { duration } from "../segments/schema/words.ts";
import { CardSchema } from "./card.ts";
import { ConditionSchema } from "./condition.ts";
import { IsoSchema, KeySchema, NameSchema, toIso } from "./schemas.ts";

const VARIANTS = 50;
const LINK_LENGTH = 2_000;
const PRIORITY = 1_000;

const TemplateSchema = z
  .string()
  .max(TEMPLATE_BYTES)
  .openapi({
    description: `Liquid over HTML, or over MJML where that is the format; at most ${TEMPLATE_BYTES} bytes.`,
    example: "Hi {{ customer.name | default: 'you' }}",
  });

const LinkSchema = z.string().max(LINK_LENGTH).openapi({
  description:
    "Where a click in an e-mail leads: Liquid that makes an https URL. It begins with https:// and a host, or with a value; nothing of `customer` or `segment` may stand in it.",
  example: "https://shop.example/p/{{ cart.items[0].product_id }}",
});

const WallSchema = z
  .string()
  .regex(/^2[01]\d\d-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/, {
    error: "A local time is YYYY-MM-DDTHH:MM, such as 2026-12-01T00:00, without a zone: it is the site's.",
    abort: true,
  })
  .refine(isOnCalendar, "There is no such day or time.")
  .openapi({ example: "2026-12-01T00:00" });

const ScheduleSchema = z
  .strictObject({
    from: WallSchema.nullable().default(null).openapi({ description: "It is on from then; null: from the start." }),
    to: WallSchema.nullable().default(null).openapi({ description: "It is off from then; null: never." }),
  })
  .openapi("Schedule", {
    description: "Local times of the site's zone, whatever its clocks do: midnight stays midnight.",
  });

const CapSchema = z.strictObject({ times: z.int().min(1).max(HISTORY_EVENTS), within: duration }).openapi("Cap", {
  description: `At most so many exposures for one person within a time (a whole number and s, m, h, d or w; at most ${WINDOW_DAYS}d); then
the next block of the slot has its turn. Half of it seen for a second is an exposure.`,
  example: { times: 3, within: "7d" },
});

/** `nullable` would write the schema out where it stands, without what is said of it. */
function orNull<T extends z.ZodType>(schema: T) {
  return z.union([schema, z.null()]);
}

const FORMATS = ["html", "mjml"] as const;

/** Of a block that is created, replaced, read; a replacement resets what it leaves out. */
export const BlockBodyShape = {
  name: NameSchema.nullable().default(null).openapi({ description: "For people; null: none.", example: "Summer sale" }),
  slot: KeySchema.openapi({
    description: "The place it fills: <attune-block name>. A slot may have several blocks: see priority.",
    example: "hero",
  }),
  variants: z
    .array(
      z
        .strictObject({
          key: KeySchema,
          audience: ConditionSchema.nullable().default(null).openapi({ description: "Null: everyone." }),
          template: TemplateSchema,
          link: LinkSchema.nullable().default(null),
          image: orNull(CardSchema).default(null).openapi({
            description: "What an e-mail shows of it as an image, drawn when it is opened.",
          }),
        })
        .openapi("Variant"),
    )
    .max(VARIANTS)
    .openapi({ description: "In order: the first whose audience is true wins." }),
  fallback: TemplateSchema.nullable().default(null).openapi({
    description: "For whom no block of the slot has a variant. Null: the page's own content stays.",
  }),
  format: z.enum(FORMATS).default("html").openapi({
    description:
      "Of the templates. MJML, a document or components of one, is compiled when it is saved, by the second Worker. It is read back as it was written.",
  }),
  schedule: orNull(ScheduleSchema).default(null).openapi({ description: "Null: always." }),
  priority: z.int().min(-PRIORITY).max(PRIORITY).default(0).openapi({
    description:
      "Blocks of a slot are asked one after the other, the largest first, equal ones by key; the first that has a variant for somebody is shown.",
  }),
  cap: orNull(CapSchema).default(null).openapi({ description: "Null: as often as it is asked for." }),
  safeIfStale: z.boolean().default(true).openapi({
    description: "An e-mail goes on showing what was decided when it was first opened, whatever has changed since.",
  }),
};

const BodySchema = z.object(BlockBodyShape);

/** A block as it is written. */
export type BlockInput = Omit<z.output<typeof BodySchema>, "slot">;

export const LiveSchema = z
  .object({
    version: z.number().int(),
    from: IsoSchema.nullable(),
    to: IsoSchema.nullable().openapi({ description: "Not then any more." }),
    state: z.enum(["waiting", "on", "over"]).openapi({ description: "Of its schedule, now." }),
  })
  .openapi("LiveBlock", { description: "What is live of it, and when." });

export const NullableLiveSchema = orNull(LiveSchema);

/** As it was written: `slot` and all other fields of a body. */
export function toBodyAnswer(block: BlockBody & { slot: string }): z.output<typeof BodySchema> {
  const { name, slot, variants, fallback, mjml, schedule, priority, cap, safeIfStale } = asWritten(block);
  return {
    ...{ name: name ?? null, slot },
    variants: variants.map(({ key, audience, template, link, image }) => ({
      ...{ key, audience: audience as { [key: string]: unknown } | null, template },
      ...{ link: link ?? null, image: image ?? null },
    })),
    ...{ fallback, format: mjml ? "mjml" : "html" },
    schedule: schedule ? { from: schedule.from ?? null, to: schedule.to ?? null } : null,
    ...{ priority: priority ?? 0, cap: cap ?? null, safeIfStale: safeIfStale ?? true },
  };
}

/** @param now epoch milliseconds */
export function toLive({ version, schedule }: LiveSchedule, timeZone: string, now: number): z.infer<typeof LiveSchema> {
  const { from, to } = boundsOf(schedule, timeZone);
  return {
    version,
    from: from === -Infinity ? null : toIso(from),
    to: to === Infinity ? null : toIso(to),
    state: now >= to ? "over" : now < from ? "waiting" : "on",
  };
}

/** What is kept of it: nothing of what is as it is by default. Templates are still to be compiled. */
export function toBody({ variants, ...input }: BlockInput, audiences: readonly (Condition | null)[]): BlockBody {
  const { name, fallback, schedule, priority, cap, safeIfStale } = input;
  const { from, to } = schedule ?? {};
  return {
    ...(name !== null && { name }),
    variants: variants.map(({ key, template, link, image }, index) => ({
      ...{ key, audience: audiences[index]!, template },
      ...(link !== null && { link }),
      // Of JSON, where nothing is undefined.
      ...(image !== null && { image: image as Card }),
    })),
    fallback,
    ...((from || to) && { schedule: { ...(from && { from }), ...(to && { to }) } }),
    ...(priority !== 0 && { priority }),
    ...(cap !== null && { cap }),
    ...(!safeIfStale && { safeIfStale }),
  };
}

function isOnCalendar(wall: string): boolean {
  const at = Date.parse(`${wall}Z`);
  return !Number.isNaN(at) && toIso(at).startsWith(wall);
}
