/**
 * What a request changes, worked out in memory: people as they are stored go in, rows to write come out. No storage, no clock.
 * Ingest folds each request once; an unmerge folds the past anew, in order of arrival, by this same function.
 */
import type { Purpose } from "../../shared/consent.ts";
import type { Identifier, Source } from "../../shared/identifier.ts";
import { NAME_LENGTH, TRAITS_CHARACTERS, TRAITS_PER_IDENTIFIER } from "../../shared/limits.ts";
import type { AuditEntry } from "../db/audit.ts";
import type { ConsentStatement } from "../db/consents.ts";
import { eventKey } from "../db/events.ts";
import type { HistoryChange } from "../db/histories.ts";
import { type IdentifierRow, mergeConsent, type StoredConsent, statementsOf } from "../db/identifiers.ts";
import type { Made, NewConflict, NewLink } from "../db/links.ts";
import type { MembershipChange } from "../db/memberships.ts";
import type { ProfileRow } from "../db/profiles.ts";
import type { TraitRow } from "../db/traits.ts";
import { type Group, groupStored, type ManualLink, type Resolution, resolveIdentities } from "../identity/resolve.ts";
import { auditOf } from "../identity/trail.ts";
import type { LiveSite } from "../manifest/live.ts";
import type { ProblemError } from "../problem.ts";
import { OwnerHistory } from "../profiles/history.ts";
import { lastStatementAt } from "../profiles/lists.ts";
import { isSeen, type Stored } from "../profiles/load.ts";
import {
  allows,
  buildPerson,
  catchUp,
  isBehind,
  membershipChanges,
  type Person,
  settlePerson,
} from "../profiles/person.ts";
import { applyTraits, type LeftOut } from "../profiles/traits.ts";
import type { IngestEvent } from "./parse.ts";

export interface FoldInput {
  events: readonly IngestEvent[];
  /** Statements of consent that came on their own. */
  consents?: readonly ConsentStatement[];
  /** When identifiers of which nothing is stored were erased. */
  erasures?: ReadonlyMap<Identifier, number | undefined>;
  /** Links that a developer makes. */
  links?: readonly ManualLink[];
  /** Who says so: kept with each event and trait. */
  source: Source;
  /** Who makes the links, where that is not the source. */
  actor?: string;
  /** Epoch milliseconds. What is stored is later than all that is stored of anybody concerned: see `Folded.receivedAt`. */
  receivedAt: number;
}

/** All that has to be written, in one transaction, and who is who then. */
export interface Folded {
  /**
   * When the request counts as received: later than whatever was written of anybody concerned before, so that the order of
   * arrival says who saw what, although clocks differ.
   */
  receivedAt: number;
  /** What of an event is not kept beside its message. */
  warnings: Map<IngestEvent, ProblemError[]>;
  /** Not stored: they are not newer than the erasure of somebody whom they name, or of a `Subject` that is gone. */
  erased: IngestEvent[];
  /** Those to store. */
  events: IngestEvent[];
  resolution: Resolution;
  links: Made<NewLink>[];
  conflicts: Made<NewConflict>[];
  /** Whoever is written. */
  people: Map<Group, Person>;
  /** Known identifiers that lead elsewhere, or allow something else. */
  moved: IdentifierRow[];
  profiles: ProfileRow[];
  traits: TraitRow[];
  consents: ConsentStatement[];
  histories: HistoryChange[];
  changes: MembershipChange[];
  /** What was decided of identifiers, message by message. */
  audit: AuditEntry[];
}

/** A grant of consent that is repeated within this time is not written again. */
const GRANT_GRAIN_MS = 60 * 60 * 1000;

/**
 * @param stored is changed: it is as if what comes out had been written and read again. Histories must fit the site's needs
 * @param newId see `ResolveOptions`
 */
export function foldInput(
  stored: Stored,
  live: LiveSite,
  input: FoldInput,
  newId: (identifier: Identifier) => string,
): Folded {
  const { source } = input;
  const isErased = (identifier: Identifier, at: number) => {
    const erasedAt = stored.nodes.get(identifier)?.erasedAt ?? input.erasures?.get(identifier);
    return erasedAt !== undefined && at <= erasedAt;
  };
  const statements = (input.consents ?? []).filter(
    ({ identifier, at, saidAt = at }) => !isErased(identifier, Math.min(at, saidAt)),
  );
  const lastSeen = stored.profiles.values().map((profile) => profile.lastSeen + 1);
  const receivedAt = Math.max(
    input.receivedAt,
    live.manifest.rules.at,
    lastStatementAt(stored.nodes.values()) + 1,
    ...lastSeen,
  );

  const caughtUp = catchUpStored(stored, live, receivedAt);
  const warnings = new Map<IngestEvent, ProblemError[]>();
  const traits = new Set<TraitRow>();
  const isGone = ({ owner, birthId }: IngestEvent) =>
    birthId !== undefined && birthId !== stored.nodes.get(owner)?.birthId;
  const { erased = [], events = [] } = Object.groupBy(freshEvents(input.events, stored), (event) =>
    isGone(event) || namesOf(event).some((identifier) => isErased(identifier, event.saidAt)) ? "erased" : "events",
  );
  for (const event of events) {
    const { row, leftOut } = addTraits(stored, event, source);
    if (row) traits.add(row);
    const said = warningsOf(leftOut);
    if (said.length) warnings.set(event, said);
  }

  const ensured = statements.map(({ identifier }) => identifier);
  const resolution = resolveIdentities(
    stored,
    { events, ensured, ...(input.links && { links: input.links }) },
    { receivedAt, newId, isTrusted: source !== "browser", identity: live.identity },
  );
  for (const node of resolution.newNodes) {
    const erasedAt = input.erasures?.get(node.identifier);
    if (erasedAt !== undefined) node.erasedAt = erasedAt;
  }
  for (const [owner, own] of Map.groupBy(events, (event) => event.owner)) {
    const history = stored.histories.get(owner) ?? new OwnerHistory(owner, live.needs.shape);
    stored.histories.set(owner, history);
    history.append(own, live.needs);
  }
  const { consents, changed } = applyConsents(resolution.groupOf, events, statements);

  const groupsOf = (identifiers: Identifier[]) => new Set(identifiers.map((each) => resolution.groupOf.get(each)!));
  // A link that is made by hand counts as well: what comes after it is received after it, whatever its clock says.
  const seen = groupsOf([
    ...events.map(({ owner }) => owner),
    ...changed.map(({ identifier }) => identifier),
    ...resolution.links.map(({ a }) => a),
  ]);

  const made = { actor: input.actor ?? source, at: receivedAt };
  const folded: Folded = {
    receivedAt,
    warnings,
    erased,
    events,
    resolution,
    links: resolution.links.map((link) => ({ ...link, ...made })),
    conflicts: resolution.conflicts.map((conflict) => ({ ...conflict, ...made })),
    people: new Map(),
    moved: [],
    profiles: [],
    traits: [...traits],
    consents,
    histories: [],
    changes: [],
    audit: auditOf(resolution, made),
  };
  const moved = new Set(changed.filter(({ identifier }) => stored.nodes.has(identifier)));
  // What is said late and changes nothing is kept all the same, unless its person is gone meanwhile.
  for (const group of seen.union(groupsOf(consents.map(({ identifier }) => identifier)))) settleGroup(group);
  folded.moved.push(...moved);
  for (const node of resolution.newNodes) stored.nodes.set(node.identifier, node);
  return folded;

  function settleGroup(group: Group): void {
    const person = buildPerson(group, stored, live);
    const { profile } = person;
    const cause = group.profileIds.size > 1 ? "identity" : "event";
    const { row, now, changes, histories } = settlePerson(person, stored, live, receivedAt, cause);
    for (const id of group.profileIds) {
      folded.changes.push(...(caughtUp.get(id) ?? []));
      const absorbed = id === profile.id ? undefined : stored.profiles.get(id);
      if (!absorbed) continue;
      folded.changes.push(...membershipChanges(absorbed, {}, live, "identity", now));
      put({ ...absorbed, version: absorbed.version + 1, mergedInto: profile.id, decisions: {}, wakesAt: null });
    }
    for (const node of group.nodes) {
      if (node.profileId === profile.id) continue;
      node.profileId = profile.id;
      if (stored.nodes.has(node.identifier)) moved.add(node);
    }
    folded.changes.push(...changes);
    folded.histories.push(...histories);
    person.profile = { ...row, lastSeen: seen.has(group) ? now : row.lastSeen };
    put(person.profile);
    if (person.standing) stored.standings.set(profile.id, person.standing);
    folded.people.set(group, person);
  }

  function put(profile: ProfileRow): void {
    folded.profiles.push(profile);
    stored.profiles.set(profile.id, profile);
  }
}

/**
 * Identifiers of those for whom something may have been decided with a consent that they do not give: who took it back, or turned
 * out to be somebody who had.
 */
export function unwilling({ people, consents }: Folded): Identifier[] {
  const withdrawn = consents.filter(({ purpose, granted }) => purpose === "personalization" && !granted);
  const united = [...people].filter(
    ([group, { consent }]) => group.profileIds.size > 1 && !allows(consent, "personalization"),
  );
  return [...withdrawn.map(({ identifier }) => identifier), ...united.map(([{ nodes }]) => nodes[0]!.identifier)];
}

/** Brings whoever is behind to the time before the request. @returns what that changes, by profile */
function catchUpStored(stored: Stored, live: LiveSite, asOf: number): Map<string, MembershipChange[]> {
  const changes = new Map<string, MembershipChange[]>();
  if (!stored.profiles.values().some((profile) => isBehind(profile, live, asOf))) return changes;
  for (const group of new Set(groupStored(stored.nodes).values())) {
    const profiles = [...group.profileIds].flatMap((id) => stored.profiles.get(id) ?? []);
    if (!profiles.some((profile) => isBehind(profile, live, asOf))) continue;
    const person = buildPerson(group, stored, live);
    changes.set(person.profile.id, catchUp(person, live, asOf));
    stored.profiles.set(person.profile.id, person.profile);
    if (person.standing) stored.standings.set(person.profile.id, person.standing);
  }
  return changes;
}

/** Everybody whom an event names. */
export function namesOf({ identifiers, previous }: IngestEvent): Identifier[] {
  return [...identifiers, ...previous];
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

/** Adds an event's traits to what is stored of its owner. `row`: what they changed, if anything. */
function addTraits(stored: Stored, event: IngestEvent, source: string): { row: TraitRow | null; leftOut: LeftOut } {
  const rows = stored.traits.get(event.owner) ?? [];
  const known = rows.find((row) => row.source === source);
  const row: TraitRow = known ?? { identifier: event.owner, source, facts: {} };
  const { facts, leftOut } = applyTraits(row.facts, event.traits, event.timestamp, event.messageId);
  if (facts === row.facts) return { row: null, leftOut };
  row.facts = facts;
  if (!known) stored.traits.set(event.owner, [...rows, row]);
  return { row, leftOut };
}

/** Puts statements of consent on their identifiers. @returns those that say something new, and of whom they changed anything */
function applyConsents(
  groupOf: Map<Identifier, Group>,
  events: readonly IngestEvent[],
  statements: readonly ConsentStatement[],
): { consents: ConsentStatement[]; changed: IdentifierRow[] } {
  const changed: IdentifierRow[] = [];
  const said = [...statements];
  for (const event of events) {
    for (const [purpose, granted] of Object.entries(event.consent) as [Purpose, boolean][]) {
      const source = event.type;
      said.push({ identifier: event.owner, purpose, granted, at: event.timestamp, source, policyVersion: null });
    }
  }
  const consents = said.filter((statement) => {
    const { identifier, purpose, granted, at } = statement;
    const node = groupOf.get(identifier)?.nodes.find((n) => n.identifier === identifier);
    if (!node || saysNothingNew(node.consent[purpose], statement)) return false;
    const consent = mergeConsent(node.consent, statementsOf({ [purpose]: granted }, at));
    if (consent[purpose] !== node.consent[purpose]) changed.push(node);
    node.consent = consent;
    return true;
  });
  return { consents, changed };
}

/** A refusal always counts from its own time on; a grant that is repeated is worth a write once in a while. */
function saysNothingNew(known: StoredConsent[Purpose], { granted, at }: ConsentStatement): boolean {
  return known?.[0] === granted && at <= known[1] + (granted ? GRANT_GRAIN_MS : 0);
}

/** Names that a warning tells. */
const NAMES_TOLD = 5;

function warningsOf({ full, unnamed }: LeftOut): ProblemError[] {
  const warn = (code: string, traits: readonly string[], why: string): ProblemError[] => {
    if (!traits.length) return [];
    const names = traits.slice(0, NAMES_TOLD).map((name) => JSON.stringify(name.slice(0, NAME_LENGTH)));
    const others = traits.length > NAMES_TOLD ? ` and ${traits.length - NAMES_TOLD} more` : "";
    return [{ pointer: "/traits", code, detail: `not kept: ${names.join(", ")}${others}; ${why}` }];
  };
  return [
    ...warn(
      "too-many",
      full,
      `one identifier holds at most ${TRAITS_PER_IDENTIFIER} distinct traits of one source, of ${TRAITS_CHARACTERS} characters in all. Unset such as nobody needs`,
    ),
    ...warn("name", unnamed, `a name has 1 to ${NAME_LENGTH} characters, no control characters among them`),
  ];
}
