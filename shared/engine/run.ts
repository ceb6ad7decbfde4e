/** The shapes that the engine's own files share: a compiled node, one evaluation of it, and what a leaf may ask for while it is compiled. */
import type { Condition, Window } from "../condition.ts";
import type { CompileOptions, Subject } from "./types.ts";
import type { SpanAt } from "./window.ts";

/** Truth as a number: false, true, unknown. */
export type Code = 0 | 1 | 2;
export const UNKNOWN = 2;

/** Bits of the purposes that a leaf's data may need. */
export const ANALYTICS = 1;
export const PERSONALIZATION = 2;

/** One evaluation: of whom, when, and what has been worked out so far. Dies with the call. */
export interface Run {
  readonly subject: Subject;
  /** Moves forward while `settle` looks for the instant of the next change, and back. */
  now: number;
  /** Where a node leaves its `until`, beside the truth that it returns; Infinity = never. Every node sets it. */
  until: number;
  /** Bits of the purposes that are not granted. */
  readonly denied: number;
  /** Values at the paths that the program reads, by slot. */
  readonly facts: readonly unknown[];
  /** What nodes made of the subject, whatever the instant, by slot. */
  readonly lasting: unknown[];
  /** What nodes answered at an instant, by slot. */
  kept: unknown[];
}

/** A compiled condition, or a compiled test of `value`. Pure in (run, run.now, value); never throws. */
export type Node = (run: Run, value?: unknown) => Code;

/** What a leaf may ask for while it is compiled. */
export interface Scope {
  readonly options: CompileOptions;
  readonly language: Language;
  /** Purposes that the leaf being compiled turned out to need; leaves and `fact` add to it. */
  needs: number;
  /** A slot of `run.facts` for the value at a dotted path of the subject. */
  fact(root: "traits" | "context", path: string): number;
  /** A slot of `run.lasting` and `run.kept`. */
  keep(): number;
  /** What the program has made so far and shares, by key. */
  readonly made: Map<unknown, unknown>;
  /** Refers to the rule of that key: to be asked in a run for its node, undefined where the program has none. */
  rule(key: string): () => Node | undefined;
}

/** Compiles one kind of leaf. */
// biome-ignore lint/suspicious/noExplicitAny: each leaf takes its own member of the union, chosen by its key.
export type Leaf = (condition: any, scope: Scope) => Node;

export type Check = (value: unknown, operand: unknown) => boolean;

/** As much of the condition language as a runtime has. */
export interface Language {
  /** Which kind of leaf a condition is. */
  readonly kindOf: (condition: Condition) => string | undefined;
  /** Kind of leaf → its compiler. */
  readonly leaves: { readonly [kind: string]: Leaf };
  /** Operators whose result does not change with time. */
  readonly checks: { readonly [operator: string]: Check };
  /** Operators that are more than a check. */
  readonly test?: (operator: string, operand: unknown, scope: Scope) => Node | undefined;
  /** How to read an operand in a run; left out, it is itself. */
  readonly read?: (operand: unknown, scope: Scope) => (run: Run) => unknown;
  readonly span: (window: Window) => SpanAt;
  /** A better way for conditions that allow it; `build` makes the ordinary one. */
  readonly flatten?: (condition: Condition, scope: Scope, build: () => Node) => Node | undefined;
}

/**
 * The keys that tell one kind of leaf from another, in the order in which they decide: `unless` and the measures before
 * `event`, which they have too.
 */
export const KINDS =
  "trait context segment sample time date sequence ratio unless days recency sum avg min max distinct first last event type".split(
    " ",
  );

/** Which kind of leaf a condition is; undefined for none. */
export function kindOf(condition: Condition): string | undefined {
  return KINDS.find((key) => Object.hasOwn(condition, key));
}

/** The node that is unknown for good. */
export const unknown: Node = (run) => {
  run.until = Infinity;
  return UNKNOWN;
};

/** How often to look ahead for the instant of the next change, before a sound one is good enough. */
export const LOOKS = 32;

/**
 * Makes `until` exact: while the node has the same value at its own `until`, the answer holds on from there.
 * The node's `until` only has to be sound.
 */
export function settle(node: Node): Node {
  return (run, input) => {
    const { now } = run;
    const value = node(run, input);
    for (let looks = LOOKS; run.until < Infinity && looks; looks--) {
      const { until } = run;
      run.now = until;
      if (node(run, input) !== value) {
        run.until = until;
        break;
      }
    }
    run.now = now;
    return value;
  };
}

/**
 * Evaluates the node once per instant of a run. A node that leads back to itself, as segments that refer to each other would,
 * finds itself unknown.
 */
export function remember(node: Node, scope: Scope): Node {
  const slot = scope.keep();
  return (run) => {
    const kept = (run.kept[slot] ?? [NaN]) as [now: number, value: Code, until: number];
    if (kept[0] !== run.now) {
      run.kept[slot] = kept;
      kept[0] = run.now;
      kept[1] = UNKNOWN;
      kept[2] = Infinity;
      kept[1] = node(run);
      kept[2] = run.until;
    }
    run.until = kept[2];
    return kept[1];
  };
}

/** All children of a condition that combines others; undefined for a leaf. */
export function childrenOf(condition: Condition): readonly Condition[] | undefined {
  const { all, any, not } = condition as { all?: Condition[]; any?: Condition[]; not?: Condition };
  return Array.isArray(all) ? all : Array.isArray(any) ? any : not && [not];
}

/** The value of the key, made when it is first asked for. */
export function ensure<V>(map: Map<unknown, V>, key: unknown, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
