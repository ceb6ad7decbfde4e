/** Which events a leaf looks at: the history indexed by type and name once per evaluation, filtered by `where`. */
import type { EventSelector } from "../condition.ts";
import type { HistoryEvent } from "../event.ts";
import { combine } from "./logic.ts";
import { testsOf } from "./operators.ts";
import { ANALYTICS, type Node, type Run, type Scope, TRUE } from "./run.ts";
import { readPath } from "./value.ts";

/** Events in time order. */
export interface Selection {
  /** Whole epoch milliseconds, ascending. */
  times: number[];
  events: HistoryEvent[];
  /** It holds from … */
  since: number;
  /** … until, when a `where` compares dates with the clock; Infinity otherwise. */
  until: number;
  /** What has been read from the events so far, by column. */
  columns: Map<string, unknown[]>;
}

/** How a leaf gets at its events during a run. */
export type Select = (run: Run) => Selection;

/** Type → name → its events. The name 0 stands for any name: no event can have it. */
type Index = Map<unknown, Map<unknown, Selection>>;

const DATE_LIMIT = 8.64e15;

const emptySelection = (): Selection => ({
  times: [],
  events: [],
  since: -Infinity,
  until: Infinity,
  columns: new Map(),
});

/** Compiles a selector; equal ones share one selection per evaluation. */
export function selectionOf(selector: EventSelector, scope: Scope): Select {
  scope.needs |= ANALYTICS;
  const { event = 0, type = "track", where } = selector;
  const index = indexOf(scope);
  index.wanted.push([type, event]);
  const ofName: Select = (run) => index.read(run).get(type)!.get(event)!;
  if (!where) return ofName;
  const tests = Object.entries(where).map(([path, operators]): Node => {
    const keys = path.split(".");
    const test = testsOf(operators, scope);
    return (run, event) => test(run, readPath((event as HistoryEvent).properties, keys));
  });
  const test = combine(tests, 0);
  return scope.once(JSON.stringify([type, event, where]), () => {
    const slot = scope.keep();
    return (run) => {
      const kept = run.kept[slot] as Selection | undefined;
      if (kept && kept.since <= run.now && run.now < kept.until) return kept;
      const all = ofName(run);
      const chosen = emptySelection();
      chosen.since = run.now;
      all.events.forEach((candidate, at) => {
        if (test(run, candidate) === TRUE) {
          chosen.events.push(candidate);
          chosen.times.push(all.times[at]!);
        }
        chosen.until = Math.min(chosen.until, run.until);
      });
      run.kept[slot] = chosen;
      return chosen;
    };
  });
}

/** The program's one index: which names its leaves want, and the events under them in a run. */
function indexOf(scope: Scope) {
  return scope.once("index", () => {
    const wanted: [unknown, unknown][] = [];
    const slot = scope.keep();
    return {
      wanted,
      read(run: Run): Index {
        run.kept[slot] ??= buildIndex(run.subject.events, wanted);
        return run.kept[slot] as Index;
      },
    };
  });
}

function buildIndex(events: readonly HistoryEvent[], wanted: readonly [unknown, unknown][]): Index {
  const index: Index = new Map();
  for (const [type, name] of wanted) {
    const names = index.get(type) ?? new Map();
    index.set(type, names.set(name, emptySelection()));
  }
  if (!Array.isArray(events)) return index;
  let last = -Infinity;
  for (const event of events) {
    const names = index.get(event?.type);
    if (!names || typeof event.event !== "string" || !(Math.abs(event.timestamp) <= DATE_LIMIT)) continue;
    const time = Math.floor(event.timestamp);
    // The caller promises order; without it the search by halves would answer anything.
    if (time < last) return buildIndex(inOrder(events), wanted);
    last = time;
    for (const selection of [names.get(event.event), names.get(0)]) {
      selection?.times.push(time);
      selection?.events.push(event);
    }
  }
  return index;
}

const inOrder = (events: readonly HistoryEvent[]) =>
  events.filter((event) => Math.abs(event?.timestamp) <= DATE_LIMIT).sort((a, b) => a.timestamp - b.timestamp);

/** The value at `path` in each event of the selection, read once. */
export function columnOf(selection: Selection, path: string): unknown[] {
  return columnFrom(selection, path, () => {
    const keys = path.split(".");
    return (event) => readPath(event.properties, keys);
  });
}

/** Something worked out from each event of the selection, once. */
export function columnFrom(selection: Selection, key: string, make: () => (event: HistoryEvent) => unknown): unknown[] {
  let column = selection.columns.get(key);
  if (!column) {
    column = selection.events.map(make());
    selection.columns.set(key, column);
  }
  return column;
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
