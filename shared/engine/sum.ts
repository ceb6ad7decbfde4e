/** The one aggregate that the browser has. */
import type { EventCondition, Operators } from "../condition.ts";
import { leaving, type Measure } from "./event.ts";
import { testsOf } from "./operators.ts";
import { ensure, type Scope } from "./run.ts";
import type { Series } from "./selection.ts";
import { readPath } from "./value.ts";

/** The sum of numbers, rounded once: what each addition loses is added at the end (Neumaier), so that no order matters; endless beyond the largest number. */
export const total = (numbers: readonly number[]) => {
  let sum = 0;
  let lost = 0;
  for (const number of numbers) {
    const next = sum + number;
    lost += Math.abs(sum) < Math.abs(number) ? number - next + sum : sum - next + number;
    sum = next;
  }
  return Number.isFinite(lost) ? sum + lost : sum;
};

/** The sum of a property. Only events that have a number there matter, also for when the answer may change. */
export function measureSum(condition: EventCondition, scope: Scope): Measure {
  const { event, type, where, within, sum, ...operators } = condition;
  const keys = sum!.split(".");
  return {
    series: ({ columns, times, values }) =>
      ensure(columns, sum, () => {
        const series: Series = { times: [], values: [] };
        values.forEach(({ properties }, i) => {
          const value = readPath(properties, keys);
          if (Number.isFinite(value)) {
            series.times.push(times[i]!);
            series.values.push(value);
          }
        });
        return series;
      }) as Series,
    read: ({ values }, { low, high }) => total(values.slice(low, high) as number[]),
    test: testsOf(operators as Operators, scope),
    turns: leaving,
  };
}
