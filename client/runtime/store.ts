/** What is remembered of a visit: in this page's memory always, in the tab or on the device where consent allows. */
import type { ConsentMode } from "../../shared/consent.ts";
import type { HistoryEvent, JsonObject } from "../../shared/event.ts";
import type { PublicManifest } from "../../shared/manifest.ts";
import { deleteDatabase, openDatabase, openTab, type Row, type Table } from "./database.ts";
import type { Memberships } from "./emitter.ts";
import type { Content } from "./slots.ts";

/** Read it anywhere, change it through `save` only. */
export interface State {
  anonymousId: string;
  userId: string | undefined;
  traits: JsonObject;
  /** As the edge told it: fixed at first sight, over login and merge. */
  stableId: string | undefined;
  /** The edge's signed word on this profile. */
  token: string | undefined;
  history: HistoryEvent[];
  /** Memberships that the edge told of. */
  told: Memberships;
  /** Segments of the last report. */
  members: string[];
  slots: { [slot: string]: Content };
  manifest: PublicManifest | undefined;
}

export type Save = (changes: Partial<State>, strict?: boolean) => void;

export interface Rows {
  /** As they are kept now, oldest first, those of other tabs included. Never rejects. */
  read(limit: number): Promise<Row[]>;
  /** False: in memory only. Never rejects. */
  write(rows: Row[], strict?: boolean): Promise<boolean>;
}

/** What a person leaves behind for the next one on this device: nothing. */
export const nobody = (): Omit<State, "members" | "manifest"> => ({
  anonymousId: crypto.randomUUID(),
  userId: undefined,
  traits: {},
  stableId: undefined,
  token: undefined,
  history: [],
  told: {},
  slots: {},
});

/**
 * Opens what `mode` allows. Where the browser refuses (private mode, quota, a database from the future, one that is
 * blocked) everything goes on in memory, and `onError` hears of it.
 * @param carried values of a visit under another mode, that win over stored ones.
 */
export async function openStore(
  name: string,
  mode: ConsentMode,
  carried: Partial<State>,
  onError: (error: unknown) => void,
): Promise<[state: State, save: Save, outbox: Rows]> {
  const attempt = async <T>(work: () => T): Promise<Awaited<T> | undefined> => {
    try {
      return await work();
    } catch (error) {
      onError(error);
    }
  };
  const open = mode === "full" ? openDatabase : openTab;
  const [read, write] = (mode !== "memory" && (await attempt(() => open(name)))) || [];

  const put = async (table: Table, rows: Row[], strict?: boolean) =>
    !!write && (await attempt(() => write(table, rows, strict).then(() => true))) === true;
  const get = async (table: Table, limit?: number) => (await attempt(() => read?.(table, limit))) ?? [];

  const state = { members: [], manifest: undefined } as unknown as State;
  const save: Save = (changes, strict) => {
    Object.assign(state, changes);
    put("state", Object.entries(changes), strict);
  };
  Object.assign(state, Object.fromEntries(await get("state")));
  if (carried.anonymousId || !state.anonymousId) save({ ...nobody(), ...carried }, true);

  return [state, save, { read: (limit) => get("outbox", limit), write: (rows, strict) => put("outbox", rows, strict) }];
}

/** Forgets whatever a mode other than `mode` may have kept. */
export function purgeStore(name: string, mode: ConsentMode): void {
  if (mode !== "session") sessionStorage.removeItem(name);
  if (mode !== "full") deleteDatabase(name);
}
