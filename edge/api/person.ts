/** How requests say on whom a preview tries something. */
import * as z from "zod";
import { PURPOSES, type Purpose } from "../../shared/consent.ts";
import { EVENT_TYPES } from "../../shared/event.ts";
import { IDENTIFIER_LENGTH, NAME_LENGTH, PROPERTIES_DEPTH } from "../../shared/limits.ts";
import { selectComponents, toIdentifierRow } from "../db/identifiers.ts";
import { depthOf } from "../ingest/parse.ts";
import { type InlinePerson, unknownProfile } from "../preview/subject.ts";
import { type ApiContext, siteOf } from "./app.ts";
import { GivenIdentifierSchema, readIdentifier } from "./identifier.ts";
import { findSite } from "./profiles.ts";
import { TimeSchema } from "./schemas.ts";

const GIVEN_EVENTS = 5_000;

/** No deeper than ingest stores it. */
const JsonObjectSchema = z
  .record(z.string(), z.unknown())
  .refine((value) => depthOf(value) <= PROPERTIES_DEPTH, `This is nested deeper than ${PROPERTIES_DEPTH} levels.`);

const PersonEventSchema = z.strictObject({
  type: z.enum(EVENT_TYPES).default("track"),
  event: z.string().max(NAME_LENGTH).default("").openapi({ description: "track: event; page and screen: name." }),
  timestamp: TimeSchema,
  properties: JsonObjectSchema.default({}),
});

const InlinePersonSchema = z
  .strictObject({
    id: z.string().max(IDENTIFIER_LENGTH).optional().openapi({ description: "What samples are drawn by." }),
    traits: JsonObjectSchema.default({}),
    events: z.array(PersonEventSchema).max(GIVEN_EVENTS).default([]),
    context: JsonObjectSchema.optional(),
    segments: z.array(z.string()).optional().openapi({ description: "Static segments that the person is in." }),
  })
  .openapi("InlineProfile");

const NamedPersonSchema = z.strictObject({ identifier: GivenIdentifierSchema }).openapi("NamedProfile");

const ConsentSchema = z
  .union([z.array(z.enum(PURPOSES)), z.partialRecord(z.enum(PURPOSES), z.boolean())])
  .transform((given): Purpose[] =>
    Array.isArray(given) ? given : PURPOSES.filter((purpose) => given[purpose] === true),
  )
  .openapi({ type: "array", items: { type: "string", enum: [...PURPOSES] } });

/** Fields that every preview takes. */
export const PersonShape = {
  profile: z
    .union([z.string().max(IDENTIFIER_LENGTH), NamedPersonSchema, InlinePersonSchema])
    .default(() => InlinePersonSchema.parse({}))
    .openapi({
      description:
        "The id of a stored profile, or one of its identifiers: as it was at `now`, later events, traits and uploads do not count. Or a profile as it might be.",
    }),
  context: JsonObjectSchema.optional().openapi({ description: "The request, as rules see it: page.*, device.*, …" }),
  now: TimeSchema.optional(),
  consent: ConsentSchema.optional().openapi({ description: "Purposes granted; left out: as stored, or all." }),
};

/**
 * The person as previews take one: of an identifier, the id that leads to whoever has it, however that is linked later.
 *
 * @throws Problem `not-found` where nobody has the identifier
 */
export async function resolvePerson<T extends { profile: string | z.output<typeof NamedPersonSchema> | InlinePerson }>(
  c: ApiContext,
  asked: T,
): Promise<Omit<T, "profile"> & { profile: string | InlinePerson }> {
  const { profile } = asked;
  if (typeof profile === "string" || !("identifier" in profile)) return { ...asked, profile };
  const identifier = readIdentifier(await findSite(c), profile.identifier, "/profile/identifier");
  const { results } = await selectComponents(c.env.DB, siteOf(c), JSON.stringify([identifier])).all();
  const found = results.map(toIdentifierRow).find((row) => row.identifier === identifier);
  if (!found) throw unknownProfile("Nobody has this identifier.");
  return { ...asked, profile: found.birthId };
}
