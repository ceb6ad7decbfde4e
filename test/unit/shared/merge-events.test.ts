import fc from "fast-check";
import { expect, it } from "vitest";
import type { HistoryEvent } from "../../../shared/event.ts";
import { emptyHistory, extendHistory, mergeEvents, needsOf, readHistory } from "../../../shared/history.ts";

const needs = needsOf([{ event: "Viewed", where: { sku: { exists: true } } }, { event: "Bought" }]);
const build = (events: HistoryEvent[]) => extendHistory(emptyHistory(needs.shape), events, needs);

it("unites two readings into the reading of both, ties included", () => {
  const event = fc.record({
    type: fc.constant("track" as const),
    event: fc.constantFrom("Viewed", "Bought", "Ignored"),
    timestamp: fc.integer({ min: 1, max: 20 }),
    properties: fc.record({ sku: fc.constantFrom("a", "b", 1, null) }),
  });
  fc.assert(
    fc.property(fc.array(event), fc.array(event), (a, b) => {
      const merged = mergeEvents(readHistory([build(a)]), readHistory([build(b)]));
      expect(merged).toEqual(readHistory([build([...b, ...a])]));
    }),
  );
});
