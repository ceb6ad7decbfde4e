/** SQL of the events that browsers number: what of each device's messages is stored, and what is not. */
import type { Identifier } from "../../shared/identifier.ts";

/** What one device has sent since its storage was last empty: a number that comes again begins anew. */
export interface Sequence {
  anonymousId: string;
  first: number;
  last: number;
  received: number;
  /** Numbers between `first` and `last` that never came. */
  missing: number;
  /** The lowest of them, as ranges; since when they are known: when the message behind them came. */
  gaps: { first: number; last: number; since: number }[];
  /** When the first and the last of them came, in order of arrival. */
  firstSeen: number;
  lastSeen: number;
}

/** Ranges that are told of one sequence. */
export const GAPS = 20;

/** The sequences that were heard of last, among the owners' events. Reads all of those. @returns null where they are more than `most` */
export async function listSequences(
  db: D1Database,
  siteId: string,
  owners: readonly Identifier[],
  limit: number,
  most: number,
): Promise<Sequence[] | null> {
  const list = JSON.stringify(owners);
  const found = await db
    .prepare(
      `SELECT count(*) AS found FROM (
         SELECT 1 FROM json_each(?2) AS asked
         CROSS JOIN events AS e ON e.site_id = ?1 AND e.owner = asked.value LIMIT ?3 + 1)`,
    )
    .bind(siteId, list, most)
    .first<number>("found");
  if (found! > most) return null;
  const { results } = await db
    .prepare(
      `WITH numbered AS (
         SELECT CAST(e.body ->> 'anonymousId' AS TEXT) AS device, e.body ->> 'seq' AS seq, e.received_at AS at, e.place
         FROM json_each(?2) AS asked
         CROSS JOIN events AS e ON e.site_id = ?1 AND e.owner = asked.value
         WHERE e.source = 'browser'
       ), told AS (
         SELECT *, row_number() OVER (PARTITION BY device, seq ORDER BY at, place) AS times
         FROM numbered WHERE device IS NOT NULL AND seq IS NOT NULL
       ), lived AS (
         SELECT *, max(times) OVER (PARTITION BY device ORDER BY at, place ROWS UNBOUNDED PRECEDING) AS life FROM told
       ), spaced AS (
         SELECT *, lag(seq) OVER (PARTITION BY device, life ORDER BY seq) AS previous FROM lived
       ), counted AS (
         SELECT *, count(*) FILTER (WHERE seq > previous + 1) OVER (PARTITION BY device, life ORDER BY seq) AS gap
         FROM spaced
       )
       SELECT device AS anonymousId, min(seq) AS first, max(seq) AS last, count(*) AS received,
         max(seq) - min(seq) + 1 - count(DISTINCT seq) AS missing,
         json_group_array(json_object('first', previous + 1, 'last', seq - 1, 'since', at) ORDER BY seq)
           FILTER (WHERE seq > previous + 1 AND gap <= ?3) AS gaps,
         min(at) AS firstSeen, max(at) AS lastSeen
       FROM counted GROUP BY device, life ORDER BY lastSeen DESC, device, life DESC LIMIT ?4`,
    )
    .bind(siteId, list, GAPS, limit)
    .all<Omit<Sequence, "gaps"> & { gaps: string }>();
  return results.map(({ gaps, ...sequence }) => ({ ...sequence, gaps: JSON.parse(gaps) }));
}
