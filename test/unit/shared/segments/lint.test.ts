import { expect, it } from "vitest";
import { lintNames } from "../../../../edge/segments/lint/names.ts";
import { buildRefute, isFalse, isNotTrue, isTrue } from "../../../../edge/segments/lint/refute.ts";
import { lintVariants } from "../../../../edge/segments/lint/variants.ts";
import { lintCondition } from "../../../../edge/segments/lint.ts";
import type { Condition } from "../../../../shared/condition.ts";
import { leavesOf } from "../../../../shared/engine/analyze.ts";
import { compile } from "../../../../shared/engine/compile.ts";
import { fullLanguage } from "../../../../shared/engine/language-edge.ts";
import type { Truth } from "../../../../shared/engine/types.ts";
import { CONDITION_NODES } from "../../../../shared/limits.ts";
import { createRandom, type Random } from "../random.ts";
import { FOCUSES, randomProgram } from "../random-program.ts";
import { SEED } from "../seed.ts";

const NOW = Date.parse("2026-11-27T10:00:00Z");
const x = { segment: "x" };
const did = (more: object = {}) => ({ event: "A", ...more });
const age = (operators: object) => ({ trait: "age", ...operators });

const say = (condition: unknown) =>
  lintCondition(condition as Condition, NOW).map(({ severity, code, pointer }) => `${severity} ${code} ${pointer}`);

it.each([
  ["bounds that exclude each other", { all: [age({ gt: 5 }), age({ lt: 3 })] }],
  ["the same, of one leaf", age({ gt: 5, lt: 3 })],
  ["two values at once", { all: [age({ eq: 1 }), age({ eq: 2 })] }],
  ["one of no values", age({ in: [] })],
  ["an empty any", { any: [] }],
  ["fewer than no events", did({ count: { lt: 0 } })],
  ["a number between whole ones", did({ count: { gt: 1, lt: 2 } })],
  ["more days than the window has", did({ days: { gte: 10 }, within: "7d" })],
  ["a last time that lies before the window", did({ recency: { gte: "30d" }, within: "7d" })],
  ["more in a part than in the whole", { all: [did({ within: "7d" }), did({ within: "30d", count: { eq: 0 } })] }],
  ["an event in the window, and none lately", { all: [did({ within: "3d" }), did({ recency: { gt: "3d" } })] }],
  ["narrower events without the wider", { all: [did({ where: { p: { eq: 1 } } }), { not: did() }] }],
  ["a sequence without one of its steps", { all: [{ sequence: [did(), { event: "B" }] }, { not: { event: "B" } }] }],
  ["a share above the whole", { ratio: [did({ where: { p: { eq: 1 } } }), did()], gt: 1 }],
  ["a segment and its opposite", { all: [x, { not: x }] }],
  ["the same, with more around it", { all: [{ any: [x, did()] }, { not: x }, { not: did() }] }],
  ["two days of the week", { all: [{ time: { weekday: ["sat"] } }, { time: { weekday: ["mon", "tue"] } }] }],
  [
    "hours that do not meet",
    { all: [{ time: { from: "22:00", to: "06:00" } }, { time: { from: "06:00", to: "09:00" } }] },
  ],
  ["a window that is over", did({ within: "30d", before: "2020-01-01" })],
  ["shares that do not meet", { all: [sample(0, 0.5), sample(0.5, 1)] }],
  ["beginnings that do not fit", { all: [age({ startsWith: "Am" }), age({ like: "Ro*" })] }],
  ["dates that exclude each other", { all: [age({ before: "2026-01-01" }), age({ gte: "2026-01-01T00:00:00Z" })] }],
  ["a text and a number", { all: [age({ gt: 1 }), age({ contains: "x" })] }],
] as const)("knows that nobody matches %s", (_, condition) => {
  expect(say(condition)).toContain("error never-true ");
});

it.each([
  ["an empty all", { all: [] }],
  ["at least no events", did({ count: { gte: 0 } })],
  ["a segment or its opposite", { any: [x, { not: x }] }],
  ["what is known or not", { any: [age({ exists: true }), age({ exists: false })] }],
  ["anything but one of two", { any: [age({ ne: 1 }), age({ ne: 2 })] }],
  ["few or many", { any: [did({ count: { lte: 2 } }), did({ count: { gte: 2 } })] }],
  ["some in the month, or none in the week", { any: [did({ within: "30d" }), { not: did({ within: "7d" }) }] }],
  ["the whole day", { time: { from: "09:00", to: "09:00" } }],
  ["the whole sample", sample(0, 1)],
] as const)("knows that everybody matches %s", (_, condition) => {
  expect(say(condition)).toContain("warning always-true ");
});

function sample(from: number, to: number) {
  return { sample: { seed: "x", from, to } };
}

it.each([
  [age({ gt: 3, lt: 5 }), []],
  [{ any: [age({ gt: 5 }), age({ lt: 3 })] }, []],
  [{ all: [did({ within: "7d", count: { eq: 0 } }), did({ within: "30d" })] }, []],
  [{ all: [{ any: [{ all: [x, { not: x }] }, did()] }, age({ eq: 1 })] }, ["warning never-true /all/0/any/0"]],
  [{ not: { any: [{ all: [] }, x] } }, ["warning always-true /not/any/0", "error never-true "]],
  [{ all: [did({ within: "7d" }), did({ within: "30d" })] }, ["hint redundant /all/1"]],
  [{ any: [did({ within: "7d" }), did({ within: "30d" })] }, ["hint redundant /any/0"]],
  [{ all: [x, did(), x] }, ["hint redundant /all/2"]],
  // Without consent for what the part needs the whole would be known where it is not.
  [{ any: [{ all: [age({ gt: 5 }), { any: [x, { not: x }] }] }, did()] }, ["warning always-true /any/0/all/1"]],
  [age({ gte: 2, gt: 5 }), ["hint redundant /gte"]],
  [did({ count: { gte: 2, ne: 0 } }), ["hint redundant /count/ne"]],
  [did({ days: { nin: [1], lte: 1, ne: 1 } }), ["hint redundant /days/ne"]],
  [did({ where: { "a/b": { exists: true, eq: 1 } } }), ["hint redundant /where/a~1b/exists"]],
  [
    { any: [x, { sequence: [did(), did({ where: { p: { eq: 1, gt: 1 } } })], within: "1d", gap: "1d" }] },
    ["warning impossible-where /any/1/sequence/1/where/p", "warning no-effect /any/1/gap", "warning never-true /any/1"],
  ],
  [{ all: [x, { time: { weekday: ["sat"], from: "10:00", to: "10:00" } }] }, ["warning no-effect /all/1/time/from"]],
  [did({ after: "2027-01-01" }), ["hint window-ahead /after"]],
  [did({ count: { gt: 1000 } }), ["warning beyond-history /count"]],
  [did({ count: { gte: 1000 } }), []],
  [did({ count: { nin: Array.from({ length: 10_000 }, (_, i) => i) } }), ["warning beyond-history /count"]],
  [{ any: Array.from({ length: CONDITION_NODES - 2 }, (_, i) => age({ eq: i })) }, ["hint near-limit "]],
] as const)("says of %j", (condition, findings) => {
  expect(say(condition)).toEqual(findings);
});

it("says what, why and what to do, with pointers from where it is told", () => {
  expect(lintCondition({ all: [age({ gt: 5 }), age({ lt: 3 })] } as Condition, NOW, "/condition")).toEqual([
    {
      code: "never-true",
      severity: "error",
      pointer: "/condition",
      detail:
        "Nobody matches, since 'age is more than 5' and 'age is less than 3' exclude each other. Change one of them, or use any.",
    },
  ]);
});

it.each(["count", "days"])("ends where the next number is the same: %s", (measure) => {
  for (const number of [2 ** 53, 1e300])
    expect(say({ event: "A", [measure]: { gte: number, ne: number } })).not.toContain("error never-true ");
});

it("gives no more hints about names than anybody reads", () => {
  const events = Array.from({ length: 4_000 }, (_, n) => ({ type: "track", name: `Sent ${n}` }));
  const any = Array.from({ length: CONDITION_NODES - 1 }, (_, n) => ({ event: `Name ${n}` }));
  expect(lintNames({ any }, { events, traits: [], types: new Map() })).toHaveLength(40);
});

it.each([
  [{ eq: 5 }, ["other-type /eq"]],
  [{ eq: "5" }, ["other-type /eq"]],
  [{ gte: 5, lt: 9 }, ["other-type /gte", "other-type /lt"]],
  [{ in: ["5", "6"] }, ["other-type /in"]],
  [{ in: ["5", 5] }, []],
  [{ gt: "2024-01-01T00:00:00Z" }, []],
  [{ eq: { trait: "other" } }, []],
  [{ ne: 5 }, []],
  [{ exists: true }, []],
  [{ number: { gt: 5 } }, []],
])("says of a trait that is sent as number and string what holds only of one of them: %j", (operators, expected) => {
  const types = new Map([
    ["zip", ["number", "string"]],
    ["plan", ["string"]],
  ]);
  const sent = { events: [], traits: [], types };
  const hints = lintNames({ trait: "zip", ...operators } as Condition, sent);
  expect(hints.map(({ code, pointer }) => `${code} ${pointer}`)).toEqual(expected);
  expect(lintNames({ trait: "plan", eq: "pro" }, sent)).toEqual([]);
  expect(lintNames({ trait: "plan.name", eq: 5 }, sent)).toEqual([]);
});

it("finds variants that are never shown", () => {
  const variants = (...audiences: object[]) =>
    lintVariants(
      audiences.map((audience, i) => ({ key: `v${i}`, audience: audience as Condition | null })),
      NOW,
    ).map(({ pointer, detail }) => `${pointer} ${/gets (.*?)\./.exec(detail)![1]}`);
  const everyone = null as never;
  expect(variants(did({ within: "7d" }), did({ within: "24h", count: { gte: 2 } }), everyone)).toEqual([
    '/variants/1 "v0" before it',
  ]);
  expect(variants(everyone, x)).toEqual(['/variants/1 "v0" before it']);
  expect(variants(age({ lt: 5 }), age({ gte: 3 }), age({ gt: 0 }))).toEqual(["/variants/2 one of those before it"]);
  expect(variants(x, x, { all: [x, { not: x }] })).toEqual(['/variants/1 "v0" before it']);
  // Of whom a segment is unknown neither of these is true, so that the last is shown.
  expect(variants(x, { not: x }, everyone)).toEqual([]);
  expect(variants(x, { all: [] }, did())).toEqual(['/variants/2 "v1" before it']);
});

/** Conditions of leaves that have something to do with each other. */
function combine(random: Random, leaves: readonly Condition[]): Condition[] {
  const one = (): Condition => (random.chance(0.4) ? { not: random.pick(leaves) } : random.pick(leaves));
  const some = () => random.list(2, 3, one);
  return [
    ...leaves,
    ...random.list(5, 5, (): Condition => (random.chance(0.7) ? { all: some() } : { any: some() })),
    { all: [one(), { any: some() }] },
    { any: [{ all: some() }, one()] },
  ];
}

it("is right about everybody, at any time from then on", () => {
  const proven = { never: 0, always: 0, implied: 0, redundant: 0 };
  for (let i = 0; i < 200; i++) {
    const random = createRandom(SEED + i);
    const draw = randomProgram(random, FOCUSES[i % FOCUSES.length]!, 6);
    const { subjects, timeZone, now } = draw;
    const leaves = draw.rules.flatMap(({ condition }) => leavesOf(condition)).map(({ leaf }) => leaf);
    const conditions = leaves.length ? combine(random, leaves) : [];
    const instants = [0, 1, random.below(7_200_000), random.below(3 * 86_400_000), 20 * 86_400_000];
    /** The values of a condition for everybody at each instant. */
    const valuesOf = (condition: Condition): Truth[] => {
      const { evaluate } = compile([{ key: "", condition }], { timeZone }, fullLanguage);
      return subjects.flatMap((subject) => instants.map((ms) => evaluate(subject, now + ms)[0]!.value));
    };
    conditions.forEach((condition, k) => {
      const show = `ATTUNE_SEED=${SEED + i} ${JSON.stringify({ condition, now })}`;
      const refutes = buildRefute(now);
      if (refutes(isTrue(condition))) {
        proven.never++;
        expect(valuesOf(condition), `never: ${show}`).not.toContain(true);
      }
      if (refutes(isFalse(condition))) {
        proven.always++;
        expect(valuesOf(condition), `always: ${show}`).not.toContain(false);
      }
      const other = conditions[random.below(k + 1)]!;
      if (refutes(isTrue(other), isNotTrue(condition))) {
        proven.implied++;
        const values = valuesOf(condition);
        const wrong = valuesOf(other).findIndex((value, at) => value === true && values[at] !== true);
        expect(wrong, `implied by ${JSON.stringify(other)}: ${show}`).toBe(-1);
      }
      for (const { code, pointer } of lintCondition(condition, now)) {
        if (code !== "redundant" || pointer.includes("/where/")) continue;
        proven.redundant++;
        expect(valuesOf(without(condition, pointer)), `without ${pointer}: ${show}`).toEqual(valuesOf(condition));
      }
    });
  }
  for (const [what, times] of Object.entries(proven)) expect(times, what).toBeGreaterThan(20);
}, 120_000);

/** The value without what the pointer leads to. */
function without(condition: Condition, pointer: string): Condition {
  const copy = structuredClone(condition);
  const keys = pointer.slice(1).split("/");
  const last = keys.pop()!;
  const parent = keys.reduce<unknown>((value, key) => (value as { [key: string]: unknown })[key], copy);
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete (parent as { [key: string]: unknown })[last];
  return copy;
}
