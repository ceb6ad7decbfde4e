/** The audit as developers read it, and whether the chain over it holds: told, or all that it takes to find out without us. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { AUDIT_PROBLEMS, type ChainEntry } from "../../shared/audit.ts";
import { IDENTIFIER_LENGTH, NAME_LENGTH } from "../../shared/limits.ts";
import { sealSite } from "../audit/seal.ts";
import { type Piece, readPiece, verifyPiece } from "../audit/verify.ts";
import { AUDIT_ACTIONS, AUDIT_WINDOW, listAudit, listAuditOf, readLastSeq } from "../db/audit.ts";
import { readSeal } from "../db/audit-seals.ts";
import { listComponent } from "../db/identifiers.ts";
import { type ApiContext, newApp, siteOf } from "./app.ts";
import {
  IsoSchema,
  json,
  PageQuery,
  pageOf,
  problemResponse,
  QueryTimeSchema,
  readCursor,
  toCursor,
  toIso,
  toPage,
} from "./schemas.ts";

const SeqSchema = z
  .number()
  .int()
  .openapi({ description: "1, 2, 3 … within the site, in the order of what was done." });

const AuditEntrySchema = z
  .object({
    seq: SeqSchema,
    at: IsoSchema,
    actor: z.string().openapi({
      description: "browser, server, import: the source of an event; key:… a developer's key; system: Attune itself.",
    }),
    action: z.enum(AUDIT_ACTIONS),
    subjects: z.array(z.string()).openapi({
      description:
        "The profiles that the identifiers concerned began as: ids that lead to whatever they are part of now. Of publish, rollback and archive: block:<key>.",
    }),
    detail: z.unknown().openapi({
      description:
        "The evidence; of publish, rollback and archive {block, from, to}, the versions that were live before and are from then on, null: none. null: erased, with the person whom it was about.",
    }),
  })
  .openapi("AuditEntry");

const HashSchema = z.string().openapi({ description: "SHA-256, 64 hexadecimal digits." });
const HeadSchema = z.object({ seq: SeqSchema, hash: HashSchema });

const AuditVerdictSchema = z
  .object({
    valid: z.boolean().openapi({
      description: "Nothing is wrong with the entries looked at; and the anchor, if one was given, is in the chain.",
    }),
    break: z
      .object({ seq: z.number(), problem: z.enum(AUDIT_PROBLEMS) })
      .nullable()
      .openapi({
        description: `The first that is wrong. entry-missing, entry-changed: it is gone, or not what it was; entry-unexpected: it was
put in between; detail-missing: its detail was taken away though nobody was erased whom it names; seal-changed: the seal over it, or one before that, was changed or is gone.`,
      }),
    checked: z.number().int().openapi({ description: "Entries looked at." }),
    redacted: z
      .number()
      .int()
      .openapi({ description: "Of them, those whose details were erased; that breaks nothing." }),
    entries: z.number().int().openapi({ description: "Of the site." }),
    sealed: z.number().int().openapi({ description: "Entries of the site that the chain stands over." }),
    unsealed: z.number().int().openapi({ description: "Entries that it does not stand over yet: at most a minute's." }),
    head: HeadSchema.nullable().openapi({
      description:
        "The end of the chain; null while it is empty. Kept elsewhere it is an anchor: it proves later that nothing up to it has changed.",
    }),
    anchor: HeadSchema.extend({ holds: z.boolean() }).optional(),
    next: z.string().nullable().openapi({ description: "null: this was the end." }),
  })
  .openapi("AuditVerdict");

const ChainEntrySchema = AuditEntrySchema.extend({
  salt: z.string().nullable(),
  detailHash: z.string().nullable().openapi({ description: "In place of an erased detail." }),
}).openapi("AuditChainEntry");

const AuditChainSchema = z
  .object({
    site: z.string().openapi({ description: "Stands before the first seal, in place of a hash." }),
    data: z.array(
      z.object({
        seal: HeadSchema.extend({ at: IsoSchema, digests: z.array(HashSchema) }),
        entries: z.array(ChainEntrySchema),
      }),
    ),
    unsealed: z.array(ChainEntrySchema).openapi({ description: "On the last page: what no seal stands over yet." }),
    next: z.string().nullable(),
  })
  .openapi("AuditChain");

const ListQuery = PageQuery.extend({
  subject: z.string().max(IDENTIFIER_LENGTH).optional().openapi({
    description:
      "A profile, by any id that it ever had: what concerns any of its identifiers. block:<key>: what became live of a block. Left out: the whole site.",
  }),
  action: z.enum(AUDIT_ACTIONS).optional(),
  actor: z.string().max(NAME_LENGTH).optional(),
  from: QueryTimeSchema.optional(),
  to: QueryTimeSchema.optional().openapi({ description: "Before it." }),
});

const ChainQuery = PageQuery.extend({
  limit: z.coerce.number().int().min(1).max(1_000).default(1_000).openapi({
    description: "About how many entries; never fewer than one seal stands over.",
  }),
});

const VerifyQuery = ChainQuery.extend({
  anchor: z
    .string()
    .regex(/^\d{1,15}:[0-9a-f]{64}$/, "An anchor is the seq and the hash of a head: <seq>:<hash>.")
    .optional()
    .openapi({ description: "A `head` of earlier, as <seq>:<hash>." }),
});

export const audit = newApp()
  .openapi(
    createRoute({
      method: "get",
      path: "/",
      summary: "List who did what to whom, on which evidence, and who made which block live, the newest first",
      description: `Where filters leave out much of a whole site's audit, a page may hold less than \`limit\`, or nothing, and still have
a \`next\`: each looks at ${AUDIT_WINDOW} entries.`,
      tags: ["Audit"],
      request: { query: ListQuery },
      responses: { 200: json(pageOf(AuditEntrySchema, "AuditPage"), "A page of the audit."), ...problemResponse },
    }),
    async (c) => {
      const { limit, cursor, subject, action, actor, from, to } = c.req.valid("query");
      const siteId = siteOf(c);
      const { DB } = c.env;
      const filter = { action: action ?? null, actor: actor ?? null, from: from ?? null, to: to ?? null };
      const end = readCursor(cursor, z.int(), null) ?? (await readLastSeq(DB, siteId)) + 1;
      if (subject !== undefined) {
        const rows = await listAuditOf(DB, siteId, await birthIdsOf(c, subject), filter, end, limit + 1);
        const { data, next } = toPage(rows, limit, ({ seq }) => seq);
        return c.json({ data: data.map(toEntry), next }, 200);
      }
      const first = end - AUDIT_WINDOW;
      const rows = await listAudit(DB, siteId, filter, first, end, limit + 1);
      const { data, next } = toPage(rows, limit, ({ seq }) => seq);
      return c.json({ data: data.map(toEntry), next: next ?? (first > 1 ? toCursor(first) : null) }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/verify",
      summary: "Tell whether the audit is what it was",
      description: `Entries that no seal stands over yet are sealed first. Then a piece of the chain is computed anew, from the oldest
entry on: the audit holds if every piece does, up to where \`next\` is null. Whoever can write to the database could compute the
whole chain anew; a \`head\` that you keep elsewhere and give as \`anchor\` later shows that too. \`npm run attune -- audit verify\` does
all of it, and computes by itself.`,
      tags: ["Audit"],
      request: { query: VerifyQuery },
      responses: { 200: json(AuditVerdictSchema, "What is wrong, if anything."), ...problemResponse },
    }),
    async (c) => {
      const siteId = siteOf(c);
      const { DB } = c.env;
      const piece = await readAskedPiece(c, c.req.valid("query"));
      const { checked, redacted, breaks } = await verifyPiece(DB, siteId, piece);
      const entries = await readLastSeq(DB, siteId);
      const sealed = piece.head?.seq ?? 0;
      const anchor = await readAnchor(c, c.req.valid("query").anchor);
      const verdict = {
        valid: breaks.length === 0 && anchor?.holds !== false,
        break: breaks[0] ?? null,
        ...{ checked, redacted, entries, sealed },
        unsealed: Math.max(0, entries - sealed),
        head: piece.head,
        ...(anchor && { anchor }),
        next: toNext(piece),
      };
      return c.json(verdict, 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/chain",
      summary: "Read the audit with the chain over it, the oldest first",
      description: `All that it takes to verify the audit without trusting this server. A seal's hash is SHA-256 of
\`[hash of the seal before, seq, at, digests]\` as JSON, with the site's id before the first; an entry's digest is SHA-256 of
\`[seq, at, actor, action, subjects, detailHash]\`, where detailHash, unless the detail is erased, is SHA-256 of
\`[salt, the detail as JSON]\`. \`at\` enters as epoch milliseconds. No JSON has spaces.`,
      tags: ["Audit"],
      request: { query: ChainQuery },
      responses: { 200: json(AuditChainSchema, "A piece of the chain."), ...problemResponse },
    }),
    async (c) => {
      const piece = await readAskedPiece(c, c.req.valid("query"));
      const data = piece.sealed.map(({ seal, entries }) => ({
        seal: { seq: seal.seq, at: toIsoOrText(seal.at), digests: [...seal.digests], hash: seal.hash },
        entries: entries.map(toChainEntry),
      }));
      const unsealed = piece.unsealed.map(toChainEntry);
      return c.json({ site: siteOf(c), data, unsealed, next: toNext(piece) }, 200);
    },
  );

/** Those of the profile that an id leads to; of somebody erased, only the one asked for is known. */
async function birthIdsOf(c: ApiContext, id: string): Promise<string[]> {
  const component = await listComponent(c.env.DB, siteOf(c), id);
  return component.length ? component.map(({ birthId }) => birthId) : [id];
}

async function readAskedPiece(c: ApiContext, { cursor, limit }: z.infer<typeof ChainQuery>): Promise<Piece> {
  const after = readCursor(cursor, z.int(), 0);
  const { DB } = c.env;
  const siteId = siteOf(c);
  const seal = () => sealSite(DB, siteId, c.get("now"));
  if (cursor === undefined) await seal();
  const piece = await readPiece(DB, siteId, after, limit);
  if (piece.next !== null) return piece;
  const told = piece.unsealed.at(-1)?.seq ?? piece.head?.seq ?? 0;
  if ((await readLastSeq(DB, siteId)) <= told) return piece;
  // More waited than was sealed at once: the end is where nothing more can be sealed.
  await seal();
  return readPiece(DB, siteId, after, limit);
}

async function readAnchor(c: ApiContext, text: string | undefined) {
  if (text === undefined) return undefined;
  const [seq, hash] = text.split(":") as [string, string];
  const seal = await readSeal(c.env.DB, siteOf(c), Number(seq));
  return { seq: Number(seq), hash, holds: seal?.hash === hash };
}

function toNext({ next }: Piece): string | null {
  return next === null ? null : toCursor(next);
}

function toEntry({ seq, at, actor, action, subjects, detail }: ChainEntry): z.infer<typeof AuditEntrySchema> {
  return {
    ...{ seq, at: toIsoOrText(at), actor, action: action as (typeof AUDIT_ACTIONS)[number], subjects: [...subjects] },
    detail: detail === null ? null : JSON.parse(detail),
  };
}

function toChainEntry(entry: ChainEntry): z.infer<typeof ChainEntrySchema> {
  return { ...toEntry(entry), salt: entry.salt, detailHash: entry.detailHash };
}

/** Whoever changed a time may have made it none; the rest is to be read all the same. */
function toIsoOrText(at: number): string {
  return Math.abs(at) <= 8.64e15 ? toIso(at) : String(at);
}
