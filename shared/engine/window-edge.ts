/** Windows of any form: the last …, between two distances, between two instants. */
import type { Window } from "../condition.ts";
import { instantOf } from "./dates.ts";
import { countUpTo } from "./selection.ts";
import { durationMs } from "./value.ts";
import type { SpanAt } from "./window.ts";

/**
 * Compiles a window. An event counts while `now - from < timestamp <= now - to`, where `within` sets `from`, and `between` sets
 * both; `after <= timestamp < before` where these are given. Never an event of the future.
 */
export function spanOf(window: Window): SpanAt {
  const { within, between, after, before } = window;
  const bounds = Array.isArray(between) ? between.map(durationMs) : [0, durationMs(within)];
  const [to, length] = bounds as [number, number];
  const first = after === undefined ? -Infinity : instantOf(after) - 1;
  const last = before === undefined ? Infinity : instantOf(before) - 1;
  return (times, now) => {
    const high = countUpTo(times, Math.min(now - to, last));
    const next = times[high]!;
    return {
      low: Math.min(high, countUpTo(times, Math.max(now - length, first))),
      high,
      enters: next <= last ? next + to : Infinity,
      length,
    };
  };
}
