import { expect, it } from "vitest";
import { checkCondition } from "../../../../edge/segments/schema.ts";
import type { Condition } from "../../../../shared/condition.ts";
import { compile } from "../../../../shared/engine/compile.ts";
import { describe } from "../../../../shared/engine/describe.ts";
import { fullLanguage } from "../../../../shared/engine/language-edge.ts";
import { createRandom, type Random } from "../random.ts";
import { FOCUSES, randomProgram } from "../random-program.ts";
import { SEED } from "../seed.ts";

it.each([
  [{ trait: "country", in: ["NL", "BE"] }, 'country is "NL" or "BE"'],
  [{ trait: "age", gte: 18, lt: 30 }, "age is at least 18 and is less than 30"],
  [{ trait: "spent", gt: { trait: "goal" } }, "spent is more than the person's goal"],
  [{ context: "page.path", startsWith: "/sale" }, 'this visit\'s page.path starts with "/sale"'],
  [
    { event: "Viewed", where: { category: { eq: "shoes" } }, within: "24h", count: { gte: 2 } },
    'did "Viewed" where category is "shoes" at least 2 times in the last 24 hours',
  ],
  [{ trait: "app.version", version: { gte: "2.1.0" } }, 'app.version as a version is at least "2.1.0"'],
  [
    { trait: "tags", size: { gte: 2, lt: 5 } },
    "tags is a list whose number of elements (is at least 2 and is less than 5)",
  ],
  [
    { trait: "age", number: { gte: 18 }, isA: ["string", "number"] },
    "age read as a number is at least 18 and is a text or a number",
  ],
  [{ trait: "country", lower: { in: ["us", "uk"] } }, 'country in lower case (is "us" or "uk")'],
  [{ trait: "title", none: [{ contains: "sale" }] }, 'title is not such that it contains "sale"'],
  [
    { trait: "title", none: [{ contains: "a", endsWith: "b" }, { eq: "c" }] },
    'title is not such that it ((contains "a" and ends with "b") or is "c")',
  ],
  [{ trait: "name", text: { gte: "m" } }, 'name written as text does not sort before "m"'],
  [
    { event: "Ordered", where: { products: { any: { where: { category: { eq: "shoes" } } } } } },
    'did "Ordered" (where products is a list in which some element has category that is "shoes")',
  ],
  [
    { event: "Ordered", where: { sku: { eq: 1 } }, last: "code", lower: { eq: "x" } },
    'the last code of "Ordered" (where sku is 1) in lower case is "x"',
  ],
  [{ event: "Ordered", within: "1d", count: { eq: 0 } }, 'did not do "Ordered" in the last day'],
  [{ type: "page", between: ["7d", "30d"] }, "did any page view between 30 days and 7 days ago"],
  [{ type: "page", event: "Home" }, 'did the page view "Home"'],
  [
    { event: "Viewed", where: { price: { gte: 5, lt: 10 }, "cart id": { exists: true } }, count: { gt: 1, lte: 5 } },
    'did "Viewed" (where price is at least 5 and is less than 10 and "cart id" is known) more than 1 and at most 5 times',
  ],
  [{ event: "Viewed", count: { in: [2, 4] } }, 'did "Viewed" exactly 2 or 4 times'],
  [{ event: "Viewed", count: { nin: [] } }, 'did "Viewed" any number of times'],
  [
    { event: "Viewed", within: "30d", recency: { gte: "1d" } },
    'did "Viewed" in the last 30 days, the last time at least 1 day ago',
  ],
  [{ trait: "tags", any: { in: ["a", "b", "c"] } }, 'tags is a list in which some element (is one of "a", "b" or "c")'],
  [{ trait: "plan", nin: ["free", "pro"] }, 'plan is neither "free" nor "pro"'],
  [{ trait: "plan", in: [] }, "plan is one of no values"],
  [{ trait: "joined", gte: "2026-01-01" }, 'joined is not before "2026-01-01"'],
  [{ trait: "joined", within: "30d" }, "joined is a date in the last 30 days"],
  [
    { trait: "title", lower: { gte: "m", lt: "q" } },
    'title in lower case (does not sort before "m" and sorts before "q")',
  ],
  [{ trait: "title", eq: 'a " or b' }, 'title is "a \\" or b"'],
  [
    { event: "Ordered", sum: "revenue", within: "365d", gte: 500 },
    'the sum of revenue over "Ordered" in the last 365 days is at least 500',
  ],
  [{ event: "Viewed", days: { gte: 3 } }, 'did "Viewed" on at least 3 days'],
  [{ event: "Viewed", recency: { gt: "30d" } }, 'last did "Viewed" more than 30 days ago'],
  [
    { sequence: [{ event: "A" }, { event: "B" }], gap: "2h", within: "30d" },
    'did "A", then "B" (each at most 2 hours after the one before) in the last 30 days',
  ],
  [
    { event: "Added", unless: { event: "Ordered", same: ["cart_id"] }, after: "1h", within: "7d" },
    'did "Added" at least 1 hour and less than 7 days ago, and since then no "Ordered" with the same cart_id',
  ],
  [
    { ratio: [{ event: "Opened" }, { event: "Sent" }], within: "90d", min: 5, gte: 0.5 },
    'the number of "Opened" per "Sent" in the last 90 days is at least 0.5 and there are at least 5 of the latter',
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
  [
    { time: { from: "22:00", to: "06:00", zone: "Europe/Lisbon" } },
    "it is between 22:00 and 06:00 of the next day in Europe/Lisbon",
  ],
  [{ time: { from: "18:00" } }, "it is from 18:00 on in the site's time zone"],
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
  [
    { any: [{ all: [{ not: { trait: "a", eq: 1 } }, { trait: "b", gt: 2 }] }, { trait: "c", in: ["x", "y"] }] },
    '(not (a is 1) and b is more than 2) or (c is "x" or "y")',
  ],
  [{ all: [] }, "everyone"],
  [{ any: [] }, "no one"],
] as [Condition, string][])("describes %j", (condition, text) => {
  expect(describe(condition)).toBe(text);
});

it("words differently what means something different", () => {
  let changed = 0;
  let alike = 0;
  for (let i = 0; i < 2_500; i++) {
    const random = createRandom(SEED + i);
    const { rules, subjects, timeZone, now } = randomProgram(random, FOCUSES[i % FOCUSES.length]!, 5);
    const valuesOf = (condition: Condition) => {
      const others = rules.map(({ key, condition }) => ({ key, condition }));
      const { evaluate } = compile([...others, { key: "/", condition }], { timeZone }, fullLanguage);
      return subjects.flatMap((subject) => [0, 1, 5_400_000].map((ms) => evaluate(subject, now + ms).at(-1)!.value));
    };
    for (const { condition } of rules) {
      const other = change(random, condition) as Condition;
      if (checkCondition(other).errors) continue;
      changed++;
      if (describe(other) !== describe(condition)) continue;
      alike++;
      const show = `ATTUNE_SEED=${SEED + i} ${describe(other)} ${JSON.stringify([condition, other])}`;
      expect(valuesOf(other), show).toEqual(valuesOf(condition));
    }
  }
  expect(changed).toBeGreaterThan(500);
  expect(alike).toBeLessThan(changed / 10);
}, 60_000);

it("leaves no doubt of what belongs together", () => {
  const [a, b, c]: Condition[] = [
    { trait: "a", in: [1, 2] },
    { event: "A", unless: { event: "B" }, after: "1h" },
    { not: { trait: "c", gt: 1, lt: 5 } },
  ];
  const said = [
    { any: [a, { all: [b, c] }] },
    { all: [{ any: [a, b] }, c] },
    { any: [{ all: [a, b] }, c] },
    { all: [a, { any: [b, c] }] },
    { not: { any: [a, { all: [b, c] }] } },
    { any: [{ not: a }, { all: [b, c] }] },
    { all: [{ not: { any: [a, b] } }, c] },
    { all: [{ any: [{ not: a }, b] }, c] },
    { any: [{ all: [{ not: a }, b] }, c] },
    { not: { all: [{ any: [a, b] }, c] } },
    { any: [{ not: { all: [a, b] } }, c] },
  ].map((condition) => describe(condition as Condition));
  expect(new Set(said).size).toBe(said.length);
});

const SWAPS: { readonly [key: string]: string } = {
  ...{ gt: "gte", gte: "lt", lt: "lte", lte: "eq", eq: "ne", ne: "contains", in: "nin", nin: "in", like: "eq" },
  ...{ all: "any", any: "all", before: "after", after: "before", trait: "context", context: "trait" },
  ...{ sum: "avg", avg: "min", min: "max", max: "distinct", distinct: "first", first: "last", last: "sum" },
  ...{ count: "days", days: "count", startsWith: "endsWith", endsWith: "contains", text: "lower", lower: "version" },
};

/** The JSON with one thing in it changed: a value, a key, or an element less. */
function change(random: Random, value: unknown): unknown {
  if (typeof value === "number") return value + random.pick([1, -1, 0.5]);
  if (typeof value === "boolean") return !value;
  if (value === null) return "null";
  if (typeof value === "string") return random.pick([`${value} x`, "1h", "A", "p", "30m", "2026-11-22", "sat"]);
  if (Array.isArray(value)) {
    const at = random.below(value.length || 1);
    if (!value.length || random.chance(0.3)) return value.toSpliced(at, 1);
    return value.with(at, change(random, value[at]));
  }
  const entries = Object.entries(value as object);
  const at = random.below(entries.length || 1);
  const [key, inner] = entries[at] ?? ["p", { eq: 1 }];
  if (random.chance(0.2)) return Object.fromEntries(entries.toSpliced(at, 1));
  const swapped = Object.hasOwn(SWAPS, key) && random.chance(0.3) ? SWAPS[key]! : undefined;
  return Object.fromEntries(entries.toSpliced(at, 1, swapped ? [swapped, inner] : [key, change(random, inner)]));
}
