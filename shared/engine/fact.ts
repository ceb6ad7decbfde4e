/** Leaves over what is known at once: `trait`, `context`, `segment`, `sample`. */
import type { Condition, Operators } from "../condition.ts";
import { bucket } from "../hash.ts";
import { testsOf } from "./operators.ts";
import { type Code, type Node, PERSONALIZATION, type Scope, UNKNOWN, unknown } from "./run.ts";
import type { Answer } from "./types.ts";
import { readPath } from "./value.ts";

/** A trait's value satisfies the operators. */
export const traitLeaf = ({ trait, ...operators }: Operators & { trait: string }, scope: Scope): Node =>
  factLeaf("traits", trait, operators, scope);

/** A value of this request satisfies the operators. */
export const contextLeaf = ({ context, ...operators }: Operators & { context: string }, scope: Scope): Node =>
  factLeaf("context", context, operators, scope);

function factLeaf(root: "traits" | "context", path: string, operators: Operators, scope: Scope): Node {
  const slot = scope.fact(root, path);
  const test = testsOf(operators, scope);
  return (run) => test(run, run.facts[slot]);
}

/** Member of a segment that is a rule of this program. */
export function segmentLeaf(
  { segment }: Condition & { segment: string },
  scope: Scope,
  otherwise: Node = unknown,
): Node {
  scope.needs |= PERSONALIZATION;
  const ruleOf = scope.rule(segment);
  return (run) => (ruleOf() ?? otherwise)(run);
}

/** Member of a segment: a rule of this program, or an answer that came with the subject, as long as it holds. */
export function givenSegmentLeaf(condition: Condition & { segment: string }, scope: Scope): Node {
  return segmentLeaf(condition, scope, (run) => {
    const answer = readPath(run.subject.segments, [condition.segment]) as Answer | undefined;
    const until = answer?.until ?? Infinity;
    if (typeof answer?.value !== "boolean" || typeof until !== "number" || !(run.now < until)) return unknown(run);
    run.until = until;
    return +answer.value as Code;
  });
}

/** The person falls into a share of all people; unknown without an id. */
export function sampleLeaf({ sample }: Condition & { sample: { seed: string; from: number; to: number } }): Node {
  return (run) => {
    run.until = Infinity;
    const { id } = run.subject;
    if (typeof id !== "string") return UNKNOWN;
    const share = bucket(sample.seed, id);
    return +(sample.from <= share && share < sample.to) as Code;
  };
}
