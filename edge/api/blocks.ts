/** Blocks: drafts are saved, versions are published, any published version can be live again. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { TEMPLATE_BYTES } from "../../shared/limits.ts";
import type { Variant } from "../../shared/manifest.ts";
import {
  archiveBlock,
  type Block,
  type BlockVersion,
  insertBlock,
  listBlocks,
  listBlockVersions,
  publishBlock,
  readBlock,
  readBlockVersion,
  rollbackBlock,
  updateBlock,
} from "../db/blocks.ts";
import { publish } from "../manifest/publish.ts";
import { Problem } from "../problem.ts";
import { type ApiContext, newApp, siteOf } from "./app.ts";
import { checkBody, checkLive } from "./block-checks.ts";
import { ConditionSchema } from "./condition.ts";
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

const VARIANTS = 50;

const TemplateSchema = z
  .string()
  .max(TEMPLATE_BYTES)
  .openapi({ description: "Liquid.", example: "Hi {{ customer.name | default: 'you' }}" });

export const BlockBodyShape = {
  slot: KeySchema.openapi({ description: "The place it fills: <attune-block name>.", example: "hero" }),
  variants: z
    .array(
      z.strictObject({
        key: KeySchema,
        audience: ConditionSchema.nullable().default(null).openapi({ description: "Null: everyone." }),
        template: TemplateSchema,
      }),
    )
    .max(VARIANTS)
    .openapi({ description: "In order: the first whose audience is true wins." }),
  fallback: TemplateSchema.nullable().default(null).openapi({ description: "Null: the page's own content stays." }),
};

const NewBlockSchema = z.strictObject({ key: KeySchema, ...BlockBodyShape }).openapi("NewBlock");
const BlockChangeSchema = z.strictObject({ key: KeySchema.optional(), ...BlockBodyShape }).openapi("BlockChange");

const VariantSchema = z
  .object({ key: z.string(), audience: ConditionSchema.nullable(), template: z.string() })
  .openapi("Variant");

const BlockSchema = z
  .object({
    key: z.string(),
    slot: z.string(),
    variants: z.array(VariantSchema),
    fallback: z.string().nullable(),
    status: z.enum(["draft", "active", "archived"]),
    version: z.number().int().openapi({ description: "Of the draft." }),
    liveVersion: z.number().int().nullable(),
    createdAt: IsoSchema,
    updatedAt: IsoSchema,
  })
  .openapi("Block");

const PublishedBlockSchema = BlockSchema.extend({ warnings: WarningsSchema }).openapi("PublishedBlock");

const BlockVersionSchema = z
  .object({
    version: z.number().int(),
    slot: z.string(),
    variants: z.array(VariantSchema),
    fallback: z.string().nullable(),
    publishedAt: IsoSchema,
  })
  .openapi("BlockVersion");

const params = z.object({ key: KeySchema });

export const blocks = newApp()
  .openapi(
    createRoute({
      method: "post",
      path: "/",
      summary: "Create a block as a draft",
      tags: ["Blocks"],
      request: jsonBody(NewBlockSchema),
      responses: { 201: json(BlockSchema, "The draft."), ...problemResponse },
    }),
    async (c) => {
      const { key, slot, ...input } = c.req.valid("json");
      const body = await checkBody(c, input, false);
      const block = await insertBlock(c.env.DB, siteOf(c), { key, slot, ...body }, c.get("now"));
      if (!block) throw new Problem("conflict", `The block ${key} exists already.`);
      c.header("etag", etagOf(block));
      c.header("location", `/api/blocks/${key}`);
      return c.json(toAnswer(block), 201);
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
        toPage(rows.map(toAnswer), limit, ({ key }) => key),
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
      return c.json(toAnswer(block), 200);
    },
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/{key}",
      summary: "Replace a block's draft; what is live stays until it is published",
      tags: ["Blocks"],
      request: { params, ...jsonBody(BlockChangeSchema) },
      responses: { 200: json(BlockSchema, "The draft as it is now."), ...problemResponse },
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
      const body = await checkBody(c, input, false);
      const block = await updateBlock(c.env.DB, siteOf(c), { key, slot, ...body }, old.version, c.get("now"));
      if (!block) throw new Problem("version-mismatch");
      c.header("etag", etagOf(block));
      return c.json(toAnswer(block), 200);
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
      const block = await archiveBlock(c.env.DB, siteOf(c), old.key, c.get("now"));
      if (!block) throw new Problem("not-found");
      if (old.liveVersion !== null) await publish(c.env, siteOf(c), c.get("now"));
      return c.json(toAnswer(block), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/{key}/publish",
      summary: "Make the draft live",
      tags: ["Blocks"],
      request: { params },
      responses: { 200: json(PublishedBlockSchema, "The block, live."), ...problemResponse },
    }),
    async (c) => {
      const draft = await findBlock(c, c.req.valid("param").key);
      checkIfMatch(c, etagOf(draft));
      await checkLive(c, draft);
      const block = await publishBlock(c.env.DB, siteOf(c), draft.key, draft.version, c.get("now"));
      if (!block) throw new Problem("version-mismatch");
      await publish(c.env, siteOf(c), c.get("now"));
      c.header("etag", etagOf(block));
      return c.json({ ...toAnswer(block), warnings: await lintBlock(c, draft) }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/{key}/rollback",
      summary: "Make an earlier published version live again; the draft stays as it is",
      tags: ["Blocks"],
      request: { params, ...jsonBody(z.strictObject({ version: z.number().int().min(1) })) },
      responses: { 200: json(BlockSchema, "The block, with the version that is live now."), ...problemResponse },
    }),
    async (c) => {
      const old = await findBlock(c, c.req.valid("param").key);
      checkIfMatch(c, etagOf(old));
      const { version } = c.req.valid("json");
      const earlier = await readBlockVersion(c.env.DB, siteOf(c), old.key, version);
      if (!earlier) throw new Problem("not-found", `Version ${version} of ${old.key} was never published.`);
      await checkLive(c, earlier);
      const block = await rollbackBlock(c.env.DB, siteOf(c), old.key, version, c.get("now"));
      if (!block) throw new Problem("not-found");
      await publish(c.env, siteOf(c), c.get("now"));
      c.header("etag", etagOf(block));
      return c.json(toAnswer(block), 200);
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
  );

async function findBlock(c: ApiContext, key: string): Promise<Block> {
  const block = await readBlock(c.env.DB, siteOf(c), key);
  if (!block || block.status === "archived") throw new Problem("not-found", `There is no block ${key}.`);
  return block;
}

type Json = { [key: string]: unknown };

function toVariants(variants: readonly Variant[]): z.infer<typeof VariantSchema>[] {
  return variants.map(({ key, audience, template }) => ({ key, audience: audience as Json | null, template }));
}

function toAnswer(block: Block): z.infer<typeof BlockSchema> {
  const { key, slot, fallback, status, version, liveVersion } = block;
  return {
    ...{ key, slot, fallback, status, version, liveVersion },
    variants: toVariants(block.variants),
    createdAt: toIso(block.createdAt),
    updatedAt: toIso(block.updatedAt),
  };
}

function toVersionAnswer({
  version,
  slot,
  variants,
  fallback,
  publishedAt,
}: BlockVersion): z.infer<typeof BlockVersionSchema> {
  return { version, slot, variants: toVariants(variants), fallback, publishedAt: toIso(publishedAt) };
}

function etagOf({ version, liveVersion, status }: Block): string {
  return toEtag(version, liveVersion, status);
}
