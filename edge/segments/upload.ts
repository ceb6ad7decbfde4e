/**
 * Uploaded lists: who is named by them comes into a static segment, or leaves it, in guarded transactions of many people each.
 * What is said is said of the identifiers that are named, so that a profile that is taken apart leaves to each what is theirs.
 */
import type { Identifier, IdentifierKind } from "../../shared/identifier.ts";
import { type IdentifierRow, listProfileIds } from "../db/identifiers.ts";
import { type ListStatement, listOthersListed, listSpoken } from "../db/list-statements.ts";
import { listMembersAmong, type MembershipChange } from "../db/memberships.ts";
import type { Segment } from "../db/segments.ts";
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { isNews, type List } from "../profiles/lists.ts";
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
  const spoken = await listSpoken(env.DB, siteId, key, profileIds);
  const others = mode === "replace" ? await listOthersListed(env.DB, siteId, segment, profileIds, LEAVING + 1) : [];
  budget.statements -= 3;
  const known = new Set(spoken.map(({ identifier }) => identifier));
  const unspoken = [...named].filter(([identifier]) => !known.has(identifier));
  const nodes = [...spoken, ...unspoken.map(([identifier, profileId]) => ({ identifier, profileId, lists: {} }))];
  const ids = [...Map.groupBy(nodes, ({ profileId }) => profileId)].flatMap(([id, own]) =>
    newsOf(own, segment, named, mode).length ? id : [],
  );

  const applied = { added: 0, removed: 0 };
  const complete = await settle([...ids, ...others.slice(0, LEAVING)]);
  return {
    ...applied,
    already: mode === "remove" ? profileIds.length - members.size : members.size,
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

  function say({ group: { nodes } }: Person, at: number): ListStatement[] {
    return newsOf(nodes, segment, named, mode).map((news) => ({ ...news, segmentKey: key, at }));
  }

  function written(changes: readonly MembershipChange[]): void {
    for (const { segmentKey, change } of changes) {
      if (segmentKey !== key) continue;
      if (change === "enter") applied.added++;
      else if (change === "exit") applied.removed++;
    }
  }
}

/** What a list says of the identifiers of a person, as far as it is news. */
export function newsOf(
  nodes: readonly Pick<IdentifierRow, "identifier" | "lists">[],
  list: List,
  named: { has(identifier: Identifier): boolean },
  mode: Mode,
): Pick<ListStatement, "identifier" | "listed">[] {
  const said = nodes.flatMap(({ identifier }) => {
    if (named.has(identifier)) return { identifier, listed: mode !== "remove" };
    return mode === "replace" ? { identifier, listed: null } : [];
  });
  return said.filter((statement) => isNews(nodes, list, statement));
}

/** Only the error's name: its message may quote what is stored. */
function logFailure(siteId: string, profileId: string, error: unknown): void {
  log("error", { job: "upload", siteId, profileId, error: error instanceof Error ? error.name : "unknown" });
}
