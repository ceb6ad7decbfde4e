/** Recipient tokens of an e-mail send: signed, opaque, with no address in them. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import type { Identifier } from "../../shared/identifier.ts";
import { NAME_LENGTH } from "../../shared/limits.ts";
import { selectComponents, toIdentifierRow } from "../db/identifiers.ts";
import { type IdentityPolicy, phraseKinds } from "../identity/policy.ts";
import { pointerOf } from "../invalid.ts";
import { Problem, type ProblemError } from "../problem.ts";
import { EMAIL_TOKEN_MS, signToken } from "../tokens.ts";
import { newApp, siteOf } from "./app.ts";
import { findSite } from "./profiles.ts";
import { json, jsonBody, NameSchema, problemResponse } from "./schemas.ts";

const RECIPIENTS = 1_000;
const DAY_MS = 24 * 60 * 60 * 1000;
const MOST_DAYS = EMAIL_TOKEN_MS / DAY_MS;

const RecipientSchema = z
  .record(z.string(), z.union([z.string(), z.int()]))
  .refine((recipient) => Object.keys(recipient).length === 1, "Name a recipient by exactly one identifier.")
  .openapi({
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

const TokensSchema = z.array(z.object({ token: z.string() })).openapi("EmailTokens");

export const email = newApp().openapi(
  createRoute({
    method: "post",
    path: "/tokens",
    summary: "Make recipient tokens for a send, in the order of the recipients",
    description: `A recipient of whom nothing is stored gets a token too: its slots answer as for somebody unknown. Tokens that are made again
for the same send and identifier show the same decisions.`,
    tags: ["Email"],
    request: jsonBody(TokensRequest),
    responses: { 200: json(TokensSchema, "One token per recipient, in order."), ...problemResponse },
  }),
  async (c) => {
    const siteId = siteOf(c);
    const { send, recipients, expiresInDays } = c.req.valid("json");
    const { identity } = await findSite(c);
    const identifiers = toIdentifiers(recipients, identity);
    const { results } = await selectComponents(c.env.DB, siteId, JSON.stringify(identifiers)).all();
    const rows = new Map(results.map(toIdentifierRow).map((row) => [row.identifier, row]));
    const expiresAt = c.get("now") + expiresInDays * DAY_MS;
    const tokens = await Promise.all(
      identifiers.map(async (identifier) => {
        const { birthId = "", profileId = "" } = rows.get(identifier) ?? {};
        return { token: await signToken(c.env, "email", { siteId, birthId, profileId, send, expiresAt }) };
      }),
    );
    return c.json(tokens, 200);
  },
);

function toIdentifiers(recipients: readonly z.infer<typeof RecipientSchema>[], identity: IdentityPolicy): Identifier[] {
  const errors: ProblemError[] = [];
  const identifiers = recipients.map((recipient, index) => {
    const [kind, value] = Object.entries(recipient)[0]!;
    const checked = identity.check(kind, value);
    if ("identifier" in checked) return checked.identifier;
    errors.push({
      pointer: pointerOf(["recipients", index, kind]),
      code: "no-identifier",
      detail:
        checked.refused === "kind"
          ? `The site has no such kind of identifier: ${phraseKinds(identity)}.`
          : `This ${kind} identifies nobody.`,
    });
    return "";
  });
  if (errors.length) throw new Problem("invalid-request", errors[0]!.detail, { errors });
  return identifiers;
}
