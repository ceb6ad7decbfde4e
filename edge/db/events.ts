/** SQL of `events`: append-only, one row per message, kept with the owner that produced it. */
import type { EventType, HistoryEvent, JsonObject } from "../../shared/event.ts";
import type { Identifier, Source } from "../../shared/identifier.ts";
import type { IngestEvent } from "../ingest/parse.ts";
import { toLists } from "./lists.ts";

export interface EventRow {
  owner: Identifier;
  messageId: string;
  type: EventType;
  name: string;
  at: number;
  receivedAt: number;
  /** In its request. */
  place: number;
  source: Source;
  message: JsonObject;
}

interface Row {
  owner: string;
  message_id: string;
  type: EventType;
  name: string;
  at: number;
  received_at: number;
  place: number;
  source: Source;
  body: string;
}

export function toEventRow(row: unknown): EventRow {
  const { message_id, received_at, body, ...rest } = row as Row;
  return { ...rest, messageId: message_id, receivedAt: received_at, message: JSON.parse(body) };
}

/** Names one message of one owner: what makes it the same when it is sent again. */
export function eventKey(owner: Identifier, messageId: string): string {
  return `${owner}\n${messageId}`;
}

/** Which of the events are stored already. */
export function selectSeen(
  db: D1Database,
  siteId: string,
  events: readonly { owner: Identifier; messageId: string }[],
): D1PreparedStatement {
  return db
    .prepare(
      `SELECT e.owner, e.message_id FROM json_each(?2) AS asked
       CROSS JOIN events AS e
         ON e.site_id = ?1 AND e.owner = asked.value ->> 0 AND e.message_id = asked.value ->> 1`,
    )
    .bind(siteId, JSON.stringify(events.map((event) => [event.owner, event.messageId])));
}

export function toSeenKey(row: unknown): string {
  const { owner, message_id } = row as { owner: string; message_id: string };
  return eventKey(owner, message_id);
}

/** Refuses, with the whole transaction, an event that is stored already. */
export function insertEvents(
  db: D1Database,
  siteId: string,
  events: readonly IngestEvent[],
  source: Source,
  receivedAt: number,
): D1PreparedStatement[] {
  return toLists(events.map((e) => [e.owner, e.messageId, e.type, e.event, e.timestamp, e.body, e.place])).map((list) =>
    db
      .prepare(
        `INSERT INTO events (site_id, owner, message_id, type, name, at, received_at, body, source, place)
         SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, ?4, value ->> 5, ?3, value ->> 6
         FROM json_each(?2)`,
      )
      .bind(siteId, list, source, receivedAt),
  );
}

/**
 * The newest events that rules look at, of many owners in one statement: of each at most `limit`, in no order.
 *
 * @param kinds type and name of the events wanted; a name of null = any
 */
export async function listNeededEvents(
  db: D1Database,
  siteId: string,
  owners: readonly Identifier[],
  kinds: readonly (readonly [type: string, name: string | null])[],
  limit: number,
): Promise<Map<Identifier, HistoryEvent[]>> {
  const { results } = await db
    .prepare(
      `SELECT owner, type, name, at, properties FROM (
         SELECT e.owner, e.type, e.name, e.at, e.body -> 'properties' AS properties,
           row_number() OVER (PARTITION BY e.owner ORDER BY e.at DESC, e.message_id) AS place
         FROM json_each(?2) AS asked
         CROSS JOIN events AS e ON e.site_id = ?1 AND e.owner = asked.value
         WHERE EXISTS (
           SELECT 1 FROM json_each(?3) AS kind
           WHERE kind.value ->> 0 = e.type AND coalesce(kind.value ->> 1, e.name) = e.name)
       ) WHERE place <= ?4`,
    )
    .bind(siteId, JSON.stringify(owners), JSON.stringify(kinds), limit)
    .all<{ owner: string; type: EventType; name: string; at: number; properties: string | null }>();
  const events = new Map<Identifier, HistoryEvent[]>();
  for (const { owner, type, name, at, properties } of results) {
    const list = events.get(owner) ?? [];
    events.set(owner, list);
    list.push({ type, event: name, timestamp: at, properties: JSON.parse(properties ?? "null") ?? {} });
  }
  return events;
}

/** An event's place among those of all owners: by time, then message id, then owner. */
export interface EventPlace {
  at: number;
  messageId: string;
  owner: Identifier;
}

export interface EventFilter {
  type?: EventType | undefined;
  name?: string | undefined;
  /** Epoch milliseconds; the events of `from` count, those of `to` do not. */
  from?: number | undefined;
  to?: number | undefined;
}

/** The newest events of all the owners together, newest first, of those before a place. */
export async function listTimeline(
  db: D1Database,
  siteId: string,
  owners: readonly Identifier[],
  limit: number,
  before: EventPlace | null,
  { type, name, from, to }: EventFilter = {},
): Promise<EventRow[]> {
  // Bodies are read of the page alone.
  const { results } = await db
    .prepare(
      `SELECT e.owner, e.message_id, e.type, e.name, e.at, e.received_at, e.place, e.source, e.body
       FROM (
         SELECT o.owner, o.message_id FROM json_each(?2) AS asked
         CROSS JOIN events AS o ON o.site_id = ?1 AND o.owner = asked.value
         WHERE (?3 IS NULL OR (o.at, o.message_id, o.owner) < (?3, ?4, ?5))
           AND (?6 IS NULL OR o.type = ?6) AND (?7 IS NULL OR o.name = ?7)
           AND (?8 IS NULL OR o.at >= ?8) AND (?9 IS NULL OR o.at < ?9)
         ORDER BY o.at DESC, o.message_id DESC, o.owner DESC LIMIT ?10
       ) AS found
       CROSS JOIN events AS e ON e.site_id = ?1 AND e.owner = found.owner AND e.message_id = found.message_id
       ORDER BY e.at DESC, e.message_id DESC, e.owner DESC`,
    )
    .bind(
      siteId,
      JSON.stringify(owners),
      before?.at ?? null,
      before?.messageId ?? null,
      before?.owner ?? null,
      type ?? null,
      name ?? null,
      from ?? null,
      to ?? null,
      limit,
    )
    .all();
  return results.map(toEventRow);
}

/** Which events there are, in the order in which they came: by arrival, then by their place in the request. At most `limit`. */
export async function listArrivals(
  db: D1Database,
  siteId: string,
  owners: readonly Identifier[],
  limit: number,
): Promise<Arrival[]> {
  const { results } = await db
    .prepare(
      `SELECT e.owner, e.message_id AS messageId, e.received_at AS receivedAt, e.place FROM json_each(?2) AS asked
       CROSS JOIN events AS e ON e.site_id = ?1 AND e.owner = asked.value
       ORDER BY e.received_at, e.place, e.owner, e.message_id LIMIT ?3`,
    )
    .bind(siteId, JSON.stringify(owners), limit)
    .all<Arrival>();
  return results;
}

export interface Arrival {
  owner: Identifier;
  messageId: string;
  receivedAt: number;
  place: number;
}

/** Events by their keys, in no order. */
export async function listEventsByKey(
  db: D1Database,
  siteId: string,
  keys: readonly Pick<Arrival, "owner" | "messageId">[],
): Promise<EventRow[]> {
  const { results } = await db
    .prepare(
      `SELECT e.owner, e.message_id, e.type, e.name, e.at, e.received_at, e.place, e.source, e.body FROM json_each(?2) AS asked
       CROSS JOIN events AS e
         ON e.site_id = ?1 AND e.owner = asked.value ->> 0 AND e.message_id = asked.value ->> 1`,
    )
    .bind(siteId, JSON.stringify(keys.map(({ owner, messageId }) => [owner, messageId])))
    .all<Row>();
  return results.map(toEventRow);
}
