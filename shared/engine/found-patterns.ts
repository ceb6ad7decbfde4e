/** How far somebody is along a pattern of several kinds of event. */
import type { EventSelector, RatioCondition, SequenceCondition, UnlessCondition } from "../condition.ts";
import type { HistoryEvent } from "../event.ts";
import { happened, inWindow, isoOf, type Look, timeOf } from "./look.ts";
import type { Finding } from "./missing.ts";
import { denoise, phraseEvent, phraseFound, phraseMs, plural } from "./phrase.ts";
import type { Answer } from "./types.ts";
import { durationMs, keyOf, readPath } from "./value.ts";

/** How far along the sequence somebody is, of all ways the one that stays open longest, and what comes next. */
export function findSequence({ sequence, gap, within }: SequenceCondition, look: Look, { value }: Answer): Finding {
  const longest = durationMs(gap);
  const length = durationMs(within);
  const names = sequence.map(phraseEvent);
  /** Chains through the steps so far, ascending: one that ends later never has to begin earlier. */
  let chains: { begin: number; end: number }[] = [];
  let reached = 0;
  /** Of the last step that was reached: those that are open still, or complete. */
  let open: typeof chains = [];
  for (const [step, selector] of sequence.entries()) {
    const times = inWindow(happened(selector, look), within ? { within } : {}, look.now).map(timeOf);
    const shorter = chains;
    let before = 0;
    chains = times.flatMap((time) => {
      if (step === 0) return [{ begin: time, end: time }];
      while (before < shorter.length && shorter[before]!.end < time) before++;
      const last = shorter[before - 1];
      return last && time - last.end <= longest ? [{ begin: last.begin, end: time }] : [];
    });
    const isLast = step === sequence.length - 1;
    const lasting = chains.filter((chain) => isLast || closes(chain) > look.now);
    if (lasting.length) [reached, open] = [step + 1, lasting];
  }
  const finding = { actual: reached, required: sequence.length };
  const latest = open.at(-1)?.end ?? -Infinity;
  if (value === true || reached === sequence.length)
    return { ...finding, found: `all ${sequence.length} steps, the last ${phraseMs(look.now - latest)} ago` };
  const missing = sequence.length - reached;
  const next = names[reached]!;
  if (reached === 0) return { ...finding, missing, found: `not begun, first comes ${next}` };
  const deadline = closes(open.at(-1)!);
  const before = deadline < Infinity ? ` before ${look.clock(deadline)}` : "";
  const at = `${plural(reached, "step")} of ${sequence.length}, ${names[reached - 1]} ${phraseMs(look.now - latest)} ago`;
  return { ...finding, missing, found: `${at}, next comes ${next}${before}` };

  /** From when on nothing can continue the chain. */
  function closes({ begin, end }: { begin: number; end: number }): number {
    return Math.min(end + longest + 1, begin + length);
  }
}

export function findRatio(leaf: RatioCondition, look: Look): Finding {
  const { ratio, min = 1, within, between, after, before, ...required } = leaf;
  const [some, all] = ratio.map((selector) => inWindow(happened(selector, look), leaf, look.now).length) as [
    number,
    number,
  ];
  const least = Math.max(1, min);
  const counts = `${some} ${phraseKind(ratio[0])} and ${all} ${phraseKind(ratio[1])}`;
  const finding = { required: { min: least, ...required } };
  if (all < least)
    return {
      ...finding,
      actual: { counts: [some, all] },
      missing: least - all,
      found: `${counts}, ${least - all} more of the latter needed`,
    };
  const value = denoise(some / all);
  return { ...finding, actual: { counts: [some, all], value }, found: `${counts}: ${phraseFound(value)}` };
}

/** The event that matters: the open one that stays so longest, else the one that will be open first, else the last that was answered. */
export function findUnless(leaf: UnlessCondition, look: Look, { value }: Answer): Finding {
  const { unless, after, within } = leaf;
  const name = phraseEvent(leaf);
  const answers = inWindow(happened(unless, look), {}, look.now);
  /** The earliest answer after the event that is looked at, by what has to be equal. */
  const answered = new Map<string | undefined, number>();
  const keyIn = ({ properties }: HistoryEvent) =>
    keyOf((unless.same ?? []).map((path) => readPath(properties, path.split("."))));
  const seen = inWindow(happened(leaf, look), within ? { within } : {}, look.now)
    .toReversed()
    .map((event) => {
      for (let last = answers.at(-1); last && timeOf(last) > timeOf(event); last = answers.at(-1)) {
        answered.set(keyIn(last), timeOf(last));
        answers.pop();
      }
      const key = keyIn(event);
      return { at: timeOf(event), answeredAt: key === undefined ? undefined : answered.get(key) };
    })
    .toReversed();
  const required = { after, ...(within && { within }) };
  const open = seen.filter(({ answeredAt }) => answeredAt === undefined);
  const due = open.filter(({ at }) => look.now - at >= durationMs(after)).at(-1);
  const waiting = open.find(({ at }) => look.now - at < durationMs(after));
  const event = due ?? waiting ?? seen.at(-1);
  if (!event) return { required, found: `no ${phraseKind(leaf)} in that time` };
  const ago = `${name} ${phraseMs(look.now - event.at)} ago`;
  const actual = {
    at: isoOf(event.at),
    ...(event.answeredAt !== undefined && { answeredAt: isoOf(event.answeredAt) }),
  };
  if (event.answeredAt !== undefined)
    return { actual, required, found: `${ago} was answered ${phraseMs(look.now - event.answeredAt)} ago` };
  if (value === true || due) return { actual, required, found: `${ago} is not answered` };
  const rest = durationMs(after) - (look.now - event.at);
  return { actual, required, missing: rest, found: `${ago} is not answered, ${phraseMs(rest)} to go` };
}

/** Without its article, for after a number. */
const phraseKind = (selector: EventSelector) => phraseEvent(selector).replace(/^(the|any) /, "");
