/**
 * Who is who by a plain union-find over messages, as a witness for the Worker's graph: nothing of the product is imported. Knows of
 * limits what is documented: two users are never one, and who comes first keeps what both of them name.
 */
import type { Message } from "./crowd.ts";

export interface Crowd {
  /** Component of each identifier, by the name of one of them. */
  componentOf: Map<string, string>;
  /** Pairs that were refused, each "a ~ b" with a < b. */
  conflicts: Set<string>;
}

/** @param isLimited false: as if there were no limit, so that whoever might get in each other's way comes together */
export function unite(messages: readonly Message[], isLimited = true): Crowd {
  const parents = new Map<string, string>();
  const users = new Map<string, string>();
  const conflicts = new Set<string>();
  const add = (identifier: string) => {
    if (parents.has(identifier)) return;
    parents.set(identifier, identifier);
    if (identifier.startsWith("userId:")) users.set(identifier, identifier);
  };
  const find = (identifier: string): string => {
    let root = identifier;
    while (parents.get(root) !== root) root = parents.get(root)!;
    for (let at = identifier; at !== root; ) {
      const next = parents.get(at)!;
      parents.set(at, root);
      at = next;
    }
    return root;
  };
  const link = (owner: string, other: string) => {
    const [a, b] = [find(owner), parents.has(other) ? find(other) : other];
    if (a === b) return;
    const named = new Set([users.get(a), users.get(b)].filter((user) => user !== undefined));
    if (isLimited && named.size > 1) {
      conflicts.add(pairOf(owner, other));
      return;
    }
    add(other);
    parents.set(b, a);
    if (named.size > 0) users.set(a, [...named][0]!);
  };

  for (const { userId, anonymousId, previousId, traits } of messages) {
    const anonymous = anonymousId && `anonymousId:${anonymousId}`;
    const owner = userId ? `userId:${userId}` : anonymous!;
    add(owner);
    if (traits?.email) link(owner, `email:${traits.email.trim().toLowerCase()}`);
    if (anonymous && anonymous !== owner) link(owner, anonymous);
    if (previousId) {
      const [user, device] = [`userId:${previousId}`, `anonymousId:${previousId}`];
      for (const other of isLimited ? [parents.has(user) ? user : device] : [user, device]) link(owner, other);
    }
  }
  return { componentOf: new Map([...parents.keys()].map((identifier) => [identifier, find(identifier)])), conflicts };
}

export function pairOf(a: string, b: string): string {
  return a < b ? `${a} ~ ${b}` : `${b} ~ ${a}`;
}

/** Components as sorted lists of their identifiers: equal where they are the same, however they are named. */
export function listComponents(componentOf: ReadonlyMap<string, string>): string[] {
  return [...Map.groupBy([...componentOf.keys()].sort(), (identifier) => componentOf.get(identifier)!).values()]
    .map((identifiers) => identifiers.join(" "))
    .sort();
}
