/**
 * Uploaded lists: who is named by them comes into a static segment, or leaves it, in guarded transactions of many people each.
 * What is said is said of the identifiers that are named, so that a profile that is taken apart leaves to each what is theirs.
 */
import type { Identifier, IdentifierKind } from "../../shared/identifier.ts";
import { type IdentifierRow, listListed, listProfileIds } from "../db/identifiers.ts";
import type { ListStatement } from "../db/list-statements.ts";
import { listMembersAmong, listOtherMembers, type MembershipChange } from "../db/memberships.ts";
import type { Segment } from "../db/segments.ts";
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { listedAt } from "../profiles/lists.ts";
import type { Person } from "../profiles/person.ts";
import { type Budget, FEWEST, nextCount, settleProfiles } from "../profiles/settle.ts";
import type { Fault, Row } from "./list.ts";

export const MODES = ["add", "remove", "replace"] as const;
export type Mode = (typeof MODES)[number];

/** A row that leads to nobody. */
export interface Unmatched {
  row: number;
  /** The strongest kind of identifier that it gives a value for. */
  column: IdentifierKind | null;
  reason: Fault;
}

/** People, not rows. */
export interface Applied {
  /** Who came in, who left, and who were in or out already. */
  added: number;
  removed: number;
  already: number;
  /** False: more have to come in or leave, the same list has to be sent again. */
  complete: boolean;
}

/** Who leaves by one `replace`, at most. */
const LEAVING = 10_000;

/** Who is meant by a list: the identifiers that count, each with its profile, and the rows that lead to nobody. */
export async function matchRows(
  db: D1Database,
  siteId: string,
  rows: readonly Row[],
): Promise<{ named: Map<Identifier, string>; unmatched: Unmatched[] }> {
  const found = await listProfileIds(db, siteId, [...new Set(rows.flatMap(({ identifiers }) => identifiers))]);
  const named = new Map<Identifier, string>();
  const unmatched: Unmatched[] = [];
  for (const { row, kinds, identifiers, fault } of rows) {
    const known = identifiers.find((identifier) => found.has(identifier));
    if (known) named.set(known, found.get(known)!);
    else unmatched.push({ row, column: kinds[0] ?? null, reason: fault ?? "unknown" });
  }
  return { named, unmatched };
}

/**
 * Makes the members of an active static segment what the list says: sending it again changes nothing, or goes on where the
 * budget ended. Segments that look at it are decided in the same transactions.
 *
 * @param named identifiers on the list, each with its profile
 */
export async function applyList(
  env: Env,
  siteId: string,
  segment: Pick<Segment, "key" | "createdAt">,
  named: ReadonlyMap<Identifier, string>,
  mode: Mode,
  now: () => number,
  budget: Budget,
): Promise<Applied> {
  const { key } = segment;
  const profileIds = [...new Set(named.values())];
  const members = await listMembersAmong(env.DB, siteId, key, profileIds);
  const listed = await listListed(env.DB, siteId, segment, profileIds);
  const others = mode === "replace" ? await listOtherMembers(env.DB, siteId, key, profileIds, LEAVING + 1) : [];
  budget.statements -= 3;
  const coming = mode === "remove" ? [] : profileIds.filter((id) => !members.has(id));
  const leaving = mode === "remove" ? [...members] : others.slice(0, LEAVING);
  /** Of whom something is to be said, although they are in, or out, already. */
  const stating = [
    ...[...named].filter(([identifier]) => listed.has(identifier) === (mode === "remove")),
    ...(mode === "replace" ? [...listed].filter(([identifier]) => !named.has(identifier)) : []),
  ].map(([, id]) => id);

  const applied = { added: 0, removed: 0 };
  const complete = await settle([...new Set([...coming, ...leaving, ...stating])]);
  return {
    ...applied,
    already: profileIds.length - (mode === "remove" ? leaving : coming).length,
    complete: complete && others.length <= LEAVING,
  };

  /** @returns whether all are as the list says */
  async function settle(ids: readonly string[]): Promise<boolean> {
    let complete = true;
    let count = FEWEST;
    for (let at = 0; at < ids.length; ) {
      const part = ids.slice(at, at + count);
      at += part.length;
      const { left, failed, weight } = await settleProfiles(env, siteId, part, { now, budget, say, written });
      if (left.length || failed.length) complete = false;
      for (const { id, error } of failed) logFailure(siteId, id, error);
      count = nextCount(part.length, weight);
    }
    return complete;
  }

  /** Only what changes who is in, now or once the profile is taken apart. */
  function say({ group: { nodes } }: Person, at: number): ListStatement[] {
    const isNamed = ({ identifier }: IdentifierRow) => named.has(identifier);
    const isListed = (node: IdentifierRow) => listedAt([node], segment) !== null;
    const unsaid = mode === "replace" ? nodes.filter((node) => !isNamed(node) && isListed(node)) : [];
    const kept = nodes.filter((node) => !unsaid.includes(node));
    const isMember = listedAt(kept, segment) !== null;
    const isToBe = mode !== "remove";
    const spoken = nodes.filter((node) => isNamed(node) && (isMember !== isToBe || isListed(node) !== isToBe));
    const state =
      (listed: boolean | null) =>
      ({ identifier }: IdentifierRow) => ({ identifier, segmentKey: key, listed, at });
    return [...spoken.map(state(isToBe)), ...unsaid.map(state(null))];
  }

  function written(changes: readonly MembershipChange[]): void {
    for (const { segmentKey, change } of changes) {
      if (segmentKey !== key) continue;
      if (change === "enter") applied.added++;
      else if (change === "exit") applied.removed++;
    }
  }
}

/** Only the error's name: its message may quote what is stored. */
function logFailure(siteId: string, profileId: string, error: unknown): void {
  log("error", { job: "upload", siteId, profileId, error: error instanceof Error ? error.name : "unknown" });
}
