/** What a device keeps of a visitor, read from outside of the script. */
import type { Message } from "../../shared/event.ts";
import { openDatabase, type Row } from "../runtime/database.ts";

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
  const run = openDatabase(name);
  const [outbox, visit] = await Promise.all([
    run<Message[]>("outbox", (store) => store.getAll()),
    run<Row[]>("visit", (store) => store.getAll()),
  ]);
  return { outbox: outbox!, state: Object.fromEntries(visit!) };
}
