/**
 * The device's own store: IndexedDB. Any failure is the caller's to survive; none takes longer than a second. Without the
 * idb library: of its 1.1 kB, a seventh of the whole script, this would use two calls.
 */

export type Table = "outbox" | "state";
export type Row = [key: string, value: unknown];

export type Database = [
  /** Rows in the order of their keys. */
  read: (table: Table, limit?: number) => Promise<Row[]>,
  /** All or nothing, `undefined` deletes. `strict`: resolves only when it is on the disk. */
  write: (table: Table, rows: Row[], strict?: boolean) => Promise<unknown>,
];

/** An open that another tab blocks, or a disk that hangs, must not hold up the page. */
const PATIENCE_MS = 1_000;

function done<T>(work: IDBRequest<T> | IDBTransaction): Promise<T> {
  const it = work as IDBRequest<T> & IDBTransaction;
  return new Promise((resolve, reject) => {
    setTimeout(reject, PATIENCE_MS, "timeout");
    it.onerror = it.onabort = () => reject(it.error);
    it.onsuccess = it.oncomplete = () => resolve(it.result);
  });
}

export async function openDatabase(name: string): Promise<Database> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("outbox");
    request.result.createObjectStore("state");
  };
  const db = await done(request);
  // Another tab wants to delete or upgrade it: holding on would block that tab.
  db.onversionchange = () => db.close();

  return [
    (table, limit) => done(db.transaction(table).objectStore(table).getAll(null, limit)),
    (table, rows, strict) => {
      const transaction = db.transaction(table, "readwrite", { durability: strict ? "strict" : "relaxed" });
      const store = transaction.objectStore(table);
      for (const row of rows) row[1] === undefined ? store.delete(row[0]) : store.put(row, row[0]);
      const work = done(transaction);
      // Not left to the event loop: the page may be on its way out, and what is not committed then is undone.
      transaction.commit();
      return work;
    },
  ];
}
