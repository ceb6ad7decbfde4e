/**
 * Who is who: folds the identifiers of new events into the identity graph, in memory. A group is a connected
 * component; nothing is destroyed, a union only adds a link. Knows nothing of storage.
 */

import { type Identifier, splitIdentifier } from "../../shared/identifier.ts";
import { PROFILE_IDENTIFIERS } from "../../shared/limits.ts";
import type { IdentifierRow } from "../db/identifiers.ts";
import { type Evidence, linkId, type NewConflict, type NewLink } from "../db/links.ts";
import type { IngestEvent } from "../ingest/parse.ts";
import { type Decision, describeExclusion, type Exclusion, type Explanation, type Verdict } from "./decision.ts";
import type { IdentityPolicy } from "./policy.ts";

/** A connected component as it stands after the new links. */
export interface Group {
  nodes: IdentifierRow[];
  /** Ids of the stored profiles that it unites; empty for somebody new. */
  profileIds: Set<string>;
}

export interface Graph {
  nodes: ReadonlyMap<Identifier, IdentifierRow>;
  /** Pairs that are not looked at again: links that were ever made, removed ones included. */
  knownLinks: ReadonlySet<string>;
  /** Pairs that were refused when they were heard of last. */
  refusedLinks: ReadonlySet<string>;
  /** True where refused pairs may name identifiers that were not read: they stay refused. */
  isRemembered: boolean;
}

/** A link that somebody makes by hand. */
export interface ManualLink {
  a: Identifier;
  b: Identifier;
}

export interface Resolution {
  groupOf: Map<Identifier, Group>;
  newNodes: IdentifierRow[];
  links: NewLink[];
  conflicts: NewConflict[];
  /** Ids of pairs that were refused once and are links now. */
  solved: string[];
  /** Of each message that brought a link or a conflict. */
  explanations: Explanation[];
}

export interface ResolveOptions {
  receivedAt: number;
  /** Makes the id that an identifier's profile has while it is the eldest: one nobody has. */
  newId: (identifier: Identifier) => string;
  /** False for events of a browser, which may name anybody's address: that alone leads nobody into the profile of a known user. */
  isTrusted: boolean;
  identity: IdentityPolicy;
}

/** The eldest identifier names the profile: its birth id is the profile's id, its name the stable id. */
export function eldestOf(group: Group): IdentifierRow {
  return group.nodes.reduce((eldest, node) =>
    node.firstSeen < eldest.firstSeen || (node.firstSeen === eldest.firstSeen && node.identifier < eldest.identifier)
      ? node
      : eldest,
  );
}

/** Groups of what is stored, without any new link. */
export function groupStored(nodes: ReadonlyMap<Identifier, IdentifierRow>): Map<Identifier, Group> {
  const byProfile = new Map<string, Group>();
  const groupOf = new Map<Identifier, Group>();
  for (const node of nodes.values()) {
    let group = byProfile.get(node.profileId);
    if (!group) {
      group = { nodes: [], profileIds: new Set([node.profileId]) };
      byProfile.set(node.profileId, group);
    }
    group.nodes.push(node);
    groupOf.set(node.identifier, group);
  }
  return groupOf;
}

/**
 * Resolves events in their order, then links made by hand.
 *
 * The owner of an event is tried with each other identifier that it carries, the strongest first; one that would break a limit
 * is left out, the next is tried all the same. So the strongest stay, and as many as can: Segment leaves out the weakest and
 * starts again until no limit is broken, and so loses identifiers that stand in nobody's way.
 *
 * @param input `ensured`: identifiers that shall exist even without an event
 */
export function resolveIdentities(
  graph: Graph,
  input: { events: readonly IngestEvent[]; links?: readonly ManualLink[]; ensured?: readonly Identifier[] },
  { receivedAt, newId, isTrusted, identity }: ResolveOptions,
): Resolution {
  const groupOf = groupStored(graph.nodes);
  const resolution: Resolution = { groupOf, newNodes: [], links: [], conflicts: [], solved: [], explanations: [] };
  const heard = new Set<string>();

  for (const identifier of input.ensured ?? []) if (!groupOf.has(identifier)) addNode(identifier);
  for (const event of input.events) {
    const { owner, messageId } = event;
    if (!groupOf.has(owner)) addNode(owner);
    const news = newsCount();
    const verdicts: [Identifier, Verdict][] = [[owner, { outcome: "owner" }]];
    const evidence = event.type === "alias" ? "alias" : "identify";
    for (const other of event.identifiers)
      if (other !== owner) verdicts.push([other, link(owner, other, evidence, messageId)]);
    const previous = event.previous.find((identifier) => groupOf.has(identifier)) ?? event.previous.at(-1);
    if (previous && previous !== owner) verdicts.push([previous, link(owner, previous, "alias", messageId)]);
    if (newsCount() > news) explain(event, verdicts);
  }
  for (const { a, b } of input.links ?? []) {
    if (!groupOf.has(a)) addNode(a);
    link(a, b, "manual", null);
  }
  return resolution;

  function addNode(identifier: Identifier): Group {
    const birthId = newId(identifier);
    const node: IdentifierRow = {
      identifier,
      profileId: birthId,
      birthId,
      firstSeen: receivedAt,
      consent: {},
      lists: {},
    };
    const group: Group = { nodes: [node], profileIds: new Set() };
    resolution.newNodes.push(node);
    groupOf.set(identifier, group);
    return group;
  }

  function link(a: Identifier, b: Identifier, evidence: Evidence, messageId: string | null): Verdict {
    const id = linkId(a, b);
    const mine = groupOf.get(a)!;
    const theirs = groupOf.get(b);
    if (evidence !== "manual" && graph.knownLinks.has(id))
      return mine === theirs || graph.isRemembered ? KNOWN : { outcome: "left-out", exclusion: { why: "removed" } };
    const wasRefused = graph.refusedLinks.has(id);
    if (heard.has(id) || (wasRefused && graph.isRemembered)) return KNOWN;
    heard.add(id);
    if (mine !== theirs) {
      const exclusion =
        isTrusted || isVouchedFor(a, b, theirs) ? exclusionOf(mine.nodes, theirs?.nodes ?? [], b) : UNVERIFIED;
      if (exclusion) {
        const reason = describeExclusion(exclusion);
        if (!wasRefused) resolution.conflicts.push({ a, b, evidence, reason, messageId });
        return { outcome: "left-out", exclusion };
      }
      unite(mine, theirs ?? addNode(b));
    }
    if (wasRefused) resolution.solved.push(id);
    resolution.links.push({ a, b, evidence, messageId });
    for (const node of [nodeOf(a), nodeOf(b)]) node!.linkedAt ??= receivedAt;
    return { outcome: "linked" };
  }

  /** Which limit a union would break, that of the strongest kind first; null if none. What a side holds already is no matter. */
  function exclusionOf(
    mine: readonly IdentifierRow[],
    theirs: readonly IdentifierRow[],
    other: Identifier,
  ): Exclusion | null {
    const added = theirs.length ? null : splitIdentifier(other).kind;
    for (const { kind, limit, window, windowMs } of identity.kinds.values()) {
      const counts = ({ identifier, linkedAt = receivedAt }: IdentifierRow) =>
        identifier.startsWith(`${kind}:`) && linkedAt > receivedAt - windowMs;
      const here = mine.filter(counts);
      const there = theirs.filter(counts);
      const gain = added === kind ? 1 : there.length;
      const count = here.length + gain;
      if (here.length && gain && count > limit)
        return { why: "limit", kind, limit, window, count, holder: (there[0] ?? here[0]!).birthId };
    }
    const count = mine.length + Math.max(theirs.length, 1);
    return count > PROFILE_IDENTIFIERS ? { why: "size", limit: PROFILE_IDENTIFIERS, count } : null;
  }

  function explain({ messageId, refused }: IngestEvent, verdicts: readonly [Identifier, Verdict][]): void {
    const decisions = verdicts.map(([identifier, verdict]): Decision => {
      return { identifier, birthId: nodeOf(identifier)?.birthId ?? null, ...verdict };
    });
    const refusals = refused.map((it): Decision => ({ outcome: "refused", ...it }));
    resolution.explanations.push({ messageId, decisions: [...decisions, ...refusals] });
  }

  function newsCount(): number {
    return resolution.links.length + resolution.conflicts.length;
  }

  function nodeOf(identifier: Identifier): IdentifierRow | undefined {
    return groupOf.get(identifier)?.nodes.find((node) => node.identifier === identifier);
  }

  function unite(into: Group, from: Group): void {
    for (const node of from.nodes) {
      into.nodes.push(node);
      groupOf.set(node.identifier, into);
    }
    for (const id of from.profileIds) into.profileIds.add(id);
  }
}

const KNOWN: Verdict = { outcome: "known" };
const UNVERIFIED: Exclusion = { why: "unverified" };

/** What names somebody unites with who is known as a user only if the message says that it is that user. A device names nobody. */
function isVouchedFor(owner: Identifier, other: Identifier, theirs: Group | undefined): boolean {
  if (isUser(other) || other.startsWith("anonymousId:")) return true;
  return isUser(owner) || !theirs?.nodes.some(({ identifier }) => isUser(identifier));
}

function isUser(identifier: Identifier): boolean {
  return identifier.startsWith("userId:");
}
