/** Segments: saved, described, counted, listed. Saving an active one publishes it. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import type { Condition } from "../../shared/condition.ts";
import { describe } from "../../shared/engine/describe.ts";
import { plural } from "../../shared/engine/phrase.ts";
import { readBackfill } from "../db/backfills.ts";
import { type BlockVersionRow, listBlocks, selectLiveBlocks, toBlockVersion } from "../db/blocks.ts";
import { listMembers } from "../db/memberships.ts";
import { readNewestHours } from "../db/segment-hours.ts";
import {
  insertSegment,
  listSegments,
  readSegment,
  type Segment,
  type SegmentRow,
  selectSegments,
  toSegment,
  updateSegment,
} from "../db/segments.ts";
import { Problem } from "../problem.ts";
import { checkReferences, findUsers } from "../segments/references.ts";
import { type ApiContext, newApp, siteOf } from "./app.ts";
import { BackfillSchema, toBackfillAnswer } from "./backfill.ts";
import { ConditionSchema, parseCondition } from "./condition.ts";
import { checkIfMatch, toEtag } from "./etag.ts";
import { lintSaved, WarningsSchema } from "./lint.ts";
import { publishRules } from "./publish.ts";
import {
  IsoSchema,
  json,
  jsonBody,
  KeySchema,
  NameSchema,
  PageQuery,
  pageOf,
  problemResponse,
  readCursor,
  toIso,
  toIsoOrNull,
  toPage,
} from "./schemas.ts";

const BLOCKS = 1_000;

const NewSegmentSchema = z
  .strictObject({
    key: KeySchema,
    name: NameSchema,
    kind: z.enum(["dynamic", "static"]).default("dynamic"),
    condition: ConditionSchema.nullish(),
    visibility: z.enum(["public", "private"]).default("private").openapi({
      description: "The rule of a public segment may reach browsers.",
    }),
    status: z.enum(["draft", "active"]).default("draft"),
  })
  .openapi("NewSegment");

const SegmentChangeSchema = NewSegmentSchema.omit({ key: true, kind: true })
  .extend({ key: KeySchema.optional(), kind: z.enum(["dynamic", "static"]).optional() })
  .strict()
  .openapi("SegmentChange");

const SegmentSchema = z
  .object({
    key: KeySchema,
    name: z.string(),
    kind: z.enum(["dynamic", "static"]),
    condition: ConditionSchema.nullable(),
    visibility: z.enum(["public", "private"]),
    status: z.enum(["draft", "active", "archived"]),
    version: z.number().int(),
    describe: z.string().nullable().openapi({ description: "The condition in a sentence." }),
    createdAt: IsoSchema,
    updatedAt: IsoSchema,
  })
  .openapi("Segment");

const SavedSegmentSchema = SegmentSchema.extend({ warnings: WarningsSchema }).openapi("SavedSegment");

const CountedSegmentSchema = SegmentSchema.extend({
  members: z.number().int(),
  backfill: BackfillSchema.nullable().openapi({
    description: "While everybody is being decided by changed rules; null: members are whom the rules say.",
  }),
}).openapi("CountedSegment");

const MemberSchema = z.object({ profile: z.string(), since: IsoSchema, until: IsoSchema.nullable() }).openapi("Member");

const params = z.object({ key: KeySchema });

export const segments = newApp()
  .openapi(
    createRoute({
      method: "post",
      path: "/",
      summary: "Create a segment",
      tags: ["Segments"],
      request: jsonBody(NewSegmentSchema),
      responses: { 201: json(SavedSegmentSchema, "The segment; live at once if it is active."), ...problemResponse },
    }),
    async (c) => {
      const siteId = siteOf(c);
      const now = c.get("now");
      const { key, name, kind, visibility, status, ...body } = c.req.valid("json");
      if (key === "warnings") {
        const detail = "The key warnings is the address of something else.";
        throw new Problem("invalid-request", detail, { errors: [{ pointer: "/key", code: "reserved", detail }] });
      }
      const condition = await checkSegment(c, { key, kind, status, condition: body.condition ?? null });
      if (kind === "static") await checkVacant(c, key);
      const segment = await insertSegment(c.env.DB, siteId, {
        ...{ key, name, kind, condition, visibility, status },
        createdAt: now,
        updatedAt: now,
      });
      if (!segment) throw new Problem("conflict", `The segment ${key} exists already.`);
      if (segment.status === "active") await publishRules(c, siteId);
      c.header("etag", etagOf(segment));
      c.header("location", `/api/segments/${key}`);
      return c.json({ ...toAnswer(segment), warnings: await lintSaved(c, condition) }, 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/",
      summary: "List segments",
      tags: ["Segments"],
      request: { query: PageQuery.extend({ archived: z.enum(["true", "false"]).default("false") }) },
      responses: { 200: json(pageOf(SegmentSchema, "SegmentPage"), "A page of segments."), ...problemResponse },
    }),
    async (c) => {
      const { limit, cursor, archived } = c.req.valid("query");
      const page = { after: readCursor(cursor, z.string(), ""), limit: limit + 1, archived: archived === "true" };
      const rows = await listSegments(c.env.DB, siteOf(c), page);
      return c.json(
        toPage(rows.map(toAnswer), limit, ({ key }) => key),
        200,
      );
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/{key}",
      summary: "Read a segment, with its number of members",
      tags: ["Segments"],
      request: { params },
      responses: { 200: json(CountedSegmentSchema, "The segment."), ...problemResponse },
    }),
    async (c) => {
      const segment = await findSegment(c, c.req.valid("param").key);
      const members = await countMembers(c, segment.key);
      const backfill = await readBackfill(c.env.DB, siteOf(c));
      c.header("etag", etagOf(segment));
      return c.json(
        {
          ...toAnswer(segment),
          members,
          backfill: backfill && backfill.finishedAt === null ? toBackfillAnswer(backfill, c.get("now")) : null,
        },
        200,
      );
    },
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/{key}",
      summary: "Replace a segment; live at once if it is active",
      tags: ["Segments"],
      request: { params, ...jsonBody(SegmentChangeSchema) },
      responses: { 200: json(SavedSegmentSchema, "The segment as it is now."), ...problemResponse },
    }),
    async (c) => {
      const siteId = siteOf(c);
      const now = c.get("now");
      const { key } = c.req.valid("param");
      const old = await findSegment(c, key);
      checkIfMatch(c, etagOf(old));
      const { key: named = key, kind = old.kind, name, visibility, status, ...body } = c.req.valid("json");
      if (named !== key || kind !== old.kind) {
        const pointer = named !== key ? "/key" : "/kind";
        throw new Problem("invalid-request", "A segment keeps its key and kind.", {
          errors: [{ pointer, code: "immutable", detail: "This cannot be changed." }],
        });
      }
      const condition = await checkSegment(c, { key, kind, status, condition: body.condition ?? null });
      if (old.status === "active" && status !== "active") {
        await checkUnused(c, key);
        if (kind === "static") await checkEmpty(c, key);
      }
      const change = { key, name, condition, visibility, status };
      const segment = await updateSegment(c.env.DB, siteId, change, old.version, now);
      if (!segment) throw new Problem("version-mismatch");
      if (old.status === "active" || segment.status === "active") await publishRules(c, siteId);
      c.header("etag", etagOf(segment));
      return c.json({ ...toAnswer(segment), warnings: await lintSaved(c, condition) }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/{key}",
      summary: "Archive a segment that nothing uses",
      tags: ["Segments"],
      request: { params },
      responses: { 200: json(SegmentSchema, "The archived segment."), ...problemResponse },
    }),
    async (c) => {
      const siteId = siteOf(c);
      const now = c.get("now");
      const old = await findSegment(c, c.req.valid("param").key);
      checkIfMatch(c, etagOf(old));
      await checkUnused(c, old.key);
      const segment = await updateSegment(c.env.DB, siteId, { ...old, status: "archived" }, old.version, now);
      if (!segment) throw new Problem("version-mismatch");
      if (old.status === "active") await publishRules(c, siteId);
      return c.json(toAnswer(segment), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/{key}/members",
      summary: "List the profiles in a segment",
      description:
        "Whom time alone moves in or out is moved within a minute: until then somebody whose `until` is past is listed.",
      tags: ["Segments"],
      request: { params, query: PageQuery },
      responses: { 200: json(pageOf(MemberSchema, "MemberPage"), "A page of members."), ...problemResponse },
    }),
    async (c) => {
      const { key } = await findSegment(c, c.req.valid("param").key);
      const { limit, cursor } = c.req.valid("query");
      const rows = await listMembers(c.env.DB, siteOf(c), key, readCursor(cursor, z.string(), ""), limit + 1);
      const { data, next } = toPage(rows, limit, ({ profileId }) => profileId);
      const members = data.map(({ profileId, since, until }) => ({
        profile: profileId,
        since: toIso(since),
        until: toIsoOrNull(until),
      }));
      return c.json({ data: members, next }, 200);
    },
  );

/** @throws Problem `not-found` without such a segment, or where it is archived */
export async function findSegment(c: ApiContext, key: string): Promise<Segment> {
  const segment = await readSegment(c.env.DB, siteOf(c), key);
  if (!segment || segment.status === "archived") throw new Problem("not-found", `There is no segment ${key}.`);
  return segment;
}

async function checkSegment(
  c: ApiContext,
  segment: { key: string; kind: Segment["kind"]; status: Segment["status"]; condition: unknown },
): Promise<Condition | null> {
  if (segment.kind === "static") {
    if (segment.condition === null) return null;
    throw new Problem("invalid-condition", "A static segment has no condition.", {
      errors: [{ pointer: "/condition", code: "unexpected", detail: "A static segment has no condition." }],
    });
  }
  const condition = parseCondition(segment.condition, "/condition");
  const { results } = await selectSegments(c.env.DB, siteOf(c)).all<SegmentRow>();
  const errors = checkReferences(condition, results.map(toSegment), {
    self: segment.key,
    live: segment.status === "active",
    pointer: "/condition",
  });
  if (errors.length) throw new Problem("invalid-condition", errors[0]!.detail, { errors });
  return condition;
}

async function countMembers(c: ApiContext, key: string): Promise<number> {
  return (await readNewestHours(c.env.DB, siteOf(c), [key])).get(key)?.members ?? 0;
}

/** @throws Problem `conflict` while an archived segment's members, who are still moved out, would be on the new list */
async function checkVacant(c: ApiContext, key: string): Promise<void> {
  const old = await readSegment(c.env.DB, siteOf(c), key);
  const members = old?.status === "archived" ? await countMembers(c, key) : 0;
  if (!members) return;
  const detail = `${plural(members, "member")} of the archived segment ${key} still have to be moved out: try again in a few minutes, or take another key.`;
  throw new Problem("conflict", detail);
}

/** @throws Problem `conflict` for a list with members: only what is active keeps them */
async function checkEmpty(c: ApiContext, key: string): Promise<void> {
  const members = await countMembers(c, key);
  if (!members) return;
  const detail = `The list ${key} would lose its ${plural(members, "member")}: archive it, or empty it by a replacing upload first.`;
  throw new Problem("conflict", detail);
}

/** @throws Problem `conflict` that names what looks at the segment: drafts and live versions. */
async function checkUnused(c: ApiContext, key: string): Promise<void> {
  const siteId = siteOf(c);
  const [segments, live] = await c.env.DB.batch([selectSegments(c.env.DB, siteId), selectLiveBlocks(c.env.DB, siteId)]);
  const drafts = await listBlocks(c.env.DB, siteId, { after: "", limit: BLOCKS, archived: false });
  const users = findUsers(key, (segments!.results as SegmentRow[]).map(toSegment), [
    ...drafts,
    ...(live!.results as BlockVersionRow[]).map(toBlockVersion),
  ]);
  if (users.length) throw new Problem("conflict", `The segment ${key} is used by ${users.join(", ")}.`);
}

function toAnswer(segment: Segment): z.infer<typeof SegmentSchema> {
  const { key, name, kind, condition, visibility, status, version } = segment;
  return {
    ...{ key, name, kind, visibility, status, version },
    condition: condition as { [key: string]: unknown } | null,
    describe: condition && describe(condition),
    createdAt: toIso(segment.createdAt),
    updatedAt: toIso(segment.updatedAt),
  };
}

function etagOf({ version, status }: Segment): string {
  return toEtag(version, status);
}
