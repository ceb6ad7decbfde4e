/** What is allowed and probably not meant, said before and after saving; it never keeps anything from being saved. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import type { CardPart } from "../../shared/card.ts";
import type { Condition } from "../../shared/condition.ts";
import { PURPOSES } from "../../shared/consent.ts";
import { analyze } from "../../shared/engine/analyze.ts";
import { describe } from "../../shared/engine/describe.ts";
import type { JsonObject } from "../../shared/event.ts";
import type { Variant } from "../../shared/manifest.ts";
import { lintBalance } from "../blocks/checks/balance.ts";
import { lintCard } from "../blocks/checks/card.ts";
import { dropLiquid, lintHtml } from "../blocks/checks/html.ts";
import { type KnownNames, lintTemplateNames } from "../blocks/checks/names.ts";
import { lintOrder } from "../blocks/checks/order.ts";
import { showNobody } from "../blocks/checks/samples.ts";
import { lintSize } from "../blocks/checks/size.ts";
import { lintStops } from "../blocks/checks/stops.ts";
import { type BlockText, textsOf } from "../blocks/checks/texts.ts";
import { findBare } from "../blocks/liquid/defaults.ts";
import { checkTemplate, checkText, type Moment } from "../blocks/liquid.ts";
import { asWritten, sayWhere } from "../blocks/mjml.ts";
import type { Block, BlockBody, BlockVersion } from "../db/blocks.ts";
import { readSentNames } from "../db/names.ts";
import { type SegmentRow, selectSegments, toSegment } from "../db/segments.ts";
import { FINDING_CODES, type Finding, SEVERITIES } from "../segments/lint/finding.ts";
import { lintNames, type SentNames } from "../segments/lint/names.ts";
import { lintVariants } from "../segments/lint/variants.ts";
import { lintCondition } from "../segments/lint.ts";
import { checkReferences } from "../segments/references.ts";
import { type ApiContext, newApp, siteOf } from "./app.ts";
import type { Surroundings } from "./block-checks.ts";
import { CONDITION_EXAMPLE, ConditionSchema, parseCondition } from "./condition.ts";
import { json, jsonBody, KeySchema, problemResponse } from "./schemas.ts";

export const FindingSchema = z
  .object({
    code: z.enum(FINDING_CODES),
    severity: z.enum(SEVERITIES).openapi({
      description:
        "error: it can do nothing. warning: a part of it cannot, or not what it seems to. hint: worth a look.",
    }),
    pointer: z.string().openapi({ description: "JSON Pointer into the request's body, or the block." }),
    detail: z.string().openapi({ description: "What, why, and what to do." }),
  })
  .openapi("Finding");

export const WarningsSchema = z
  .array(FindingSchema)
  .openapi({ description: "What is probably not meant; nothing is refused for it." });

const PartSchema = z.object({ pointer: z.string(), what: z.string() }).openapi("ConditionPart");

const AnalysisSchema = z
  .object({
    events: z
      .array(
        z.object({
          type: z.string(),
          event: z.string().nullable(),
          paths: z.array(z.string()),
          inside: z.array(z.string()).openapi({ description: "Names that are read inside the values at the paths." }),
        }),
      )
      .openapi({
        description: "Each kind of event with the properties that are read from it; null: of any name.",
      }),
    windowMs: z.number().nullable().openapi({ description: "How far back it looks; null: to the beginning." }),
    traits: z.array(z.string()),
    context: z.array(z.string()),
    segments: z.array(z.string()),
    purposes: z.array(z.enum(PURPOSES)).openapi({ description: "Without these some part of it is unknown." }),
    runtime: z.enum(["browser", "edge"]),
    edgeOnly: z.array(PartSchema).openapi({ description: "The parts for which the browser has to ask the edge." }),
    sampled: z.boolean(),
  })
  .openapi("ConditionAnalysis");

const LintSchema = z
  .object({ describe: z.string(), findings: z.array(FindingSchema), analysis: AnalysisSchema })
  .openapi("Lint");

const LintRequest = z
  .strictObject({
    condition: ConditionSchema,
    key: KeySchema.optional().openapi({ description: "Of the segment that it is, or will be, the condition of." }),
  })
  .openapi("LintRequest", { example: { condition: CONDITION_EXAMPLE } });

export const segmentLint = newApp().openapi(
  createRoute({
    method: "post",
    path: "/",
    summary: "Look over a condition: what it says, what it needs, what is probably not meant",
    description:
      "What is said to match nobody or everybody is proven so, whatever the profile and from now on; not everything of that kind is found. Names are compared with those of a part of what is stored.",
    tags: ["Segments"],
    request: jsonBody(LintRequest),
    responses: { 200: json(LintSchema, "The condition, looked over."), ...problemResponse },
  }),
  async (c) => {
    const { key, ...body } = c.req.valid("json");
    const condition = parseCondition(body.condition, "/condition");
    const { results } = await selectSegments(c.env.DB, siteOf(c)).all<SegmentRow>();
    const self = key ?? null;
    const references = checkReferences(condition, results.map(toSegment), { self, live: false, pointer: "/condition" });
    const errors = references.map((error) => ({ ...error, severity: "error" }) as Finding);
    const findings = [...errors, ...(await lintSaved(c, condition))];
    return c.json({ describe: describe(condition), findings, analysis: analyze(condition) }, 200);
  },
);

/** The findings of a segment's condition; none of a static one's. */
export async function lintSaved(c: ApiContext, condition: Condition | null): Promise<Finding[]> {
  if (!condition) return [];
  const names = await readNames(c);
  return [...lintCondition(condition, c.get("now"), "/condition"), ...lintNames(condition, names, "/condition")];
}

/** The findings of a block: its place in its slot, its audiences, what they hide from each other, and its templates. */
export async function lintBlock(
  c: ApiContext,
  block: Block | BlockVersion,
  { site, segments, published }: Surroundings,
): Promise<Finding[]> {
  const now = c.get("now");
  const { timeZone, origins } = site.settings;
  const names = await readNames(c);
  const others = published.filter(({ key, slot }) => key !== block.key && slot === block.slot);
  const known = { traits: names.traits, segments };
  const shown = { id: site.id, name: site.name, timeZone };
  const moment = { now, timeZone };
  const cards = await Promise.all(
    block.variants.map(({ image }, index) =>
      image ? lintCard(image, c.env, shown, moment, `/variants/${index}/image`) : [],
    ),
  );
  return [
    ...lintEmpty(block),
    ...lintOrder(block, others, timeZone, now),
    ...lintVariants(block.variants, now),
    ...block.variants.flatMap((variant, index) => [
      ...lintAudience(variant, names, now, `/variants/${index}/audience`),
      ...lintImage(variant, `/variants/${index}`),
    ]),
    ...textsOf(asWritten(block)).flatMap((text) => lintText(text, known, origins)),
    ...sayWhere(
      block,
      textsOf(block).flatMap((text) => lintRendered(text, shown, moment)),
    ),
    ...cards.flat(),
  ];
}

/** More would help nobody. */
const BARE = 40;
const NO_NAMES: SentNames = { events: [], traits: [], types: new Map() };

/** They only give hints, and what is saved is saved: an answer does not fail for want of them. */
const readNames = (c: ApiContext) => readSentNames(c.env.DB, siteOf(c)).catch(() => NO_NAMES);

function lintEmpty({ variants, fallback }: BlockBody): Finding[] {
  if (variants.length || fallback !== null) return [];
  const detail = "It has neither a variant nor a fallback: whoever comes sees what the page has.";
  return [{ code: "no-effect", severity: "warning", pointer: "/variants", detail }];
}

function lintAudience({ audience }: Variant, names: SentNames, now: number, pointer: string): Finding[] {
  return audience ? [...lintCondition(audience, now, pointer), ...lintNames(audience, names, pointer)] : [];
}

function lintImage({ image, link }: Variant, pointer: string): Finding[] {
  if (!image) return [];
  const found: Finding[] = [];
  if (!image.alt.trim()) {
    const detail = "It says nothing where images are not shown: write what is in it.";
    found.push({ code: "no-alt", severity: "warning", pointer: `${pointer}/image/alt`, detail });
  }
  if (link === undefined) {
    const detail = "A click on the image leads nowhere: give the variant a link.";
    found.push({ code: "no-link", severity: "hint", pointer: `${pointer}/image`, detail });
  }
  return [...found, ...image.parts.flatMap((part, index) => lintFixed(part, `${pointer}/image/parts/${index}`))];
}

/** What is the same for everybody, and can be nothing: the card leaves it out for each of them. */
function lintFixed(part: CardPart, pointer: string): Finding[] {
  const isFixed = (text: string | undefined): text is string => text !== undefined && !/\{[{%]/.test(text);
  const find = (field: string, detail: string): Finding[] => [
    { code: "no-effect", severity: "warning", pointer: `${pointer}/${field}`, detail },
  ];
  if (part.type === "countdown" && isFixed(part.to) && Number.isNaN(Date.parse(part.to.trim())))
    return find("to", "This is no time, so there is no countdown: write it as 2026-12-01T00:00, on the site's clock.");
  if (part.type !== "price") return [];
  return (["amount", "was"] as const).flatMap((field) => {
    const text = part[field];
    if (!isFixed(text) || (text.trim() !== "" && Number.isFinite(Number(text)))) return [];
    return find(field, "This is no number, so it is not shown: write it as 12.99, without a currency.");
  });
}

/** @param text as it was written, so that lines are the author's */
function lintText({ source, pointer, form }: BlockText, known: KnownNames, origins: readonly string[]): Finding[] {
  const checked = form === "html" ? checkTemplate(source) : checkText(source);
  if ("errors" in checked) return [];
  const { template } = checked;
  return [
    ...lintTemplateNames(template, known, pointer),
    ...(form === "list" ? [] : findBare(template.nodes)).slice(0, BARE).map(({ path, line, column }): Finding => {
      const detail = `{{ ${path} }} (line ${line}, column ${column}) is empty for whom it is not known. Add | default: "…", or put it into {% if ${path} %}.`;
      return { code: "no-default", severity: "warning", pointer, detail };
    }),
    ...(form === "html" ? [...lintHtml(source, origins, pointer), ...lintBalance(source, pointer)] : []),
  ];
}

/** @param text as it is published */
function lintRendered(text: BlockText, site: JsonObject, moment: Moment): Finding[] {
  const { source, pointer, form } = text;
  const stops = lintStops(text, site, moment);
  const checked = form === "html" && checkTemplate(source);
  if (!checked || "errors" in checked) return stops;
  return [...stops, ...lintSize([dropLiquid(source), showNobody(checked.template, site, moment)], pointer)];
}
