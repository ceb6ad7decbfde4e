/** SQL of `list_statements`: what uploads ever said of an identifier. The newest of each list is on the identifier. */
import type { Identifier } from "../../shared/identifier.ts";
import { toLists } from "./lists.ts";

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
