/**
 * Who is who: folds the identifiers of new events into the identity graph, in memory. A group is a connected
 * component; nothing is destroyed, a union only adds a link. Knows nothing of storage.
 */

import { type Identifier, KIND_LIMITS, splitIdentifier } from "../../shared/identifier.ts";
import type { IdentifierRow } from "../db/identifiers.ts";
import { type Evidence, linkId, type NewConflict, type NewLink } from "../db/links.ts";
import type { IngestEvent } from "../ingest/parse.ts";

/** A connected component as it stands after the new links. */
export interface Group {
  nodes: IdentifierRow[];
  /** Ids of the stored profiles that it unites; empty for somebody new. */
  profileIds: Set<string>;
}

export interface Resolution {
  groupOf: Map<Identifier, Group>;
  newNodes: IdentifierRow[];
  links: NewLink[];
  conflicts: NewConflict[];
}

export interface Graph {
  nodes: ReadonlyMap<Identifier, IdentifierRow>;
  /** Links that were ever made. */
  knownLinks: ReadonlySet<string>;
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
 * Resolves events in their order.
 *
 * @param newId makes a profile id nobody has
 * @param options `ensured`: identifiers that shall exist even without an event. `isTrusted`: false for events of a browser,
 * which may name anybody's address: that alone leads nobody into the profile of a known user
 */
export function resolveIdentities(
  graph: Graph,
  events: readonly IngestEvent[],
  receivedAt: number,
  newId: () => string,
  options: { ensured?: readonly Identifier[]; isTrusted?: boolean } = {},
): Resolution {
  const { ensured = [], isTrusted = true } = options;
  const groupOf = groupStored(graph.nodes);
  const resolution: Resolution = { groupOf, newNodes: [], links: [], conflicts: [] };
  const linked = new Set<string>();

  for (const identifier of ensured) if (!groupOf.has(identifier)) addNode(identifier);
  for (const event of events) {
    if (!groupOf.has(event.owner)) addNode(event.owner);
    const evidence = event.type === "alias" ? "alias" : "identify";
    for (const other of event.identifiers) if (other !== event.owner) link(event, other, evidence);
    const previous = event.previous.find((identifier) => groupOf.has(identifier)) ?? event.previous.at(-1);
    if (previous && previous !== event.owner) link(event, previous, "alias");
  }
  return resolution;

  function addNode(identifier: Identifier): Group {
    const birthId = newId();
    const node: IdentifierRow = { identifier, profileId: birthId, birthId, firstSeen: receivedAt, consent: {} };
    const group: Group = { nodes: [node], profileIds: new Set() };
    resolution.newNodes.push(node);
    groupOf.set(identifier, group);
    return group;
  }

  function link(event: IngestEvent, other: Identifier, evidence: Evidence): void {
    const id = linkId(event.owner, other);
    if (graph.knownLinks.has(id) || linked.has(id)) return;
    const mine = groupOf.get(event.owner)!;
    const theirs = groupOf.get(other);
    if (mine !== theirs) {
      const reason =
        isTrusted || isVouched(event, other, theirs) ? exceededLimit(mine.nodes, theirs?.nodes ?? [other]) : UNVERIFIED;
      if (reason) {
        linked.add(id);
        resolution.conflicts.push({ a: event.owner, b: other, evidence, reason, messageId: event.messageId });
        return;
      }
      unite(mine, theirs ?? addNode(other));
    }
    linked.add(id);
    resolution.links.push({ a: event.owner, b: other, evidence });
  }

  function unite(into: Group, from: Group): void {
    for (const node of from.nodes) {
      into.nodes.push(node);
      groupOf.set(node.identifier, into);
    }
    for (const id of from.profileIds) into.profileIds.add(id);
  }
}

const UNVERIFIED = "an address that a browser gives does not lead into the profile of a known user";

/** An address unites with somebody who is known as a user only if the message says that it is that user. */
function isVouched(event: IngestEvent, other: Identifier, theirs: Group | undefined): boolean {
  const { kind } = splitIdentifier(other);
  if (kind !== "email" && kind !== "phone") return true;
  return event.owner.startsWith("userId:") || !theirs?.nodes.some(({ identifier }) => identifier.startsWith("userId:"));
}

/** Which limit a union would break, in words; null if none. */
function exceededLimit(a: readonly IdentifierRow[], b: readonly (IdentifierRow | Identifier)[]): string | null {
  for (const [kind, limit] of Object.entries(KIND_LIMITS)) {
    let count = 0;
    for (const node of [...a, ...b]) {
      if (splitIdentifier(typeof node === "string" ? node : node.identifier).kind === kind) count++;
    }
    if (count > limit) return `a profile holds at most ${limit} of kind ${kind}`;
  }
  return null;
}
