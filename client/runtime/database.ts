/**
 * The device's own store: IndexedDB. Any failure is the caller's to survive. Without the idb library: of its 1.1 kB, a
 * seventh of the whole script, this would use two calls.
 */

/** `outbox`: messages, by `seq`, which the database gives. `visit`: what is remembered of it, rows by name. */
export type Table = "outbox" | "visit";
export type Row = [name: string, value: unknown];

/**
 * One transaction, all or nothing.
 * @param durability of a change; `strict` resolves only when it is on the disk. Left out: `work` only reads.
 * @returns the result of the request that `work` returns. Rejects as the browser does, or with a text where it takes too
 * long: then the change may still come to pass.
 */
export type Transact = <T>(
  table: Table,
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
 * by the browser or by somebody who clears it, it stays closed for this page.
 */
export function openDatabase(name: string): Transact {
  const connect = async () => {
    const request = indexedDB.open(name);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("outbox", { keyPath: "seq", autoIncrement: true });
      request.result.createObjectStore("visit");
    };
    const db = await done(request);
    // Another tab wants to delete it: holding on would block that tab.
    db.onversionchange = () => db.close();
    // Throws where it is not ours.
    db.transaction("visit");
    return db;
  };
  const connection = connect().catch(async (error) => {
    // What hangs is left alone.
    if (!error.name) throw error;
    await done(indexedDB.deleteDatabase(name));
    return connect();
  });

  return async (table, work, durability) => {
    const options = { durability } as IDBTransactionOptions;
    const transaction = (await connection).transaction(table, durability && "readwrite", options);
    const request = work(transaction.objectStore(table));
    const end = done(transaction, durability && CHANGE_MS);
    // Not left to the event loop: the page may be on its way out, and what is not committed then is undone.
    transaction.commit();
    await end;
    return request?.result;
  };
}
