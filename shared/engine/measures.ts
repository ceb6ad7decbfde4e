/** All that can be measured of the events in a window, by the key that asks for it. */
import type { EventCondition } from "../condition.ts";
import { type Aggregate, measureAggregate, measureSum, total } from "./aggregate.ts";
import { measureDays } from "./calendar.ts";
import { type Measure, measureCount } from "./event.ts";
import { combine } from "./logic.ts";
import type { Code, Node, Scope } from "./run.ts";
import { durationMs, isScalar } from "./value.ts";

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

const isThere = (value: unknown) => value !== undefined;

const AGGREGATES: { readonly [key: string]: Aggregate } = {
  avg: [Number.isFinite, (numbers) => total(numbers) / numbers.length],
  min: [Number.isFinite, (numbers: number[]) => numbers.reduce((a, b) => Math.min(a, b))],
  max: [Number.isFinite, (numbers: number[]) => numbers.reduce((a, b) => Math.max(a, b))],
  distinct: [isScalar, (values) => new Set(values).size, 0],
  first: [isThere, (values) => values[0]],
  last: [isThere, (values) => values.at(-1)],
};

/** A plain event is counted. */
export const MEASURES: { readonly [key: string]: (condition: EventCondition, scope: Scope) => Measure } = {
  event: measureCount,
  type: measureCount,
  sum: measureSum,
  days: measureDays,
  recency: measureRecency,
  ...Object.fromEntries(Object.entries(AGGREGATES).map(([key, kind]) => [key, measureAggregate(key, kind)])),
};
