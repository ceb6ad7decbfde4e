/** Since when somebody has been in a segment: the engine walks through what this device remembers. */
import { compile } from "../../shared/engine/compile.ts";
import { browserLanguage } from "../../shared/engine/language.ts";
import type { CompileOptions, Rule, Subject } from "../../shared/engine/types.ts";

/** Rules over the clock change twice a day, for ever. */
const STEPS = 2_000;

/**
 * For each rule that is true at `now` the instant since which it has been, by the events that are kept and the traits of now, undefined for the others.
 * -Infinity: since before the first of those events, or it takes too long to find out.
 */
export function sinceAll(
  rules: readonly Rule[],
  subject: Subject,
  now: number,
  options: CompileOptions,
): (number | undefined)[] {
  const { evaluate } = compile(rules, options, browserLanguage);
  let since: (number | undefined)[] = [];
  let at = Math.min(subject.events[0]?.timestamp ?? now, now) - 1;
  let start = -Infinity;
  for (let step = 0; ; step++) {
    const answers = evaluate(subject, at);
    since = answers.map(({ value }, i) => (value === true ? (since[i] ?? start) : undefined));
    if (at >= now) return since;
    if (step < STEPS) start = at = Math.min(now, ...answers.map(({ until }) => until ?? now));
    else [at, start, since] = [now, -Infinity, []];
  }
}
