/** Leaves over one kind of event in a window: what all of them share, and the number of events. */
import type { EventCondition, Operators } from "../condition.ts";
import { readerOf, testsOf } from "./operators.ts";
import { type Leaf, type Node, type Run, type Scope, settle } from "./run.ts";
import { type Selection, type Series, selectionOf } from "./selection.ts";
import { changeOf, type Span } from "./window.ts";

/** What a leaf measures of its events, how that is judged, and when the judgement can turn. */
export interface Measure {
  /** The instants that matter and what is read there; left out, it is the events themselves. */
  series?(selection: Selection): Series;
  read(series: Series, span: Pick<Span, "low" | "high">): unknown;
  test: Node;
  /** What the judgement compares with. */
  operands?: ((run: Run) => unknown)[];
  /** For a measure that only falls as events leave: the first `low` at which it is below the number, and at most the number. */
  fallsTo?(series: Series, span: Span, number: number): readonly number[];
}

/** Makes a leaf of a measure. */
export function measured(measureOf: (condition: EventCondition, scope: Scope) => Measure): Leaf {
  return (condition: EventCondition, scope) => {
    const select = selectionOf(condition, scope);
    const spanAt = scope.language.span(condition);
    const { series, read, test, operands = [], fallsTo } = measureOf(condition, scope);
    return settle((run) => {
      const selection = select(run);
      const seen = series?.(selection) ?? selection;
      const { times } = seen;
      const span = spanAt(times, run.now);
      const code = test(run, read(seen, span));
      const until = Math.min(run.until, selection.until);
      let change = changeOf(span, times);
      if (fallsTo && !seen.isMixed) {
        // Events leave one by one from the oldest: the judgement can turn only where the measure passes an operand.
        const { high } = span;
        let low = Infinity;
        for (const operand of operands) {
          const number = operand(run);
          if (typeof number === "number")
            for (const at of fallsTo(seen, span, number))
              if (span.low < at && at <= high && at < low && test(run, read(seen, { low: at, high })) !== code)
                low = at;
        }
        change = Math.min(span.enters, low < Infinity ? times[low - 1]! + span.length : low);
        // Events that leave together, or one that enters, may leave the judgement as it is.
        if (change < span.enters && times[low] !== times[low - 1]) run.exact = change;
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
  operands: operandsOf(count, scope),
  fallsTo: (_, { high }, number) => [high - Math.ceil(number) + 1, high - Math.floor(number)],
});

/** What operators compare with, lists taken apart. */
export const operandsOf = (operators: Operators, scope: Scope) =>
  Object.values(operators)
    .flat()
    .map((operand) => readerOf(operand, scope));
