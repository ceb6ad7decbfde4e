/** Links that were refused: which limit stood against them, and whether it still does. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { type Identifier, splitIdentifier } from "../../shared/identifier.ts";
import { selectComponents, toIdentifierRow } from "../db/identifiers.ts";
import { type ConflictRow, EVIDENCE, selectConflicts, selectConflictsOf, selectFirstLinks } from "../db/links.ts";
import { type Group, groupStored, type ManualLink, resolveIdentities } from "../identity/resolve.ts";
import type { LiveSite } from "../manifest/live.ts";
import { type ApiContext, newApp, siteOf } from "./app.ts";
import { IdentifierSchema } from "./identifier.ts";
import { placeOf, readPlace } from "./links.ts";
import { findComponent, findSite, params } from "./profiles.ts";
import { IsoSchema, json, PageQuery, pageOf, problemResponse, toIso, toPage } from "./schemas.ts";

const EndSchema = IdentifierSchema.extend({
  profile: z.string().nullable().openapi({ description: "That it belongs to now; null: nothing is stored of it." }),
}).openapi("ConflictEnd", { example: { kind: "userId", value: "u-42", profile: "p_1" } });

const ConflictSchema = z
  .object({
    id: z.string().openapi({ description: "Names the pair, as it would name their link." }),
    a: EndSchema,
    b: EndSchema,
    evidence: z.enum(EVIDENCE),
    reason: z.string().openapi({ description: "What stood against it." }),
    possible: z.boolean().openapi({ description: "Nothing stands against it any more: POST /api/links makes it." }),
    actor: z.string().optional(),
    at: IsoSchema,
    messageId: z.string().optional(),
  })
  .openapi("Conflict", {
    example: {
      id: "c0a1f2e39b7d4c55",
      a: { kind: "userId", value: "u-43", profile: "p_2" },
      b: { kind: "anonymousId", value: "6d1e…", profile: "p_1" },
      evidence: "identify",
      reason: "a profile holds at most 1 of kind userId",
      possible: false,
      actor: "browser",
      at: "2026-03-01T12:00:00.000Z",
      messageId: "m-18",
    },
  });

const ConflictPage = json(pageOf(ConflictSchema, "ConflictPage"), "A page of refused links.");

export const conflicts = newApp().openapi(
  createRoute({
    method: "get",
    path: "/",
    summary: "List a site's refused links, the newest first",
    description:
      "One becomes a link, and leaves the list, when it is said again and nothing stands against it any more.",
    tags: ["Identity"],
    request: { query: PageQuery },
    responses: { 200: ConflictPage, ...problemResponse },
  }),
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const rows = selectConflicts(c.env.DB, siteOf(c), readPlace(cursor), limit + 1);
    return c.json(await toConflictPage(c, rows, limit), 200);
  },
);

export const profileConflicts = newApp().openapi(
  createRoute({
    method: "get",
    path: "/{id}/conflicts",
    summary: "List the links that a profile was refused, the newest first",
    tags: ["Identity"],
    request: { params, query: PageQuery },
    responses: { 200: ConflictPage, ...problemResponse },
  }),
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const before = readPlace(cursor);
    const nodes = await findComponent(c, c.req.valid("param").id);
    const identifiers = nodes.map(({ identifier }) => identifier);
    const rows = selectConflictsOf(c.env.DB, siteOf(c), identifiers, before, limit + 1);
    return c.json(await toConflictPage(c, rows, limit), 200);
  },
);

async function toConflictPage(c: ApiContext, rows: D1PreparedStatement, limit: number) {
  const live = await findSite(c);
  const now = c.get("now");
  const { data, next } = toPage((await rows.all<ConflictRow>()).results, limit, placeOf);
  const ends = JSON.stringify(data.flatMap(({ a, b }) => [a, b]));
  const [components, times] = await c.env.DB.batch([
    selectComponents(c.env.DB, siteOf(c), ends),
    ...(live.identity.hasWindows ? [selectFirstLinks(c.env.DB, siteOf(c), ends)] : []),
  ]);
  const nodes = new Map(components!.results.map(toIdentifierRow).map((node) => [node.identifier, node]));
  for (const { identifier, at } of (times?.results ?? []) as { identifier: Identifier; at: number }[])
    nodes.get(identifier)!.linkedAt = at;
  const groupOf = groupStored(nodes);
  const toEnd = (identifier: Identifier) => ({
    ...splitIdentifier(identifier),
    profile: nodes.get(identifier)?.profileId ?? null,
  });
  return {
    data: data.map(({ id, a, b, evidence, reason, actor, at, messageId }) => ({
      id,
      a: toEnd(a),
      b: toEnd(b),
      evidence,
      reason,
      possible: canUnite(live, groupOf.get(a), groupOf.get(b), { a, b }, now),
      ...(actor && { actor }),
      at: toIso(at),
      ...(messageId !== null && { messageId }),
    })),
    next,
  };
}

/** Asks what a link by hand would be answered. One of them may be nobody's: it was refused when it first came. */
function canUnite(
  live: LiveSite,
  one: Group | undefined,
  other: Group | undefined,
  link: ManualLink,
  now: number,
): boolean {
  if (one === other) return false;
  const nodes = new Map([...(one?.nodes ?? []), ...(other?.nodes ?? [])].map((node) => [node.identifier, node]));
  const graph = { nodes, knownLinks: new Set<string>(), refusedLinks: new Set<string>(), isRemembered: false };
  const options = { receivedAt: now, newId: () => "", isTrusted: true, identity: live.identity };
  return resolveIdentities(graph, { events: [], links: [link] }, options).links.length > 0;
}
