/** A condition in plain English, for whoever defines and reads segments. */
import type {
  Condition,
  DateCondition,
  EventCondition,
  Operators,
  RatioCondition,
  SequenceCondition,
  TimeCondition,
  UnlessCondition,
} from "../condition.ts";
import {
  isCompound,
  join,
  phraseCount,
  phraseDuration,
  phraseEvent,
  phraseOperators,
  phrasePath,
  phraseValue,
  phraseWindow,
} from "./phrase.ts";
import { childrenOf, kindOf } from "./run.ts";
import { durationMs } from "./value.ts";

/**
 * The condition as one sentence without a full stop; it begins in lower case, so that others can contain it. Conditions that differ
 * in meaning differ in words.
 */
export function describe(condition: Condition): string {
  const children = childrenOf(condition);
  if (!children) return describeLeaf(condition);
  if ("not" in condition) return describeNot(children[0]!);
  const isAll = "all" in condition;
  if (children.length === 0) return isAll ? "everyone" : "no one";
  return children.map(children.length > 1 ? enclosed : describe).join(isAll ? " and " : " or ");
}

function describeNot(child: Condition): string {
  return kindOf(child) === "segment" ? describe(child).replace("is in", "is not in") : `not (${describe(child)})`;
}

/** In brackets where the parts could be taken for parts of the whole. */
function enclosed(condition: Condition): string {
  const text = describe(condition);
  return isCompound(text) && !("not" in condition) ? `(${text})` : text;
}

const LEAVES: { readonly [kind: string]: (leaf: never) => string } = {
  trait: (leaf: { trait: string } & Operators) => `${phrasePath(leaf.trait)} ${phraseOperators(leaf)}`,
  context: (leaf: { context: string } & Operators) =>
    `this visit's ${phrasePath(leaf.context)} ${phraseOperators(leaf)}`,
  segment: ({ segment }: { segment: string }) => `is in the segment ${phraseValue(segment)}`,
  sample: ({ sample: { seed, from, to } }: { sample: { seed: string; from: number; to: number } }) =>
    `falls between ${percent(from)} and ${percent(to)} of people in the sample ${phraseValue(seed)}`,
  sequence: ({ sequence, gap, within }: SequenceCondition) =>
    `did ${sequence.map(phraseEvent).join(", then ")}${gap ? ` (each at most ${phraseDuration(gap)} after the one before)` : ""}${phraseWindow(within ? { within } : {})}`,
  ratio: (leaf: RatioCondition) =>
    `the number of ${phraseEvent(leaf.ratio[0])} per ${phraseEvent(leaf.ratio[1])}${phraseWindow(leaf)} ${phraseOperators(leaf, ["within", "before", "after"])}${(leaf.min ?? 0) < 2 ? "" : ` and there are at least ${leaf.min} of the latter`}`,
  unless: ({ unless, after, within, ...selector }: UnlessCondition) =>
    `did ${phraseEvent(selector)}${phraseAge(after, within)}, and since then no ${phraseEvent(unless).replace(/^(the|any) /, "")}${unless.same ? ` with the same ${join(unless.same.map(phrasePath), "and")}` : ""}`,
  days: (leaf: EventCondition) => `did ${phraseEvent(leaf)} on ${phraseCount(leaf.days!, "day")}${phraseWindow(leaf)}`,
  recency: (leaf: EventCondition) => {
    const window = phraseWindow(leaf);
    const ago = phraseRecency(leaf.recency!);
    return window ? `did ${phraseEvent(leaf)}${window}, the last time ${ago}` : `last did ${phraseEvent(leaf)} ${ago}`;
  },
  sum: aggregate("sum", "the sum of"),
  avg: aggregate("avg", "the average"),
  min: aggregate("min", "the lowest"),
  max: aggregate("max", "the highest"),
  distinct: aggregate("distinct", "the number of different"),
  first: aggregate("first", "the first", "of"),
  last: aggregate("last", "the last", "of"),
  event: count,
  type: count,
  time: ({ time: { weekday, from, to, zone = "site" } }: TimeCondition) =>
    [
      "it is",
      weekday &&
        join(
          weekday.map((day) => day[0]!.toUpperCase() + day.slice(1)),
          "or",
        ),
      phraseHours(from, to),
      zone === "site" || zone === "visitor" ? `in the ${zone}'s time zone` : `in ${zone}`,
    ]
      .filter(Boolean)
      .join(" "),
  date: ({ date, anniversary, within }: DateCondition) =>
    `${anniversary ? "an anniversary of " : ""}${phrasePath(date.trait)} is within the ${within.startsWith("-") ? "last" : "coming"} ${phraseDuration(within)}`,
};

function describeLeaf(leaf: Condition): string {
  const kind = kindOf(leaf);
  return kind ? LEAVES[kind]!(leaf as never) : "something unknown";
}

function count(leaf: EventCondition): string {
  const operators = leaf.count ?? { gte: 1 };
  const events = `${phraseEvent(leaf)}${phraseWindow(leaf)}`;
  if (Object.keys(operators).length === 1) {
    if (operators.eq === 0 || operators.lt === 1 || operators.lte === 0) return `did not do ${events}`;
    if (operators.gte === 1 || operators.gt === 0) return `did ${events}`;
  }
  return `did ${phraseEvent(leaf)} ${phraseCount(operators, "time")}${phraseWindow(leaf)}`;
}

function aggregate(key: string, words: string, over = "over") {
  return (leaf: EventCondition) => {
    const path = (leaf as unknown as { [key: string]: string })[key]!;
    return `${words} ${phrasePath(path)} ${over} ${phraseEvent(leaf)}${phraseWindow(leaf)} ${phraseOperators(leaf as Operators, ["within", "before", "after", "where"])}`;
  };
}

function phraseAge(after: string, within: string | undefined): string {
  const parts = [
    ...(durationMs(after) ? [`at least ${phraseDuration(after)}`] : []),
    ...(within ? [`less than ${phraseDuration(within)}`] : []),
  ];
  return parts.length ? ` ${parts.join(" and ")} ago` : "";
}

const RECENCY: { readonly [operator: string]: string } = {
  gt: "more than",
  gte: "at least",
  lt: "less than",
  lte: "at most",
};

function phraseRecency(recency: NonNullable<EventCondition["recency"]>): string {
  const parts = Object.entries(recency).map(([key, length]) => `${RECENCY[key] ?? key} ${phraseDuration(length)}`);
  return `${parts.join(" and ")} ago`;
}

function phraseHours(from: string | undefined, to: string | undefined): string | undefined {
  if (!from) return to && `before ${to}`;
  if (!to) return `from ${from} on`;
  return from === to ? "at any time" : `between ${from} and ${to}${to < from ? " of the next day" : ""}`;
}

const percent = (share: number) => `${Number((share * 100).toPrecision(15))} %`;
