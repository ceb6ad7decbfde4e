/** SQL of `histories`: per owner, the events that rules look at, in chunks. */
import type { History } from "../../shared/history.ts";
import type { Identifier } from "../../shared/identifier.ts";
import { toLists } from "./lists.ts";

export interface HistoryRow {
  owner: Identifier;
  chunk: number;
  shape: string;
  history: History;
}

/** Rows to write and rows to drop, of one owner. */
export interface HistoryChange {
  owner: Identifier;
  shape: string;
  write: { chunk: number; history: History }[];
  drop: number[];
}

export function toHistoryRow(row: unknown): HistoryRow {
  const { owner, chunk, shape, body } = row as { owner: string; chunk: number; shape: string; body: string };
  return { owner, chunk, shape, history: JSON.parse(body) };
}

/** Of all identifiers of the profiles that the given ones belong to. */
export function selectHistories(db: D1Database, siteId: string, identifiers: string): D1PreparedStatement {
  return db
    .prepare(
      `SELECT h.owner, h.chunk, h.shape, h.body
       FROM (
         SELECT DISTINCT i.profile_id FROM json_each(?2) AS asked
         CROSS JOIN identifiers AS i ON i.site_id = ?1 AND i.identifier = asked.value
       ) AS found
       CROSS JOIN identifiers AS m INDEXED BY identifiers_site_id_profile_id
         ON m.site_id = ?1 AND m.profile_id = found.profile_id
       CROSS JOIN histories AS h ON h.site_id = ?1 AND h.owner = m.identifier
       ORDER BY h.owner, h.chunk`,
    )
    .bind(siteId, identifiers);
}

/** The statements that write what changed; none where nothing did. */
export function applyHistoryChanges(
  db: D1Database,
  siteId: string,
  changes: readonly HistoryChange[],
): D1PreparedStatement[] {
  const drops = changes.flatMap(({ owner, drop }) => drop.map((chunk) => [owner, chunk]));
  const writes = changes.flatMap(({ owner, shape, write }) =>
    write.map(({ chunk, history }) => [owner, chunk, shape, history]),
  );
  return [
    ...toLists(drops).map((list) =>
      db
        .prepare(
          `DELETE FROM histories WHERE (site_id, owner, chunk) IN (
             SELECT ?1, value ->> 0, value ->> 1 FROM json_each(?2))`,
        )
        .bind(siteId, list),
    ),
    ...toLists(writes).map((list) =>
      db
        .prepare(
          `INSERT INTO histories (site_id, owner, chunk, shape, body)
           SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value -> 3 FROM json_each(?2) WHERE true
           ON CONFLICT (site_id, owner, chunk) DO UPDATE SET shape = excluded.shape, body = excluded.body`,
        )
        .bind(siteId, list),
    ),
  ];
}
