/** On whom a preview tries something: a stored profile, or one written in the request; at any time, with any consent. */
import * as z from "zod";
import { PURPOSES, type Purpose } from "../../shared/consent.ts";
import type { Subject } from "../../shared/engine/types.ts";
import { EVENT_TYPES, type HistoryEvent, type JsonObject } from "../../shared/event.ts";
import type { Identifier } from "../../shared/identifier.ts";
import { IDENTIFIER_LENGTH, NAME_LENGTH, PROPERTIES_DEPTH } from "../../shared/limits.ts";
import { type EventRow, listTimeline } from "../db/events.ts";
import { listStatements } from "../db/list-statements.ts";
import type { TraitRow } from "../db/traits.ts";
import { depthOf, traitsOf } from "../ingest/parse.ts";
import type { LiveSite } from "../manifest/live.ts";
import { readSite } from "../manifest/read.ts";
import { Problem } from "../problem.ts";
import { listedAt, nodesAt } from "../profiles/lists.ts";
import { type Person, subjectOf } from "../profiles/person.ts";
import { type ProfileView, readProfileView } from "../profiles/read.ts";
import { applyTraits, foldTraits } from "../profiles/traits.ts";
import { type ApiContext, siteOf } from "./app.ts";
import { TimeSchema } from "./schemas.ts";

/** Newest events of a stored profile until then that a preview looks at, whatever their names. */
const STORED_EVENTS = 5_000;
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

const ConsentSchema = z
  .union([z.array(z.enum(PURPOSES)), z.partialRecord(z.enum(PURPOSES), z.boolean())])
  .transform((given): Purpose[] =>
    Array.isArray(given) ? given : PURPOSES.filter((purpose) => given[purpose] === true),
  )
  .openapi({ type: "array", items: { type: "string", enum: [...PURPOSES] } });

/** Fields that every preview takes. */
export const PersonShape = {
  profile: z
    .union([z.string().max(IDENTIFIER_LENGTH), InlinePersonSchema])
    .default(() => InlinePersonSchema.parse({}))
    .openapi({
      description:
        "The id of a stored profile, as it was at `now`: later events, traits and uploads do not count. Or a profile as it might be.",
    }),
  context: JsonObjectSchema.optional().openapi({ description: "The request, as rules see it: page.*, device.*, …" }),
  now: TimeSchema.optional(),
  consent: ConsentSchema.optional().openapi({ description: "Purposes granted; left out: as stored, or all." }),
};

export interface Asked {
  profile: string | z.output<typeof InlinePersonSchema>;
  context?: JsonObject | undefined;
  now?: number | undefined;
  consent?: Purpose[] | undefined;
}

/** The site as published and the person as the engine asks for one. @throws Problem `not-found` without such a profile. */
export async function readSubject(
  c: ApiContext,
  asked: Asked,
): Promise<{ live: LiveSite; subject: Subject; now: number }> {
  const siteId = siteOf(c);
  const now = asked.now ?? c.get("now");
  const live = await readSite(c.env, siteId, c.get("now"));
  if (!live) throw new Problem("not-found", "The site is gone.");
  const subject = await (typeof asked.profile === "string"
    ? readStored(c, live, asked.profile, now)
    : buildInline(asked.profile, live));
  if (asked.context) subject.context = asked.context;
  if (asked.consent) subject.consent = asked.consent;
  return { live, subject, now };
}

async function readStored(c: ApiContext, live: LiveSite, id: string, now: number): Promise<Subject> {
  const view = await readProfileView(c.env.DB, live, { id }, now);
  if (!view) throw new Problem("not-found", `There is no profile ${id}.`);
  const owners = view.person.group.nodes.map(({ identifier }) => identifier);
  const rows = await listTimeline(c.env.DB, live.manifest.siteId, owners, STORED_EVENTS, null, { to: now + 1 });
  const events = rows.map(({ type, name, at, message }): HistoryEvent => {
    const properties = (message["properties"] ?? {}) as JsonObject;
    return { type, event: name, timestamp: at, properties };
  });
  const isPast = now < c.get("now");
  const traits = isPast ? traitsBy(now, view, rows, live) : view.traits;
  const person = isPast ? await personBy(now, c, view.person) : view.person;
  const subject = subjectOf(person, live);
  const segments = Object.fromEntries(
    live.lists.map((list) => {
      const at = listedAt(person.group.nodes, list);
      const carried = Object.hasOwn(person.carried, list.key) ? person.carried[list.key]![0] : now + 1;
      const since = at === null ? null : carried <= now ? carried : at;
      return [list.key, { value: since !== null, until: null, ...(since !== null && { since }) }];
    }),
  );
  const completeAfter = rows.length < STORED_EVENTS ? null : rows.at(-1)!.at;
  return { ...subject, segments, traits, events: sortEvents(events), completeAfter };
}

/** The person on the lists that they were on. */
async function personBy(now: number, c: ApiContext, person: Person): Promise<Person> {
  const { nodes } = person.group;
  const identifiers = nodes.map(({ identifier }) => identifier);
  const said = await listStatements(c.env.DB, siteOf(c), identifiers);
  return { ...person, group: { ...person.group, nodes: nodesAt(nodes, said, now) } };
}

/**
 * Traits as they were: all that was said by then, in the order in which it came, folded as ingest does. Where there is more than is
 * looked at, what counts now and was said by then stands for the rest.
 */
function traitsBy(
  now: number,
  { traits, traitSources }: ProfileView,
  rows: readonly EventRow[],
  live: LiveSite,
): JsonObject {
  const facts = new Map<string, TraitRow>();
  const add = (identifier: Identifier, source: string, said: JsonObject, at: number, messageId: string) => {
    const name = `${source} ${identifier}`;
    const row = facts.get(name) ?? { identifier, source, facts: {} };
    facts.set(name, { ...row, facts: applyTraits(row.facts, said, at, messageId).facts });
  };
  if (rows.length === STORED_EVENTS) {
    for (const [trait, { identifier, source, at, messageId }] of traitSources)
      if (at <= now) add(identifier, source, { [trait]: traits[trait] }, at, messageId);
  }
  const arrived = [...rows].sort((a, b) => a.receivedAt - b.receivedAt || a.place - b.place);
  for (const { owner, source, type, message, at, messageId } of arrived)
    add(owner, source, traitsOf(type, message), at, messageId);
  return foldTraits(facts.values(), live.identity.sources).traits;
}

function buildInline(person: z.output<typeof InlinePersonSchema>, live: LiveSite): Subject {
  const segments: Record<string, { value: boolean; until: null }> = Object.create(null);
  for (const { key } of live.lists) segments[key] = { value: person.segments?.includes(key) ?? false, until: null };
  return {
    id: person.id ?? "",
    traits: person.traits,
    events: sortEvents(person.events),
    segments,
    ...(person.context && { context: person.context }),
  };
}

function sortEvents(events: readonly HistoryEvent[]): HistoryEvent[] {
  return [...events].sort((a, b) => a.timestamp - b.timestamp);
}
