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

/** By whom, and when: the source of the event, or the key of a developer. */
export type Made<T extends NewLink> = T & { actor: string; at: number };

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

/** When each identifier of the profiles that the given identifiers belong to was first linked; one without a link is left out. */
export function selectFirstLinks(db: D1Database, siteId: string, identifiers: string): D1PreparedStatement {
  return db
    .prepare(
      `SELECT identifier, min(ifnull(as_a, as_b), ifnull(as_b, as_a)) AS at FROM (
         SELECT m.identifier,
           (SELECT min(l.at) FROM links AS l INDEXED BY links_site_id_a
            WHERE l.site_id = ?1 AND l.a = m.identifier AND l.removed_at IS NULL) AS as_a,
           (SELECT min(l.at) FROM links AS l INDEXED BY links_site_id_b
            WHERE l.site_id = ?1 AND l.b = m.identifier AND l.removed_at IS NULL) AS as_b
         FROM (
           SELECT DISTINCT i.profile_id FROM json_each(?2) AS asked
           CROSS JOIN identifiers AS i ON i.site_id = ?1 AND i.identifier = asked.value
         ) AS found
         CROSS JOIN identifiers AS m INDEXED BY identifiers_site_id_profile_id
           ON m.site_id = ?1 AND m.profile_id = found.profile_id
       )
       WHERE ifnull(as_a, as_b) IS NOT NULL`,
    )
    .bind(siteId, identifiers);
}

export function insertLinks(db: D1Database, siteId: string, links: readonly Made<NewLink>[]): D1PreparedStatement[] {
  return toLists(links.map((l) => [linkId(l.a, l.b), l.a, l.b, l.evidence, l.messageId, l.actor, l.at])).map((list) =>
    db
      .prepare(
        `INSERT INTO links (id, site_id, a, b, evidence, message_id, actor, at)
         SELECT value ->> 0, ?1, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
         FROM json_each(?2) WHERE true
         ON CONFLICT (site_id, id) DO UPDATE SET
           a = excluded.a, b = excluded.b, evidence = excluded.evidence, message_id = excluded.message_id,
           actor = excluded.actor, at = excluded.at, removed_at = NULL, remade = 1
         WHERE links.removed_at IS NOT NULL`,
      )
      .bind(siteId, list),
  );
}

/** One row per refused pair: hearing of it again adds nothing. */
export function insertConflicts(
  db: D1Database,
  siteId: string,
  conflicts: readonly Made<NewConflict>[],
): D1PreparedStatement[] {
  const lists = toLists(
    conflicts.map((c) => [linkId(c.a, c.b), c.a, c.b, c.evidence, c.reason, c.messageId, c.actor, c.at]),
  );
  return lists.map((list) =>
    db
      .prepare(
        `INSERT INTO conflicts (site_id, id, a, b, evidence, reason, message_id, actor, at)
         SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
         FROM json_each(?2) WHERE true
         ON CONFLICT DO NOTHING`,
      )
      .bind(siteId, list),
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
export interface LinkRow extends Made<NewLink> {
  id: string;
  weight: number | null;
  /** Of a link that was found by comparing people: which comparison. */
  rule: string | null;
  removedAt: number | null;
  /** 1: it was removed once, and made again since. */
  remade: 0 | 1;
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
         l.removed_at AS removedAt, l.remade
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

/** A refused link as it is stored. Its actor is empty where it is from before that was kept. */
export interface ConflictRow extends Made<NewConflict> {
  id: string;
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
      `SELECT id, a, b, evidence, weight, rule, actor, at, message_id AS messageId, removed_at AS removedAt,
         remade
       FROM links WHERE site_id = ?1 AND id = ?2`,
    )
    .bind(siteId, id)
    .first<LinkRow>();
}

export async function readConflict(db: D1Database, siteId: string, id: string): Promise<ConflictRow | null> {
  return db
    .prepare(
      `SELECT id, a, b, evidence, reason, message_id AS messageId, actor, at
       FROM conflicts WHERE site_id = ?1 AND id = ?2`,
    )
    .bind(siteId, id)
    .first<ConflictRow>();
}

/** Whether somebody else has named it, too, and was refused to be linked with it. */
export async function isContested(db: D1Database, siteId: string, identifier: Identifier): Promise<boolean> {
  const found = await db
    .prepare(
      `SELECT 1 FROM conflicts WHERE site_id = ?1 AND a = ?2
       UNION ALL SELECT 1 FROM conflicts WHERE site_id = ?1 AND b = ?2 LIMIT 1`,
    )
    .bind(siteId, identifier)
    .first();
  return found !== null;
}

/** Removes a link by hand. It stays known, so that hearing of it again does not make it again. */
export function removeLink(db: D1Database, siteId: string, id: string, at: number): D1PreparedStatement {
  return db.prepare("UPDATE links SET removed_at = ?3 WHERE site_id = ?1 AND id = ?2").bind(siteId, id, at);
}

/** Takes away links that never were, once another one is gone; of one that was removed before, it stays known that it was. */
export function deleteLinks(db: D1Database, siteId: string, ids: readonly string[], at: number): D1PreparedStatement[] {
  return toLists(ids).flatMap((list) => [
    db
      .prepare("DELETE FROM links WHERE site_id = ?1 AND id IN (SELECT value FROM json_each(?2)) AND remade = 0")
      .bind(siteId, list),
    db
      .prepare("UPDATE links SET removed_at = ?3 WHERE site_id = ?1 AND id IN (SELECT value FROM json_each(?2))")
      .bind(siteId, list, at),
  ]);
}
