/**
 * Rules over facts alone, as jumps over bits in place of a tree of closures. All that rules ask of a fact – is it this, one of
 * these, above that – is answered at once when the fact is looked up, a bit each; a rule then only follows its bits. Same answers as
 * the closures, which still answer where a purpose is not granted. Edge only: a browser's few rules do not earn its bytes.
 */
import type { Condition, Operators } from "../condition.ts";
import { answerOf } from "./answer.ts";
import { type Check, type Code, childrenOf, ensure, kindOf, type Node, type Run, type Scope } from "./run.ts";
import { countUpTo } from "./selection.ts";
import type { Answer } from "./types.ts";
import { isScalar } from "./value.ts";

/** Where a rule goes on behind a test: at another test, or here. */
const YES = -1;
const NO = -2;
/** What lasts is answered by the same two objects again and again. */
const LASTING: readonly Answer[] = [false, true].map((value) => Object.freeze({ value, until: null }));
/** In place of where a rule begins. */
const NOT_FLAT = -3;

/** The operator with the opposite answer. */
const OPPOSITES: { readonly [operator: string]: string } = { ne: "eq", nin: "in" };

/**
 * Numbers of one test in `code`: its bit, where to go on if it is set, and if it is not. A test that has no bit is a check, -1 - its
 * index in place of the bit.
 */
const STRIDE = 3;
/** Programs that are no longer fit into half of the memory. */
const SHORT = 2 ** 15;

interface Flat {
  code: number[];
  /** `code`, as quick to read as it gets; made anew when more has been compiled. */
  words: Int16Array | Int32Array;
  /** By slot of the facts. */
  lookups: (Lookup | undefined)[];
  bits: number;
  checks: { check: Check; fact: number; operand: unknown }[];
  /** Where a run keeps its bits. */
  slot: number;
  /** Where the nodes begin that `flatten` made. */
  heads: Map<Node, { head: number; needs: number }>;
}

/** The tests of one fact that have a bit. */
interface Lookup {
  /** Value → bits of each `eq` and `in` that names it. */
  values: Map<unknown, number[]>;
  /** Value → bit of the `contains` that names it. */
  elements: Map<unknown, number>;
  /** A number sets the bit of each threshold that it reaches, or that it is below. */
  reaches: Thresholds;
  below: Thresholds;
  /** Test → its bit: equal ones share it. */
  known: Map<unknown, number>;
}

interface Thresholds {
  /** Ascending. */
  values: number[];
  bits: number[];
}

/**
 * Compiles a condition that looks at facts alone, by operators that time does not change; undefined for any other.
 *
 * @param build compiles it into closures; called only when a run denies a purpose that the condition needs
 */
export function flatten(condition: Condition, scope: Scope, build: () => Node): Node | undefined {
  if (!isFlat(condition, scope)) return undefined;
  const flat = flatOf(scope);
  const outer = scope.needs;
  scope.needs = 0;
  const head = emit(condition, YES, NO, flat, scope);
  const { needs } = scope;
  scope.needs = outer;
  let closures: Node | undefined;
  const node: Node = (run) => {
    if (run.denied & needs) {
      closures ??= build();
      return closures(run);
    }
    run.until = Infinity;
    return follow(flat, head, bitsOf(flat, run), run);
  };
  flat.heads.set(node, { head, needs });
  return node;
}

/** The answers of many nodes, of which those that `flatten` made are not even called. */
export function answerAll(nodes: readonly Node[], scope: Scope): (run: Run) => Answer[] {
  const flat = flatOf(scope);
  const heads = Int32Array.from(nodes, (node) => flat.heads.get(node)?.head ?? NOT_FLAT);
  const needs = Int32Array.from(nodes, (node) => flat.heads.get(node)?.needs ?? 0);
  return (run) => {
    const bits = bitsOf(flat, run);
    const answers = new Array<Answer>(heads.length);
    for (let i = 0; i < heads.length; i++) {
      const head = heads[i]!;
      const isFlat = head !== NOT_FLAT && !(run.denied & needs[i]!);
      answers[i] = isFlat ? LASTING[follow(flat, head, bits, run)]! : answerOf(nodes[i]!, run);
    }
    return answers;
  };
}

function flatOf(scope: Scope): Flat {
  return ensure(scope.made, "flat", () => ({
    code: [],
    words: new Int16Array(),
    lookups: [],
    bits: 0,
    checks: [],
    slot: scope.keep(),
    heads: new Map(),
  })) as Flat;
}

/** A run's bits, made when first asked for. */
function bitsOf(flat: Flat, run: Run): Int32Array {
  if (flat.words.length !== flat.code.length)
    flat.words = (flat.code.length < SHORT ? Int16Array : Int32Array).from(flat.code);
  run.lasting[flat.slot] ??= lookUp(flat, run.facts);
  return run.lasting[flat.slot] as Int32Array;
}

function isFlat(condition: Condition, scope: Scope): boolean {
  const children = childrenOf(condition);
  if (children) return children.every((child) => isFlat(child, scope));
  const kind = kindOf(condition);
  if (kind !== "trait" && kind !== "context") return false;
  return Object.entries(operatorsOf(condition)).every(
    ([operator, operand]) =>
      Object.hasOwn(scope.language.checks, operator) &&
      (Array.isArray(operand) ? operand.every(isScalar) : isScalar(operand)),
  );
}

function operatorsOf(condition: Condition): Operators {
  const { trait, context, ...operators } = condition as { trait?: string; context?: string } & Operators;
  return operators;
}

/** Adds the tests of a condition behind which a rule goes on at `yes` or `no`; the condition begins at the result. */
function emit(condition: Condition, yes: number, no: number, flat: Flat, scope: Scope): number {
  const { all, any, not } = condition as { all?: Condition[]; any?: Condition[]; not?: Condition };
  if (all) return all.reduceRight((next, child) => emit(child, next, no, flat, scope), yes);
  if (any) return any.reduceRight((next, child) => emit(child, yes, next, flat, scope), no);
  if (not) return emit(not, no, yes, flat, scope);
  const { trait, context } = condition as { trait?: string; context?: string };
  const fact = trait === undefined ? scope.fact("context", context!) : scope.fact("traits", trait);
  return Object.entries(operatorsOf(condition)).reduceRight((next, [operator, operand]) => {
    const opposite = OPPOSITES[operator];
    const test = testOf(fact, opposite ?? operator, operand, flat, scope);
    flat.code.push(test, ...(opposite ? [no, next] : [next, no]));
    return flat.code.length - STRIDE;
  }, yes);
}

function createLookup(): Lookup {
  return {
    values: new Map(),
    elements: new Map(),
    reaches: { values: [], bits: [] },
    below: { values: [], bits: [] },
    known: new Map(),
  };
}

function testOf(fact: number, operator: string, operand: unknown, flat: Flat, scope: Scope): number {
  flat.lookups[fact] ??= createLookup();
  const lookup = flat.lookups[fact];
  const fill = FILLS[operator]?.(operand);
  if (!fill) return -flat.checks.push({ check: scope.language.checks[operator]!, fact, operand });
  return ensure(lookup.known, JSON.stringify([operator, operand]), () => {
    fill(lookup, flat.bits);
    return flat.bits++;
  });
}

/** How a test gets its bit; undefined for an operand that has to be checked. */
const FILLS: {
  readonly [operator: string]: (operand: unknown) => ((lookup: Lookup, bit: number) => void) | undefined;
} = {
  eq: (operand) => fillValues([operand]),
  in: (operand) => (Array.isArray(operand) ? fillValues(operand) : undefined),
  contains: (operand) => (lookup, bit) => lookup.elements.set(operand, bit),
  gte: (operand) => fillThreshold(operand, "reaches"),
  lt: (operand) => fillThreshold(operand, "below"),
  gt: (operand) => fillThreshold(nextAfter(operand), "reaches"),
  lte: (operand) => fillThreshold(nextAfter(operand), "below"),
};

const fillValues = (values: readonly unknown[]) => (lookup: Lookup, bit: number) => {
  for (const value of new Set(values)) ensure(lookup.values, value, () => [] as number[]).push(bit);
};

const fillThreshold = (threshold: unknown, side: "reaches" | "below") =>
  typeof threshold === "number" && Number.isFinite(threshold)
    ? (lookup: Lookup, bit: number) => {
        const { values, bits } = lookup[side];
        const at = countUpTo(values, threshold);
        values.splice(at, 0, threshold);
        bits.splice(at, 0, bit);
      }
    : undefined;

const float = new Float64Array(1);
const integer = new BigInt64Array(float.buffer);

/** The least number above a number: to be greater than the one is to be at least the other. */
function nextAfter(value: unknown): unknown {
  if (typeof value !== "number" || !Number.isFinite(value)) return value;
  if (value === 0) return Number.MIN_VALUE;
  float[0] = value;
  integer[0]! += value > 0 ? 1n : -1n;
  return float[0];
}

/** Looks all facts up: their bits. */
function lookUp({ lookups, bits: count }: Flat, facts: readonly unknown[]): Int32Array {
  const bits = new Int32Array((count >> 5) + 1);
  for (let i = 0; i < lookups.length; i++) {
    const fact = facts[i];
    const lookup = lookups[i];
    // A Map finds NaN, but it is equal to nothing.
    if (lookup === undefined || fact === undefined || Number.isNaN(fact)) continue;
    if (typeof fact === "object" && fact !== null) {
      if (Array.isArray(fact)) for (const element of fact) set(bits, lookup.elements.get(element));
      continue;
    }
    const found = lookup.values.get(fact);
    if (found) for (const bit of found) set(bits, bit);
    if (typeof fact === "number") {
      const { reaches, below } = lookup;
      for (let at = countUpTo(reaches.values, fact); at--; ) set(bits, reaches.bits[at]);
      for (let at = below.bits.length; at-- && fact < below.values[at]!; ) set(bits, below.bits[at]);
    } else if (typeof fact === "string") {
      for (const [part, bit] of lookup.elements) if (typeof part === "string" && fact.includes(part)) set(bits, bit);
    }
  }
  return bits;
}

function set(bits: Int32Array, bit: number | undefined): void {
  if (bit !== undefined) bits[bit >> 5]! |= 1 << bit;
}

/** Follows the bits from `head` until they lead out. */
function follow(flat: Flat, head: number, bits: Int32Array, run: Run): Code {
  const { words } = flat;
  let at = head;
  while (at >= 0) {
    const bit = words[at]!;
    const holds = bit >= 0 ? (bits[bit >> 5]! >>> bit) & 1 : checked(flat, -1 - bit, run);
    at = words[holds ? at + 1 : at + 2]!;
  }
  return at === YES ? 1 : 0;
}

function checked({ checks }: Flat, index: number, { facts }: Run): number {
  const { check, fact, operand } = checks[index]!;
  return +check(facts[fact], operand);
}
