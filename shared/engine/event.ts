/** The `event` leaf: counts, aggregates, days and recency of matching events in a window. */
import type { EventCondition } from "../condition.ts";
import { combine } from "./logic.ts";
import { operandOf, testsOf } from "./operators.ts";
import { type Code, type Node, type Run, type Scope, settle } from "./run.ts";
import { columnFrom, columnOf, type Selection, selectionOf } from "./selection.ts";
import { durationMs, isScalar } from "./value.ts";
import { changeOf, type Span, spanOf } from "./window.ts";

/** What a part of the leaf measures: of the events in the span, the value that its test looks at. */
export type Measure = (selection: Selection, span: Span) => unknown;

const isNumber = (value: unknown) => Number.isFinite(value);
const isThere = (value: unknown) => value !== undefined;
const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);

/** Aggregates over the values of a property, oldest first: which values they read, and how. */
const AGGREGATES: { [key: string]: [(value: unknown) => boolean, (values: never[]) => unknown] } = {
  sum: [isNumber, sum],
  avg: [isNumber, (numbers) => (numbers.length ? sum(numbers) / numbers.length : undefined)],
  min: [isNumber, (numbers: number[]) => numbers.reduce((a, b) => Math.min(a, b), numbers[0]!)],
  max: [isNumber, (numbers: number[]) => numbers.reduce((a, b) => Math.max(a, b), numbers[0]!)],
  distinct: [isScalar, (values) => new Set(values).size],
  first: [isThere, (values) => values[0]],
  last: [isThere, (values) => values.at(-1)],
};

const OWN_KEYS = `event type where within between after before count days recency ${Object.keys(AGGREGATES).join(" ")}`;

/** A part of the leaf: what it measures, how that is judged, and which operands can turn the judgement of a count. */
export interface Part {
  measure: Measure;
  test: Node;
  cuts?: ((run: Run) => unknown)[];
}

/** The parts of an `event` condition, all of which must hold; with none it is a count of at least one. */
export function partsOf(condition: EventCondition, scope: Scope): Part[] {
  const parts: Part[] = [];
  const { days, recency } = condition;
  for (const key in AGGREGATES) {
    const path = condition[key as "sum"];
    if (typeof path !== "string") continue;
    const [reads, aggregate] = AGGREGATES[key]!;
    parts.push({
      measure: (selection, { low, high }) =>
        aggregate(columnOf(selection, path).slice(low, high).filter(reads) as never[]),
      test: testsOf(condition, scope, OWN_KEYS),
    });
  }
  if (days)
    parts.push({
      measure: (selection, { low, high }) =>
        new Set(columnFrom(selection, "", dayIn(scope.options.timeZone)).slice(low, high)).size,
      test: testsOf(days, scope),
    });
  if (recency)
    parts.push({
      measure: ({ times }, { low, high }) => (low < high ? times[high - 1] : undefined),
      test: combine(
        Object.entries(recency).map(([operator, duration]) => elapsed(operator, durationMs(duration))),
        0,
      ),
    });
  const count = condition.count ?? (parts.length ? undefined : { gte: 1 });
  if (count)
    parts.push({
      measure: (_, { low, high }) => high - low,
      test: testsOf(count, scope),
      cuts: Object.values(count)
        .flat()
        .map((operand) => operandOf(operand, scope)),
    });
  return parts;
}

/** The leaf. */
export function eventLeaf(condition: EventCondition, scope: Scope): Node {
  const select = selectionOf(condition, scope);
  const span = spanOf(condition);
  return combine(
    partsOf(condition, scope).map(({ measure, test, cuts }) =>
      settle((run) => {
        const selection = select(run);
        const { times } = selection;
        const part = span(times, run.now);
        const count = part.high - part.low;
        const code = test(run, measure(selection, part));
        let until = Math.min(run.until, selection.until, part.enters);
        if (cuts) {
          // Events leave one by one from the oldest: the judgement can turn only where the count passes an operand.
          let next = -1;
          for (const cut of cuts) {
            const operand = cut(run) as number;
            for (const low of [Math.ceil(operand) - 1, Math.floor(operand)]) {
              if (low < count && low > next && test(run, low) !== code) next = low;
            }
          }
          if (next >= 0) until = Math.min(until, times[part.high - next - 1]! + part.length);
        } else until = Math.min(until, changeOf(part, times));
        run.until = until;
        return code;
      }),
    ),
    0,
  );
}

/** Judges the time since an instant: it passes `length` once, and never before there was an instant. */
function elapsed(operator: string, length: number): Node {
  const below = operator[0] === "l";
  // Strictly more than `gt`, and still within `lte`, until a millisecond later.
  const extra = operator === "gt" || operator === "lte" ? 1 : 0;
  return (run, instant) => {
    const edge = (instant as number) + length + extra;
    run.until = run.now < edge ? edge : Infinity;
    return +(instant !== undefined && run.now < edge === below) as Code;
  };
}

/** Days as the zone's calendar writes them; one that it does not know is UTC. */
function dayIn(timeZone: string): () => (event: { timestamp: number }) => string {
  return () => {
    let format: Intl.DateTimeFormat;
    try {
      format = new Intl.DateTimeFormat("en", { timeZone });
    } catch {
      format = new Intl.DateTimeFormat("en", { timeZone: "UTC" });
    }
    return (event) => format.format(event.timestamp);
  };
}
