import fc from "fast-check";
import { expect, it } from "vitest";
import { instantOf } from "../../../../shared/engine/dates.ts";
import { instantOf as plainInstantOf } from "../oracle-values.ts";

const digits = (least: number, most: number, length = 2) =>
  fc.integer({ min: least, max: most }).map((number) => String(number).padStart(length, "0"));
const maybe = (part: fc.Arbitrary<string>) => fc.option(part, { nil: "" });
const joined = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((some) => some.join(""));
const is = fc.constant<string>;

const fraction = fc.stringMatching(/^\.\d{1,20}$/);
const zone = fc.oneof(is("Z"), joined(fc.constantFrom("+", "-"), digits(0, 25), is(":"), digits(0, 61)));
const clock = joined(
  joined(is("T"), digits(0, 25), is(":"), digits(0, 61)),
  maybe(joined(is(":"), digits(0, 61), maybe(fraction))),
  maybe(zone),
);
const year = fc.oneof(digits(1969, 2101, 4), digits(0, 9999, 4));
const date = joined(year, is("-"), digits(0, 13), is("-"), digits(0, 32), maybe(clock));

it("reads dates to the millisecond, and none that no calendar or clock shows", () => {
  const read = (text: string) => {
    expect(instantOf(text), text).toBe(plainInstantOf(text));
  };
  read("2026-11-22T10:00:00.0123456789Z");
  read("2026-11-22T24:00:00.000Z");
  read("2026-11-22T24:00:00.001Z");
  fc.assert(fc.property(date, read), { numRuns: 20_000 });
});
