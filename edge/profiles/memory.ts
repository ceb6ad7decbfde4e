/**
 * People whom this isolate wrote lately, so that their next event needs no reading. What is remembered may be old; the
 * version check of the write finds out, and then it is read after all. Bounded, short-lived, and never used to answer
 * a reading.
 */

import type { Identifier } from "../../shared/identifier.ts";
import type { IdentifierRow } from "../db/identifiers.ts";
import { linkId } from "../db/links.ts";
import type { ProfileRow } from "../db/profiles.ts";
import type { TraitRow } from "../db/traits.ts";
import type { IdentityPolicy } from "../identity/policy.ts";
import type { FoldInput } from "../ingest/fold.ts";
import type { OwnerHistory } from "./history.ts";
import type { Stored } from "./load.ts";
import type { Standing } from "./standing.ts";

/** Pairs that somebody's messages name. */
export interface Pairs {
  /** Ids of links that are known to be made. */
  links: ReadonlySet<string>;
  /** Ids of pairs that were refused: who the other is need not be known here. */
  refused: ReadonlyMap<string, Refusal>;
}

export interface Refusal {
  /** When storage was asked. */
  at: number;
  /** False: a browser said so, and a server might be believed. */
  isTrusted: boolean;
}

/** A component as it was written. */
export interface Remembered extends Pairs {
  profile: ProfileRow;
  nodes: readonly IdentifierRow[];
  histories: readonly OwnerHistory[];
  traits: readonly TraitRow[];
  /** By which pairs were refused. */
  policy: IdentityPolicy;
  standing: Standing | undefined;
}

interface Entry extends Remembered {
  at: number;
  bytes: number;
}

const REMEMBERED_MS = 60_000;
/** Estimated bytes of all; an isolate has 128 MB for everything. */
const BYTES = 24_000_000;
const PERSON_BYTES = 4_000;
/** Of an event in a history, and of all that rules make of it. */
const EVENT_BYTES = 600;
/** Of what the engine last said of a rule, and goes on from: measured with 10 to 1,000 rules. */
const RULE_BYTES = 150;

const people = new Map<string, Entry>();
let bytes = 0;

/**
 * What is remembered of everybody whom the events concern; null if anything is missing. It is taken out: whoever takes it
 * changes it, and gives it back with `remember` once that is written.
 */
export function takePeople(
  siteId: string,
  asked: readonly Identifier[],
  { events, source, receivedAt }: Pick<FoldInput, "events" | "source" | "receivedAt">,
  policy: IdentityPolicy,
): Stored | null {
  const isOld = (at: number) => receivedAt - at > REMEMBERED_MS;
  const found = new Set<Entry>();
  const find = (identifier: Identifier) => {
    const entry = people.get(nameOf(siteId, identifier));
    if (!entry || isOld(entry.at) || entry.policy !== policy) return null;
    found.add(entry);
    return entry;
  };
  for (const identifier of asked) if (!find(identifier)) return null;
  for (const { owner, identifiers, previous } of events) {
    const entry = find(owner);
    if (!entry) return null;
    for (const other of [...identifiers, ...previous]) {
      if (other === owner) continue;
      const id = linkId(owner, other);
      const refusal = entry.refused.get(id);
      // Whoever goes on sending is remembered as long as they do; the other may be somebody else's meanwhile.
      const isRefused = refusal && !isOld(refusal.at) && (refusal.isTrusted || source === "browser");
      if (!isRefused && !(entry.links.has(id) && find(other))) return null;
    }
  }
  const stored: Stored = {
    nodes: new Map(),
    profiles: new Map(),
    histories: new Map(),
    traits: new Map(),
    seen: new Set(),
    knownLinks: new Set(),
    refusedLinks: new Set(),
    isRemembered: true,
    standings: new Map(),
    pairs: new Map(),
  };
  for (const entry of found) {
    forget(siteId, entry);
    stored.profiles.set(entry.profile.id, entry.profile);
    for (const node of entry.nodes) stored.nodes.set(node.identifier, node);
    for (const history of entry.histories) stored.histories.set(history.owner, history);
    for (const row of entry.traits) {
      const rows = stored.traits.get(row.identifier) ?? [];
      stored.traits.set(row.identifier, rows);
      rows.push(row);
    }
    for (const link of entry.links) stored.knownLinks.add(link);
    for (const link of entry.refused.keys()) stored.refusedLinks.add(link);
    stored.pairs.set(entry.profile.id, entry);
    if (entry.standing) stored.standings.set(entry.profile.id, entry.standing);
  }
  return stored;
}

/** Keeps a component as it has just been written. */
export function remember(siteId: string, component: Remembered, now: number): void {
  const entry: Entry = { ...component, at: now, bytes: estimateBytes(component) };
  for (const { identifier } of entry.nodes) {
    const name = nameOf(siteId, identifier);
    const known = people.get(name);
    if (known) forget(siteId, known);
    people.set(name, entry);
  }
  bytes += entry.bytes;
  for (const [name, oldest] of people) {
    if (bytes <= BYTES && now - oldest.at <= REMEMBERED_MS) break;
    forget(name.slice(0, name.indexOf(" ")), oldest);
  }
}

/** Forgets whoever has any of the identifiers. */
export function forgetPeople(siteId: string, identifiers: Iterable<Identifier>): void {
  for (const identifier of identifiers) {
    const known = people.get(nameOf(siteId, identifier));
    if (known) forget(siteId, known);
  }
}

function estimateBytes({ profile, nodes, histories, traits, standing }: Remembered): number {
  const rules = standing?.program.keys.length ?? 0;
  const events = histories.reduce((sum, { size }) => sum + size, 0);
  const facts = traits.reduce((sum, row) => sum + 2 * JSON.stringify(row.facts).length, 0);
  const memberships = Object.keys(profile.decisions).length;
  return nodes.length * PERSON_BYTES + events * EVENT_BYTES + rules * RULE_BYTES + facts + 200 * memberships;
}

function forget(siteId: string, entry: Entry): void {
  let held = false;
  for (const { identifier } of entry.nodes) {
    const name = nameOf(siteId, identifier);
    if (people.get(name) !== entry) continue;
    people.delete(name);
    held = true;
  }
  if (held) bytes -= entry.bytes;
}

/** A site's id has no blank. */
function nameOf(siteId: string, identifier: Identifier): string {
  return `${siteId} ${identifier}`;
}
