/** All that can be measured of the events in a window, by the key that asks for it, each in at most the logarithm of their number. */
import type { EventCondition, Operators } from "../condition.ts";
import type { HistoryEvent } from "../event.ts";
import { dayIn } from "./calendar.ts";
import { type Measure, measureCount, operandsOf } from "./event.ts";
import { combine } from "./logic.ts";
import { testsOf } from "./operators.ts";
import { type Code, ensure, type Node, type Scope } from "./run.ts";
import { countUpTo, type Series } from "./selection.ts";
import { total } from "./sum.ts";
import { durationMs, isScalar, readPath } from "./value.ts";
import type { Span } from "./window.ts";

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

/** What is known of the values so far, so that a measure of the last of them takes no look at each. */
interface Fold {
  add(value: unknown, index: number): void;
  /** The measure of the values from `low` to before `high`. */
  read(low: number, high: number): unknown;
}

/** The values that a measure reads of events, oldest first, and what it knows of them. */
interface Column extends Series {
  /** How many events it has looked at. */
  seen: number;
  fold: Fold;
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

function fold({ name, read, matters, none, start, falls }: Folding): Pick<Measure, "series" | "read" | "fallsTo"> {
  const begin = (): Column => ({ times: [], values: [], seen: 0, fold: start(), folded: 0 });
  return {
    series({ columns, times, values }) {
      const column = ensure(columns, name, begin) as Column;
      for (; column.seen < times.length; column.seen++) {
        const time = times[column.seen]!;
        const value = read(values[column.seen]!, time);
        if (!matters(value)) continue;
        column.isMixed ||= (value as number) < 0;
        column.times.push(time);
        column.values.push(value);
      }
      return column;
    },
    read(series, { low, high }) {
      if (low >= high) return none;
      const column = series as Column;
      if (column.folded > high) Object.assign(column, { fold: start(), folded: 0 });
      for (; column.folded < high; column.folded++) column.fold.add(column.values[column.folded], column.folded);
      return column.fold.read(low, high);
    },
    ...(falls && { fallsTo }),
  };
}

function fallsTo(series: Series, { low, high }: Span, number: number): number[] {
  const { fold } = series as Column;
  return [false, true].map((orEqual) => {
    let above = low - 1;
    let below = high + 1;
    while (above + 1 < below) {
      const middle = (above + below) >> 1;
      const value = fold.read(middle, high) as number;
      if (value < number || (orEqual && value === number)) below = middle;
      else above = middle;
    }
    return below;
  });
}

/** Sums that are rounded once: each is kept with what rounding took from it, so that differences of them are as exact. */
function foldSum(): Fold {
  const numbers: number[] = [];
  const sums = [0];
  const losses = [0];
  return {
    add(value) {
      numbers.push(value as number);
      const [sum, loss] = addExactly(sums.at(-1)!, value as number);
      const [rounded, lost] = addExactly(sum, losses.at(-1)! + loss);
      sums.push(rounded);
      losses.push(lost);
    },
    read(low, high) {
      const [sum, loss] = addExactly(sums[high]!, -sums[low]!);
      const exact = sum + (loss + losses[high]! - losses[low]!);
      // Too large a number spoils the sums behind it, not those of other windows.
      return Number.isFinite(exact) ? exact : total(numbers.slice(low, high));
    },
  };
}

/** The rounded sum of two numbers, and what rounding took from it (Knuth's TwoSum). */
function addExactly(a: number, b: number): [sum: number, loss: number] {
  const sum = a + b;
  const part = sum - a;
  return [sum, a - (sum - part) + (b - part)];
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
  (condition: EventCondition, scope: Scope): Measure => {
    const { event, type, where, within, between, after, before, [key as "sum"]: path, ...operators } = condition;
    const keys = path!.split(".");
    const read = ({ properties }: HistoryEvent) => readPath(properties, keys);
    return {
      ...fold({ name: `${key} ${path}`, read, ...aggregate }),
      test: testsOf(operators as Operators, scope),
      operands: operandsOf(operators as Operators, scope),
    };
  };

/** On how many calendar days of the site's zone. */
function measureDays({ days }: EventCondition, scope: Scope): Measure {
  const dayOf = dayIn(scope);
  return {
    ...fold({ ...AGGREGATES["distinct"]!, name: "days", read: (_, time) => dayOf(time) }),
    test: testsOf(days!, scope),
    operands: operandsOf(days!, scope),
  };
}

/** A plain event is counted. */
export const MEASURES: { readonly [key: string]: (condition: EventCondition, scope: Scope) => Measure } = {
  ...Object.fromEntries(Object.entries(AGGREGATES).map(([key, kind]) => [key, measureAggregate(key, kind)])),
  event: measureCount,
  type: measureCount,
  days: measureDays,
  recency: measureRecency,
};
