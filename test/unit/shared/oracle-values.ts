/** What the oracle knows of dates, wall clocks and sums: each by its definition, and none of it from the engine. */

const QUARTER_MS = 900_000;
const HOUR_MS = 4 * QUARTER_MS;
const DAY_MS = 86_400_000;
const ISO = /^(\d{4})-(\d\d)-(\d\d)(T(\d\d):(\d\d)(:(\d\d)(\.\d+)?)?(Z|([+-])(\d\d):(\d\d))?)?$/;

/** Midnight in UTC of a day `2026-11-22`; NaN for a day that no calendar has. */
export function dateOf(day: string): number {
  const [year, month, date] = day.split("-").map(Number) as [number, number, number];
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  return days && date >= 1 && date <= days ? Date.parse(day) : Number.NaN;
}

/** Epoch milliseconds of an ISO date or date-time, UTC unless it says otherwise; NaN for anything else. */
export function instantOf(value: unknown): number {
  const parts = typeof value === "string" ? ISO.exec(value) : null;
  if (!parts) return Number.NaN;
  const [hour, minute, second, offsetHour, offsetMinute] = [5, 6, 8, 12, 13].map((i) => Number(parts[i] ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  if (minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return Number.NaN;
  const offset = (parts[11] === "-" ? -1 : 1) * (offsetHour * 60 + offsetMinute);
  const fraction = Number((parts[9] ?? "").slice(1, 4).padEnd(3, "0"));
  // 24:00 is the end of the day, and nothing comes after it.
  if (hour > 24 || (hour === 24 && minute + second + fraction > 0)) return Number.NaN;
  return dateOf((value as string).slice(0, 10)) + ((hour * 60 + minute - offset) * 60 + second) * 1000 + fraction;
}

interface Wall {
  /** `2026-11-22` */
  date: string;
  /** `18:30` */
  clock: string;
  weekday: string;
}

const formats = new Map<string, Intl.DateTimeFormat | undefined>();
const walls = new Map<string, Map<number, Wall>>();

/** What the wall clock of a zone shows; undefined for a zone that is none. Offsets of the zones that are asked about are whole quarters of an hour, so each is looked up once. */
export function wallOf(zone: string, instant: number): Wall | undefined {
  if (!formats.has(zone)) formats.set(zone, formatOf(zone));
  const format = formats.get(zone);
  if (!format) return undefined;
  if (!walls.has(zone)) walls.set(zone, new Map());
  const known = walls.get(zone)!;
  const quarter = Math.floor(instant / QUARTER_MS) * QUARTER_MS;
  if (!known.has(quarter)) {
    const { year, month, day, hour, minute, weekday } = Object.fromEntries(
      format.formatToParts(quarter).map(({ type, value }) => [type, value]),
    ) as { [part: string]: string };
    known.set(quarter, {
      date: `${year}-${month}-${day}`,
      clock: `${hour}:${minute}`,
      weekday: weekday!.toLowerCase(),
    });
  }
  const { date, clock, weekday } = known.get(quarter)!;
  const minute = Number(clock.slice(3)) + Math.floor((instant - quarter) / 60_000);
  return { date, clock: `${clock.slice(0, 3)}${String(minute).padStart(2, "0")}`, weekday };
}

/** Writes the wall clock of a zone; undefined for one that does not exist. */
export function formatOf(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat("en-CA", {
      timeZone,
      hourCycle: "h23",
      weekday: "short",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
    });
  } catch {
    return undefined;
  }
}

const firsts = new Map<string, number>();

/** The first instant at which the zone's calendar shows the day, or a later one where it leaves the day out. */
export function firstInstantOf(zone: string, day: string): number {
  const key = `${zone} ${day}`;
  if (!firsts.has(key)) {
    let instant = dateOf(day) - 15 * HOUR_MS;
    while (wallOf(zone, instant + HOUR_MS)!.date < day) instant += HOUR_MS;
    while (wallOf(zone, instant)!.date < day) instant += QUARTER_MS;
    firsts.set(key, instant);
  }
  return firsts.get(key)!;
}

const faces = new Map<string, { instant: number; clock: string; jumps: boolean }[]>();

/** The instants of the coming nine days at which a zone's wall clock comes to show one of the times of day, each on a quarter, or jumps. */
export function marksOf(zone: string, clocks: readonly string[], now: number): number[] {
  if (!wallOf(zone, now)) return [];
  const first = Math.floor(now / QUARTER_MS) * QUARTER_MS;
  const key = `${zone} ${first}`;
  if (!faces.has(key)) {
    const instants = Array.from({ length: (9 * DAY_MS) / QUARTER_MS }, (_, i) => first + i * QUARTER_MS);
    const seen = instants.map((instant) => ({ instant, clock: wallOf(zone, instant)!.clock }));
    const goesOn = (from: string, to: string) => (minutesOf(to) - minutesOf(from) + 1440) % 1440 === 15;
    const after = seen.slice(1).map((face, i) => ({ ...face, jumps: !goesOn(seen[i]!.clock, face.clock) }));
    faces.set(key, after);
  }
  return faces
    .get(key)!
    .filter(({ clock, jumps }) => jumps || clocks.includes(clock))
    .map(({ instant }) => instant);
}

const minutesOf = (clock: string) => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));

/** The double nearest to the exact sum, to the even one of two: each number as a whole multiple of the smallest double. */
export function exactSum(numbers: readonly number[]): number {
  const sum = numbers.reduce((total, number) => total + multipleOf(number), 0n);
  const size = sum < 0n ? -sum : sum;
  const excess = BigInt(Math.max(0, size.toString(2).length - 64));
  // What is cut off can only tip a tie: one bit says that it was there.
  const rest = size & ((1n << excess) - 1n) ? 1n : 0n;
  return (sum < 0n ? -1 : 1) * Number((size >> excess) | rest) * 2 ** Number(excess - 1074n);
}

const double = new DataView(new ArrayBuffer(8));

function multipleOf(number: number): bigint {
  double.setFloat64(0, number);
  const bits = double.getBigUint64(0);
  const exponent = (bits >> 52n) & 0x7ffn;
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  const size = exponent ? (fraction | 0x10_0000_0000_0000n) << (exponent - 1n) : fraction;
  return bits >> 63n ? -size : size;
}
