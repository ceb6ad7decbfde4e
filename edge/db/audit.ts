/** SQL of `audit`: who did what to whom, on which evidence. Rows are only ever appended; an erasure takes their details away. */
import { type ChainEntry, hashDetail } from "../../shared/audit.ts";
import type { JsonObject } from "../../shared/event.ts";
import { sha256 } from "../sha256.ts";
import { toLists } from "./lists.ts";

export const AUDIT_ACTIONS = ["link", "refuse", "unlink", "relink", "erase", "list"] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export interface AuditEntry {
  /** Epoch milliseconds. */
  at: number;
  /** Who did it: `browser`, `server`, `import` of an event's source; `key:<id>` of a developer; `system`. */
  actor: string;
  action: AuditAction;
  /** Birth ids of the identifiers concerned: they never change. */
  subject: string;
  other?: string;
  /** The evidence, with the identifiers themselves. The only part that an erasure takes away. */
  detail: JsonObject;
}

export interface AuditFilter {
  action: AuditAction | null;
  actor: string | null;
  /** Epoch milliseconds: from the first, before the second. */
  from: number | null;
  to: number | null;
}

/** Entries that a page looks at where it filters those of a whole site. */
export const AUDIT_WINDOW = 1_000;
/** Details that one statement erases: it looks each up in the list of all. */
const ERASED = 200;

/** Appends entries in their order, with the transaction they tell of. D1 writes one transaction after the other: `seq` has no gaps. */
export function insertAudit(db: D1Database, siteId: string, entries: readonly AuditEntry[]): D1PreparedStatement[] {
  const rows = entries.map((e) => [e.at, e.actor, e.action, e.subject, e.other, JSON.stringify(e.detail)]);
  return toLists(rows).map((list) =>
    db
      .prepare(
        `INSERT INTO audit (site_id, seq, at, actor, action, subject, other, detail, salt)
         SELECT ?1, 1 + key + coalesce((SELECT max(seq) FROM audit WHERE site_id = ?1), 0),
           value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, lower(hex(randomblob(16)))
         FROM json_each(?2)`,
      )
      .bind(siteId, list),
  );
}

/**
 * Erases the details of all entries that concern these birth ids: the statements leave their hashes in place. They fail, and the
 * transaction with them, where an entry has come meanwhile: see `isConflict`.
 */
export async function redactAudit(
  db: D1Database,
  siteId: string,
  birthIds: readonly string[],
): Promise<D1PreparedStatement[]> {
  const ids = JSON.stringify(birthIds);
  const { results } = await db
    .prepare(
      `SELECT e.seq, e.detail, e.salt FROM json_each(?2) AS asked
       CROSS JOIN audit AS e INDEXED BY audit_site_id_subject_seq
         ON e.site_id = ?1 AND e.subject = asked.value AND e.detail IS NOT NULL
       UNION
       SELECT e.seq, e.detail, e.salt FROM json_each(?2) AS asked
       CROSS JOIN audit AS e INDEXED BY audit_site_id_other_seq
         ON e.site_id = ?1 AND e.other = asked.value AND e.detail IS NOT NULL`,
    )
    .bind(siteId, ids)
    .all<{ seq: number; detail: string; salt: string }>();
  const hashes = await Promise.all(
    results.map(async ({ seq, detail, salt }) => [seq, await hashDetail(detail, salt, sha256)]),
  );
  const statements: D1PreparedStatement[] = [];
  for (let start = 0; start < hashes.length; start += ERASED) {
    statements.push(
      db
        .prepare(
          `UPDATE audit SET detail = NULL, salt = NULL,
             detail_hash = (SELECT value ->> 1 FROM json_each(?2) WHERE value ->> 0 = seq)
           WHERE site_id = ?1 AND seq IN (SELECT value ->> 0 FROM json_each(?2)) AND detail IS NOT NULL`,
        )
        .bind(siteId, JSON.stringify(hashes.slice(start, start + ERASED))),
    );
  }
  const guard = db
    .prepare(
      `SELECT json(iif(EXISTS (
         SELECT 1 FROM json_each(?2) AS asked
         CROSS JOIN audit AS e INDEXED BY audit_site_id_subject_seq
           ON e.site_id = ?1 AND e.subject = asked.value AND e.detail IS NOT NULL
       ) OR EXISTS (
         SELECT 1 FROM json_each(?2) AS asked
         CROSS JOIN audit AS e INDEXED BY audit_site_id_other_seq
           ON e.site_id = ?1 AND e.other = asked.value AND e.detail IS NOT NULL
       ), 'conflict', '0'))`,
    )
    .bind(siteId, ids);
  return [...statements, guard];
}

/** Entries that concern any of these birth ids, before the one given, the newest first. */
export async function listAuditOf(
  db: D1Database,
  siteId: string,
  birthIds: readonly string[],
  filter: AuditFilter,
  before: number,
  limit: number,
): Promise<ChainEntry[]> {
  const { results } = await db
    .prepare(
      `SELECT e.seq, e.at, e.actor, e.action, e.subject, e.other, e.detail, e.salt, e.detail_hash AS detailHash
       FROM (
         SELECT f.seq FROM json_each(?2) AS asked CROSS JOIN audit AS f ON f.site_id = ?1 AND f.seq IN (
           SELECT seq FROM audit INDEXED BY audit_site_id_subject_seq
           WHERE site_id = ?1 AND subject = asked.value AND seq < ?3
             AND (?5 IS NULL OR action = ?5) AND (?6 IS NULL OR actor = ?6)
             AND (?7 IS NULL OR at >= ?7) AND (?8 IS NULL OR at < ?8)
           ORDER BY seq DESC LIMIT ?4)
         UNION
         SELECT f.seq FROM json_each(?2) AS asked CROSS JOIN audit AS f ON f.site_id = ?1 AND f.seq IN (
           SELECT seq FROM audit INDEXED BY audit_site_id_other_seq
           WHERE site_id = ?1 AND other = asked.value AND seq < ?3
             AND (?5 IS NULL OR action = ?5) AND (?6 IS NULL OR actor = ?6)
             AND (?7 IS NULL OR at >= ?7) AND (?8 IS NULL OR at < ?8)
           ORDER BY seq DESC LIMIT ?4)
         ORDER BY 1 DESC LIMIT ?4
       ) AS found
       CROSS JOIN audit AS e ON e.site_id = ?1 AND e.seq = found.seq
       ORDER BY e.seq DESC`,
    )
    .bind(siteId, JSON.stringify(birthIds), before, limit, filter.action, filter.actor, filter.from, filter.to)
    .all<ChainEntry>();
  return results;
}

/** Entries of a site from `first` to before `end`, the newest first. */
export async function listAudit(
  db: D1Database,
  siteId: string,
  filter: AuditFilter,
  first: number,
  end: number,
  limit: number,
): Promise<ChainEntry[]> {
  const { results } = await db
    .prepare(
      `SELECT seq, at, actor, action, subject, other, detail, salt, detail_hash AS detailHash FROM audit
       WHERE site_id = ?1 AND seq >= ?2 AND seq < ?3
         AND (?5 IS NULL OR action = ?5) AND (?6 IS NULL OR actor = ?6)
         AND (?7 IS NULL OR at >= ?7) AND (?8 IS NULL OR at < ?8)
       ORDER BY seq DESC LIMIT ?4`,
    )
    .bind(siteId, first, end, limit, filter.action, filter.actor, filter.from, filter.to)
    .all<ChainEntry>();
  return results;
}

/** The number of the newest entry; 0 before the first. */
export async function readLastSeq(db: D1Database, siteId: string): Promise<number> {
  const seq = await db
    .prepare("SELECT max(seq) AS seq FROM audit WHERE site_id = ?1")
    .bind(siteId)
    .first<number>("seq");
  return seq ?? 0;
}

/** Entries after one, up to another, ascending. */
export async function listEntries(
  db: D1Database,
  siteId: string,
  after: number,
  to: number,
  limit: number,
): Promise<ChainEntry[]> {
  const { results } = await db
    .prepare(
      `SELECT seq, at, actor, action, subject, other, detail, salt, detail_hash AS detailHash FROM audit
       WHERE site_id = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4`,
    )
    .bind(siteId, after, to, limit)
    .all<ChainEntry>();
  return results;
}
