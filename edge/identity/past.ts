/**
 * All that ever happened to some people, as it is stored, in the order in which it came: what they are can be folded from it
 * anew. Found from one identifier: its profile, and every profile that was refused to be linked with it, and so on.
 */
import type { Identifier } from "../../shared/identifier.ts";
import { type ConsentStatement, listConsents } from "../db/consents.ts";
import { type Arrival, type EventRow, eventKey, listArrivals, listEventsByKey } from "../db/events.ts";
import { listProfileIds } from "../db/identifiers.ts";
import {
  type ConflictRow,
  type LinkRow,
  type Made,
  NEWEST,
  type NewLink,
  selectConflictsOf,
  selectLinksOf,
} from "../db/links.ts";
import { type ListStatement, listStatements } from "../db/list-statements.ts";
import { Problem } from "../problem.ts";
import { loadPeople, type Stored } from "../profiles/load.ts";

/** Beyond so many profiles, those refused latest are not looked at: what was refused them stays refused. */
const PROFILES = 50;
/** Links and conflicts that are read of them. */
const PAIRS = 100_000;
/** What one invocation of a Worker reads with the statements that D1 allows it, and has to begin again once. */
const EVENTS = 200_000;
/** Events that are read at once. */
const CHUNK = 500;

/** Whatever came at one instant, of one request or of several that did not know of each other. */
export interface Moment {
  at: number;
  arrivals: Arrival[];
  consents: ConsentStatement[];
  lists: ListStatement[];
  /** Made by hand; among them such as are refused since another link was removed. */
  links: (Made<NewLink> & { id: string })[];
}

export interface Past {
  /** Everybody concerned, as stored now. */
  stored: Stored;
  links: Map<string, LinkRow>;
  conflicts: Map<string, ConflictRow>;
  /** Conflicts with somebody who is not among them. */
  outside: Set<string>;
  /** Ascending. */
  moments: Moment[];
}

/** Some of the past was erased while it was read: begin again. */
export class PastErased extends Error {}

/**
 * Reads whom a change at `identifiers` may concern, and what came when; not the events themselves.
 *
 * @throws Problem `past-too-long` for more than `most` events
 */
export async function readPast(
  db: D1Database,
  siteId: string,
  identifiers: readonly Identifier[],
  most = EVENTS,
): Promise<Past> {
  const { stored, links, conflicts, asked } = await readConcerned(db, siteId, identifiers);
  const names = [...stored.nodes.keys()];
  const [arrivals, consents, lists] = await Promise.all([
    listArrivals(db, siteId, names, most + 1),
    listConsents(db, siteId, names),
    listStatements(db, siteId, names),
  ]);
  if (arrivals.length > most) {
    const detail = `The ${stored.profiles.size} people concerned have sent more than ${most.toLocaleString("en")} events: too many to be folded anew.`;
    throw new Problem("past-too-long", detail);
  }
  const moments = new Map<number, Moment>();
  const at = (time: number) => {
    const moment = moments.get(time) ?? { at: time, arrivals: [], consents: [], lists: [], links: [] };
    moments.set(time, moment);
    return moment;
  };
  for (const arrival of arrivals) at(arrival.receivedAt).arrivals.push(arrival);
  for (const { receivedAt, ...statement } of consents) at(receivedAt).consents.push(statement);
  for (const statement of lists) at(statement.at).lists.push(statement);
  const standing = links.filter(({ removedAt }) => removedAt === null);
  for (const pair of [...standing, ...conflicts]) if (isByHand(pair)) at(pair.at).links.push(pair);
  const isOutside = ({ a, b }: ConflictRow) => [a, b].some((end) => !stored.nodes.has(end) && !asked.has(end));
  return {
    stored,
    links: new Map(links.map((link) => [link.id, link])),
    conflicts: new Map(conflicts.map((conflict) => [conflict.id, conflict])),
    outside: new Set(conflicts.filter(isOutside).map(({ id }) => id)),
    moments: [...moments.values()].sort((a, b) => a.at - b.at),
  };
}

/** True of a link that no event says. */
function isByHand({ messageId, evidence }: NewLink): boolean {
  return messageId === null && (evidence === "manual" || evidence === "fuzzy");
}

/**
 * Profiles of the identifiers, then of those who were refused to be linked with them, those refused first before others.
 *
 * @returns `asked`: identifiers that were looked for; those not found are nobody's, since they were refused when they first came
 */
async function readConcerned(
  db: D1Database,
  siteId: string,
  identifiers: readonly Identifier[],
): Promise<{ stored: Stored; links: LinkRow[]; conflicts: ConflictRow[]; asked: ReadonlySet<Identifier> }> {
  const asked = new Set(identifiers);
  for (;;) {
    const stored = await loadPeople(db, siteId, asked);
    const names = [...stored.nodes.keys()];
    const [links, conflicts] = await Promise.all([
      selectLinksOf(db, siteId, names, true, NEWEST, PAIRS).all<LinkRow>(),
      selectConflictsOf(db, siteId, names, NEWEST, PAIRS).all<ConflictRow>(),
    ]);
    const room = PROFILES - stored.profiles.size;
    const ends = conflicts.results.reverse().flatMap(({ a, b }) => [a, b]);
    const others = [...new Set(ends)].filter((end) => !asked.has(end) && !stored.nodes.has(end));
    if (room <= 0 || !others.length) return { stored, links: links.results, conflicts: conflicts.results, asked };
    const profileOf = await listProfileIds(db, siteId, others);
    const chosen = new Set([...new Set(others.flatMap((other) => profileOf.get(other) ?? []))].slice(0, room));
    for (const other of others) {
      const profileId = profileOf.get(other);
      if (profileId === undefined || chosen.has(profileId)) asked.add(other);
    }
  }
}

/**
 * The events of some moments, by key: as much at a time as is read at once, so that a long past fits into memory.
 *
 * @throws PastErased
 */
export async function* readEvents(
  db: D1Database,
  siteId: string,
  moments: readonly Moment[],
): AsyncGenerator<{ moments: Moment[]; events: Map<string, EventRow> }> {
  for (let from = 0; from < moments.length; ) {
    const part: Moment[] = [];
    for (let count = 0; from < moments.length && count < CHUNK; from++) {
      part.push(moments[from]!);
      count += moments[from]!.arrivals.length;
    }
    const keys = part.flatMap(({ arrivals }) => arrivals);
    const rows = keys.length ? await listEventsByKey(db, siteId, keys) : [];
    if (rows.length < keys.length) throw new PastErased();
    yield { moments: part, events: new Map(rows.map((row) => [eventKey(row.owner, row.messageId), row])) };
  }
}
