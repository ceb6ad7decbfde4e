/** `{{ customer.since | date: "%-d %B %Y" }}`: in the zone that is asked for, else in the visitor's, else in the site's; words in the visitor's language. */
import { type Offset, offsetOf, wallToInstant } from "../../../shared/engine/zone.ts";
import type { Run } from "./run.ts";
import { readFormat, writeDate } from "./strftime.ts";
import { toPlain, toText } from "./values.ts";

const DEFAULT_FORMAT = "%A, %B %-e, %Y at %-l:%M %P %z";
const MINUTE_MS = 60_000;
/** Zones and languages that are kept: the visitor says them. */
const KEPT = 100;
const offsets = new Map<string, Offset | null>();
const languages = new Map<string, string>();

/** `zone`: an IANA name, or minutes that UTC is ahead. What is no time stays as it is. */
export function date(run: Run, value: unknown, format?: unknown, zone?: unknown): unknown {
  const { zone: name, offset } = zoneOf(run, toPlain(zone));
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
  if (/(?:z|[+-]\d\d:?\d\d|gmt|utc|[ecmp][sd]t)\)?\s*$/i.test(value)) return Date.parse(value);
  const wall = Date.parse(`${value}Z`);
  const read = Number.isNaN(wall) ? Date.parse(`${value} UTC`) : wall;
  return wallToInstant(read, offset);
}

function zoneOf(run: Run, asked: unknown): { zone: string; offset: Offset } {
  if (typeof asked === "number") return { zone: "", offset: () => -asked * MINUTE_MS };
  for (const zone of [asked, run.scope.context?.["timezone"], run.moment.timeZone]) {
    const offset = typeof zone === "string" ? keep(offsets, zone, () => offsetOf(zone) ?? null) : null;
    if (offset) return { zone: zone as string, offset };
  }
  return { zone: "UTC", offset: () => 0 };
}

function languageOf({ scope }: Run): string {
  const locale = scope.context?.["locale"];
  if (typeof locale !== "string") return "en";
  return keep(languages, locale, () => {
    try {
      return Intl.DateTimeFormat.supportedLocalesOf(locale)[0] ?? "en";
    } catch {
      return "en";
    }
  });
}

function keep<T>(kept: Map<string, T>, name: string, make: () => T): T {
  let value = kept.get(name);
  if (value === undefined) {
    value = make();
    if (kept.size >= KEPT) kept.clear();
    // What is longer is no name of any.
    if (name.length < 100) kept.set(name, value);
  }
  return value;
}
