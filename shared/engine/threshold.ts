/**
 * Measures that only fall as events leave, and are judged by thresholds: from which of the last events on one is reached says when it
 * no longer will be. One look gives answer and `until`, wherever the window stands.
 */
import type { EventCondition, Operators } from "../condition.ts";
import { leaving, type Measure, measured } from "./event.ts";
import type { Leaf, Scope } from "./run.ts";
import { type Series, selectionOf } from "./selection.ts";
import { durationMs } from "./value.ts";

/** A measure that may be judged by thresholds. */
export interface EdgeMeasure extends Omit<Measure, "turns"> {
  /** Left out: once the next event leaves. */
  turns?: Measure["turns"];
  operators?: Operators;
  /**
   * Of a measure that only falls as events leave: the last `low` at which all from there on are at least the number, or above it; -1 for
   * none, the number of events if none are needed. Undefined where it may grow.
   */
  reach?(series: Series, number: number, orEqual: boolean): number | undefined;
}

interface Threshold {
  number: number;
  orEqual: boolean;
  /** The measure has to be under it. */
  under: boolean;
}

/** What each operator asks of a number; those that are not here ask for something else. */
const THRESHOLDS: { readonly [operator: string]: (number: number) => Threshold[] } = {
  gte: (number) => [{ number, orEqual: true, under: false }],
  gt: (number) => [{ number, orEqual: false, under: false }],
  lt: (number) => [{ number, orEqual: true, under: true }],
  lte: (number) => [{ number, orEqual: false, under: true }],
  eq: (number) => [
    { number, orEqual: true, under: false },
    { number, orEqual: false, under: true },
  ],
};

/** Undefined if thresholds do not say it all. */
function thresholdsOf(operators: Operators = {}): Threshold[] | undefined {
  const found: Threshold[] = [];
  for (const [operator, number] of Object.entries(operators)) {
    if (!Object.hasOwn(THRESHOLDS, operator) || typeof number !== "number") return undefined;
    found.push(...THRESHOLDS[operator]!(number));
  }
  return found.length ? found : undefined;
}

/** Makes a leaf of a measure, by thresholds where that can be. */
export function judged(measureOf: (condition: EventCondition, scope: Scope) => EdgeMeasure): Leaf {
  return (condition: EventCondition, scope) => {
    const general = measured((...asked) => ({ turns: leaving, ...measureOf(...asked) }))(condition, scope);
    const { series, operators, reach } = measureOf(condition, scope);
    const thresholds = thresholdsOf(operators);
    const { within, between, after, before } = condition;
    if (!thresholds || !reach || between || after || before) return general;
    const select = selectionOf(condition, scope);
    const length = durationMs(within);

    return (run) => {
      const { now } = run;
      const selection = select(run);
      const seen = series?.(selection) ?? selection;
      const { times } = seen;
      const count = times.length;
      if (selection.until < Infinity || (count > 0 && times[count - 1]! > now)) return general(run);
      let from = -Infinity;
      let to = Infinity;
      for (const { number, orEqual, under } of thresholds) {
        const low = reach(seen, number, orEqual);
        if (low === undefined) return general(run);
        const turn = low < 0 ? -Infinity : low < count ? times[low]! + length : Infinity;
        if (under) from = Math.max(from, turn);
        else to = Math.min(to, turn);
      }
      if (from <= now && now < to) {
        run.until = to;
        return 1;
      }
      run.until = now < from && from < to ? from : Infinity;
      return 0;
    };
  };
}
