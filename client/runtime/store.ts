/** What is remembered of a visit: in this page's memory always, in the tab or on the device where consent allows. */
import type { ConsentMode } from "../../shared/consent.ts";
import type { HistoryEvent, JsonObject } from "../../shared/event.ts";
import type { PublicManifest } from "../../shared/manifest.ts";
import { stringify } from "./clean.ts";
import { openDatabase, type Row, type Transact } from "./database.ts";
import { type Memberships, report } from "./emitter.ts";
import { newId } from "./id.ts";
import type { Content } from "./slots.ts";

/** Read it anywhere, change it through `save` only. */
export interface State {
  anonymousId: string;
  /** The storage was empty, and the edge has not said yet whether it knows this device. */
  wiped: boolean;
  userId: string | undefined;
  traits: JsonObject;
  /** As the edge told it: fixed at first sight, over login and merge. */
  stableId: string | undefined;
  /** The edge's signed word on this profile. */
  token: string | null;
  /** What the site's rules look at. */
  events: HistoryEvent[];
  /** Memberships that the edge told of. */
  segments: Memberships;
  /** Keys of what was decided here and the edge, which knows more, says no to. */
  denied: string[];
  /** How long the edge's word holds. */
  until: string | null;
  /** Segments of the last report. */
  members: string[];
  slots: { [slot: string]: Content };
  manifest?: PublicManifest;
}

/** What is `undefined` is not kept. */
export type Save = (changes: Partial<State>, strict?: boolean) => void;

/** What a person leaves behind for the next one on this device: nothing. */
export const nobody = (): Omit<State, "members" | "manifest"> => ({
  anonymousId: newId(),
  wiped: false,
  userId: undefined,
  traits: {},
  stableId: undefined,
  token: null,
  events: [],
  segments: {},
  denied: [],
  until: null,
  slots: {},
});

/**
 * Opens what `mode` allows: the device with `full`, the tab with `session`, where the outbox stays in memory. Where the
 * browser refuses (private mode, a database that another tab blocks) everything goes on in memory, and `report` hears of it.
 * @param carried state of a visit under another mode, that wins over a stored one.
 * @returns besides the state, `load`: what is stored of it now, by other pages, too; and `run`, transactions on the
 * device's tables that never reject: undefined where nothing can be kept.
 */
export async function openStore(
  name: string,
  mode: ConsentMode,
  carried: Partial<State>,
  signal: AbortSignal,
): Promise<[state: State, save: Save, load: () => Promise<Partial<State> | undefined>, run: Transact]> {
  let told: string | undefined;
  const attempt = async <T>(work: () => T): Promise<Awaited<T> | undefined> => {
    try {
      return await work();
    } catch (error) {
      // Storage that is closed to us is so each time.
      if (`${error}` !== told) report(error);
      told = `${error}`;
    }
  };
  const tab = mode === "session";
  const transact = mode === "full" ? openDatabase(name) : async () => undefined;
  const run: Transact = (...change) => attempt(() => transact(...change));

  const load = () =>
    tab
      ? attempt(() => JSON.parse(sessionStorage[name] ?? "{}"))
      : run<Row[]>("visit", (store) => store.getAll()).then((rows = []) => Object.fromEntries(rows));
  const stored = await load();
  const state: State = { members: [], ...nobody(), wiped: true, ...stored, ...carried };
  const save: Save = (changes, strict) => {
    Object.assign(state, changes);
    if (tab) attempt(() => (sessionStorage[name] = stringify(state)));
    else {
      const put = (store: IDBObjectStore): undefined => {
        for (const row of Object.entries(changes)) row[1] === undefined ? store.delete(row[0]) : store.put(row, row[0]);
      };
      run("visit", put, strict ? "strict" : "relaxed");
    }
  };
  if (!signal.aborted && (carried.anonymousId || !stored?.anonymousId)) save(state, true);

  return [state, save, load, run];
}

/** Forgets whatever a mode other than `mode` may have kept; other tabs let go of the database by themselves. */
export function purgeStore(name: string, mode: ConsentMode): void {
  try {
    if (mode !== "full") indexedDB.deleteDatabase(name);
    if (mode !== "session") delete sessionStorage[name];
  } catch {
    // Storage is closed to us: there is nothing in it.
  }
}
