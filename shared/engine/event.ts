/** Leaves over one kind of event in a window: what all of them share, and the number of events. */
import type { EventCondition } from "../condition.ts";
import { testsOf } from "./operators.ts";
import { type Leaf, type Node, type Run, type Scope, settle } from "./run.ts";
import { type Selection, type Series, selectionOf } from "./selection.ts";
import { changeOf, type Span } from "./window.ts";

/** What a leaf measures of its events, how that is judged, and which operands can turn the judgement of a count. */
export interface Measure {
  /** The instants that matter and what is read there; left out, it is the events themselves. */
  series?(selection: Selection): Series;
  read(series: Series, span: Span): unknown;
  test: Node;
  cuts?: ((run: Run) => unknown)[];
}

/** Makes a leaf of a measure. */
export function measured(measureOf: (condition: EventCondition, scope: Scope) => Measure): Leaf {
  return (condition: EventCondition, scope) => {
    const select = selectionOf(condition, scope);
    const spanAt = scope.language.span(condition);
    const { series, read, test, cuts } = measureOf(condition, scope);
    return settle((run) => {
      const selection = select(run);
      const seen = series?.(selection) ?? selection;
      const { times } = seen;
      const span = spanAt(times, run.now);
      const code = test(run, read(seen, span));
      let change = changeOf(span, times);
      const until = Math.min(run.until, selection.until);
      if (cuts) {
        // Events leave one by one from the oldest: the judgement can turn only where the count passes an operand.
        let next = -1;
        for (const cut of cuts) {
          const operand = cut(run);
          if (typeof operand !== "number") continue;
          for (const low of [Math.ceil(operand) - 1, Math.floor(operand)]) {
            if (low < span.high - span.low && low > next && test(run, low) !== code) next = low;
          }
        }
        change = Math.min(span.enters, next < 0 ? Infinity : times[span.high - next - 1]! + span.length);
      }
      run.until = Math.min(until, change);
      return code;
    });
  };
}

/** How many: `count`, at least one unless it says otherwise. */
export const measureCount = ({ count = { gte: 1 } }: EventCondition, scope: Scope): Measure => ({
  read: (_, { low, high }) => high - low,
  test: testsOf(count, scope),
  cuts: Object.values(count)
    .flat()
    .map((operand) => scope.language.read?.(operand, scope) ?? (() => operand)),
});
