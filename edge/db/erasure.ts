/** SQL of an erasure: of every table that holds anything of a person, what removes it. A new one with such rows belongs here. */
import type { ErasedIdentifier } from "./tombstones.ts";

/** Rows that one statement removes from a table that may hold many of one person. */
const ROWS = 10_000;

/**
 * Takes a profile out of sight, and out of the sizes of its segments, in the transaction of its tombstones; and what other tables
 * tell of its events, and kept answers of people, whoever they are: what is in them cannot be read.
 */
export function deleteProfile(
  db: D1Database,
  siteId: string,
  identifiers: readonly ErasedIdentifier[],
): D1PreparedStatement[] {
  const names = JSON.stringify(identifiers.map(({ identifier }) => identifier));
  const ids = JSON.stringify(identifiers.map(({ birthId }) => birthId));
  return [
    db
      .prepare(
        `DELETE FROM memberships WHERE (site_id, segment_key, profile_id) IN (
           SELECT ?1, m.segment_key, m.profile_id FROM json_each(?2) AS asked
           CROSS JOIN memberships AS m ON m.site_id = ?1 AND m.profile_id = asked.value)`,
      )
      .bind(siteId, ids),
    db.prepare("DELETE FROM profiles WHERE site_id = ?1 AND id IN (SELECT value FROM json_each(?2))").bind(siteId, ids),
    db
      .prepare("DELETE FROM send_decisions WHERE site_id = ?1 AND recipient IN (SELECT value FROM json_each(?2))")
      .bind(siteId, ids),
    db
      .prepare("DELETE FROM identifiers WHERE site_id = ?1 AND identifier IN (SELECT value FROM json_each(?2))")
      .bind(siteId, names),
    db
      .prepare(
        `UPDATE trait_types SET message_id = '' WHERE site_id = ?1 AND EXISTS (
           SELECT 1 FROM json_each(?2) AS asked
           CROSS JOIN events AS e ON e.site_id = ?1 AND e.owner = asked.value AND e.message_id = trait_types.message_id)`,
      )
      .bind(siteId, names),
    db.prepare("UPDATE idempotency_keys SET body = NULL WHERE site_id = ?1 AND body ->> 2 = 1").bind(siteId),
  ];
}

/**
 * Removes what a profile's identifiers leave behind, up to `ROWS` of each table, and closes its tombstones once nothing is left, in the
 * audit either (`redactAudit`): the last statement changes rows then.
 */
export function deleteRemains(
  db: D1Database,
  siteId: string,
  profileId: string,
  identifiers: readonly ErasedIdentifier[],
): D1PreparedStatement[] {
  const names = JSON.stringify(identifiers.map(({ identifier }) => identifier));
  const ids = JSON.stringify(identifiers.map(({ birthId }) => birthId));
  return [
    db
      .prepare(
        `DELETE FROM events WHERE (site_id, owner, message_id) IN (
           SELECT ?1, e.owner, e.message_id FROM json_each(?2) AS asked
           CROSS JOIN events AS e ON e.site_id = ?1 AND e.owner = asked.value LIMIT ?3)`,
      )
      .bind(siteId, names, ROWS),
    db
      .prepare(
        `DELETE FROM consents WHERE (site_id, identifier, purpose, at) IN (
           SELECT ?1, c.identifier, c.purpose, c.at FROM json_each(?2) AS asked
           CROSS JOIN consents AS c ON c.site_id = ?1 AND c.identifier = asked.value LIMIT ?3)`,
      )
      .bind(siteId, names, ROWS),
    db
      .prepare(
        `DELETE FROM conflicts WHERE site_id = ?1 AND id IN (
           SELECT c.id FROM json_each(?2) AS asked
           CROSS JOIN conflicts AS c ON c.site_id = ?1 AND c.a = asked.value
           UNION
           SELECT c.id FROM json_each(?2) AS asked
           CROSS JOIN conflicts AS c ON c.site_id = ?1 AND c.b = asked.value
           LIMIT ?3)`,
      )
      .bind(siteId, names, ROWS),
    db
      .prepare(
        `DELETE FROM links WHERE site_id = ?1 AND id IN (
           SELECT l.id FROM json_each(?2) AS asked
           CROSS JOIN links AS l ON l.site_id = ?1 AND l.a = asked.value
           UNION
           SELECT l.id FROM json_each(?2) AS asked
           CROSS JOIN links AS l ON l.site_id = ?1 AND l.b = asked.value
           LIMIT ?3)`,
      )
      .bind(siteId, names, ROWS),
    db
      .prepare(
        `DELETE FROM membership_log WHERE id IN (
           SELECT l.id FROM json_each(?2) AS asked
           CROSS JOIN membership_log AS l ON l.site_id = ?1 AND l.profile_id = asked.value LIMIT ?3)`,
      )
      .bind(siteId, ids, ROWS),
    db
      .prepare("DELETE FROM histories WHERE site_id = ?1 AND owner IN (SELECT value FROM json_each(?2))")
      .bind(siteId, names),
    db
      .prepare("DELETE FROM list_statements WHERE site_id = ?1 AND identifier IN (SELECT value FROM json_each(?2))")
      .bind(siteId, names),
    db
      .prepare("DELETE FROM traits WHERE site_id = ?1 AND identifier IN (SELECT value FROM json_each(?2))")
      .bind(siteId, names),
    db
      .prepare(
        `UPDATE tombstones SET profile_id = NULL, birth_id = NULL, identifier = NULL
         WHERE site_id = ?1 AND profile_id = ?2 AND NOT EXISTS (
           SELECT 1 FROM json_each(?3) AS asked
           CROSS JOIN events AS e ON e.site_id = ?1 AND e.owner = asked.value
         ) AND NOT EXISTS (
           SELECT 1 FROM json_each(?3) AS asked
           CROSS JOIN consents AS c ON c.site_id = ?1 AND c.identifier = asked.value
         ) AND NOT EXISTS (
           SELECT 1 FROM json_each(?3) AS asked
           CROSS JOIN conflicts AS c ON c.site_id = ?1 AND c.a = asked.value
         ) AND NOT EXISTS (
           SELECT 1 FROM json_each(?3) AS asked
           CROSS JOIN conflicts AS c ON c.site_id = ?1 AND c.b = asked.value
         ) AND NOT EXISTS (
           SELECT 1 FROM json_each(?3) AS asked
           CROSS JOIN links AS l ON l.site_id = ?1 AND l.a = asked.value
         ) AND NOT EXISTS (
           SELECT 1 FROM json_each(?3) AS asked
           CROSS JOIN links AS l ON l.site_id = ?1 AND l.b = asked.value
         ) AND NOT EXISTS (
           SELECT 1 FROM json_each(?4) AS asked
           CROSS JOIN membership_log AS l ON l.site_id = ?1 AND l.profile_id = asked.value
         ) AND NOT EXISTS (
           SELECT 1 FROM json_each(?4) AS asked
           CROSS JOIN audit_subjects AS s ON s.site_id = ?1 AND s.subject = asked.value
           CROSS JOIN audit AS e ON e.site_id = ?1 AND e.seq = s.seq AND e.action <> 'erase' AND e.detail IS NOT NULL)`,
      )
      .bind(siteId, profileId, names, ids),
  ];
}
