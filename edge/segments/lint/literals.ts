/** A leaf as claims about what it looks at, in a form in which claims of several leaves can be held against each other. */
import type {
  Condition,
  DateCondition,
  EventCondition,
  EventSelector,
  Operators,
  RatioCondition,
  SequenceCondition,
  TimeCondition,
  UnlessCondition,
} from "../../../shared/condition.ts";
import { analyze } from "../../../shared/engine/analyze.ts";
import { canonical } from "../../../shared/engine/compile.ts";
import { type WindowBounds, windowBounds } from "../../../shared/engine/look.ts";
import { kindOf } from "../../../shared/engine/run.ts";
import { durationMs } from "../../../shared/engine/value.ts";
import { ANYTHING, type Claim, claimsOf, numbersFrom, type Range } from "./values.ts";

export interface Events {
  /** Equal for the same events. */
  key: string;
  selector: EventSelector;
  /** Of its `where`: path → what is asked there, equal for the same. */
  asked: ReadonlyMap<string, string>;
  span: WindowBounds;
}

/** One claim about a value, or about something that can only be so or not. */
export type Literal =
  | { about: "value"; key: string; range: Range; claim: Claim; measured?: Measured }
  | {
      about: "fact";
      key: string;
      /** Another of the same key whose sizes are all at least these is so whenever this is. */
      sizes: readonly number[];
      holds: boolean;
      /** Events of each of these there are whenever it is so. */
      some: readonly Events[];
    }
  | { about: "clock"; key: string; time: TimeCondition["time"]; holds: boolean };

/** What of which events a value is. */
export interface Measured {
  kind: string;
  events: Events;
  /** What it is where there are no events. */
  none: unknown;
  /** Of a ratio: so many events there are where it is a number. */
  least?: number;
}

/** What has to be known so that a leaf is: purposes granted, a segment's answer, an id, a zone. */
const NEEDS = new WeakMap<Condition, ReadonlySet<string>>();

export function needsOf(leaf: Condition): ReadonlySet<string> {
  let needs = NEEDS.get(leaf);
  if (!needs) {
    const { purposes, segments, sampled } = analyze(leaf);
    const { time } = leaf as Partial<TimeCondition>;
    needs = new Set([
      ...purposes,
      ...segments.map((key) => `segment ${key}`),
      ...(sampled ? ["id"] : []),
      ...(time?.zone === "visitor" ? ["zone"] : []),
    ]);
    NEEDS.set(leaf, needs);
  }
  return needs;
}

/** By leaf: that it is true, and what is denied where it is not. */
const LITERALS = new WeakMap<Condition, [denied: Literal[] | undefined, held: Literal[] | undefined]>();

/** A leaf is true when all of these are, and false when one of them is denied; undefined for a kind that is not known here. */
export function literalsOf(leaf: Condition, holds: boolean): Literal[] | undefined {
  let known = LITERALS.get(leaf);
  if (!known) {
    const kind = kindOf(leaf);
    const make = kind !== undefined && Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
    known = [make?.(leaf as never, false), make?.(leaf as never, true)];
    LITERALS.set(leaf, known);
  }
  return known[+holds];
}

const KINDS: { readonly [kind: string]: (leaf: never, holds: boolean) => Literal[] } = {
  trait: ({ trait, ...operators }: { trait: string } & Operators, holds) =>
    valueLiterals(`trait ${trait}`, ANYTHING, operators, holds),
  context: ({ context, ...operators }: { context: string } & Operators, holds) =>
    valueLiterals(`context ${context}`, ANYTHING, operators, holds),
  segment: ({ segment }: { segment: string }, holds) => [
    { about: "fact", key: `segment ${segment}`, sizes: [], holds, some: [] },
  ],
  sample: ({ sample: { seed, from, to } }: { sample: { seed: string; from: number; to: number } }, holds) =>
    valueLiterals(`sample ${seed}`, numbersFrom(0, 1 - Number.EPSILON / 2, false), { gte: from, lt: to }, holds),
  time: ({ time }: TimeCondition, holds) => [{ about: "clock", key: time.zone ?? "site", time, holds }],
  date: ({ date, anniversary = false, within }: DateCondition, holds) => {
    const length = durationMs(within);
    const key = `date ${JSON.stringify([date.trait, anniversary, length < 0])}`;
    return [{ about: "fact", key, sizes: [Math.abs(length)], holds, some: [] }];
  },
  sequence: ({ sequence, gap, within }: SequenceCondition, holds) => {
    const span = windowBounds(within ? { within } : {});
    const some = sequence.map((selector) => eventsIn(selector, span));
    const sizes = [durationMs(gap), durationMs(within)];
    return [{ about: "fact", key: `sequence ${canonical(sequence as never)}`, sizes, holds, some }];
  },
  unless: ({ unless, after, within, ...selector }: UnlessCondition, holds) => {
    const delay = durationMs(after);
    const some = [eventsIn(selector, { ...windowBounds(within ? { within } : {}), delay })];
    const sizes = [-delay, durationMs(within)];
    return [{ about: "fact", key: `unless ${canonical({ ...selector, unless } as never)}`, sizes, holds, some }];
  },
  ratio: (leaf: RatioCondition, holds) => {
    const { ratio, min = 1, within, between, after, before, ...operators } = leaf;
    const least = Math.max(1, min);
    const span = windowBounds(leaf);
    const key = `ratio ${canonical({ ratio, span } as never)} ${least}`;
    const [part, whole] = ratio.map((selector) => eventsIn(selector, span)) as [Events, Events];
    const isPart = isNarrower(part, whole);
    const measured = { kind: "ratio", events: whole, none: undefined, least };
    const range = numbersFrom(0, isPart ? 1 : Infinity, false, ["undefined"]);
    // Where there is no ratio, no operator makes the leaf true.
    return valueLiterals(key, range, { exists: true, ...operators }, holds, measured);
  },
  recency: (leaf: EventCondition, holds) => {
    const span = windowBounds(leaf);
    const operators = Object.fromEntries(
      Object.entries(leaf.recency!).map(([key, length]) => [key, durationMs(length)]),
    );
    const range = numbersFrom(Math.max(0, span.delay), span.length - 1, true, ["undefined"]);
    return measuredLiterals(leaf, "recency", range, operators, undefined, holds);
  },
  days: (leaf: EventCondition, holds) =>
    measuredLiterals(leaf, "days", numbersFrom(0, daysIn(windowBounds(leaf)), true), leaf.days!, 0, holds),
  event: counted,
  type: counted,
  distinct: aggregated("distinct", numbersFrom(0, Infinity, true), 0),
  sum: aggregated("sum", numbersFrom(-Infinity, Infinity, false), 0),
  avg: aggregated("avg", numbersFrom(-Infinity, Infinity, false, ["undefined"]), undefined),
  min: aggregated("min", numbersFrom(-Infinity, Infinity, false, ["undefined"]), undefined),
  max: aggregated("max", numbersFrom(-Infinity, Infinity, false, ["undefined"]), undefined),
  first: aggregated("first", ANYTHING, undefined),
  last: aggregated("last", ANYTHING, undefined),
};

function counted(leaf: EventCondition, holds: boolean): Literal[] {
  return measuredLiterals(leaf, "count", numbersFrom(0, Infinity, true), leaf.count ?? { gte: 1 }, 0, holds);
}

function aggregated(kind: string, range: Range, none: unknown) {
  return (leaf: EventCondition, holds: boolean): Literal[] => {
    const { event, type, where, within, between, after, before, [kind as "sum"]: path, ...operators } = leaf;
    return measuredLiterals(leaf, `${kind} ${path}`, range, operators, none, holds);
  };
}

function measuredLiterals(
  leaf: EventCondition,
  kind: string,
  range: Range,
  operators: object,
  none: unknown,
  holds: boolean,
): Literal[] {
  const events = eventsIn(leaf, windowBounds(leaf));
  return valueLiterals(`${kind} ${events.key}`, range, operators, holds, { kind, events, none });
}

function valueLiterals(key: string, range: Range, operators: object, holds: boolean, measured?: Measured): Literal[] {
  return claimsOf(operators, holds).map((claim) => ({
    ...{ about: "value", key, range, claim },
    ...(measured && { measured }),
  }));
}

export function eventsIn({ event, type = "track", where = {} }: EventSelector, span: WindowBounds): Events {
  const selector = { ...(event !== undefined && { event }), type, where };
  const bounds = [span.delay, span.length, span.first, span.last].map(String);
  const asked = new Map(Object.entries(where).map(([path, operators]) => [path, canonical(operators as never)]));
  return { key: `${canonical(selector)} ${bounds}`, selector, asked, span };
}

const HOUR_MS = 3_600_000;

/** More calendar days than a span can touch, whatever the clocks do. */
const daysIn = ({ delay, length, first, last }: WindowBounds) =>
  Math.ceil(Math.min(length - delay, last - first) / (23 * HOUR_MS)) + 1;

/** True only where every event that `one` selects `other` selects, too. */
export function isNarrower(one: Events, other: Events): boolean {
  const { type, event } = other.selector;
  if (one.selector.type !== type || (event !== undefined && event !== one.selector.event)) return false;
  return [...other.asked].every(([path, text]) => one.asked.get(path) === text);
}
