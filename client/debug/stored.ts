/** What a device keeps of a visitor, read from outside of the script. */
import { openDB } from "idb";
import type { Message } from "../../shared/event.ts";
import type { Row, Table } from "../runtime/database.ts";

export interface Stored {
  /** Not yet acked by the Worker, oldest first. */
  outbox: Message[];
  /** Ids, traits, events that rules look at, last decisions, by name. */
  state: { [name: string]: unknown };
}

/** Reads the script's database without making one; null where there is none. */
export async function readStored(name: string): Promise<Stored | null> {
  const databases = await indexedDB.databases();
  if (!databases.some((database) => database.name === name)) return null;
  const db = await openDB(name);
  try {
    const tables: Table[] = ["outbox", "visit"];
    const [outbox, visit] = await Promise.all(tables.map((table) => db.getAll(table)));
    return { outbox: outbox as Message[], state: Object.fromEntries(visit as Row[]) };
  } finally {
    db.close();
  }
}
