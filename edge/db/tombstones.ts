/** SQL of `tombstones`: who was erased and when, by a hash, so that what is sent again from before brings nobody back. */
import type { Identifier } from "../../shared/identifier.ts";
import { sha256 } from "../sha256.ts";
import { toLists } from "./lists.ts";

export interface Tombstone {
  /** Epoch milliseconds. What is not newer is refused. */
  erasedAt: number;
  /** Rows are left to be removed: nobody new can have the identifier yet. */
  isOpen: boolean;
}

/**
 * SHA-256 over site and identifier. Whoever reads the table learns no name from it, and cannot tell whether two sites erased the
 * same person. It does not stop somebody who holds the table from trying out addresses that they know; a secret key beside the
 * hashes would not either, and one of the deployment would make all tombstones void when it is changed.
 */
function hashOf(siteId: string, identifier: Identifier): Promise<string> {
  return sha256(`${siteId} ${identifier}`);
}

/** Those of the identifiers that were ever erased. */
export async function readTombstones(
  db: D1Database,
  siteId: string,
  identifiers: Iterable<Identifier>,
): Promise<Map<Identifier, Tombstone>> {
  const hashed = await Promise.all(
    Array.from(new Set(identifiers), async (identifier) => [await hashOf(siteId, identifier), identifier] as const),
  );
  const byHash = new Map(hashed);
  const found = new Map<Identifier, Tombstone>();
  for (const list of toLists([...byHash.keys()])) {
    const { results } = await db
      .prepare(
        `SELECT t.hash, t.erased_at AS erasedAt, t.profile_id IS NOT NULL AS isOpen FROM json_each(?2) AS asked
         CROSS JOIN tombstones AS t ON t.site_id = ?1 AND t.hash = asked.value`,
      )
      .bind(siteId, list)
      .all<{ hash: string; erasedAt: number; isOpen: number }>();
    for (const { hash, erasedAt, isOpen } of results) found.set(byHash.get(hash)!, { erasedAt, isOpen: isOpen === 1 });
  }
  return found;
}

/**
 * The statement that fails, and the whole transaction with it, unless each identifier was erased when it is believed to have been
 * (undefined: never) and nothing is left of it: see `isErased`. None for no identifiers.
 */
export async function guardTombstones(
  db: D1Database,
  siteId: string,
  known: Iterable<readonly [Identifier, erasedAt: number | undefined]>,
): Promise<D1PreparedStatement[]> {
  const rows = await Promise.all(
    Array.from(known, async ([identifier, erasedAt]) => [await hashOf(siteId, identifier), erasedAt ?? null]),
  );
  return toLists(rows).map((list) =>
    db
      .prepare(
        `SELECT count(json_extract(value, CASE WHEN value ->> 1 IS (
           SELECT iif(t.profile_id IS NULL, t.erased_at, -1) FROM tombstones AS t
           WHERE t.site_id = ?1 AND t.hash = value ->> 0) THEN '$[1]' ELSE 'erased' END))
         FROM json_each(?2)`,
      )
      .bind(siteId, list),
  );
}

/** True for the error of a transaction that would have brought somebody back: read the tombstones, and try again. */
export function isErased(error: unknown): boolean {
  return error instanceof Error && /JSON path.*'erased'/.test(error.message);
}

/** What an erasure needs of an identifier. */
export interface ErasedIdentifier {
  identifier: Identifier;
  birthId: string;
}

/**
 * Puts tombstones, open, for all identifiers of a profile that was read at `version`; if it was written or erased meanwhile, the
 * whole transaction fails: see `isConflict`.
 */
export async function insertTombstones(
  db: D1Database,
  siteId: string,
  profile: { id: string; version: number | null },
  identifiers: readonly ErasedIdentifier[],
  erasedAt: number,
): Promise<D1PreparedStatement[]> {
  const rows = await Promise.all(
    identifiers.map(async ({ identifier, birthId }) => [await hashOf(siteId, identifier), birthId, identifier]),
  );
  return toLists(rows).map((list) =>
    db
      .prepare(
        `INSERT INTO tombstones (site_id, hash, erased_at, profile_id, birth_id, identifier)
         SELECT ?1, value ->> 0,
           json(CASE WHEN (SELECT version FROM profiles WHERE site_id = ?1 AND id = ?3) IS ?4 THEN ?5 ELSE 'conflict' END),
           ?3, value ->> 1, value ->> 2
         FROM json_each(?2) WHERE true
         ON CONFLICT (site_id, hash) DO UPDATE SET erased_at = excluded.erased_at, profile_id = excluded.profile_id,
           birth_id = excluded.birth_id, identifier = excluded.identifier`,
      )
      .bind(siteId, list, profile.id, profile.version, erasedAt),
  );
}

/** The profile whose erasure has rows left to remove, by one of its birth ids or identifiers; null if there is none. */
export async function readOpenErasure(
  db: D1Database,
  siteId: string,
  by: { identifier: Identifier } | { id: string },
): Promise<{ profileId: string; erasedAt: number } | null> {
  return db
    .prepare(
      `SELECT profile_id AS profileId, erased_at AS erasedAt FROM tombstones
       WHERE site_id = ?1 AND profile_id IS NOT NULL AND iif(?2, identifier, birth_id) = ?3`,
    )
    .bind(siteId, "identifier" in by ? 1 : 0, "identifier" in by ? by.identifier : by.id)
    .first();
}

/** Erasures that have rows left to remove, all sites together. */
export async function listOpenErasures(
  db: D1Database,
  limit: number,
): Promise<{ siteId: string; profileId: string; erasedAt: number }[]> {
  const { results } = await db
    .prepare(
      `SELECT DISTINCT site_id AS siteId, profile_id AS profileId, erased_at AS erasedAt FROM tombstones
       WHERE profile_id IS NOT NULL LIMIT ?1`,
    )
    .bind(limit)
    .all<{ siteId: string; profileId: string; erasedAt: number }>();
  return results;
}

/** All identifiers of an open erasure. */
export async function listErasedIdentifiers(
  db: D1Database,
  siteId: string,
  profileId: string,
): Promise<ErasedIdentifier[]> {
  const { results } = await db
    .prepare("SELECT identifier, birth_id AS birthId FROM tombstones WHERE site_id = ?1 AND profile_id = ?2")
    .bind(siteId, profileId)
    .all<ErasedIdentifier>();
  return results;
}
