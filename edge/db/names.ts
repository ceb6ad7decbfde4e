/** Which names of events and traits a site has sent, found in bounded parts of what is stored, and types of traits as they were noticed. */
import type { SentNames } from "../segments/lint/names.ts";
import { type StoredTraitType, selectTraitTypes } from "./trait-types.ts";

/** Events that are looked at from either end of their order, and rows of traits. */
const EVENTS = 2_000;
const TRAIT_ROWS = 500;
const NAMES = 2_000;

/** All names where the site has not more than is looked at; otherwise those of some of its people. */
export async function readSentNames(db: D1Database, siteId: string): Promise<SentNames> {
  const [first, last, traits, types] = await db.batch([
    db
      .prepare(
        `SELECT DISTINCT type, name FROM (
           SELECT type, name FROM events WHERE site_id = ?1 ORDER BY owner, message_id LIMIT ?2)`,
      )
      .bind(siteId, EVENTS),
    db
      .prepare(
        `SELECT DISTINCT type, name FROM (
           SELECT type, name FROM events WHERE site_id = ?1 ORDER BY owner DESC, message_id DESC LIMIT ?2)`,
      )
      .bind(siteId, EVENTS),
    db
      .prepare(
        `SELECT DISTINCT fact.key AS name
         FROM (SELECT body FROM traits WHERE site_id = ?1 ORDER BY identifier LIMIT ?2) AS some
         CROSS JOIN json_each(some.body) AS fact
         LIMIT ?3`,
      )
      .bind(siteId, TRAIT_ROWS, NAMES),
    selectTraitTypes(db, siteId),
  ]);
  const byTrait = Map.groupBy(types!.results as StoredTraitType[], ({ trait }) => trait);
  return {
    events: [...first!.results, ...last!.results] as { type: string; name: string }[],
    traits: (traits!.results as { name: string }[]).map(({ name }) => name),
    types: new Map([...byTrait].map(([trait, rows]) => [trait, [...new Set(rows.map(({ type }) => type))]])),
  };
}
