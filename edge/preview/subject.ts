/** On whom a preview tries something: a stored profile, or one made up; at any time, with any consent. */
import type { Purpose } from "../../shared/consent.ts";
import type { Answer, Subject } from "../../shared/engine/types.ts";
import type { HistoryEvent, JsonObject } from "../../shared/event.ts";
import type { Identifier } from "../../shared/identifier.ts";
import { type EventRow, listTimeline } from "../db/events.ts";
import { listStatements } from "../db/list-statements.ts";
import type { TraitRow } from "../db/traits.ts";
import type { Env } from "../env.ts";
import { traitsOf } from "../ingest/parse.ts";
import type { LiveSite } from "../manifest/live.ts";
import { readSite } from "../manifest/read.ts";
import { Problem } from "../problem.ts";
import { listedAt, nodesAt } from "../profiles/lists.ts";
import { type Person, subjectOf } from "../profiles/person.ts";
import { type ProfileView, readProfileView } from "../profiles/read.ts";
import { applyTraits, foldTraits } from "../profiles/traits.ts";

/** Newest events of a stored profile until then that a preview looks at, whatever their names. */
const STORED_EVENTS = 5_000;

/** A profile as it might be. */
export interface InlinePerson {
  /** What samples are drawn by. */
  id?: string | undefined;
  traits: JsonObject;
  /** In any order. */
  events: HistoryEvent[];
  context?: JsonObject | undefined;
  /** Static segments that the person is in. */
  segments?: string[] | undefined;
}

export interface Asked {
  /** The id of a stored one, or one made up. */
  profile: string | InlinePerson;
  context?: JsonObject | undefined;
  /** Left out: the moment of asking. */
  now?: number | undefined;
  /** Purposes granted; left out: as stored, or all. */
  consent?: Purpose[] | undefined;
}

/**
 * The site as published, and the person as the engine asks for one.
 *
 * @param present the moment of asking
 * @throws Problem `not-found` without such a profile, pointing at `/profile`
 */
export async function readSubject(
  env: Env,
  siteId: string,
  asked: Asked,
  present: number,
): Promise<{ live: LiveSite; subject: Subject; now: number }> {
  const now = asked.now ?? present;
  const live = await readSite(env, siteId, present);
  if (!live) throw new Problem("not-found", "The site is gone.");
  const subject = await (typeof asked.profile === "string"
    ? readStored(env.DB, live, asked.profile, now, now < present)
    : buildInline(asked.profile, live));
  if (asked.context) subject.context = asked.context;
  if (asked.consent) subject.consent = asked.consent;
  return { live, subject, now };
}

async function readStored(db: D1Database, live: LiveSite, id: string, now: number, isPast: boolean): Promise<Subject> {
  const view = await readProfileView(db, live, { id }, now);
  if (!view) throw unknownProfile(`There is no profile ${id}.`);
  const owners = view.person.group.nodes.map(({ identifier }) => identifier);
  const rows = await listTimeline(db, live.manifest.siteId, owners, STORED_EVENTS, null, { to: now + 1 });
  const events = rows.map(({ type, name, at, message }): HistoryEvent => {
    const properties = (message["properties"] ?? {}) as JsonObject;
    return { type, event: name, timestamp: at, properties };
  });
  const traits = isPast ? traitsBy(now, view, rows, live) : view.traits;
  const person = isPast ? await personBy(now, db, live, view.person) : view.person;
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
async function personBy(now: number, db: D1Database, live: LiveSite, person: Person): Promise<Person> {
  const { nodes } = person.group;
  const identifiers = nodes.map(({ identifier }) => identifier);
  const said = await listStatements(db, live.manifest.siteId, identifiers);
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

function buildInline(person: InlinePerson, live: LiveSite): Subject {
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

export function unknownProfile(detail: string): Problem {
  return new Problem("not-found", detail, { errors: [{ pointer: "/profile", code: "unknown", detail }] });
}

/** Every segment of the site, static ones as the subject says: what `{segment}` leaves look at. */
export function answerSegments(live: LiveSite, subject: Subject, now: number): { [key: string]: Answer } {
  const answers: { [key: string]: Answer } = Object.assign(Object.create(null), subject.segments);
  live.program.evaluate(subject, now).forEach((answer, index) => {
    answers[live.program.keys[index]!] = answer;
  });
  return answers;
}
