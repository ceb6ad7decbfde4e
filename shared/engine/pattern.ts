/** Leaves over several kinds of event: `sequence` and `ratio`. */
import type { RatioCondition, SequenceCondition } from "../condition.ts";
import { testsOf } from "./operators.ts";
import { type Node, type Scope, settle } from "./run.ts";
import { countUpTo, selectionOf } from "./selection.ts";
import { durationMs } from "./value.ts";
import type { Span } from "./window.ts";
import { spanOf } from "./window-edge.ts";

/**
 * Events in strict time order, each at most `gap` after the one before, all in the window. Of all such chains the one that began
 * last leaves the window last; it is found in one pass, since a chain that ends later never has to begin earlier.
 */
export function sequenceLeaf(condition: SequenceCondition, scope: Scope): Node {
  const selects = condition.sequence.map((selector) => selectionOf(selector, scope));
  const gap = durationMs(condition.gap);
  const length = durationMs(condition.within);
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

/** count(first) / count(second) in the window; false while there are fewer than `min` of the second, and with none of it. */
export function ratioLeaf(condition: RatioCondition, scope: Scope): Node {
  const selects = condition.ratio.map((selector) => selectionOf(selector, scope));
  const span = spanOf(condition);
  const least = Math.max(1, condition.min ?? 1);
  const { ratio, min, within, between, after, before, ...operators } = condition;
  const test = testsOf(operators, scope);
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

/** When the part of a selection that counts next changes. */
function changeOf(span: Span, times: readonly number[]): number {
  return Math.min(span.enters, span.low < span.high ? times[span.low]! + span.length : Infinity);
}
