/** What was measured of the events in a window. */
import type { EventCondition, Operators, Window } from "../condition.ts";
import { happened, inWindow, type Look, timeOf, windowBounds } from "./look.ts";
import { type Finding, missingOf, phraseOwn, resolve } from "./missing.ts";
import { denoise, phraseFound, phraseMs, phraseWindow, plural } from "./phrase.ts";
import { kindOf } from "./run.ts";
import { total } from "./sum.ts";
import { durationMs, isScalar, readPath } from "./value.ts";
import { offsetOf } from "./zone.ts";

const DAY_MS = 86_400_000;

/** Leaves that measure events: what they make of those that count, oldest first. */
export const MEASURED: { readonly [kind: string]: (times: number[], values: unknown[], look: Look) => unknown } = {
  event: (times) => times.length,
  type: (times) => times.length,
  days: (times, _, { options }) => {
    const offset = offsetOf(options.timeZone) ?? (() => 0);
    return new Set(times.map((time) => Math.floor((time + offset(time)) / DAY_MS))).size;
  },
  recency: (times, _, { now }) => (times.length ? now - times.at(-1)! : undefined),
  sum: (_, values) => denoise(total(numbersIn(values))),
  avg: (_, values) => {
    const all = numbersIn(values);
    return all.length ? denoise(total(all) / all.length) : undefined;
  },
  min: (_, values) => numbersIn(values).sort((a, b) => a - b)[0],
  max: (_, values) => numbersIn(values).sort((a, b) => b - a)[0],
  distinct: (_, values) => new Set(values.filter(isScalar)).size,
  first: (_, values) => values.find((value) => value !== undefined),
  last: (_, values) => values.findLast((value) => value !== undefined),
};

const numbersIn = (values: unknown[]) => values.filter((value): value is number => Number.isFinite(value));

/** What each of these grows by with every event more. */
export const UNITS: { readonly [kind: string]: string } = {
  event: "time",
  type: "time",
  days: "day",
  distinct: "value",
};

export function findMeasured(leaf: EventCondition, look: Look): Finding {
  const kind = kindOf(leaf)!;
  const measure = MEASURED[kind];
  if (!measure) return {};
  const path = (leaf as unknown as { [key: string]: unknown })[kind];
  const keys = typeof path === "string" ? path.split(".") : [];
  const events = inWindow(happened(leaf, look), leaf, look.now);
  const times = events.map(timeOf);
  const actual = measure(
    times,
    events.map(({ properties }) => readPath(properties, keys)),
    look,
  );
  if (kind === "recency") return findRecency(leaf, actual as number | undefined);
  const required = requiredOf(leaf, kind);
  const unit = UNITS[kind];
  const missing = missingOf(actual, resolve(required, look), unit !== undefined);
  const own = phraseOwn(required, look);
  const short = missing === undefined ? "" : phraseShort(missing, unit, leaf, times[0], look);
  const seen = unit ? `${plural(actual as number, unit)} so far` : `${phraseFound(actual)} so far`;
  return {
    ...(actual !== undefined && { actual }),
    required,
    ...(missing !== undefined && { missing }),
    found: [actual === undefined ? "nothing so far" : seen, short, ...own].filter(Boolean).join(", "),
  };
}

/** `1 more needed before Fri 27 Nov 2026 14:00`: by then the oldest that counts now has left the window. */
function phraseShort(
  missing: number,
  unit: string | undefined,
  window: Window,
  oldest: number | undefined,
  look: Look,
): string {
  if (missing < 0) return `${phraseFound(-missing)} too ${unit ? "many" : "much"}`;
  const { delay, length, last } = windowBounds(window);
  const leaves = oldest === undefined ? Infinity : oldest + length - delay;
  const deadline = Math.min(leaves > look.now ? leaves : Infinity, last + 1);
  const counts = delay ? `, each counts ${phraseMs(delay)} after it happened` : "";
  if (last < look.now) return `${phraseFound(missing)} more would have been needed before ${look.clock(last + 1)}`;
  return `${phraseFound(missing)} more needed${deadline < Infinity ? ` before ${look.clock(deadline)}` : ""}${counts}`;
}

function findRecency({ recency, ...leaf }: EventCondition, actual: number | undefined): Finding {
  if (actual === undefined) return { required: recency, found: phraseWindow(leaf) ? "not in that time" : "never" };
  const least = Math.max(0, ...[recency!.gt, recency!.gte].map((length) => (length ? durationMs(length) : 0)));
  const most = Math.min(...[recency!.lt, recency!.lte].map((length) => durationMs(length)));
  const rest = actual < least ? `, ${phraseMs(least - actual)} to go` : actual > most ? ", 1 more needed" : "";
  return { actual, required: recency, found: `${phraseMs(actual)} ago${rest}` };
}

export function requiredOf(leaf: EventCondition, kind: string): Operators {
  if (kind === "event" || kind === "type") return leaf.count ?? { gte: 1 };
  if (kind === "days") return leaf.days!;
  const { event, type, where, within, between, after, before, [kind as "sum"]: path, ...operators } = leaf;
  return operators as Operators;
}
