/**
 * What a Mongo condition asks of a value, before it is known whose. GrowthBook takes a missing value for null: a formula has to be
 * right only for values that are there, and is put right for missing ones when it becomes a condition or operators.
 */
import type { Condition, Operators } from "../../../shared/condition.ts";
import { compile } from "../../../shared/engine/compile.ts";
import { fullLanguage } from "../../../shared/engine/language-edge.ts";

/** `path` leads to the value, from a person's traits or an element of a list; without one it is the element itself. */
export type Formula = { all: Formula[] } | { any: Formula[] } | { not: Formula } | Leaf;
interface Leaf {
  path?: string;
  is: Operators;
}

/** Characters up to which every combination of alternatives is written down. */
const SPELT_OUT = 1_000;

/** The formula about what lies at the path. */
export function at(path: string, formula: Formula): Formula {
  if ("all" in formula) return { all: formula.all.map((part) => at(path, part)) };
  if ("any" in formula) return { any: formula.any.map((part) => at(path, part)) };
  return "not" in formula ? { not: at(path, formula.not) } : { path, is: formula.is };
}

/** The formula as a condition about traits. */
export function toCondition(formula: Formula): Condition {
  if ("not" in formula) return { not: toCondition(formula.not) };
  if ("all" in formula) {
    const parts = partsOf(formula).reduce(joinLeaf, []).map(toCondition);
    return parts.length === 1 ? parts[0]! : { all: parts };
  }
  const alternatives = toAlternatives(formula);
  return alternatives.length === 1 ? alternatives[0]! : { any: alternatives };
}

function toAlternatives(formula: Formula): Condition[] {
  if ("any" in formula) return formula.any.flatMap(toAlternatives);
  if ("all" in formula || "not" in formula) return [toCondition(formula)];
  return likeNull(formula.is).map((is) => ({ trait: formula.path!, ...is }));
}

const partsOf = (formula: Formula): Formula[] => ("all" in formula ? formula.all.flatMap(partsOf) : [formula]);

/** Adds a part to those that have to hold, in one leaf with what is said already of the same value. */
function joinLeaf(parts: Formula[], part: Formula): Formula[] {
  for (const [i, known] of parts.entries()) {
    if (!("is" in part) || !("is" in known) || known.path !== part.path) continue;
    const is = merge(known.is, part.is);
    if (is) return parts.with(i, { ...known, is });
  }
  return [...parts, part];
}

/** The formula as operators on one element, of which some alternative has to hold. */
export function toOperators(formula: Formula): Operators[] {
  if ("not" in formula) return [{ none: toOperators(formula.not) }];
  if ("any" in formula) return formula.any.flatMap(toOperators);
  if ("all" in formula) {
    const parts = formula.all.map(toOperators);
    const ways = parts.reduce((count, { length }) => count * length, 1);
    const isShort = ways * JSON.stringify(parts).length <= SPELT_OUT;
    return parts.length ? (isShort ? parts : parts.map(oneOf)).reduce(joinWays) : [{ exists: true }];
  }
  const { path, is } = formula;
  return path === undefined ? [is] : likeNull(is).map((inner) => ({ where: { [path]: inner } }));
}

/** The alternatives as one. */
const oneOf = (ways: Operators[]): Operators[] => (ways.length === 1 ? ways : [{ none: [{ none: ways }] }]);

const joinWays = (some: Operators[], others: Operators[]): Operators[] =>
  some.flatMap((a) => others.map((b) => merge(a, b) ?? { none: [{ none: [a] }, { none: [b] }] }));

/** Alternatives that together say of a missing value what the operators say of null. */
function likeNull(is: Operators): Operators[] {
  const ofNull = holds(is, { x: null });
  if (ofNull === holds(is, {})) return [is];
  return ofNull ? [is, { exists: false }] : [{ exists: true, ...is }];
}

/** Whether the operators hold for the trait x. */
export function holds(is: Operators, traits: { x?: string | null }): boolean {
  const program = compile([{ key: "x", condition: { trait: "x", ...is } }], { timeZone: "UTC" }, fullLanguage);
  return program.evaluate({ traits, events: [] }, 0)[0]!.value === true;
}

type Parts = { [key: string]: unknown };
/** Of these, two that have to hold are one with the parts of both. */
const JOINED = ["where", "all", "size", "number", "text", "lower", "version"];
const isJoined = (key: string) => JOINED.includes(key);
const isPath = () => true;

/** Operators that hold where both do; undefined where one object cannot say it. */
function merge(a: Operators, b: Operators): Operators | undefined {
  return mergeParts(a as Parts, b as Parts, isJoined);
}

function mergeParts(a: Parts, b: Parts, joins: (key: string) => boolean): Parts | undefined {
  const merged = { ...a };
  for (const [key, part] of Object.entries(b)) {
    if (!Object.hasOwn(merged, key)) merged[key] = part;
    else if (key === "none" && joins === isJoined) merged[key] = [...(merged[key] as []), ...(part as [])];
    else if (JSON.stringify(merged[key]) !== JSON.stringify(part)) {
      if (!joins(key)) return undefined;
      const inside = joins === isJoined && key === "where" ? isPath : isJoined;
      merged[key] = mergeParts(merged[key] as Parts, part as Parts, inside);
      if (!merged[key]) return undefined;
    }
  }
  return merged;
}
