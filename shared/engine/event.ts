/** Leaves over one kind of event in a window: how many, a property's aggregate, how long ago the last. */
import type { EventCondition, Operators } from "../condition.ts";
import { combine } from "./logic.ts";
import { readerOf, testsOf } from "./operators.ts";
import { type Code, ensure, type Leaf, type Node, type Run, type Scope, settle } from "./run.ts";
import { type Selection, type Series, selectionOf } from "./selection.ts";
import { durationMs, isScalar, readPath } from "./value.ts";
import { changeOf, type Span, spanOf } from "./window.ts";

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
    const spanAt = spanOf(condition);
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
const measureCount = ({ count = { gte: 1 } }: EventCondition, scope: Scope): Measure => ({
  read: (_, { low, high }) => high - low,
  test: testsOf(count, scope),
  cuts: Object.values(count)
    .flat()
    .map((operand) => readerOf(operand, scope)),
});

/** How long ago the last was: it passes each length once, and never before there was one. */
const measureRecency = ({ recency }: EventCondition): Measure => ({
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

/** The values that an aggregate reads, what it makes of some of them, oldest first, and of none. */
type Aggregate = [reads: (value: unknown) => boolean, reduce: (values: never[]) => unknown, none?: number];

const isThere = (value: unknown) => value !== undefined;
const total = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0);

const AGGREGATES: { readonly [key: string]: Aggregate } = {
  sum: [Number.isFinite, total, 0],
  avg: [Number.isFinite, (numbers) => total(numbers) / numbers.length],
  min: [Number.isFinite, (numbers: number[]) => numbers.reduce((a, b) => Math.min(a, b))],
  max: [Number.isFinite, (numbers: number[]) => numbers.reduce((a, b) => Math.max(a, b))],
  distinct: [isScalar, (values) => new Set(values).size, 0],
  first: [isThere, (values) => values[0]],
  last: [isThere, (values) => values.at(-1)],
};

const measureAggregate =
  (key: string, [reads, reduce, none]: Aggregate) =>
  (condition: EventCondition, scope: Scope): Measure => {
    const { event, type, where, within, between, after, before, [key as "sum"]: path, ...operators } = condition;
    const keys = path!.split(".");
    return {
      series: ({ columns, times, values }) =>
        ensure(columns, `${key} ${path}`, () => {
          const series: Series = { times: [], values: [] };
          values.forEach(({ properties }, i) => {
            const value = readPath(properties, keys);
            if (reads(value)) {
              series.times.push(times[i]!);
              series.values.push(value);
            }
          });
          return series;
        }) as Series,
      read({ values }, { low, high }) {
        const some = values.slice(low, high);
        return some.length ? reduce(some as never[]) : none;
      },
      test: testsOf(operators as Operators, scope),
    };
  };

/** Measure by its key. */
export const MEASURES: { readonly [key: string]: (condition: EventCondition, scope: Scope) => Measure } = {
  recency: measureRecency,
  event: measureCount,
  type: measureCount,
  ...Object.fromEntries(Object.entries(AGGREGATES).map(([key, kind]) => [key, measureAggregate(key, kind)])),
};
