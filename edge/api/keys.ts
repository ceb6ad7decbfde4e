/** Keys of a site: write keys are public, secret keys are shown once and stored as a hash. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { insertKey, type Key, listKeys, revokeKey } from "../db/keys.ts";
import { readSiteRow } from "../db/sites.ts";
import { rememberSiteId } from "../manifest/memory.ts";
import { writeKeyName } from "../manifest/read.ts";
import { Problem } from "../problem.ts";
import { newApp, siteOf } from "./app.ts";
import {
  IsoSchema,
  json,
  jsonBody,
  NameSchema,
  PageQuery,
  pageOf,
  problemResponse,
  readCursor,
  toIso,
  toIsoOrNull,
  toPage,
} from "./schemas.ts";
import { buildKey } from "./secrets.ts";

const KeySchema = z
  .object({
    id: z.string(),
    kind: z.enum(["write", "secret"]),
    label: z.string(),
    hint: z.string().openapi({ description: "A write key in full, or the end of a secret key." }),
    createdAt: IsoSchema,
    revokedAt: IsoSchema.nullable(),
  })
  .openapi("Key");

const CreatedKeySchema = KeySchema.extend({
  key: z.string().openapi({ description: "A secret key is shown this once." }),
}).openapi("CreatedKey");

const NewKeySchema = z
  .strictObject({
    kind: z.enum(["write", "secret"]),
    label: NameSchema.default("Key"),
    siteId: z.string().max(64).optional().openapi({ description: "For the administrator: whose key it will be." }),
  })
  .openapi("NewKey");

export const keys = newApp()
  .openapi(
    createRoute({
      method: "get",
      path: "/",
      summary: "List the site's keys",
      tags: ["Keys"],
      request: { query: PageQuery },
      responses: { 200: json(pageOf(KeySchema, "KeyPage"), "A page of keys, the oldest first."), ...problemResponse },
    }),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const rows = await listKeys(c.env.DB, siteOf(c), readCursor(cursor, z.string(), ""), limit + 1);
      return c.json(
        toPage(rows.map(toAnswer), limit, ({ id }) => id),
        200,
      );
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/",
      summary: "Create a key",
      tags: ["Keys"],
      request: jsonBody(NewKeySchema),
      responses: { 201: json(CreatedKeySchema, "The key, in full this once."), ...problemResponse },
    }),
    async (c) => {
      const { kind, label, siteId: named } = c.req.valid("json");
      const siteId = c.get("siteId") ?? named ?? siteOf(c);
      if (named !== undefined && (named !== siteId || !(await readSiteRow(c.env.DB, named)))) {
        throw new Problem("not-found", "There is no such site here.");
      }
      const { secret, hash, row } = await buildKey(kind, c.get("now"));
      await insertKey(c.env.DB, hash, { ...row, siteId, label }).run();
      return c.json({ ...toAnswer({ ...row, siteId, label, revokedAt: null }), key: secret }, 201);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/{id}",
      summary: "Revoke a key: secret keys at once, write keys within a minute everywhere",
      tags: ["Keys"],
      request: { params: z.object({ id: z.string().max(64) }) },
      responses: { 200: json(KeySchema, "The revoked key."), ...problemResponse },
    }),
    async (c) => {
      const now = c.get("now");
      const revoked = await revokeKey(c.env.DB, siteOf(c), c.req.valid("param").id, now);
      if (!revoked) throw new Problem("not-found");
      if (revoked.key.kind === "write") {
        await c.env.KV.delete(writeKeyName(revoked.hash));
        rememberSiteId(revoked.key.hint, null, now);
      }
      return c.json(toAnswer(revoked.key), 200);
    },
  );

function toAnswer({ id, kind, label, hint, createdAt, revokedAt }: Key): z.infer<typeof KeySchema> {
  return { id, kind, label, hint, createdAt: toIso(createdAt), revokedAt: toIsoOrNull(revokedAt) };
}
