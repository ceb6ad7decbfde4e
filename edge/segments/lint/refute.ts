/**
 * Proves that a condition can never be true, never be false, or that one thing follows from another, by looking for a way out of
 * each case in turn (a tableau). A proof holds for every person and instant; that none is found means nothing.
 */
import type { Condition } from "../../../shared/condition.ts";
import { childrenOf } from "../../../shared/engine/run.ts";
import { type Literal, literalsOf, needsOf } from "./literals.ts";
import { excludes } from "./theory.ts";

/** That a condition is true, or false; with `sure: false`, that it is not the other, so that it may be unknown. */
export interface Goal {
  condition: Condition;
  holds: boolean;
  sure: boolean;
}

/** One way out of a case: what would have to be so. */
type Way = (Goal | { literal: Literal; needs: ReadonlySet<string> })[];

/** How much is tried before there is no proof, and as of when. */
interface Effort {
  steps: number;
  now: number;
}

/** Steps of all proofs about one condition, and of one of them. */
const STEPS = 12_000;
const PROOF_STEPS = 800;

export const isTrue = (condition: Condition): Goal => ({ condition, holds: true, sure: true });
export const isFalse = (condition: Condition): Goal => ({ condition, holds: false, sure: true });
export const isNotTrue = (condition: Condition): Goal => ({ condition, holds: false, sure: false });
export const isNotFalse = (condition: Condition): Goal => ({ condition, holds: true, sure: false });

/** True where it is certain, for everybody and from `now` on, that these are never all so. */
export type Refute = (...goals: Goal[]) => boolean;

/** @param now epoch milliseconds. What is proven with the same one shares a bound of effort. */
export function buildRefute(now: number): Refute {
  let left = STEPS;
  return (...goals) => {
    const effort = { steps: Math.min(PROOF_STEPS, left), now };
    left -= effort.steps;
    const isProven =
      effort.steps > 0 && isClosed({ literals: [], known: new Set(), open: [], ways: [] }, goals, effort);
    left += Math.max(0, effort.steps);
    return isProven;
  };
}

interface Case {
  literals: readonly Literal[];
  /** What is known, since something is that needs it. */
  known: ReadonlySet<string>;
  /** Leaves that are unknown or as the goal says. */
  open: readonly Goal[];
  /** One of each has to be so. */
  ways: readonly (readonly Way[])[];
}

function isClosed(before: Case, way: Way, effort: Effort): boolean {
  const literals = [...before.literals];
  const known = new Set(before.known);
  let open = [...before.open];
  const ways = [...before.ways];
  const todo = [...way];
  for (let next = todo.pop(); next; next = todo.pop()) {
    if (--effort.steps < 0) return false;
    if ("literal" in next) {
      literals.push(next.literal);
      for (const need of next.needs) known.add(need);
    } else {
      const parts = expand(next);
      if (parts === "open") open.push(next);
      else if (parts.length === 0) return true;
      else if (parts.length === 1) todo.push(...parts[0]!);
      else ways.push(parts);
    }
    if (todo.length) continue;
    // What cannot be unknown is as the goal says.
    const isDue = ({ condition }: Goal) => [...needsOf(condition)].every((need) => known.has(need));
    todo.push(...open.filter(isDue).map((goal) => ({ ...goal, sure: true })));
    open = open.filter((goal) => !isDue(goal));
  }
  const isExcluded = excludes(literals, effort.now);
  effort.steps -= costOf(literals);
  if (isExcluded) return true;
  const fewest = ways.reduce<readonly Way[] | undefined>((a, b) => (a && a.length <= b.length ? a : b), undefined);
  if (!fewest) return false;
  const rest = { literals, known, open, ways: ways.filter((other) => other !== fewest) };
  return fewest.every((choice) => isClosed(rest, choice, effort));
}

/** Claims are held against each other, and their operands looked through. */
function costOf(literals: readonly Literal[]): number {
  let things = 0;
  let characters = 0;
  for (const literal of literals) {
    things += literal.about === "fact" ? 1 + literal.some.length : 1;
    characters += literal.about === "value" ? literal.claim.text.length : 0;
  }
  return Math.ceil((things ** 2 + characters) / 64);
}

/** The ways in which a goal can be met; `open` for a leaf that may be unknown. */
function expand({ condition, holds, sure }: Goal): readonly Way[] | "open" {
  const children = childrenOf(condition);
  if (children) {
    if ("not" in condition) return [[{ condition: children[0]!, holds: !holds, sure }]];
    const goals = children.map((child): Goal => ({ condition: child, holds, sure }));
    return "all" in condition === holds ? [goals] : goals.map((goal) => [goal]);
  }
  if (!sure) return "open";
  const literals = literalsOf(condition, holds);
  if (!literals) return [[]];
  const needs = needsOf(condition);
  const goals = literals.map((literal) => ({ literal, needs }));
  return holds ? [goals] : goals.map((goal) => [goal]);
}
