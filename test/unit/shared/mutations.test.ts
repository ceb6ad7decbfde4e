/** Conditions as they are not meant to be: what is refused is refused with the place, and what is accepted means what the language says. */
import { expect, it } from "vitest";
import { type ConditionError, checkCondition } from "../../../edge/segments/schema.ts";
import type { Condition } from "../../../shared/condition.ts";
import { analyze } from "../../../shared/engine/analyze.ts";
import { compile } from "../../../shared/engine/compile.ts";
import { describe } from "../../../shared/engine/describe.ts";
import { explain } from "../../../shared/engine/explain.ts";
import { fullLanguage } from "../../../shared/engine/language-edge.ts";
import { CONDITION_DEPTH } from "../../../shared/limits.ts";
import { oracle } from "./oracle.ts";
import { CASES } from "./oracle-cases.ts";
import { createRandom, type Random } from "./random.ts";
import { FOCUSES, randomProgram } from "./random-program.ts";
import { SEED } from "./seed.ts";

const MUTANTS = Math.ceil(CASES / 20);

type Json = { [key: string]: unknown };

const KEYS =
  "all any not trait context event type where within between after before count gte eq in sum first days recency sequence gap ratio min unless same segment sample time zone date anniversary like isA version none nonsense constructor".split(
    " ",
  );
const VALUES: readonly (() => unknown)[] = [
  ...[null, true, 0, -1, 1.5, 1e300, "", "red", "24h", "0s", "731d", "-7d", "2026-11-22", "2026-02-30", "a..b"],
  ...["x".repeat(300), [], {}, [1, "red"], { trait: "p" }, { trait: 5 }, { eq: 1 }, { gte: 1 }, ["1h", "2h"]],
  ...[{ all: [] }, [{ event: "A" }, { event: "B" }], { event: "A" }, { weekday: ["sun"] }],
].map((value) => () => structuredClone(value));

/** A copy with one thing changed, anywhere in it. */
function mutate(random: Random, value: unknown): unknown {
  if (typeof value !== "object" || value === null || random.chance(0.1)) return random.pick(VALUES)();
  const entries = Object.entries(value);
  const [key, child] = entries.length ? random.pick(entries) : ["", undefined];
  const changed = (): [string, unknown][] =>
    random.pick<() => [string, unknown][]>([
      () => entries.filter(([name]) => name !== key),
      () => [...entries, [random.pick(KEYS), random.pick(VALUES)()]],
      () => entries.map(([name, one]) => [name === key ? random.pick(KEYS) : name, one]),
      () => entries.map(([name, one]) => [name, name === key ? random.pick(entries)[1] : one]),
    ])();
  const deeper = () =>
    entries.map(([name, one]): [string, unknown] => [name, name === key ? mutate(random, child) : one]);
  const result = entries.length && random.chance(0.7) ? deeper() : changed();
  if (Array.isArray(value)) return result.map(([, one]) => one);
  const nested = () => [...Array(random.below(2 * CONDITION_DEPTH))].reduce<unknown>((not) => ({ not }), value);
  return random.chance(0.01) ? nested() : Object.fromEntries(result);
}

/** True where the pointer leads to a place in the document, or to a key that an object in it lacks. */
function resolves(pointer: string, document: unknown): boolean {
  if (pointer === "") return true;
  const steps = pointer
    .slice(1)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return steps.every((step, i) => {
    if (typeof document !== "object" || document === null) return false;
    const isThere = Object.hasOwn(document, step);
    document = (document as Json)[step];
    return isThere || i === steps.length - 1;
  });
}

const CODES: readonly ConditionError["code"][] = ["type", "value", "key", "missing", "one-of", "limit"];

it(`refuses with a place that is there, or means what the language says (seed ${SEED})`, { timeout: 3_600_000 }, () => {
  const tally = { refused: 0, accepted: 0, changed: 0 };
  const codes = new Set<string>();
  for (let i = 0; i < MUTANTS; i++) {
    const random = createRandom(SEED + i);
    const { rules, timeZone, now, subjects } = randomProgram(random, FOCUSES[(SEED + i) % FOCUSES.length]!, 2);
    const original = rules[0]!.condition;
    let mutant: unknown = original;
    for (let times = random.pick([1, 1, 2, 4]); times; times--) mutant = mutate(random, mutant);
    const show = `ATTUNE_SEED=${SEED + i} ATTUNE_CASES=1 ${JSON.stringify(mutant)?.slice(0, 2_000)}`;

    const { condition, errors } = checkCondition(mutant, "/rule");
    if (errors) {
      tally.refused++;
      for (const { pointer, code, detail } of errors) {
        if (!pointer.startsWith("/rule") || !resolves(pointer.slice(5), mutant)) expect(pointer, show).toBe("a place");
        if (!CODES.includes(code) || detail.length < 5) expect({ code, detail }, show).toBe("an explanation");
        codes.add(code);
      }
      continue;
    }
    tally.accepted++;
    if (JSON.stringify(condition) !== JSON.stringify(original)) tally.changed++;
    const others = rules.slice(1).filter((rule) => !JSON.stringify(rule).includes('"segment":"r'));
    const setting = { rules: others, timeZone };
    const program = compile([...others, { key: "mutant", condition }], setting, fullLanguage);
    analyze(condition);
    if (describe(condition).length === 0) expect("nothing said", show).toBe("a sentence");
    for (const subject of subjects) {
      const { value, until } = program.evaluate(subject, now).at(-1)!;
      const truth = (instant: number) => oracle(condition as Condition, { ...setting, subject }, instant);
      if (value !== truth(now)) expect(value, `${show} ${JSON.stringify({ timeZone, now, subject })}`).toBe(truth(now));
      if (until !== null && (until <= now || truth(until - 1) !== value)) expect(until, `unsound: ${show}`).toBeNull();
      explain(condition, subject, now, { ...setting, language: fullLanguage });
    }
  }
  console.log(`seed ${SEED}: ${MUTANTS} mutants`, tally, [...codes].join(" "));
  if (MUTANTS < 1_000) return;
  expect(Math.min(tally.refused, tally.changed)).toBeGreaterThan(MUTANTS / 20);
  expect([...codes].sort()).toEqual([...CODES].sort());
});

it("refuses what is no condition at all, at its root", () => {
  for (const none of [undefined, null, 5, "all", true, [], () => 1, Symbol("s")])
    expect(checkCondition(none, "/rule").errors).toMatchObject([{ pointer: "/rule", code: "type" }]);
});
