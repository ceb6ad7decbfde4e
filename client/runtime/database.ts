/** Where rows outlive a page: IndexedDB on the device, sessionStorage in the tab. Any failure is the caller's to survive. */

export type Table = "outbox" | "state";
export type Row = [key: string, value: unknown];

/**
 * `read`: rows in the order of their keys. `write`: all or nothing, `undefined` deletes; `strict`: resolved only when it
 * is on the disk.
 */
export type Backend = [
  read: (table: Table, limit?: number) => Promise<Row[]>,
  write: (table: Table, rows: Row[], strict?: boolean) => Promise<unknown>,
];

/** An open that another tab blocks, or a disk that hangs, must not hold up the page. */
const PATIENCE_MS = 1_000;

function done<T>(work: IDBRequest<T> | IDBTransaction): Promise<T> {
  const it = work as IDBRequest<T> & IDBTransaction;
  return new Promise((resolve, reject) => {
    it.onsuccess = it.oncomplete = () => resolve(it.result);
    it.onerror = it.onabort = () => reject(it.error);
    setTimeout(reject, PATIENCE_MS, new Error("storage timed out"));
  });
}

export async function openDatabase(name: string): Promise<Backend> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    for (const table of ["outbox", "state"]) request.result.createObjectStore(table);
  };
  const db = await done(request);
  // Another tab wants to delete or upgrade it: holding on would block that tab.
  db.onversionchange = () => db.close();

  return [
    (table, limit) => done(db.transaction(table).objectStore(table).getAll(null, limit)),
    (table, rows, strict) => {
      const transaction = db.transaction(table, "readwrite", { durability: strict ? "strict" : "relaxed" });
      const store = transaction.objectStore(table);
      for (const row of rows) {
        if (row[1] === undefined) store.delete(row[0]);
        else store.put(row, row[0]);
      }
      return done(transaction);
    },
  ];
}

export async function openTab(name: string): Promise<Backend> {
  const tables: { [table: string]: { [key: string]: unknown } } = JSON.parse(sessionStorage[name] ?? "{}");
  return [
    async (table, limit) => Object.entries(tables[table] ?? {}).slice(0, limit),
    async (table, rows) => {
      tables[table] = { ...tables[table], ...Object.fromEntries(rows) };
      // JSON leaves out what is undefined.
      sessionStorage[name] = JSON.stringify(tables);
    },
  ];
}

/** Other tabs let go of the database by themselves. */
export function deleteDatabase(name: string): void {
  indexedDB.deleteDatabase(name);
}
