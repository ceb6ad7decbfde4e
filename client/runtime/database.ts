/**
 * The device's own table of messages, by `seq`, which it gives them: IndexedDB. Without the idb library: of its 1.1 kB, a
 * seventh of the whole script, this would use two calls.
 */
import { report } from "./emitter.ts";

/**
 * One transaction, all or nothing.
 * @param durability of a change; `strict` resolves only when it is on the disk. Left out: `work` only reads.
 * @returns the result of the request that `work` returns; undefined where the browser refuses, or takes too long: then the
 * change may still come to pass.
 */
export type Transact = <T>(
  work: (store: IDBObjectStore) => IDBRequest<T> | undefined,
  durability?: "strict" | "relaxed",
) => Promise<T | undefined>;

/** An open that another tab blocks, or a disk that hangs, must not hold up the page. */
const PATIENCE_MS = 1_000;
/** Nobody waits for it, many may be behind each other, and what was given up may still come to pass. */
const CHANGE_MS = 60_000;

function done<T>(work: IDBRequest<T> | IDBTransaction, patience = PATIENCE_MS): Promise<T> {
  const it = work as IDBRequest<T> & IDBTransaction;
  return new Promise((resolve, reject) => {
    setTimeout(reject, patience, "timeout");
    it.onerror = it.onabort = () => reject(it.error);
    it.onsuccess = it.oncomplete = () => resolve(it.result);
  });
}

/**
 * Opens the database, whatever its version; one that is not ours, or broken, is deleted and made anew. Once it is closed,
 * by the browser or by somebody who clears it, it stays closed for this page, and `report` hears of it.
 */
export function openDatabase(name: string): Transact {
  const connect = async () => {
    const request = indexedDB.open(name);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("messages", { keyPath: "seq", autoIncrement: true });
    };
    const db = await done(request);
    // Another tab wants to delete it: holding on would block that tab.
    db.onversionchange = () => db.close();
    // Throws where it is not ours.
    db.transaction("messages");
    return db;
  };
  const connection = connect().catch(async (error) => {
    // What hangs is left alone.
    if (!error.name) throw error;
    await done(indexedDB.deleteDatabase(name));
    return connect();
  });

  return async (work, durability) => {
    try {
      const options = { durability } as IDBTransactionOptions;
      const transaction = (await connection).transaction("messages", durability && "readwrite", options);
      const request = work(transaction.objectStore("messages"));
      const end = done(transaction, CHANGE_MS);
      // Not left to the event loop: the page may be on its way out, and what is not committed then is undone.
      transaction.commit();
      await end;
      return request?.result;
    } catch (error) {
      report(error);
    }
  };
}
