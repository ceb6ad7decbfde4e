/** How far everybody has been decided by the newest rules. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { type Backfill, readBackfill } from "../db/backfills.ts";
import { Problem } from "../problem.ts";
import { newApp, siteOf } from "./app.ts";
import { IsoSchema, json, problemResponse, toIso, toIsoOrNull } from "./schemas.ts";

export const BackfillSchema = z
  .object({
    rulesVersion: z.number().int().openapi({ description: "Version of the site that changed the rules." }),
    done: z.number().int().openapi({ description: "Profiles that are decided by them." }),
    total: z.number().int().nullable().openapi({
      description: "Of how many; null until they are counted. Whoever comes later is decided by them anyway.",
    }),
    startedAt: IsoSchema,
    finishedAt: IsoSchema.nullable(),
    secondsLeft: z
      .number()
      .int()
      .nullable()
      .openapi({ description: "Estimated; null while there is nothing to tell by." }),
  })
  .openapi("Backfill");

export const backfill = newApp().openapi(
  createRoute({
    method: "get",
    path: "/",
    summary: "How far everybody has been decided by the newest rules",
    description: `Each change of what segments say starts it anew. Visitors who come are decided by the new rules at once; this is
about all the others.`,
    tags: ["Segments"],
    responses: { 200: json(BackfillSchema, "The one that runs, or the last one."), ...problemResponse },
  }),
  async (c) => {
    const found = await readBackfill(c.env.DB, siteOf(c));
    if (!found) throw new Problem("not-found", "No rules have been published yet.");
    return c.json(toBackfillAnswer(found, c.get("now")), 200);
  },
);

export function toBackfillAnswer(backfill: Backfill, now: number): z.infer<typeof BackfillSchema> {
  const { rulesVersion, done, total, startedAt, finishedAt } = backfill;
  return {
    ...{ rulesVersion, done, total },
    startedAt: toIso(startedAt),
    finishedAt: toIsoOrNull(finishedAt),
    secondsLeft: secondsLeft(backfill, now),
  };
}

/** At the pace so far. */
function secondsLeft({ done, total, startedAt, finishedAt }: Backfill, now: number): number | null {
  if (finishedAt !== null) return 0;
  if (!done || total === null) return null;
  return Math.ceil((((now - startedAt) / done) * Math.max(0, total - done)) / 1_000);
}
