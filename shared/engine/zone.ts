/** Wall clocks of IANA zones, through Intl: what the runtime's own zone database says. */

const DAY_MS = 86_400_000;
/** Near the furthest instant that a `Date` can hold, where Intl begins to throw. */
const DATE_LIMIT = 8.6e15;

/** How far a zone's wall clock is ahead of UTC at an instant, in milliseconds. */
export type Offset = (instant: number) => number;

/** True for a zone that the runtime knows. */
export function isZone(zone: unknown): zone is string {
  return typeof zone === "string" && offsetOf(zone) !== undefined;
}

/** The offset of a zone; undefined for one that the runtime does not know. Costly: keep it. */
export function offsetOf(zone: string): Offset | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    return undefined;
  }
  let last = NaN;
  let offset = 0;
  return (instant) => {
    // Offsets change on whole quarters of an hour at most, and questions come in clusters.
    const quarter = Math.floor(instant / 900_000);
    if (!(Math.abs(instant) < DATE_LIMIT)) return 0;
    if (quarter !== last) {
      last = quarter;
      const [month, day, year, hour, minute, second] = format
        .format(quarter * 900_000)
        .match(/\d+/g)!
        .map(Number) as number[];
      offset = Date.UTC(year!, month! - 1, day, hour, minute, second) - quarter * 900_000;
    }
    return offset;
  };
}

/**
 * The instant at which the zone's wall clock shows a time, given as that time in UTC: the first of two; of a time that clocks go
 * forward over, the instant as long after they do. Temporal calls that `compatible`.
 */
export function wallToInstant(wall: number, offset: Offset): number {
  const before = wall - offset(wall - DAY_MS);
  const after = wall - offset(wall + DAY_MS);
  const [early, late] = before < after ? [before, after] : [after, before];
  return early + offset(early) >= wall ? early : late;
}

/** The first instant after `from` and up to `to` at which the zone's offset is another than at `from`; Infinity = none. */
export function transitionIn(from: number, to: number, offset: Offset): number {
  const old = offset(from);
  if (offset(to) === old) return Infinity;
  while (to - from > 1) {
    const middle = Math.floor((from + to) / 2);
    if (offset(middle) === old) from = middle;
    else to = middle;
  }
  return to;
}
