/** Traits: what is said of a profile's now and by whom, what was ever said of one, and which types a site's senders send. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { SOURCES, splitIdentifier } from "../../shared/identifier.ts";
import { IDENTIFIER_LENGTH, NAME_LENGTH } from "../../shared/limits.ts";
import { type StoredTraitType, selectTraitTypes, TRAIT_TYPES, TYPES_PER_SOURCE } from "../db/trait-types.ts";
import { readSite } from "../manifest/read.ts";
import { Problem } from "../problem.ts";
import { type Facts, readFacts, readTraitHistory } from "../profiles/trait-history.ts";
import { typeOf } from "../profiles/trait-types.ts";
import { groupFacts, type TraitFact } from "../profiles/traits.ts";
import { type ApiContext, newApp, siteOf } from "./app.ts";
import { readEventCursor, toEventCursor, toEventPlace } from "./event-cursor.ts";
import { IdentifierSchema } from "./identifier.ts";
import { IsoSchema, json, PageQuery, pageOf, problemResponse, readCursor, toCursor, toIso, toPage } from "./schemas.ts";

const TypeSchema = z.enum(TRAIT_TYPES);
const SourceSchema = z.enum(SOURCES);

const factShape = {
  value: z.unknown().openapi({ description: "Null: unset." }),
  type: TypeSchema.nullable().openapi({ description: "As JSON has it: a date is a string. Null: unset." }),
  identifier: IdentifierSchema.openapi({ description: "Of whom it was said." }),
  source: SourceSchema,
  at: IsoSchema.openapi({ description: "When it was said, corrected for the sender's clock." }),
  messageId: z.string(),
};
const FactSchema = z.object(factShape).openapi("TraitFact");

const TraitSchema = z
  .object({
    trait: z.string().openapi({ description: "At the top: what is nested in it is said with it." }),
    ...factShape,
    others: z.array(FactSchema).openapi({
      description: "What other identifiers and sources say of it now and does not count, the strongest first.",
    }),
  })
  .openapi("Trait", {
    description: "The fact that counts: the newest, of the same instant that of the strongest source.",
  });

const SayingSchema = z
  .object({
    ...factShape,
    receivedAt: IsoSchema,
    counts: z.boolean().openapi({ description: "It is what counts now." }),
  })
  .openapi("TraitSaying");

const SentTypeSchema = z
  .object({
    type: TypeSchema,
    since: IsoSchema.openapi({ description: "When the first one was received." }),
    messageId: z.string().nullable().openapi({ description: "The message with the first one; null: it was erased." }),
  })
  .openapi("SentType");

const SentTraitSchema = z
  .object({
    trait: z.string(),
    sources: z.array(
      z.object({
        source: SourceSchema,
        types: z.array(SentTypeSchema).openapi({ description: "In the order in which they came." }),
      }),
    ),
    changedAt: IsoSchema.nullable().openapi({ description: "When a source last sent a type that it had not sent." }),
    hint: z.string().nullable().openapi({ description: "Where its types differ: what that means." }),
  })
  .openapi("SentTrait");

const SentTraitPage = z
  .object({
    data: z.array(SentTraitSchema),
    next: z.string().nullable(),
    full: z.array(SourceSchema).openapi({
      description: `Sources of which no more is noticed: they sent ${TYPES_PER_SOURCE} names and types.`,
    }),
  })
  .openapi("SentTraitPage");

const params = z.object({ id: z.string().max(IDENTIFIER_LENGTH) });

const TraitsQuery = PageQuery.extend({
  source: SourceSchema.optional().openapi({ description: "The profile as this source alone says it." }),
  unset: z.enum(["0", "1"]).default("0").openapi({ description: "1: with those that are unset." }),
});

export const profileTraits = newApp()
  .openapi(
    createRoute({
      method: "get",
      path: "/{id}/traits",
      summary: "List a profile's traits, by name, each with who says what of it now",
      tags: ["Profiles"],
      request: { params, query: TraitsQuery },
      responses: { 200: json(pageOf(TraitSchema, "TraitPage"), "A page of traits."), ...problemResponse },
    }),
    async (c) => {
      const { limit, cursor, source, unset } = c.req.valid("query");
      const after = readCursor(cursor, z.string().nullable(), null);
      const { rows, sources } = await findFacts(c, c.req.valid("param").id);
      const facts = groupFacts(source ? rows.filter((row) => row.source === source) : rows, sources);
      const names = [...facts.keys()]
        .filter((name) => (after === null || name > after) && (unset === "1" || facts.get(name)![0]!.value !== null))
        .sort();
      const { data, next } = toPage(names, limit, (name) => name);
      return c.json({ data: data.map((name) => toTrait(name, facts.get(name)!)), next }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/{id}/traits/{trait}/history",
      summary: "List all that was ever said of a trait, the newest first",
      description:
        "From the identify and group messages of all the profile's identifiers; of what was erased nothing is left. A page looks at a bounded number of messages: it may have fewer rows than `limit` and still a `next`.",
      tags: ["Profiles"],
      request: {
        params: params.extend({
          trait: z.string().max(NAME_LENGTH).openapi({ description: "Its name, percent-encoded." }),
        }),
        query: PageQuery,
      },
      responses: { 200: json(pageOf(SayingSchema, "TraitHistory"), "A page of the history."), ...problemResponse },
    }),
    async (c) => {
      const { id, trait } = c.req.valid("param");
      const { limit, cursor } = c.req.valid("query");
      const place = readEventCursor(cursor);
      const { nodes, rows, sources } = await findFacts(c, id);
      const before = toEventPlace(place, nodes);
      const owners = nodes.map(({ identifier }) => identifier);
      const { sayings, next } = await readTraitHistory(c.env.DB, siteOf(c), owners, trait, limit, before);
      const counting = groupFacts(rows, sources).get(trait)?.[0];
      const data = sayings.map((saying) => ({
        ...toFact(saying),
        receivedAt: toIso(saying.receivedAt),
        counts: saying.messageId === counting?.messageId && saying.identifier === counting.identifier,
      }));
      return c.json({ data, next: next && toCursor(toEventCursor(next, nodes)) }, 200);
    },
  );

export const traits = newApp().openapi(
  createRoute({
    method: "get",
    path: "/",
    summary: "List the traits that a site's senders send, with their types, the last changed first",
    description:
      "Types are noticed as messages come; of null, which unsets, nothing is noticed. Rules compare values of the same type alone: a source that begins to send another one is worth a look.",
    tags: ["Traits"],
    request: { query: PageQuery },
    responses: { 200: json(SentTraitPage, "A page of traits."), ...problemResponse },
  }),
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const after = readCursor(cursor, z.tuple([z.number(), z.string()]).nullable(), null);
    const { results: rows } = await selectTraitTypes(c.env.DB, siteOf(c)).all<StoredTraitType>();
    const sent = [...Map.groupBy(rows, ({ trait }) => trait)]
      .map(([trait, types]) => ({ trait, types, changedAt: changeOf(types) ?? 0 }))
      .sort((a, b) => b.changedAt - a.changedAt || (a.trait < b.trait ? -1 : 1))
      .filter(({ trait, changedAt }) => !after || changedAt < after[0] || (changedAt === after[0] && trait > after[1]));
    const { data, next } = toPage(sent, limit, ({ changedAt, trait }) => [changedAt, trait]);
    const full = SOURCES.filter((one) => rows.filter(({ source }) => source === one).length >= TYPES_PER_SOURCE);
    return c.json({ data: data.map(({ trait, types }) => toSentTrait(trait, types)), next, full }, 200);
  },
);

async function findFacts(c: ApiContext, id: string): Promise<Facts & { sources: readonly string[] }> {
  const siteId = siteOf(c);
  const [live, facts] = await Promise.all([readSite(c.env, siteId, c.get("now")), readFacts(c.env.DB, siteId, id)]);
  if (!live || !facts) throw new Problem("not-found", "There is no such profile.");
  return { ...facts, sources: live.identity.sources };
}

function toTrait(trait: string, [counting, ...others]: readonly TraitFact[]): z.infer<typeof TraitSchema> {
  return { trait, ...toFact(counting!), others: others.map(toFact) };
}

function toFact({ value, identifier, source, at, messageId }: TraitFact): z.infer<typeof FactSchema> {
  return {
    value,
    type: typeOf(value),
    identifier: splitIdentifier(identifier),
    source: source as z.infer<typeof SourceSchema>,
    at: toIso(at),
    messageId,
  };
}

/** When a source last sent a type that it had not sent; null where none ever did. @param types a source's in order of time */
function changeOf(types: readonly StoredTraitType[]): number | null {
  const changes = types.filter(({ source }, i) => types[i - 1]?.source === source).map(({ firstAt }) => firstAt);
  return changes.length ? Math.max(...changes) : null;
}

function toSentTrait(trait: string, rows: readonly StoredTraitType[]): z.infer<typeof SentTraitSchema> {
  const changedAt = changeOf(rows);
  const bySource = [...Map.groupBy(rows, ({ source }) => source)];
  return {
    trait,
    sources: bySource.map(([source, types]) => ({
      source,
      types: types.map(({ type, firstAt, messageId }) => ({
        type,
        since: toIso(firstAt),
        messageId: messageId || null,
      })),
    })),
    changedAt: changedAt === null ? null : toIso(changedAt),
    hint: hintOf(bySource.map(([source, types]) => [source, types.map(({ type }) => type)])),
  };
}

function hintOf(sent: readonly (readonly [source: string, types: readonly string[]])[]): string | null {
  if (new Set(sent.flatMap(([, types]) => types)).size < 2) return null;
  const phrases = sent.map(([source, types]) => `The ${source} sends ${types.join(", then ")}.`);
  return [...phrases, "Rules compare values of the same type alone."].join(" ");
}
