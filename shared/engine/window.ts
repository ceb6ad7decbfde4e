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

/**
 * Compiles a window. An event counts while `now - from < timestamp <= now - to`, where `within` sets `from`, and `between` sets
 * both; `after <= timestamp < before` where these are given. Never an event of the future.
 */
export function spanOf(
  window: Window,
  instant?: (text: unknown) => number,
): (times: readonly number[], now: number) => Span {
  const { within, between, after, before } = window;
  const bounds = Array.isArray(between) ? between.map(durationMs) : [0, durationMs(within)];
  const [to, length] = bounds as [number, number];
  const first = after === undefined ? -Infinity : instant!(after) - 1;
  const last = before === undefined ? Infinity : instant!(before) - 1;
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

/** When the part next changes. */
export function changeOf(span: Span, times: readonly number[]): number {
  return Math.min(span.enters, span.low < span.high ? times[span.low]! + span.length : Infinity);
}
