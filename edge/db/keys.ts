/** SQL of `keys`: only the SHA-256 of a key is stored, so that a copy of the table opens nothing. */

export type KeyKind = "write" | "secret";

export interface Key {
  id: string;
  siteId: string;
  kind: KeyKind;
  label: string;
  /** A write key in full (it is public), or the last four characters of a secret key. */
  hint: string;
  createdAt: number;
  revokedAt: number | null;
}

interface KeyRow {
  id: string;
  site_id: string;
  kind: KeyKind;
  label: string;
  hint: string;
  created_at: number;
  revoked_at: number | null;
}

function toKey(row: KeyRow): Key {
  return {
    id: row.id,
    siteId: row.site_id,
    kind: row.kind,
    label: row.label,
    hint: row.hint,
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
  };
}

export function insertKey(db: D1Database, hash: string, key: Omit<Key, "revokedAt">): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO keys (hash, id, site_id, kind, label, hint, created_at, revoked_at)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL)`,
    )
    .bind(hash, key.id, key.siteId, key.kind, key.label, key.hint, key.createdAt);
}

/** A key by its hash, and the site that it opens; null when it is unknown, revoked or of the other kind. */
export async function readKey(
  db: D1Database,
  hash: string,
  kind: KeyKind,
): Promise<{ id: string; siteId: string } | null> {
  return db
    .prepare("SELECT id, site_id AS siteId FROM keys WHERE hash = ?1 AND kind = ?2 AND revoked_at IS NULL")
    .bind(hash, kind)
    .first<{ id: string; siteId: string }>();
}

/** Keys of a site in the order of their ids, after the one given. */
export async function listKeys(db: D1Database, siteId: string, after: string, limit: number): Promise<Key[]> {
  const { results } = await db
    .prepare(
      `SELECT id, site_id, kind, label, hint, created_at, revoked_at FROM keys
       WHERE site_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3`,
    )
    .bind(siteId, after, limit)
    .all<KeyRow>();
  return results.map(toKey);
}

/** Revokes a key for good; answers it with its hash, or null when the site has no such key. */
export async function revokeKey(
  db: D1Database,
  siteId: string,
  id: string,
  now: number,
): Promise<{ key: Key; hash: string } | null> {
  const row = await db
    .prepare(
      `UPDATE keys SET revoked_at = coalesce(revoked_at, ?3) WHERE site_id = ?1 AND id = ?2
       RETURNING hash, id, site_id, kind, label, hint, created_at, revoked_at`,
    )
    .bind(siteId, id, now)
    .first<KeyRow & { hash: string }>();
  return row && { key: toKey(row), hash: row.hash };
}
