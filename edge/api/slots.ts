/** Slots that are in use, each with the blocks that are live in it, as they are asked. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { listLiveSchedules } from "../db/blocks.ts";
import { readSiteRow } from "../db/sites.ts";
import { newApp, siteOf } from "./app.ts";
import { LiveSchema, toLive } from "./block-body.ts";
import { json, PageQuery, pageOf, problemResponse, readCursor, toPage } from "./schemas.ts";

const SlotSchema = z
  .object({
    slot: z.string(),
    blocks: z
      .array(
        z.object({
          key: z.string(),
          name: z.string().nullable(),
          priority: z.number().int(),
          live: LiveSchema,
        }),
      )
      .openapi({
        description: "In the order in which they are asked: the first that is on and has a variant is shown.",
      }),
  })
  .openapi("Slot");

export const slots = newApp().openapi(
  createRoute({
    method: "get",
    path: "/",
    summary: "List slots with the blocks that are live in them",
    tags: ["Blocks"],
    request: { query: PageQuery },
    responses: { 200: json(pageOf(SlotSchema, "SlotPage"), "A page of slots."), ...problemResponse },
  }),
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const siteId = siteOf(c);
    const { DB } = c.env;
    const [site, rows] = await Promise.all([
      readSiteRow(DB, siteId),
      listLiveSchedules(DB, siteId, readCursor(cursor, z.string(), ""), limit + 1),
    ]);
    const timeZone = site?.settings.timeZone ?? "UTC";
    const slots = [...Map.groupBy(rows, ({ slot }) => slot)].map(([slot, blocks]) => ({
      slot,
      blocks: blocks.map((block) => {
        const { key, name, priority } = block;
        return { key, name, priority, live: toLive(block, timeZone, c.get("now")) };
      }),
    }));
    return c.json(
      toPage(slots, limit, ({ slot }) => slot),
      200,
    );
  },
);
