/** Formats of dates as C and Ruby write them: `%Y-%m-%d %H:%M`. */
import type { Run } from "./run.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

export interface Shown {
  /** Epoch milliseconds. */
  instant: number;
  /** How far the wall clock is ahead of UTC, in milliseconds. */
  offset: number;
  /** IANA name; empty where there is none. */
  zone: string;
  /** BCP 47. */
  language: string;
}

interface Conversion {
  letter: string;
  flags: string;
  width: number | null;
}

/** Text, and what stands for a part of a date. */
export type DateFormat = readonly (string | Conversion)[];

const FORMATS = 100;
const formats = new Map<string, DateFormat>();

export function readFormat(text: string): DateFormat {
  const kept = formats.get(text);
  if (kept) return kept;
  const format = [...readParts(text)];
  if (formats.size >= FORMATS) formats.clear();
  if (text.length < 100) formats.set(text, format);
  return format;
}

/** Reads each character once: formats are the author's, or somebody's trait. */
function* readParts(text: string): Generator<string | Conversion> {
  let from = 0;
  for (let at = text.indexOf("%"); at >= 0; at = text.indexOf("%", at)) {
    const start = at++;
    while (at < text.length && "-_0^#:".includes(text[at]!)) at++;
    const flags = text.slice(start + 1, at);
    const digits = at;
    while (at < text.length && text[at]! >= "0" && text[at]! <= "9") at++;
    const width = at > digits ? Number(text.slice(digits, at)) : null;
    if (text[at] === "E" || text[at] === "O") at++;
    const letter = text[at] ?? "";
    if (!Object.hasOwn(PARTS, letter)) continue;
    at++;
    if (start > from) yield text.slice(from, start);
    yield { letter, flags, width };
    from = at;
  }
  if (from < text.length) yield text.slice(from);
}

export function writeDate(run: Run, format: DateFormat, shown: Shown): string {
  const wall = new Date(shown.instant + shown.offset);
  return format.map((part) => (typeof part === "string" ? part : writePart(run, part, wall, shown))).join("");
}

function writePart(run: Run, { letter, flags, width }: Conversion, wall: Date, shown: Shown): string {
  const { write, digits, pad = "0" } = PARTS[letter]!;
  let text = String(write(wall, shown, flags, width));
  if (flags.includes("^")) text = text.toUpperCase();
  else if (flags.includes("#")) text = /[a-z]/.test(text) ? text.toUpperCase() : text.toLowerCase();
  const wanted = flags.includes("-") ? 0 : (width ?? digits ?? 0);
  run.use(Math.max(wanted, text.length));
  const filler = flags.includes("_") ? " " : flags.includes("0") ? "0" : pad;
  return filler === "0" && text.startsWith("-")
    ? `-${text.slice(1).padStart(wanted - 1, "0")}`
    : text.padStart(wanted, filler);
}

interface Part {
  write(wall: Date, shown: Shown, flags: string, width: number | null): string | number;
  /** Written at least. */
  digits?: number;
  pad?: " ";
}

const DAY = { year: "numeric", month: "numeric", day: "numeric" } as const;
const TIME = { hour: "numeric", minute: "2-digit", second: "2-digit" } as const;

const PARTS: { readonly [letter: string]: Part } = {
  a: { write: inWords({ weekday: "short" }), pad: " " },
  A: { write: inWords({ weekday: "long" }), pad: " " },
  b: { write: inWords({ month: "short" }), pad: " " },
  h: { write: inWords({ month: "short" }) },
  B: { write: inWords({ month: "long" }), pad: " " },
  c: { write: inWords({ ...DAY, ...TIME }), pad: " " },
  x: { write: inWords(DAY) },
  X: { write: inWords(TIME) },
  C: { write: (wall) => Math.floor(wall.getUTCFullYear() / 100), digits: 2 },
  d: { write: (wall) => wall.getUTCDate(), digits: 2 },
  e: { write: (wall) => wall.getUTCDate(), digits: 2, pad: " " },
  D: { write: (wall) => `${two(wall.getUTCMonth() + 1)}/${two(wall.getUTCDate())}/${two(yearOf(wall) % 100)}` },
  F: { write: (wall) => wall.toISOString().slice(0, 10) },
  H: { write: (wall) => wall.getUTCHours(), digits: 2 },
  I: { write: twelve, digits: 2 },
  j: { write: dayOfYear, digits: 3 },
  k: { write: (wall) => wall.getUTCHours(), digits: 2, pad: " " },
  l: { write: twelve, digits: 2, pad: " " },
  L: { write: (wall) => wall.getUTCMilliseconds(), digits: 3 },
  m: { write: (wall) => wall.getUTCMonth() + 1, digits: 2 },
  M: { write: (wall) => wall.getUTCMinutes(), digits: 2 },
  N: { write: (wall, _shown, _flags, width) => fraction(wall, width) },
  p: { write: (wall) => (wall.getUTCHours() < 12 ? "AM" : "PM"), pad: " " },
  P: { write: (wall) => (wall.getUTCHours() < 12 ? "am" : "pm"), pad: " " },
  q: { write: (wall) => ordinal(wall.getUTCDate()) },
  R: { write: (wall) => wall.toISOString().slice(11, 16) },
  s: { write: (_wall, { instant }) => Math.floor(instant / 1_000) },
  S: { write: (wall) => wall.getUTCSeconds(), digits: 2 },
  T: { write: (wall) => wall.toISOString().slice(11, 19) },
  u: { write: (wall) => wall.getUTCDay() || 7 },
  U: { write: (wall) => weekOfYear(wall, 0), digits: 2 },
  w: { write: (wall) => wall.getUTCDay() },
  W: { write: (wall) => weekOfYear(wall, 1), digits: 2 },
  y: { write: (wall) => yearOf(wall) % 100, digits: 2 },
  Y: { write: yearOf, digits: 4 },
  z: { write: (_wall, { offset }, flags) => toOffset(offset, flags) },
  Z: { write: (_wall, { zone, offset }, flags) => zone || toOffset(offset, flags) },
  n: { write: () => "\n" },
  t: { write: () => "\t" },
  "%": { write: () => "%" },
};

const WORDS = 500;
const words = new Map<string, Intl.DateTimeFormat>();

function inWords(options: Intl.DateTimeFormatOptions): Part["write"] {
  const kind = JSON.stringify(options);
  return (wall, { language }) => {
    const name = `${language} ${kind}`;
    let format = words.get(name);
    if (!format) {
      format = new Intl.DateTimeFormat(language, { ...options, timeZone: "UTC" });
      if (words.size >= WORDS) words.clear();
      words.set(name, format);
    }
    return format.format(wall);
  };
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}

function yearOf(wall: Date): number {
  return wall.getUTCFullYear();
}

function twelve(wall: Date): number {
  return wall.getUTCHours() % 12 || 12;
}

function fraction(wall: Date, width: number | null): string {
  const digits = Math.min(width ?? 9, 9);
  return String(wall.getUTCMilliseconds()).padStart(3, "0").padEnd(9, "0").slice(0, digits);
}

function dayOfYear(wall: Date): number {
  return Math.floor((wall.getTime() - Date.UTC(yearOf(wall), 0)) / DAY_MS) + 1;
}

/** Days before the first `start` of the year (0: Sunday, 1: Monday) are in week 0. */
function weekOfYear(wall: Date, start: number): number {
  return Math.floor((dayOfYear(wall) - 1 - ((wall.getUTCDay() - start + 7) % 7) + 7) / 7);
}

function ordinal(day: number): string {
  if (day > 10 && day < 14) return "th";
  return ["th", "st", "nd", "rd"][day % 10] ?? "th";
}

function toOffset(offset: number, flags: string): string {
  const ahead = Math.abs(offset);
  const minutes = two(Math.floor((ahead % HOUR_MS) / 60_000));
  return `${offset < 0 ? "-" : "+"}${two(Math.floor(ahead / HOUR_MS))}${flags.includes(":") ? ":" : ""}${minutes}`;
}
