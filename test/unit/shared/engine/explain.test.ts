import { expect, it } from "vitest";
import type { Condition } from "../../../../shared/condition.ts";
import { compile } from "../../../../shared/engine/compile.ts";
import { explain } from "../../../../shared/engine/explain.ts";
import { browserLanguage } from "../../../../shared/engine/language.ts";
import { fullLanguage } from "../../../../shared/engine/language-edge.ts";
import { kindOf } from "../../../../shared/engine/run.ts";
import { ship } from "../../../../shared/engine/ship.ts";
import type { Rule, Subject, Why } from "../../../../shared/engine/types.ts";
import { createRandom } from "../random.ts";
import { FOCUSES, randomProgram } from "../random-program.ts";
import { SEED } from "../seed.ts";

const NOW = Date.parse("2026-11-27T10:00:00Z");
const HOUR = 3_600_000;
const OPTIONS = { timeZone: "Europe/Amsterdam", language: fullLanguage };

const event = (name: string, hoursAgo: number, properties = {}) => ({
  type: "track" as const,
  event: name,
  timestamp: NOW - hoursAgo * HOUR,
  properties,
});

const SUBJECT: Subject = {
  id: "x",
  traits: { age: 35, plan: "free", tags: ["a", "b"], birthday: "1990-12-03", goal: 5 },
  events: [
    event("Viewed", 20, { category: "shoes", price: 0.1 }),
    event("Added", 3, { cart: 7 }),
    event("Viewed", 2, { price: 0.2 }),
    event("Ordered", 1, { cart: 7 }),
    event("Added", 0.5, { cart: 8 }),
  ],
  segments: { vip: { value: true, until: null, since: NOW - 5 * HOUR }, old: { value: true, until: NOW - HOUR } },
};

const RULES: Rule[] = [
  { key: "grown", condition: { all: [{ trait: "age", gte: 40 }, { segment: "vip" }] } },
  { key: "round", condition: { not: { segment: "trip" } } },
  { key: "trip", condition: { any: [{ segment: "round" }] } },
];

const ask = (condition: unknown, subject: Partial<Subject> = {}, options = OPTIONS) =>
  explain(condition as Condition, { ...SUBJECT, ...subject }, NOW, { ...options, rules: RULES });

it.each([
  [
    { event: "Viewed", within: "24h", count: { gte: 3 } },
    "no (2 times so far, 1 more needed before Fri 27 Nov 2026 15:00)",
    { actual: 2, required: { gte: 3 }, missing: 1 },
  ],
  [
    { event: "Viewed", where: { category: { eq: "shoes" } }, within: "24h", count: { eq: 2 } },
    "no (1 time so far, 1 more needed before Fri 27 Nov 2026 15:00)",
    { actual: 1, missing: 1 },
  ],
  [
    { event: "Viewed", within: "24h", count: { lt: 2 } },
    "no (2 times so far, 1 too many), until Fri 27 Nov 2026 15:00, then yes",
    { actual: 2, missing: -1 },
  ],
  [
    { event: "Viewed", between: ["1h", "24h"], count: { gte: 4 } },
    "no (2 times so far, 2 more needed before Fri 27 Nov 2026 14:00, each counts 1 hour after it happened)",
    { missing: 2 },
  ],
  [
    { event: "Viewed", before: "2026-11-27T09:00:00Z", count: { gt: 2 } },
    "no (2 times so far, 1 more would have been needed before Fri 27 Nov 2026 10:00)",
    { missing: 1 },
  ],
  [{ event: "Viewed", sum: "price", gte: 1 }, "no (0.3 so far, 0.7 more needed)", { actual: 0.3, missing: 0.7 }],
  [
    { event: "Viewed", avg: "price", gte: { trait: "goal" } },
    "no (0.15 so far, 4.85 more needed, goal is 5)",
    { actual: 0.15, required: { gte: { trait: "goal" } } },
  ],
  [{ event: "Viewed", max: "cart", gte: 1 }, "no (nothing so far)", { required: { gte: 1 } }],
  [{ event: "Viewed", days: { gte: 3 } }, "no (2 days so far, 1 more needed)", { actual: 2, missing: 1 }],
  [
    { event: "Viewed", recency: { gte: "1d" } },
    "no (2 hours ago, 22 hours to go), until Sat 28 Nov 2026 09:00, then yes",
    { actual: 2 * HOUR, missing: 22 * HOUR },
  ],
  [{ event: "Viewed", recency: { lt: "1h" } }, "no (2 hours ago, 1 more needed)", { actual: 2 * HOUR }],
  [{ event: "Left", recency: { lt: "1h" } }, "no (never)", { required: { lt: "1h" } }],
  [{ event: "Viewed", within: "1h", recency: { lt: "1h" } }, "no (not in that time)", { required: { lt: "1h" } }],
  [
    { ratio: [{ event: "Viewed" }, { type: "page", event: "Home" }], gte: 1 },
    'no (2 "Viewed" and 0 page view "Home", 1 more of the latter needed)',
    { missing: 1 },
  ],
  [{ event: "Viewed", last: "category", eq: "x" }, 'no ("shoes" so far)', { actual: "shoes" }],
  [
    { sequence: [{ event: "Viewed" }, { event: "Added" }, { event: "Thanked" }], gap: "20h", within: "2d" },
    'no (2 steps of 3, "Added" 30 minutes ago, next comes "Thanked" before Sat 28 Nov 2026 06:30)',
    { actual: 2, required: 3, missing: 1 },
  ],
  [
    { sequence: [{ event: "Viewed" }, { event: "Thanked" }], gap: "30m" },
    'no (not begun, first comes "Viewed")',
    { actual: 0, missing: 2 },
  ],
  [
    { sequence: [{ event: "Viewed" }, { event: "Added" }] },
    "yes (all 2 steps, the last 30 minutes ago)",
    { actual: 2, required: 2 },
  ],
  [
    { event: "Added", unless: { event: "Ordered", same: ["cart"] }, after: "1h", within: "7d" },
    'no ("Added" 30 minutes ago is not answered, 30 minutes to go), until Fri 27 Nov 2026 11:30, then yes',
    { actual: { at: "2026-11-27T09:30:00.000Z" }, missing: HOUR / 2 },
  ],
  [
    { event: "Added", unless: { event: "Ordered" }, after: "10m" },
    'yes ("Added" 30 minutes ago is not answered)',
    { actual: { at: "2026-11-27T09:30:00.000Z" } },
  ],
  [
    { event: "Viewed", unless: { event: "Ordered" }, after: "1h" },
    'no ("Viewed" 2 hours ago was answered 1 hour ago)',
    { actual: { at: "2026-11-27T08:00:00.000Z", answeredAt: "2026-11-27T09:00:00.000Z" } },
  ],
  [
    { ratio: [{ event: "Ordered" }, { event: "Viewed" }], min: 5, gte: 0.5 },
    'no (1 "Ordered" and 2 "Viewed", 3 more of the latter needed)',
    { actual: { counts: [1, 2] }, required: { min: 5, gte: 0.5 }, missing: 3 },
  ],
  [
    { ratio: [{ event: "Ordered" }, { event: "Viewed" }], gte: 0.5 },
    'yes (1 "Ordered" and 2 "Viewed": 0.5)',
    { actual: { counts: [1, 2], value: 0.5 } },
  ],
  [{ segment: "vip" }, "yes (since Fri 27 Nov 2026 06:00)", { actual: "2026-11-27T05:00:00.000Z" }],
  [
    { time: { weekday: ["sat"], from: "18:00" } },
    "no (it is Fri 11:00), until Sat 28 Nov 2026 18:00, then yes",
    { actual: { weekday: "fri", time: "11:00", zone: "Europe/Amsterdam" }, missing: 31 * HOUR },
  ],
  [
    { date: { trait: "birthday" }, anniversary: true, within: "3d" },
    'no (it is "1990-12-03"), until Mon 30 Nov 2026 00:00, then yes',
    { actual: "1990-12-03", missing: 61 * HOUR },
  ],
  [{ sample: { seed: "x", from: 0, to: 0.1 } }, "no (falls at about 11.78 %)", { required: { from: 0, to: 0.1 } }],
  [{ trait: "age", gte: 40 }, "no (it is 35, 5 more needed)", { actual: 35, missing: 5 }],
  [{ trait: "age", lte: { trait: "goal" } }, "no (it is 35, 30 too much, goal is 5)", { missing: -30 }],
  [{ trait: "tags", any: { eq: "c" } }, 'no (it is ["a", "b"], 0 of 2 elements do)', { actual: ["a", "b"] }],
  [{ trait: "plan", all: { eq: "c" } }, 'no (it is "free", which is no list)', { actual: "free" }],
  [{ context: "page.path", eq: "/" }, "no (not known)", { required: { eq: "/" } }],
] as const)("tells of %j what was found", (condition, says, finding) => {
  const why = ask(condition);
  expect(
    why.says.slice(why.says.lastIndexOf(": ", why.says.indexOf(" (", why.says.search(/: (yes|no) /)))).slice(2),
  ).toBe(says);
  expect(why).toMatchObject(finding);
});

it.each([
  [{ event: "A", where: { p: { eq: { trait: "x" } } } }, "consent", ["analytics", "personalization"]],
  [{ segment: "gone" }, "value", ["segments.gone"]],
  [{ segment: "old" }, "value", ["segments.old.until"]],
  [{ time: { from: "18:00", zone: "visitor" } }, "value", ["context.timezone"]],
  [{ sample: { seed: "x", from: 0, to: 1 } }, "value", ["id"]],
] as const)("tells why %j is unknown", (condition, reason, what) => {
  const subject = reason === "consent" ? { consent: ["necessary" as const] } : { id: undefined as never };
  expect(ask(condition, subject)).toMatchObject({ value: "unknown", unknown: { reason, what } });
});

it("tells which parts the browser lacks", () => {
  const condition = { all: [{ not: { trait: "age", like: "x*", within: "2d" } }, { event: "A", days: { gte: 1 } }] };
  const why = ask(ship(condition as Condition), {}, { ...OPTIONS, language: browserLanguage });
  const reason = "runtime";
  expect(why.children![0]!.children![0]!.unknown).toEqual({ reason, what: ["/all/0/not/like", "/all/0/not/within"] });
  expect(why.children![1]!.unknown).toEqual({ reason, what: ["/all/1"] });
});

it("says what decides a group", () => {
  const old = { trait: "age", gte: 40 };
  const young = { trait: "age", lt: 40 };
  expect(ask({ all: [old, young, { event: "Left" }] })).toMatchObject({
    decides: [0, 2],
    says: expect.stringContaining(
      'no (still missing: age is at least 40 (it is 35, 5 more needed); did "Left" (0 times so far, 1 more needed))',
    ),
  });
  expect(ask({ any: [old, young] })).toMatchObject({
    decides: [1],
    says: expect.stringContaining("yes (this holds: age is less than 40 (it is 35))"),
  });
  expect(ask({ any: [old, { segment: "gone" }] })).toMatchObject({
    decides: [1],
    says: expect.stringContaining('unknown (not known: is in the segment "gone"'),
  });
  expect(ask({ all: [young, { segment: "vip" }] }).says).toContain("yes (all of 2 hold)");
});

it("traces the rule that a segment is, once", () => {
  const why = ask({ all: [{ segment: "grown" }, { not: { segment: "grown" } }] });
  expect(why.children![0]!.children).toMatchObject([{ segment: "grown", pointer: "", value: false, decides: [0] }]);
  expect(why.children![0]!.children![0]!.children![0]).toMatchObject({
    segment: "grown",
    pointer: "/all/0",
    missing: 5,
  });
  expect(why.children![1]!.children![0]!.children).toBeUndefined();
  expect(ask({ segment: "round" }).value).toBe("unknown");
});

it("says where older events than are kept could make another answer", () => {
  const subject = { completeAfter: NOW - 24 * HOUR };
  const noted = (condition: object) => ask(condition, subject).completeAfter !== undefined;
  expect(ask({ all: [{ event: "Viewed", count: { gte: 3 } }] }, subject)).toMatchObject({
    completeAfter: NOW - 24 * HOUR,
    says: expect.stringContaining("events up to Thu 26 Nov 2026 11:00 are not looked at, with them it could differ"),
  });
  expect(noted({ event: "Viewed", count: { gte: 2 } })).toBe(false);
  expect(noted({ event: "Viewed", count: { gte: 3 }, within: "24h" })).toBe(false);
  expect(noted({ event: "Viewed", count: { gte: 3 }, within: "25h" })).toBe(true);
  expect(noted({ event: "Viewed", count: { lt: 2 } })).toBe(false);
  expect(noted({ event: "Viewed", count: { lt: 3 } })).toBe(true);
  expect(noted({ event: "Viewed", after: "2026-11-26T11:00:00Z", count: { gte: 3 } })).toBe(false);
  expect(noted({ event: "Viewed", recency: { lt: "1h" } })).toBe(false);
  expect(noted({ event: "Left", recency: { lt: "1h" } })).toBe(true);
  expect(noted({ event: "Viewed", first: "price", eq: 0.1 })).toBe(true);
  expect(noted({ sequence: [{ event: "Added" }, { event: "Viewed" }] })).toBe(false);
  expect(noted({ sequence: [{ event: "Added" }, { event: "Left" }] })).toBe(true);
  expect(noted({ trait: "age", eq: 1 })).toBe(false);
  expect(ask({ event: "Left" }).completeAfter).toBeUndefined();
});

it("answers in every node what the engine answers, and has found what that rests on", () => {
  for (let i = 0; i < 1_500; i++) {
    const focus = FOCUSES[i % FOCUSES.length]!;
    const { rules, subjects, timeZone, now } = randomProgram(createRandom(SEED + i), focus, 1);
    const subject = subjects[0]!;
    const options = { timeZone, language: fullLanguage, rules };
    const show = `ATTUNE_SEED=${SEED + i} ${JSON.stringify({ rules, subject, now })}`;
    const answers = compile(rules, options, fullLanguage).evaluate(subject, now);
    rules.forEach(({ condition }, at) => {
      const why = explain(condition, subject, now, options);
      expect({ value: why.value, until: why.until }, show).toEqual(answers[at]);
      for (const [node, leaf] of leavesOf(why, condition)) checkLeaf(node, leaf, subject, now, show);
    });
  }
}, 60_000);

/** The leaves of a trace, but of the rules that it refers to. */
function leavesOf(why: Why, condition: Condition): [Why, Condition][] {
  const { all, any, not } = condition as { all?: Condition[]; any?: Condition[]; not?: Condition };
  const parts = Array.isArray(all) ? all : Array.isArray(any) ? any : not && [not];
  return parts ? parts.flatMap((part, i) => leavesOf(why.children![i]!, part)) : [[why, condition]];
}

/** What is required is true of what was found where the leaf is true. */
function checkLeaf(why: Why, leaf: Condition, subject: Subject, now: number, show: string): void {
  const what = `${JSON.stringify(leaf)} ${JSON.stringify(why)} ${show}`;
  expect(why.value === "unknown", what).toBe(why.unknown !== undefined);
  const kind = kindOf(leaf)!;
  if (why.value === "unknown") return;
  if (["event", "type", "days", "distinct", "min", "max", "first", "last", "trait", "context"].includes(kind)) {
    const asked = { context: "found", ...(why.required as object) };
    const world = { traits: subject.traits, events: [], context: { found: why.actual } };
    const [answer] = compile([{ key: "", condition: asked as Condition }], OPTIONS, fullLanguage).evaluate(world, now);
    expect(answer!.value, what).toBe(why.value);
  }
  if (kind === "sequence") expect(why.actual === why.required, what).toBe(why.value);
  if (why.value) expect(why.missing, what).toBeUndefined();
}

it("never throws, whatever the subject holds", () => {
  const strange = [null, undefined, 7, "x", [], {}, [null], [{}], [{ type: "track", event: "A", timestamp: "now" }]];
  const instants = [Number.NaN, Infinity, -8.64e15, 8.64e15 + 1, 1.5];
  const far = [-8.7e15, 8.7e15, 0.5].map((timestamp) => ({ type: "track", event: "A", timestamp, properties: null }));
  for (let i = 0; i < 200; i++) {
    const random = createRandom(i);
    const { rules, subjects, timeZone } = randomProgram(random, FOCUSES[i % FOCUSES.length]!, 1);
    const subject = { ...subjects[0] } as { [key: string]: unknown };
    for (const key of ["id", "traits", "events", "context", "segments", "consent", "completeAfter"])
      if (random.chance(0.4)) subject[key] = random.pick(strange);
    if (random.chance(0.3)) subject["events"] = far;
    if (random.chance(0.3)) subject["segments"] = { s: { value: true, until: -9e15, since: 9e15 }, t: null };
    const options = { timeZone: random.chance(0.2) ? "Mars/Olympus" : timeZone, language: fullLanguage, rules };
    for (const { condition } of rules) {
      const why = explain(condition, subject as never, random.pick(instants), options);
      expect(JSON.parse(JSON.stringify(why)).says, JSON.stringify(subject)).toEqual(expect.any(String));
    }
  }
});
