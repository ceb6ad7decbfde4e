import { expect, it } from "vitest";
import type { Condition } from "../../../../shared/condition.ts";
import { compile } from "../../../../shared/engine/compile.ts";
import { fullLanguage } from "../../../../shared/engine/language-edge.ts";
import type { Rule, Subject } from "../../../../shared/engine/types.ts";
import { compileShipped } from "../shipped.ts";

const NOW = Date.parse("2026-11-22T10:00:00Z");
const OPTIONS = { timeZone: "UTC" };

const full = (rules: Rule[]) => compile(rules, OPTIONS, fullLanguage);
const inBrowser = (rules: Rule[]) => compileShipped(rules, OPTIONS);

function evaluate(rules: Rule[], subject: Partial<Subject> = {}, build = full) {
  return build(rules).evaluate({ traits: {}, events: [], ...subject }, NOW);
}
const ask = (condition: unknown, subject: object = {}, build = full) =>
  evaluate([{ key: "rule", condition: condition as Condition }], subject, build)[0]!;

it("answers in the order of its keys", () => {
  const program = compile(
    [
      { key: "b", condition: { all: [] } },
      { key: "a", condition: { any: [] } },
    ],
    OPTIONS,
    fullLanguage,
  );
  expect(program.keys).toEqual(["b", "a"]);
  expect(program.evaluate({ traits: {}, events: [] }, NOW).map(({ value }) => value)).toEqual([true, false]);
});

it("lets rules refer to rules that come later", () => {
  const rules: Rule[] = [
    { key: "first", condition: { not: { segment: "second" } } },
    { key: "second", condition: { segment: "third" } },
    { key: "third", condition: { event: "A", within: "1h" } },
  ];
  const events = [{ type: "track" as const, event: "A", timestamp: NOW - 1, properties: {} }];
  const until = NOW - 1 + 3_600_000;
  expect(evaluate(rules, { events })).toEqual([
    { value: false, until },
    { value: true, until },
    { value: true, until },
  ]);
});

it("does not hang on rules that refer to each other", () => {
  const circle = (value: boolean): Rule[] => [
    { key: "a", condition: { any: [{ trait: "x", eq: value }, { segment: "b" }] } },
    { key: "b", condition: { segment: "c" } },
    { key: "c", condition: { segment: "a" } },
  ];
  expect(evaluate(circle(true), { traits: { x: true } })[0]!.value).toBe(true);
  expect(evaluate(circle(false), { traits: { x: true } }).map(({ value }) => value)).toEqual(Array(3).fill("unknown"));
  expect(compile(circle(true), OPTIONS, fullLanguage).evaluate({ traits: {}, events: [] }, Number.NaN)[0]!.value).toBe(
    "unknown",
  );
  expect(evaluate([{ key: "self", condition: { not: { segment: "self" } } }])[0]!.value).toBe("unknown");
});

it("evaluates equal leaves over events once", () => {
  let reads = 0;
  const event = {
    type: "track" as const,
    event: "A",
    timestamp: NOW,
    properties: {
      get p() {
        reads++;
        return 1;
      },
    },
  };
  const one: Condition = { event: "A", where: { p: { eq: 1 } }, count: { gte: 1 } };
  const same: Condition = { count: { gte: 1 }, where: { p: { eq: 1 } }, event: "A" };
  evaluate(
    [
      { key: "a", condition: one },
      { key: "b", condition: { not: same } },
    ],
    { events: [event] },
  );
  expect(reads).toBe(1);
});

it("does not overlook what stays unanswered behind many answers that are to come", () => {
  const track = (event: string, timestamp: number, cart: number) =>
    ({ type: "track", event, timestamp, properties: { cart } }) as const;
  const carts = Array.from({ length: 100 }, (_, cart) => cart);
  const events = [
    ...carts.map((cart) => track("Added", NOW - 1000 + cart, cart)),
    ...carts.slice(0, 99).map((cart) => track("Ordered", NOW + 1 + cart, cart)),
  ];
  const condition = { event: "Added", unless: { event: "Ordered", same: ["cart"] }, after: "1h" };
  const opens = NOW - 1000 + 99 + 3_600_000;
  expect(ask(condition, { events }, inBrowser)).toEqual({ value: false, until: opens });
  const { value, until } = ask(condition, { events });
  expect(value).toBe(false);
  expect(until).toBeGreaterThan(NOW);
  expect(until).toBeLessThanOrEqual(opens);
});

it("takes what a runtime has no leaf for as unknown, also where it has another key", () => {
  const subject = {
    traits: { d: "2026-11-23" },
    events: [{ type: "track", event: "A", timestamp: NOW, properties: {} }],
  };
  for (const condition of [
    { event: "A", days: { gte: 1 } },
    { date: { trait: "d" }, within: "7d" },
    { ratio: [{ event: "A" }, { event: "A" }], min: 1, gte: 1 },
    { sequence: [{ event: "A" }, { event: "A" }] },
    { time: { weekday: ["sun"] } },
    { sample: { seed: "x", from: 0, to: 1 } },
  ]) {
    expect(ask(condition, subject, inBrowser)).toEqual({ value: "unknown", until: null });
  }
});

it("takes a leaf or an operator that it does not know as unknown, so that a not does not make it true", () => {
  expect(ask({ not: { trait: "a", greater: 5 } }).value).toBe("unknown");
  expect(ask({ not: { nonsense: true } }).value).toBe("unknown");
  expect(ask({ not: {} }).value).toBe("unknown");
});

const HOSTILE: unknown[] = [
  undefined,
  null,
  0,
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  "",
  "x",
  true,
  10n,
  Symbol("s"),
  () => 1,
  {},
  [],
  [[]],
  new Date(Number.NaN),
  Object.create(null),
  new Map(),
  /x/,
  new Array(5),
  JSON.parse('{"__proto__":{"x":1}}'),
  "2026-13-45T99:99:99Z",
  "\ud800",
];
const CONDITIONS: unknown[] = [
  ...["eq", "ne", "gt", "lt", "before", "contains", "startsWith", "like"].map((key) => ({ trait: "x", [key]: "x" })),
  ...["eq", "gt", "contains", "startsWith", "before", "in"].map((key) => ({
    trait: "x",
    [key]: key === "in" ? [{ trait: "y" }] : { trait: "y" },
  })),
  { trait: "x", within: "7d" },
  { trait: "x", any: { gt: 1 } },
  { trait: "x.y.z", exists: false },
  { context: "x.y", eq: 1 },
  { segment: "x" },
  { date: { trait: "x" }, anniversary: true, within: "7d" },
  { time: { from: "10:00", zone: "visitor" } },
  { sample: { seed: "s", from: 0, to: 1 } },
  { event: "A", where: { x: { gt: 1 } }, count: { gte: { trait: "x" } } },
  { event: "A", sum: "x", gte: 1 },
  { event: "A", distinct: "x", gte: 1 },
  { event: "A", days: { gte: 1 } },
  { event: "A", recency: { gt: "1h" } },
  { event: "A", unless: { event: "A", same: ["x"] }, after: "1h" },
  { sequence: [{ event: "A" }, { event: "A" }], gap: "1h", within: "7d" },
  { ratio: [{ event: "A" }, { type: "track" }], gte: 0.5 },
];

it("never throws, whatever the subject holds", () => {
  const program = compile(
    CONDITIONS.map((condition, i) => ({ key: `${i}`, condition: condition as Condition })),
    OPTIONS,
    fullLanguage,
  );
  for (const x of HOSTILE) {
    // Each with a quarter of the others: all pairs would say no more in ten times the time.
    for (const y of HOSTILE.filter((_, j) => (HOSTILE.indexOf(x) + j) % 4 === 0)) {
      const subjects: unknown[] = [
        { traits: { x, y }, events: [], context: { x, timezone: y }, segments: { x: y }, id: x },
        { traits: x, events: y, context: x, segments: y, consent: x },
        {
          traits: {},
          events: [
            x,
            { type: "track", event: "A", timestamp: y, properties: x },
            { type: "track", event: "A", timestamp: NOW - 5, properties: { x } },
          ],
        },
        { traits: {}, events: [], segments: { x: { value: x, until: y } } },
      ];
      for (const subject of subjects) {
        for (const now of [NOW, Number.NaN, Number.POSITIVE_INFINITY, -8.64e15]) {
          for (const { value, until } of program.evaluate(subject as Subject, now)) {
            expect([true, false, "unknown"]).toContain(value);
            expect(until === null || Number.isFinite(until)).toBe(true);
          }
        }
      }
    }
  }
}, 60_000);
