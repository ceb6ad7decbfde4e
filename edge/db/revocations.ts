/** SQL of `revocations`: profiles whose tokens of before prove nothing. */

/** Profile id → what was issued up to then is void. */
export type Revocations = ReadonlyMap<string, number>;

/** Adds profiles, or makes it later; forgets what is older than `expired`. */
export function upsertRevocations(
  db: D1Database,
  siteId: string,
  profileIds: readonly string[],
  until: number,
  expired: number,
): D1PreparedStatement[] {
  return [
    db
      .prepare(
        `INSERT INTO revocations (site_id, profile_id, until) SELECT ?1, value, ?3 FROM json_each(?2) WHERE true
         ON CONFLICT (site_id, profile_id) DO UPDATE SET until = max(until, excluded.until)`,
      )
      .bind(siteId, JSON.stringify(profileIds), until),
    db.prepare("DELETE FROM revocations WHERE site_id = ?1 AND until <= ?2").bind(siteId, expired),
  ];
}

/** The newest of a site, at most `limit`. */
export async function listRevocations(db: D1Database, siteId: string, limit: number): Promise<[string, number][]> {
  const { results } = await db
    .prepare("SELECT profile_id AS profileId, until FROM revocations WHERE site_id = ?1 ORDER BY until DESC LIMIT ?2")
    .bind(siteId, limit)
    .all<{ profileId: string; until: number }>();
  return results.map(({ profileId, until }) => [profileId, until]);
}
