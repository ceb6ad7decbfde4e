/**
 * Who is on uploaded lists. What an upload says is kept with each identifier that it is said of; of a person's identifiers the
 * newest that says anything is right. So it unites with them, and comes apart with them.
 */
import type { IdentifierRow } from "../db/identifiers.ts";
import type { ListStatement } from "../db/list-statements.ts";

/**
 * Since when identifiers of one person are on a list by the newest of their statements; null where that says no, or where none
 * says anything. Of equal times the no counts.
 *
 * @param list `createdAt`: what was said before is of another list, which had the same key
 */
export function listedAt(
  nodes: readonly Pick<IdentifierRow, "lists">[],
  { key, createdAt = 0 }: { key: string; createdAt?: number },
): number | null {
  let newest: { listed: boolean; at: number } | null = null;
  for (const { lists } of nodes) {
    const [listed, at] = (Object.hasOwn(lists, key) && lists[key]) || [null, 0];
    if (listed === null || at < createdAt) continue;
    if (!newest || at > newest.at || (at === newest.at && !listed)) newest = { listed, at };
  }
  return newest?.listed ? newest.at : null;
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
