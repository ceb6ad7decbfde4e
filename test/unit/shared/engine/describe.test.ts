import { expect, it } from "vitest";
import type { Condition } from "../../../../shared/condition.ts";
import { describe } from "../../../../shared/engine/describe.ts";

it.each([
  [{ trait: "country", in: ["NL", "BE"] }, 'country is "NL" or "BE"'],
  [{ trait: "age", gte: 18, lt: 30 }, "age is at least 18 and is less than 30"],
  [{ trait: "spent", gt: { trait: "goal" } }, "spent is more than the person's goal"],
  [{ context: "page.path", startsWith: "/sale" }, 'this visit\'s page.path starts with "/sale"'],
  [
    { event: "Viewed", where: { category: { eq: "shoes" } }, within: "24h", count: { gte: 2 } },
    'did "Viewed" where category is "shoes" at least 2 times in the last 24 hours',
  ],
  [{ event: "Ordered", within: "1d", count: { eq: 0 } }, 'did not do "Ordered" in the last 1 day'],
  [{ type: "page", between: ["7d", "30d"] }, "did a page view between 30 days and 7 days ago"],
  [
    { event: "Ordered", sum: "revenue", within: "365d", gte: 500 },
    'the sum of revenue over "Ordered" in the last 365 days is at least 500',
  ],
  [{ event: "Viewed", days: { gte: 3 } }, 'did "Viewed" on at least 3 days'],
  [{ event: "Viewed", recency: { gt: "30d" } }, 'last did "Viewed" more than 30 days ago'],
  [
    { sequence: [{ event: "A" }, { event: "B" }], gap: "2h", within: "30d" },
    'did "A", then "B", each at most 2 hours after the one before, in the last 30 days',
  ],
  [
    { event: "Added", unless: { event: "Ordered", same: ["cart_id"] }, after: "1h", within: "7d" },
    'did "Added" at least 1 hour and less than 7 days ago, and since then no "Ordered" with the same cart_id',
  ],
  [
    { ratio: [{ event: "Opened" }, { event: "Sent" }], within: "90d", min: 5, gte: 0.5 },
    'the number of "Opened" per "Sent" in the last 90 days is at least 0.5, once there are 5 of the latter',
  ],
  [{ not: { segment: "vip" } }, 'is not in the segment "vip"'],
  [
    { time: { weekday: ["sat", "sun"], from: "18:00", to: "23:00", zone: "visitor" } },
    "it is Sat or Sun between 18:00 and 23:00 in the visitor's time zone",
  ],
  [
    { date: { trait: "birthday" }, anniversary: true, within: "7d" },
    "an anniversary of birthday is within the coming 7 days",
  ],
  [{ sample: { seed: "x", from: 0, to: 0.1 } }, 'falls between 0 % and 10 % of people in the sample "x"'],
  [
    {
      all: [
        {
          any: [
            { trait: "a", eq: 1 },
            { trait: "b", eq: 2 },
          ],
        },
        { trait: "c", exists: false },
      ],
    },
    "(a is 1 or b is 2) and c is not known",
  ],
  [{ all: [] }, "everyone"],
  [{ any: [] }, "no one"],
] as [Condition, string][])("describes %j", (condition, text) => {
  expect(describe(condition)).toBe(text);
});
