import fc from "fast-check";
import { expect, it } from "vitest";
import { oracle } from "./oracle.ts";
import { exactSum, instantOf, wallOf } from "./oracle-values.ts";
import { rows, subjectOf } from "./vectors.ts";

it.each(rows.map((row) => [row.name, row] as const))("says the same as the golden vector: %s", (_, row) => {
  const { condition, rules = [], timeZone = "UTC" } = row;
  const setting = { subject: subjectOf(row), rules, timeZone };
  expect(oracle(condition, setting, Date.parse(row.now))).toBe(row.value);
  if (row.until) expect(oracle(condition, setting, Date.parse(row.until) - 1)).toBe(row.value);
});

it("sums exactly, rounds once, and to the even one of two", () => {
  expect(exactSum([])).toBe(0);
  expect(exactSum([0.1, 0.2, 0.3])).toBe(0.6);
  expect(exactSum([1e16, 1, -1e16])).toBe(1);
  expect(exactSum([2 ** 53, 1])).toBe(2 ** 53);
  expect(exactSum([2 ** 53, 1, 2 ** -1074])).toBe(2 ** 53 + 2);
  expect(exactSum([Number.MIN_VALUE, -Number.MIN_VALUE / 1])).toBe(0);
  expect(exactSum([Number.MAX_VALUE, -Number.MAX_VALUE, -5e-324])).toBe(-5e-324);
  expect(exactSum(Array(10).fill(0.1))).toBe(1);
});

it("sums to what rounding loses nothing of, where nothing is lost", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -1e6, max: 1e6 })),
      fc.integer({ min: -1000, max: 900 }),
      (whole, exponent) => {
        const scale = 2 ** exponent;
        expect(exactSum(whole.map((number) => number * scale))).toBe(whole.reduce((a, b) => a + b, 0) * scale);
      },
    ),
  );
});

it("reads instants as Date does where both read them, and days that no calendar has not at all", () => {
  fc.assert(
    fc.property(fc.date({ min: new Date(-6e13), max: new Date(2e14), noInvalidDate: true }), (date) => {
      expect(instantOf(date.toISOString())).toBe(date.getTime());
    }),
  );
  expect(instantOf("2026-11-22T10:00+02:00")).toBe(Date.parse("2026-11-22T08:00:00Z"));
  expect(instantOf("2026-11-22T10:00")).toBe(Date.parse("2026-11-22T10:00:00Z"));
  for (const none of ["2026-02-29", "2026-13-01", "2026-11-22T25:00", "2026-11-22 10:00", "", 5, null])
    expect(instantOf(none)).toBeNaN();
});

it("knows wall clocks", () => {
  expect(wallOf("Australia/Lord_Howe", Date.parse("2026-10-03T15:37:00Z"))).toEqual({
    date: "2026-10-04",
    clock: "02:37",
    weekday: "sun",
  });
  expect(wallOf("Mars/Olympus", 0)).toBeUndefined();
});
