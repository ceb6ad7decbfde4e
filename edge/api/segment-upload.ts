/** Static segments by upload: a list of identifiers, as CSV or JSON, added, removed, or put in place of what was there. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { UPLOAD_ROWS } from "../../shared/limits.ts";
import type { Segment } from "../db/segments.ts";
import { renewSite } from "../manifest/read.ts";
import { Problem } from "../problem.ts";
import { FAULTS, readIdentifierCsv, readIdentifiers } from "../segments/list.ts";
import { applyList, MODES, matchRows } from "../segments/upload.ts";
import { type ApiContext, newApp, siteOf } from "./app.ts";
import { isCsv } from "./middleware/body.ts";
import { findSite } from "./profiles.ts";
import { json, KeySchema, problemResponse } from "./schemas.ts";
import { findSegment } from "./segments.ts";

/** Rows without a match that the answer lists. */
const UNMATCHED = 1_000;
/** What is not done by then is left to the next request; D1 takes 1,000 statements of one. */
const BUDGET_MS = 20_000;
const STATEMENTS = 900;

const ValueSchema = z.union([z.string(), z.int()]);
const GivenSchema = z.union([
  z.string(),
  z.record(z.string(), ValueSchema).openapi({ description: "By kind.", example: { email: "ada@shop.example" } }),
]);

const ListSchema = z
  .strictObject({
    identifiers: z
      .array(GivenSchema)
      .max(UPLOAD_ROWS, `A list has at most ${UPLOAD_ROWS} rows: split it.`)
      .openapi({ description: "A text is a userId. Of several kinds the strongest that somebody is known by counts." }),
  })
  .openapi("MemberList", { example: { identifiers: ["u-1", { email: "ada@shop.example" }] } });

const UploadQuery = z.object({
  mode: z.enum(MODES).default("add").openapi({ description: "`replace`: whoever is not on the list leaves." }),
  allowEmpty: z.enum(["true", "false"]).default("false").openapi({
    description: "`true`: a replacing list that leads to nobody is meant, and everybody leaves.",
  }),
});

const UploadSchema = z
  .object({
    rows: z.number().int().openapi({ description: "Rows with something in them, the header aside." }),
    matched: z.number().int().openapi({ description: "Rows that lead to somebody." }),
    added: z.number().int().openapi({ description: "People who came in." }),
    removed: z.number().int().openapi({ description: "People who left." }),
    already: z.number().int().openapi({ description: "People on the list of whom nothing had to change." }),
    complete: z.boolean().openapi({
      description: "False: send the same list again, under another Idempotency-Key, and the rest is done.",
    }),
    unmatchedRows: z.number().int(),
    unmatched: z
      .array(
        z.object({
          row: z
            .number()
            .int()
            .openapi({ description: "As a spreadsheet counts; in JSON the place in the list from 1." }),
          column: z.string().nullable().openapi({ description: "The strongest identifier that the row gives." }),
          reason: z.enum(FAULTS).openapi({
            description:
              "empty: no identifier; ragged: another number of fields than the header; encoding: not UTF-8; invalid: a value that identifies nobody; unknown: nobody is known by it.",
          }),
        }),
      )
      .openapi({ description: `The first ${UNMATCHED}.` }),
  })
  .openapi("MemberUpload");

export const segmentUpload = newApp().openapi(
  createRoute({
    method: "post",
    path: "/{key}/members",
    summary: "Upload the members of a static segment",
    description: `CSV in UTF-8 or UTF-16 with a header that has userId, email, phone, anonymousId or another kind of the site among its columns, or JSON. Fields are separated by
commas, semicolons or tabs; \`E-Mail\`, \`Email Address\`, \`user_id\` and \`Phone Number\` are read, too. A single
column without such a header holds userIds, e-mail addresses included. At most ${UPLOAD_ROWS} rows, 1 MB of CSV or 500 KB of JSON. Only people
who are known come in. Sending a list again changes nothing. What a list says holds for the identifiers that it names: of a person's the newest word
counts, and if they turn out to be two people, each keeps what was said of theirs.`,
    tags: ["Segments"],
    request: {
      params: z.object({ key: KeySchema }),
      query: UploadQuery,
      body: {
        content: {
          "application/json": { schema: ListSchema },
          "text/csv": { schema: z.string().openapi({ example: "email\nada@shop.example\n" }) },
        },
      },
    },
    responses: { 200: json(UploadSchema, "What came of the list."), ...problemResponse },
  }),
  async (c) => {
    const siteId = siteOf(c);
    const { key } = c.req.valid("param");
    const { mode, allowEmpty } = c.req.valid("query");
    const segment = await findUploadable(c, key);
    const { identity } = await findSite(c);
    const rows = isCsv(c.req.raw.headers)
      ? await readIdentifierCsv(new Uint8Array(await c.req.arrayBuffer()), identity)
      : readIdentifiers((c.req.valid("json") as z.output<typeof ListSchema>).identifiers, identity); // the type has CSV's text too
    const { named, unmatched } = await matchRows(c.env.DB, siteId, rows);
    if (mode === "replace" && !named.size && allowEmpty === "false") {
      const detail = `No row of ${rows.length} leads to anybody, so that everybody would leave: say allowEmpty=true if that is meant.`;
      throw new Problem("invalid-request", detail);
    }
    // Where this clock is behind the one that the list was made by, what is said now is of this list all the same.
    const now = () => Math.max(Date.now(), segment.createdAt);
    const budget = { deadline: now() + BUDGET_MS, statements: STATEMENTS };
    const applied = await applyList(c.env, siteId, segment, named, mode, now, budget);
    return c.json(
      {
        rows: rows.length,
        matched: rows.length - unmatched.length,
        ...applied,
        unmatchedRows: unmatched.length,
        unmatched: unmatched.slice(0, UNMATCHED),
      },
      200,
    );
  },
);

/** @throws Problem `conflict` for a segment that is no list, or is not live: its members would be forgotten */
async function findUploadable(c: ApiContext, key: string): Promise<Segment> {
  const segment = await findSegment(c, key);
  const { kind, status } = segment;
  if (kind === "dynamic")
    throw new Problem(
      "conflict",
      `The segment ${key} is dynamic: its condition says who is in it. Upload to a static one.`,
    );
  if (status !== "active")
    throw new Problem("conflict", `The segment ${key} is a ${status}: make it active, then upload.`);
  // Elsewhere it may have become active just now.
  await renewSite(c.env, siteOf(c), c.get("now"));
  return segment;
}
