/** Leaves over one kind of event in a window: what all of them share, and the number of events. */
import type { EventCondition } from "../condition.ts";
import { readerOf, testsOf } from "./operators.ts";
import { type Leaf, type Node, type Run, type Scope, settle } from "./run.ts";
import { type Selection, type Series, selectionOf } from "./selection.ts";
import type { Span } from "./window.ts";

/** What a leaf measures of its events, and how that is judged. */
export interface Measure {
  /** The instants that matter and what is read there; left out, it is the events themselves. */
  series?(selection: Selection): Series;
  read(series: Series, span: Span): unknown;
  test: Node;
  /** From which instants on, among others, it may be judged otherwise as events leave. */
  turns(run: Run, times: readonly number[], span: Span): number[];
}

/** Of a measure that may be another once the next event leaves. */
export const leaving: Measure["turns"] = (_, times, { low, length }) => [times[low]! + length];

/** Makes a leaf of a measure. */
export function measured(measureOf: (condition: EventCondition, scope: Scope) => Measure): Leaf {
  return (condition: EventCondition, scope) => {
    const select = selectionOf(condition, scope);
    const spanAt = scope.language.span(condition);
    const { series, read, test, turns } = measureOf(condition, scope);
    return settle((run) => {
      const { now } = run;
      const selection = select(run);
      const seen = series?.(selection) ?? selection;
      const { times } = seen;
      const span = spanAt(times, now);
      const code = test(run, read(seen, span));
      const until = Math.min(run.until, selection.until);
      run.until = Math.min(until, span.enters, ...turns(run, times, span).filter((turn) => turn > now));
      return code;
    });
  };
}

/** How many: `count`, at least one unless it says otherwise. Its judgement turns where it comes to an operand, and below it. */
export const measureCount = ({ count = { gte: 1 } }: EventCondition, scope: Scope): Measure => {
  const operands = Object.values(count)
    .flat()
    .map((operand) => readerOf(operand, scope));
  return {
    read: (_, { low, high }) => high - low,
    test: testsOf(count, scope),
    turns: (run, times, { high, length }) =>
      operands.flatMap((read) => {
        const operand = read(run);
        return typeof operand === "number"
          ? [Math.ceil(operand), Math.floor(operand) + 1].map((count) => times[high - count]! + length)
          : [];
      }),
  };
};
