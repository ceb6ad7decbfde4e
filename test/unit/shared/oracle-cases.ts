/** The engine against the oracle, on random programs. Replay with ATTUNE_SEED, widen with ATTUNE_CASES. */
import { isDeepStrictEqual } from "node:util";
import { expect, it } from "vitest";
import { checkCondition } from "../../../edge/segments/schema.ts";
import type { Condition } from "../../../shared/condition.ts";
import { analyze } from "../../../shared/engine/analyze.ts";
import { compile } from "../../../shared/engine/compile.ts";
import { explain } from "../../../shared/engine/explain.ts";
import { fullLanguage } from "../../../shared/engine/language-edge.ts";
import type { Answer, Program, Rule } from "../../../shared/engine/types.ts";
import { emptyHistory, extendHistory, needsOf, readHistory } from "../../../shared/history.ts";
import { createCoverage } from "./coverage.ts";
import { changesOf, oracle, type Setting } from "./oracle.ts";
import { createRandom, type Random } from "./random.ts";
import { FOCUSES, type Focus, randomProgram } from "./random-program.ts";
import { SEED } from "./seed.ts";
import { compileShipped } from "./shipped.ts";

/** Of all focuses together. */
export const CASES = Number(process.env["ATTUNE_CASES"] ?? 200_000);

/** How many people each program is asked of: that many cases. */
const PEOPLE = 4;
/** How many instants a case is asked at beside its own; each twentieth is asked at all at which it may change. */
const PROBES = 6;
const FAR_MS = 10_000 * 86_400_000;

const FEATURES = [
  ..."reference future-event tied-events prototype-name no-zone clock-change strange-value huge-array".split(" "),
  ..."stranger fraction consent-none consent-analytics consent-personalization consent-both".split(" "),
].map((feature) => `case ${feature}`);

/** Registers the test of a quarter of the cases: those that dwell on one group of leaves. */
export function itAgreesWithTheOracle(focus: Focus): void {
  const programs = Math.ceil(CASES / PEOPLE / FOCUSES.length);
  const first = SEED + FOCUSES.indexOf(focus);
  it(`agrees with the oracle on ${focus}: value, until, trace, history, browser (seed ${SEED})`, {
    timeout: 3_600_000,
  }, () => {
    const coverage = createCoverage("operand trait", ...FEATURES);
    const tally = { finite: 0, exact: 0 };
    for (let i = 0; i < programs; i++) {
      const random = createRandom(first + i * FOCUSES.length);
      const draw = randomProgram(random, focus, PEOPLE);
      const program = compile(draw.rules, draw, fullLanguage);
      for (const { condition } of draw.rules) coverage.visit(condition);
      for (const subject of draw.subjects) {
        try {
          checkCase({ ...draw, program, subject }, random, tally, coverage);
        } catch (error) {
          const { rules, timeZone, now } = draw;
          const replay = `ATTUNE_SEED=${SEED + i * FOCUSES.length} ATTUNE_CASES=${PEOPLE * FOCUSES.length}`;
          const drawn = JSON.stringify({ rules, timeZone, now, subject });
          throw new Error(`${replay}\n${(error as Error).message}\n${drawn}`, { cause: error });
        }
      }
      if (random.chance(0.1)) {
        for (const { condition } of draw.rules) same(checkCondition(condition).errors, undefined, "saved");
      }
    }
    const exactness = tally.exact / tally.finite;
    const cases = programs * PEOPLE;
    console.log(
      `${focus}, seed ${SEED}: ${cases} cases, until exact in ${(100 * exactness).toFixed(1)} %\n${coverage.table()}`,
    );
    if (cases < 10_000) return;
    expect(coverage.missing()).toEqual([]);
    expect(exactness).toBeGreaterThan(0.9);
  });
}

type Coverage = ReturnType<typeof createCoverage>;

interface Case extends Setting {
  program: Program;
  now: number;
}

function checkCase(drawn: Case, random: Random, tally: { finite: number; exact: number }, coverage: Coverage) {
  const { program, rules, subject, now } = drawn;
  const answers = program.evaluate(subject, now);
  const truth = (rule: Rule, instant: number) => oracle(rule.condition, drawn, instant);
  const changes = changesOf(drawn, now);
  const isThorough = random.chance(0.05);

  rules.forEach((rule, at) => {
    const { value, until } = answers[at]!;
    same(value, truth(rule, now), `value of ${rule.key}`);
    const end = until ?? now + FAR_MS;
    if (!(end > now)) throw new Error(`until ${until} of ${rule.key} is not after now`);
    const before = changes.filter((change) => change < end);
    const probes =
      isThorough || before.length <= PROBES ? before : random.list(PROBES, PROBES, () => random.pick(before));
    const anywhere = now + random.below(Math.min(end - now, 2 ** 31));
    for (const instant of [...probes, anywhere, end - 1])
      same(truth(rule, instant), value, `${rule.key} unsound at ${instant}`);
    if (until !== null) {
      tally.finite++;
      if (truth(rule, until) !== value) tally.exact++;
    }
    coverage.count(`answer ${value}`);
    coverage.count(`answer ${until === null ? "endless" : "finite"}`);
  });
  for (const feature of featuresOf(drawn)) coverage.count(`case ${feature}`);

  // The same program, asked again at another time, as timers do.
  const later = answers.find(({ until }) => until !== null)?.until ?? now + random.below(FAR_MS);
  const values = program.evaluate(subject, later).map(({ value }) => value);
  same(
    values,
    rules.map((rule) => truth(rule, later)),
    `values at ${later}`,
  );

  if (random.chance(0.5)) checkBrowser(drawn, answers);
  if (random.chance(0.03)) checkTrace(drawn, answers);
  if (random.chance(0.1)) checkHistory(drawn, answers);
}

/** What the browser may be given, it decides as the edge does. */
function checkBrowser({ rules, subject, timeZone, now }: Case, answers: readonly Answer[]): void {
  const isDecided = (condition: Condition): boolean => {
    const { runtime, segments } = analyze(condition);
    const referred = segments.map((segment) => rules.find(({ key }) => key === segment));
    return runtime === "browser" && referred.every((rule) => rule !== undefined && isDecided(rule.condition));
  };
  const shipped = rules.filter(({ condition }) => isDecided(condition));
  if (shipped.length === 0) return;
  const there = compileShipped(shipped, { timeZone }).evaluate(subject, now);
  same(
    there,
    answers.filter((_, at) => shipped.includes(rules[at]!)),
    "in the browser",
  );
}

function checkTrace({ rules, subject, timeZone, now }: Case, answers: readonly Answer[]): void {
  const options = { timeZone, language: fullLanguage, rules };
  for (const [at, { condition, key }] of rules.entries()) {
    const { value, until } = explain(condition, subject, now, options);
    same({ value, until }, answers[at], `trace of ${key}`);
  }
}

/** Only what the needs name is kept, in another form, as JSON. */
function checkHistory({ program, rules, subject, now }: Case, answers: readonly Answer[]): void {
  const { events } = subject;
  // What no JSON has is not stored, and which of two at one instant is the first is for the history to say.
  if (!isDeepStrictEqual(JSON.parse(JSON.stringify(events)), events)) return;
  if (new Set(events.map(({ timestamp }) => Math.floor(timestamp))).size < events.length) return;
  const needs = needsOf(rules.map(({ condition }) => condition));
  const history = JSON.parse(JSON.stringify(extendHistory(emptyHistory(needs.shape), events, needs)));
  const kept = { ...subject, events: readHistory([history]) };
  same(program.evaluate(kept, now), answers, "from its history");
}

function featuresOf({ rules, subject, timeZone, now }: Case): string[] {
  const conditions = JSON.stringify(rules);
  const times = subject.events.map(({ timestamp }) => timestamp);
  const { consent } = subject;
  const has = (purpose: "analytics" | "personalization") => consent?.includes(purpose);
  const found: { [feature: string]: boolean } = {
    reference: /"segment":"r\d"/.test(conditions),
    "future-event": times.some((time) => time > now),
    "tied-events": new Set(times).size < times.length,
    "prototype-name": /"(constructor|__proto__|toString\.length)"/.test(conditions),
    "no-zone": timeZone === "Mars/Olympus",
    "clock-change": !["UTC", "Mars/Olympus", "Asia/Kathmandu", "Pacific/Tongatapu"].includes(timeZone),
    "strange-value": Object.values(subject.traits).some((value) => Number.isNaN(value) || value instanceof Date),
    "huge-array": Array.isArray(subject.traits["tags"]) && subject.traits["tags"].length > 100,
    stranger: times.some((time) => !Number.isFinite(time)),
    fraction: times.some((time) => time % 1 > 0),
    "consent-none": consent !== undefined && !has("analytics") && !has("personalization"),
    "consent-analytics": has("analytics") === true && !has("personalization"),
    "consent-personalization": has("personalization") === true && !has("analytics"),
    "consent-both": has("analytics") === true && has("personalization") === true,
  };
  return Object.keys(found).filter((feature) => found[feature]);
}

const isEqual = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** Cheaper than `expect`, a million times over. */
function same(actual: unknown, expected: unknown, what: string): void {
  if (!isEqual(actual, expected))
    throw new Error(`${what}: ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`);
}
