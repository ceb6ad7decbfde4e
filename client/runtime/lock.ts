/** One tab at a time works on what all of them share. */

const TRIES = 10;
const TRY_MS = 1_000;

/**
 * Runs `work` when no other tab does. Plain http has no locks: there a mark in localStorage stands for one; whoever has
 * waited ten seconds goes ahead, for the other tab may have gone. Two at once do no harm: the Worker knows a message by its id.
 */
export async function lock(name: string, work: () => Promise<void>): Promise<void> {
  try {
    if (navigator.locks) return await navigator.locks.request(name, work);
    for (let tries = TRIES; localStorage[name] && tries--; )
      await new Promise((resolve) => setTimeout(resolve, TRY_MS));
    localStorage[name] = 1;
    await work();
    delete localStorage[name];
  } catch {
    // A sandboxed frame: there is nobody to share with.
    await work();
  }
}
