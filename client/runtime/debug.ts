/** The lazy part, `attune.debug.js`: says why, which the script itself does not need to know. */
import { openDB } from "idb";
import { explain } from "../../shared/engine/explain.ts";
import { browserLanguage } from "../../shared/engine/language.ts";
import type { Subject, Why } from "../../shared/engine/types.ts";
import type { Message } from "../../shared/event.ts";
import { HISTORY_EVENTS } from "../../shared/limits.ts";
import type { PublicManifest } from "../../shared/manifest.ts";
import type { Row } from "./database.ts";

/** One trace per public segment, in the order of the manifest. */
export function explainAll({ segments, timeZone }: PublicManifest, subject: Subject, now: number): Explanation[] {
  const { events } = subject;
  // As many as are kept: there may have been more.
  const completeAfter = events.length < HISTORY_EVENTS ? null : events[0]!.timestamp;
  return segments.map(({ key, condition }) => ({
    key,
    ...explain(condition, { ...subject, completeAfter }, now, { timeZone, rules: segments, language: browserLanguage }),
  }));
}

/** Why the visitor is, or is not, in the segment `key`. */
export type Explanation = Why & { key: string };

/** What a device keeps of a visitor. */
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
    const [outbox, state]: Row[][] = await Promise.all([db.getAll("outbox"), db.getAll("state")]);
    return { outbox: outbox!.map(([, message]) => message as Message), state: Object.fromEntries(state!) };
  } finally {
    db.close();
  }
}
