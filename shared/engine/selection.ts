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
  /** How many of the events that it chooses from it has looked at. */
  seen: number;
  /** It holds from `since` … */
  since: number;
  /** … until here, when a `where` compares dates with the clock; otherwise for good. */
  until: number;
  /** What has been read from the events so far. */
  columns: Map<unknown, unknown>;
}

/** How a leaf gets at its events during a run. */
export type Select = (run: Run) => Selection;

/** Type → name → slot of its events in `run.lasting`. Under the name 0, which no event can have, are those of any name. */
type Wanted = Map<unknown, Map<unknown, number>>;

const select = (since: number): Selection => ({
  times: [],
  values: [],
  seen: 0,
  since,
  until: Infinity,
  columns: new Map(),
});

const wantedIn = (scope: Scope) => ensure(scope.made, "wanted", () => new Map()) as Wanted;

/** Compiles a selector; equal ones share one selection per evaluation. */
export function selectionOf(selector: EventSelector, scope: Scope): Select {
  scope.needs |= ANALYTICS;
  const { event = 0, type = "track", where } = selector;
  const names = ensure(wantedIn(scope), type, () => new Map()) as Map<unknown, number>;
  const nameSlot = ensure(names, event, scope.keep);
  const ofName: Select = ({ lasting, subject }) => {
    if (!lasting[nameSlot]) indexEvents(lasting, subject.events, scope);
    return lasting[nameSlot] as Selection;
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
    const { lasting, now } = run;
    const all = ofName(run);
    let chosen = lasting[slot] as Selection | undefined;
    if (!chosen || now < chosen.since || now >= chosen.until) lasting[slot] = chosen = select(now);
    for (; chosen.seen < all.times.length; chosen.seen++) {
      const candidate = all.values[chosen.seen]!;
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

/** Puts a subject's events where the selectors look for them. */
export function indexEvents(lasting: unknown[], events: readonly HistoryEvent[], scope: Scope): void {
  for (const names of wantedIn(scope).values()) for (const slot of names.values()) lasting[slot] = select(-Infinity);
  addEvents(lasting, Array.isArray(events) ? events : [], scope);
}

/** Adds events, none of them older than those before. */
export function addEvents(lasting: unknown[], events: readonly HistoryEvent[], scope: Scope): void {
  const wanted = wantedIn(scope);
  for (const event of events) {
    const names = wanted.get(event?.type);
    if (!names || !canCount(event)) continue;
    for (const name of [event.event, 0]) {
      const slot = names.get(name);
      if (slot !== undefined) add(lasting[slot] as Selection, event);
    }
  }
}

/** It has a name and a time. */
export const canCount = (event: HistoryEvent) => typeof event?.event === "string" && Number.isFinite(event.timestamp);

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
