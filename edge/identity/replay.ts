/**
 * Folds the past of some people anew, in memory, leaving links out: what comes out is what ingest, time and changed rules would
 * have made of them, had those links never been. Nothing is written.
 */

import type { JsonObject } from "../../shared/event.ts";
import { type Needs, needsOf } from "../../shared/history.ts";
import type { Identifier, Source } from "../../shared/identifier.ts";
import { type EventRow, eventKey } from "../db/events.ts";
import type { IdentifierRow } from "../db/identifiers.ts";
import { linkId, type Made, type NewConflict, type NewLink } from "../db/links.ts";
import type { ListStatement } from "../db/list-statements.ts";
import type { ProfileRow } from "../db/profiles.ts";
import { listRules, type RuleSet } from "../db/rules.ts";
import { readTombstones } from "../db/tombstones.ts";
import type { TraitRow } from "../db/traits.ts";
import { type FoldInput, foldInput, namesOf } from "../ingest/fold.ts";
import { type IngestEvent, isObject, parseEvent, traitsOf } from "../ingest/parse.ts";
import { buildLiveSite, type LiveSite } from "../manifest/live.ts";
import { OwnerHistory } from "../profiles/history.ts";
import { applyStatement, isNews } from "../profiles/lists.ts";
import type { Stored } from "../profiles/load.ts";
import { advance, buildPerson, catchUp, decidePerson, type Person } from "../profiles/person.ts";
import type { Standing } from "../profiles/standing.ts";
import { type Moment, type Past, readEvents } from "./past.ts";
import type { IdentityPolicy } from "./policy.ts";
import type { Group } from "./resolve.ts";

/** People in memory as D1 would hold them. */
export class World {
  readonly nodes = new Map<Identifier, IdentifierRow>();
  /** Those that stand for themselves, and those that were absorbed. */
  readonly profiles = new Map<string, ProfileRow>();
  readonly links = new Map<string, Made<NewLink>>();
  readonly conflicts = new Map<string, Made<NewConflict>>();
  readonly #groups = new Map<string, IdentifierRow[]>();
  readonly #histories = new Map<Identifier, OwnerHistory>();
  readonly #traits = new Map<Identifier, TraitRow[]>();
  readonly #standings = new Map<string, Standing>();
  readonly #known: Set<string>;
  readonly #refused = new Set<string>();
  readonly #newId: (identifier: Identifier) => string;
  readonly #archive: Archive | null;

  /**
   * @param known ids of pairs that are never linked
   * @param newId makes the birth id of an identifier
   * @param needs of all rules that are to come together, where they look at different events
   */
  constructor(known: Iterable<string>, newId: (identifier: Identifier) => string, needs: Needs | null) {
    this.#known = new Set(known);
    this.#newId = newId;
    this.#archive = needs && new Archive(needs);
  }

  /** Lets other rules take effect. */
  enter(live: LiveSite, from: number): void {
    for (const history of this.#archive?.histories(live.needs) ?? []) this.#histories.set(history.owner, history);
    this.catchUp(live, from);
  }

  /** Takes in one request. */
  fold(live: LiveSite, input: FoldInput): void {
    const stored = this.#load(input);
    const folded = foldInput(stored, live, input, this.#newId);
    this.#archive?.add(folded.events);
    for (const node of folded.resolution.newNodes) this.nodes.set(node.identifier, node);
    for (const row of folded.profiles) {
      this.profiles.set(row.id, row);
      if (row.mergedInto) this.#groups.delete(row.id);
    }
    for (const [group, { profile }] of folded.people) this.#groups.set(profile.id, group.nodes);
    for (const link of folded.links) {
      const id = linkId(link.a, link.b);
      this.links.set(id, link);
      this.#known.add(id);
    }
    for (const conflict of folded.conflicts) {
      const id = linkId(conflict.a, conflict.b);
      this.conflicts.set(id, conflict);
      this.#refused.add(id);
    }
    for (const id of folded.resolution.solved) {
      this.conflicts.delete(id);
      this.#refused.delete(id);
    }
  }

  /** Takes in what an upload said. */
  applyLists(live: LiveSite, at: number, statements: readonly ListStatement[]): void {
    const known = statements.filter(({ identifier }) => this.nodes.has(identifier));
    const nodeOf = ({ identifier }: ListStatement) => this.nodes.get(identifier)!;
    for (const [id, said] of Map.groupBy(known, (statement) => nodeOf(statement).profileId)) {
      this.#settle(this.#groupOf(id), live, at, (person) => {
        const listOf = (key: string) => live.lists.find((list) => list.key === key) ?? { key };
        // What is news of one person need not be of a part of them.
        const news = said.filter((statement) => isNews(person.group.nodes, listOf(statement.segmentKey), statement));
        for (const statement of news) applyStatement(nodeOf(statement), statement);
        advance(person, live, at, "rule");
      });
    }
  }

  /** Lets time go on, and rules that have changed take effect, for everybody. */
  catchUp(live: LiveSite, now: number): void {
    for (const group of this.#everybody()) this.#settle(group, live, now);
  }

  /** Everybody as a reading would answer. */
  people(live: LiveSite, now: number): Person[] {
    return this.#everybody().map((group) => decidePerson(group, this.#all(), live, now));
  }

  #settle(group: Group, live: LiveSite, now: number, then?: (person: Person) => void): void {
    const person = buildPerson(group, this.#all(), live);
    catchUp(person, live, now);
    then?.(person);
    this.profiles.set(person.profile.id, person.profile);
    if (person.standing) this.#standings.set(person.profile.id, person.standing);
  }

  #everybody(): Group[] {
    return [...this.#groups.keys()].map((id) => this.#groupOf(id));
  }

  #groupOf(id: string): Group {
    return { nodes: this.#groups.get(id)!, profileIds: new Set([id]) };
  }

  #all(): Stored {
    return this.#storedOf(this.nodes, this.profiles);
  }

  /** Whoever a request concerns, as a reading would find them. */
  #load({ events, consents = [], links = [] }: FoldInput): Stored {
    const nodes = new Map<Identifier, IdentifierRow>();
    const profiles = new Map<string, ProfileRow>();
    const find = (identifier: Identifier) => {
      const id = this.nodes.get(identifier)?.profileId;
      if (id === undefined || profiles.has(id)) return;
      profiles.set(id, this.profiles.get(id)!);
      for (const node of this.#groups.get(id)!) nodes.set(node.identifier, node);
    };
    for (const { identifiers, previous } of events) for (const other of [...identifiers, ...previous]) find(other);
    for (const { identifier } of consents) find(identifier);
    for (const { a, b } of links) {
      find(a);
      find(b);
    }
    return this.#storedOf(nodes, profiles);
  }

  #storedOf(nodes: Map<Identifier, IdentifierRow>, profiles: Map<string, ProfileRow>): Stored {
    return {
      nodes,
      profiles,
      histories: this.#histories,
      traits: this.#traits,
      seen: new Set(),
      knownLinks: this.#known,
      refusedLinks: this.#refused,
      isRemembered: false,
      standings: this.#standings,
      pairs: new Map(),
    };
  }
}

/**
 * Folds a past anew.
 *
 * @param leftOut id of a link that never was; null: none but those that were removed before
 * @param newId for identifiers that would not exist without what is left out
 */
export async function replay(
  db: D1Database,
  current: LiveSite,
  past: Past,
  leftOut: string | null,
  newId: (identifier: Identifier) => string,
  now: number,
): Promise<World> {
  const { siteId } = current.manifest;
  // What was removed never was; what was made again then never was before.
  const removed = [...past.links.values()].flatMap((link) =>
    link.removedAt === null && !link.remade ? [] : [link.id],
  );
  const known = [...past.outside, ...removed, ...(leftOut === null ? [] : [leftOut])];
  const birthOf = (identifier: Identifier) => past.stored.nodes.get(identifier)?.birthId ?? newId(identifier);
  const eras = buildEras(current, await listRules(db, siteId, past.moments[0]?.at ?? now));
  const needs = needsOf(eras.flatMap((era) => era.live.manifest.segments.flatMap(({ condition }) => condition ?? [])));
  const isSteady = eras.every((era) => era.live.needs.shape === needs.shape);
  const world = new World(known, birthOf, isSteady ? null : needs);
  let { live } = eras.shift()!;
  // Whom an alias meant was found by who was known when it was written; requests that overtook each other saw it otherwise.
  const pairs = [...past.links.values(), ...past.conflicts.values()];
  const meant = new Set(pairs.flatMap(({ messageId, b }) => (messageId === null ? [] : [nameOf(messageId, b)])));
  const enter = (at: number) => {
    while (eras[0] && eras[0].from <= at) {
      const next = eras.shift()!;
      world.catchUp(live, next.from - 1);
      live = next.live;
      world.enter(live, next.from);
    }
  };
  const erasures = new Map(past.stored.nodes.values().map(({ identifier, erasedAt }) => [identifier, erasedAt]));
  for await (const { moments, events } of readEvents(db, siteId, past.moments)) {
    for (const moment of moments) {
      enter(moment.at);
      const links = moment.links.filter(({ id }) => id !== leftOut);
      for (const input of inputsOf({ ...moment, links }, events, live.identity, meant)) {
        const unknown = input.events.flatMap(namesOf).filter((identifier) => !erasures.has(identifier));
        const found = unknown.length ? await readTombstones(db, siteId, unknown) : null;
        for (const identifier of unknown) erasures.set(identifier, found?.get(identifier)?.erasedAt);
        const events = input.events.map((event) => withoutErased(event, erasures));
        world.fold(live, { ...input, events, erasures });
      }
      if (moment.lists.length) world.applyLists(live, moment.at, moment.lists);
    }
  }
  enter(now);
  world.catchUp(live, now);
  return world;
}

/** Whoever was erased since is not brought back by what others said with the same device. */
function withoutErased(event: IngestEvent, erasures: ReadonlyMap<Identifier, number | undefined>): IngestEvent {
  const stays = (identifier: Identifier) =>
    identifier === event.owner || event.timestamp > (erasures.get(identifier) ?? -1);
  return { ...event, identifiers: event.identifiers.filter(stays), previous: event.previous.filter(stays) };
}

/** The site by each set of rules, ascending, the last one as it is now. */
function buildEras(
  current: LiveSite,
  rules: readonly (RuleSet & { version: number; at: number })[],
): { from: number; live: LiveSite }[] {
  const last = { from: rules.at(-1)?.at ?? 0, live: current };
  const earlier = rules.slice(0, -1);
  const built = earlier.map(({ version, at, timeZone, consentDefault, identity, segments }) => {
    const { settings } = current.manifest;
    const live = buildLiveSite({
      ...current.manifest,
      version,
      rules: { version, at },
      settings: { timeZone, consentDefault, origins: settings.origins, ...(identity && { identity }) },
      segments: segments.map((segment) => ({ ...segment, name: segment.key, visibility: "private" })),
      blocks: [],
    });
    return { from: at, live };
  });
  return [...built, last];
}

/**
 * The newest events of each kind, so that a history can be folded for rules that look at other ones: each shows its newest events
 * only, and those are others.
 */
class Archive {
  readonly #needs: Needs;
  readonly #kinds = new Map<Identifier, Map<string, OwnerHistory>>();

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  add(events: readonly IngestEvent[]): void {
    for (const event of events) {
      const kinds = this.#kinds.get(event.owner) ?? new Map<string, OwnerHistory>();
      const kind = `${event.type} ${event.event}`;
      const history = kinds.get(kind) ?? new OwnerHistory(event.owner, this.#needs.shape);
      history.append([event], this.#needs);
      this.#kinds.set(event.owner, kinds.set(kind, history));
    }
  }

  histories(needs: Needs): OwnerHistory[] {
    return Array.from(this.#kinds, ([owner, kinds]) => {
      const history = new OwnerHistory(owner, needs.shape);
      const events = [...kinds.values()].flatMap((kind) => kind.events);
      history.append(
        events.sort((a, b) => a.timestamp - b.timestamp),
        needs,
      );
      return history;
    });
  }
}

/** A moment as requests: one of each source, since that is said of a whole request. */
function inputsOf(
  moment: Moment,
  rows: ReadonlyMap<string, EventRow>,
  identity: IdentityPolicy,
  meant: ReadonlySet<string>,
): FoldInput[] {
  const { at: receivedAt, arrivals, consents, links } = moment;
  const found = arrivals.flatMap(({ owner, messageId }, place) => {
    const row = rows.get(eventKey(owner, messageId));
    if (!row) return [];
    const event = toIngestEvent(row, place, identity);
    const previous = event.previous.filter((other) => meant.has(nameOf(row.messageId, other)));
    return [{ source: row.source, event: previous.length ? { ...event, previous } : event }];
  });
  const bySource = Map.groupBy(found, ({ source }) => source);
  const sources: Source[] = bySource.size ? [...bySource.keys()] : ["server"];
  return sources.map((source, index) => ({
    source,
    receivedAt,
    events: bySource.get(source)?.map(({ event }) => event) ?? [],
    // What events say of consent is among the statements.
    ...(index === 0 && { consents, links }),
    ...(links[0] && { actor: links[0].actor }),
  }));
}

function nameOf(messageId: string, previous: Identifier): string {
  return `${messageId}\n${previous}`;
}

function toIngestEvent(row: EventRow, place: number, identity: IdentityPolicy): IngestEvent {
  const { owner, messageId, type, at, receivedAt, message } = row;
  const event = readMessage(message, receivedAt, identity);
  const own = { owner, messageId, place, timestamp: at, consent: {}, body: "" };
  if (event) return { ...event, ...own, identifiers: [owner, ...event.identifiers.filter((other) => other !== owner)] };
  const properties = isObject(message["properties"]) ? message["properties"] : {};
  const traits = traitsOf(type, message);
  return { type, event: row.name, properties, traits, identifiers: [owner], previous: [], refused: [], ...own };
}

/** Null for a message that would not be taken any more, such as of somebody whom a policy blocks that came later. */
function readMessage(message: JsonObject, receivedAt: number, identity: IdentityPolicy): IngestEvent | null {
  try {
    return parseEvent(message, receivedAt, { sentAt: null, context: undefined, newId: () => "", identity });
  } catch {
    return null;
  }
}
