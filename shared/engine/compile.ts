/** From rules to one program: closures without code generation, equal leaves shared, `{segment}` tied to the other rules. */
import type { Condition } from "../condition.ts";
import { combine, negate } from "./logic.ts";
import {
  ANALYTICS,
  childrenOf,
  type Leaves,
  type Node,
  PERSONALIZATION,
  type Run,
  remember,
  type Scope,
  UNKNOWN,
  unknown,
} from "./run.ts";
import type { CompileOptions, Program, Rule, Subject } from "./types.ts";
import { readPath } from "./value.ts";

/**
 * Compiles rules together. `leaves` says which kinds of leaf this runtime has: `browserLeaves` or `allLeaves`; any other leaf,
 * and a rule that refers to itself through `{segment}`, is unknown.
 */
export function compile(rules: readonly Rule[], options: CompileOptions, leaves: Leaves): Program {
  const { nodes, start } = link(rules, options, leaves);
  return {
    keys: rules.map(({ key }) => key),
    evaluate(subject, now) {
      const run = start(subject, now);
      return nodes.map((node) => answerOf(node, run));
    },
  };
}

/** A node's answer in a run. */
export function answerOf(node: Node, run: Run) {
  const code = node(run);
  return { value: code === UNKNOWN ? ("unknown" as const) : !!code, until: run.until < Infinity ? run.until : null };
}

/** The rules as nodes, the means to start a run and to compile more conditions into it. */
export function link(rules: readonly Rule[], options: CompileOptions, leaves: Leaves) {
  const facts: ["traits" | "context", string[]][] = [];
  const made = new Map<string, unknown>();
  const uses = new Map<string, number>();
  const references = new Map<string, Set<string>>();
  const roots = new Map<string, Node>();
  let slots = 0;

  const scope: Scope = {
    options,
    needs: 0,
    fact(root, path) {
      if (root === "traits") scope.needs |= PERSONALIZATION;
      return scope.once(`${root} ${path}`, () => facts.push([root, path.split(".")]) - 1);
    },
    keep: () => slots++,
    once(key, make) {
      if (!made.has(key)) made.set(key, make());
      return made.get(key) as never;
    },
    rule: (key) => roots.get(key),
  };

  /** First pass: how often each leaf occurs, and which rules a rule refers to. */
  const survey = (condition: Condition, segments: Set<string>): void => {
    const children = childrenOf(condition);
    if (children) for (const child of children) survey(child, segments);
    else {
      const key = canonical(condition);
      uses.set(key, (uses.get(key) ?? 0) + 1);
      segments.add((condition as { segment: string }).segment);
    }
  };

  const build = (condition: Condition): Node => {
    const children = childrenOf(condition)?.map(build);
    if (children) return "not" in condition ? negate(children[0]!) : combine(children, "all" in condition ? 0 : 1);
    const key = canonical(condition);
    return scope.once(`leaf ${key}`, () => {
      const kind = Object.keys(leaves).find((name) => Object.hasOwn(condition, name));
      if (!kind) return unknown;
      scope.needs = 0;
      const node = leaves[kind]!(condition, scope);
      const { needs } = scope;
      const open: Node = needs ? (run) => (run.denied & needs ? unknown(run) : node(run)) : node;
      return uses.get(key)! > 1 ? remember(open, scope) : open;
    });
  };

  const reaches = (key: string, goal: string, seen = new Set<string>()): boolean =>
    [...(references.get(key) ?? [])].some(
      (next) => next === goal || (!seen.has(next) && reaches(next, goal, seen.add(next))),
    );

  for (const { key, condition } of rules) {
    const segments = new Set<string>();
    survey(condition, segments);
    references.set(key, segments);
  }
  const nodes = rules.map(({ key, condition }) => {
    const node = reaches(key, key) ? unknown : remember(build(condition), scope);
    roots.set(key, node);
    return node;
  });

  return {
    nodes,
    build,
    scope,
    start: (subject: Subject, now: number): Run => ({
      subject,
      now,
      until: Infinity,
      denied: deniedTo(subject),
      facts: facts.map(([root, keys]) => readPath(subject[root], keys)),
      kept: [],
    }),
  };
}

function deniedTo({ consent }: Subject): number {
  if (!Array.isArray(consent)) return 0;
  return (consent.includes("analytics") ? 0 : ANALYTICS) | (consent.includes("personalization") ? 0 : PERSONALIZATION);
}

/** JSON with sorted keys: equal for conditions that say the same in another order of keys. */
function canonical(condition: unknown): string {
  return JSON.stringify(condition, (_, value) =>
    Object(value) === value && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
