/** People in memory as D1 would hold them: what is folded of a past. */
import type { Needs } from "../../shared/history.ts";
import type { Identifier } from "../../shared/identifier.ts";
import type { IdentifierRow } from "../db/identifiers.ts";
import { linkId, type Made, type NewConflict, type NewLink } from "../db/links.ts";
import type { ListStatement } from "../db/list-statements.ts";
import type { ProfileRow } from "../db/profiles.ts";
import type { TraitRow } from "../db/traits.ts";
import { type FoldInput, foldInput } from "../ingest/fold.ts";
import type { IngestEvent } from "../ingest/parse.ts";
import type { LiveSite } from "../manifest/live.ts";
import { OwnerHistory } from "../profiles/history.ts";
import { applyStatement, isNews } from "../profiles/lists.ts";
import type { Stored } from "../profiles/load.ts";
import { advance, buildPerson, catchUp, decidePerson, type Person } from "../profiles/person.ts";
import type { Standing } from "../profiles/standing.ts";
import type { Group } from "./resolve.ts";

/** Takes in requests, uploads, time and changed rules, one after the other. */
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
