/** Leaves over one kind of event in a window: how many, a property's aggregate, how long ago the last. */
import type { EventCondition } from "../condition.ts";
import { combine } from "./logic.ts";
import { readerOf, testsOf } from "./operators.ts";
import { type Code, type Leaf, type Node, type Run, type Scope, settle } from "./run.ts";
import { columnOf, type Selection, selectionOf } from "./selection.ts";
import { durationMs, isScalar } from "./value.ts";
import { changeOf, type Span, spanOf } from "./window.ts";

/** What a leaf measures of the events in the span, how that is judged, and which operands can turn the judgement of a count. */
export interface Measure {
  read(selection: Selection, span: Span): unknown;
  test: Node;
  cuts?: ((run: Run) => unknown)[];
}

/** Makes a leaf of a measure. */
export function measured(measureOf: (condition: EventCondition, scope: Scope) => Measure): Leaf {
  return (condition: EventCondition, scope) => {
    const select = selectionOf(condition, scope);
    const spanAt = spanOf(condition);
    const { read, test, cuts } = measureOf(condition, scope);
    return settle((run) => {
      const selection = select(run);
      const { times } = selection;
      const span = spanAt(times, run.now);
      const code = test(run, read(selection, span));
      let until = Math.min(run.until, selection.until);
      if (cuts) {
        // Events leave one by one from the oldest: the judgement can turn only where the count passes an operand.
        let next = -1;
        for (const cut of cuts) {
          const operand = cut(run) as number;
          for (const low of [Math.ceil(operand) - 1, Math.floor(operand)]) {
            if (low < span.high - span.low && low > next && test(run, low) !== code) next = low;
          }
        }
        until = Math.min(until, span.enters, next < 0 ? Infinity : times[span.high - next - 1]! + span.length);
      } else until = Math.min(until, changeOf(span, times));
      run.until = until;
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
    .map((operand) => readerOf(operand, scope)),
});

/** How long ago the last was: it passes each length once, and never before there was one. */
export const measureRecency = ({ recency }: EventCondition): Measure => ({
  read: ({ times }, { low, high }) => (low < high ? times[high - 1] : NaN),
  test: combine(
    Object.entries(recency!).map(([operator, length]): Node => {
      const below = operator[0] === "l";
      // More than the length, and no longer at most it, from a millisecond later on.
      const extra = /^(gt|lte)$/.test(operator) ? 1 : 0;
      return (run, last) => {
        const edge = (last as number) + durationMs(length) + extra;
        run.until = run.now < edge ? edge : Infinity;
        return +(below ? run.now < edge : run.now >= edge) as Code;
      };
    }),
    0,
  ),
});

/** An aggregate under `key` of the values that `reads` accepts, oldest first. */
export const aggregate =
  <T>(key: string, reads: (value: unknown) => boolean, reduce: (values: T[]) => unknown) =>
  (condition: EventCondition, scope: Scope): Measure => {
    const path = (condition as unknown as { [key: string]: string })[key]!;
    return {
      read: (selection, { low, high }) => reduce(columnOf(selection, path).slice(low, high).filter(reads) as T[]),
      test: testsOf(condition, scope, `${key} event type where within between after before`),
    };
  };

const isThere = (value: unknown) => value !== undefined;
const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
const extreme = (pick: typeof Math.min) => (numbers: number[]) =>
  numbers.length ? numbers.reduce((a, b) => pick(a, b)) : undefined;

/** Measure by its key. */
export const MEASURES: { readonly [key: string]: (condition: EventCondition, scope: Scope) => Measure } = {
  recency: measureRecency,
  sum: aggregate("sum", Number.isFinite, sum),
  avg: aggregate("avg", Number.isFinite, (numbers: number[]) =>
    numbers.length ? sum(numbers) / numbers.length : undefined,
  ),
  min: aggregate("min", Number.isFinite, extreme(Math.min)),
  max: aggregate("max", Number.isFinite, extreme(Math.max)),
  distinct: aggregate("distinct", isScalar, (values) => new Set(values).size),
  first: aggregate("first", isThere, (values) => values[0]),
  last: aggregate("last", isThere, (values) => values.at(-1)),
  event: measureCount,
  type: measureCount,
};
