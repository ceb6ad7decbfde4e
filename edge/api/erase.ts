/** Erasure of a person: all that is stored of them goes, and does not come back. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { Problem } from "../problem.ts";
import { eraseProfile } from "../profiles/erase.ts";
import type { ProfileKey } from "../profiles/read.ts";
import { type ApiContext, newApp } from "./app.ts";
import { findSite, IdentifierQuery, params, readNamed } from "./profiles.ts";
import { IsoSchema, json, problemResponse, toIso } from "./schemas.ts";

/** What one request does of it; the cron trigger goes on with the rest. */
const BUDGET = { ms: 20_000, statements: 500 };

const ErasureSchema = z
  .object({
    erasedAt: IsoSchema.openapi({
      description: "What is not newer is refused from now on, whoever sends it: `erased`.",
    }),
    complete: z.boolean().openapi({
      description: "False: rows are left that nobody can read; they are removed within minutes, or by asking again.",
    }),
  })
  .openapi("Erasure");

const DESCRIPTION = `Takes all identifiers of the profile, their events, traits, consents, lists, links, memberships and what e-mails
showed them, and blanks what the audit tells of them. Sizes of segments keep their past. Events that are not newer are refused if they come again; newer ones begin a new
person. What others' own events say stays theirs. D1's Time Travel keeps what it kept: after a restore, erase again.`;

export const profileErasure = newApp()
  .openapi(
    createRoute({
      method: "delete",
      path: "/",
      summary: "Erase the person that an identifier leads to",
      description: `${DESCRIPTION} Asked again, it answers the same.`,
      tags: ["Profiles"],
      request: { query: IdentifierQuery },
      responses: { 200: json(ErasureSchema, "The person is erased."), ...problemResponse },
    }),
    async (c) => {
      const live = await findSite(c);
      return c.json(await erase(c, { identifier: readNamed(live, c.req.valid("query")) }), 200);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/{id}",
      summary: "Erase a person",
      description: `${DESCRIPTION} Once it is complete, there is no such profile any more.`,
      tags: ["Profiles"],
      request: { params },
      responses: { 200: json(ErasureSchema, "The person is erased."), ...problemResponse },
    }),
    async (c) => c.json(await erase(c, { id: c.req.valid("param").id }), 200),
  );

async function erase(c: ApiContext, by: ProfileKey): Promise<z.infer<typeof ErasureSchema>> {
  const erased = await eraseProfile(c.env, await findSite(c), by, {
    actor: c.get("actor"),
    now: Date.now,
    budget: { deadline: c.get("now") + BUDGET.ms, statements: BUDGET.statements },
  });
  if (!erased) throw new Problem("not-found", "There is no such profile: it may have been erased.");
  return { erasedAt: toIso(erased.erasedAt), complete: erased.isComplete };
}
