/** What the engine last said of a person, to go on from when the next event comes: see shared/engine/evaluation.ts. */
import type { Evaluation, Evaluator } from "../../shared/engine/evaluation.ts";
import type { Answer, Subject } from "../../shared/engine/types.ts";
import type { HistoryEvent } from "../../shared/event.ts";

export interface Standing {
  program: Evaluator;
  /** All of the subject but the events: with anything else the answers are to be found anew. */
  facts: string;
  events: readonly HistoryEvent[];
  evaluation: Evaluation;
}

/** Decides as of `now`, going on from `standing` where nothing but events was added to what it looked at. */
export function decideFrom(
  standing: Standing | undefined,
  program: Evaluator,
  subject: Subject,
  now: number,
): Standing {
  const { events, ...rest } = subject;
  const facts = JSON.stringify(rest);
  if (standing?.program === program && standing.facts === facts && continues(standing.events, events)) {
    standing.evaluation.add(events.slice(standing.events.length), now);
    standing.events = events;
    return standing;
  }
  return { program, facts, events, evaluation: program.start(subject, now) };
}

/** One answer per rule of the program. */
export function answersOf({ evaluation }: Standing): readonly Answer[] {
  return evaluation.answers;
}

/** True if the events begin with those of before. A late or a dropped one moves at least one end. */
function continues(before: readonly HistoryEvent[], events: readonly HistoryEvent[]): boolean {
  const last = before.length - 1;
  return last < 0 || (before[0] === events[0] && before[last] === events[last]);
}
