/** From what a node leaves behind to what is answered. */
import { type Node, type Run, UNKNOWN } from "./run.ts";
import type { Answer } from "./types.ts";

/** A node's answer in a run. */
export function answerOf(node: Node, run: Run): Answer {
  const code = node(run);
  return { value: code === UNKNOWN ? "unknown" : !!code, until: run.until < Infinity ? run.until : null };
}
