/** SQL of `trait_types`: which JSON types a source ever sent of each trait. */
import type { Source } from "../../shared/identifier.ts";
import { toLists } from "./lists.ts";

export const TRAIT_TYPES = ["string", "number", "boolean", "object", "array"] as const;
export type TraitType = (typeof TRAIT_TYPES)[number];

/** A site's rows of one source. Senders choose names freely: more are not noticed. */
export const TYPES_PER_SOURCE = 1_000;

export interface TraitTypeRow {
  trait: string;
  type: TraitType;
  /** The first message with it; empty once that is erased. */
  messageId: string;
}

export interface StoredTraitType extends TraitTypeRow {
  source: Source;
  /** When that message was received. */
  firstAt: number;
}

/** Adds what is new, as far as there is room. */
export function insertTraitTypes(
  db: D1Database,
  siteId: string,
  source: Source,
  rows: readonly TraitTypeRow[],
  receivedAt: number,
): D1PreparedStatement[] {
  return toLists(rows.map(({ trait, type, messageId }) => [trait, type, messageId])).map((list) =>
    db
      .prepare(
        `INSERT INTO trait_types (site_id, source, trait, type, first_at, message_id)
         SELECT ?1, ?2, value ->> 0, value ->> 1, ?4, value ->> 2 FROM json_each(?3) AS noticed
         WHERE NOT EXISTS (
           SELECT 1 FROM trait_types
           WHERE site_id = ?1 AND source = ?2 AND trait = noticed.value ->> 0 AND type = noticed.value ->> 1)
         LIMIT max(0, ?5 - (SELECT count(*) FROM trait_types WHERE site_id = ?1 AND source = ?2))`,
      )
      .bind(siteId, source, list, receivedAt, TYPES_PER_SOURCE),
  );
}

/** All of a site, by source, trait and time. */
export function selectTraitTypes(db: D1Database, siteId: string): D1PreparedStatement {
  return db
    .prepare(
      `SELECT source, trait, type, first_at AS firstAt, message_id AS messageId FROM trait_types WHERE site_id = ?1
       ORDER BY source, trait, first_at, type`,
    )
    .bind(siteId);
}
