/** SQL of who is a site's population: a sample of its `profiles`, whatever their number. */

/** The rows with the smallest ids, ascending, those of profiles that became part of another included. */
export function selectLowestProfiles(db: D1Database, siteId: string, limit: number): D1PreparedStatement {
  return db
    .prepare("SELECT id, merged_into IS NOT NULL AS merged FROM profiles WHERE site_id = ?1 ORDER BY id LIMIT ?2")
    .bind(siteId, limit);
}
