/** SQL of `audit_seals` and `audit_waiting`: the chain over a site's audit, and the sites where entries wait for a seal. */
import type { ChainEntry, Seal, SealHead } from "../../shared/audit.ts";
import { type EntryRow, toEntry } from "./audit.ts";
import { toLists } from "./lists.ts";

interface SealRow {
  seq: number;
  at: number;
  digests: string;
  hash: string;
}

/** Whatever was made of the row, a seal comes of it: it is to be checked. */
function toSeal({ digests, ...row }: SealRow): Seal {
  const list: unknown = JSON.parse(digests);
  return { ...row, digests: Array.isArray(list) ? list : [] };
}

/** Sites with entries that no seal stands over yet, those first that wait longest. */
export async function listSitesToSeal(db: D1Database, limit: number): Promise<string[]> {
  const { results } = await db
    .prepare("SELECT site_id AS siteId FROM audit_waiting ORDER BY since LIMIT ?1")
    .bind(limit)
    .all<{ siteId: string }>();
  return results.map(({ siteId }) => siteId);
}

/** Of each site the last seal, and entries after it, ascending, at most `limit`: what the next seal needs. */
export async function readUnsealed(
  db: D1Database,
  siteIds: readonly string[],
  limit: number,
): Promise<{ siteId: string; last: SealHead | null; entries: ChainEntry[] }[]> {
  const ids = JSON.stringify(siteIds);
  const [seals, entries] = await db.batch<{ siteId: string } & SealHead & EntryRow>([
    db
      .prepare(
        `SELECT s.site_id AS siteId, s.seq, s.hash FROM json_each(?1) AS asked
         CROSS JOIN audit_seals AS s ON s.site_id = asked.value
           AND s.seq = (SELECT max(seq) FROM audit_seals WHERE site_id = asked.value)`,
      )
      .bind(ids),
    db
      .prepare(
        `SELECT e.site_id AS siteId, e.seq, e.at, e.actor, e.action, e.subjects, e.detail, e.salt,
           e.detail_hash AS detailHash
         FROM json_each(?1) AS asked
         CROSS JOIN audit AS e ON e.site_id = asked.value
           AND e.seq > coalesce((SELECT max(seq) FROM audit_seals WHERE site_id = asked.value), 0)
           AND e.seq <= ?2 + coalesce((SELECT max(seq) FROM audit_seals WHERE site_id = asked.value), 0)
         ORDER BY e.site_id, e.seq`,
      )
      .bind(ids, limit),
  ]);
  const lasts = new Map(seals!.results.map(({ siteId, seq, hash }) => [siteId, { seq, hash }]));
  const unsealed = Map.groupBy(entries!.results, ({ siteId }) => siteId);
  return siteIds.map((siteId) => ({
    siteId,
    last: lasts.get(siteId) ?? null,
    entries: (unsealed.get(siteId) ?? []).map(toEntry),
  }));
}

export interface NewSeal {
  siteId: string;
  /** `seq` of the seal before; 0 for the first. */
  after: number;
  seal: Seal;
}

/** Writes seals, of each site one, in the order of seals: one that does not follow the last is left out, somebody else was first. */
export function insertSeals(db: D1Database, seals: readonly NewSeal[]): D1PreparedStatement[] {
  const rows = seals.map(({ siteId, after, seal }) => [siteId, after, seal.seq, seal.at, seal.digests, seal.hash]);
  return toLists(rows).map((list) =>
    db
      .prepare(
        `INSERT INTO audit_seals (site_id, seq, at, digests, hash)
         SELECT value ->> 0, value ->> 2, value ->> 3, value -> 4, value ->> 5 FROM json_each(?1)
         WHERE value ->> 1 = coalesce((SELECT max(s.seq) FROM audit_seals AS s WHERE s.site_id = value ->> 0), 0)`,
      )
      .bind(list),
  );
}

/** Takes sites off the list where no entry follows the last seal: all are sealed, or the next one is missing. */
export function deleteSealedSites(db: D1Database, siteIds: readonly string[]): D1PreparedStatement {
  return db
    .prepare(
      `DELETE FROM audit_waiting WHERE site_id IN (SELECT value FROM json_each(?1)) AND NOT EXISTS (
         SELECT 1 FROM audit AS e WHERE e.site_id = audit_waiting.site_id
           AND e.seq = 1 + coalesce((SELECT max(seq) FROM audit_seals AS s WHERE s.site_id = audit_waiting.site_id), 0))`,
    )
    .bind(JSON.stringify(siteIds));
}

/** A seal by its number. */
export async function readSeal(db: D1Database, siteId: string, seq: number): Promise<SealHead | null> {
  return db
    .prepare("SELECT seq, hash FROM audit_seals WHERE site_id = ?1 AND seq = ?2")
    .bind(siteId, seq)
    .first<SealHead>();
}

/** The last seal; null before the first. */
export async function readLastSeal(db: D1Database, siteId: string): Promise<SealHead | null> {
  return db
    .prepare("SELECT seq, hash FROM audit_seals WHERE site_id = ?1 ORDER BY seq DESC LIMIT 1")
    .bind(siteId)
    .first<SealHead>();
}

/** Seals after one, up to another, ascending, and the first in any case. */
export async function listSeals(db: D1Database, siteId: string, after: number, to: number): Promise<Seal[]> {
  const { results } = await db
    .prepare(
      `SELECT seq, at, digests, hash FROM audit_seals WHERE site_id = ?1 AND seq > ?2
         AND seq <= max(?3, (SELECT min(seq) FROM audit_seals WHERE site_id = ?1 AND seq > ?2))
       ORDER BY seq`,
    )
    .bind(siteId, after, to)
    .all<SealRow>();
  return results.map(toSeal);
}
