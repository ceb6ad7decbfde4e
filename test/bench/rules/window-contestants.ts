/** Who is measured with rules over windows of events: no other engine has them. */
import { link } from "../../../shared/engine/compile.ts";
import { createEvaluator, type Evaluation } from "../../../shared/engine/evaluation.ts";
import { answerAll } from "../../../shared/engine/flat.ts";
import { fullLanguage } from "../../../shared/engine/language-edge.ts";
import { ensure, type Run } from "../../../shared/engine/run.ts";
import type { Answer as EngineAnswer } from "../../../shared/engine/types.ts";
import type { HistoryEvent } from "../../../shared/event.ts";
import { type Contestants, sumOfTrue } from "./race.ts";
import { ANSWER, DAY_MS, type Person, toRules, UNLESS_AFTER_DAYS, type WindowRule } from "./windows.ts";

const isTrueOf = {
  /** As one writes it who does not think of time: `filter` over the whole array for each rule. */
  naive(rule: WindowRule, events: readonly HistoryEvent[], now: number): boolean {
    const since = now - rule.days * DAY_MS;
    const found = events.filter(
      ({ event, timestamp }) => event === rule.event && timestamp > since && timestamp <= now,
    );
    switch (rule.kind) {
      case "count":
        return found.length >= rule.atLeast;
      case "where":
        return found.filter(({ properties }) => properties["category"] === rule.category).length >= rule.atLeast;
      case "sum":
        return found.reduce((sum, { properties }) => sum + (properties["value"] as number), 0) >= rule.atLeast;
      case "unless": {
        const answers = events.filter(({ event, timestamp }) => event === ANSWER && timestamp <= now);
        return found.some(
          (view) =>
            view.timestamp <= now - UNLESS_AFTER_DAYS * DAY_MS &&
            !answers.some(
              (answer) =>
                answer.timestamp > view.timestamp && answer.properties["product_id"] === view.properties["product_id"],
            ),
        );
      }
    }
  },

  /** From the newest event back, until the answer is known. */
  loop(rule: WindowRule, events: readonly HistoryEvent[], now: number): boolean {
    const since = now - rule.days * DAY_MS;
    const answered = new Map<unknown, number>();
    let measured = 0;
    for (let index = events.length - 1; index >= 0; index--) {
      const { event, timestamp, properties } = events[index]!;
      if (timestamp <= since) return false;
      if (timestamp > now) continue;
      if (rule.kind === "unless") {
        const product = properties["product_id"];
        if (event === ANSWER) answered.set(product, answered.get(product) ?? timestamp);
        if (event !== rule.event || timestamp > now - UNLESS_AFTER_DAYS * DAY_MS) continue;
        if (!(answered.get(product)! > timestamp)) return true;
        continue;
      }
      if (event !== rule.event) continue;
      if (rule.kind === "where" && properties["category"] !== rule.category) continue;
      measured += rule.kind === "sum" ? (properties["value"] as number) : 1;
      if (measured >= rule.atLeast) return true;
    }
    return false;
  },
};

const byHand =
  (isTrue: (rule: WindowRule, events: readonly HistoryEvent[], now: number) => boolean) =>
  (rules: WindowRule[]) =>
  ({ events }: Person, now: number) =>
    sumOfTrue(rules, (rule) => isTrue(rule, events, now));

const OPTIONS = { timeZone: "UTC" };
const isTrue = ({ value }: EngineAnswer) => value === true;

export const WINDOW_CONTESTANTS = {
  "attune, index made in the call": (rules) => {
    const program = createEvaluator(toRules(rules), OPTIONS);
    return (person, now) => sumOfTrue(program.evaluate(person, now), isTrue);
  },
  "attune, index kept, all rules again": (rules) => {
    const { nodes, start, scope } = link(toRules(rules), OPTIONS, fullLanguage);
    const answer = answerAll(nodes, scope);
    const runs = new Map<Person, Run>();
    return (person, now) => {
      const run = ensure(runs, person, () => start(person, now)) as Run;
      run.now = now;
      run.kept = [];
      return sumOfTrue(answer(run), isTrue);
    };
  },
  "attune, index kept, rules that time overtook": (rules) => {
    const evaluator = createEvaluator(toRules(rules), OPTIONS);
    const evaluations = new Map<Person, Evaluation>();
    return (person, now) => {
      const evaluation = ensure(evaluations, person, () => evaluator.start(person, now));
      evaluation.add([], now);
      return sumOfTrue(evaluation.answers, isTrue);
    };
  },
  "by hand, filter over the array": byHand(isTrueOf.naive),
  "by hand, loop with early exit": byHand(isTrueOf.loop),
} satisfies Contestants<WindowRule, Person>;
