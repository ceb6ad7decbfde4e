/** People of whom anything at all was stored: a defined answer, no throw, nothing read from a prototype, no more work than there is text. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Condition } from "../../../shared/condition.ts";
import { compile } from "../../../shared/engine/compile.ts";
import { explain } from "../../../shared/engine/explain.ts";
import { fullLanguage } from "../../../shared/engine/language-edge.ts";
import type { Answer, Subject } from "../../../shared/engine/types.ts";
import { createRandom } from "./random.ts";
import { FOCUSES, randomProgram } from "./random-program.ts";
import { compileShipped } from "./shipped.ts";

const NOW = Date.parse("2026-11-22T10:00:00Z");

/** Programs that ask for the values p, q, deep.r, tags and d of everything, by every kind of leaf and operator. */
const PROGRAMS = Array.from({ length: 24 }, (_, i) => {
  const random = createRandom(i);
  const { rules, timeZone } = randomProgram(random, FOCUSES[i % FOCUSES.length]!, 1);
  return {
    rules,
    timeZone,
    programs: [compile(rules, { timeZone }, fullLanguage), compileShipped(rules, { timeZone })],
  };
});

function expectDefined(answers: readonly Answer[]): void {
  for (const { value, until } of answers) {
    expect([true, false, "unknown"]).toContain(value);
    expect(until === null || Number.isFinite(until)).toBe(true);
  }
}

const askAll = (subject: unknown, now: unknown) => {
  for (const { rules, timeZone, programs } of PROGRAMS) {
    for (const program of programs) expectDefined(program.evaluate(subject as Subject, now as number));
    const options = { timeZone, language: fullLanguage, rules };
    for (const { condition } of rules) explain(condition, subject as Subject, now as number, options);
  }
};

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withObjectString: true,
  withSparseArray: true,
  withTypedArray: true,
  withBoxedValues: true,
  maxDepth: 2,
});
const cycle: { [key: string]: unknown } = { r: 1 };
cycle["p"] = cycle;
cycle["tags"] = [cycle];
const strange = fc.oneof(
  anything,
  fc.constantFrom<unknown>(
    cycle,
    Symbol("s"),
    Number.NaN,
    -0,
    Number.NEGATIVE_INFINITY,
    new Date(Number.NaN),
    new Array(5),
    JSON.parse('{"__proto__":{"p":1},"toString":1,"valueOf":1}'),
    "2026-13-45T99:99:99Z",
    "\ud800",
    () => 1,
  ),
);
const bag = fc.record({ p: strange, q: strange, deep: strange, tags: strange, d: strange }, { requiredKeys: [] });
const timestamp = fc.oneof(
  strange,
  fc.integer({ min: NOW - 1e8, max: NOW + 1e7 }),
  fc.double(),
  fc.constantFrom(8.64e15, -8.64e15, 2 ** 53, "2026-11-22T09:00:00Z"),
);
const event = fc.record({
  type: fc.oneof({ weight: 5, arbitrary: fc.constantFrom("track", "page") }, { weight: 1, arbitrary: strange }),
  event: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom("A", "B", "constructor") },
    { weight: 1, arbitrary: strange },
  ),
  timestamp,
  properties: fc.oneof({ weight: 5, arbitrary: bag }, { weight: 1, arbitrary: strange }),
});
const segments = fc.dictionary(
  fc.constantFrom("s", "t"),
  fc.oneof(strange, fc.record({ value: strange, until: timestamp })),
);
const subject = fc.oneof(
  fc.record(
    { id: strange, traits: bag, context: bag, events: fc.array(event, { maxLength: 6 }), segments, consent: strange },
    { requiredKeys: ["traits", "events"] },
  ),
  fc.record({ id: strange, traits: strange, context: strange, events: strange, segments: strange, consent: strange }),
  fc.record({ traits: bag, events: fc.array(strange) }),
);
const instants = fc.oneof(
  { weight: 3, arbitrary: fc.constant<unknown>(NOW) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(Number.NaN, Infinity, -Infinity, 8.64e15, -8.64e15, 0, -0, 0.5) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(undefined, null, "2026-11-22", new Date(Number.NaN), {}) },
);

it("answers whatever the subject holds, and whatever time it is", { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(subject, instants, (someone, now) => askAll(someone, now)),
    { numRuns: 200 },
  );
});

/** Throws when anything but the object's own properties is looked at. */
const TRAP = new Proxy(Object.create(null), {
  get: (_, key) => forbid(key),
  has: (_, key) => forbid(key),
  getOwnPropertyDescriptor: (_, key) => forbid(key),
  getPrototypeOf: () => forbid("its prototype"),
  ownKeys: () => forbid("its keys"),
});
const touched: string[] = [];
const forbid = (key: unknown): never => {
  touched.push(String(key));
  throw new Error(`the prototype was asked for ${String(key)}`);
};

/** A copy in which each object inherits from the trap. */
function onTrap(value: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (Array.isArray(value)) return value.map(onTrap);
  const entries = Object.entries(value).map(([key, child]) => [key, { value: onTrap(child), enumerable: true }]);
  return Object.create(TRAP, Object.fromEntries(entries));
}

it("reads own properties only, at any depth", () => {
  for (let seed = 0; seed < 400; seed++) {
    const { rules, timeZone, now, subjects } = randomProgram(createRandom(seed), FOCUSES[seed % FOCUSES.length]!, 4);
    // To read a value as a number or a text is to ask its prototype, as the language says.
    if (/"(number|text)":/.test(JSON.stringify(rules))) continue;
    const program = compile(rules, { timeZone }, fullLanguage);
    for (const someone of subjects) {
      const { traits, context, events } = someone;
      const trapped = {
        ...someone,
        traits: onTrap(traits),
        context: onTrap(context),
        events: events.map((one) => ({ ...one, properties: onTrap(one.properties) })),
      } as Subject;
      expect(program.evaluate(trapped, now)).toEqual(program.evaluate(someone, now));
    }
  }
  expect(touched).toEqual([]);
});

it("is not moved by what others have put on Object.prototype", () => {
  const names = ["p", "q", "deep", "r", "tags", "d", "s", "t", "nowhere", "timezone", "email"];
  const seeds = Array.from({ length: 400 }, (_, seed) => seed);
  const ask = () =>
    seeds.map((seed) => {
      const { rules, timeZone, now, subjects } = randomProgram(createRandom(seed), FOCUSES[seed % FOCUSES.length]!, 2);
      return { program: compile(rules, { timeZone }, fullLanguage), now, subjects };
    });
  const asked = ask();
  const clean = asked.map(({ program, now, subjects }) => subjects.map((someone) => program.evaluate(someone, now)));
  const polluted: unknown[] = [];
  const prototype = Object.prototype as { [name: string]: unknown };
  try {
    for (const name of names) prototype[name] = { value: true, until: null, r: 2, length: 1 };
    for (const { program, now, subjects } of asked) {
      polluted.push(subjects.map((someone) => program.evaluate(someone, now)));
    }
  } finally {
    for (const name of names) delete prototype[name];
  }
  expect(polluted).toEqual(clean);
});

it("reads own properties that are named like the prototype's", () => {
  const traits = JSON.parse('{"__proto__":{"p":1},"constructor":{"name":"mine"},"hasOwnProperty":5}');
  const rules = ["__proto__.p", "constructor.name", "hasOwnProperty"].map((trait) => ({
    key: trait,
    condition: { trait, exists: true },
  }));
  const options = { timeZone: "UTC" };
  for (const program of [compile(rules, options, fullLanguage), compileShipped(rules, options)]) {
    const values = program.evaluate({ traits, events: [] }, NOW).map(({ value }) => value);
    expect(values).toEqual([true, true, true]);
  }
});

const ask = (condition: object, someone: Partial<Subject>) =>
  compile([{ key: "rule", condition: condition as Condition }], { timeZone: "UTC" }, fullLanguage).evaluate(
    { traits: {}, events: [], ...someone },
    NOW,
  )[0]!;

it("takes lists of 100,000 elements and 100,000 events", () => {
  const list = Array.from({ length: 100_000 }, (_, i) => (i % 3 ? i : `${i}`));
  const traits = { x: list };
  expect(ask({ trait: "x", contains: 99_998 }, { traits }).value).toBe(true);
  expect(ask({ trait: "x", any: { eq: 99_998 } }, { traits }).value).toBe(true);
  expect(ask({ trait: "x", all: { exists: true } }, { traits }).value).toBe(true);
  expect(ask({ trait: "x", size: { eq: 100_000 } }, { traits }).value).toBe(true);
  expect(ask({ trait: "x", text: { startsWith: "0,1,2,3" } }, { traits }).value).toBe(true);
  const dates = list.map((_, i) => new Date(NOW - i * 1000).toISOString());
  expect(ask({ trait: "x", any: { within: "1h" } }, { traits: { x: dates } })).toEqual({
    value: true,
    until: NOW + 3_600_000,
  });

  const events = list.map((p, i) => ({
    type: "track" as const,
    event: "A",
    timestamp: NOW - 100_000 + i,
    properties: { p, q: i % 7, list },
  }));
  for (const condition of [
    { event: "A", count: { gte: 100_000 } },
    { event: "A", where: { q: { eq: 3 } }, within: "1h", count: { gte: 14_000 } },
    { event: "A", distinct: "p", gte: 100_000 },
    { event: "A", sum: "q", within: "1h", gte: 299_000 },
    { event: "A", max: "q", eq: 6 },
    { event: "A", last: "list", contains: 1 },
    { event: "A", unless: { event: "B", same: ["p"] }, after: "1s" },
    { sequence: [{ event: "A" }, { event: "A" }, { event: "A" }], within: "1h" },
    { ratio: [{ event: "A", where: { q: { eq: 3 } } }, { event: "A" }], gt: 0.1 },
  ])
    expect(ask(condition, { events }).value, JSON.stringify(condition)).toBe(true);
});

it("adds up 100,000 amounts, the first of them too large to add", () => {
  const events = Array.from({ length: 100_000 }, (_, i) => ({
    type: "track" as const,
    event: "A",
    timestamp: NOW - 100_000 + i,
    properties: { q: i < 2 ? 1e308 : 1 },
  }));
  const sum = { event: "A", sum: "q", within: "1h" };
  expect(ask({ ...sum, gte: 1e307 }, { events })).toEqual({ value: true, until: NOW - 100_000 + 1 + 3_600_000 });
  expect(ask({ ...sum, lt: 50_000 }, { events })).toEqual({ value: false, until: NOW - 100_000 + 50_000 + 3_600_000 });
});

it("says why after one look at each of 200,000 events", () => {
  let looks = 0;
  const properties = Object.defineProperty({}, "cart", { enumerable: true, get: () => ++looks && looks % 7 });
  const events = Array.from({ length: 200_000 }, (_, i) => ({
    type: "track" as const,
    event: i < 199_000 ? "A" : "B",
    timestamp: NOW - 200_000 + i,
    properties,
  }));
  const options = { timeZone: "UTC", language: fullLanguage };
  const sayWhy = (condition: object) => explain(condition as Condition, { traits: {}, events }, NOW, options);
  expect(sayWhy({ sequence: [{ event: "A" }, { event: "B" }, { event: "C" }] })).toMatchObject({ actual: 2 });
  expect(sayWhy({ event: "A", unless: { event: "B", same: ["cart"] }, after: "1h" }).value).toBe(false);
  // By the engine, and by what tells what it has found.
  expect(looks).toBeLessThanOrEqual(2 * events.length);
});

it("takes values that are nested 100,000 deep", () => {
  let mixed: unknown = "end";
  let lists: unknown = "end";
  for (let i = 0; i < 100_000; i++) [mixed, lists] = [i % 2 ? [mixed] : { p: mixed }, [lists]];
  for (const operators of [
    { exists: true },
    { any: { any: { exists: true } } },
    { contains: "end" },
    { text: { ne: "x" } },
    { number: { eq: 1 } },
    { isA: "array" },
  ])
    for (const x of [mixed, lists]) expectDefined([ask({ trait: "x", ...operators }, { traits: { x } })]);
});

/** How many characters of long texts are looked at by the methods of strings; a regular expression over one is refused. */
function charactersSeenBy(work: () => void): number {
  let seen = 0;
  const LONG = 1_000;
  const strings = String.prototype as unknown as { [method: string]: (...args: never[]) => unknown };
  const costs: { [method: string]: (text: string, result: unknown, piece: string, from?: number) => number } = {
    indexOf: (text, found, piece, from = 0) => (found === -1 ? text.length : Number(found) + piece.length) - from,
    startsWith: (_text, _result, piece) => piece.length,
    endsWith: (_text, _result, piece) => piece.length,
    ...Object.fromEntries("charAt at charCodeAt codePointAt".split(" ").map((method) => [method, () => 1])),
    ...Object.fromEntries(
      "lastIndexOf includes slice substring split replace replaceAll match matchAll search trim toLowerCase"
        .split(" ")
        .map((method) => [method, (text: string) => text.length]),
    ),
  };
  const originals = Object.keys(costs).map((method) => [method, strings[method]!] as const);
  const { exec } = RegExp.prototype;
  for (const [method, original] of originals) {
    strings[method] = function (this: string, ...args: never[]) {
      const result = original.apply(this, args);
      if (this.length > LONG) seen += costs[method]!(String(this), result, ...(args as unknown as [string]));
      return result;
    };
  }
  RegExp.prototype.exec = function (text) {
    if (text.length > LONG) throw new Error(`${this} over a long text`);
    return exec.call(this, text);
  };
  try {
    work();
  } finally {
    for (const [method, original] of originals) strings[method] = original;
    RegExp.prototype.exec = exec;
  }
  return seen;
}

it("looks at each character of a text about once, whatever the pattern", () => {
  const MEGABYTE = 2 ** 20;
  const texts = ["a".repeat(MEGABYTE), "ab".repeat(MEGABYTE / 2), `${"a".repeat(MEGABYTE - 1)}b`];
  const patterns = [
    `${"*a".repeat(200)}*b`,
    `${"a*".repeat(200)}c`,
    `*${"ab*".repeat(100)}ac`,
    "*".repeat(500),
    `*${"a".repeat(500)}*${"a".repeat(500)}b`,
    "a*b",
    "*b",
  ];
  let most = 0;
  for (const x of texts) {
    for (const like of patterns) {
      const program = compile([{ key: "rule", condition: { trait: "x", like } }], { timeZone: "UTC" }, fullLanguage);
      const seen = charactersSeenBy(() => expectDefined(program.evaluate({ traits: { x }, events: [] }, NOW)));
      most = Math.max(most, seen);
      expect(seen).toBeLessThan(MEGABYTE + 2_000);
    }
  }
  // Otherwise nothing has been counted.
  expect(most).toBeGreaterThan(MEGABYTE / 2);
});
