/** Links as developers read them: which identifiers make one profile, and by what evidence. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { splitIdentifier } from "../../shared/identifier.ts";
import { EVIDENCE, type LinkRow, NEWEST, type Place, selectLinksOf } from "../db/links.ts";
import { newApp, siteOf } from "./app.ts";
import { IdentifierSchema } from "./identifier.ts";
import { findComponent, params } from "./profiles.ts";
import { IsoSchema, json, PageQuery, pageOf, problemResponse, readCursor, toIso, toPage } from "./schemas.ts";

const LinkSchema = z
  .object({
    id: z.string().openapi({ description: "Names the pair, the same from either end." }),
    a: IdentifierSchema,
    b: IdentifierSchema,
    evidence: z.enum(EVIDENCE),
    weight: z.number().optional(),
    rule: z.string().optional(),
    actor: z.string().openapi({ description: "Who made it: browser, server or import of an event; key:<id> by hand." }),
    at: IsoSchema,
    messageId: z.string().optional().openapi({ description: "Of the message that says so." }),
    removedAt: IsoSchema.optional(),
  })
  .openapi("Link", {
    example: {
      id: "c0a1f2e39b7d4c55",
      a: { kind: "userId", value: "u-42" },
      b: { kind: "anonymousId", value: "6d1e…" },
      evidence: "identify",
      actor: "browser",
      at: "2026-03-01T12:00:00.000Z",
      messageId: "m-17",
    },
  });

const LinksQuery = PageQuery.extend({
  removed: z.enum(["0", "1"]).default("0").openapi({
    description: "1: also those that were removed, which lead to other profiles now.",
  }),
});

/** A cursor of a list that is ordered by time, then id. */
const PlaceSchema = z.tuple([z.number(), z.string()]);

export function readPlace(cursor: string | undefined): Place {
  const [at, id] = readCursor(cursor, PlaceSchema, [NEWEST.at, NEWEST.id]);
  return { at, id };
}

export function placeOf({ at, id }: Place): z.infer<typeof PlaceSchema> {
  return [at, id];
}

export const profileLinks = newApp().openapi(
  createRoute({
    method: "get",
    path: "/{id}/links",
    summary: "List the links that make a profile, the newest first",
    tags: ["Identity"],
    request: { params, query: LinksQuery },
    responses: { 200: json(pageOf(LinkSchema, "LinkPage"), "A page of links."), ...problemResponse },
  }),
  async (c) => {
    const { limit, cursor, removed } = c.req.valid("query");
    const before = readPlace(cursor);
    const nodes = await findComponent(c, c.req.valid("param").id);
    const identifiers = nodes.map(({ identifier }) => identifier);
    const asked = selectLinksOf(c.env.DB, siteOf(c), identifiers, removed === "1", before, limit + 1);
    const { data, next } = toPage((await asked.all<LinkRow>()).results, limit, placeOf);
    return c.json({ data: data.map(toLink), next }, 200);
  },
);

function toLink({
  id,
  a,
  b,
  evidence,
  weight,
  rule,
  actor,
  at,
  messageId,
  removedAt,
}: LinkRow): z.infer<typeof LinkSchema> {
  return {
    id,
    a: splitIdentifier(a),
    b: splitIdentifier(b),
    evidence,
    ...(weight !== null && { weight }),
    ...(rule !== null && { rule }),
    actor,
    at: toIso(at),
    ...(messageId !== null && { messageId }),
    ...(removedAt !== null && { removedAt: toIso(removedAt) }),
  };
}
