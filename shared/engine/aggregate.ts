/** Aggregates of a property over the events in a window, and the one of them that the browser has: the sum. */
import type { EventCondition, Operators } from "../condition.ts";
import type { Measure } from "./event.ts";
import { testsOf } from "./operators.ts";
import { ensure, type Scope } from "./run.ts";
import type { Series } from "./selection.ts";
import { readPath } from "./value.ts";

/** The values that an aggregate reads, what it makes of some of them, oldest first, and of none. */
export type Aggregate = [reads: (value: unknown) => boolean, reduce: (values: never[]) => unknown, none?: number];

/** The sum of numbers, always in the order of time: another order may round otherwise. */
export const total = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0);

/** Makes a measure of an aggregate. Only events that have a value for it matter, also for when the answer may change. */
export const measureAggregate =
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

export const measureSum = measureAggregate("sum", [Number.isFinite, total, 0]);
