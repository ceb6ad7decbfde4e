/** What a site may say of who is who, checked. */
import * as z from "zod";
import { isKind, SOURCES, WINDOWS } from "../../shared/identifier.ts";
import { IDENTIFIER_LENGTH, PROFILE_IDENTIFIERS } from "../../shared/limits.ts";
import { isPhoneRegion } from "../identity/normalize.ts";

const KINDS = 20;
const BLOCKED = 200;

const KindSchema = z
  .string()
  .refine(isKind, "A kind has 1 to 64 of a-z A-Z 0-9 _ . -, and begins with a letter.")
  .openapi({ example: "loyalty_card" });

const KindRuleSchema = z.strictObject({
  kind: KindSchema,
  limit: z.int().min(1).max(PROFILE_IDENTIFIERS).openapi({
    description: "So many of the kind one profile may hold; with a window, so many it may gain within it.",
  }),
  window: z
    .enum(WINDOWS)
    .default("ever")
    .openapi({ description: "Rolling: a month has 30 days, a year 365. An identifier counts from its first link on." }),
});

const KindsSchema = z
  .array(KindRuleSchema)
  .max(KINDS)
  .superRefine((rules, context) => {
    const refuse = (path: PropertyKey[], message: string) => context.addIssue({ code: "custom", path, message });
    const [first] = rules;
    if (first?.kind !== "userId")
      refuse([0, "kind"], "userId is the first: who logs in is known best, and two users never share a profile.");
    else if (first.limit !== 1 || first.window !== "ever")
      refuse([0], "userId has limit 1 and window ever: two users never share a profile.");
    if (!rules.some(({ kind }) => kind === "anonymousId"))
      refuse([], "anonymousId is a kind of every site: events of who is not logged in belong to it.");
    const kinds = rules.map(({ kind }) => kind);
    for (const [index, kind] of kinds.entries())
      if (kinds.indexOf(kind) < index) refuse([index, "kind"], `${kind} stands further up already.`);
  })
  .openapi({
    description:
      "Kinds of identifiers in priority order: where a message names identifiers that a limit keeps apart, the strongest are linked. Kinds that are not userId, email, phone, anonymousId are sent in `context.externalIds`. One that is not here is ignored.",
  });

const BlockedSchema = z.strictObject({
  kind: KindSchema.optional().openapi({ description: "Without it values of every kind are blocked." }),
  pattern: z
    .string()
    .max(IDENTIFIER_LENGTH)
    .refine((pattern) => /[^*]/.test(pattern), "A pattern has more than stars: they would block everybody.")
    .openapi({ description: "The value, in any case; `*` stands for any characters.", example: "test@*" }),
});

export const IdentitySchema = z
  .strictObject({
    kinds: KindsSchema,
    blocked: z.array(BlockedSchema).max(BLOCKED).openapi({
      description:
        "Values that identify nobody, besides those that always do: empty ones, zeroes and dashes alone, -1, null, undefined, NaN, [object Object].",
    }),
    sources: z
      .array(z.enum(SOURCES))
      .refine(
        (sources) => sources.length === SOURCES.length && new Set(sources).size === SOURCES.length,
        `Each of ${SOURCES.join(", ")} stands here once.`,
      )
      .openapi({ description: "The strongest first: whose word counts where two say something of the same instant." }),
    phoneRegion: z
      .string()
      .refine(isPhoneRegion, "A region is an ISO 3166 code of two capital letters, such as DE.")
      .nullable()
      .openapi({
        description: "Where phone numbers without + are dialled; null: they identify nobody.",
        example: "DE",
      }),
  })
  .openapi("Identity");
