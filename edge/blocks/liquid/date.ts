/** `{{ customer.since | date: "%-d %B %Y" }}`: in the zone that is asked for, else in the visitor's, else in the site's; words in the visitor's language. */
import { type Offset, offsetOf, wallToInstant } from "../../../shared/engine/zone.ts";
import type { Run } from "./run.ts";
import { readFormat, writeDate } from "./strftime.ts";
import { toPlain, toText } from "./values.ts";

const DEFAULT_FORMAT = "%A, %B %-e, %Y at %-l:%M %P %z";
const MINUTE_MS = 60_000;
/** Zones and languages that are kept: the visitor says them. */
const KEPT = 100;
/** Longer than their names are. */
const LONG = 60;
/** It costs as much as many values. */
const LOOKING_UP = 1_000;
/** It ends with `Z`, `+02:00` after a time, or one of the zones that e-mails know. */
const ZONED =
  /(?:\d\s*z|:\d\d(?:\.\d+)?\s*[+-]\d\d:?\d\d|\b(?:gmt|utc|[ecmp][sd]t)(?:[+-]\d{4})?)(?:\s*\([^)]*\))?\s*$/i;
const offsets = new Map<string, Offset | null>();
const languages = new Map<string, string | null>();

/** `asked`: a zone, as an IANA name or in minutes that UTC is ahead. What is no time stays as it is. */
export function date(run: Run, value: unknown, format?: unknown, ...asked: unknown[]): unknown {
  const { zone: name, offset } = zoneOf(run, asked.map(toPlain));
  const instant = instantOf(run, toPlain(value), offset);
  if (instant === null) return value;
  const text = toText(run, toPlain(format) ?? DEFAULT_FORMAT);
  return writeDate(run, readFormat(text), { instant, offset: offset(instant), zone: name, language: languageOf(run) });
}

function instantOf(run: Run, value: unknown, offset: Offset): number | null {
  if (value === "now" || value === "today") return run.moment.now;
  const seconds = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
  const instant = typeof seconds === "number" ? seconds * 1_000 : readTime(seconds, offset);
  return Number.isNaN(new Date(instant).getTime()) ? null : instant;
}

/** A time without a zone is what the wall clock shows, wherever that is. */
function readTime(value: unknown, offset: Offset): number {
  if (typeof value !== "string" || value.length > 100) return NaN;
  if (ZONED.test(value)) return Date.parse(value);
  const wall = Date.parse(`${value}Z`);
  const read = Number.isNaN(wall) ? Date.parse(`${value} UTC`) : wall;
  return wallToInstant(read, offset);
}

/** Of one that is asked for and does not exist, the site's: what is asked for is never the visitor's. */
function zoneOf(run: Run, asked: readonly unknown[]): { zone: string; offset: Offset } {
  const [wanted] = asked.length ? asked : [run.scope.context?.["timezone"]];
  if (asked.length && typeof wanted === "number") return { zone: "", offset: () => -wanted * MINUTE_MS };
  for (const zone of [wanted, run.moment.timeZone]) {
    const offset = keep(run, offsets, zone, (name) => offsetOf(name) ?? null);
    if (offset) return { zone: zone as string, offset };
  }
  return { zone: "UTC", offset: () => 0 };
}

function languageOf(run: Run): string {
  return keep(run, languages, run.scope.context?.["locale"], readLanguage) ?? "en";
}

function readLanguage(name: string): string | null {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(name)[0] ?? null;
  } catch {
    return null;
  }
}

/** What a name stands for, if it is one of any: kept, for it is costly. */
function keep<T>(run: Run, kept: Map<string, T | null>, name: unknown, read: (name: string) => T | null): T | null {
  if (typeof name !== "string" || name.length > LONG) return null;
  let value = kept.get(name);
  if (value === undefined) {
    run.use(LOOKING_UP);
    value = read(name);
    if (kept.size >= KEPT) kept.clear();
    kept.set(name, value);
  }
  return value;
}
