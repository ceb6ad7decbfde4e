/** SQL of `audit`: who did what to whom, on which evidence. Rows are only ever appended; an erasure takes their details away. */
import { type ChainEntry, hashDetail } from "../../shared/audit.ts";
import type { JsonObject } from "../../shared/event.ts";
import { sha256 } from "../sha256.ts";
import { toLists } from "./lists.ts";

export const AUDIT_ACTIONS = [
  ...(["link", "refuse", "unlink", "relink", "erase"] as const),
  ...(["publish", "rollback", "archive"] as const),
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export interface AuditEntry {
  /** Epoch milliseconds. */
  at: number;
  /** Who did it: `browser`, `server`, `import` of an event's source; `key:<id>` of a developer; `system`. */
  actor: string;
  action: AuditAction;
  /** Birth ids of all identifiers that the detail names, or `block:<key>`: by them it is found, and erased. At least one. */
  subjects: readonly string[];
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

/** An entry as it is read: subjects as JSON. */
export interface EntryRow extends Omit<ChainEntry, "subjects"> {
  subjects: string;
}

export function toEntry({ subjects, ...row }: EntryRow): ChainEntry {
  const list: unknown = JSON.parse(subjects);
  return { ...row, subjects: Array.isArray(list) ? list : [] };
}

/** Entries that a page looks at where it filters those of a whole site. */
export const AUDIT_WINDOW = 1_000;
/** Details that one transaction erases: whoever may send events may have many told of somebody. */
export const REDACTED = 2_000;
/** Those that one statement erases: it looks each up in the list of all. */
const TOGETHER = 200;

/** Appends entries in their order, with the transaction they tell of. D1 writes one transaction after the other: `seq` has no gaps. */
export function insertAudit(db: D1Database, siteId: string, entries: readonly AuditEntry[]): D1PreparedStatement[] {
  const rows = entries.map(({ at, actor, action, subjects, detail }) => [
    ...[at, actor, action],
    ...[JSON.stringify(subjects), JSON.stringify(detail)],
  ]);
  return toLists(rows).map((list) =>
    db
      .prepare(
        `INSERT INTO audit (site_id, seq, at, actor, action, subjects, detail, salt)
         SELECT ?1, 1 + key + coalesce((SELECT max(seq) FROM audit WHERE site_id = ?1), 0),
           value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, lower(hex(randomblob(16)))
         FROM json_each(?2)`,
      )
      .bind(siteId, list),
  );
}

/** What becomes live of a block; its entry is told of `block:<key>`. */
export interface BlockChange {
  /** Epoch milliseconds. */
  at: number;
  actor: string;
  action: "publish" | "rollback" | "archive";
  key: string;
  /** The version that is live from then on; null: none. */
  to: number | null;
}

/**
 * Appends `{block, from, to}`, versions, to stand in a transaction right before the change: nothing where that will change
 * nothing, for the block is archived, there is no such version, or what is published is not the draft any more.
 */
export function insertBlockAudit(db: D1Database, siteId: string, change: BlockChange): D1PreparedStatement {
  const { at, actor, action, key, to } = change;
  return db
    .prepare(
      `INSERT INTO audit (site_id, seq, at, actor, action, subjects, detail, salt)
       SELECT ?1, 1 + coalesce((SELECT max(seq) FROM audit WHERE site_id = ?1), 0), ?2, ?3, ?4,
         json_array('block:' || b.key), json_object('block', b.key, 'from', b.live_version, 'to', ?6),
         lower(hex(randomblob(16)))
       FROM blocks AS b WHERE b.site_id = ?1 AND b.key = ?5 AND b.status <> 'archived'
         AND (?4 <> 'publish' OR b.version = ?6)
         AND (?6 IS NULL OR EXISTS (SELECT 1 FROM block_versions AS v WHERE v.site_id = ?1 AND v.key = ?5 AND v.version = ?6))`,
    )
    .bind(siteId, at, actor, action, key, to);
}

/**
 * Erases the details of entries that name these birth ids, up to `REDACTED`: the statements leave their hashes in place; none where
 * none is left. An entry of the erasure has to follow in the transaction of the first, the last of these birth ids: without it a
 * verification finds the details missing.
 */
export async function redactAudit(
  db: D1Database,
  siteId: string,
  birthIds: readonly string[],
): Promise<D1PreparedStatement[]> {
  const { results } = await db
    .prepare(
      `SELECT DISTINCT e.seq, e.detail, e.salt FROM json_each(?2) AS asked
       CROSS JOIN audit_subjects AS s ON s.site_id = ?1 AND s.subject = asked.value
       CROSS JOIN audit AS e ON e.site_id = ?1 AND e.seq = s.seq AND e.action <> 'erase' AND e.detail IS NOT NULL
       LIMIT ?3`,
    )
    .bind(siteId, JSON.stringify(birthIds), REDACTED)
    .all<{ seq: number; detail: string; salt: string }>();
  const hashes = await Promise.all(
    results.map(async ({ seq, detail, salt }) => [seq, await hashDetail(detail, salt, sha256)]),
  );
  const statements: D1PreparedStatement[] = [];
  for (let start = 0; start < hashes.length; start += TOGETHER) {
    statements.push(
      db
        .prepare(
          `UPDATE audit SET detail = NULL, salt = NULL,
             detail_hash = (SELECT value ->> 1 FROM json_each(?2) WHERE value ->> 0 = seq)
           WHERE site_id = ?1 AND seq IN (SELECT value ->> 0 FROM json_each(?2)) AND detail IS NOT NULL`,
        )
        .bind(siteId, JSON.stringify(hashes.slice(start, start + TOGETHER))),
    );
  }
  return statements;
}

/** Those of the entries that name nobody whose last entry is an erasure. */
export async function listNotErased(db: D1Database, siteId: string, seqs: readonly number[]): Promise<number[]> {
  const { results } = await db
    .prepare(
      `SELECT e.seq FROM json_each(?2) AS asked
       CROSS JOIN audit AS e ON e.site_id = ?1 AND e.seq = asked.value
       WHERE NOT EXISTS (
         SELECT 1 FROM json_each(e.subjects) AS named
         CROSS JOIN audit AS l ON l.site_id = ?1 AND l.action = 'erase' AND l.seq = (
           SELECT max(seq) FROM audit_subjects WHERE site_id = ?1 AND subject = named.value))`,
    )
    .bind(siteId, JSON.stringify(seqs))
    .all<{ seq: number }>();
  return results.map(({ seq }) => seq);
}

/** Entries that name any of these birth ids, before the one given, the newest first. */
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
      `SELECT e.seq, e.at, e.actor, e.action, e.subjects, e.detail, e.salt, e.detail_hash AS detailHash
       FROM (
         SELECT DISTINCT f.seq FROM json_each(?2) AS asked CROSS JOIN audit AS f ON f.site_id = ?1 AND f.seq IN (
           SELECT s.seq FROM audit_subjects AS s
           CROSS JOIN audit AS a ON a.site_id = ?1 AND a.seq = s.seq
           WHERE s.site_id = ?1 AND s.subject = asked.value AND s.seq < ?3
             AND (?5 IS NULL OR a.action = ?5) AND (?6 IS NULL OR a.actor = ?6)
             AND (?7 IS NULL OR a.at >= ?7) AND (?8 IS NULL OR a.at < ?8)
           ORDER BY s.seq DESC LIMIT ?4)
         ORDER BY f.seq DESC LIMIT ?4
       ) AS found
       CROSS JOIN audit AS e ON e.site_id = ?1 AND e.seq = found.seq
       ORDER BY e.seq DESC`,
    )
    .bind(siteId, JSON.stringify(birthIds), before, limit, filter.action, filter.actor, filter.from, filter.to)
    .all<EntryRow>();
  return results.map(toEntry);
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
      `SELECT seq, at, actor, action, subjects, detail, salt, detail_hash AS detailHash FROM audit
       WHERE site_id = ?1 AND seq >= ?2 AND seq < ?3
         AND (?5 IS NULL OR action = ?5) AND (?6 IS NULL OR actor = ?6)
         AND (?7 IS NULL OR at >= ?7) AND (?8 IS NULL OR at < ?8)
       ORDER BY seq DESC LIMIT ?4`,
    )
    .bind(siteId, first, end, limit, filter.action, filter.actor, filter.from, filter.to)
    .all<EntryRow>();
  return results.map(toEntry);
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
      `SELECT seq, at, actor, action, subjects, detail, salt, detail_hash AS detailHash FROM audit
       WHERE site_id = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4`,
    )
    .bind(siteId, after, to, limit)
    .all<EntryRow>();
  return results.map(toEntry);
}
