/** Reads people whole, in one round trip: identifiers, profile, history and traits of each component that is asked for. */

import type { Identifier } from "../../shared/identifier.ts";
import { eventKey, selectSeen, toSeenKey } from "../db/events.ts";
import { selectHistories, toHistoryRow } from "../db/histories.ts";
import { type IdentifierRow, selectComponents, toIdentifierRow } from "../db/identifiers.ts";
import { linkId, selectKnownLinks } from "../db/links.ts";
import { type ProfileRow, selectProfiles, toProfileRow } from "../db/profiles.ts";
import { selectTraits, type TraitRow, toTraitRow } from "../db/traits.ts";
import type { IngestEvent } from "../ingest/parse.ts";
import { OwnerHistory } from "./history.ts";
import type { Standing } from "./standing.ts";

/** What is stored of the people asked for. */
export interface Stored {
  nodes: Map<Identifier, IdentifierRow>;
  profiles: Map<string, ProfileRow>;
  histories: Map<Identifier, OwnerHistory>;
  traits: Map<Identifier, TraitRow[]>;
  /** Keys of the given events that are stored already; empty where nobody asked. */
  seen: Set<string>;
  knownLinks: Set<string>;
  /** By profile: what this isolate remembers of the engine's answers. */
  standings: Map<string, Standing>;
}

/**
 * @param identifiers of anybody of interest; those of `events` are added
 * @param events that are about to be stored
 * @param repeats whether to find out which of the events are stored already
 */
export async function loadPeople(
  db: D1Database,
  siteId: string,
  identifiers: Iterable<Identifier>,
  events: readonly IngestEvent[] = [],
  repeats = false,
): Promise<Stored> {
  const asked = new Set(identifiers);
  const links = new Set<string>();
  for (const event of events) {
    for (const other of [...event.identifiers, ...event.previous]) {
      asked.add(other);
      if (other !== event.owner) links.add(linkId(event.owner, other));
    }
  }
  const list = JSON.stringify([...asked]);
  const statements = [
    selectComponents(db, siteId, list),
    selectProfiles(db, siteId, list),
    selectHistories(db, siteId, list),
    selectTraits(db, siteId, list),
  ];
  const seenAt = repeats ? statements.push(selectSeen(db, siteId, events)) - 1 : -1;
  const linksAt = links.size ? statements.push(selectKnownLinks(db, siteId, [...links])) - 1 : -1;
  const results = await db.batch(statements);
  const rows = <T>(at: number, map: (row: unknown) => T): T[] => results[at]?.results.map(map) ?? [];

  const histories = new Map<Identifier, OwnerHistory>();
  for (const row of rows(2, toHistoryRow)) {
    const history = histories.get(row.owner) ?? new OwnerHistory(row.owner, row.shape);
    histories.set(row.owner, history);
    history.load(row);
  }
  const traits = new Map<Identifier, TraitRow[]>();
  for (const row of rows(3, toTraitRow)) {
    const list = traits.get(row.identifier);
    if (list) list.push(row);
    else traits.set(row.identifier, [row]);
  }
  return {
    nodes: new Map(rows(0, toIdentifierRow).map((row) => [row.identifier, row])),
    profiles: new Map(rows(1, toProfileRow).map((row) => [row.id, row])),
    histories,
    traits,
    seen: new Set(rows(seenAt, toSeenKey)),
    knownLinks: new Set(rows(linksAt, (row) => (row as { id: string }).id)),
    standings: new Map(),
  };
}

/** Is this event stored already? */
export function isSeen(stored: Stored, event: IngestEvent): boolean {
  return stored.seen.has(eventKey(event.owner, event.messageId));
}
