/** What is remembered of a visit: in this page's memory always, in the tab or on the device where consent allows. */
import type { ConsentMode } from "../../shared/consent.ts";
import type { HistoryEvent, JsonObject } from "../../shared/event.ts";
import type { PublicManifest } from "../../shared/manifest.ts";
import { stringify } from "./clean.ts";
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
export type Save = (changes: Partial<State>) => void;

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

/** Where `mode` allows to keep it. Throws where the browser does not. */
const storageOf = (mode: ConsentMode): { [key: string]: string } =>
  mode === "full" ? localStorage : mode === "session" ? sessionStorage : {};

/** Beside the choice of consent, which is kept under the name itself. */
export const keyOf = (name: string) => `${name}/visit`;

/**
 * Opens what `mode` allows: the device with `full`, the tab with `session`. At once, so that what was decided is shown before
 * the page is painted. Where the browser refuses, everything goes on in memory, and `report` hears of it.
 * @param carried state of a visit under another mode, that wins over a stored one.
 * @returns besides the state, `load`: what is stored of it now, by other pages, too.
 */
export function openStore(
  name: string,
  mode: ConsentMode,
  carried: Partial<State>,
  signal: AbortSignal,
): [state: State, save: Save, load: () => Partial<State>] {
  const load = () => {
    try {
      return JSON.parse(storageOf(mode)[keyOf(name)] ?? "{}");
    } catch (error) {
      report(error);
      return {};
    }
  };
  const stored = load();
  const state: State = { members: [], ...nobody(), wiped: true, ...stored, ...carried };
  let writing = false;
  const save: Save = (changes) => {
    Object.assign(state, changes);
    if (writing) return;
    writing = true;
    // Once for all that changes in this turn.
    queueMicrotask(() => {
      writing = false;
      try {
        if (!signal.aborted) storageOf(mode)[keyOf(name)] = stringify(state);
      } catch (error) {
        report(error);
      }
    });
  };
  save({});

  return [state, save, load];
}

/** Forgets whatever a mode other than `mode` may have kept; other tabs let go of the database by themselves. */
export function purgeStore(name: string, mode: ConsentMode): void {
  for (const other of ["full", "session"] as const) {
    if (other === mode) continue;
    try {
      delete storageOf(other)[keyOf(name)];
      if (other === "full") indexedDB.deleteDatabase(name);
    } catch {
      // Storage is closed to us: there is nothing in it.
    }
  }
}
