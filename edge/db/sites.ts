/** SQL of `sites`: tenants and their settings. */
import type { RulesVersion, SiteSettings } from "../../shared/manifest.ts";

export interface Site {
  id: string;
  name: string;
  settings: SiteSettings;
  /** Number of the newest publish. */
  version: number;
  rules: RulesVersion;
  createdAt: number;
}

export interface SiteRow {
  id: string;
  name: string;
  settings: string;
  version: number;
  rules_version: number;
  rules_at: number;
  created_at: number;
}

export function toSite(row: SiteRow): Site {
  return {
    id: row.id,
    name: row.name,
    settings: JSON.parse(row.settings),
    version: row.version,
    rules: { version: row.rules_version, at: row.rules_at },
    createdAt: row.created_at,
  };
}

export function insertSite(db: D1Database, site: Omit<Site, "version" | "rules">): D1PreparedStatement {
  return db
    .prepare("INSERT INTO sites (id, name, settings, version, created_at) VALUES (?1, ?2, ?3, 0, ?4)")
    .bind(site.id, site.name, JSON.stringify(site.settings), site.createdAt);
}

export async function readSiteRow(db: D1Database, id: string): Promise<Site | null> {
  const row = await selectSite(db, id).first<SiteRow>();
  return row && toSite(row);
}

export function selectSite(db: D1Database, id: string): D1PreparedStatement {
  return db
    .prepare("SELECT id, name, settings, version, rules_version, rules_at, created_at FROM sites WHERE id = ?1")
    .bind(id);
}

/** Sites in the order of their ids, after the one given. */
export async function listSites(db: D1Database, after: string, limit: number): Promise<Site[]> {
  const { results } = await db
    .prepare(
      `SELECT id, name, settings, version, rules_version, rules_at, created_at FROM sites
       WHERE id > ?1 ORDER BY id LIMIT ?2`,
    )
    .bind(after, limit)
    .all<SiteRow>();
  return results.map(toSite);
}

/** Writes name and settings if the site is still at `version`; false when it has moved on. */
export async function updateSite(
  db: D1Database,
  id: string,
  change: { name: string; settings: SiteSettings },
  version: number,
): Promise<boolean> {
  const { meta } = await db
    .prepare("UPDATE sites SET name = ?2, settings = ?3 WHERE id = ?1 AND version = ?4")
    .bind(id, change.name, JSON.stringify(change.settings), version)
    .run();
  return meta.changes > 0;
}

/**
 * The statement that makes the next publish, if the site is at the version before it: then it answers a `RulesVersion`. Where its
 * rules are others than the last one's, all that was decided earlier has to be decided anew, as of `now`.
 */
export function publishSite(
  db: D1Database,
  id: string,
  version: number,
  rulesHash: string,
  now: number,
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE sites SET version = ?2, rules_hash = ?3, rules_version = iif(rules_hash = ?3, rules_version, ?2),
         rules_at = iif(rules_hash = ?3, rules_at, max(rules_at, ?4))
       WHERE id = ?1 AND version = ?2 - 1
       RETURNING rules_version AS version, rules_at AS at`,
    )
    .bind(id, version, rulesHash, now);
}

/** Notes that KV has taken a version of a site; false where there is a newer one. */
export async function markSpread(db: D1Database, id: string, version: number): Promise<boolean> {
  const { meta } = await db
    .prepare("UPDATE sites SET spread_version = ?2 WHERE id = ?1 AND version = ?2")
    .bind(id, version)
    .run();
  return meta.changes > 0;
}

/** Sites whose newest publish KV has not taken. */
export async function listUnspread(db: D1Database, limit: number): Promise<string[]> {
  const { results } = await db
    .prepare("SELECT id FROM sites WHERE spread_version < version ORDER BY id LIMIT ?1")
    .bind(limit)
    .all<{ id: string }>();
  return results.map(({ id }) => id);
}

/** Version of the publish that changed a site's rules last; 0 where none did. */
export async function readRulesVersion(db: D1Database, id: string): Promise<number> {
  const version = await db
    .prepare("SELECT rules_version AS version FROM sites WHERE id = ?1")
    .bind(id)
    .first<number>("version");
  return version ?? 0;
}

/** How much a site holds. Reads all of it: for a report, not for a page view. */
export async function countSite(db: D1Database, id: string): Promise<{ profiles: number; events: number }> {
  const [profiles, events] = await db.batch<{ n: number }>([
    db.prepare("SELECT count(*) AS n FROM profiles WHERE site_id = ?1 AND merged_into IS NULL").bind(id),
    db.prepare("SELECT count(*) AS n FROM events WHERE site_id = ?1").bind(id),
  ]);
  return { profiles: profiles?.results[0]?.n ?? 0, events: events?.results[0]?.n ?? 0 };
}
