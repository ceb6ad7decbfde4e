/** What people were shown by e-mail, as developers read it. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { splitIdentifier } from "../../shared/identifier.ts";
import { listSendDecisions } from "../db/send-decisions.ts";
import { newApp, siteOf } from "./app.ts";
import { DecisionSchema, toDecision } from "./decision.ts";
import { IdentifierSchema } from "./identifier.ts";
import { findComponent, params } from "./profiles.ts";
import { IsoSchema, json, PageQuery, pageOf, problemResponse, readCursor, toIso, toPage } from "./schemas.ts";

const ShownSchema = z
  .object({
    send: z.string(),
    identifier: IdentifierSchema.openapi({ description: "That the token was made for." }),
    decision: DecisionSchema,
    blockVersion: z.int(),
    link: z.string().nullable().openapi({ description: "Where a click leads; null: nowhere of its own." }),
    decidedAt: IsoSchema,
    expiresAt: IsoSchema.openapi({ description: "It is forgotten then, at the latest." }),
  })
  .openapi("ShownInSend", {
    example: {
      send: "spring",
      identifier: { kind: "email", value: "ada@shop.example" },
      decision: {
        ...{ id: "0d1c…", slot: "hero", block: "hero", variant: "gold" },
        ...{ reason: "targeted", until: "2026-03-08T00:00:00.000Z" },
      },
      blockVersion: 3,
      link: "https://shop.example/gold",
      decidedAt: "2026-03-01T12:00:00.000Z",
      expiresAt: "2027-04-05T12:00:00.000Z",
    },
  });

const PlaceSchema = z.tuple([z.number(), z.string()]);

export const profileSends = newApp().openapi(
  createRoute({
    method: "get",
    path: "/{id}/sends",
    summary: "List what a profile was shown by e-mail, the newest first",
    description: "Of each send and slot the decision that is kept. What was done with it is among the events.",
    tags: ["Profiles"],
    request: { params, query: PageQuery },
    responses: { 200: json(pageOf(ShownSchema, "ShownInSendPage"), "A page of decisions."), ...problemResponse },
  }),
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const [decidedAt, id] = readCursor(cursor, PlaceSchema, [Number.MAX_SAFE_INTEGER, ""]);
    const nodes = await findComponent(c, c.req.valid("param").id);
    const identifiers = new Map(nodes.map(({ birthId, identifier }) => [birthId, splitIdentifier(identifier)]));
    const place = { decidedAt, id };
    const rows = await listSendDecisions(c.env.DB, siteOf(c), [...identifiers.keys()], place, limit + 1);
    const { data, next } = toPage(rows, limit, (row) => [row.decidedAt, row.id]);
    const shown = data.map(({ recipient, send, blockVersion, link, decidedAt, expiresAt, ...decision }) => ({
      ...{ send, identifier: identifiers.get(recipient)!, decision: toDecision(decision), blockVersion, link },
      ...{ decidedAt: toIso(decidedAt), expiresAt: toIso(expiresAt) },
    }));
    return c.json({ data: shown, next }, 200);
  },
);
