/** Who is measured with rules over traits. Each loads nothing of the others. */
import type { ConditionInterface } from "@growthbook/growthbook";
import { compile } from "../../../shared/engine/compile.ts";
import { createEvaluator } from "../../../shared/engine/evaluation.ts";
import { browserLanguage } from "../../../shared/engine/language.ts";
import { ship } from "../../../shared/engine/ship.ts";
import type { Program, Rule } from "../../../shared/engine/types.ts";
import { toCel, toClosure, toCode, toJsonLogic, toMongo, toRules } from "./dialects.ts";
import { type Contestants, sumOfTrue } from "./race.ts";
import type { Profile, TraitRule } from "./traits.ts";

const OPTIONS = { timeZone: "UTC" };

const attune = (build: (rules: Rule[]) => Program) => (rules: TraitRule[]) => {
  const program = build(toRules(rules));
  return (profile: Profile, now: number) => sumOfTrue(program.evaluate(profile, now), ({ value }) => value === true);
};

export const TRAIT_CONTESTANTS = {
  "attune at the edge": attune((rules) => createEvaluator(rules, OPTIONS)),
  "attune in the browser": attune((rules) =>
    compile(
      rules.map(({ key, condition }) => ({ key, condition: ship(condition) })),
      OPTIONS,
      browserLanguage,
    ),
  ),
  "by hand, a function a rule (code generation)": (rules) => {
    const functions = rules.map((rule) => new Function("traits", `return ${toCode(rule)}`));
    return ({ traits }) => sumOfTrue(functions, (answer) => answer(traits));
  },
  "by hand, closures": (rules) => {
    const closures = rules.map(toClosure);
    return ({ traits }) => sumOfTrue(closures, (answer) => answer(traits));
  },
  "@marcbachmann/cel-js": async (rules) => {
    const { parse } = await import("@marcbachmann/cel-js");
    const programs = rules.map((rule) => parse(toCel(rule)));
    return (profile) => sumOfTrue(programs, (answer) => answer(profile) as boolean);
  },
  "json-logic-engine, interpreted": async (rules) => {
    const { LogicEngine } = await import("json-logic-engine");
    const engine = new LogicEngine();
    const logics = rules.map(toJsonLogic);
    return (profile) => sumOfTrue(logics, (logic) => engine.run(logic, profile));
  },
  "GrowthBook evalCondition": async (rules) => {
    const { evalCondition } = await import("@growthbook/growthbook");
    const conditions = rules.map((rule) => toMongo(rule) as ConditionInterface);
    return (profile) => sumOfTrue(conditions, (condition) => evalCondition(profile, condition));
  },
  sift: async (rules) => {
    const { default: sift } = await import("sift");
    const tests = rules.map((rule) => sift(toMongo(rule)));
    return (profile) => sumOfTrue(tests, (test) => test(profile));
  },
  mingo: async (rules) => {
    const { Query } = await import("mingo");
    const queries = rules.map((rule) => new Query(toMongo(rule)));
    return (profile) => sumOfTrue(queries, (query) => query.test(profile));
  },
} satisfies Contestants<TraitRule, Profile>;
