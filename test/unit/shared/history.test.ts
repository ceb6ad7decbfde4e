import fc from "fast-check";
import { expect, it } from "vitest";
import type { Condition } from "../../../shared/condition.ts";
import type { HistoryEvent } from "../../../shared/event.ts";
import {
  emptyHistory,
  extendHistory,
  HISTORY_CHARACTERS,
  type History,
  needsOf,
  readHistory,
} from "../../../shared/history.ts";
import { HISTORY_EVENTS } from "../../../shared/limits.ts";

const CONDITIONS: Condition[] = [
  { event: "Viewed", where: { category: { eq: "shoes" }, "products.0.sku": { exists: true } }, within: "24h" },
  { event: "Ordered", sum: "revenue", gte: 500, within: "365d" },
  { type: "page", where: { path: { like: "/shop*" } } },
  { event: "Added", unless: { event: "Ordered", same: ["cart_id"] }, after: "1h" },
];
const needs = needsOf(CONDITIONS);

const track = (event: string, timestamp: number, properties = {}): HistoryEvent => ({
  type: "track",
  event,
  timestamp,
  properties,
});
const build = (events: HistoryEvent[]) => extendHistory(emptyHistory(needs.shape), events, needs);

it("needs the events and properties that conditions look at", () => {
  expect(needs.events).toEqual([
    { type: "page", event: null, paths: ["path"], inside: [] },
    { type: "track", event: "Added", paths: ["cart_id"], inside: [] },
    { type: "track", event: "Ordered", paths: ["cart_id", "revenue"], inside: [] },
    { type: "track", event: "Viewed", paths: ["category", "products.0.sku"], inside: [] },
  ]);
  expect(needs.windowMs).toBeNull();
  expect(needsOf(CONDITIONS.slice(0, 2)).windowMs).toBe(365 * 86_400_000);
});

it("has one shape whatever the order of conditions, and another for another property", () => {
  expect(needsOf(CONDITIONS.toReversed()).shape).toBe(needs.shape);
  expect(needsOf([...CONDITIONS, { event: "Viewed", where: { color: { eq: "red" } } }]).shape).not.toBe(needs.shape);
  expect(needsOf([{ event: "Viewed", within: "1d" }]).shape).toBe(needsOf([{ event: "Viewed", within: "2d" }]).shape);
});

it("keeps what is needed and nothing else", () => {
  const history = build([
    track("Viewed", 2_000, { category: "hats", secret: "x", products: [{ sku: "s1", secret: "x" }] }),
    track("Searched", 3_000, { query: "x" }),
  ]);
  expect(JSON.stringify(history)).not.toMatch(/secret|query|Searched/);
  expect(JSON.parse(JSON.stringify(readHistory([history])))).toEqual([
    {
      type: "track",
      event: "Viewed",
      timestamp: 2_000,
      properties: { category: "hats", products: { 0: { sku: "s1" } } },
    },
  ]);
});

it("gives back the history itself when no event is needed", () => {
  const history = build([track("Viewed", 1_000)]);
  expect(extendHistory(history, [track("Searched", 3_000)], needs)).toBe(history);
});

it("tells a missing property from null, and keeps lists", () => {
  const own = needsOf([{ event: "A", where: { a: { exists: true }, b: { exists: true }, c: { contains: 1 } } }]);
  const [event] = readHistory([
    extendHistory(emptyHistory(own.shape), [track("A", 1, { b: null, c: [1, { secret: 1 }, [2]] })], own),
  ]);
  expect(Object.keys(event!.properties)).toEqual(["b", "c"]);
  expect(JSON.stringify(event!.properties)).toBe('{"b":null,"c":[1,{},[2]]}');
});

it("keeps of the objects in a value what is asked for inside them", () => {
  const inCart = { any: { where: { sku: { eq: "x" }, "price.amount": { gt: 5 } } } };
  for (const condition of [
    { event: "A", where: { products: inCart } },
    { event: "A", last: "products", ...inCart },
    { event: "A", first: "products", none: [{ isA: "null" as const }, inCart] },
  ]) {
    const own = needsOf([condition]);
    expect(own.events).toEqual([
      { type: "track", event: "A", paths: ["products"], inside: ["amount", "price", "sku"] },
    ]);
    const products = [{ sku: "x", secret: 1, price: { amount: 7, was: 9 } }, { sku: null }, "y"];
    const history = extendHistory(emptyHistory(own.shape), [track("A", 1, { products })], own);
    const [event] = readHistory([JSON.parse(JSON.stringify(history))]);
    expect(JSON.stringify(event!.properties)).toBe('{"products":[{"sku":"x","price":{"amount":7}},{"sku":null},"y"]}');
  }
});

it("is safe with keys named like a prototype", () => {
  const own = needsOf([{ event: "A", where: { "__proto__.polluted": { eq: 1 }, constructor: { exists: true } } }]);
  const properties = JSON.parse('{"__proto__":{"polluted":1},"constructor":"mine"}');
  const history = JSON.parse(JSON.stringify(extendHistory(emptyHistory(own.shape), [track("A", 1, properties)], own)));
  const [event] = readHistory([history]);
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
  expect(JSON.stringify(event!.properties)).toBe('{"__proto__":{"polluted":1},"constructor":"mine"}');
});

it("passes over times that are none", () => {
  for (const none of [Number.NaN, Number.POSITIVE_INFINITY, null, "5", "2026-11-22", true, [], {}])
    expect(build([track("Viewed", none as number)]).rows).toEqual([]);
});

const anyEvents = fc.array(
  fc.record({
    type: fc.constantFrom("track" as const, "page" as const),
    event: fc.constantFrom("Viewed", "Ordered", "Added", "Other"),
    timestamp: fc.integer({ min: -5, max: 40 }),
    properties: fc.dictionary(fc.constantFrom("category", "revenue", "cart_id", "path"), fc.jsonValue({ maxDepth: 1 })),
  }),
  { maxLength: 40 },
);

it("is the same for the same events in any order and split", () => {
  fc.assert(
    fc.property(anyEvents, fc.func(fc.double()), fc.integer({ min: 1, max: 7 }), (events, rank, step) => {
      const shuffled = events
        .map((event, i) => ({ event, at: rank(i) }))
        .sort((a, b) => a.at - b.at)
        .map(({ event }) => event);
      let history: History = emptyHistory(needs.shape);
      for (let i = 0; i < shuffled.length; i += step) {
        history = JSON.parse(JSON.stringify(extendHistory(history, shuffled.slice(i, i + step), needs)));
      }
      expect(history).toEqual(JSON.parse(JSON.stringify(build(events))));
    }),
    { numRuns: 300 },
  );
});

it("reads several owners' histories as one, whoever had what", () => {
  fc.assert(
    fc.property(anyEvents, fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), (events, sides) => {
      const left = build(events.filter((_, i) => sides[i]));
      const right = build(events.filter((_, i) => !sides[i]));
      expect(JSON.stringify(readHistory([left, right]))).toBe(JSON.stringify(readHistory([build(events)])));
      expect(JSON.stringify(readHistory([right, left]))).toBe(JSON.stringify(readHistory([build(events)])));
    }),
    { numRuns: 200 },
  );
});

const many = (count: number, step = 1_000) =>
  Array.from({ length: count }, (_, i) => track("Viewed", 1_700_000_000_000 + i * step, { category: `c-${i % 20}` }));

it("keeps the newest events and says from when on it is complete", () => {
  const events = many(HISTORY_EVENTS + 10);
  const history = build(events);
  expect(history.rows.length).toBe(HISTORY_EVENTS);
  expect(history.completeAfter).toBe(events[9]!.timestamp);
  expect(build(events.slice(10)).completeAfter).toBeNull();
});

it("drops the same events whatever the order of arrival", () => {
  const events = many(HISTORY_EVENTS + 50, 0).map((event, i) => ({ ...event, timestamp: 1_000 + Math.floor(i / 3) }));
  const whole = build(events);
  let history = emptyHistory(needs.shape);
  for (let i = events.length; i > 0; i -= 100)
    history = extendHistory(history, events.slice(Math.max(0, i - 100), i), needs);
  expect(history).toEqual(whole);
  let forward = emptyHistory(needs.shape);
  for (const event of events) forward = extendHistory(forward, [event], needs);
  expect(forward).toEqual(whole);
});

it("is bounded in size, too", () => {
  const long = "x".repeat(20_000);
  const history = build(many(50).map((event) => ({ ...event, properties: { category: long } })));
  expect(history.size).toBeLessThanOrEqual(HISTORY_CHARACTERS);
  expect(history.rows.length).toBe(Math.floor(HISTORY_CHARACTERS / (long.length + 19)));
  expect(history.completeAfter).not.toBeNull();
});

it("takes 30 to 40 characters an event", () => {
  expect(JSON.stringify(build(many(HISTORY_EVENTS))).length).toBeLessThan(40 * HISTORY_EVENTS);
});

it("begins anew for other needs, complete from then on", () => {
  const other = needsOf([{ event: "Searched" }]);
  const history = extendHistory(build([track("Viewed", 5_000)]), [track("Searched", 6_000)], other);
  expect(history.shape).toBe(other.shape);
  expect(history.completeAfter).toBe(5_000);
  expect(readHistory([history]).map(({ event }) => event)).toEqual(["Searched"]);
});
