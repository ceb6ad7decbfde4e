/**
 * Makes events durable: events, identity, traits, history, memberships and their log in one D1 transaction.
 *
 * Two round trips: read the people concerned, unless this isolate remembers them, decide in memory, write. The write
 * refuses, as a whole, if anybody concerned was written meanwhile; then it starts again from the reading. Sending the same events again changes nothing.
 */
import type { Purpose } from "../../shared/consent.ts";
import type { Identifier } from "../../shared/identifier.ts";
import { TRAITS_CHARACTERS, TRAITS_PER_IDENTIFIER } from "../../shared/limits.ts";
import { type ConsentStatement, insertConsents } from "../db/consents.ts";
import { eventKey, insertEvents } from "../db/events.ts";
import { applyHistoryChanges, type HistoryChange } from "../db/histories.ts";
import {
  insertIdentifiers,
  mergeConsent,
  type StoredConsent,
  statementsOf,
  updateIdentifiers,
} from "../db/identifiers.ts";
import { insertConflicts, insertLinks, linkId } from "../db/links.ts";
import { applyMembershipChanges, type MembershipChange } from "../db/memberships.ts";
import { isConflict, isStale, type ProfileRow, upsertProfiles } from "../db/profiles.ts";
import { type TraitRow, upsertTraits } from "../db/traits.ts";
import { type Group, resolveIdentities } from "../identity/resolve.ts";
import type { LiveSite } from "../manifest/live.ts";
import { Problem } from "../problem.ts";
import { OwnerHistory } from "../profiles/history.ts";
import { isSeen, loadPeople, type Stored } from "../profiles/load.ts";
import { remember, takePeople } from "../profiles/memory.ts";
import {
  buildPerson,
  decidePerson,
  membershipChanges,
  type Person,
  refreshHistories,
  settlePerson,
} from "../profiles/person.ts";
import { applyTraits } from "../profiles/traits.ts";
import type { IngestEvent } from "./parse.ts";
import { takeTurns } from "./turns.ts";

/** The rules have changed, or somebody was decided by a newer version of the site than is known here: read it anew and try again. */
export class StaleSite extends Error {}

/** Lost races are tried again this often; then the sender is asked to come back. */
const ATTEMPTS = 6;
/** A grant of consent that is repeated within this time is not written again. */
const GRANT_GRAIN_MS = 60 * 60 * 1000;

export interface IngestInput {
  events: readonly IngestEvent[];
  /** Statements of consent that came on their own. */
  consents?: readonly ConsentStatement[];
  /** Who says so: kept with each trait. */
  source: "browser" | "server" | "import";
  receivedAt: number;
  /** Identifiers of somebody to be read as well, even if no event is theirs. */
  also?: readonly Identifier[];
}

export interface IngestResult {
  rejected: Map<IngestEvent, Problem>;
  /** The person an identifier belongs to now, decided at `receivedAt`; null for somebody unknown. */
  personOf(identifier: Identifier): Person | null;
}

/**
 * @throws Problem `overloaded` when races were lost too often; nothing of the request is stored then
 */
export function ingest(db: D1Database, live: LiveSite, input: IngestInput): Promise<IngestResult> {
  const { siteId } = live.manifest;
  const owners = new Set(input.events.map(({ owner }) => `${siteId} ${owner}`));
  return takeTurns(owners, () => ingestInTurn(db, live, input));
}

async function ingestInTurn(db: D1Database, live: LiveSite, input: IngestInput): Promise<IngestResult> {
  for (let attempt = 1; ; attempt++) {
    try {
      // What is remembered may be old, and an event may come twice: only when the store says so is it asked.
      return await tryIngest(db, live, input, attempt > 1);
    } catch (error) {
      if (isStale(error)) throw new StaleSite();
      if (!isConflict(error)) throw error;
      if (attempt === ATTEMPTS)
        throw new Problem("overloaded", "too many requests change this person at once", { retryAfterSeconds: 1 });
      if (attempt > 1) await jitter(attempt);
    }
  }
}

async function tryIngest(db: D1Database, live: LiveSite, input: IngestInput, again: boolean): Promise<IngestResult> {
  const { siteId } = live.manifest;
  const { receivedAt } = input;
  const consents = input.consents ?? [];
  const spoken = consents.map(({ identifier }) => identifier);
  const asked = [...(input.also ?? []), ...spoken];
  const remembered = again || !input.events.length ? null : takePeople(siteId, asked, input.events, receivedAt);
  const stored = remembered ?? (await loadPeople(db, siteId, asked, input.events, again));
  if ([...stored.profiles.values()].some(({ manifestVersion }) => manifestVersion > live.manifest.version))
    throw new StaleSite();
  await refreshHistories(db, live, stored);

  const rejected = new Map<IngestEvent, Problem>();
  const fresh = freshEvents(input.events, stored);
  const changedTraits = new Set<TraitRow>();
  const events = fresh.filter((event) => {
    const row = addTraits(stored, event, input.source);
    if (row === "full") rejected.set(event, tooManyTraits());
    else if (row) changedTraits.add(row);
    return row !== "full";
  });

  const resolution = resolveIdentities(stored, events, receivedAt, newProfileId, {
    ensured: spoken,
    isTrusted: input.source !== "browser",
  });
  for (const [owner, own] of Map.groupBy(events, (event) => event.owner)) {
    const history = stored.histories.get(owner) ?? new OwnerHistory(owner, live.needs.shape);
    stored.histories.set(owner, history);
    history.append(own, live.needs);
  }
  const { statements: consentRows, changedNodes } = applyConsents(resolution.groupOf, events, consents);

  const touched = new Set<Group>();
  for (const event of events) touched.add(resolution.groupOf.get(event.owner)!);
  for (const { identifier } of consentRows) touched.add(resolution.groupOf.get(identifier)!);
  // What is remembered is proved by being written. Of others asked for, only storage knows what is true now.
  const unproved = (identifier: Identifier) => {
    const group = resolution.groupOf.get(identifier);
    return group !== undefined && !touched.has(group);
  };
  if (remembered && asked.some(unproved)) return tryIngest(db, live, input, true);
  const profiles: ProfileRow[] = [];
  const changes: MembershipChange[] = [];
  const histories: HistoryChange[] = [];
  const moved = new Set(changedNodes.filter(({ identifier }) => stored.nodes.has(identifier)));
  const people = new Map<Group, Person>();
  for (const group of touched) {
    const person = buildPerson(group, stored, live, receivedAt);
    people.set(group, person);
    const { profile } = person;
    const cause = group.profileIds.size > 1 ? "identity" : "event";
    const { row, now, ...settled } = settlePerson(person, stored, live, receivedAt, cause);
    for (const id of group.profileIds) {
      const absorbed = id === profile.id ? undefined : stored.profiles.get(id);
      if (!absorbed) continue;
      changes.push(...membershipChanges(absorbed, {}, live, "identity", now));
      profiles.push({
        ...absorbed,
        version: absorbed.version + 1,
        mergedInto: profile.id,
        decisions: {},
        wakesAt: null,
      });
    }
    for (const node of group.nodes) {
      if (node.profileId === profile.id) continue;
      node.profileId = profile.id;
      if (stored.nodes.has(node.identifier)) moved.add(node);
    }
    changes.push(...settled.changes);
    histories.push(...settled.histories);
    person.profile = { ...row, lastSeen: now };
    profiles.push(person.profile);
  }

  const write = [
    ...insertIdentifiers(db, siteId, resolution.newNodes),
    ...updateIdentifiers(db, siteId, [...moved]),
    ...upsertProfiles(db, siteId, profiles),
    ...insertEvents(db, siteId, events, receivedAt),
    ...applyHistoryChanges(db, siteId, histories),
    ...upsertTraits(db, siteId, [...changedTraits]),
    ...insertLinks(db, siteId, resolution.links, input.source, receivedAt),
    ...insertConflicts(db, siteId, resolution.conflicts, receivedAt),
    ...insertConsents(db, siteId, consentRows),
    ...applyMembershipChanges(db, siteId, changes),
  ];
  if (write.length) await db.batch(write);
  const links = stored.knownLinks.union(new Set(resolution.links.map(({ a, b }) => linkId(a, b))));
  for (const [group, { profile, standing }] of people) {
    const nodes = group.nodes.map((node) => ({ ...node }));
    const histories = nodes.flatMap(({ identifier }) => stored.histories.get(identifier) ?? []);
    const traits = nodes.flatMap(({ identifier }) => stored.traits.get(identifier) ?? []);
    for (const history of histories) history.markSaved();
    remember(siteId, { profile, nodes, histories, traits, links, standing }, receivedAt);
  }

  return {
    rejected,
    personOf(identifier) {
      const group = resolution.groupOf.get(identifier);
      if (!group) return null;
      const person = people.get(group) ?? decidePerson(group, stored, live, receivedAt);
      people.set(group, person);
      return person;
    },
  };
}

/** The events that are not stored yet, each once. */
function freshEvents(events: readonly IngestEvent[], stored: Stored): IngestEvent[] {
  const keys = new Set<string>();
  return events.filter((event) => {
    const key = eventKey(event.owner, event.messageId);
    if (keys.has(key) || isSeen(stored, event)) return false;
    keys.add(key);
    return true;
  });
}

/** Adds an event's traits to what is stored of its owner; "full" where the owner may hold no more. */
function addTraits(stored: Stored, event: IngestEvent, source: string): TraitRow | "full" | null {
  if (!Object.keys(event.traits).length) return null;
  const rows = stored.traits.get(event.owner) ?? [];
  stored.traits.set(event.owner, rows);
  const known = rows.find((row) => row.source === source);
  const facts = applyTraits(known?.facts ?? {}, event.traits, event.timestamp, event.messageId);
  if (!facts) return "full";
  if (known) {
    known.facts = facts;
    return known;
  }
  const row: TraitRow = { identifier: event.owner, source, facts };
  rows.push(row);
  return row;
}

/** Puts statements of consent on their identifiers; what says nothing new is left out. */
function applyConsents(
  groupOf: Map<Identifier, Group>,
  events: readonly IngestEvent[],
  consents: readonly ConsentStatement[],
): { statements: ConsentStatement[]; changedNodes: Group["nodes"] } {
  const said = [...consents];
  for (const event of events) {
    for (const [purpose, granted] of Object.entries(event.consent) as [Purpose, boolean][]) {
      const source = event.type;
      said.push({ identifier: event.owner, purpose, granted, at: event.timestamp, source, policyVersion: null });
    }
  }
  const statements: ConsentStatement[] = [];
  const changedNodes = new Set<Group["nodes"][number]>();
  for (const statement of said) {
    const node = groupOf.get(statement.identifier)?.nodes.find((n) => n.identifier === statement.identifier);
    if (!node || saysNothingNew(node.consent[statement.purpose], statement)) continue;
    statements.push(statement);
    node.consent = mergeConsent(node.consent, statementsOf({ [statement.purpose]: statement.granted }, statement.at));
    changedNodes.add(node);
  }
  return { statements, changedNodes: [...changedNodes] };
}

/** A refusal always counts from its own time on; a grant that is repeated is worth a write once in a while. */
function saysNothingNew(known: StoredConsent[Purpose], { granted, at }: ConsentStatement): boolean {
  return known?.[0] === granted && at <= known[1] + (granted ? GRANT_GRAIN_MS : 0);
}

function tooManyTraits(): Problem {
  const detail = `one identifier holds at most ${TRAITS_PER_IDENTIFIER} distinct traits, of ${TRAITS_CHARACTERS} characters in all`;
  return new Problem("invalid-event", detail, { errors: [{ pointer: "/traits", code: "too-many", detail }] });
}

function newProfileId(): string {
  return `p_${crypto.randomUUID().replaceAll("-", "").slice(0, 20)}`;
}

/** Waits a little, at random, so that two that collided do not collide again. */
function jitter(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * 4 * 2 ** attempt));
}
