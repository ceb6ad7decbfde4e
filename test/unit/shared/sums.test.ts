/** Sums of money: as if added without rounding and rounded once, in any order and any window. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Condition } from "../../../shared/condition.ts";
import { compile } from "../../../shared/engine/compile.ts";
import { fullLanguage } from "../../../shared/engine/language-edge.ts";
import type { HistoryEvent } from "../../../shared/event.ts";
import { exactSum } from "./oracle-values.ts";
import { compileShipped } from "./shipped.ts";

const NOW = Date.parse("2026-11-22T10:00:00Z");
const HOUR = 3_600_000;

const ordersOf = (amounts: readonly number[], from = NOW - 1000): HistoryEvent[] =>
  amounts.map((amount, i) => ({ type: "track", event: "Order", timestamp: from + i, properties: { amount } }));

const inBrowser: typeof compile = (rules, options) => compileShipped(rules, options);

const holds = (condition: object, events: HistoryEvent[], build = compile) =>
  build([{ key: "rule", condition: condition as Condition }], { timeZone: "UTC" }, fullLanguage).evaluate(
    { traits: {}, events },
    NOW,
  )[0]!.value;

const cents = fc.integer({ min: -1e14, max: 1e14 }).map((amount) => amount / 100);
const amounts = fc.array(fc.oneof(cents, fc.constantFrom(0.1, 0.2, 0.3, 19.99, -19.99)), {
  minLength: 1,
  maxLength: 60,
});

it("equals the exact sum, in the browser and at the edge, whatever the order", () => {
  fc.assert(
    fc.property(amounts, fc.func(fc.double()), (some, rank) => {
      const sum = { event: "Order", sum: "amount", eq: exactSum(some) };
      const shuffled = some.map((amount, i) => ({ amount, at: rank(i) })).sort((a, b) => a.at - b.at);
      for (const build of [compile, inBrowser]) {
        expect(holds(sum, ordersOf(some), build)).toBe(true);
        expect(holds(sum, ordersOf(shuffled.map(({ amount }) => amount)), build)).toBe(true);
      }
      expect(holds({ event: "Order", avg: "amount", eq: exactSum(some) / some.length }, ordersOf(some))).toBe(true);
    }),
    { numRuns: 400 },
  );
});

it("leaves no trace of what has left the window", () => {
  fc.assert(
    fc.property(amounts, amounts, (before, within) => {
      const events = [...ordersOf(before, NOW - 2 * HOUR), ...ordersOf(within)];
      expect(holds({ event: "Order", within: "1h", sum: "amount", eq: exactSum(within) }, events)).toBe(true);
    }),
    { numRuns: 400 },
  );
});

it("answers where numbers are too large to add", () => {
  for (const some of [
    [1e308, 1e308],
    [1e308, 1e308, -1e308],
    [-1e308, -1e308, 1],
    [Number.MAX_VALUE, 5e-324],
  ])
    for (const kind of ["sum", "avg"])
      expect([true, false]).toContain(holds({ event: "Order", [kind]: "amount", gt: 0 }, ordersOf(some)));
});

it("takes a sum beyond the largest number as endless, in the browser and at the edge", () => {
  for (const build of [compile, inBrowser])
    for (const [some, operator] of [
      [[1e308, 1e308], "gt"],
      [[1e308, 1e308, 1], "gt"],
      [[-1e308, -1e308], "lt"],
    ] as const)
      expect(holds({ event: "Order", sum: "amount", [operator]: 0 }, ordersOf(some), build)).toBe(true);
});
