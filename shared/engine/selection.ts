/** Which events a leaf looks at: the history indexed by type and name once per evaluation, filtered by `where`. */
import type { EventSelector } from "../condition.ts";
import type { HistoryEvent } from "../event.ts";
import { combine } from "./logic.ts";
import { testsOf } from "./operators.ts";
import { ANALYTICS, ensure, type Node, type Run, type Scope } from "./run.ts";
import { readPath } from "./value.ts";

/** What there is at instants in time order. */
export interface Series {
  /** Whole epoch milliseconds, ascending. */
  times: number[];
  values: unknown[];
}

/** Events in time order. */
export interface Selection extends Series {
  values: HistoryEvent[];
  /** It holds from `since` … */
  since: number;
  /** … until here, when a `where` compares dates with the clock; otherwise for good. */
  until: number;
  /** What has been read from the events so far. */
  columns: Map<unknown, unknown>;
}

/** How a leaf gets at its events during a run. */
export type Select = (run: Run) => Selection;

/** Type → name → its events. Under the name 0, which no event can have, are those of any name. */
type Index = Map<unknown, Map<unknown, Selection>>;

/** Type → the names by which some leaf asks for its events. */
type Wanted = Map<unknown, Set<unknown>>;

const select = (since: number): Selection => ({ times: [], values: [], since, until: Infinity, columns: new Map() });

/** Compiles a selector; equal ones share one selection per evaluation. */
export function selectionOf(selector: EventSelector, scope: Scope): Select {
  scope.needs |= ANALYTICS;
  const { event = 0, type = "track", where } = selector;
  const wanted = ensure(scope.made, "wanted", (): Wanted => new Map()) as Wanted;
  ensure(wanted, type, () => new Set()).add(event);
  const indexSlot = ensure(scope.made, "index", scope.keep) as number;
  const ofName: Select = (run) => {
    run.kept[indexSlot] ??= indexOf(run.subject.events, wanted);
    return lookUp(run.kept[indexSlot] as Index, type, event);
  };
  if (!where) return ofName;
  const test = combine(
    Object.entries(where).map(([path, operators]): Node => {
      const keys = path.split(".");
      const test = testsOf(operators, scope);
      return (run, event) => test(run, readPath((event as HistoryEvent).properties, keys));
    }),
    0,
  );
  const slot = ensure(scope.made, JSON.stringify([type, event, where]), scope.keep) as number;
  return (run) => {
    let chosen = run.kept[slot] as Selection | undefined;
    if (chosen && chosen.since <= run.now && run.now < chosen.until) return chosen;
    const all = ofName(run);
    run.kept[slot] = chosen = select(run.now);
    for (const candidate of all.values) {
      if (test(run, candidate) === 1) add(chosen, candidate);
      chosen.until = Math.min(chosen.until, run.until);
    }
    return chosen;
  };
}

function add({ times, values }: Selection, event: HistoryEvent) {
  times.push(Math.floor(event.timestamp));
  values.push(event);
}

function lookUp(index: Index, type: unknown, name: unknown): Selection {
  return ensure(
    ensure(index, type, () => new Map()),
    name,
    () => select(-Infinity),
  );
}

function indexOf(events: readonly HistoryEvent[], wanted: Wanted): Index {
  const index: Index = new Map();
  for (const event of Array.isArray(events) ? events : []) {
    const names = wanted.get(event?.type);
    if (!names || typeof event.event !== "string" || !Number.isFinite(event.timestamp)) continue;
    for (const name of [event.event, 0]) if (names.has(name)) add(lookUp(index, event.type, name), event);
  }
  return index;
}

/** How many of the ascending `times` are at or before `instant`. */
export function countUpTo(times: readonly number[], instant: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! <= instant) low = middle + 1;
    else high = middle;
  }
  return low;
}
