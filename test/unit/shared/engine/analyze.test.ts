import { expect, it } from "vitest";
import type { Condition } from "../../../../shared/condition.ts";
import { analyze, findCycle, longestChain } from "../../../../shared/engine/analyze.ts";

it("tells what a condition looks at", () => {
  const condition: Condition = {
    all: [
      { trait: "address.country", in: ["NL", { trait: "home" }] },
      { context: "page.path", like: "/shop*" },
      { not: { segment: "vip" } },
      { event: "Product Viewed", where: { category: { eq: { trait: "favorite" } } }, within: "24h", count: { gte: 2 } },
      { event: "Added", unless: { event: "Ordered", same: ["cart_id"] }, after: "1h", within: "7d" },
      { event: "Ordered", between: ["7d", "30d"], sum: "revenue", gte: 50 },
    ],
  };
  expect(analyze(condition)).toEqual({
    events: [
      { type: "track", event: "Added", paths: ["cart_id"], inside: [] },
      { type: "track", event: "Ordered", paths: ["cart_id", "revenue"], inside: [] },
      { type: "track", event: "Product Viewed", paths: ["category"], inside: [] },
    ],
    windowMs: 30 * 86_400_000,
    traits: ["address.country", "favorite", "home"],
    context: ["page.path"],
    segments: ["vip"],
    purposes: ["analytics", "personalization"],
    runtime: "edge",
    edgeOnly: [
      { pointer: "/all/0/in/1", what: "a value that is a trait" },
      { pointer: "/all/1/like", what: "like" },
      { pointer: "/all/3/where/category/eq", what: "a value that is a trait" },
      { pointer: "/all/5/between", what: "between" },
    ],
    sampled: false,
  });
});

it("points at what the browser lacks", () => {
  const parts = (condition: Condition) => analyze(condition).edgeOnly.map(({ pointer, what }) => `${pointer} ${what}`);
  const where = { "a/b": { like: "x*", gt: 1 } };
  expect(parts({ not: { event: "A", unless: { event: "B", where }, after: "1h" } })).toEqual([
    "/not/unless/where/a~1b/like like",
  ]);
  expect(
    parts({
      any: [
        { event: "A", where, count: { gte: 1 } },
        { event: "A", days: { gte: 2 } },
      ],
    }),
  ).toEqual(["/any/0/where/a~1b/like like", "/any/1 days"]);
  expect(parts({ trait: "joined", gte: "2026-01-01", all: { eq: 1 } })).toEqual(["/gte gte of a date", "/all all"]);
});

it.each([
  [{ trait: "age", gte: 18 }, "browser"],
  [{ trait: "age", gte: "2020-01-01" }, "edge"],
  [{ trait: "plan", eq: { trait: "wish" } }, "edge"],
  [{ trait: "joined", within: "30d" }, "edge"],
  [{ trait: "tags", any: { eq: "x" } }, "edge"],
  [{ trait: "v", version: { gte: "2" } }, "edge"],
  [{ trait: "tags", size: { gte: 2 } }, "edge"],
  [{ trait: "a", isA: "string" }, "edge"],
  [{ trait: "a", where: { b: { eq: 1 } } }, "edge"],
  [{ event: "A", last: "a", lower: { eq: "x" } }, "edge"],
  [{ context: "page.path", startsWith: "/shop" }, "browser"],
  [{ context: "page.path", like: "/shop*" }, "edge"],
  [{ event: "A", where: { price: { gt: 5 } }, within: "7d", count: { lt: 3 } }, "browser"],
  [{ event: "A", where: { price: { gt: { trait: "limit" } } } }, "edge"],
  [{ event: "A", where: { title: { like: "*x" } } }, "edge"],
  [{ event: "A", after: "2026-01-01" }, "edge"],
  [{ event: "A", between: ["1d", "7d"] }, "edge"],
  [{ event: "A", sum: "revenue", gte: 50, within: "30d" }, "browser"],
  [{ event: "A", sum: "revenue", before: "2026-01-01" }, "edge"],
  [{ event: "A", unless: { event: "B", where: { x: { eq: 1 } } }, after: "1h" }, "browser"],
  [{ event: "A", unless: { event: "B", where: { x: { like: "*" } } }, after: "1h" }, "edge"],
  [{ event: "A", recency: { lt: "1d" } }, "edge"],
] as [Condition, string][])("says where %j is decided", (condition, runtime) => {
  expect(analyze(condition).runtime).toBe(runtime);
});

it.each([
  [{ time: { from: "18:00", zone: "visitor" } }, { context: ["timezone"], runtime: "edge" }],
  [
    { date: { trait: "birthday" }, within: "7d" },
    { traits: ["birthday"], runtime: "edge", purposes: ["personalization"] },
  ],
  [{ sample: { seed: "x", from: 0, to: 1 } }, { sampled: true, purposes: [], windowMs: 0 }],
  [
    { sequence: [{ event: "A" }, { event: "B" }], within: "2d" },
    { windowMs: 2 * 86_400_000, runtime: "edge" },
  ],
  [{ event: "A" }, { windowMs: null, runtime: "browser", purposes: ["analytics"] }],
  [
    { type: "page", recency: { gt: "1d" } },
    { events: [{ type: "page", event: null, paths: [], inside: [] }], windowMs: null },
  ],
  [{ all: [] }, { windowMs: 0, runtime: "browser", purposes: [] }],
] as [Condition, object][])("analyzes %j", (condition, expected) => {
  expect(analyze(condition)).toMatchObject(expected);
});

it("finds segments that refer to each other in a circle", () => {
  const refer = (key: string, ...to: string[]) => ({ key, condition: { all: to.map((segment) => ({ segment })) } });
  expect(
    findCycle([refer("a", "b", "c"), refer("b", "c"), refer("c"), { key: "list", condition: null }]),
  ).toBeUndefined();
  expect(findCycle([refer("x", "a"), refer("a", "b"), refer("b", "gone", "a")])).toEqual(["a", "b", "a"]);
  expect(findCycle([refer("self", "self")])).toEqual(["self", "self"]);
});

it("knows how many segments refer to one another in a row", () => {
  const refer = (key: string, ...to: string[]) => ({ key, condition: { all: to.map((segment) => ({ segment })) } });
  expect(longestChain([])).toBe(0);
  expect(longestChain([refer("c"), refer("a", "b", "c"), { key: "list", condition: null }, refer("b", "c")])).toBe(3);
});
