/** Blocks: drafts are saved, versions are published, any published version can be live again. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import {
  type Author,
  archiveBlock,
  type Block,
  type BlockVersion,
  insertBlock,
  type LiveSchedule,
  listBlocks,
  listBlockVersions,
  publishBlock,
  readBlock,
  readBlockVersion,
  readLiveSchedules,
  rollbackBlock,
  updateBlock,
} from "../db/blocks.ts";
import { readSiteRow } from "../db/sites.ts";
import { publish } from "../manifest/publish.ts";
import { Problem } from "../problem.ts";
import { type ApiContext, newApp, siteOf } from "./app.ts";
import { BlockBodyShape, NullableLiveSchema, toBodyAnswer, toLive } from "./block-body.ts";
import { checkBody, checkLive, readSurroundings } from "./block-checks.ts";
import { checkIfMatch, toEtag } from "./etag.ts";
import { lintBlock, WarningsSchema } from "./lint.ts";
import {
  IsoSchema,
  json,
  jsonBody,
  KeySchema,
  PageQuery,
  pageOf,
  problemResponse,
  readCursor,
  toIso,
  toPage,
} from "./schemas.ts";

const NewBlockSchema = z.strictObject({ key: KeySchema, ...BlockBodyShape }).openapi("NewBlock");
const BlockChangeSchema = z.strictObject({ key: KeySchema.optional(), ...BlockBodyShape }).openapi("BlockChange");

const BlockSchema = z
  .object({
    key: z.string(),
    ...BlockBodyShape,
    status: z.enum(["draft", "active", "archived"]),
    version: z.number().int().openapi({ description: "Of the draft, which is what is answered here." }),
    liveVersion: z.number().int().nullable(),
    live: NullableLiveSchema.openapi({ description: "Null: nothing is." }),
    createdAt: IsoSchema,
    updatedAt: IsoSchema,
  })
  .openapi("Block");

const CheckedBlockSchema = BlockSchema.extend({ warnings: WarningsSchema }).openapi("CheckedBlock");

const BlockVersionSchema = z
  .object({ key: z.string(), version: z.number().int(), ...BlockBodyShape, publishedAt: IsoSchema })
  .openapi("BlockVersion");

const params = z.object({ key: KeySchema });

export const blocks = newApp()
  .openapi(
    createRoute({
      method: "post",
      path: "/",
      summary: "Create a block as a draft",
      description:
        "Nobody sees it until it is published. What is wrong is refused, what is probably not meant is told.",
      tags: ["Blocks"],
      request: jsonBody(NewBlockSchema),
      responses: { 201: json(CheckedBlockSchema, "The draft."), ...problemResponse },
    }),
    async (c) => {
      const { key, slot, ...input } = c.req.valid("json");
      const around = await readSurroundings(c);
      const body = await checkBody(input, around, c.env.PRESS);
      const block = await insertBlock(c.env.DB, siteOf(c), { key, slot, ...body }, c.get("now"));
      if (!block) throw new Problem("conflict", `The block ${key} exists already.`);
      c.header("etag", etagOf(block));
      c.header("location", `/api/blocks/${key}`);
      return c.json({ ...(await toAnswer(c, block)), warnings: await lintBlock(c, block, around) }, 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/",
      summary: "List blocks",
      tags: ["Blocks"],
      request: { query: PageQuery.extend({ archived: z.enum(["true", "false"]).default("false") }) },
      responses: { 200: json(pageOf(BlockSchema, "BlockPage"), "A page of blocks."), ...problemResponse },
    }),
    async (c) => {
      const { limit, cursor, archived } = c.req.valid("query");
      const page = { after: readCursor(cursor, z.string(), ""), limit: limit + 1, archived: archived === "true" };
      const rows = await listBlocks(c.env.DB, siteOf(c), page);
      return c.json(
        toPage(await toAnswers(c, rows), limit, ({ key }) => key),
        200,
      );
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/{key}",
      summary: "Read a block's draft",
      tags: ["Blocks"],
      request: { params },
      responses: { 200: json(BlockSchema, "The block."), ...problemResponse },
    }),
    async (c) => {
      const block = await findBlock(c, c.req.valid("param").key);
      c.header("etag", etagOf(block));
      return c.json(await toAnswer(c, block), 200);
    },
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/{key}",
      summary: "Replace a block's draft; what is live stays until it is published",
      description:
        "What is left out is reset to its default. With `If-Match` nobody overwrites what they have not seen.",
      tags: ["Blocks"],
      request: { params, ...jsonBody(BlockChangeSchema) },
      responses: { 200: json(CheckedBlockSchema, "The draft as it is now."), ...problemResponse },
    }),
    async (c) => {
      const old = await findBlock(c, c.req.valid("param").key);
      checkIfMatch(c, etagOf(old));
      const { key = old.key, slot, ...input } = c.req.valid("json");
      if (key !== old.key) {
        throw new Problem("invalid-request", "A block keeps its key.", {
          errors: [{ pointer: "/key", code: "immutable", detail: "This cannot be changed." }],
        });
      }
      const around = await readSurroundings(c);
      const body = await checkBody(input, around, c.env.PRESS);
      const block = await updateBlock(c.env.DB, siteOf(c), { key, slot, ...body }, old.version, c.get("now"));
      if (!block) throw new Problem("version-mismatch");
      c.header("etag", etagOf(block));
      return c.json({ ...(await toAnswer(c, block)), warnings: await lintBlock(c, block, around) }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/{key}",
      summary: "Archive a block; its slot keeps what the page has",
      tags: ["Blocks"],
      request: { params },
      responses: { 200: json(BlockSchema, "The archived block."), ...problemResponse },
    }),
    async (c) => {
      const old = await findBlock(c, c.req.valid("param").key);
      checkIfMatch(c, etagOf(old));
      const block = await archiveBlock(c.env.DB, siteOf(c), old.key, authorOf(c));
      if (!block) throw new Problem("not-found");
      if (old.liveVersion !== null) await publish(c.env, siteOf(c), c.get("now"));
      return c.json(await toAnswer(c, block), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/{key}/publish",
      summary: "Make the draft live",
      description: `Here at once, everywhere within a minute. Refused where a segment that it looks at is not active, and where one of its
texts stops for somebody of whom nothing is known, or for somebody whose every trait is a long, odd text. \`warnings\` tell what is probably
not meant. The audit says who made which version live in place of which (\`GET /api/audit?subject=block:<key>\`), as of rollbacks and archives.`,
      tags: ["Blocks"],
      request: { params },
      responses: { 200: json(CheckedBlockSchema, "The block, live."), ...problemResponse },
    }),
    async (c) => {
      const draft = await findBlock(c, c.req.valid("param").key);
      checkIfMatch(c, etagOf(draft));
      const around = await readSurroundings(c);
      checkLive(draft, around, c.get("now"));
      const block = await publishBlock(c.env.DB, siteOf(c), draft.key, draft.version, authorOf(c));
      if (!block) throw new Problem("version-mismatch");
      await publish(c.env, siteOf(c), c.get("now"));
      c.header("etag", etagOf(block));
      return c.json({ ...(await toAnswer(c, block)), warnings: await lintBlock(c, block, around) }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/{key}/rollback",
      summary: "Make an earlier published version live again; the draft stays as it is",
      description: "Here at once, everywhere within a minute. `warnings` are of the version that is live now.",
      tags: ["Blocks"],
      request: { params, ...jsonBody(z.strictObject({ version: z.number().int().min(1) })) },
      responses: { 200: json(CheckedBlockSchema, "The block, with the version that is live now."), ...problemResponse },
    }),
    async (c) => {
      const old = await findBlock(c, c.req.valid("param").key);
      checkIfMatch(c, etagOf(old));
      const { version } = c.req.valid("json");
      const earlier = await findVersion(c, old.key, version);
      const around = await readSurroundings(c);
      checkLive(earlier, around, c.get("now"));
      const block = await rollbackBlock(c.env.DB, siteOf(c), old.key, version, authorOf(c));
      if (!block) throw new Problem("not-found");
      await publish(c.env, siteOf(c), c.get("now"));
      c.header("etag", etagOf(block));
      return c.json({ ...(await toAnswer(c, block)), warnings: await lintBlock(c, earlier, around) }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/{key}/versions",
      summary: "List published versions, the newest first",
      tags: ["Blocks"],
      request: { params, query: PageQuery },
      responses: {
        200: json(pageOf(BlockVersionSchema, "BlockVersionPage"), "A page of versions."),
        ...problemResponse,
      },
    }),
    async (c) => {
      const { key } = await findBlock(c, c.req.valid("param").key);
      const { limit, cursor } = c.req.valid("query");
      const before = readCursor(cursor, z.number().int(), Number.MAX_SAFE_INTEGER);
      const rows = await listBlockVersions(c.env.DB, siteOf(c), key, before, limit + 1);
      return c.json(
        toPage(rows.map(toVersionAnswer), limit, ({ version }) => version),
        200,
      );
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/{key}/versions/{version}",
      summary: "Read a published version",
      tags: ["Blocks"],
      request: { params: params.extend({ version: z.coerce.number().int().min(1) }) },
      responses: { 200: json(BlockVersionSchema, "As it was published."), ...problemResponse },
    }),
    async (c) => {
      const { key, version } = c.req.valid("param");
      await findBlock(c, key);
      return c.json(toVersionAnswer(await findVersion(c, key, version)), 200);
    },
  );

async function findBlock(c: ApiContext, key: string): Promise<Block> {
  const block = await readBlock(c.env.DB, siteOf(c), key);
  if (!block || block.status === "archived") throw new Problem("not-found", `There is no block ${key}.`);
  return block;
}

async function findVersion(c: ApiContext, key: string, version: number): Promise<BlockVersion> {
  const found = await readBlockVersion(c.env.DB, siteOf(c), key, version);
  if (!found) throw new Problem("not-found", `Version ${version} of ${key} was never published.`);
  return found;
}

async function toAnswer(c: ApiContext, block: Block): Promise<z.infer<typeof BlockSchema>> {
  const [answer] = await toAnswers(c, [block]);
  return answer!;
}

async function toAnswers(c: ApiContext, blocks: readonly Block[]): Promise<z.infer<typeof BlockSchema>[]> {
  const { DB } = c.env;
  const siteId = siteOf(c);
  const keys = blocks.filter(({ liveVersion }) => liveVersion !== null).map(({ key }) => key);
  const [site, schedules] = keys.length
    ? await Promise.all([readSiteRow(DB, siteId), readLiveSchedules(DB, siteId, keys)])
    : [null, new Map<string, LiveSchedule>()];
  const timeZone = site?.settings.timeZone ?? "UTC";
  return blocks.map((block) => {
    const { key, status, version, liveVersion, createdAt, updatedAt } = block;
    const live = schedules.get(key);
    return {
      ...{ key, ...toBodyAnswer(block), status, version, liveVersion },
      live: live ? toLive(live, timeZone, c.get("now")) : null,
      ...{ createdAt: toIso(createdAt), updatedAt: toIso(updatedAt) },
    };
  });
}

function toVersionAnswer(block: BlockVersion): z.infer<typeof BlockVersionSchema> {
  const { key, version, publishedAt } = block;
  return { key, version, ...toBodyAnswer(block), publishedAt: toIso(publishedAt) };
}

function authorOf(c: ApiContext): Author {
  return { actor: c.get("actor"), at: c.get("now") };
}

function etagOf({ version, liveVersion, status }: Block): string {
  return toEtag(version, liveVersion, status);
}
