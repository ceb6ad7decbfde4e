/**
 * Answers that are kept up to date: of the next event only the rules are decided again that it can touch, or that time has
 * overtaken. Edge only: a browser's few rules are decided anew as quickly.
 */
import type { Condition } from "../condition.ts";
import type { HistoryEvent } from "../event.ts";
import { mergeEvents } from "../history.ts";
import { answerOf } from "./answer.ts";
import { link } from "./compile.ts";
import { eventsOf } from "./events-of.ts";
import { answerAll } from "./flat.ts";
import { fullLanguage } from "./language-edge.ts";
import { childrenOf, ensure } from "./run.ts";
import { addEvents, canCount, indexEvents } from "./selection.ts";
import type { Answer, CompileOptions, Program, Rule, Subject } from "./types.ts";

/** Rules of which one evaluation can go on from another. */
export interface Evaluator extends Program {
  /** Decides of somebody as of `now`. */
  start(subject: Subject, now: number): Evaluation;
}

/** What the rules say of one person, as of the last instant that it was asked for. */
export interface Evaluation {
  /** One per rule, in the order of the program's keys. */
  readonly answers: readonly Answer[];
  /**
   * Takes in events that happened besides, ascending as `readHistory` gives them, and decides as of `now`. Late events, and a
   * `now` before the last, are as right, but all rules are decided again. What has no name or no time is left out.
   *
   * @returns indices of the rules that were decided again
   */
  add(events: readonly HistoryEvent[], now: number): readonly number[];
}

/** Compiles rules with the whole language. */
export function createEvaluator(rules: readonly Rule[], options: CompileOptions): Evaluator {
  const { nodes, start, scope } = link(rules, options, fullLanguage);
  const answer = answerAll(nodes, scope);
  const touchedBy = findTouched(rules);
  const everything = nodes.map((_, index) => index);

  return {
    keys: rules.map(({ key }) => key),
    evaluate: (subject, now) => answer(start(subject, now)),
    start(subject, now) {
      let events = countable(subject.events);
      const begin = (now: number) => {
        const run = start({ ...subject, events }, now);
        // Also what no rule has looked at yet: others may come to it later.
        indexEvents(run.lasting, events, scope);
        return run;
      };
      let run = begin(now);
      const answers = answer(run);
      const untils = Float64Array.from(answers, ({ until }) => until ?? Infinity);
      /** No answer expires before. */
      let soonest = untils.reduce((least, until) => Math.min(least, until), Infinity);
      const decide = (index: number) => {
        const found = answerOf(nodes[index]!, run);
        const until = found.until ?? Infinity;
        answers[index] = found;
        untils[index] = until;
        if (until < soonest) soonest = until;
      };
      /** Rules whose answers have expired. */
      const expired = (now: number) => {
        if (now < soonest) return [];
        const found = everything.filter((index) => untils[index]! <= now);
        soonest = untils.reduce((least, until) => (until > now && until < least ? until : least), Infinity);
        return found;
      };

      return {
        answers,
        add(more, now) {
          const added = countable(more);
          const last = events.at(-1)?.timestamp ?? -Infinity;
          const isNewer = added.every(({ timestamp }) => timestamp > last);
          if (!(now >= run.now && isNewer)) {
            events = [...mergeEvents(events, added)];
            run = begin(now);
            for (const index of everything) decide(index);
            return everything;
          }
          addEvents(run.lasting, added, scope);
          // What is kept is of its instant.
          if (now === run.now) run.kept = [];
          run.now = now;
          for (const event of added) events.push(event);
          const overtaken = expired(now);
          const touched =
            added.length === 1 && !overtaken.length
              ? touchedBy(added[0]!)
              : [...new Set([...added.flatMap(touchedBy), ...overtaken])];
          for (const index of touched) decide(index);
          return touched;
        },
      };
    },
  };
}

const NONE: Set<number> = new Set();

/** Without what no rule can count, which could stand anywhere among the others. */
const countable = (events: readonly HistoryEvent[]) => (Array.isArray(events) ? events.filter(canCount) : []);

/** Finds the rules that look at an event, themselves or through the segments that they refer to. */
function findTouched(rules: readonly Rule[]): (event: HistoryEvent) => readonly number[] {
  /** By type and name, null for any name. */
  const looking = new Map<string, Map<string | null, Set<number>>>();
  const referring = new Map<string, number[]>();
  rules.forEach(({ condition }, index) => {
    for (const { type, event } of eventsOf(condition)) {
      const names = ensure(looking, type, () => new Map<string | null, Set<number>>());
      ensure(names, event, () => new Set<number>()).add(index);
    }
    for (const key of segmentsOf(condition)) ensure(referring, key, (): number[] => []).push(index);
  });
  const found = new Map<Set<number>, readonly number[]>();

  return ({ type, event }) => {
    const names = looking.get(type);
    const any = names?.get(null) ?? NONE;
    // Names that no rule knows are as one: nobody can fill it with names.
    const named = names?.get(event) ?? any;
    return ensure(found, named, () => {
      const touched = new Set([...named, ...any]);
      // A set goes on over what is added to it meanwhile.
      for (const index of touched) for (const other of referring.get(rules[index]!.key) ?? []) touched.add(other);
      return [...touched];
    });
  };
}

/** Keys of the segments that a condition refers to, in order of appearance. */
function segmentsOf(condition: Condition): string[] {
  const { segment } = condition as { segment?: string };
  return childrenOf(condition)?.flatMap(segmentsOf) ?? (segment === undefined ? [] : [segment]);
}
