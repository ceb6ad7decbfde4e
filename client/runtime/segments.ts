/** Segments the visitor is in: the public ones decided here, at each event and when time alone changes them, without
 * network; and whatever others the edge told of. */
import type { Program, Subject } from "../../shared/engine/types.ts";
import type { HistoryEvent } from "../../shared/event.ts";
import { HISTORY_EVENTS } from "../../shared/limits.ts";
import type { PublicManifest } from "../../shared/manifest.ts";
import type { Load } from "./api.ts";
import { emit, type Memberships, report } from "./emitter.ts";
import { baseLanguage, compile } from "./engine.ts";
import type { Save, State } from "./store.ts";
import { createTimer, endOf, holds } from "./timer.ts";

/**
 * The pieces of all texts in a value. Of a name that is in it, as it is or at the start of a path, the first piece is: an
 * event or property of which it is not can make no difference. A superset of shared/history.ts's `needsOf`, in a
 * twentieth of its size.
 */
const piecesOf = (value: unknown): string[] => JSON.stringify(value).match(/[^".\\]+/g) ?? [];

const without = (keys: string[], others: string[]) => keys.filter((key) => !others.includes(key));

/**
 * @param save tells other tabs, too; `keep` does not: they hear of each event.
 * @param subject all of the person but the history.
 * @param load brings what few sites' rules need.
 * @param want asks the edge: its word may have expired, or the answer here is another now.
 * @returns `use`: the site's configuration, as soon as it is known; resolves when it is in use. `decide`: anew, and says what changed since it last
 * did. `list`: of all memberships.
 */
export function createSegments(
  state: State,
  save: Save,
  keep: Save,
  subject: () => Subject,
  load: Load,
  want: () => void,
  signal: AbortSignal,
): [
  use: (manifest: PublicManifest) => Promise<void>,
  see: (event: HistoryEvent) => void,
  decide: () => void,
  list: () => Memberships,
] {
  let program: Program | undefined;
  /** Undefined: it is not known yet what matters. */
  let pieces: Set<string> | undefined;
  let local: Memberships = {};
  /** Those of the last report, that of an earlier page included. */
  let { members } = state;

  const matters = (name: string) => !pieces || pieces.has(piecesOf(name)[0]!);
  /** What matters of events. */
  const chosen = (events: readonly HistoryEvent[]) =>
    events
      .filter(({ type, event }) => matters(type) || matters(event))
      .map((event) => ({
        ...event,
        properties: Object.fromEntries(Object.entries(event.properties).filter(([name]) => matters(name))),
      }));

  const remember = (events: HistoryEvent[]) => {
    keep({ events: events.sort((a, b) => a.timestamp - b.timestamp).slice(-HISTORY_EVENTS) });
    decide();
  };

  const list = () =>
    Object.fromEntries(
      Object.entries({ ...state.segments, ...local }).filter(
        ([key, until]) => holds(until) && !state.denied.includes(key),
      ),
    );

  const decide = () => {
    if (signal.aborted) return;
    const before = Object.keys(local);
    // One that has passed already tells of a wrong clock, or of an edge that cannot be reached.
    let next = holds(state.until) ? endOf(state.until) : Infinity;
    local = {};
    program?.evaluate(subject(), Date.now()).forEach(({ value, until }, index) => {
      next = Math.min(next, until ?? next);
      if (value === true) local[program!.keys[index]!] = until === null ? until : new Date(until).toISOString();
    });
    setTimer(next);

    const inside = Object.keys(local);
    if (`${inside}` !== `${before}`) {
      const segments = { ...state.segments };
      // What the edge said of them is older than what was just seen here.
      for (const key of without(before, inside)) delete segments[key];
      save({ segments, denied: state.denied.filter((key) => inside.includes(key)) });
      want();
    }

    const segments = list();
    const keys = Object.keys(segments);
    const entered = without(keys, members);
    const exited = without(members, keys);
    if (entered.length + exited.length) {
      members = keys;
      save({ members });
      emit("segments", { segments, entered, exited });
    }
  };
  const setTimer = createTimer(() => {
    want();
    decide();
  }, signal);

  return [
    async (manifest) => {
      keep({ manifest });
      pieces = new Set(piecesOf(manifest.segments));
      let language = baseLanguage;
      try {
        if (manifest.more) language = (await load("rules")).browserLanguage;
      } catch (error) {
        report(error);
      }
      program = compile(manifest.segments, manifest, language);
      remember(chosen(state.events));
    },
    (event) => remember([...state.events, ...chosen([event])]),
    decide,
    list,
  ];
}
