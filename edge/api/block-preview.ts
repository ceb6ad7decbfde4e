/** Blocks tried on anyone, at any time, before anybody else sees them. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { isZone } from "../../shared/engine/zone.ts";
import { NAME_LENGTH, TEMPLATE_BYTES } from "../../shared/limits.ts";
import { OUTCOMES, type VariantWhy } from "../blocks/explain.ts";
import type { Env } from "../env.ts";
import { DEVICES } from "../preview/context.ts";
import { lintPreview, paintPreview } from "../preview/image.ts";
import { type BlockPreview, previewBlock } from "../preview/preview.ts";
import { newApp, siteOf } from "./app.ts";
import { DecisionSchema, toDecision } from "./decision.ts";
import { FindingSchema } from "./lint.ts";
import { PersonShape, resolvePerson } from "./person.ts";
import { IsoSchema, json, jsonBody, KeySchema, problemResponse, toIso, toIsoOrNull } from "./schemas.ts";
import { toWhy, WhySchema } from "./why.ts";

const LOCALE_LENGTH = 35;

const BlockAskedSchema = z.strictObject({
  template: z.string().max(TEMPLATE_BYTES).optional().openapi({ description: "Liquid, rendered as it is." }),
  block: KeySchema.optional(),
  slot: KeySchema.optional().openapi({
    description:
      "All that is live in the slot, with that version of the block in its place. Left out: the block alone.",
  }),
  version: z
    .union([z.literal("draft"), z.literal("live"), z.int().min(1)])
    .default("draft")
    .openapi({ description: "Of the block: its draft, what is live, or a published version." }),
  show: z
    .strictObject({
      block: KeySchema,
      variant: KeySchema.nullable().openapi({ description: "Null: the block's fallback." }),
    })
    .optional()
    .openapi({
      description:
        "Shows this in place of what is decided, whomever it is for: its reason is `simulated`, `why` and `says` tell what is decided by itself.",
    }),
  ...PersonShape,
  device: z.enum(DEVICES).optional().openapi({
    description: "Fills context.device and context.screen as such a browser would; what context says wins.",
  }),
  locale: z
    .string()
    .min(1)
    .max(LOCALE_LENGTH)
    .optional()
    .openapi({ description: "Fills context.locale.", example: "de-DE" }),
  timeZone: z
    .string()
    .max(NAME_LENGTH)
    .refine(isZone, "This is no IANA time zone.")
    .optional()
    .openapi({ description: "The visitor's: fills context.timezone.", example: "Europe/Berlin" }),
});

/** Of what is asked, the fields that every request for a preview has. */
export const BlockAskedShape = BlockAskedSchema.shape;

/** Either a template, or a block, a slot or both. */
export const isOneThing = {
  check: ({ template, block, slot, show }: { [field in "template" | "block" | "slot" | "show"]?: unknown }) =>
    template === undefined
      ? block !== undefined || slot !== undefined
      : [block, slot, show].every((it) => it === undefined),
  message: { message: "Give either template, or block, slot or both.", path: ["template"] },
};

const BlockPreviewRequest = BlockAskedSchema.extend({
  why: z.boolean().default(true).openapi({ description: "Also answer the trace of each variant." }),
  image: z.boolean().default(false).openapi({ description: "Also paint the card of the chosen variant." }),
})
  .refine(isOneThing.check, isOneThing.message)
  .openapi("BlockPreviewRequest", {
    example: {
      block: "hero",
      slot: "hero",
      profile: { traits: { name: "Ada", plan: "pro" } },
      now: "2026-12-24T18:00:00Z",
      device: "mobile",
    },
  });

const VariantWhySchema = z
  .object({
    block: z.string(),
    variant: z.string(),
    value: z.union([z.boolean(), z.enum(["unknown", "not-asked"])]),
    until: IsoSchema.nullable(),
    reason: z.enum(OUTCOMES),
    says: z.string(),
    why: WhySchema.nullable().optional(),
  })
  .openapi("VariantWhy", {
    description: "What became of a variant, in a sentence and as a trace of its rule; why: null = it is for everyone.",
  });

const ShownSchema = {
  html: z.string().nullable().openapi({ description: "Null: the page's own content stays." }),
  decision: DecisionSchema,
  says: z.string().openapi({ description: "The decision in a sentence; instants are on the site's clock." }),
};

const FormsSchema = {
  text: z.string().nullable().optional().openapi({ description: "As an e-mail without HTML would show it." }),
  link: z.string().nullable().optional().openapi({ description: "Where a click in an e-mail leads." }),
};

const ImageSchema = z
  .object({
    alt: z.string(),
    width: z.int().openapi({ description: "CSS pixels." }),
    height: z.int(),
    png: z.string().openapi({ description: "A data URL, at 1×.", example: "data:image/png;base64,iVBORw0KGgo=" }),
    dark: z.string().optional().openapi({ description: "The same in the card's dark theme, where it has one." }),
    missing: z.int().openapi({ description: "Pictures on it that could not be had: their rooms are empty." }),
    findings: z.array(FindingSchema).openapi({
      description: "Texts that are cut, and characters that its fonts do not have; pointers lead into the card.",
    }),
  })
  .openapi("PreviewImage", {
    description:
      "The card as an e-mail would show it, painted for this answer. Null: the chosen variant has none, it cannot be painted, or the Worker that paints (PRESS) is not deployed.",
  });

const NextChangeSchema = z
  .object({ at: IsoSchema, ...ShownSchema })
  .openapi("NextChange", { description: "When time alone changes the answer, and to what." });

const BlockPreviewSchema = z
  .object({
    html: ShownSchema.html,
    ...FormsSchema,
    image: ImageSchema.nullable().optional().openapi({ description: "Where it was asked for." }),
    decision: ShownSchema.decision.optional(),
    says: ShownSchema.says.optional(),
    segments: z.record(z.string(), IsoSchema.nullable()).openapi({ description: "Memberships, each with its until." }),
    why: z.array(VariantWhySchema).optional().openapi({ description: "Every variant of the slot, as they are asked." }),
    next: NextChangeSchema.nullable().optional(),
  })
  .openapi("BlockPreview", { description: "Of a template by itself: html and segments." });

export const blockPreview = newApp().openapi(
  createRoute({
    method: "post",
    path: "/",
    summary: "Render a template, or decide and render a block or a slot, for anyone at any time, and say why",
    tags: ["Blocks"],
    request: jsonBody(BlockPreviewRequest),
    responses: { 200: json(BlockPreviewSchema, "What that person would get."), ...problemResponse },
  }),
  async (c) => {
    const { why, image: isPainted, ...asked } = c.req.valid("json");
    const preview = await previewBlock(c.env, siteOf(c), await resolvePerson(c, asked), c.get("now"));
    const image = isPainted && { image: await paint(c.env, preview) };
    return c.json({ ...toAnswer(preview, why), ...image }, 200);
  },
);

async function paint(env: Env, preview: BlockPreview): Promise<z.infer<typeof ImageSchema> | null> {
  const [image, findings] = await Promise.all([paintPreview(env, preview), lintPreview(env, preview)]);
  return image && { ...image, findings };
}

function toAnswer({ segments, shown }: BlockPreview, withTraces: boolean): z.infer<typeof BlockPreviewSchema> {
  const memberships = Object.fromEntries(Object.entries(segments).map(([key, until]) => [key, toIsoOrNull(until)]));
  if (!("decision" in shown)) return { ...shown, segments: memberships };
  const { html, text, link, decision, says, why, next } = shown;
  return {
    ...{ html, text, link, decision: toDecision(decision), says, segments: memberships },
    why: why.map((row) => toVariantWhy(row, withTraces)),
    next: next && { ...next, at: toIso(next.at), decision: toDecision(next.decision) },
  };
}

function toVariantWhy({ until, why, ...row }: VariantWhy, withTraces: boolean): z.infer<typeof VariantWhySchema> {
  return { ...row, until: toIsoOrNull(until), ...(withTraces && { why: why && toWhy(why) }) };
}
