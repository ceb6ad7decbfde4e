/** Segments the visitor is in: the public ones decided here, at each event and when time alone changes them, without
 * network; and whatever others the edge told of. */
import type { Program, Subject } from "../../shared/engine/types.ts";
import type { HistoryEvent } from "../../shared/event.ts";
import { HISTORY_EVENTS } from "../../shared/limits.ts";
import type { PublicManifest } from "../../shared/manifest.ts";
import type { Emit, Memberships } from "./emitter.ts";
import { browserLanguage, compile } from "./engine.ts";
import type { Save, State } from "./store.ts";
import { createTimer, holds } from "./timer.ts";

/**
 * All words in the conditions: event names, types and property paths are among them, so that an event or property whose
 * name is not can make no difference. A superset of shared/history.ts's `needsOf`, in a tenth of its size.
 */
function wordsOf(manifest: PublicManifest): Set<string> {
  const words = new Set<string>();
  JSON.stringify(manifest.segments, (key, value) => {
    for (const word of [key, value]) if (typeof word === "string") words.add(word).add(word.split(".")[0]!);
    return value;
  });
  return words;
}

const without = (keys: string[], others: string[]) => keys.filter((key) => !others.includes(key));

/**
 * @param subject all of the person but the history.
 * @param changed a slot of the site looks at a segment whose answer here is another now.
 * @returns `use`: the site's configuration, as soon as it is known. `report`: says what changed since it last did.
 * `list`: of all memberships.
 */
export function createSegments(
  state: State,
  save: Save,
  subject: () => Subject,
  changed: () => void,
  emit: Emit,
  signal: AbortSignal,
): [
  use: (manifest: PublicManifest) => void,
  see: (event: HistoryEvent) => void,
  decide: () => void,
  report: () => void,
  list: () => Memberships,
] {
  let program: Program | undefined;
  /** Undefined: it is not known yet what matters. */
  let words: Set<string> | undefined;
  let local: Memberships = {};

  const remember = (events: HistoryEvent[]) => {
    const matters = (word: string) => !words || words.has(word);
    const kept = events
      .filter(({ type, event }) => matters(type) || matters(event))
      .map((event) => ({
        ...event,
        properties: Object.fromEntries(Object.entries(event.properties).filter(([name]) => matters(name))),
      }))
      .sort((a, b) => a.timestamp - b.timestamp)
      .slice(-HISTORY_EVENTS);
    save({ events: kept });
  };

  const list = () => ({
    ...Object.fromEntries(Object.entries(state.segments).filter(([, until]) => holds(until))),
    ...local,
  });

  const report = () => {
    const segments = list();
    const before = state.members;
    const members = Object.keys(segments);
    const entered = without(members, before);
    const exited = without(before, members);
    if (!entered.length && !exited.length) return;
    save({ members });
    emit("segments", { segments, entered, exited });
  };

  const decide = () => {
    if (!program || signal.aborted) return;
    const before = local;
    const segments = { ...state.segments };
    const flipped = new Set<string>();
    let next = Infinity;
    local = {};
    const answers = program.evaluate(subject(), Date.now());
    program.keys.forEach((key, index) => {
      const { value, until } = answers[index]!;
      next = Math.min(next, until ?? next);
      if (value === true) local[key] = until === null ? until : new Date(until).toISOString();
      if (Object.hasOwn(local, key) === Object.hasOwn(before, key)) return;
      flipped.add(key);
      // What the edge said of it is older than what was just seen here.
      delete segments[key];
    });
    setTimer(next);
    if (flipped.size) save({ segments });
    report();
    if (Object.values(state.manifest!.slots).some((keys) => keys.some((key) => flipped.has(key)))) changed();
  };
  const setTimer = createTimer(decide, signal);

  return [
    (manifest) => {
      save({ manifest });
      words = wordsOf(manifest);
      program = compile(manifest.segments, manifest, browserLanguage);
      remember(state.events);
      decide();
    },
    (event) => {
      remember([...state.events, event]);
      decide();
    },
    decide,
    report,
    list,
  ];
}
