/** Leaves over several kinds of event: `sequence`, `unless`, `ratio`. */
import type { RatioCondition, SequenceCondition, UnlessCondition } from "../condition.ts";
import { testsOf } from "./operators.ts";
import { type Node, type Scope, settle } from "./run.ts";
import { columnOf, countUpTo, type Selection, selectionOf } from "./selection.ts";
import { durationMs, isScalar } from "./value.ts";
import { changeOf, spanOf } from "./window.ts";

const lengthOf = (duration: string | undefined) => (duration === undefined ? Infinity : durationMs(duration));

/**
 * Events in strict time order, each at most `gap` after the one before, all in the window. Of all such chains the one that began
 * last leaves the window last; it is found in one pass, since a chain that ends later never has to begin earlier.
 */
export function sequenceLeaf(condition: SequenceCondition, scope: Scope): Node {
  const selects = condition.sequence.map((selector) => selectionOf(selector, scope));
  const gap = lengthOf(condition.gap);
  const length = lengthOf(condition.within);
  return settle((run) => {
    let until = Infinity;
    let enters = Infinity;
    /** Chains through the selectors so far: when they end, when they began. */
    let chains: [number, number][] | undefined;
    for (const select of selects) {
      const { times, until: holds } = select(run);
      const high = countUpTo(times, run.now);
      const longer: [number, number][] = [];
      let at = 0;
      for (let low = countUpTo(times, run.now - length); low < high; low++) {
        const time = times[low]!;
        while (chains && at < chains.length && chains[at]![0] < time) at++;
        if (!chains) longer.push([time, time]);
        else if (at && time - chains[at - 1]![0] <= gap) longer.push([time, chains[at - 1]![1]]);
      }
      chains = longer;
      until = Math.min(until, holds);
      enters = Math.min(enters, times[high] ?? Infinity);
    }
    const best = chains?.at(-1);
    run.until = Math.min(until, best ? best[1] + length : enters);
    return best ? 1 : 0;
  });
}

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

/** count(first) / count(second) in the window; false while there are fewer than `min` of the second, and with none of it. */
export function ratioLeaf(condition: RatioCondition, scope: Scope): Node {
  const selects = condition.ratio.map((selector) => selectionOf(selector, scope));
  const span = spanOf(condition);
  const least = Math.max(1, condition.min ?? 1);
  const test = testsOf(condition as never, scope, "ratio min within between after before");
  return settle((run) => {
    let until = Infinity;
    const [some, all] = selects.map((select) => {
      const { times, until: holds } = select(run);
      const part = span(times, run.now);
      until = Math.min(until, holds, changeOf(part, times));
      return part.high - part.low;
    }) as [number, number];
    const code = all < least ? 0 : test(run, some / all);
    run.until = until;
    return code;
  });
}
