/** SQL of `backfills`: how far everybody has been decided by a site's newest rules. */

export interface Backfill {
  siteId: string;
  /** Version of the site that changed the rules. */
  rulesVersion: number;
  /** Everybody up to this profile id is decided. */
  cursor: string;
  /** Profiles walked over. */
  done: number;
  /** Profiles at the start; null until they are counted. */
  total: number | null;
  startedAt: number;
  finishedAt: number | null;
}

/** How far one has come. */
export type Progress = Pick<Backfill, "cursor" | "done" | "finishedAt">;

interface Row {
  site_id: string;
  rules_version: number;
  cursor: string;
  done: number;
  total: number | null;
  started_at: number;
  finished_at: number | null;
}

function toBackfill(row: Row): Backfill {
  return {
    siteId: row.site_id,
    rulesVersion: row.rules_version,
    cursor: row.cursor,
    done: row.done,
    total: row.total,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}

/** The one that runs, or the last one; null while no rules were published. */
export async function readBackfill(db: D1Database, siteId: string): Promise<Backfill | null> {
  const row = await db
    .prepare(
      `SELECT site_id, rules_version, cursor, done, total, started_at, finished_at FROM backfills WHERE site_id = ?1`,
    )
    .bind(siteId)
    .first<Row>();
  return row && toBackfill(row);
}

/** Sites whose backfill nobody works on, those first that were left longest ago, or never begun. */
export async function listWaitingBackfills(db: D1Database, now: number, limit: number): Promise<string[]> {
  const { results } = await db
    .prepare(
      `SELECT site_id FROM backfills WHERE finished_at IS NULL AND leased_until <= ?1 ORDER BY leased_until LIMIT ?2`,
    )
    .bind(now, limit)
    .all<{ site_id: string }>();
  return results.map((row) => row.site_id);
}

/**
 * Starts a site's backfill from the beginning, if the site is at the version before this one and its rules were others.
 * One of a site without profiles is finished as it starts.
 */
export function startBackfill(
  db: D1Database,
  siteId: string,
  version: number,
  rulesHash: string,
  now: number,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO backfills (site_id, rules_version, cursor, done, total, started_at, finished_at, leased_until)
       SELECT id, ?2, '', 0, iif(peopled, NULL, 0), ?4, iif(peopled, NULL, ?4), 0
       FROM (SELECT id, EXISTS (SELECT 1 FROM profiles WHERE site_id = ?1) AS peopled FROM sites
         WHERE id = ?1 AND version = ?2 - 1 AND rules_hash <> ?3)
       WHERE true
       ON CONFLICT (site_id) DO UPDATE SET rules_version = excluded.rules_version, cursor = excluded.cursor,
         done = excluded.done, total = excluded.total, started_at = excluded.started_at,
         finished_at = excluded.finished_at, leased_until = excluded.leased_until`,
    )
    .bind(siteId, version, rulesHash, now);
}

/** Takes a site's backfill for the time until the lease ends; null if there is none to do, or somebody else works on it. */
export async function takeBackfill(
  db: D1Database,
  siteId: string,
  now: number,
  leasedUntil: number,
): Promise<Backfill | null> {
  const row = await db
    .prepare(
      `UPDATE backfills SET leased_until = ?3,
         total = coalesce(total, (SELECT count(*) FROM profiles WHERE site_id = ?1 AND merged_into IS NULL))
       WHERE site_id = ?1 AND finished_at IS NULL AND leased_until <= ?2
       RETURNING site_id, rules_version, cursor, done, total, started_at, finished_at`,
    )
    .bind(siteId, now, leasedUntil)
    .first<Row>();
  return row && toBackfill(row);
}

/** Writes how far a backfill has come since `before`; false if it was started anew or carried on by somebody else meanwhile. */
export async function advanceBackfill(
  db: D1Database,
  before: Backfill,
  after: Progress,
  leasedUntil: number,
): Promise<boolean> {
  const { meta } = await db
    .prepare(
      `UPDATE backfills SET cursor = ?4, done = ?5, finished_at = ?6, leased_until = ?7
       WHERE site_id = ?1 AND rules_version = ?2 AND cursor = ?3 AND finished_at IS NULL`,
    )
    .bind(before.siteId, before.rulesVersion, before.cursor, after.cursor, after.done, after.finishedAt, leasedUntil)
    .run();
  return meta.changes > 0;
}
