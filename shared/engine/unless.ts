/** The `unless` leaf: something happened and has not been answered. */
import type { UnlessCondition } from "../condition.ts";
import { type Node, type Scope, settle } from "./run.ts";
import { columnOf, type Selection, selectionOf } from "./selection.ts";
import { durationMs, isScalar, lengthOf } from "./value.ts";

/**
 * Some event is at least `after` old, and nothing of `unless` with equal `same` properties came since it. Each event makes it true
 * from its time + `after` until it leaves the window or is answered; a missing or structured property equals nothing.
 */
export function unlessLeaf(condition: UnlessCondition, scope: Scope): Node {
  const select = selectionOf(condition, scope);
  const selectAnswers = selectionOf(condition.unless, scope);
  const same = condition.unless.same ?? [];
  const after = durationMs(condition.after);
  const length = lengthOf(condition.within);
  return settle((run) => {
    const selection = select(run);
    const answers = selectAnswers(run);
    const keys = keysOf(selection, same);
    const answerKeys = keysOf(answers, same);
    /** The earliest answer after the event that is looked at, by key. */
    const answered = new Map<string, number>();
    let open = false;
    let first = Infinity;
    let last = -Infinity;
    let at = answers.times.length;
    for (let i = selection.times.length; i--; ) {
      const time = selection.times[i]!;
      while (at && answers.times[at - 1]! > time) {
        at--;
        const key = answerKeys(at);
        if (key) answered.set(key, answers.times[at]!);
      }
      const from = time + after;
      const to = Math.min(time + length, answered.get(keys(i) ?? "") ?? Infinity);
      if (from >= to || to <= run.now) continue;
      if (run.now < from) first = Math.min(first, from);
      else {
        open = true;
        last = Math.max(last, to);
      }
    }
    run.until = Math.min(selection.until, answers.until, open ? last : first);
    return open ? 1 : 0;
  });
}

/** The values of the paths in the i-th event, as one string; undefined where one of them equals nothing. */
function keysOf(selection: Selection, paths: readonly string[]): (i: number) => string | undefined {
  const columns = paths.map((path) => columnOf(selection, path));
  return (i) => {
    const values = columns.map((column) => column[i]);
    return values.every(isScalar) ? values.map((value) => `${typeof value} ${value}`).join("\n") || "-" : undefined;
  };
}
