/** SQL of `list_statements`: what uploads ever said of an identifier. The newest of each list is on the identifier. */
import type { Identifier } from "../../shared/identifier.ts";
import type { IdentifierRow } from "./identifiers.ts";
import { toLists } from "./lists.ts";
import type { Segment } from "./segments.ts";

export interface ListStatement {
  identifier: Identifier;
  segmentKey: string;
  /** True: on the list; false: not on it; null: not said any more, since another list took its place. */
  listed: boolean | null;
  at: number;
}

export function insertListStatements(
  db: D1Database,
  siteId: string,
  statements: readonly ListStatement[],
): D1PreparedStatement[] {
  const rows = statements.map((s) => [s.identifier, s.segmentKey, s.at, s.listed === null ? null : Number(s.listed)]);
  return toLists(rows).map((list) =>
    db
      .prepare(
        `INSERT INTO list_statements (site_id, identifier, segment_key, at, listed)
         SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?2)`,
      )
      .bind(siteId, list),
  );
}

/** All that uploads ever said of the identifiers, in the order in which it was said. */
export async function listStatements(
  db: D1Database,
  siteId: string,
  identifiers: readonly Identifier[],
): Promise<ListStatement[]> {
  const { results } = await db
    .prepare(
      `SELECT l.identifier, l.segment_key AS segmentKey, l.listed, l.at FROM json_each(?2) AS asked
       CROSS JOIN list_statements AS l ON l.site_id = ?1 AND l.identifier = asked.value
       ORDER BY l.at, l.segment_key, l.identifier`,
    )
    .bind(siteId, JSON.stringify(identifiers))
    .all<Omit<ListStatement, "listed"> & { listed: 0 | 1 | null }>();
  return results.map(({ listed, ...statement }) => ({ ...statement, listed: listed === null ? null : listed === 1 }));
}

/** The identifiers of the profiles of which anything is said of a list, each with its profile. */
export async function listSpoken(
  db: D1Database,
  siteId: string,
  key: string,
  profileIds: readonly string[],
): Promise<Pick<IdentifierRow, "identifier" | "profileId" | "lists">[]> {
  const { results } = await db
    .prepare(
      `SELECT m.identifier, m.profile_id AS profileId, m.lists FROM json_each(?2) AS asked
       CROSS JOIN identifiers AS m INDEXED BY identifiers_site_id_profile_id
         ON m.site_id = ?1 AND m.profile_id = asked.value
       WHERE m.lists -> ?3 IS NOT NULL`,
    )
    .bind(siteId, JSON.stringify(profileIds), key)
    .all<{ identifier: Identifier; profileId: string; lists: string }>();
  return results.map(({ lists, ...row }) => ({ ...row, lists: JSON.parse(lists) }));
}

/** Profiles other than those given, at most `limit`, of which any identifier is said to be on a list. */
export async function listOthersListed(
  db: D1Database,
  siteId: string,
  { key, createdAt }: Pick<Segment, "key" | "createdAt">,
  profileIds: readonly string[],
  limit: number,
): Promise<string[]> {
  const { results } = await db
    .prepare(
      `SELECT DISTINCT i.profile_id AS profileId
       FROM list_statements AS l CROSS JOIN identifiers AS i ON i.site_id = ?1 AND i.identifier = l.identifier
       WHERE l.site_id = ?1 AND l.segment_key = ?2 AND l.listed = 1
         AND i.lists -> ?2 ->> 0 = 1 AND i.lists -> ?2 ->> 1 >= ?3
         AND i.profile_id NOT IN (SELECT value FROM json_each(?4))
       LIMIT ?5`,
    )
    .bind(siteId, key, createdAt, JSON.stringify(profileIds), limit)
    .all<{ profileId: string }>();
  return results.map(({ profileId }) => profileId);
}
