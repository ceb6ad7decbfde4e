/** A person in memory: all that the engine needs to decide, folded from what the identifiers of a group hold. */
import { type ConsentMode, PURPOSES, type Purpose } from "../../shared/consent.ts";
import type { Subject } from "../../shared/engine/types.ts";
import type { HistoryEvent, JsonObject } from "../../shared/event.ts";
import { stableIdOf } from "../../shared/hash.ts";
import { HISTORY_EVENTS } from "../../shared/limits.ts";
import { listNeededEvents } from "../db/events.ts";
import type { HistoryChange } from "../db/histories.ts";
import { mergeConsent, type StoredConsent } from "../db/identifiers.ts";
import type { Cause, MembershipChange } from "../db/memberships.ts";
import type { Decisions, ProfileRow } from "../db/profiles.ts";
import { eldestOf, type Group } from "../identity/resolve.ts";
import type { LiveSite } from "../manifest/live.ts";
import { OwnerHistory, readOwners } from "./history.ts";
import { listedAt } from "./lists.ts";
import type { Stored } from "./load.ts";
import { answersOf, decideFrom, type Standing } from "./standing.ts";
import { foldTraits, type TraitSource } from "./traits.ts";

export interface Person {
  /** The row as it was read, version 0 for somebody new; as it was written, once it is. */
  profile: ProfileRow;
  group: Group;
  /** What any of the profiles that it unites was in, and since when. */
  carried: Decisions;
  traits: JsonObject;
  /** Where each trait's value comes from. */
  traitSources: ReadonlyMap<string, TraitSource>;
  events: readonly HistoryEvent[];
  /** Purposes granted; undefined = all. */
  consent: readonly Purpose[] | undefined;
  /** What the engine last said of them, if this isolate remembers. */
  standing: Standing | undefined;
}

/** Folds a group into a person. Histories must fit the site's needs: see `refreshHistories`. */
export function buildPerson(group: Group, stored: Stored, live: LiveSite): Person {
  const eldest = eldestOf(group);
  const known = stored.profiles.get(eldest.birthId);
  const united = [...group.profileIds].flatMap((id) => stored.profiles.get(id) ?? []);
  const histories = group.nodes.flatMap(({ identifier }) => stored.histories.get(identifier) ?? []);
  const traitRows = group.nodes.flatMap(({ identifier }) => stored.traits.get(identifier) ?? []);
  const { traits, sources: traitSources } = foldTraits(traitRows, live.identity.sources);
  return {
    profile: {
      id: eldest.birthId,
      stableId: stableIdOf(eldest.identifier),
      firstSeen: eldest.firstSeen,
      lastSeen: Math.max(0, ...united.map((profile) => profile.lastSeen)),
      version: known?.version ?? 0,
      mergedInto: null,
      decisions: known?.mergedInto === null ? known.decisions : {},
      wakesAt: known?.wakesAt ?? null,
      manifestVersion: known?.manifestVersion ?? 0,
    },
    group,
    carried: carryDecisions(united),
    traits,
    traitSources,
    events: readOwners(histories),
    consent: grantedPurposes(
      group.nodes.reduce<StoredConsent>((all, node) => mergeConsent(all, node.consent), {}),
      live.manifest.settings.consentDefault,
    ),
    standing: stored.standings.get(eldest.birthId),
  };
}

/** The memberships of all, each since the earliest. */
function carryDecisions(profiles: readonly ProfileRow[]): Decisions {
  const carried: Decisions = {};
  for (const { decisions } of profiles) {
    for (const [key, [since, until]] of Object.entries(decisions)) {
      if (!Object.hasOwn(carried, key) || since < carried[key]![0]) carried[key] = [since, until];
    }
  }
  return carried;
}

/** A person as the engine asks for one. `context` is this request's. */
export function subjectOf(person: Person, live: LiveSite, context?: JsonObject): Subject {
  const segments: Record<string, { value: boolean; until: null }> = Object.create(null);
  for (const list of live.lists) {
    segments[list.key] = { value: listedAt(person.group.nodes, list) !== null, until: null };
  }
  return {
    id: person.profile.stableId,
    traits: person.traits,
    events: person.events,
    segments,
    ...(context && { context }),
    ...(person.consent && { consent: person.consent }),
  };
}

/**
 * Asks the engine about every segment.
 *
 * @returns the memberships, and the earliest instant at which time alone may change any answer
 */
export function decideSegments(
  person: Person,
  live: LiveSite,
  now: number,
): { decisions: Decisions; wakesAt: number | null } {
  const previous = person.carried;
  person.standing = decideFrom(person.standing, live.program, subjectOf(person, live), now);
  const answers = answersOf(person.standing);
  const decisions: Decisions = {};
  let wakesAt: number | null = null;
  live.program.keys.forEach((key, index) => {
    const answer = answers[index]!;
    if (answer.until !== null && (wakesAt === null || answer.until < wakesAt)) wakesAt = answer.until;
    if (answer.value !== true) return;
    const since = Object.hasOwn(previous, key) ? previous[key]![0] : now;
    decisions[key] = [since, answer.until];
  });
  for (const list of live.lists) {
    const at = listedAt(person.group.nodes, list);
    if (at !== null) decisions[list.key] = [Object.hasOwn(previous, list.key) ? previous[list.key]![0] : at, null];
  }
  return { decisions, wakesAt };
}

/** What changed between what a profile was in and what it is in: exits, enters, and other times of entering. */
export function membershipChanges(
  profile: ProfileRow,
  decisions: ProfileRow["decisions"],
  live: LiveSite,
  cause: Cause,
  at: number,
): MembershipChange[] {
  const changes: MembershipChange[] = [];
  const add = (segmentKey: string, change: MembershipChange["change"], since: number | null) => {
    const segmentVersion = live.versions.get(segmentKey) ?? 0;
    changes.push({ profileId: profile.id, segmentKey, change, cause, at, segmentVersion, since });
  };
  for (const key of Object.keys(profile.decisions)) if (!Object.hasOwn(decisions, key)) add(key, "exit", null);
  for (const [key, [since]] of Object.entries(decisions)) {
    if (!Object.hasOwn(profile.decisions, key)) add(key, "enter", since);
    else if (profile.decisions[key]![0] !== since) add(key, "since", since);
  }
  return changes;
}

/**
 * Decides somebody as of an instant, though never as of a time before what is stored of them: requests overtake each other, and
 * clocks differ.
 *
 * @param person is changed, but for its version
 * @returns what to log and to count
 */
export function advance(person: Person, live: LiveSite, asOf: number, cause: Cause): MembershipChange[] {
  const { profile } = person;
  const now = Math.max(asOf, profile.lastSeen);
  const decided = decideSegments(person, live, now);
  person.profile = { ...profile, ...decided, manifestVersion: live.manifest.version };
  person.carried = { ...decided.decisions };
  return membershipChanges(profile, decided.decisions, live, cause, now);
}

/** True of a stored profile that rules or time have changed since it was decided: see `catchUp`. */
export function isBehind({ version, manifestVersion, wakesAt }: ProfileRow, live: LiveSite, asOf: number): boolean {
  return (version > 0 && manifestVersion < live.manifest.rules.version) || (wakesAt !== null && wakesAt <= asOf);
}

/** Steps of one person, at most: who was left alone for longer goes on at the end, as if the rest had not been. */
const STEPS = 256;

/**
 * Brings somebody to `asOf`, with nothing new said of them: step by step through the instants at which changed rules and time
 * change an answer, so that each change is of its instant, whenever a job comes by. Who needs no step costs a comparison.
 *
 * Rules that have changed hold from their publish on. Whatever time should have changed before that and nobody has
 * decided yet is decided by the new ones: the old are not there any more.
 *
 * @param person of one stored profile; is changed, but for its version
 * @returns what to log and to count, in order
 */
export function catchUp(person: Person, live: LiveSite, asOf: number): MembershipChange[] {
  const { rules } = live.manifest;
  const { version, manifestVersion } = person.profile;
  const changes = version && manifestVersion < rules.version ? advance(person, live, rules.at || asOf, "rule") : [];
  for (let steps = 1; ; steps++) {
    const { wakesAt } = person.profile;
    if (wakesAt === null || wakesAt > asOf) return changes;
    changes.push(...advance(person, live, steps < STEPS ? wakesAt : asOf, "time"));
  }
}

/** A person as of `now`, decided: what a reading answers. */
export function decidePerson(group: Group, stored: Stored, live: LiveSite, now: number): Person {
  const person = buildPerson(group, stored, live);
  catchUp(person, live, now);
  Object.assign(person.profile, decideSegments(person, live, now));
  return person;
}

/**
 * Decides a person for writing: the profile as it will be stored, with the changes of membership and of history that go
 * with it. `now` is the instant as of which.
 */
export function settlePerson(
  person: Person,
  stored: Stored,
  live: LiveSite,
  asOf: number,
  cause: Cause,
): { row: ProfileRow; now: number; changes: MembershipChange[]; histories: HistoryChange[] } {
  const now = Math.max(asOf, person.profile.lastSeen);
  const changes = advance(person, live, now, cause);
  const row = { ...person.profile, version: person.profile.version + 1 };
  return { row, now, changes, histories: historyChangesOf(person, stored) };
}

/** What of somebody's histories is to be written. */
export function historyChangesOf({ group }: Person, stored: Stored): HistoryChange[] {
  return group.nodes.flatMap(({ identifier }) => stored.histories.get(identifier)?.change ?? []);
}

/** Of purposes that nobody asked about, those hold that the site's default mode allows to be kept. */
export function grantedPurposes(said: StoredConsent, fallback: ConsentMode): Purpose[] | undefined {
  const assumed = fallback === "full" || fallback === "session";
  const granted = PURPOSES.filter((purpose) => said[purpose]?.[0] ?? (assumed || purpose === "necessary"));
  return granted.length === PURPOSES.length ? undefined : granted;
}

/** Is a purpose among those granted? Undefined = all. */
export function allows(granted: readonly Purpose[] | undefined, purpose: Purpose): boolean {
  return granted?.includes(purpose) ?? true;
}

/**
 * Builds anew, from the events themselves, the histories that were folded for other rules than today's.
 *
 * @returns how many statements that took
 */
export async function refreshHistories(db: D1Database, live: LiveSite, stored: Stored): Promise<number> {
  const stale = [...stored.histories.values()].filter(({ shape }) => shape !== live.needs.shape);
  if (!stale.length) return 0;
  const events = await listNeededEvents(
    db,
    live.manifest.siteId,
    stale.map(({ owner }) => owner),
    live.needs.events.map(({ type, event }) => [type, event] as const),
    HISTORY_EVENTS,
  );
  for (const { owner, chunkNumbers } of stale) {
    const history = new OwnerHistory(owner, live.needs.shape, chunkNumbers);
    history.append(
      (events.get(owner) ?? []).sort((a, b) => a.timestamp - b.timestamp),
      live.needs,
    );
    stored.histories.set(owner, history);
  }
  return 1;
}
