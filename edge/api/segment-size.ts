/** How the size of a segment went: members, enters and exits, by hour or by day. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { type Offset, offsetOf, wallToInstant } from "../../shared/engine/zone.ts";
import { type SegmentHour, selectHours } from "../db/segment-hours.ts";
import { readSite } from "../manifest/read.ts";
import { Problem } from "../problem.ts";
import { newApp, siteOf } from "./app.ts";
import { IsoSchema, json, KeySchema, problemResponse, QueryTimeSchema, toIso } from "./schemas.ts";
import { findSegment } from "./segments.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const POINTS = 1_000;
/** Points where the request does not say from when. */
const DEFAULT_POINTS = { hour: 48, day: 30 };

const SizeQuery = z.object({
  from: QueryTimeSchema.optional().openapi({ description: "Left out: 48 hours, or 30 days, before `to`." }),
  to: QueryTimeSchema.optional().openapi({ description: "Left out, or in the future: now." }),
  by: z.enum(["hour", "day"]).default("day"),
});

const SegmentSizeSchema = z
  .object({
    by: z.enum(["hour", "day"]),
    timeZone: z.string().openapi({ description: "Where days begin." }),
    points: z.array(
      z.object({
        at: IsoSchema.openapi({ description: "The beginning of the hour or day." }),
        members: z.number().int().openapi({ description: "At its end, or as far as `to` reaches." }),
        entered: z.number().int(),
        exited: z.number().int(),
      }),
    ),
  })
  .openapi("SegmentSize");

export const segmentSize = newApp().openapi(
  createRoute({
    method: "get",
    path: "/{key}/size",
    summary: "How a segment's size went, by hour or by day",
    description: `At most ${POINTS} points, from the segment's creation on, ascending. Where a zone is not whole hours ahead of UTC, its
days begin with the first full hour.`,
    tags: ["Segments"],
    request: { params: z.object({ key: KeySchema }), query: SizeQuery },
    responses: { 200: json(SegmentSizeSchema, "A point for each hour or day."), ...problemResponse },
  }),
  async (c) => {
    const siteId = siteOf(c);
    const now = c.get("now");
    const { key, createdAt } = await findSegment(c, c.req.valid("param").key);
    const { by, ...asked } = c.req.valid("query");
    const live = await readSite(c.env, siteId, now);
    if (!live) throw new Problem("not-found", "The site is gone.");
    const { timeZone } = live.manifest.settings;
    const step = by === "hour" ? HOUR_MS : DAY_MS;
    const to = Math.min(asked.to ?? now, now);
    const from = asked.from ?? to - DEFAULT_POINTS[by] * step;
    if (from > to) throw new Problem("invalid-request", "from lies after to, or in the future.");
    const first = Math.max(from, createdAt);
    if ((to - first) / step >= POINTS) {
      throw new Problem("invalid-request", `That is more than ${POINTS} points: ask for less time, or by day.`);
    }
    const starts = by === "hour" ? listHourStarts(first, to) : listDayStarts(first, to, offsetOf(timeZone)!);
    const { results } = await selectHours(c.env.DB, siteId, key, starts[0] ?? to, to).all<SegmentHour>();
    return c.json({ by, timeZone, points: toPoints(starts, results) }, 200);
  },
);

/** The beginnings of the hours that have a part in [from, to). */
function listHourStarts(from: number, to: number): number[] {
  const starts: number[] = [];
  for (let at = from - (from % HOUR_MS); at < to; at += HOUR_MS) starts.push(at);
  return starts;
}

/** The beginnings of the days that have a part in [from, to). */
function listDayStarts(from: number, to: number, offset: Offset): number[] {
  const starts: number[] = [];
  let midnight = from + offset(from);
  midnight -= midnight % DAY_MS;
  for (; ; midnight += DAY_MS) {
    const start = wallToInstant(midnight, offset);
    if (start >= to) return starts;
    starts.push(start);
  }
}

/** @param hours ascending; one before the first start says how it began */
function toPoints(starts: readonly number[], hours: readonly SegmentHour[]) {
  let next = 0;
  let members = 0;
  return starts.map((start, index) => {
    const end = starts[index + 1] ?? Infinity;
    let [entered, exited] = [0, 0];
    for (; next < hours.length && hours[next]!.hour < end; next++) {
      const hour = hours[next]!;
      members = hour.members;
      if (hour.hour < start) continue;
      entered += hour.entered;
      exited += hour.exited;
    }
    return { at: toIso(start), members, entered, exited };
  });
}
