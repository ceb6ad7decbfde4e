/** From what a node leaves behind to what is answered. */
import type { Node, Run } from "./run.ts";
import type { Answer } from "./types.ts";

const VALUES = [false, true, "unknown"] as const;
/** Most answers hold for good: these are made once. */
export const FOREVER: readonly Answer[] = VALUES.map((value) => Object.freeze({ value, until: null }));

/** A node's answer in a run. */
export function answerOf(node: Node, run: Run): Answer {
  const code = node(run);
  return run.until < Infinity ? { value: VALUES[code], until: run.until } : FOREVER[code]!;
}
