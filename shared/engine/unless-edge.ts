/** The `unless` leaf over long histories: what is unanswered is kept, so that the next event or answer is all there is to look at. */
import type { UnlessCondition } from "../condition.ts";
import type { HistoryEvent } from "../event.ts";
import { ensure, LOOKS, type Node, type Scope } from "./run.ts";
import { countUpTo, type Selection, selectionOf } from "./selection.ts";
import { durationMs, isScalar, keyOf, readPath } from "./value.ts";

/** An event that waits for its answer, and when that comes; Infinity = it does not. */
type Open = [time: number, answered: number];

/** So many events are closed one by one: cheaper than to go over all that are open. */
const FEW = 32;

/** Which events of a selection nothing has answered yet. */
interface Unanswered {
  answers: Selection;
  /** How many of the events, and of the answers, it has looked at. */
  seen: [number, number];
  open: Open[];
  times: number[];
  /** The open ones by what has to be equal. */
  byKey: Map<unknown, Open[]>;
}

/**
 * As in unless.ts, for the browser. Some event is at least `after` old, and nothing of `unless` with equal `same` properties came
 * since it. Each event makes it true from its time + `after` until it leaves the window or is answered; a missing or structured
 * property equals nothing.
 */
export function unlessLeaf(condition: UnlessCondition, scope: Scope): Node {
  const { unless } = condition;
  const select = selectionOf(condition, scope);
  const selectAnswers = selectionOf(unless, scope);
  const after = durationMs(condition.after);
  const length = durationMs(condition.within);
  const paths = (unless.same ?? []).map((path) => path.split("."));
  const name = JSON.stringify(unless);

  /** What has to be equal, of one property as it is; undefined where it equals nothing. */
  const keyIn = ({ properties }: HistoryEvent) => {
    const values = paths.map((keys) => readPath(properties, keys));
    return values.length === 1 ? (isScalar(values[0]) ? values[0] : undefined) : keyOf(values);
  };

  const endOf = ([time, answered]: Open) => Math.min(time + length, answered);

  /** Events and answers in the order of time; of one time the answers first, for they answer only what came before. */
  const unansweredOf = (selection: Selection, answers: Selection, now: number): Unanswered => {
    let found = selection.columns.get(name) as Unanswered | undefined;
    if (found?.answers !== answers) {
      found = { answers, seen: [0, 0], open: [], times: [], byKey: new Map() };
      selection.columns.set(name, found);
    }
    const { seen, open, times, byKey } = found;
    if (seen[0] === selection.times.length && seen[1] === answers.times.length) return found;
    const closed: Open[] = [];
    for (;;) {
      const [event, answer] = seen;
      const time = selection.times[event] ?? Infinity;
      const answered = answers.times[answer] ?? Infinity;
      if (time < answered) {
        const waiting: Open = [time, Infinity];
        open.push(waiting);
        times.push(time);
        ensure(byKey, keyIn(selection.values[event]!), (): Open[] => []).push(waiting);
        seen[0]++;
      } else if (answered < Infinity) {
        const key = keyIn(answers.values[answer]!);
        if (key !== undefined) {
          for (const waiting of byKey.get(key) ?? []) {
            waiting[1] = answered;
            if (answered <= now) closed.push(waiting);
          }
          byKey.delete(key);
        }
        seen[1]++;
      } else break;
    }
    close(found, closed, now);
    return found;
  };

  return (run) => {
    const { now } = run;
    const selection = select(run);
    const answers = selectAnswers(run);
    const { open, times } = unansweredOf(selection, answers, now);
    const next = countUpTo(times, now - after);
    let closes = -Infinity;
    // Those that wait without an end are open the longer the later they happened.
    for (let i = next - 1; i >= 0 && closes < times[i]! + length; i--) closes = Math.max(closes, endOf(open[i]!));
    const isOpen = closes > now;
    // The next ones to wait long enough open it, or keep it open; beyond those that are looked at, the first may.
    const last = Math.min(open.length, next + LOOKS);
    let opens = (times[last] ?? Infinity) + after;
    for (let i = next; i < last && times[i]! + after <= (isOpen ? closes : opens); i++) {
      const end = endOf(open[i]!);
      if (times[i]! + after >= end) continue;
      if (isOpen) closes = Math.max(closes, end);
      else opens = times[i]! + after;
    }
    run.until = Math.min(selection.until, answers.until, isOpen ? closes : opens);
    return isOpen ? 1 : 0;
  };
}

/** Takes what is answered by now off the open ones: a few from their places, many in one pass. */
function close(found: Unanswered, closed: readonly Open[], now: number): void {
  const { open, times } = found;
  if (closed.length > FEW) {
    found.open = open.filter(([, answered]) => answered > now);
    found.times = found.open.map(([time]) => time);
    return;
  }
  for (const one of closed) {
    let index = countUpTo(times, one[0]) - 1;
    while (open[index] !== one) index--;
    open.splice(index, 1);
    times.splice(index, 1);
  }
}
