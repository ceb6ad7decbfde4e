/** SQL of `traits`: facts, kept with the identifier and source that said them. */
import type { Identifier } from "../../shared/identifier.ts";
import { toLists } from "./lists.ts";

/** Trait → value (null = unset), when it was said, and by which message. */
export type TraitFacts = { [trait: string]: [value: unknown, at: number, messageId: string] };

export interface TraitRow {
  identifier: Identifier;
  source: string;
  facts: TraitFacts;
}

export function toTraitRow(row: unknown): TraitRow {
  const { identifier, source, body } = row as { identifier: string; source: string; body: string };
  return { identifier, source, facts: JSON.parse(body) };
}

/** Of all identifiers of the profiles that the given ones belong to. */
export function selectTraits(db: D1Database, siteId: string, identifiers: string): D1PreparedStatement {
  return db
    .prepare(
      `SELECT t.identifier, t.source, t.body
       FROM (
         SELECT DISTINCT i.profile_id FROM json_each(?2) AS asked
         CROSS JOIN identifiers AS i ON i.site_id = ?1 AND i.identifier = asked.value
       ) AS found
       CROSS JOIN identifiers AS m INDEXED BY identifiers_site_id_profile_id
         ON m.site_id = ?1 AND m.profile_id = found.profile_id
       CROSS JOIN traits AS t ON t.site_id = ?1 AND t.identifier = m.identifier`,
    )
    .bind(siteId, identifiers);
}

export function upsertTraits(db: D1Database, siteId: string, rows: readonly TraitRow[]): D1PreparedStatement[] {
  return toLists(rows.map((r) => [r.identifier, r.source, r.facts])).map((list) =>
    db
      .prepare(
        `INSERT INTO traits (site_id, identifier, source, body)
         SELECT ?1, value ->> 0, value ->> 1, value -> 2 FROM json_each(?2) WHERE true
         ON CONFLICT (site_id, identifier, source) DO UPDATE SET body = excluded.body`,
      )
      .bind(siteId, list),
  );
}
