/** Calendar leaves against the wall clock that Intl shows, in zones with all kinds of clock changes. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Condition } from "../../../../shared/condition.ts";
import { compile } from "../../../../shared/engine/compile.ts";
import { fullLanguage } from "../../../../shared/engine/language-edge.ts";
import { formatOf } from "../oracle-values.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Half-hour summer time, changes at midnight, a day that never was, whole years of other offsets. */
const ZONES = [
  "UTC",
  "Europe/Amsterdam",
  "America/New_York",
  "Asia/Kolkata",
  "Australia/Lord_Howe",
  "America/Havana",
  "Africa/Cairo",
  "Pacific/Apia",
  "America/Sao_Paulo",
  "Asia/Kathmandu",
];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;

const formats = new Map(ZONES.map((timeZone) => [timeZone, formatOf(timeZone)!]));

function wall(instant: number, zone: string) {
  const parts = Object.fromEntries(
    formats
      .get(zone)!
      .formatToParts(instant)
      .map(({ type, value }) => [type, value]),
  );
  return {
    weekday: parts["weekday"]!.toLowerCase(),
    clock: `${parts["hour"]}:${parts["minute"]}`,
    date: `${parts["year"]}-${parts["month"]}-${parts["day"]}`,
  };
}

const ask = (condition: unknown, timeZone: string, now: number, traits = {}) =>
  compile([{ key: "rule", condition: condition as Condition }], { timeZone }, fullLanguage).evaluate(
    { traits, events: [] },
    now,
  )[0]!;

const instants = fc.oneof(
  fc.integer({ min: Date.UTC(2010, 0), max: Date.UTC(2030, 0) }),
  // Around clock changes, and the day that Samoa left out.
  fc
    .tuple(
      fc.constantFrom(
        Date.UTC(2026, 2, 29, 1),
        Date.UTC(2026, 9, 25, 1),
        Date.UTC(2026, 2, 8, 5),
        Date.UTC(2026, 10, 1, 5),
        Date.UTC(2024, 3, 25, 22),
        Date.UTC(2011, 11, 30, 10),
        Date.UTC(2018, 10, 4, 3),
        Date.UTC(2026, 3, 4, 15),
      ),
      fc.integer({ min: -2 * DAY, max: 2 * DAY }),
    )
    .map(([change, away]) => change + away),
);
const clocks = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom("00", "30", "59"))
  .map(([hour, minute]) => `${String(hour).padStart(2, "0")}:${minute}`);

it("tells the time of day and the weekday as the wall clock does, until it shows something else", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ZONES),
      instants,
      fc.option(clocks, { nil: undefined }),
      fc.option(clocks, { nil: undefined }),
      fc.option(fc.subarray([...WEEKDAYS], { minLength: 1 }), { nil: undefined }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 25, maxLength: 25 }),
      (zone, now, from, to, weekday, shares) => {
        const time = { ...(from && { from }), ...(to && { to }), ...(weekday && { weekday }) };
        const expected = (instant: number) => {
          const shown = wall(instant, zone);
          const [begin, end] = [from ?? "00:00", to ?? "24:00"];
          const inHours =
            begin < end ? begin <= shown.clock && shown.clock < end : begin <= shown.clock || shown.clock < end;
          return inHours && (!weekday || weekday.includes(shown.weekday as "sun"));
        };
        const { value, until } = ask({ time }, zone, now);
        expect(value).toBe(expected(now));
        if (until === null) return;
        expect(until).toBeGreaterThan(now);
        for (const share of shares) {
          const instant = Math.min(until - 1, Math.floor(now + share * (until - now)));
          expect(expected(instant), new Date(instant).toISOString()).toBe(value);
        }
        if (until < now + 8 * DAY) expect(expected(until), "exact").toBe(!value);
      },
    ),
    { numRuns: 1_500 },
  );
});

it("takes a date for its whole day in the site's zone", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ZONES),
      instants,
      fc.integer({ min: -12, max: 12 }),
      fc.constantFrom(1, 3, 7),
      (zone, now, away, length) => {
        const date = wall(now + away * DAY, zone).date;
        const { value, until } = ask({ date: { trait: "d" }, within: `${length}d` }, zone, now, { d: date });
        /** True from `length` days before the day begins until it is over. */
        const expected = (instant: number) =>
          wall(instant, zone).date <= date && wall(instant + length * DAY, zone).date >= date;
        expect(value).toBe(expected(now));
        if (until === null) return;
        expect(expected(until - 1)).toBe(value);
        expect(expected(until)).toBe(!value);
      },
    ),
    { numRuns: 1_500 },
  );
});
