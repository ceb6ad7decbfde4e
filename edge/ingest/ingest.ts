/**
 * Makes events durable: events, identity, traits, history, memberships and their log in one D1 transaction.
 *
 * Two round trips: read the people concerned, unless this isolate remembers them, fold in memory, write. The write
 * refuses, as a whole, if anybody concerned was written meanwhile; then it starts again from the reading. Sending the same events again changes nothing.
 */
import type { Identifier } from "../../shared/identifier.ts";
import { insertAudit } from "../db/audit.ts";
import { insertConsents } from "../db/consents.ts";
import { insertEvents } from "../db/events.ts";
import { applyHistoryChanges } from "../db/histories.ts";
import { insertIdentifiers, updateIdentifiers } from "../db/identifiers.ts";
import { deleteConflicts, insertConflicts, insertLinks, linkId } from "../db/links.ts";
import { applyMembershipChanges } from "../db/memberships.ts";
import { isConflict, isStale, touchProfiles, upsertProfiles } from "../db/profiles.ts";
import { countRefused } from "../db/refused-identifiers.ts";
import { forgetSendDecisions } from "../db/send-decisions.ts";
import { markSnapshots } from "../db/snapshots.ts";
import { guardTombstones, isErased, readTombstones } from "../db/tombstones.ts";
import { insertTraitTypes } from "../db/trait-types.ts";
import { upsertTraits } from "../db/traits.ts";
import type { RefusedIdentifier } from "../identity/decision.ts";
import type { LiveSite } from "../manifest/live.ts";
import { Problem, type ProblemError } from "../problem.ts";
import { isNewer, loadPeople, type Stored } from "../profiles/load.ts";
import { remember, takePeople } from "../profiles/memory.ts";
import { decidePerson, type Person, refreshHistories } from "../profiles/person.ts";
import { toMarks, watchSnapshots } from "../profiles/snapshot.ts";
import { markNoticed, noticeTypes } from "../profiles/trait-types.ts";
import { type Folded, type FoldInput, foldInput, namesOf, unwilling } from "./fold.ts";
import type { IngestEvent } from "./parse.ts";
import { takeTurns } from "./turns.ts";

/** The rules have changed, or somebody was decided by a newer version of the site than is known here: read it anew and try again. */
export class StaleSite extends Error {}

/** Lost races are tried again this often; then the sender is asked to come back. */
const ATTEMPTS = 6;

export interface IngestInput extends FoldInput {
  /** Identifiers of somebody to be read as well, even if no event is theirs. */
  also?: readonly Identifier[];
  /** Values of messages that are not among the events, because they name nobody: counted. */
  refused?: readonly RefusedIdentifier[];
}

export interface IngestResult {
  /** What of an event that is stored was not kept beside its message. */
  warnings: Map<IngestEvent, ProblemError[]>;
  /** Events that are not stored: see `Folded.erased`. */
  erased: IngestEvent[];
  /** Profiles whose snapshots are to be written now: see `spreadSnapshots`. */
  marked: readonly string[];
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
  let erasures: ReadonlyMap<Identifier, number> = new Map();
  for (let attempt = 1; ; attempt++) {
    try {
      // What is remembered may be old, an event may come twice, or name somebody erased: only when the store says so is it asked.
      return await tryIngest(db, live, { ...input, erasures }, attempt > 1);
    } catch (error) {
      if (isStale(error)) throw new StaleSite();
      if (isErased(error)) erasures = await readErasures(db, live.manifest.siteId, input);
      else if (!isConflict(error)) throw error;
      if (attempt === ATTEMPTS)
        throw new Problem("overloaded", "too many requests change this person at once", { retryAfterSeconds: 1 });
      if (attempt > 1) await jitter(attempt);
    }
  }
}

/** @throws Problem `overloaded` while an erasure has rows left to remove of somebody whom the request names */
async function readErasures(db: D1Database, siteId: string, input: IngestInput): Promise<Map<Identifier, number>> {
  const consents = input.consents?.map(({ identifier }) => identifier) ?? [];
  const tombstones = await readTombstones(db, siteId, [...input.events.flatMap(namesOf), ...consents]);
  if (tombstones.values().some(({ isOpen }) => isOpen))
    throw new Problem("overloaded", "somebody whom this names is being erased", { retryAfterSeconds: 10 });
  return new Map(tombstones.entries().map(([identifier, { erasedAt }]) => [identifier, erasedAt]));
}

async function tryIngest(db: D1Database, live: LiveSite, input: IngestInput, again: boolean): Promise<IngestResult> {
  const { siteId } = live.manifest;
  const { events, links, source } = input;
  const asked = [...(input.also ?? []), ...(input.consents ?? []).map(({ identifier }) => identifier)];
  // Who was left out for a time may be linked once that is over: only storage knows.
  const linkTimes = live.identity.hasWindows;
  const mayRecall = !again && !links && !linkTimes && events.length > 0;
  const remembered = mayRecall ? takePeople(siteId, asked, input, live.identity) : null;
  const stored = remembered ?? (await loadPeople(db, siteId, asked, { events, links, repeats: again, linkTimes }));
  if (isNewer(stored, live)) throw new StaleSite();
  await refreshHistories(db, live, stored);

  const outdated = watchSnapshots(stored, live);
  const folded = foldInput(stored, live, input, newProfileId);
  const { receivedAt, warnings, erased, resolution, people } = folded;
  // What is remembered is proved by being written. Of others asked for, only storage knows what is true now.
  const unproved = (identifier: Identifier) => {
    const group = resolution.groupOf.get(identifier);
    return group !== undefined && !people.has(group);
  };
  if (remembered && asked.some(unproved)) return tryIngest(db, live, input, true);

  const marked = toMarks(outdated(folded.profiles));
  const types = noticeTypes(siteId, source, folded.events);
  // Whoever is written remembers it; of all others whom the events name, storage is asked.
  const named = new Set(folded.events.flatMap(namesOf));
  const others = [...named].flatMap((identifier) => {
    if (people.has(resolution.groupOf.get(identifier)!)) return [];
    return [[identifier, stored.nodes.get(identifier)?.erasedAt ?? input.erasures?.get(identifier)] as const];
  });
  const newcomers = resolution.newNodes.map(({ identifier, erasedAt }) => [identifier, erasedAt] as const);
  // A refusal concerns both sides: it must be known to whoever takes the other one apart at the same time.
  const written = new Set(folded.profiles.map(({ id }) => id));
  const ids = new Set(resolution.conflicts.flatMap(({ b }) => stored.nodes.get(b)?.profileId ?? []));
  const refusedOthers = [...ids].flatMap((id) => (written.has(id) ? [] : (stored.profiles.get(id) ?? [])));
  const write = [
    ...(await guardTombstones(db, siteId, [...newcomers, ...others])),
    ...insertIdentifiers(db, siteId, resolution.newNodes),
    ...updateIdentifiers(db, siteId, folded.moved),
    ...upsertProfiles(db, siteId, folded.profiles),
    ...insertEvents(db, siteId, folded.events, source, receivedAt),
    ...applyHistoryChanges(db, siteId, folded.histories),
    ...upsertTraits(db, siteId, folded.traits),
    ...insertTraitTypes(db, siteId, source, types, receivedAt),
    ...insertLinks(db, siteId, folded.links),
    ...insertConflicts(db, siteId, folded.conflicts),
    ...touchProfiles(db, siteId, refusedOthers),
    ...deleteConflicts(db, siteId, resolution.solved),
    ...insertConsents(db, siteId, folded.consents, receivedAt),
    ...forgetSendDecisions(db, siteId, unwilling(folded)),
    ...applyMembershipChanges(db, siteId, folded.changes),
    ...markSnapshots(db, siteId, marked, receivedAt),
    ...insertAudit(db, siteId, folded.audit),
    ...countRefused(
      db,
      siteId,
      [...(input.refused ?? []), ...folded.events.flatMap((event) => event.refused)],
      receivedAt,
    ),
  ];
  if (write.length) await db.batch(write);
  rememberPeople(live, stored, input, folded);
  markNoticed(siteId, source, types);

  return {
    warnings,
    erased,
    marked,
    personOf(identifier) {
      const group = resolution.groupOf.get(identifier);
      if (!group) return null;
      const person = people.get(group) ?? decidePerson(group, stored, live, receivedAt);
      people.set(group, person);
      return person;
    },
  };
}

/** Keeps those who were written, for their next event. */
function rememberPeople(live: LiveSite, stored: Stored, { source, receivedAt }: IngestInput, folded: Folded): void {
  const { resolution, people, events } = folded;
  const idsOf = (pairs: readonly { a: Identifier; b: Identifier }[]) => new Set(pairs.map(({ a, b }) => linkId(a, b)));
  const made = stored.knownLinks.union(idsOf(resolution.links));
  const refusals = stored.refusedLinks.union(idsOf(resolution.conflicts));
  // What is remembered names every pair already.
  const eventsOf = Map.groupBy(stored.isRemembered ? [] : events, ({ owner }) => resolution.groupOf.get(owner)!);
  for (const [group, { profile, standing }] of people) {
    const nodes = group.nodes.map((node) => ({ ...node }));
    const histories = nodes.flatMap(({ identifier }) => stored.histories.get(identifier) ?? []);
    const traits = nodes.flatMap(({ identifier }) => stored.traits.get(identifier) ?? []);
    for (const history of histories) history.markSaved();
    const known = [...group.profileIds].flatMap((id) => stored.pairs.get(id) ?? []);
    const links = new Set(known.flatMap((pairs) => [...pairs.links]));
    const refused = new Map(known.flatMap((pairs) => [...pairs.refused]));
    for (const event of eventsOf.get(group) ?? []) {
      for (const other of namesOf(event)) {
        const id = linkId(event.owner, other);
        if (made.has(id)) links.add(id);
        else if (refusals.has(id)) refused.set(id, { at: receivedAt, isTrusted: source !== "browser" });
      }
    }
    const person = { profile, nodes, histories, traits, links, refused, policy: live.identity, standing };
    remember(live.manifest.siteId, person, receivedAt);
  }
}

/** An id that nobody has. */
export function newProfileId(): string {
  return `p_${crypto.randomUUID().replaceAll("-", "").slice(0, 20)}`;
}

/** Waits a little, at random, so that two that collided do not collide again. */
function jitter(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * 4 * 2 ** attempt));
}
