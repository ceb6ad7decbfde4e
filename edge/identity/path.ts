/** By which links two identifiers are one profile. */
import type { Identifier } from "../../shared/identifier.ts";

interface Edge {
  a: Identifier;
  b: Identifier;
}

/** The fewest links that lead from one identifier to the other, in their order; null where none do. */
export function findPath<Link extends Edge>(links: readonly Link[], from: Identifier, to: Identifier): Link[] | null {
  const linksOf = new Map<Identifier, Link[]>();
  for (const link of links) {
    for (const end of [link.a, link.b]) {
      const list = linksOf.get(end);
      if (list) list.push(link);
      else linksOf.set(end, [link]);
    }
  }
  const paths = new Map<Identifier, Link[]>([[from, []]]);
  for (const [identifier, path] of paths) {
    if (identifier === to) return path;
    for (const link of linksOf.get(identifier) ?? []) {
      const next = link.a === identifier ? link.b : link.a;
      // A map goes on over what is added to it: the nearest come first.
      if (!paths.has(next)) paths.set(next, [...path, link]);
    }
  }
  return null;
}
