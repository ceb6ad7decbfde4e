/** How large a segment would be, before it is saved. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { type SegmentRow, selectSegments, toSegment } from "../db/segments.ts";
import { readSite } from "../manifest/read.ts";
import { Problem } from "../problem.ts";
import { estimateMembers } from "../segments/estimate.ts";
import { checkReferences } from "../segments/references.ts";
import { newApp, siteOf } from "./app.ts";
import { CONDITION_EXAMPLE, ConditionSchema, parseCondition } from "./condition.ts";
import { json, jsonBody, problemResponse } from "./schemas.ts";

const EstimateRequest = z
  .strictObject({ condition: ConditionSchema })
  .openapi("EstimateRequest", { example: { condition: CONDITION_EXAMPLE } });

const EstimateSchema = z
  .object({
    members: z.number().int(),
    low: z.number().int().openapi({ description: "In 95 of 100 estimates the true number is at least this." }),
    high: z.number().int().openapi({ description: "… and at most this." }),
    sampled: z.number().int().openapi({ description: "Profiles that the engine was asked about." }),
    total: z.number().int().openapi({ description: "Profiles that the site has, counted or, of many, estimated." }),
    share: z.number().openapi({ description: "sampled / total" }),
    exact: z.boolean().openapi({ description: "Everybody was asked." }),
  })
  .openapi("Estimate");

export const segmentEstimate = newApp().openapi(
  createRoute({
    method: "post",
    path: "/",
    summary: "Estimate how many a condition holds of",
    description: `Asks the engine about everybody, as of now, or of more than 2,000 profiles about a uniform sample, always the same one: estimates of a
site err together. About fewer where that takes longer than 10 seconds. It may refer to drafts.`,
    tags: ["Segments"],
    request: jsonBody(EstimateRequest),
    responses: { 200: json(EstimateSchema, "The number of members, and how sure it is."), ...problemResponse },
  }),
  async (c) => {
    const siteId = siteOf(c);
    const condition = parseCondition(c.req.valid("json").condition, "/condition");
    const live = await readSite(c.env, siteId, c.get("now"));
    if (!live) throw new Problem("not-found", "The site is gone.");
    const { results } = await selectSegments(c.env.DB, siteId).all<SegmentRow>();
    const segments = results.map(toSegment);
    const errors = checkReferences(condition, segments, { self: null, live: false, pointer: "/condition" });
    if (errors.length) throw new Problem("invalid-condition", errors[0]!.detail, { errors });
    const estimate = await estimateMembers(c.env.DB, live, condition, segments, Date.now);
    const { sampled, total } = estimate;
    return c.json({ ...estimate, share: total ? sampled / total : 1 }, 200);
  },
);
