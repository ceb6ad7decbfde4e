/**
 * What a leaf found, for `explain`: read from the subject anew and in the plainest way, since nobody waits for it and the engine's
 * own way of looking is not to be slowed down by being asked. The verdict is always the engine's.
 */
import type { Condition, DateCondition, EventCondition, Operators, TimeCondition, Window } from "../condition.ts";
import { bucket } from "../hash.ts";
import { findMeasured, MEASURED, requiredOf, UNITS } from "./found-measures.ts";
import { findRatio, findSequence, findUnless } from "./found-patterns.ts";
import { isoOf, type Look, matcherOf, partsOf, windowBounds } from "./look.ts";
import { type Finding, missingOf, phraseFact, phraseOwn, resolve } from "./missing.ts";
import { phraseFound, plural } from "./phrase.ts";
import { kindOf } from "./run.ts";
import type { Answer, GivenAnswer, Truth } from "./types.ts";
import { readPath } from "./value.ts";
import { offsetOf } from "./zone.ts";

/** What a leaf that is true or false looked at. `next` is its answer at its `until`. */
export function findIn(leaf: Condition, look: Look, answer: Answer & { next: Truth | undefined }): Finding {
  const kind = kindOf(leaf) ?? "";
  const find = (Object.hasOwn(FINDERS, kind) ? FINDERS[kind] : findMeasured) as Finder;
  const finding = find(leaf as never, look, answer);
  const { until, next, value } = answer;
  const waits = WAITING.includes(kind) && value === false && next === true;
  const completeAfter = couldDiffer(leaf, kind, value, look, finding.actual);
  return {
    ...finding,
    ...(waits && finding.missing === undefined && { missing: until! - look.now }),
    ...(completeAfter !== undefined && { completeAfter }),
  };
}

type Finder = (leaf: never, look: Look, answer: Answer) => Finding;

/** Kinds that time alone makes true, so that waiting is what is missing. */
const WAITING = ["time", "date", "recency", "unless"];

const FINDERS: { readonly [kind: string]: Finder } = {
  trait: (leaf: { trait: string } & Operators, look: Look) => {
    const { trait, ...operators } = leaf;
    return findFact(readPath(look.subject.traits, trait.split(".")), operators, look);
  },
  context: (leaf: { context: string } & Operators, look: Look) => {
    const { context, ...operators } = leaf;
    return findFact(readPath(look.subject.context, context.split(".")), operators, look);
  },
  segment: ({ segment }: { segment: string }, { subject, clock }: Look): Finding => {
    const given = readPath(subject.segments, [segment]) as GivenAnswer | undefined;
    return typeof given?.since === "number" ? { actual: isoOf(given.since), found: `since ${clock(given.since)}` } : {};
  },
  sample: ({ sample }: { sample: { seed: string; from: number; to: number } }, { subject }: Look): Finding => {
    const actual = bucket(sample.seed, subject.id!);
    const { from, to } = sample;
    return { actual, required: { from, to }, found: `falls at ${phraseFound(actual * 100)} %` };
  },
  time: findTime,
  date: ({ date }: DateCondition, { subject }: Look): Finding => {
    const actual = readPath(subject.traits, date.trait.split("."));
    return { ...(actual !== undefined && { actual }), found: phraseFact(actual) };
  },
  sequence: findSequence,
  ratio: findRatio,
  unless: findUnless,
};

function findFact(actual: unknown, operators: Operators, look: Look): Finding {
  const required = operators;
  const missing = missingOf(actual, resolve(operators, look));
  const parts = [
    phraseFact(actual),
    missing === undefined
      ? ""
      : missing > 0
        ? `${phraseFound(missing)} more needed`
        : `${phraseFound(-missing)} too much`,
    phraseElements(actual, operators, look),
    ...phraseOwn(operators, look),
  ];
  return {
    ...(actual !== undefined && { actual }),
    required,
    ...(missing !== undefined && { missing }),
    found: parts.filter(Boolean).join(", "),
  };
}

/** How many elements of a list do what `any` or `all` asks. */
function phraseElements(actual: unknown, { any, all }: Operators, look: Look): string {
  const asked = any ?? all;
  if (!asked) return "";
  if (!Array.isArray(actual)) return "which is no list";
  const fits = actual.filter(matcherOf({ element: asked }, look, (element) => ({ element }))).length;
  return `${fits} of ${plural(actual.length, "element")} ${fits === 1 ? "does" : "do"}`;
}

/** On the clock of which zone it is what time. */
function findTime({ time }: TimeCondition, { subject, now, options }: Look): Finding {
  const { zone = "site", ...required } = time;
  const name = zone === "site" ? options.timeZone : zone === "visitor" ? subject.context?.["timezone"] : zone;
  const offset = offsetOf(String(name)) ?? (() => 0);
  const [weekday, , , , clock] = partsOf(now + offset(now));
  return {
    actual: { weekday: weekday.toLowerCase(), time: clock.slice(0, 5), zone: name },
    required,
    found: `it is ${weekday} ${clock.slice(0, 5)}`,
  };
}

/** Operators that only more of it makes true: with them no older event takes a truth away, and with the others none a falsehood. */
const GROWING = ["gte", "gt"];

const SHRINKING = ["lte", "lt"];

/** The instant that the history is complete after, where older events that the leaf looks at could change its answer. */
function couldDiffer(
  leaf: Condition,
  kind: string,
  value: Truth,
  { subject, now }: Look,
  actual: unknown,
): number | undefined {
  const { completeAfter } = subject;
  if (typeof completeAfter !== "number") return undefined;
  if (!Object.hasOwn(MEASURED, kind) && !["sequence", "ratio", "unless"].includes(kind)) return undefined;
  const { length, first } = windowBounds(leaf as Window & Condition);
  const begins = kind === "unless" || kind === "sequence" ? now - length : Math.max(now - length, first);
  if (begins >= completeAfter) return undefined;
  if (kind === "sequence" || kind === "unless") return value === true ? undefined : completeAfter;
  if (kind === "recency" || kind === "last") return actual === undefined ? completeAfter : undefined;
  if (Object.hasOwn(UNITS, kind)) {
    const stays = value === true ? GROWING : SHRINKING;
    if (Object.keys(requiredOf(leaf as EventCondition, kind)).every((key) => stays.includes(key))) return undefined;
  }
  return completeAfter;
}
