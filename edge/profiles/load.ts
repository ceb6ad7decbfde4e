/** Reads people whole, in one round trip: identifiers, profile, history and traits of each component that is asked for. */

import type { Identifier } from "../../shared/identifier.ts";
import { eventKey, selectSeen, toSeenKey } from "../db/events.ts";
import { selectHistories, toHistoryRow } from "../db/histories.ts";
import { type IdentifierRow, selectComponents, toIdentifierRow } from "../db/identifiers.ts";
import { linkId, selectFirstLinks, selectKnownLinks } from "../db/links.ts";
import { type ProfileRow, selectProfiles, toProfileRow } from "../db/profiles.ts";
import { selectTraits, type TraitRow, toTraitRow } from "../db/traits.ts";
import type { ManualLink } from "../identity/resolve.ts";
import type { IngestEvent } from "../ingest/parse.ts";
import type { LiveSite } from "../manifest/live.ts";
import { OwnerHistory } from "./history.ts";
import type { Pairs } from "./memory.ts";
import type { Standing } from "./standing.ts";

/** What is stored of the people asked for. */
export interface Stored {
  nodes: Map<Identifier, IdentifierRow>;
  profiles: Map<string, ProfileRow>;
  histories: Map<Identifier, OwnerHistory>;
  traits: Map<Identifier, TraitRow[]>;
  /** Keys of the given events that are stored already; empty where nobody asked. */
  seen: Set<string>;
  /** Of the pairs that the events name: those that were ever linked, and those that are refused. */
  knownLinks: Set<string>;
  refusedLinks: Set<string>;
  /** Not read, but remembered by this isolate: what is not here may be stored all the same. */
  isRemembered: boolean;
  /** By profile: what this isolate remembers of the engine's answers. */
  standings: Map<string, Standing>;
  /** By profile: what it remembers of pairs. */
  pairs: Map<string, Pairs>;
}

export interface LoadOptions {
  /** Events that are about to be stored: whoever they name is read, too. */
  events?: readonly IngestEvent[];
  /** Pairs that are about to be linked by hand. */
  links?: readonly ManualLink[] | undefined;
  /** Whether to find out which of the events are stored already. */
  repeats?: boolean;
  /** Whether to find out when each identifier was first linked. */
  linkTimes?: boolean;
}

/** @param identifiers of anybody of interest */
export async function loadPeople(
  db: D1Database,
  siteId: string,
  identifiers: Iterable<Identifier>,
  { events = [], links = [], repeats = false, linkTimes = false }: LoadOptions = {},
): Promise<Stored> {
  const asked = new Set(identifiers);
  const pairs = new Set<string>();
  for (const event of events) {
    for (const other of [...event.identifiers, ...event.previous]) {
      asked.add(other);
      if (other !== event.owner) pairs.add(linkId(event.owner, other));
    }
  }
  for (const { a, b } of links) {
    asked.add(a).add(b);
    pairs.add(linkId(a, b));
  }
  const list = JSON.stringify([...asked]);
  const statements = [
    selectComponents(db, siteId, list),
    selectProfiles(db, siteId, list),
    selectHistories(db, siteId, list),
    selectTraits(db, siteId, list),
  ];
  const seenAt = repeats ? statements.push(selectSeen(db, siteId, events)) - 1 : -1;
  const pairsAt = pairs.size ? statements.push(selectKnownLinks(db, siteId, [...pairs])) - 1 : -1;
  const timesAt = linkTimes ? statements.push(selectFirstLinks(db, siteId, list)) - 1 : -1;
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
  const nodes = new Map(rows(0, toIdentifierRow).map((row) => [row.identifier, row]));
  for (const { identifier, at } of rows(timesAt, toFirstLink)) nodes.get(identifier)!.linkedAt = at;
  const found = Map.groupBy(rows(pairsAt, toPair), ({ refused }) => refused === 1);
  const idsOf = (refused: boolean) => new Set(found.get(refused)?.map(({ id }) => id));
  return {
    nodes,
    profiles: new Map(rows(1, toProfileRow).map((row) => [row.id, row])),
    histories,
    traits,
    seen: new Set(rows(seenAt, toSeenKey)),
    knownLinks: idsOf(false),
    refusedLinks: idsOf(true),
    isRemembered: false,
    standings: new Map(),
    pairs: new Map(),
  };
}

function toPair(row: unknown): { id: string; refused: number } {
  return row as { id: string; refused: number };
}

function toFirstLink(row: unknown): { identifier: Identifier; at: number } {
  return row as { identifier: Identifier; at: number };
}

/** True if somebody was decided by a newer version of the site than is known here. */
export function isNewer({ profiles }: Stored, live: LiveSite): boolean {
  return profiles.values().some(({ manifestVersion }) => manifestVersion > live.manifest.version);
}

/** Is this event stored already? */
export function isSeen(stored: Stored, event: IngestEvent): boolean {
  return stored.seen.has(eventKey(event.owner, event.messageId));
}
