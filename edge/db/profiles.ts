/** SQL of `profiles`: what the engine said last of each connected component, and when it must be asked again. */

import { toLists } from "./lists.ts";

/** Segment key → since when, until when (null = for ever, if nothing new happens). */
export type Decisions = { [segmentKey: string]: [since: number, until: number | null] };

export interface ProfileRow {
  id: string;
  stableId: string;
  firstSeen: number;
  lastSeen: number;
  version: number;
  mergedInto: string | null;
  decisions: Decisions;
  wakesAt: number | null;
  manifestVersion: number;
}

interface Row {
  id: string;
  stable_id: string;
  first_seen: number;
  last_seen: number;
  version: number;
  merged_into: string | null;
  decisions: string;
  wakes_at: number | null;
  manifest_version: number;
}

export function toProfileRow(row: unknown): ProfileRow {
  const r = row as Row;
  return {
    id: r.id,
    stableId: r.stable_id,
    firstSeen: r.first_seen,
    lastSeen: r.last_seen,
    version: r.version,
    mergedInto: r.merged_into,
    decisions: JSON.parse(r.decisions),
    wakesAt: r.wakes_at,
    manifestVersion: r.manifest_version,
  };
}

/** The profiles that the given identifiers belong to. */
export function selectProfiles(db: D1Database, siteId: string, identifiers: string): D1PreparedStatement {
  return db
    .prepare(
      `SELECT p.id, p.stable_id, p.first_seen, p.last_seen, p.version, p.merged_into, p.decisions, p.wakes_at,
         p.manifest_version
       FROM (
         SELECT DISTINCT i.profile_id FROM json_each(?2) AS asked
         CROSS JOIN identifiers AS i ON i.site_id = ?1 AND i.identifier = asked.value
       ) AS found
       CROSS JOIN profiles AS p ON p.site_id = ?1 AND p.id = found.profile_id`,
    )
    .bind(siteId, identifiers);
}

/** Profiles by their ids, those included that became part of another one. */
export async function listProfilesById(
  db: D1Database,
  siteId: string,
  ids: readonly string[],
): Promise<Map<string, ProfileRow>> {
  const { results } = await db
    .prepare(
      `SELECT p.id, p.stable_id, p.first_seen, p.last_seen, p.version, p.merged_into, p.decisions, p.wakes_at,
         p.manifest_version
       FROM json_each(?2) AS asked
       CROSS JOIN profiles AS p ON p.site_id = ?1 AND p.id = asked.value`,
    )
    .bind(siteId, JSON.stringify(ids))
    .all();
  return new Map(results.map(toProfileRow).map((row) => [row.id, row]));
}

/**
 * Writes profiles that were read at `version - 1`. If another request wrote or erased one of them meanwhile, `json('conflict')`
 * fails as malformed and the whole transaction with it: see `isConflict`. If the site's rules have changed since those that
 * one was decided by, the path `stale` fails: see `isStale`. So whatever is written after a change is decided by it.
 */
export function upsertProfiles(db: D1Database, siteId: string, rows: readonly ProfileRow[]): D1PreparedStatement[] {
  const lists = toLists(
    rows.map((r) => [
      r.id,
      r.stableId,
      r.firstSeen,
      r.lastSeen,
      r.version,
      r.mergedInto,
      r.decisions,
      r.wakesAt,
      r.manifestVersion,
    ]),
  );
  return lists.map((list) =>
    db
      .prepare(
        `INSERT INTO profiles (site_id, id, stable_id, first_seen, last_seen, version, merged_into, decisions, wakes_at,
         manifest_version)
       SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3,
         json(CASE WHEN value ->> 4 = 1 OR EXISTS (
           SELECT 1 FROM profiles WHERE site_id = ?1 AND id = value ->> 0) THEN value ->> 4 ELSE 'conflict' END),
         value ->> 5, value -> 6, value ->> 7,
         json_extract(value, CASE WHEN value ->> 5 IS NULL
           AND value ->> 8 < (SELECT rules_version FROM sites WHERE id = ?1) THEN 'stale' ELSE '$[8]' END)
       FROM json_each(?2) WHERE true
       ON CONFLICT (site_id, id) DO UPDATE SET
         stable_id = excluded.stable_id,
         first_seen = excluded.first_seen,
         last_seen = excluded.last_seen,
         version = excluded.version
           + json(CASE WHEN profiles.version = excluded.version - 1 THEN '0' ELSE 'conflict' END),
         merged_into = excluded.merged_into,
         decisions = excluded.decisions,
         wakes_at = excluded.wakes_at,
         manifest_version = excluded.manifest_version`,
      )
      .bind(siteId, list),
  );
}

/** True for the error of a transaction that lost a race: what it read has changed, so it may be tried again. */
export function isConflict(error: unknown): boolean {
  return error instanceof Error && /malformed JSON|UNIQUE constraint failed: (identifiers|events)/.test(error.message);
}

/** True for the error of a transaction that decided by rules which have changed: read the site anew, and try again. */
export function isStale(error: unknown): boolean {
  return error instanceof Error && /JSON path.*'stale'/.test(error.message);
}

/** A site's profiles in the order of their ids, after the one given, each with the manifest it was decided by. */
export async function listProfiles(
  db: D1Database,
  siteId: string,
  after: string,
  limit: number,
): Promise<{ id: string; manifestVersion: number }[]> {
  const { results } = await db
    .prepare(
      `SELECT id, manifest_version AS manifestVersion FROM profiles
       WHERE site_id = ?1 AND id > ?2 AND merged_into IS NULL ORDER BY id LIMIT ?3`,
    )
    .bind(siteId, after, limit)
    .all<{ id: string; manifestVersion: number }>();
  return results;
}

/** Profiles whose time has come, those due longest first. */
export async function listDueProfiles(
  db: D1Database,
  now: number,
  limit: number,
): Promise<{ siteId: string; id: string }[]> {
  const { results } = await db
    .prepare("SELECT site_id, id FROM profiles WHERE wakes_at <= ?1 ORDER BY wakes_at LIMIT ?2")
    .bind(now, limit)
    .all<{ site_id: string; id: string }>();
  return results.map((row) => ({ siteId: row.site_id, id: row.id }));
}

/** Takes profiles off the clock: nothing will be decided of them. */
export async function clearWakes(db: D1Database, siteId: string, ids: readonly string[]): Promise<void> {
  await db
    .prepare("UPDATE profiles SET wakes_at = NULL WHERE site_id = ?1 AND id IN (SELECT value FROM json_each(?2))")
    .bind(siteId, JSON.stringify(ids))
    .run();
}

/** Puts a profile that cannot be decided off until later, if it is still due at `now`. */
export async function postponeWake(
  db: D1Database,
  siteId: string,
  id: string,
  now: number,
  until: number,
): Promise<void> {
  await db
    .prepare("UPDATE profiles SET wakes_at = ?4 WHERE site_id = ?1 AND id = ?2 AND wakes_at <= ?3")
    .bind(siteId, id, now, until)
    .run();
}

/**
 * Says that something was made of these profiles which is not written in them, so that whoever else read them starts again: refuses,
 * as `upsertProfiles` does, where one of them was written since it was read.
 */
export function touchProfiles(db: D1Database, siteId: string, rows: readonly ProfileRow[]): D1PreparedStatement[] {
  return rows.map(({ id, version }) =>
    db
      .prepare(
        `UPDATE profiles SET version = version + json(CASE WHEN version = ?3 THEN '1' ELSE 'conflict' END)
         WHERE site_id = ?1 AND id = ?2`,
      )
      .bind(siteId, id, version),
  );
}
