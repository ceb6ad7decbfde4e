/** SQL of `segment_hours`: how the size of each segment went, hour by hour, written with every change of membership. */

export interface SegmentHour {
  /** Its beginning. */
  hour: number;
  entered: number;
  exited: number;
  /** At its end. */
  members: number;
}

/**
 * Counts changes, a list as `applyMembershipChanges` makes it, that are about to be applied: only what will really change.
 * Each counts in the hour of its instant. Where that is found late, all hours since then have other sizes, too.
 */
export function countMembershipChanges(db: D1Database, siteId: string, list: string): D1PreparedStatement {
  return db
    .prepare(
      `WITH found AS (
         SELECT asked.value ->> 1 AS segment_key, asked.value ->> 4 - (asked.value ->> 4) % 3600000 AS hour,
           sum(asked.value ->> 2 = 'enter' AND (m.since IS NULL OR NOT asked.value ->> 7)) AS entered,
           sum(asked.value ->> 2 = 'exit' AND (m.since IS NOT NULL OR NOT asked.value ->> 7)) AS exited
         FROM json_each(?2) AS asked
         LEFT JOIN memberships AS m
           ON m.site_id = ?1 AND m.segment_key = asked.value ->> 1 AND m.profile_id = asked.value ->> 0
         GROUP BY 1, 2 HAVING entered + exited > 0
       ), touched AS (
         SELECT segment_key, hour, entered, exited FROM found
         UNION ALL
         SELECT later.segment_key, later.hour, 0, 0
         FROM (SELECT segment_key, min(hour) AS hour FROM found GROUP BY 1) AS first
         CROSS JOIN segment_hours AS later
           ON later.site_id = ?1 AND later.segment_key = first.segment_key AND later.hour > first.hour
       )
       INSERT INTO segment_hours (site_id, segment_key, hour, entered, exited, members)
       SELECT ?1, segment_key, hour, sum(entered), sum(exited),
         coalesce((SELECT members FROM segment_hours AS last
           WHERE last.site_id = ?1 AND last.segment_key = touched.segment_key AND last.hour <= touched.hour
           ORDER BY last.hour DESC LIMIT 1), 0)
           + sum(sum(entered) - sum(exited)) OVER (PARTITION BY segment_key ORDER BY hour)
       FROM touched WHERE true GROUP BY segment_key, hour
       ON CONFLICT (site_id, segment_key, hour) DO UPDATE SET
         entered = segment_hours.entered + excluded.entered,
         exited = segment_hours.exited + excluded.exited,
         members = excluded.members`,
    )
    .bind(siteId, list);
}

/** The newest hour in which anything changed, of each segment that ever had a member. */
export async function readNewestHours(
  db: D1Database,
  siteId: string,
  keys: readonly string[],
): Promise<Map<string, SegmentHour>> {
  const { results } = await selectNewestHours(db, siteId, keys).all<SegmentHour & { key: string }>();
  return new Map(results.map(({ key, ...hour }) => [key, hour]));
}

export function selectNewestHours(db: D1Database, siteId: string, keys: readonly string[]): D1PreparedStatement {
  return db
    .prepare(
      `SELECT h.segment_key AS key, h.hour, h.entered, h.exited, h.members FROM json_each(?2) AS asked
       CROSS JOIN segment_hours AS h ON h.site_id = ?1 AND h.segment_key = asked.value AND h.hour = (
         SELECT max(hour) FROM segment_hours WHERE site_id = ?1 AND segment_key = asked.value)`,
    )
    .bind(siteId, JSON.stringify(keys));
}

/** The hours that begin in [from, to) and in which anything changed, ascending; before them the last one earlier, if any. */
export function selectHours(
  db: D1Database,
  siteId: string,
  key: string,
  from: number,
  to: number,
): D1PreparedStatement {
  return db
    .prepare(
      `SELECT hour, entered, exited, members FROM segment_hours
       WHERE site_id = ?1 AND segment_key = ?2 AND hour < ?4 AND hour >= coalesce((
         SELECT max(hour) FROM segment_hours WHERE site_id = ?1 AND segment_key = ?2 AND hour < ?3), ?3)
       ORDER BY hour`,
    )
    .bind(siteId, key, from, to);
}
