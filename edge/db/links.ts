/** SQL of `links` and `conflicts`: edges of the identity graph, and those that were refused. */
import { stableIdOf } from "../../shared/hash.ts";
import type { Identifier } from "../../shared/identifier.ts";
import { toLists } from "./lists.ts";

export const EVIDENCE = ["identify", "alias", "import", "fuzzy", "manual"] as const;
export type Evidence = (typeof EVIDENCE)[number];

export interface NewLink {
  a: Identifier;
  b: Identifier;
  evidence: Evidence;
  /** The message that says so; null where somebody makes it by hand. */
  messageId: string | null;
}

export interface NewConflict extends NewLink {
  /** Which limit stood against it. */
  reason: string;
}

/** The name of a pair, the same from either end. */
export function linkId(a: Identifier, b: Identifier): string {
  return stableIdOf(a < b ? `${a}\n${b}` : `${b}\n${a}`);
}

/** Which of these links were ever made, removed ones included (an operator's removal stands), and which are refused. */
export function selectKnownLinks(db: D1Database, siteId: string, ids: readonly string[]): D1PreparedStatement {
  return db
    .prepare(
      `SELECT l.id, 0 AS refused FROM json_each(?2) AS asked
       CROSS JOIN links AS l ON l.site_id = ?1 AND l.id = asked.value
       UNION ALL
       SELECT c.id, 1 FROM json_each(?2) AS asked
       CROSS JOIN conflicts AS c ON c.site_id = ?1 AND c.id = asked.value`,
    )
    .bind(siteId, JSON.stringify(ids));
}

export function insertLinks(
  db: D1Database,
  siteId: string,
  links: readonly NewLink[],
  actor: string,
  at: number,
): D1PreparedStatement[] {
  return toLists(links.map((l) => [linkId(l.a, l.b), l.a, l.b, l.evidence, l.messageId])).map((list) =>
    db
      .prepare(
        `INSERT INTO links (id, site_id, a, b, evidence, message_id, actor, at)
         SELECT value ->> 0, ?1, value ->> 1, value ->> 2, value ->> 3, value ->> 4, ?3, ?4 FROM json_each(?2) WHERE true
         ON CONFLICT (site_id, id) DO UPDATE SET
           a = excluded.a, b = excluded.b, evidence = excluded.evidence, message_id = excluded.message_id,
           actor = excluded.actor, at = excluded.at, removed_at = NULL
         WHERE links.removed_at IS NOT NULL`,
      )
      .bind(siteId, list, actor, at),
  );
}

/** One row per refused pair: hearing of it again adds nothing. */
export function insertConflicts(
  db: D1Database,
  siteId: string,
  conflicts: readonly NewConflict[],
  actor: string,
  at: number,
): D1PreparedStatement[] {
  const lists = toLists(conflicts.map((c) => [linkId(c.a, c.b), c.a, c.b, c.evidence, c.reason, c.messageId]));
  return lists.map((list) =>
    db
      .prepare(
        `INSERT INTO conflicts (site_id, id, a, b, evidence, reason, message_id, actor, at)
         SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, ?3, ?4
         FROM json_each(?2) WHERE true
         ON CONFLICT DO NOTHING`,
      )
      .bind(siteId, list, actor, at),
  );
}

/** Takes away refusals of pairs that are links now. */
export function deleteConflicts(db: D1Database, siteId: string, ids: readonly string[]): D1PreparedStatement[] {
  return toLists(ids).map((list) =>
    db
      .prepare("DELETE FROM conflicts WHERE site_id = ?1 AND id IN (SELECT value FROM json_each(?2))")
      .bind(siteId, list),
  );
}

/** A link as it is stored. */
export interface LinkRow {
  id: string;
  a: Identifier;
  b: Identifier;
  evidence: Evidence;
  weight: number | null;
  /** Of a link that was found by comparing people: which comparison. */
  rule: string | null;
  /** Who made it: the source of the event, or the key of a developer. */
  actor: string;
  at: number;
  messageId: string | null;
  removedAt: number | null;
}

/** A place in a list that is ordered by time, then id. */
export interface Place {
  at: number;
  id: string;
}

export const NEWEST: Place = { at: Number.MAX_SAFE_INTEGER, id: "" };

/** Links that have one of the identifiers at an end, the newest first, of those before a place; removed ones if asked for. */
export function selectLinksOf(
  db: D1Database,
  siteId: string,
  identifiers: readonly Identifier[],
  removed: boolean,
  before: Place,
  limit: number,
): D1PreparedStatement {
  return db
    .prepare(
      `SELECT l.id, l.a, l.b, l.evidence, l.weight, l.rule, l.actor, l.at, l.message_id AS messageId,
         l.removed_at AS removedAt
       FROM (
         SELECT a.id FROM json_each(?2) AS asked CROSS JOIN links AS a ON a.site_id = ?1 AND a.a = asked.value
         UNION
         SELECT b.id FROM json_each(?2) AS asked CROSS JOIN links AS b ON b.site_id = ?1 AND b.b = asked.value
       ) AS found
       CROSS JOIN links AS l ON l.site_id = ?1 AND l.id = found.id
       WHERE (?3 OR l.removed_at IS NULL) AND (l.at, l.id) < (?4, ?5)
       ORDER BY l.at DESC, l.id DESC LIMIT ?6`,
    )
    .bind(siteId, JSON.stringify(identifiers), removed ? 1 : 0, before.at, before.id, limit);
}

/** A refused link as it is stored. */
export interface ConflictRow {
  id: string;
  a: Identifier;
  b: Identifier;
  evidence: Evidence;
  reason: string;
  /** Empty: from before this was kept. */
  actor: string;
  messageId: string | null;
  at: number;
}

/** Refused links that have one of the identifiers at an end, the newest first, of those before a place. */
export function selectConflictsOf(
  db: D1Database,
  siteId: string,
  identifiers: readonly Identifier[],
  before: Place,
  limit: number,
): D1PreparedStatement {
  return db
    .prepare(
      `SELECT c.id, c.a, c.b, c.evidence, c.reason, c.actor, c.message_id AS messageId, c.at
       FROM (
         SELECT a.id FROM json_each(?2) AS asked CROSS JOIN conflicts AS a ON a.site_id = ?1 AND a.a = asked.value
         UNION
         SELECT b.id FROM json_each(?2) AS asked CROSS JOIN conflicts AS b ON b.site_id = ?1 AND b.b = asked.value
       ) AS found
       CROSS JOIN conflicts AS c ON c.site_id = ?1 AND c.id = found.id
       WHERE (c.at, c.id) < (?3, ?4)
       ORDER BY c.at DESC, c.id DESC LIMIT ?5`,
    )
    .bind(siteId, JSON.stringify(identifiers), before.at, before.id, limit);
}

/** A site's refused links, the newest first, of those before a place. */
export function selectConflicts(db: D1Database, siteId: string, before: Place, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT id, a, b, evidence, reason, actor, message_id AS messageId, at
       FROM conflicts WHERE site_id = ?1 AND (at, id) < (?2, ?3)
       ORDER BY at DESC, id DESC LIMIT ?4`,
    )
    .bind(siteId, before.at, before.id, limit);
}

export async function readLink(db: D1Database, siteId: string, id: string): Promise<LinkRow | null> {
  return db
    .prepare(
      `SELECT id, a, b, evidence, weight, rule, actor, at, message_id AS messageId, removed_at AS removedAt
       FROM links WHERE site_id = ?1 AND id = ?2`,
    )
    .bind(siteId, id)
    .first<LinkRow>();
}

/** Removes a link by hand. It stays known, so that hearing of it again does not make it again. */
export function removeLink(db: D1Database, siteId: string, id: string, at: number): D1PreparedStatement {
  return db.prepare("UPDATE links SET removed_at = ?3 WHERE site_id = ?1 AND id = ?2").bind(siteId, id, at);
}

/** Takes away links that never were, once another one is gone. */
export function deleteLinks(db: D1Database, siteId: string, ids: readonly string[]): D1PreparedStatement[] {
  return toLists(ids).map((list) =>
    db.prepare("DELETE FROM links WHERE site_id = ?1 AND id IN (SELECT value FROM json_each(?2))").bind(siteId, list),
  );
}
