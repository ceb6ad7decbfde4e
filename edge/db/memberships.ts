/** SQL of `memberships` and `membership_log`: who is in which segment, and every enter and exit. */

import { toLists } from "./lists.ts";
import { countMembershipChanges } from "./segment-hours.ts";

export const CAUSES = ["event", "time", "rule", "identity"] as const;
export type Cause = (typeof CAUSES)[number];

/** An enter or exit as it is logged. */
export interface LogEntry {
  profileId: string;
  segmentKey: string;
  change: "enter" | "exit";
  cause: Cause;
  /** The instant at which it became true. */
  at: number;
  segmentVersion: number;
}

export interface MembershipChange extends Omit<LogEntry, "change"> {
  /** `since`: who was a member stays one, but since another time. That is neither counted nor logged. */
  change: "enter" | "exit" | "since";
  /** What `memberships` says from now on: `at`, or earlier where it is taken over from a united profile. Null for an exit. */
  since: number | null;
}

/**
 * The statements that count changes, make them true and log them; none where nothing changed. Several of the same membership
 * come in their order: all are counted and logged, the last one is what holds.
 */
export function applyMembershipChanges(
  db: D1Database,
  siteId: string,
  changes: readonly MembershipChange[],
): D1PreparedStatement[] {
  const nameOf = ({ profileId, segmentKey }: MembershipChange) => `${profileId} ${segmentKey}`;
  const last = new Map(changes.map((change) => [nameOf(change), change]));
  const known = new Set<string>();
  const rows = changes.map((change) => {
    const name = nameOf(change);
    const isFirst = change.change !== "since" && !known.has(name);
    if (isFirst) known.add(name);
    const { profileId, segmentKey, cause, at, segmentVersion, since } = change;
    const isLast = last.get(name) === change;
    return [profileId, segmentKey, change.change, cause, at, segmentVersion, since, isFirst, isLast];
  });
  return toLists(rows).flatMap((list) => [
    countMembershipChanges(db, siteId, list),
    db
      .prepare(
        `DELETE FROM memberships WHERE (site_id, segment_key, profile_id) IN (
           SELECT ?1, value ->> 1, value ->> 0 FROM json_each(?2) WHERE value ->> 2 = 'exit' AND value ->> 8)`,
      )
      .bind(siteId, list),
    db
      .prepare(
        `INSERT INTO memberships (site_id, segment_key, profile_id, since)
         SELECT ?1, value ->> 1, value ->> 0, value ->> 6 FROM json_each(?2) WHERE value ->> 2 <> 'exit' AND value ->> 8
         ON CONFLICT (site_id, segment_key, profile_id) DO UPDATE SET since = excluded.since`,
      )
      .bind(siteId, list),
    db
      .prepare(
        `INSERT INTO membership_log (site_id, profile_id, segment_key, change, cause, at, segment_version)
         SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?2)
         WHERE value ->> 2 <> 'since'`,
      )
      .bind(siteId, list),
  ]);
}

/** Those of the profiles that are in the segment. */
export async function listMembersAmong(
  db: D1Database,
  siteId: string,
  key: string,
  profileIds: readonly string[],
): Promise<Set<string>> {
  const { results } = await db
    .prepare(
      `SELECT m.profile_id AS profileId FROM json_each(?3) AS asked
       CROSS JOIN memberships AS m ON m.site_id = ?1 AND m.segment_key = ?2 AND m.profile_id = asked.value`,
    )
    .bind(siteId, key, JSON.stringify(profileIds))
    .all<{ profileId: string }>();
  return new Set(results.map(({ profileId }) => profileId));
}

/** Of each segment the members with the smallest profile ids, ascending, at most `limit`. */
export function selectLowestMembers(
  db: D1Database,
  siteId: string,
  keys: readonly string[],
  limit: number,
): D1PreparedStatement {
  return db
    .prepare(
      `SELECT m.segment_key AS segmentKey, m.profile_id AS profileId FROM json_each(?2) AS asked
       CROSS JOIN memberships AS m ON m.site_id = ?1 AND m.segment_key = asked.value AND m.profile_id IN (
         SELECT profile_id FROM memberships WHERE site_id = ?1 AND segment_key = asked.value
         ORDER BY profile_id LIMIT ?3)
       ORDER BY m.segment_key, m.profile_id`,
    )
    .bind(siteId, JSON.stringify(keys), limit);
}

export interface LogRow extends LogEntry {
  /** Grows with each change. */
  id: number;
}

/** Enters and exits of some profiles, the newest first, of those before the one with id `before`. */
export function selectLog(
  db: D1Database,
  siteId: string,
  profileIds: readonly string[],
  before: number,
  limit: number,
): D1PreparedStatement {
  return db
    .prepare(
      `SELECT l.id, l.profile_id AS profileId, l.segment_key AS segmentKey, l.change, l.cause, l.at,
         l.segment_version AS segmentVersion
       FROM json_each(?2) AS asked
       CROSS JOIN membership_log AS l ON l.id IN (
         SELECT id FROM membership_log WHERE site_id = ?1 AND profile_id = asked.value AND id < ?3
         ORDER BY id DESC LIMIT ?4)
       ORDER BY l.id DESC LIMIT ?4`,
    )
    .bind(siteId, JSON.stringify(profileIds), before, limit);
}

export interface Member {
  profileId: string;
  since: number;
  /** When time alone may end it; null = never. */
  until: number | null;
}

/** Members in the order of their profile ids, after the one given. */
export async function listMembers(
  db: D1Database,
  siteId: string,
  key: string,
  after: string,
  limit: number,
): Promise<Member[]> {
  const { results } = await db
    .prepare(
      `SELECT m.profile_id AS profileId, m.since, json_extract(p.decisions, '$."' || m.segment_key || '"[1]') AS until
       FROM memberships m LEFT JOIN profiles p ON p.site_id = m.site_id AND p.id = m.profile_id
       WHERE m.site_id = ?1 AND m.segment_key = ?2 AND m.profile_id > ?3
       ORDER BY m.profile_id LIMIT ?4`,
    )
    .bind(siteId, key, after, limit)
    .all<Member>();
  return results;
}
