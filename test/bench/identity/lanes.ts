/**
 * Which connection sends what, and when. Batches go out of order over all connections at once, except where the order says who
 * gets what: messages of people of whom more than one user claims something are sent in order, by one connection.
 */
import type { Random } from "../../unit/shared/random.ts";
import type { Message } from "./crowd.ts";
import { unite } from "./witness.ts";

/** A way to cut a stream into requests: messages that follow one another and have the same key go together. */
export type KeyOf = (message: Message) => string;

/** Batches of each connection, in the order of sending. */
export function buildLanes(
  messages: readonly Message[],
  how: { connections: number; most: number; keyOf: KeyOf; random: Random },
): Message[][][] {
  const { connections, most, keyOf, random } = how;
  const { componentOf } = unite(messages, false);
  const clusterOf = ({ userId, anonymousId }: Message) =>
    componentOf.get(userId ? `userId:${userId}` : `anonymousId:${anonymousId}`)!;
  const users = Map.groupBy(
    [...componentOf.keys()].filter((identifier) => identifier.startsWith("userId:")),
    (identifier) => componentOf.get(identifier)!,
  );
  const isContended = (message: Message) => (users.get(clusterOf(message))?.length ?? 0) > 1;
  const numbers = new Map([...users.keys()].map((cluster, index) => [cluster, index]));

  const free = random.shuffle(cut(messages.filter((message) => !isContended(message))));
  const ordered = messages.filter(isContended);
  return Array.from({ length: connections }, (_, lane) => {
    const mine = (_: unknown, index: number) => index % connections === lane;
    const own = ordered.filter((message) => numbers.get(clusterOf(message))! % connections === lane);
    return shuffleTogether(free.filter(mine), cut(own));
  });

  function cut(list: readonly Message[]): Message[][] {
    return [...Map.groupBy(list, keyOf).values()].flatMap((same) =>
      Array.from({ length: Math.ceil(same.length / most) }, (_, index) => same.slice(index * most, (index + 1) * most)),
    );
  }

  /** Both in their order, each somewhere among the other. */
  function shuffleTogether<T>(a: readonly T[], b: readonly T[]): T[] {
    const rest = { a: [...a].reverse(), b: [...b].reverse() };
    return Array.from({ length: a.length + b.length }, () => {
      const fromA = random.below(rest.a.length + rest.b.length) < rest.a.length;
      return (fromA ? rest.a : rest.b).pop()!;
    });
  }
}
