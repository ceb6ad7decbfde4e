/**
 * Lets requests of this isolate that change the same person take turns. Correctness does not rest on it (the version
 * check in D1 does): it only saves races that are lost for certain. Holds nothing but promises.
 */

/** A request does not wait longer than this for others: they may have been cut off. */
const PATIENCE_MS = 2_000;

const last = new Map<string, Promise<void>>();

/** Runs `work` when all earlier work on any of the same keys is done. All keys are taken at once, so nobody waits in a circle. */
export async function takeTurns<T>(keys: Iterable<string>, work: () => Promise<T>): Promise<T> {
  const mine = Promise.withResolvers<void>();
  const names = [...keys];
  const before = names.flatMap((name) => last.get(name) ?? []);
  for (const name of names) last.set(name, mine.promise);
  try {
    if (before.length) await Promise.race([Promise.all(before), timeout(PATIENCE_MS)]);
    return await work();
  } finally {
    mine.resolve();
    for (const name of names) if (last.get(name) === mine.promise) last.delete(name);
  }
}

function timeout(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
