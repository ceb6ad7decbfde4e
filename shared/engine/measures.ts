/** All that can be measured of the events in a window, by the key that asks for it, each in at most the logarithm of their number. */
import type { EventCondition, Operators } from "../condition.ts";
import type { HistoryEvent } from "../event.ts";
import { dayIn } from "./calendar.ts";
import { measureCount } from "./event.ts";
import { combine } from "./logic.ts";
import { testsOf } from "./operators.ts";
import { type Code, ensure, type Node, type Scope } from "./run.ts";
import { countUpTo, type Series } from "./selection.ts";
import { total } from "./sum.ts";
import type { EdgeMeasure } from "./threshold.ts";
import { durationMs, isScalar, readPath } from "./value.ts";

/** How long ago the last was: it passes each length once, and never before there was one. */
const measureRecency = ({ recency }: EventCondition): EdgeMeasure => ({
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

/** What is known of the values so far, so that a measure of the last of them takes no look at each. */
interface Fold {
  add(value: unknown, index: number): void;
  /** The measure of the values from `low` to before `high`. */
  read(low: number, high: number): unknown;
  /** About the last `low` at which the measure up to `high` is at least the number; undefined where it is to be searched. */
  guess?(number: number, high: number): number | undefined;
}

/** The values that a measure reads of events, oldest first, and what it knows of them. */
interface Column extends Series {
  /** How many events it has looked at. */
  seen: number;
  fold: Fold;
  /** Some value is below 0. */
  isMixed: boolean;
  /** How many values the fold has taken in: those of the future only when they have come. */
  folded: number;
}

/** What is measured: the values that matter, the measure of none, and how it is folded. */
interface Folding {
  name: string;
  read(event: HistoryEvent, time: number): unknown;
  matters(value: unknown): boolean;
  none?: number;
  start(): Fold;
  /** As events leave it only falls, while no value is below 0. */
  falls?: boolean;
}

function fold({ name, read, matters, none, start, falls }: Folding): Pick<EdgeMeasure, "series" | "read" | "reach"> {
  const begin = (): Column => ({ times: [], values: [], seen: 0, isMixed: false, fold: start(), folded: 0 });
  /** The fold of a column's values before `high`. */
  const foldOf = (series: Series, high: number): Fold => {
    const column = series as Column;
    if (column.folded > high) Object.assign(column, { fold: start(), folded: 0 });
    for (; column.folded < high; column.folded++) column.fold.add(column.values[column.folded], column.folded);
    return column.fold;
  };
  return {
    series({ columns, times, values }) {
      const column = ensure(columns, name, begin) as Column;
      for (; column.seen < times.length; column.seen++) {
        const time = times[column.seen]!;
        const value = read(values[column.seen]!, time);
        if (!matters(value)) continue;
        column.times.push(time);
        column.values.push(value);
        column.isMixed ||= typeof value === "number" && value < 0;
      }
      return column;
    },
    read: (series, { low, high }) => (low < high ? foldOf(series, high).read(low, high) : none),
    ...(falls && { reach }),
  };

  function reach(series: Series, number: number, orEqual: boolean): number | undefined {
    const { isMixed, times } = series as Column;
    if (isMixed) return undefined;
    const { length } = times;
    const fold = foldOf(series, length);
    const holds = (low: number) => {
      const value = low < length ? (fold.read(low, length) as number) : none!;
      return orEqual ? value >= number : value > number;
    };
    let low = fold.guess?.(number, length) ?? bisect(length, holds);
    while (low < length && holds(low + 1)) low++;
    while (low >= 0 && !holds(low)) low--;
    return low;
  }
}

/** The last index up to `length` at which it holds; -1 for none. */
function bisect(length: number, holds: (index: number) => boolean): number {
  let last = -1;
  let next = length + 1;
  while (last + 1 < next) {
    const middle = (last + next) >> 1;
    if (holds(middle)) last = middle;
    else next = middle;
  }
  return last;
}

/** Sums that are rounded once: each is kept with what rounding took from it, so that differences of them are as exact. */
function foldSum(): Fold {
  const numbers: number[] = [];
  const sums = [0];
  const losses = [0];
  return {
    add(value) {
      numbers.push(value as number);
      const before = sums.at(-1)!;
      const sum = before + (value as number);
      const loss = losses.at(-1)! + lossOf(before, value as number, sum);
      sums.push(sum + loss);
      losses.push(lossOf(sum, loss, sum + loss));
    },
    read(low, high) {
      const sum = sums[high]! - sums[low]!;
      const exact = sum + (lossOf(sums[high]!, -sums[low]!, sum) + losses[high]! - losses[low]!);
      // Too large a number spoils the sums behind it, not those of other windows.
      return Number.isFinite(exact) ? exact : total(numbers.slice(low, high));
    },
    guess: (number, high) => (Number.isFinite(sums[high]) ? countUpTo(sums, sums[high]! - number) - 1 : undefined),
  };
}

/** What rounding took from the sum of two numbers (Knuth's TwoSum). */
function lossOf(a: number, b: number, sum: number): number {
  const part = sum - a;
  return a - (sum - part) + (b - part);
}

/** The best of the last values: whatever a later one beats is never asked for again. */
const foldBest = (beats: (a: number, b: number) => boolean) => (): Fold => {
  const best: number[] = [];
  const indices: number[] = [];
  return {
    add(value, index) {
      while (best.length && !beats(best.at(-1)!, value as number)) {
        best.pop();
        indices.pop();
      }
      best.push(value as number);
      indices.push(index);
    },
    read: (low) => best[countUpTo(indices, low - 1)],
  };
};

/** How many different values: of equal ones the last counts. */
function foldDistinct(): Fold {
  const known = new Map<unknown, number>();
  const last: number[] = [];
  return {
    add(value, index) {
      const before = known.get(value);
      if (before !== undefined) last.splice(countUpTo(last, before) - 1, 1);
      known.set(value, index);
      last.push(index);
    },
    read: (low) => last.length - countUpTo(last, low - 1),
  };
}

/** One of the last values itself. */
const foldOne = (pick: (low: number, high: number) => number) => (): Fold => {
  const values: unknown[] = [];
  return { add: (value) => values.push(value), read: (low, high) => values[pick(low, high)] };
};

/** The mean of numbers. */
function foldMean(): Fold {
  const sum = foldSum();
  return {
    add: (value, index) => sum.add(value, index),
    read: (low, high) => (sum.read(low, high) as number) / (high - low),
  };
}

type Aggregate = Omit<Folding, "name" | "read">;

const isThere = (value: unknown) => value !== undefined;

const AGGREGATES: { readonly [key: string]: Aggregate } = {
  sum: { matters: Number.isFinite, none: 0, start: foldSum, falls: true },
  avg: { matters: Number.isFinite, start: foldMean },
  min: { matters: Number.isFinite, start: foldBest((a, b) => a < b) },
  max: { matters: Number.isFinite, start: foldBest((a, b) => a > b) },
  distinct: { matters: isScalar, none: 0, start: foldDistinct, falls: true },
  first: { matters: isThere, start: foldOne((low) => low) },
  last: { matters: isThere, start: foldOne((_, high) => high - 1) },
};

/** An aggregate of a property. */
const measureAggregate =
  (key: string, aggregate: Aggregate) =>
  (condition: EventCondition, scope: Scope): EdgeMeasure => {
    const { event, type, where, within, between, after, before, [key as "sum"]: path, ...operators } = condition;
    const keys = path!.split(".");
    const read = ({ properties }: HistoryEvent) => readPath(properties, keys);
    return {
      ...fold({ name: `${key} ${path}`, read, ...aggregate }),
      test: testsOf(operators as Operators, scope),
      operators: operators as Operators,
    };
  };

/** On how many calendar days of the site's zone. */
function measureDays({ days }: EventCondition, scope: Scope): EdgeMeasure {
  const dayOf = dayIn(scope);
  return {
    ...fold({ ...AGGREGATES["distinct"]!, name: "days", read: (_, time) => dayOf(time) }),
    test: testsOf(days!, scope),
    operators: days!,
  };
}

/** How many, of which the last ones are known without a look. */
const measureNumber = (condition: EventCondition, scope: Scope): EdgeMeasure => ({
  ...measureCount(condition, scope),
  operators: condition.count ?? { gte: 1 },
  reach: ({ times }, number, orEqual) => times.length - (orEqual ? Math.ceil(number) : Math.floor(number) + 1),
});

/** A plain event is counted. */
export const MEASURES: { readonly [key: string]: (condition: EventCondition, scope: Scope) => EdgeMeasure } = {
  ...Object.fromEntries(Object.entries(AGGREGATES).map(([key, kind]) => [key, measureAggregate(key, kind)])),
  event: measureNumber,
  type: measureNumber,
  days: measureDays,
  recency: measureRecency,
};
