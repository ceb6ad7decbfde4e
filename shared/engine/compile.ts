/** From rules to one program: closures without code generation, `{segment}` tied to the other rules. */
import type { Condition } from "../condition.ts";
import { answerOf } from "./answer.ts";
import { combine, negate } from "./logic.ts";
import {
  ANALYTICS,
  ensure,
  type Language,
  type Node,
  PERSONALIZATION,
  type Run,
  remember,
  type Scope,
  unknown,
} from "./run.ts";
import type { CompileOptions, Program, Rule, Subject } from "./types.ts";
import { readPath } from "./value.ts";

/**
 * Compiles rules together. `language` says what this runtime has: `browserLanguage` or `fullLanguage`; any other leaf,
 * and a reference of a rule to itself through `{segment}`, is unknown.
 */
export function compile(rules: readonly Rule[], options: CompileOptions, language: Language): Program {
  const { nodes, start } = link(rules, options, language);
  return {
    keys: rules.map(({ key }) => key),
    evaluate(subject, now) {
      const run = start(subject, now);
      return nodes.map((node) => answerOf(node, run));
    },
  };
}

/** The rules as nodes, what they share, and the means to start a run. */
export function link(rules: readonly Rule[], options: CompileOptions, language: Language) {
  const facts: ["traits" | "context", string[]][] = [];
  const roots = new Map<string, Node>();
  const referred = new Set<string>();
  let slots = 0;

  const scope: Scope = {
    options,
    language,
    needs: 0,
    made: new Map(),
    fact(root, path) {
      if (root === "traits") scope.needs |= PERSONALIZATION;
      return ensure(scope.made, `${root} ${path}`, () => facts.push([root, path.split(".")]) - 1) as number;
    },
    keep: () => slots++,
    rule(key) {
      referred.add(key);
      return () => roots.get(key);
    },
  };

  const build = (condition: Condition): Node =>
    language.flatten?.(condition, scope, () => buildTree(condition)) ?? buildTree(condition);

  const buildTree = (condition: Condition): Node => {
    const { all, any, not } = condition as { all?: Condition[]; any?: Condition[]; not?: Condition };
    if (Array.isArray(all)) return combine(all.map(build), 0);
    if (Array.isArray(any)) return combine(any.map(build), 1);
    if (not) return negate(build(not));
    return buildLeaf(condition);
  };

  const buildLeaf = (condition: Condition): Node => {
    const kind = language.kindOf(condition);
    if (!kind || !Object.hasOwn(language.leaves, kind)) return unknown;
    scope.needs = 0;
    const node = language.leaves[kind]!(condition, scope);
    const { needs } = scope;
    return (run) => (run.denied & needs ? unknown(run) : node(run));
  };

  const built = rules.map(({ condition }) => build(condition));
  const nodes = rules.map(({ key }, i) => {
    const node = referred.has(key) ? remember(built[i]!, scope) : built[i]!;
    roots.set(key, node);
    return node;
  });

  return {
    nodes,
    scope,
    start: (subject: Subject, now: number): Run => ({
      subject,
      // NaN equals nothing, not even itself, and would be remembered never.
      now: now || 0,
      until: Infinity,
      denied: deniedTo(subject),
      facts: facts.map(([root, keys]) => readPath(subject[root], keys)),
      lasting: [],
      kept: [],
    }),
  };
}

function deniedTo({ consent }: Subject): number {
  if (!Array.isArray(consent)) return 0;
  return (consent.includes("analytics") ? 0 : ANALYTICS) | (consent.includes("personalization") ? 0 : PERSONALIZATION);
}

/** Equal for conditions that say the same with their keys in another order. */
export const canonical = (condition: Condition): string =>
  JSON.stringify(condition, (_, value) =>
    Object(value) === value && !Array.isArray(value) ? Object.entries(value).sort() : value,
  );
