/**
 * Who is on uploaded lists. What an upload says is kept with each identifier that it is said of; of a person's identifiers the
 * newest that says anything is right. So it unites with them, and comes apart with them.
 */
import type { IdentifierRow } from "../db/identifiers.ts";
import type { ListStatement } from "../db/list-statements.ts";

/** `createdAt`: what was said before is of another list, which had the same key. */
export interface List {
  key: string;
  createdAt?: number;
}

type Said = Pick<IdentifierRow, "identifier" | "lists">;

/**
 * Since when identifiers of one person are on a list by the newest of their statements; null where that says no, or where none
 * says anything. Of equal times the no counts.
 */
export function listedAt(nodes: readonly Said[], list: List): number | null {
  const at = lastAt(nodes, list, true);
  return at > lastAt(nodes, list, false) ? at : null;
}

/**
 * Whether a statement on one of the identifiers of a person may change who is on a list, now or however links come and go. What is
 * said again is no news while nobody says the contrary. That somebody is not on a list that none of them is on is news: had another
 * link never been, they might be one with somebody who is.
 */
export function isNews(
  nodes: readonly Said[],
  list: List,
  { identifier, listed }: Pick<ListStatement, "identifier" | "listed">,
): boolean {
  const own = nodes.filter((node) => node.identifier === identifier);
  if (listed === null) return lastAt(own, list, true) >= 0;
  return lastAt(own, list, listed) < 0 || lastAt(nodes, list, !listed) >= 0;
}

/** When any of the identifiers was last said to be on a list, or not to be; -1: none says so. */
function lastAt(nodes: readonly Said[], { key, createdAt = 0 }: List, listed: boolean): number {
  let last = -1;
  for (const { lists } of nodes) {
    const [said, at] = (Object.hasOwn(lists, key) && lists[key]) || [null, 0];
    if (said === listed && at >= createdAt && at > last) last = at;
  }
  return last;
}

/** When anything was last said of any of the identifiers; 0: never. Whatever comes then is later. */
export function lastStatementAt(nodes: Iterable<Pick<IdentifierRow, "lists">>): number {
  let last = 0;
  for (const { lists } of nodes) for (const [, at] of Object.values(lists)) if (at > last) last = at;
  return last;
}

/** Puts a statement on the identifier that it is of; they come in the order of their times. */
export function applyStatement(node: IdentifierRow, { segmentKey, listed, at }: ListStatement): void {
  node.lists = { ...node.lists, [segmentKey]: [listed, at] };
}

/** Identifiers as they were at `now`, by all statements of them in order. */
export function nodesAt(
  nodes: readonly IdentifierRow[],
  statements: readonly ListStatement[],
  now: number,
): IdentifierRow[] {
  const past = new Map(nodes.map((node) => [node.identifier, { ...node, lists: {} }]));
  for (const statement of statements) {
    if (statement.at <= now) applyStatement(past.get(statement.identifier)!, statement);
  }
  return [...past.values()];
}
