/** Recipient tokens of an e-mail send: signed, opaque, with no address in them. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import type { Identifier } from "../../shared/identifier.ts";
import { NAME_LENGTH } from "../../shared/limits.ts";
import { selectComponents, toIdentifierRow } from "../db/identifiers.ts";
import { type IdentityPolicy, phraseRefusal } from "../identity/policy.ts";
import { isObject } from "../ingest/parse.ts";
import { pointerOf } from "../invalid.ts";
import type { ProblemError } from "../problem.ts";
import { EMAIL_TOKEN_MS, signToken } from "../tokens.ts";
import { newApp, siteOf } from "./app.ts";
import { findSite } from "./profiles.ts";
import { ErrorSchema, json, jsonBody, NameSchema, problemResponse } from "./schemas.ts";

const RECIPIENTS = 1_000;
const DAY_MS = 24 * 60 * 60 * 1000;
const MOST_DAYS = EMAIL_TOKEN_MS / DAY_MS;

/** Looser than what it says: a recipient who cannot be named is answered in its place, and costs nobody else a token. */
const RecipientSchema = z.unknown().openapi({
  type: "object",
  additionalProperties: { oneOf: [{ type: "string" }, { type: "integer" }] },
  minProperties: 1,
  maxProperties: 1,
  description: "One identifier, by its kind; a number stands for its digits.",
  example: { email: "ada@shop.example" },
});

const TokensRequest = z
  .strictObject({
    send: NameSchema.openapi({
      description: `Names the send, up to ${NAME_LENGTH} characters; one decision per send, recipient and slot.`,
    }),
    recipients: z.array(RecipientSchema).min(1).max(RECIPIENTS),
    expiresInDays: z.int().min(1).max(MOST_DAYS).default(MOST_DAYS).openapi({
      description: "How long the e-mail shows what was decided; from then on what anybody gets.",
    }),
  })
  .openapi("EmailTokensRequest");

const TokensSchema = z
  .array(
    z.union([
      z.object({ token: z.string() }),
      z.object({ token: z.null(), error: ErrorSchema.openapi({ description: "Why there is none." }) }),
    ]),
  )
  .openapi("EmailTokens", {
    example: [
      { token: "eyJzIjoi…" },
      {
        token: null,
        error: {
          pointer: "/recipients/1/email",
          code: "malformed",
          detail: "This email identifies nobody: it is malformed.",
        },
      },
    ],
  });

export const email = newApp().openapi(
  createRoute({
    method: "post",
    path: "/tokens",
    summary: "Make recipient tokens for a send, in the order of the recipients",
    description: `A recipient of whom nothing is stored gets a token too: its slots answer as for somebody unknown. Tokens that are made again
for the same send and identifier show the same decisions. Who is named by nothing valid has \`token: null\` and the reason; all others have theirs.`,
    tags: ["Email"],
    request: jsonBody(TokensRequest),
    responses: { 200: json(TokensSchema, "One answer per recipient, in order."), ...problemResponse },
  }),
  async (c) => {
    const siteId = siteOf(c);
    const { send, recipients, expiresInDays } = c.req.valid("json");
    const { identity } = await findSite(c);
    const checked = recipients.map((recipient, index) => checkRecipient(recipient, index, identity));
    const identifiers = checked.filter((it) => typeof it === "string");
    const { results } = await selectComponents(c.env.DB, siteId, JSON.stringify(identifiers)).all();
    const rows = new Map(results.map(toIdentifierRow).map((row) => [row.identifier, row]));
    const expiresAt = c.get("now") + expiresInDays * DAY_MS;
    const tokens = await Promise.all(
      checked.map(async (identifier) => {
        if (typeof identifier !== "string") return { token: null, error: identifier };
        const { birthId = "", profileId = "" } = rows.get(identifier) ?? {};
        return { token: await signToken(c.env, "email", { siteId, birthId, profileId, send, expiresAt }) };
      }),
    );
    return c.json(tokens, 200);
  },
);

function checkRecipient(recipient: unknown, index: number, identity: IdentityPolicy): Identifier | ProblemError {
  const fields = isObject(recipient) ? Object.entries(recipient) : [];
  const [[kind, value] = ["", null]] = fields;
  if (fields.length !== 1) {
    const pointer = pointerOf(["recipients", index]);
    return { pointer, code: "malformed", detail: "Name a recipient by exactly one identifier." };
  }
  const checked = identity.check(kind, value);
  if ("identifier" in checked) return checked.identifier;
  const { refused } = checked;
  return {
    pointer: pointerOf(["recipients", index, kind]),
    code: refused,
    detail: phraseRefusal(identity, kind, refused),
  };
}
