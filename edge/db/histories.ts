/** SQL of `histories`: per owner, the events that rules look at, folded to be read in one go. */
import type { History } from "../../shared/history.ts";
import type { Identifier } from "../../shared/identifier.ts";

export interface HistoryRow {
  owner: Identifier;
  shape: string;
  history: History;
}

export function toHistoryRow(row: unknown): HistoryRow {
  const { owner, shape, body } = row as { owner: string; shape: string; body: string };
  return { owner, shape, history: JSON.parse(body) };
}

/** Of all identifiers of the profiles that the given ones belong to. One may come twice. */
export function selectHistories(db: D1Database, siteId: string, identifiers: string): D1PreparedStatement {
  return db
    .prepare(
      `SELECT h.owner, h.shape, h.body
       FROM json_each(?2) AS asked
       CROSS JOIN identifiers AS i ON i.site_id = ?1 AND i.identifier = asked.value
       CROSS JOIN identifiers AS m ON m.site_id = ?1 AND m.profile_id = i.profile_id
       CROSS JOIN histories AS h ON h.site_id = ?1 AND h.owner = m.identifier`,
    )
    .bind(siteId, identifiers);
}

export function upsertHistories(db: D1Database, siteId: string, rows: readonly HistoryRow[]): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO histories (site_id, owner, shape, body)
       SELECT ?1, value ->> 0, value ->> 1, value -> 2 FROM json_each(?2) WHERE true
       ON CONFLICT (site_id, owner) DO UPDATE SET shape = excluded.shape, body = excluded.body`,
    )
    .bind(siteId, JSON.stringify(rows.map((r) => [r.owner, r.shape, r.history])));
}
