/** Windows: which part of a selection counts at an instant, and when that part changes. */
import type { Window } from "../condition.ts";
import { countUpTo } from "./selection.ts";
import { durationMs } from "./value.ts";

/** Events `low` up to, not including, `high` count. */
export interface Span {
  low: number;
  high: number;
  /** When the next event comes into the window; Infinity = none. */
  enters: number;
  /** How long after its time an event leaves the window; Infinity = never. */
  length: number;
}

/** Which events of a window count at an instant. */
export type SpanAt = (times: readonly number[], now: number) => Span;

/** Compiles the window of the last …, all that the browser has: an event counts while `now - within < timestamp <= now`. */
export function lastOf({ within }: Window): SpanAt {
  const length = durationMs(within);
  return (times, now) => {
    const high = countUpTo(times, now);
    return { low: countUpTo(times, now - length), high, enters: times[high] ?? Infinity, length };
  };
}
