/** Uploaded lists: who is named by them comes into a static segment, or leaves it, in guarded transactions of many people each. */
import type { IdentifierKind } from "../../shared/identifier.ts";
import { listProfileIds } from "../db/identifiers.ts";
import { listMembersAmong, listOtherMembers } from "../db/memberships.ts";
import type { Env } from "../env.ts";
import { log } from "../log.ts";
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

/** Who is meant by a list: the profiles, and the rows that lead to nobody. */
export async function matchRows(
  db: D1Database,
  siteId: string,
  rows: readonly Row[],
): Promise<{ profileIds: Set<string>; unmatched: Unmatched[] }> {
  const found = await listProfileIds(db, siteId, [...new Set(rows.flatMap(({ identifiers }) => identifiers))]);
  const profileIds = new Set<string>();
  const unmatched: Unmatched[] = [];
  for (const { row, kinds, identifiers, fault } of rows) {
    const known = identifiers.find((identifier) => found.has(identifier));
    if (known) profileIds.add(found.get(known)!);
    else unmatched.push({ row, column: kinds[0] ?? null, reason: fault ?? "unknown" });
  }
  return { profileIds, unmatched };
}

/**
 * Makes the members of an active static segment what the list says: sending it again changes nothing, or goes on where the
 * budget ended. Segments that look at it are decided in the same transactions.
 *
 * @param listed profiles that the list means
 */
export async function applyList(
  env: Env,
  siteId: string,
  key: string,
  listed: ReadonlySet<string>,
  mode: Mode,
  now: () => number,
  budget: Budget,
): Promise<Applied> {
  const members = await listMembersAmong(env.DB, siteId, key, [...listed]);
  const others = mode === "replace" ? await listOtherMembers(env.DB, siteId, key, [...listed], LEAVING + 1) : [];
  budget.statements -= 2;
  const isMember = ({ carried }: Person) => Object.hasOwn(carried, key);
  /** They, or somebody who was united with them meanwhile. */
  const isListed = ({ group }: Person) => group.nodes.some(({ birthId }) => listed.has(birthId));
  const coming = mode === "remove" ? [] : [...listed.difference(members)];
  const leaving = mode === "remove" ? [...members] : others.slice(0, LEAVING);

  const added = await settle(coming, {
    isSettled: isMember,
    adjust(person) {
      person.carried[key] = [Math.max(now(), person.profile.lastSeen), null];
    },
  });
  const removed = await settle(leaving, {
    isSettled: (person) => !isMember(person) || (mode === "replace" && isListed(person)),
    adjust(person) {
      delete person.carried[key];
    },
  });
  return {
    added: added.decided,
    removed: removed.decided,
    already: listed.size - (mode === "remove" ? leaving.length : coming.length),
    complete: !added.left && !removed.left && others.length <= LEAVING,
  };

  async function settle(
    ids: readonly string[],
    how: { isSettled: (person: Person) => boolean; adjust: (person: Person) => void },
  ): Promise<{ decided: number; left: number }> {
    const total = { decided: 0, left: 0 };
    let count = FEWEST;
    for (let at = 0; at < ids.length; ) {
      const part = ids.slice(at, at + count);
      at += part.length;
      const settled = await settleProfiles(env, siteId, part, { now, budget, ...how });
      total.decided += settled.decided;
      total.left += settled.left.length + settled.failed.length;
      for (const { id, error } of settled.failed) logFailure(siteId, id, error);
      count = nextCount(part.length, settled.weight);
    }
    return total;
  }
}

/** Only the error's name: its message may quote what is stored. */
function logFailure(siteId: string, profileId: string, error: unknown): void {
  log("error", { job: "upload", siteId, profileId, error: error instanceof Error ? error.name : "unknown" });
}
