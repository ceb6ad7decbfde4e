/** Rules tried on anyone, at any time, before they decide for anybody. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import type { Condition } from "../../shared/condition.ts";
import { compile } from "../../shared/engine/compile.ts";
import { describe } from "../../shared/engine/describe.ts";
import { explain } from "../../shared/engine/explain.ts";
import { fullLanguage } from "../../shared/engine/language-edge.ts";
import type { Subject } from "../../shared/engine/types.ts";
import type { LiveSite } from "../manifest/live.ts";
import { answerSegments, readSubject } from "../preview/subject.ts";
import { newApp, siteOf } from "./app.ts";
import { CONDITION_EXAMPLE, ConditionSchema, parseCondition } from "./condition.ts";
import { PersonShape, resolvePerson } from "./person.ts";
import { IsoSchema, json, jsonBody, problemResponse, toIsoOrNull } from "./schemas.ts";
import { toWhy, WhySchema } from "./why.ts";

const CONDITIONS = 100;

const SegmentPreviewRequest = z
  .strictObject({
    condition: ConditionSchema.optional(),
    conditions: z.array(ConditionSchema).min(1).max(CONDITIONS).optional(),
    ...PersonShape,
    why: z.boolean().default(false).openapi({ description: "Also answer the trace." }),
  })
  .refine(({ condition, conditions }) => (condition === undefined) !== (conditions === undefined), {
    message: "Give either condition or conditions.",
    path: ["condition"],
  })
  .openapi("SegmentPreviewRequest", {
    example: {
      condition: CONDITION_EXAMPLE,
      profile: {
        traits: { plan: "pro" },
        events: [{ event: "Product Viewed", timestamp: "2026-03-01T10:00:00Z", properties: { category: "shoes" } }],
      },
      now: "2026-03-01T12:00:00Z",
      why: true,
    },
  });

const AnswerSchema = z
  .object({
    value: z.union([z.boolean(), z.literal("unknown")]),
    until: IsoSchema.nullable().openapi({
      description: "Until when this holds if nothing new happens; null = for ever.",
    }),
    describe: z.string(),
    why: WhySchema.optional(),
  })
  .openapi("Answer");

const SegmentPreviewSchema = z
  .union([AnswerSchema, z.object({ results: z.array(AnswerSchema) })])
  .openapi("SegmentPreview", { description: "One answer for condition, results in order for conditions." });

export const segmentPreview = newApp().openapi(
  createRoute({
    method: "post",
    path: "/",
    summary: "Try conditions on a profile at a time",
    tags: ["Segments"],
    request: jsonBody(SegmentPreviewRequest),
    responses: { 200: json(SegmentPreviewSchema, "What the engine says."), ...problemResponse },
  }),
  async (c) => {
    const { condition, conditions, why, ...asked } = c.req.valid("json");
    const parsed = conditions?.map((value, index) => parseCondition(value, `/conditions/${index}`)) ?? [
      parseCondition(condition, "/condition"),
    ];
    const { live, subject, now } = await readSubject(c.env, siteOf(c), await resolvePerson(c, asked), c.get("now"));
    const results = previewConditions(live, parsed, subject, now, why);
    return c.json(conditions ? { results } : results[0]!, 200);
  },
);

function previewConditions(
  live: LiveSite,
  conditions: readonly Condition[],
  subject: Subject,
  now: number,
  why: boolean,
): z.infer<typeof AnswerSchema>[] {
  const { timeZone } = live.manifest.settings;
  const known = { ...subject, segments: answerSegments(live, subject, now) };
  const rules = conditions.map((condition, index) => ({ key: `/${index}`, condition }));
  const segments = live.manifest.segments.flatMap(({ key, condition }) => (condition ? [{ key, condition }] : []));
  const options = { timeZone, language: fullLanguage, rules: segments };
  const answers = compile(rules, { timeZone }, fullLanguage).evaluate(known, now);
  return conditions.map((condition, index) => ({
    value: answers[index]!.value,
    until: toIsoOrNull(answers[index]!.until),
    describe: describe(condition),
    ...(why && { why: toWhy(explain(condition, known, now, options)) }),
  }));
}
