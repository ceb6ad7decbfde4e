/** Random people at random instants, from a small vocabulary, so that they meet what conditions ask; replayable by seed. */
import { PURPOSES } from "../../../shared/consent.ts";
import type { Answer, Subject } from "../../../shared/engine/types.ts";
import type { HistoryEvent } from "../../../shared/event.ts";

/** Mulberry32. */
export function createRandom(seed: number) {
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  return {
    below,
    pick,
    chance: (share: number) => random() < share,
    list: <T>(least: number, most: number, make: () => T): T[] =>
      Array.from({ length: least + below(most - least + 1) }, make),
    some: <T>(list: readonly T[]): T[] => list.filter(() => random() < 0.5),
    shuffle: <T>(list: readonly T[]): T[] =>
      list
        .map((value) => ({ value, at: random() }))
        .sort((a, b) => a.at - b.at)
        .map(({ value }) => value),
  };
}

export type Random = ReturnType<typeof createRandom>;

/** When and where: an ordinary Sunday, clock changes of every sort, a day that never was, the ends of months and years, the epoch. */
export const SCENES: readonly (readonly [timeZone: string, now: string])[] = [
  ["UTC", "2026-11-22T10:00:00.000Z"],
  ["UTC", "2026-11-22T10:00:00.000Z"],
  ["Europe/Amsterdam", "2027-03-28T00:30:00.000Z"],
  ["Europe/Amsterdam", "2026-10-25T00:30:00.000Z"],
  ["America/New_York", "2026-11-01T05:30:00.000Z"],
  ["Australia/Lord_Howe", "2026-04-04T14:45:00.000Z"],
  ["Australia/Lord_Howe", "2026-10-03T15:15:00.000Z"],
  ["America/Havana", "2026-03-08T04:45:00.000Z"],
  ["Pacific/Apia", "2011-12-30T09:30:00.000Z"],
  ["Asia/Kathmandu", "2028-02-28T18:00:00.000Z"],
  ["Pacific/Tongatapu", "2026-12-31T10:59:00.000Z"],
  ["Mars/Olympus", "2026-11-22T10:00:00.000Z"],
  ["UTC", "1970-01-01T00:10:00.000Z"],
];

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
export const NAMES = ["A", "A", "A", "B", "B", "constructor"];
export const VERSIONS = ["1.0.0", "v1.10.2", "1.9", "1.10.0-rc.2", "2.0.0-rc.1+7", "2", "10.0.0"];
export const TEXTS = ["red", "Blue", "redder", "", "2", "2026-11-22T08:00:00Z", "2026-11-22"];
/** Sums are exact where the numbers are no farther apart than money is. */
const MONEY = [0.1, 0.2, 0.3, 0.7, 19.99, -19.99, -0.1, 999_999_999_999.99, -999_999_999_999.99];
export const SCALARS = [...TEXTS, 0, 1, 2, 3, 10, 0.3, -1, true, false, null];
export const PATHS = ["p", "q", "q", "deep.r", "tags", "tags.0", "__proto__", "constructor", "toString.length"];
/** What no JSON has, and what a careless caller may still hand over. */
const STRANGE = [Number.NaN, Number.POSITIVE_INFINITY, new Date(Number.NaN), new Date(0), undefined, [], [[]]];

/** Half hours around `now`, so that events, windows and each other's edges coincide, and a little beside. */
export const instantNear = (random: Random, now: number) =>
  now + (random.below(80) - 62) * (HOUR / 2) + random.pick([0, 0, 0, 0, 1, -1, 777]);

const isoNear = (random: Random, now: number) => {
  const iso = new Date(instantNear(random, now)).toISOString();
  return random.pick([iso, iso, iso.slice(0, 19), iso.replace("Z", "+02:00"), iso.slice(0, 10), iso.slice(0, 16)]);
};

/** How long ago a birthday was, or a wedding day will be. */
const YEARS = [-9, -1, 1, 2, 26, 38];

/** A day some time ago or to come, or an instant. */
function day(random: Random, now: number): string {
  const near = new Date(now + (random.below(30) - 15) * DAY).toISOString();
  const year = new Date(now).getUTCFullYear() - random.pick(YEARS);
  return random.pick([
    near.slice(0, 10),
    near,
    `${year}${near.slice(4, 10)}`,
    `${year}${near.slice(4)}`,
    `${year - (year % 4)}-02-29`,
    "2011-12-30",
    "2026-02-30",
  ]);
}

const number = (random: Random) => (random.chance(0.4) ? random.pick(MONEY) : random.below(5));

function bag(random: Random, now: number): { [key: string]: unknown } {
  const scalar = () => (random.chance(0.01) ? random.pick(STRANGE) : random.pick([...SCALARS, isoNear(random, now)]));
  const result: { [key: string]: unknown } = {};
  if (random.chance(0.7)) result["p"] = scalar();
  if (random.chance(0.75)) result["q"] = random.chance(0.95) ? number(random) : scalar();
  if (random.chance(0.4)) result["deep"] = random.chance(0.8) ? { r: scalar() } : scalar();
  if (random.chance(0.4)) result["tags"] = random.list(0, random.chance(0.003) ? 2_000 : 3, scalar);
  if (random.chance(0.05)) result["constructor"] = scalar();
  if (random.chance(0.03)) Object.defineProperty(result, "__proto__", { value: { p: 1 }, enumerable: true });
  return result;
}

/** Times that are none. */
const STRANGERS: unknown[] = [Number.NaN, Number.POSITIVE_INFINITY, "2026-11-22T10:00:00Z", null, {}];

/** Up to `most` events, ascending; a few that do not count stand among them. */
export function randomEvents(random: Random, now: number, most = random.chance(0.02) ? 60 : 12): HistoryEvent[] {
  const events = random.list(0, most, () => ({
    type: random.chance(0.85) ? ("track" as const) : random.pick(["page", "screen"] as const),
    event: random.pick(NAMES),
    timestamp: instantNear(random, now) + (random.chance(0.03) ? 0.5 : 0),
    properties: bag(random, now),
  }));
  // Some follow another at exactly a length that conditions know.
  for (const event of events)
    if (random.chance(0.3)) event.timestamp = random.pick(events).timestamp + random.pick([0.5, 1, 2]) * HOUR;
  const ordered: HistoryEvent[] = events.sort((a, b) => a.timestamp - b.timestamp);
  // Strangers stand anywhere; they do not count.
  if (random.chance(0.05)) {
    const timestamp = random.pick(STRANGERS);
    const stranger = { type: "track", event: "A", timestamp, properties: {} } as HistoryEvent;
    ordered.splice(random.below(ordered.length + 1), 0, stranger);
  }
  return ordered;
}

/** Answers for the segments that are not rules of the program. */
export const SEGMENTS = ["s", "t", "constructor"];

export function randomSubject(random: Random, now: number): Subject {
  const segments: { [key: string]: Answer } = {};
  for (const key of SEGMENTS) {
    if (!random.chance(key === "constructor" ? 0.1 : 0.7)) continue;
    segments[key] = {
      value: random.pick([true, false, "unknown"] as const),
      until: random.chance(0.5) ? null : now + (random.below(20) - 3) * HOUR,
    };
  }
  const zone = random.pick([undefined, random.pick(SCENES)[0], "Asia/Kolkata"]);
  return {
    ...(random.chance(0.8) && { id: `id-${random.below(50)}` }),
    traits: { ...bag(random, now), ...(random.chance(0.7) && { d: day(random, now) }) },
    context: { ...bag(random, now), ...(zone && { timezone: zone }) },
    events: randomEvents(random, now),
    segments,
    ...(random.chance(0.3) && { consent: random.some(PURPOSES) }),
  };
}
