/** Whom and when a trace is about, and the plainest way to the events that a selector and a window mean. */
import type { EventSelector, Operators, Window } from "../condition.ts";
import type { HistoryEvent, JsonObject } from "../event.ts";
import { compile } from "./compile.ts";
import { instantOf } from "./dates.ts";
import type { Language } from "./run.ts";
import { canCount } from "./selection.ts";
import type { Subject } from "./types.ts";
import { durationMs } from "./value.ts";
import { offsetOf } from "./zone.ts";

/** Whom and when a trace is about. */
export interface Look {
  subject: Subject;
  now: number;
  /** The rules' runtime and zone. */
  options: { language: Language; timeZone: string };
  /** `Fri 27 Nov 2026 14:00` on the site's wall clock. */
  clock: (instant: number) => string;
}

export function buildLook(subject: Subject, now: number, options: Look["options"]): Look {
  return { subject, now: now || 0, options, clock: clockIn(options.timeZone, now || 0) };
}

/** The events that a selector means, ascending, those to come included. */
export function happened({ event: name, type = "track", where = {} }: EventSelector, look: Look): HistoryEvent[] {
  const events = Array.isArray(look.subject.events) ? (look.subject.events as HistoryEvent[]) : [];
  return events
    .filter((event) => event?.type === type && canCount(event))
    .filter((event) => name === undefined || event.event === name)
    .filter(matcherOf(where, look, ({ properties }) => properties))
    .sort((a, b) => timeOf(a) - timeOf(b));
}

/** Tells whether what lies at the paths of a value passes their operators: the engine says so. */
export function matcherOf<T>(
  where: { [path: string]: Operators },
  { subject, now, options }: Look,
  read: (value: T) => unknown,
): (value: T) => boolean {
  const all = Object.entries(where).map(([path, operators]) => ({ context: path, ...operators }));
  const { evaluate } = compile([{ key: "", condition: { all } }], options, options.language);
  return (value) =>
    evaluate({ traits: subject.traits, events: [], context: read(value) as JsonObject }, now)[0]!.value === true;
}

export const timeOf = ({ timestamp }: HistoryEvent) => Math.floor(timestamp);

/** An event counts `delay` after it happened and until `length` after it, if it lies after `first` and not after `last`. */
export interface WindowBounds {
  delay: number;
  length: number;
  first: number;
  last: number;
}

export function windowBounds({ within, between, after, before }: Window): WindowBounds {
  const [delay, length] = Array.isArray(between) ? between.map(durationMs) : [0, durationMs(within)];
  const last = before === undefined ? Infinity : instantOf(before) - 1;
  return { delay: delay!, length: length!, first: after === undefined ? -Infinity : instantOf(after) - 1, last };
}

export function inWindow(events: readonly HistoryEvent[], window: Window, now: number): HistoryEvent[] {
  const { delay, length, first, last } = windowBounds(window);
  return events.filter((event) => {
    const time = timeOf(event);
    return time > now - length && time > first && time <= now - delay && time <= last;
  });
}

type Parts = [weekday: string, day: string, month: string, year: string, time: string];

/** Of an instant in UTC; empty where there is no such date. */
export function partsOf(instant: number): Parts {
  const parts = new Date(instant).toUTCString().replace(",", "").split(" ");
  return parts.length > 4 ? (parts as unknown as Parts) : ["", "", "", "", ""];
}

export const isoOf = (instant: number) => (partsOf(instant)[0] ? new Date(instant).toISOString() : null);

/** The runtime's own formats differ between versions. Seconds are told where they matter: within the hour. */
export function clockIn(timeZone: string, now: number): (instant: number) => string {
  const offset = offsetOf(timeZone) ?? (() => 0);
  return (instant) => {
    const [weekday, day, month, year, time] = partsOf(instant + offset(instant));
    const isNear = Math.abs(instant - now) < 3_600_000 && !time.endsWith(":00");
    return `${weekday} ${Number(day)} ${month} ${year} ${isNear ? time : time.slice(0, 5)}`;
  };
}
