/** One new event of somebody whose answers are kept: the rules that it can touch are decided again. */
import { isDeepStrictEqual } from "node:util";
import { createEvaluator, type Evaluation } from "../../../shared/engine/evaluation.ts";
import { ensure } from "../../../shared/engine/run.ts";
import { createRandom } from "../../unit/shared/random.ts";
import { type Contestants, NOW } from "./race.ts";
import { buildEvent, buildPeople, type Person, toRules, type WindowRule } from "./windows.ts";

const MINUTE_MS = 60_000;
const random = createRandom(4);
const next = Array.from({ length: 1_000 }, () => buildEvent(random, NOW));

/** They answer with the number of rules that were decided. */
export const UPDATE_CONTESTANTS = {
  "attune, rules that the event touches": (rules) => {
    const evaluator = createEvaluator(toRules(rules), { timeZone: "UTC" });
    check(evaluator);
    const evaluations = new Map<Person, Evaluation>();
    let turn = 0;
    return (person, now) => {
      const evaluation = ensure(evaluations, person, () => evaluator.start(person, now - 1));
      const event = { ...next[turn++ % next.length]!, timestamp: now };
      return evaluation.add([event], now).length;
    };
  },
} satisfies Contestants<WindowRule, Person>;

/** @throws Error where an answer that was kept is another than one that is made anew. */
function check(evaluator: ReturnType<typeof createEvaluator>): void {
  const [person] = buildPeople(1, 100) as [Person];
  const events = [...person.events];
  const evaluation = evaluator.start(person, NOW);
  for (let minutes = 1; minutes <= 100; minutes++) {
    const now = NOW + minutes * MINUTE_MS;
    const event = buildEvent(random, now);
    events.push(event);
    evaluation.add([event], now);
    if (!isDeepStrictEqual(evaluation.answers, evaluator.evaluate({ ...person, events }, now)))
      throw new Error(`Other answers at event ${minutes}`);
  }
}
