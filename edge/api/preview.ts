/** Rules and blocks tried on anyone, at any time, before anybody else sees them. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import type { Condition } from "../../shared/condition.ts";
import { compile } from "../../shared/engine/compile.ts";
import { describe } from "../../shared/engine/describe.ts";
import { explain } from "../../shared/engine/explain.ts";
import { fullLanguage } from "../../shared/engine/language-edge.ts";
import type { Answer, Subject, Why } from "../../shared/engine/types.ts";
import { TEMPLATE_BYTES } from "../../shared/limits.ts";
import { decideSlots, type Viewer } from "../blocks/decide.ts";
import { checkTemplate, render } from "../blocks/liquid.ts";
import { readBlock, readBlockVersion } from "../db/blocks.ts";
import type { Decisions } from "../db/profiles.ts";
import { buildLiveSite, type LiveSite } from "../manifest/live.ts";
import { Problem } from "../problem.ts";
import { type ApiContext, newApp, siteOf } from "./app.ts";
import { CONDITION_EXAMPLE, ConditionSchema, parseCondition } from "./condition.ts";
import { DecisionSchema, toDecision } from "./decision.ts";
import { PersonShape, readSubject } from "./person.ts";
import { IsoSchema, json, jsonBody, KeySchema, problemResponse, toIso, toIsoOrNull } from "./schemas.ts";

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

const WhySchema = z.record(z.string(), z.unknown()).openapi("Why", {
  description:
    "The trace: value, until, says, pointer; what was found: actual, required, missing, unknown (reason and what); of a group which children decide it; segment: key of the rule that pointer leads into; completeAfter: older events are not looked at and could make another answer; children.",
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
    const { live, subject, now } = await readSubject(c, asked);
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

/** Every segment of the site, static ones as the subject says: what `{segment}` leaves look at. */
function answerSegments(live: LiveSite, subject: Subject, now: number): { [key: string]: Answer } {
  const answers: { [key: string]: Answer } = Object.assign(Object.create(null), subject.segments);
  live.program.evaluate(subject, now).forEach((answer, index) => {
    answers[live.program.keys[index]!] = answer;
  });
  return answers;
}

/** As HTTP writes times. */
function toWhy({ until, completeAfter, children, ...node }: Why): z.infer<typeof WhySchema> {
  return {
    ...node,
    until: toIsoOrNull(until),
    ...(completeAfter !== undefined && { completeAfter: toIso(completeAfter) }),
    ...(children && { children: children.map(toWhy) }),
  };
}

const BlockPreviewRequest = z
  .strictObject({
    template: z.string().max(TEMPLATE_BYTES).optional().openapi({ description: "Liquid, rendered as it is." }),
    block: KeySchema.optional(),
    version: z
      .union([z.literal("draft"), z.literal("live"), z.number().int().min(1)])
      .default("draft")
      .openapi({ description: "Of the block: its draft, what is live, or a published version." }),
    ...PersonShape,
  })
  .refine(({ template, block }) => (template === undefined) !== (block === undefined), {
    message: "Give either template or block.",
    path: ["template"],
  })
  .openapi("BlockPreviewRequest", {
    example: { template: "Hi {{ customer.name | default: 'you' }}", profile: { traits: { name: "Ada" } } },
  });

const BlockPreviewSchema = z
  .object({
    html: z.string().nullable().openapi({ description: "Null: the page's own content stays." }),
    decision: DecisionSchema.optional(),
    segments: z.record(z.string(), IsoSchema.nullable()).openapi({ description: "Memberships, each with its until." }),
  })
  .openapi("BlockPreview");

export const blockPreview = newApp().openapi(
  createRoute({
    method: "post",
    path: "/",
    summary: "Render a template, or decide and render a block, for a profile at a time",
    tags: ["Blocks"],
    request: jsonBody(BlockPreviewRequest),
    responses: { 200: json(BlockPreviewSchema, "What that profile would get."), ...problemResponse },
  }),
  async (c) => {
    const { template, block, version, ...asked } = c.req.valid("json");
    const { live, subject, now } = await readSubject(c, asked);
    const viewer = buildViewer(live, subject, now);
    const segments = Object.fromEntries(
      Object.entries(viewer.segments).map(([key, [, until]]) => [key, toIsoOrNull(until)]),
    );
    if (template !== undefined)
      return c.json({ html: renderTemplate(live, template, viewer, subject, now), segments }, 200);
    const { slot, preview } = await findBlock(c, live, block!, version);
    const { html, decision } = decideSlots(preview, [slot], viewer, subject.context, now)[slot]!;
    return c.json({ html, decision: toDecision(decision), segments }, 200);
  },
);

function buildViewer(live: LiveSite, subject: Subject, now: number): Viewer {
  const segments: Decisions = {};
  let wakesAt: number | null = null;
  for (const [key, { value, until }] of Object.entries(answerSegments(live, subject, now))) {
    if (value === true) segments[key] = [now, until];
    if (until !== null && (wakesAt === null || until < wakesAt)) wakesAt = until;
  }
  const { id = "", traits, events, consent } = subject;
  return { stableId: id, segments, wakesAt, traits, events, consent };
}

function renderTemplate(live: LiveSite, source: string, viewer: Viewer, subject: Subject, now: number): string {
  const checked = checkTemplate(source);
  if ("errors" in checked) {
    const errors = checked.errors.map((error) => ({ ...error, pointer: "/template" }));
    throw new Problem("invalid-template", errors[0]?.detail, { errors });
  }
  const { siteId, settings } = live.manifest;
  const scope = {
    customer: viewer.traits,
    segment: Object.fromEntries(Object.keys(viewer.segments).map((key) => [key, true])),
    context: subject.context ?? {},
    site: { id: siteId, timeZone: settings.timeZone },
  };
  const { html, error } = render(checked.template, scope, { now, timeZone: settings.timeZone });
  if (html !== undefined) return html;
  throw new Problem("invalid-template", `It stops while rendering: ${error}`, {
    errors: [{ pointer: "/template", code: "render", detail: error ?? "" }],
  });
}

/** The site as it would be with this version of the block in its slot, alone. */
async function findBlock(
  c: ApiContext,
  live: LiveSite,
  key: string,
  version: "draft" | "live" | number,
): Promise<{ slot: string; preview: LiveSite }> {
  const draft = await readBlock(c.env.DB, siteOf(c), key);
  const number = version === "live" ? draft?.liveVersion : version;
  const block =
    number === "draft" ? draft : draft && number && (await readBlockVersion(c.env.DB, siteOf(c), key, number));
  if (!block) throw new Problem("not-found", `There is no such version of a block ${key}.`);
  return { slot: block.slot, preview: buildLiveSite({ ...live.manifest, blocks: [block] }) };
}
