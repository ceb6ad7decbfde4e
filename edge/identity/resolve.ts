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
}

export interface ResolveOptions {
  receivedAt: number;
  /** Makes the id that an identifier's profile has while it is the eldest: one nobody has. */
  newId: (identifier: Identifier) => string;
  /** False for events of a browser, which may name anybody's address: that alone leads nobody into the profile of a known user. */
  isTrusted: boolean;
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
 * @param input `ensured`: identifiers that shall exist even without an event
 */
export function resolveIdentities(
  graph: Graph,
  input: { events: readonly IngestEvent[]; links?: readonly ManualLink[]; ensured?: readonly Identifier[] },
  { receivedAt, newId, isTrusted }: ResolveOptions,
): Resolution {
  const groupOf = groupStored(graph.nodes);
  const resolution: Resolution = { groupOf, newNodes: [], links: [], conflicts: [], solved: [] };
  const heard = new Set<string>();

  for (const identifier of input.ensured ?? []) if (!groupOf.has(identifier)) addNode(identifier);
  for (const event of input.events) {
    const { owner, messageId } = event;
    if (!groupOf.has(owner)) addNode(owner);
    const evidence = event.type === "alias" ? "alias" : "identify";
    for (const other of event.identifiers) if (other !== owner) link(owner, other, evidence, messageId);
    const previous = event.previous.find((identifier) => groupOf.has(identifier)) ?? event.previous.at(-1);
    if (previous && previous !== owner) link(owner, previous, "alias", messageId);
  }
  for (const { a, b } of input.links ?? []) link(a, b, "manual", null);
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

  function link(a: Identifier, b: Identifier, evidence: Evidence, messageId: string | null): void {
    const id = linkId(a, b);
    if (heard.has(id) || (evidence !== "manual" && graph.knownLinks.has(id))) return;
    const wasRefused = graph.refusedLinks.has(id);
    if (wasRefused && graph.isRemembered) return;
    heard.add(id);
    const mine = groupOf.get(a)!;
    const theirs = groupOf.get(b);
    if (mine !== theirs) {
      const reason =
        isTrusted || isVouched(a, b, theirs) ? exceededLimit(mine.nodes, theirs?.nodes ?? [b]) : UNVERIFIED;
      if (reason) {
        if (!wasRefused) resolution.conflicts.push({ a, b, evidence, reason, messageId });
        return;
      }
      unite(mine, theirs ?? addNode(b));
    }
    if (wasRefused) resolution.solved.push(id);
    resolution.links.push({ a, b, evidence, messageId });
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
function isVouched(owner: Identifier, other: Identifier, theirs: Group | undefined): boolean {
  const { kind } = splitIdentifier(other);
  if (kind !== "email" && kind !== "phone") return true;
  return owner.startsWith("userId:") || !theirs?.nodes.some(({ identifier }) => identifier.startsWith("userId:"));
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
