/** What is odd about a site's segments as a whole. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { selectLowestMembers } from "../db/memberships.ts";
import { readNewestHours } from "../db/segment-hours.ts";
import { type SegmentRow, selectSegments, toSegment } from "../db/segments.ts";
import { readPopulation } from "../segments/population.ts";
import { findWarnings, SKETCH, WARNING_CODES } from "../segments/warnings.ts";
import { newApp, siteOf } from "./app.ts";
import { json, problemResponse } from "./schemas.ts";

/** Active segments whose members are compared, in the order of their keys. */
const COMPARED = 200;

const WarningSchema = z
  .object({
    code: z.enum(WARNING_CODES),
    segments: z.array(z.string()).openapi({ description: "Keys of the segments that it is about." }),
    detail: z.string().openapi({ description: "What is the matter, and what to do." }),
    figure: z.number().openapi({ description: "What was measured: a number of segments, a share, or days." }),
  })
  .openapi("SegmentWarning");

export const segmentWarnings = newApp().openapi(
  createRoute({
    method: "get",
    path: "/",
    summary: "What is odd about the active segments",
    description: `More than 10 are active; two have the same condition, or share 90 % of their members; one holds 95 % of all people, has
been empty for 7 days or without enter and exit for 30. Shares are found among at most ${SKETCH} members of each of
${COMPARED} segments, chosen at random once for all: exact for small segments, else within about 2 %.`,
    tags: ["Segments"],
    responses: {
      200: json(z.object({ data: z.array(WarningSchema) }).openapi("SegmentWarnings"), "The warnings; none is fine."),
      ...problemResponse,
    },
  }),
  async (c) => {
    const siteId = siteOf(c);
    const { DB } = c.env;
    const { results } = await selectSegments(DB, siteId).all<SegmentRow>();
    const segments = results.map(toSegment).filter(({ status }) => status === "active");
    const keys = segments.map(({ key }) => key);
    const [newest, population, members] = await Promise.all([
      readNewestHours(DB, siteId, keys),
      readPopulation(DB, siteId, SKETCH),
      selectLowestMembers(DB, siteId, keys.slice(0, COMPARED), SKETCH).all<{ segmentKey: string; profileId: string }>(),
    ]);
    const sketches = new Map(
      [...Map.groupBy(members.results, ({ segmentKey }) => segmentKey)].map(([key, rows]) => [
        key,
        rows.map(({ profileId }) => profileId),
      ]),
    );
    return c.json({ data: findWarnings({ segments, newest, sketches, population }, c.get("now")) }, 200);
  },
);
