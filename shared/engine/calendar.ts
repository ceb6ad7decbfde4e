/** What needs a calendar: `days`, `time`, `date`. The browser's script goes without them. */
import type { DateCondition, TimeCondition } from "../condition.ts";
import { instantOf } from "./dates.ts";
import { ensure, type Node, type Run, type Scope, settle, unknown } from "./run.ts";
import { durationMs } from "./value.ts";
import { type Offset, offsetOf, transitionIn, wallToInstant } from "./zone.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** Zones that one program keeps: more than there are, less than spellings that a hostile client could think of. */
const ZONES = 1_000;

/** The zone's offset, kept by the program; undefined for a zone that does not exist. */
function zoneIn(scope: Scope, zone: string): Offset | undefined {
  const zones = ensure(scope.made, "zones", () => new Map()) as Map<string, Offset | null>;
  if (zones.size > ZONES) zones.clear();
  return ensure(zones, zone, () => offsetOf(zone) ?? null) ?? undefined;
}

/** The site's own; UTC where its setting is not a zone. */
const siteZone = (scope: Scope): Offset => zoneIn(scope, scope.options.timeZone) ?? (() => 0);

/** The number of the calendar day, in the site's zone, in which an instant lies. */
export function dayIn(scope: Scope): (time: number) => number {
  const offset = siteZone(scope);
  return (time) => Math.floor((time + offset(time)) / DAY_MS);
}

/** Minutes of a day that `"18:30"` stands for. */
const minutesOf = (clock: string) => +clock.slice(0, 2) * 60 + +clock.slice(3);

/**
 * The wall clock shows one of the weekdays and a time in [from, to); a `to` before `from` goes over midnight, each side of which
 * belongs to its own weekday. With the visitor's zone unknown, so is the answer.
 */
export function timeLeaf({ time }: TimeCondition, scope: Scope): Node {
  const { weekday, from = "00:00", to = "24:00", zone = "site" } = time;
  const begin = minutesOf(from);
  const end = minutesOf(to);
  const slot = scope.fact("context", "timezone");
  const offsetIn = (run: Run) => {
    if (zone === "site") return siteZone(scope);
    const name = zone === "visitor" ? run.facts[slot] : zone;
    return typeof name === "string" ? zoneIn(scope, name) : undefined;
  };
  return settle((run) => {
    const offset = offsetIn(run);
    if (!offset) return unknown(run);
    const wall = run.now + offset(run.now);
    const midnight = Math.floor(wall / DAY_MS) * DAY_MS;
    const minutes = (wall - midnight) / MINUTE_MS;
    const inHours = begin < end ? begin <= minutes && minutes < end : begin <= minutes || minutes < end;
    const inDays = !weekday || weekday.includes(WEEKDAYS[new Date(midnight).getUTCDay()] as never);
    // The clock shows something else at the next of these times, unless it is moved before.
    const next = Math.min(...[begin, end, 1440, 1440 + begin].filter((mark) => mark > minutes));
    const until = run.now + midnight + next * MINUTE_MS - wall;
    run.until = Math.min(until, transitionIn(run.now, until, offset));
    return inHours && inDays ? 1 : 0;
  });
}

/**
 * The date, or an anniversary of it, lies in the coming `within`, or in the last where that is negative. A date without a time
 * is its whole day in the site's zone; an anniversary always is. The 29th of February is kept on the 28th in a common year.
 */
export function dateLeaf({ date, anniversary, within }: DateCondition, scope: Scope): Node {
  const slot = scope.fact("traits", date.trait);
  const length = durationMs(within);
  const offset = siteZone(scope);

  /** From when until when the answer is true for a day or an instant. */
  const spanOf = (start: number, end: number): readonly [number, number] =>
    length < 0 ? [start, end - length] : [start - length, end];
  const dayFrom = (midnight: number) =>
    spanOf(wallToInstant(midnight, offset), wallToInstant(midnight + DAY_MS, offset));

  const spansOf = (value: unknown, now: number): (readonly [number, number])[] => {
    const instant = instantOf(value);
    if (Number.isNaN(instant)) return [];
    const text = value as string;
    if (!anniversary) return [text.length === 10 ? dayFrom(instant) : spanOf(instant, instant)];
    const [year, month, day] = text.slice(0, 10).split("-").map(Number) as [number, number, number];
    const reach = Math.ceil(Math.abs(length) / (365 * DAY_MS)) + 1;
    const first = Math.max(year + 1, new Date(now).getUTCFullYear() - reach);
    const years = Array.from({ length: 2 * reach + 1 }, (_, i) => first + i);
    return years.map((other) => dayFrom(anniversaryIn(other, month, day)));
  };

  return settle((run) => {
    const spans = spansOf(run.facts[slot], run.now);
    const open = spans.filter(([from, to]) => from <= run.now && run.now < to);
    run.until = open.length
      ? Math.max(...open.map(([, to]) => to))
      : Math.min(...spans.map(([from]) => from).filter((from) => from > run.now));
    return open.length ? 1 : 0;
  });
}

function anniversaryIn(year: number, month: number, day: number): number {
  const midnight = Date.UTC(year, month - 1, day);
  return new Date(midnight).getUTCDate() === day ? midnight : midnight - DAY_MS;
}
