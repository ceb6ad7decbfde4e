/** SQL of `stale_snapshots`, and of what snapshots are made of: the profiles of which KV may not say yet what is stored here. */
import { type IdentifierRow, toIdentifierRow } from "./identifiers.ts";
import { type ProfileRow, toProfileRow } from "./profiles.ts";

/** In place of a profile id: everybody of the site. Comes before all others. */
export const EVERYBODY = "*";

/** Says, with the transaction that changes them, that the profiles' snapshots are to be written; none for no profiles. */
export function markSnapshots(
  db: D1Database,
  siteId: string,
  profileIds: readonly string[],
  now: number,
): D1PreparedStatement[] {
  if (!profileIds.length) return [];
  return [
    db
      .prepare(
        `INSERT INTO stale_snapshots (site_id, profile_id, since, mark)
         SELECT ?1, value, iif(value = '*', 0, ?3), lower(hex(randomblob(8))) FROM json_each(?2) WHERE true
         ON CONFLICT (site_id, profile_id) DO UPDATE SET mark = excluded.mark`,
      )
      .bind(siteId, JSON.stringify(profileIds), now),
  ];
}

/** Takes back marks as they were read. @returns the profiles that were not marked again since */
export async function clearMarks(
  db: D1Database,
  siteId: string,
  marked: readonly { profileId: string; mark: string }[],
): Promise<Set<string>> {
  const { results } = await db
    .prepare(
      `DELETE FROM stale_snapshots WHERE (site_id, profile_id) IN (
         SELECT ?1, s.profile_id FROM json_each(?2) AS asked
         CROSS JOIN stale_snapshots AS s ON s.site_id = ?1 AND s.profile_id = asked.value ->> 0
         WHERE s.mark = asked.value ->> 1)
       RETURNING profile_id AS profileId`,
    )
    .bind(siteId, JSON.stringify(marked.map(({ profileId, mark }) => [profileId, mark])))
    .all<{ profileId: string }>();
  return new Set(results.map(({ profileId }) => profileId));
}

/** A profile whose snapshot is to be written. */
export interface Marked {
  profileId: string;
  mark: string;
  /** Null: it is gone, or part of another. */
  profile: ProfileRow | null;
  nodes: IdentifierRow[];
}

/** Those of the profiles that are marked, as they are now. */
export async function readMarked(db: D1Database, siteId: string, profileIds: readonly string[]): Promise<Marked[]> {
  const list = JSON.stringify(profileIds);
  const [marks, profiles, nodes] = await db.batch([
    db
      .prepare(
        `SELECT s.profile_id AS profileId, s.mark FROM json_each(?2) AS asked
         CROSS JOIN stale_snapshots AS s ON s.site_id = ?1 AND s.profile_id = asked.value`,
      )
      .bind(siteId, list),
    db
      .prepare(
        `SELECT p.id, p.stable_id, p.first_seen, p.last_seen, p.version, p.merged_into, p.decisions, p.wakes_at,
           p.manifest_version
         FROM json_each(?2) AS asked CROSS JOIN profiles AS p ON p.site_id = ?1 AND p.id = asked.value
         WHERE p.merged_into IS NULL`,
      )
      .bind(siteId, list),
    db
      .prepare(
        `SELECT m.identifier, m.profile_id, m.birth_id, m.first_seen, m.consent, m.lists, m.erased_at
         FROM json_each(?2) AS asked CROSS JOIN identifiers AS m INDEXED BY identifiers_site_id_profile_id
           ON m.site_id = ?1 AND m.profile_id = asked.value`,
      )
      .bind(siteId, list),
  ]);
  const rows = new Map(profiles!.results.map(toProfileRow).map((row) => [row.id, row]));
  const nodesOf = Map.groupBy(nodes!.results.map(toIdentifierRow), ({ profileId }) => profileId);
  return (marks!.results as { profileId: string; mark: string }[]).map((marked) => ({
    ...marked,
    profile: rows.get(marked.profileId) ?? null,
    nodes: nodesOf.get(marked.profileId) ?? [],
  }));
}

/** Marked profiles, those first that wait longest, all sites together. */
export async function listMarked(db: D1Database, limit: number): Promise<{ siteId: string; profileId: string }[]> {
  const { results } = await db
    .prepare("SELECT site_id AS siteId, profile_id AS profileId FROM stale_snapshots ORDER BY since LIMIT ?1")
    .bind(limit)
    .all<{ siteId: string; profileId: string }>();
  return results;
}
