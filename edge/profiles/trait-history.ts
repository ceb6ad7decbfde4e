/** What was ever said of somebody's traits, and what is said of them now, by whom. */
import type { Identifier } from "../../shared/identifier.ts";
import type { EventPlace } from "../db/events.ts";
import { type IdentifierRow, listIdentifiersOfProfiles, selectComponents, toIdentifierRow } from "../db/identifiers.ts";
import { listSaying, listTraitMessages } from "../db/trait-messages.ts";
import { selectTraits, type TraitRow, toTraitRow } from "../db/traits.ts";
import { traitsOf } from "../ingest/parse.ts";
import type { TraitFact } from "./traits.ts";

/** Messages that one page of a history looks at. */
const LOOKED_AT = 500;

/** The identifiers of a profile with their facts. */
export interface Facts {
  nodes: IdentifierRow[];
  rows: TraitRow[];
}

export interface Saying extends TraitFact {
  receivedAt: number;
}

/** By an id that the profile ever had; null if there is no such profile. Two round trips, whatever the person did. */
export async function readFacts(db: D1Database, siteId: string, id: string): Promise<Facts | null> {
  const identifiers = await listIdentifiersOfProfiles(db, siteId, [id]);
  if (!identifiers.length) return null;
  const list = JSON.stringify(identifiers);
  const [nodes, rows] = await db.batch([selectComponents(db, siteId, list), selectTraits(db, siteId, list)]);
  return { nodes: nodes!.results.map(toIdentifierRow), rows: rows!.results.map(toTraitRow) };
}

/**
 * A page of all that was ever said of a trait, newest first. It looks at no more than so many messages: a page may have
 * fewer rows than asked for, or none, and be followed by another.
 *
 * @returns `next`: the place before which the next page begins; null on the last one
 */
export async function readTraitHistory(
  db: D1Database,
  siteId: string,
  owners: readonly Identifier[],
  trait: string,
  limit: number,
  before: EventPlace | null,
): Promise<{ sayings: Saying[]; next: EventPlace | null }> {
  const places = await listTraitMessages(db, siteId, owners, before, LOOKED_AT + 1);
  const isCut = places.length > LOOKED_AT;
  const found = await listSaying(db, siteId, places.slice(0, LOOKED_AT), trait, limit + 1);
  const sayings = found.slice(0, limit).map(({ owner, source, messageId, at, receivedAt, type, message }) => {
    const value = traitsOf(type, message)[trait];
    return { value, identifier: owner, source, messageId, at, receivedAt };
  });
  const last = found.length > limit ? found[limit - 1]! : isCut ? places[LOOKED_AT - 1]! : null;
  return { sayings, next: last && { at: last.at, messageId: last.messageId, owner: last.owner } };
}
