/** The `unless` leaf: something happened and has not been answered. */
import type { UnlessCondition } from "../condition.ts";
import { type Code, ensure, type Node, type Scope, settle } from "./run.ts";
import { type Selection, selectionOf } from "./selection.ts";
import { durationMs, keyOf, readPath } from "./value.ts";

/**
 * Some event is at least `after` old, and nothing of `unless` with equal `same` properties came since it. Each event makes it true
 * from its time + `after` until it leaves the window or is answered; a missing or structured property equals nothing.
 */
export function unlessLeaf(condition: UnlessCondition, scope: Scope): Node {
  const select = selectionOf(condition, scope);
  const selectAnswers = selectionOf(condition.unless, scope);
  const after = durationMs(condition.after);
  const length = durationMs(condition.within);
  const paths = (condition.unless.same ?? []).map((path) => path.split("."));

  /** What has to be equal, by event. `side` stands where it equals nothing, and is its key in the selection. */
  const keysOf = (selection: Selection, side: object) =>
    ensure(selection.columns, side, () =>
      selection.values.map(({ properties }) => keyOf(paths.map((keys) => readPath(properties, keys))) ?? side),
    ) as unknown[];
  const event = {};
  const answer = {};

  return settle((run) => {
    const selection = select(run);
    const answers = selectAnswers(run);
    const keys = keysOf(selection, event);
    const answerKeys = keysOf(answers, answer);
    /** The earliest answer after the event that is looked at, by key. */
    const answered = new Map<unknown, number>();
    let next = answers.times.length;
    let opens = Infinity;
    let closes = -Infinity;
    for (let i = keys.length; i--; ) {
      const time = selection.times[i]!;
      while (answers.times[next - 1]! > time) answered.set(answerKeys[--next], answers.times[next]!);
      const from = time + after;
      const to = Math.min(time + length, answered.get(keys[i]) ?? Infinity);
      if (from >= to) continue;
      if (run.now < from) opens = Math.min(opens, from);
      else closes = Math.max(closes, to);
    }
    const isOpen = closes > run.now;
    run.until = Math.min(selection.until, answers.until, isOpen ? closes : opens);
    return +isOpen as Code;
  });
}
