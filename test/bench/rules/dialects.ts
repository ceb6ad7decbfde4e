/** One rule over traits, said in the language of each engine. All but ours read `{ traits: { … } }`. */
import type { Condition } from "../../../shared/condition.ts";
import type { Rule } from "../../../shared/engine/types.ts";
import type { Profile, TraitRule } from "./traits.ts";

const SYMBOLS = { eq: "===", ne: "!==", gt: ">", gte: ">=", lt: "<", lte: "<=" };

export function toRules(rules: readonly TraitRule[]): Rule[] {
  return rules.map((rule, index) => ({ key: `rule-${index}`, condition: toCondition(rule) }));
}

function toCondition(rule: TraitRule): Condition {
  switch (rule.op) {
    case "all":
      return { all: rule.of.map(toCondition) };
    case "any":
      return { any: rule.of.map(toCondition) };
    case "not":
      return { not: toCondition(rule.of) };
    case "has":
      return { trait: rule.trait, contains: rule.value };
    default:
      return { trait: rule.trait, [rule.op]: rule.value };
  }
}

/** A JavaScript expression of `traits`, as somebody would write it by hand. */
export function toCode(rule: TraitRule): string {
  switch (rule.op) {
    case "all":
      return `(${rule.of.map(toCode).join(" && ")})`;
    case "any":
      return `(${rule.of.map(toCode).join(" || ")})`;
    case "not":
      return `!${toCode(rule.of)}`;
    case "in":
      return `(${rule.value.map((value) => `traits.${rule.trait} === ${JSON.stringify(value)}`).join(" || ")})`;
    case "has":
      return `traits.${rule.trait}.includes(${JSON.stringify(rule.value)})`;
    default:
      return `(traits.${rule.trait} ${SYMBOLS[rule.op]} ${JSON.stringify(rule.value)})`;
  }
}

type Closure = (traits: Profile["traits"]) => boolean;

const COMPARISONS: { [op in keyof typeof SYMBOLS]: (trait: string, value: string | number | boolean) => Closure } = {
  eq: (trait, value) => (traits) => traits[trait] === value,
  ne: (trait, value) => (traits) => traits[trait] !== value,
  gt: (trait, value) => (traits) => traits[trait]! > value,
  gte: (trait, value) => (traits) => traits[trait]! >= value,
  lt: (trait, value) => (traits) => traits[trait]! < value,
  lte: (trait, value) => (traits) => traits[trait]! <= value,
};

/** Closures of closures, without `until`, consent or any check of types. */
export function toClosure(rule: TraitRule): Closure {
  switch (rule.op) {
    case "all": {
      const parts = rule.of.map(toClosure);
      return (traits) => parts.every((part) => part(traits));
    }
    case "any": {
      const parts = rule.of.map(toClosure);
      return (traits) => parts.some((part) => part(traits));
    }
    case "not": {
      const part = toClosure(rule.of);
      return (traits) => !part(traits);
    }
    case "in": {
      const { trait, value } = rule;
      return (traits) => value.includes(traits[trait] as string);
    }
    case "has": {
      const { trait, value } = rule;
      return (traits) => (traits[trait] as string[]).includes(value);
    }
    default: {
      const { trait, value } = rule;
      return COMPARISONS[rule.op](trait, value);
    }
  }
}

export function toJsonLogic(rule: TraitRule): object {
  switch (rule.op) {
    case "all":
      return { and: rule.of.map(toJsonLogic) };
    case "any":
      return { or: rule.of.map(toJsonLogic) };
    case "not":
      return { "!": [toJsonLogic(rule.of)] };
    case "in":
      return { in: [{ var: `traits.${rule.trait}` }, rule.value] };
    case "has":
      return { in: [rule.value, { var: `traits.${rule.trait}` }] };
    default:
      return { [SYMBOLS[rule.op]]: [{ var: `traits.${rule.trait}` }, rule.value] };
  }
}

/** For GrowthBook, sift and mingo. */
export function toMongo(rule: TraitRule): { [key: string]: unknown } {
  switch (rule.op) {
    case "all":
      return { $and: rule.of.map(toMongo) };
    case "any":
      return { $or: rule.of.map(toMongo) };
    case "not":
      return { $nor: [toMongo(rule.of)] };
    case "eq":
      return { [`traits.${rule.trait}`]: rule.value };
    case "has":
      return { [`traits.${rule.trait}`]: { $elemMatch: { $eq: rule.value } } };
    default:
      return { [`traits.${rule.trait}`]: { [`$${rule.op}`]: rule.value } };
  }
}

export function toCel(rule: TraitRule): string {
  switch (rule.op) {
    case "all":
      return `(${rule.of.map(toCel).join(" && ")})`;
    case "any":
      return `(${rule.of.map(toCel).join(" || ")})`;
    case "not":
      return `!(${toCel(rule.of)})`;
    case "in":
      return `(traits.${rule.trait} in ${JSON.stringify(rule.value)})`;
    case "has":
      return `(${JSON.stringify(rule.value)} in traits.${rule.trait})`;
    case "eq":
    case "ne":
      return `(traits.${rule.trait} ${SYMBOLS[rule.op].slice(0, 2)} ${JSON.stringify(rule.value)})`;
    default:
      // A number of JavaScript is a double there.
      return `(traits.${rule.trait} ${SYMBOLS[rule.op]} ${rule.value.toFixed(1)})`;
  }
}
