/** Links made and removed by hand, for good or as a dry run: merge and unmerge. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { type Identifier, splitIdentifier } from "../../shared/identifier.ts";
import { IDENTIFIER_LENGTH } from "../../shared/limits.ts";
import { type IdentifierRow, selectComponents, toIdentifierRow } from "../db/identifiers.ts";
import { type LinkRow, linkId, NEWEST, type NewLink, selectLinksOf } from "../db/links.ts";
import { type LinkRefusal, linkIdentifiers } from "../identity/link.ts";
import { findPath } from "../identity/path.ts";
import { groupStored } from "../identity/resolve.ts";
import { unlink } from "../identity/unlink.ts";
import { Problem } from "../problem.ts";
import { type ApiContext, newApp, siteOf } from "./app.ts";
import { GivenIdentifierSchema, readIdentifier } from "./identifier.ts";
import { findSite, params } from "./profiles.ts";
import { PairSchema, regroupingExample, regroupingShape, toPair, toRegrouping } from "./regrouping.ts";
import { json, jsonBody, problemResponse, toIso } from "./schemas.ts";

/** More links than one profile has. */
const ALL = 100_000;

const NewLinkSchema = z.strictObject({ a: GivenIdentifierSchema, b: GivenIdentifierSchema }).openapi("NewLink", {
  example: { a: { kind: "userId", value: "u-42" }, b: { kind: "email", value: "ada@shop.example" } },
});

const LinkPreviewRequest = z
  .strictObject({
    a: GivenIdentifierSchema.optional(),
    b: GivenIdentifierSchema.optional(),
    remove: z.string().max(IDENTIFIER_LENGTH).optional().openapi({ description: "Id of a link." }),
  })
  .refine(({ a, b, remove }) => (remove === undefined ? a && b : !a && !b), "Give either a and b, or remove.")
  .openapi("LinkPreviewRequest", { example: { remove: "c0a1f2e39b7d4c55" } });

const MergeSchema = z.object(regroupingShape).openapi("Merge", { example: regroupingExample });
const parting = {
  before: regroupingExample.after,
  after: regroupingExample.before,
  changes: [],
  links: { made: [], fallen: regroupingExample.links.made },
  parted: true,
  path: [],
};
const UnmergeSchema = z
  .object({
    ...regroupingShape,
    parted: z.boolean().openapi({ description: "False: other links still make its two ends one profile." }),
    path: z.array(PairSchema).openapi({ description: "The fewest links that do." }),
  })
  .openapi("Unmerge", { example: { ...regroupingExample, ...parting } });

export const merges = newApp()
  .openapi(
    createRoute({
      method: "post",
      path: "/",
      summary: "Make two profiles one by linking an identifier of each",
      description: `Limits hold: 409 says which one stands against it. Events and traits stay with their identifiers, so that removing the
link gives both profiles back as they would be without it. A link that was removed is made again.`,
      tags: ["Identity"],
      request: jsonBody(NewLinkSchema),
      responses: { 201: json(MergeSchema, "What has changed."), ...problemResponse },
    }),
    async (c) => c.json(await merge(c, c.req.valid("json"), false), 201),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/preview",
      summary: "What making or removing a link would change",
      description: "Nothing is written. Refused as the real thing would be.",
      tags: ["Identity"],
      request: jsonBody(LinkPreviewRequest),
      responses: { 200: json(z.union([UnmergeSchema, MergeSchema]), "What would change."), ...problemResponse },
    }),
    async (c) => {
      const { a, b, remove } = c.req.valid("json");
      const answer = remove === undefined ? merge(c, { a: a!, b: b! }, true) : unmerge(c, remove, true);
      return c.json(await answer, 200);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/{id}",
      summary: "Remove a link",
      description: `The profiles are then what they would be had the link never been, memberships and their beginnings included; what was
refused because of it alone is linked. Hearing of the pair again does not make the link again; only POST /api/links does.`,
      tags: ["Identity"],
      request: { params },
      responses: { 200: json(UnmergeSchema, "What has changed."), ...problemResponse },
    }),
    async (c) => c.json(await unmerge(c, c.req.valid("param").id, false), 200),
  );

async function merge(c: ApiContext, given: z.infer<typeof NewLinkSchema>, dryRun: boolean) {
  const live = await findSite(c);
  const a = readIdentifier(live, given.a, "/a");
  const b = readIdentifier(live, given.b, "/b");
  const now = c.get("now");
  const result = await linkIdentifiers(c.env, siteOf(c), { a, b, actor: c.get("actor"), now, dryRun });
  if ("refused" in result) throw await refusalOf(c, a, b, result);
  return toRegrouping(result, linkId(a, b), !dryRun, now);
}

async function unmerge(c: ApiContext, id: string, dryRun: boolean) {
  const now = c.get("now");
  const result = await unlink(c.env, siteOf(c), { linkId: id, actor: c.get("actor"), now, dryRun });
  if ("refused" in result) {
    const removedAt = result.refused === "no-link" ? result.removedAt : null;
    if (removedAt === null) throw new Problem("not-found", "There is no such link.");
    throw new Problem("conflict", `This link was removed at ${toIso(removedAt)}.`);
  }
  const { before, links } = result;
  const { a, b } = links.fallen.find((link) => link.id === id)!;
  const identifiers = before.flatMap(({ group }) => group.nodes.map(({ identifier }) => identifier));
  const fallen = new Set(links.fallen.map((link) => link.id));
  const left = (await listLinks(c, identifiers)).filter((link) => !fallen.has(link.id));
  const path = findPath<NewLink>([...left, ...links.made], a, b);
  return { ...toRegrouping(result, id, !dryRun, now), parted: path === null, path: (path ?? []).map(toPair) };
}

/** All links that make a profile. */
async function listLinks(c: ApiContext, identifiers: readonly Identifier[]): Promise<LinkRow[]> {
  return (await selectLinksOf(c.env.DB, siteOf(c), identifiers, false, NEWEST, ALL).all<LinkRow>()).results;
}

/** Why two identifiers are not linked, in terms of the profiles that they belong to. */
async function refusalOf(c: ApiContext, a: Identifier, b: Identifier, refusal: LinkRefusal): Promise<Problem> {
  const ends = [
    ["/a", a],
    ["/b", b],
  ] as const;
  if (refusal.refused === "unknown") {
    const detail = "No profile has this identifier. One that was only refused is linked when a message names it again.";
    const unknown = ends.filter(([, identifier]) => refusal.identifiers.includes(identifier));
    return new Problem("not-found", detail, {
      errors: unknown.map(([pointer]) => ({ pointer, code: "unknown", detail })),
    });
  }
  const { results } = await selectComponents(c.env.DB, siteOf(c), JSON.stringify([a, b])).all();
  const groupOf = groupStored(new Map(results.map(toIdentifierRow).map((node) => [node.identifier, node])));
  if (refusal.refused === "limit") {
    const errors = ends.map(([pointer, identifier]) => {
      return { pointer, code: "limit", detail: describeGroup(groupOf.get(identifier)?.nodes ?? []) };
    });
    return new Problem("conflict", `They cannot be one profile: ${refusal.reason}.`, { errors });
  }
  const nodes = groupOf.get(a)?.nodes ?? [];
  const path =
    findPath(
      await listLinks(
        c,
        nodes.map(({ identifier }) => identifier),
      ),
      a,
      b,
    ) ?? [];
  const errors = path.map(({ id }) => ({
    pointer: "",
    code: "linked",
    detail: `Link ${id} leads from one to the other.`,
  }));
  const detail = `They are one profile already: ${nodes[0]?.profileId}.`;
  return new Problem("conflict", detail, errors.length ? { errors } : {});
}

/** A profile by what it holds of each kind. */
function describeGroup(nodes: readonly IdentifierRow[]): string {
  const kinds = Map.groupBy(nodes, ({ identifier }) => splitIdentifier(identifier).kind);
  const counts = [...kinds].map(([kind, { length }]) => `${length} ${kind}`);
  return `Profile ${nodes[0]?.profileId} holds ${counts.sort().join(", ")}.`;
}
