/** Recipient tokens of an e-mail send: signed, opaque, with no address in them. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { IDENTIFIER_KINDS, type Identifier, identifierOf } from "../../shared/identifier.ts";
import { NAME_LENGTH } from "../../shared/limits.ts";
import { selectComponents, toIdentifierRow } from "../db/identifiers.ts";
import { Problem, type ProblemError } from "../problem.ts";
import { EMAIL_TOKEN_MS, signToken } from "../tokens.ts";
import { newApp, siteOf } from "./app.ts";
import { json, jsonBody, NameSchema, problemResponse } from "./schemas.ts";

const RECIPIENTS = 1_000;

const RecipientSchema = z
  .strictObject({
    userId: z.string().optional(),
    email: z.string().optional(),
    phone: z.string().optional(),
    anonymousId: z.string().optional(),
  })
  .refine((recipient) => Object.keys(recipient).length === 1, "Name a recipient by exactly one identifier.");

const TokensRequest = z
  .strictObject({
    send: NameSchema.openapi({
      description: `Names the send, up to ${NAME_LENGTH} characters; one decision per send, recipient and slot.`,
    }),
    recipients: z.array(RecipientSchema).min(1).max(RECIPIENTS),
  })
  .openapi("EmailTokensRequest");

const TokensSchema = z.array(z.object({ token: z.string() })).openapi("EmailTokens");

export const email = newApp().openapi(
  createRoute({
    method: "post",
    path: "/tokens",
    summary: "Make recipient tokens for a send, in the order of the recipients",
    description: "A recipient of whom nothing is stored gets a token too: its slots answer as for somebody unknown.",
    tags: ["Email"],
    request: jsonBody(TokensRequest),
    responses: { 200: json(TokensSchema, "One token per recipient, in order."), ...problemResponse },
  }),
  async (c) => {
    const siteId = siteOf(c);
    const { send, recipients } = c.req.valid("json");
    const identifiers = toIdentifiers(recipients);
    const { results } = await selectComponents(c.env.DB, siteId, JSON.stringify(identifiers)).all();
    const rows = results.map(toIdentifierRow);
    const profileIds = new Map(rows.map(({ identifier, profileId }) => [identifier, profileId]));
    const expiresAt = c.get("now") + EMAIL_TOKEN_MS;
    const tokens = await Promise.all(
      identifiers.map(async (identifier) => {
        const profileId = profileIds.get(identifier) ?? "";
        return { token: await signToken(c.env, "email", { siteId, profileId, send, expiresAt }) };
      }),
    );
    return c.json(tokens, 200);
  },
);

function toIdentifiers(recipients: readonly z.infer<typeof RecipientSchema>[]): Identifier[] {
  const errors: ProblemError[] = [];
  const identifiers = recipients.map((recipient, index) => {
    const kind = IDENTIFIER_KINDS.find((kind) => recipient[kind] !== undefined)!;
    const identifier = identifierOf(kind, recipient[kind]);
    if (!identifier) {
      errors.push({
        pointer: `/recipients/${index}/${kind}`,
        code: "no-identifier",
        detail: `This ${kind} identifies nobody.`,
      });
    }
    return identifier ?? "";
  });
  if (errors.length) throw new Problem("invalid-request", errors[0]!.detail, { errors });
  return identifiers;
}
