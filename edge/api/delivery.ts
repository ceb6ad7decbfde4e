/** What became of what a person's browsers sent: each numbers its messages, so that the edge can say which it never had. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { GAPS, listSequences } from "../db/sequences.ts";
import { Problem } from "../problem.ts";
import { newApp, siteOf } from "./app.ts";
import { findComponent, params } from "./profiles.ts";
import { IsoSchema, json, problemResponse, toIso } from "./schemas.ts";

/** Sequences in one answer. */
const SEQUENCES = 100;
/** Of a profile that has more, D1 would be busy for seconds. */
const EVENTS = 50_000;

const SequenceSchema = z
  .object({
    anonymousId: z.string(),
    first: z.number().int(),
    last: z.number().int(),
    received: z.number().int(),
    missing: z.number().int().openapi({ description: "Numbers between first and last that never came." }),
    gaps: z
      .array(z.object({ first: z.number().int(), last: z.number().int(), since: IsoSchema }))
      .openapi({ description: `The lowest ${GAPS} ranges that are missing; since: when the message behind one came.` }),
    firstSeen: IsoSchema,
    lastSeen: IsoSchema,
  })
  .openapi("Sequence", {
    example: {
      anonymousId: "6d1e…",
      first: 1,
      last: 120,
      received: 118,
      missing: 2,
      gaps: [{ first: 41, last: 42, since: "2026-03-01T12:00:00.000Z" }],
      firstSeen: "2026-02-27T09:30:00.000Z",
      lastSeen: "2026-03-01T12:00:00.000Z",
    },
  });

export const profileDelivery = newApp().openapi(
  createRoute({
    method: "get",
    path: "/{id}/delivery",
    summary: "Say what a profile's browsers sent, and what of it never came",
    description: `The script numbers the messages that a device keeps (seq), beginning with 1 where its storage is empty; a number that comes again
begins another sequence. The ${SEQUENCES} that were heard of last, those first. Missing is what is not stored with this profile: lost with a
device's storage, given up for want of room there, refused (the page was told), or still on its way. What is behind the last number nobody
knows, and messages that a browser could not keep, and those of servers, have none. All events of the profile are read for it, ${EVENTS} at
most. Events are kept by person: of a whole site nothing answers this.`,
    tags: ["Profiles"],
    request: { params },
    responses: {
      200: json(z.object({ data: z.array(SequenceSchema) }).openapi("Delivery"), "By device."),
      ...problemResponse,
    },
  }),
  async (c) => {
    const nodes = await findComponent(c, c.req.valid("param").id);
    const owners = nodes.map(({ identifier }) => identifier);
    const sequences = await listSequences(c.env.DB, siteOf(c), owners, SEQUENCES, EVENTS);
    if (!sequences) throw new Problem("past-too-long", `The profile has more than ${EVENTS} events.`);
    const data = sequences.map(({ gaps, firstSeen, lastSeen, ...rest }) => ({
      ...rest,
      gaps: gaps.map((gap) => ({ ...gap, since: toIso(gap.since) })),
      firstSeen: toIso(firstSeen),
      lastSeen: toIso(lastSeen),
    }));
    return c.json({ data }, 200);
  },
);
