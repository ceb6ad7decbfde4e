/** KV as a place that may be slow, behind, or gone: what it does not do is no reason to fail, since D1 knows. */

/** KV's own cache in a location: its shortest. */
export const KV_CACHE_SECONDS = 30;
/** KV takes one write a second per key. */
export const KV_TURN_MS = 1_100;
const ATTEMPTS = 3;

/** Keys that are being written by this isolate; true where somebody else has come to write it meanwhile. */
const writing = new Map<string, boolean>();

/** KV's answer; undefined where it gives none. */
export async function askKv<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch {
    return undefined;
  }
}

/** Puts a key. @returns false where KV did not take it */
export async function tryPut(
  kv: KVNamespace,
  key: string,
  value: string,
  options?: KVNamespacePutOptions,
): Promise<boolean> {
  return (await askKv(async () => (await kv.put(key, value, options)) ?? true)) ?? false;
}

/**
 * Puts a key, one write at a time: whoever comes meanwhile returns at once, and the one at work puts it once more.
 *
 * @param read what is true then
 * @returns false where KV did not take it
 */
export async function putInTurn(
  kv: KVNamespace,
  key: string,
  read: () => Promise<string>,
  options: KVNamespacePutOptions,
): Promise<boolean> {
  if (writing.has(key)) {
    writing.set(key, true);
    return true;
  }
  try {
    for (let failures = 0; failures < ATTEMPTS; ) {
      writing.set(key, false);
      const value = await read();
      const isTaken = await tryPut(kv, key, value, options);
      if (isTaken && !writing.get(key)) return true;
      if (!isTaken) failures++;
      await scheduler.wait(KV_TURN_MS);
    }
    return false;
  } finally {
    writing.delete(key);
  }
}
