/** What a device keeps of a visitor, read from outside of the script. */
import type { Message } from "../../shared/event.ts";
import { openDatabase } from "../runtime/database.ts";
import { keyOf } from "../runtime/store.ts";

export interface Stored {
  /** Not yet acked by the Worker, oldest first. */
  outbox: Message[];
  /** Ids, traits, events that rules look at, last decisions, by name. */
  state: { [name: string]: unknown };
}

/** Reads what the script keeps on the device, without making anything; null where there is nothing. */
export async function readStored(name: string): Promise<Stored | null> {
  const state = JSON.parse(localStorage[keyOf(name)] ?? "null");
  const databases = await indexedDB.databases();
  const isThere = databases.some((database) => database.name === name);
  if (!isThere && !state) return null;
  const outbox = isThere && (await openDatabase(name)<Message[]>((store) => store.getAll()));
  return { outbox: outbox || [], state: state ?? {} };
}
