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
  join,
  phraseCount,
  phraseDuration,
  phraseEvent,
  phraseOperators,
  phraseValue,
  phraseWindow,
} from "./phrase.ts";
import { childrenOf, kindOf } from "./run.ts";

/** The condition as one sentence without a full stop; it begins in lower case, so that others can contain it. */
export function describe(condition: Condition): string {
  const children = childrenOf(condition);
  if (!children) return describeLeaf(condition);
  if ("not" in condition) return describeNot(children[0]!);
  const isAll = "all" in condition;
  if (children.length === 0) return isAll ? "everyone" : "no one";
  return children.map(children.length > 1 ? enclosed : describe).join(isAll ? " and " : " or ");
}

function describeNot(child: Condition): string {
  if (kindOf(child) === "segment") return describe(child).replace("is in", "is not in");
  return `not ${enclosed(child)}`;
}

/** In brackets where the parts could be taken for parts of the whole. */
function enclosed(condition: Condition): string {
  const children = childrenOf(condition);
  return children && (children.length > 1 || ("not" in condition && kindOf(children[0]!) !== "segment"))
    ? `(${describe(condition)})`
    : describe(condition);
}

const LEAVES: { readonly [kind: string]: (leaf: never) => string } = {
  trait: (leaf: { trait: string } & Operators) => `${leaf.trait} ${phraseOperators(leaf)}`,
  context: (leaf: { context: string } & Operators) => `this visit's ${leaf.context} ${phraseOperators(leaf)}`,
  segment: ({ segment }: { segment: string }) => `is in the segment "${segment}"`,
  sample: ({ sample: { seed, from, to } }: { sample: { seed: string; from: number; to: number } }) =>
    `falls between ${percent(from)} and ${percent(to)} of people in the sample "${seed}"`,
  sequence: ({ sequence, gap, within }: SequenceCondition) =>
    `did ${sequence.map(phraseEvent).join(", then ")}${gap ? `, each at most ${phraseDuration(gap)} after the one before,` : ""}${phraseWindow(within ? { within } : {})}`,
  ratio: (leaf: RatioCondition) =>
    `the number of ${phraseEvent(leaf.ratio[0])} per ${phraseEvent(leaf.ratio[1])}${phraseWindow(leaf)} ${phraseOperators(leaf, ["within", "before", "after"])}${leaf.min === undefined ? "" : `, once there are ${leaf.min} of the latter`}`,
  unless: ({ unless, after, within, ...selector }: UnlessCondition) =>
    `did ${phraseEvent(selector)} at least ${phraseDuration(after)}${within ? ` and less than ${phraseDuration(within)}` : ""} ago, and since then no ${phraseEvent(unless)}${unless.same ? ` with the same ${join(unless.same, "and")}` : ""}`,
  days: (leaf: EventCondition) => `did ${phraseEvent(leaf)} on ${phraseCount(leaf.days!, "day")}${phraseWindow(leaf)}`,
  recency: (leaf: EventCondition) =>
    `last did ${phraseEvent(leaf)} ${phraseRecency(leaf.recency!)}${phraseWindow(leaf)}`,
  sum: aggregate("sum", "the sum of"),
  avg: aggregate("avg", "the average"),
  min: aggregate("min", "the lowest"),
  max: aggregate("max", "the highest"),
  distinct: aggregate("distinct", "the number of different"),
  first: aggregate("first", "the first"),
  last: aggregate("last", "the last"),
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
      from && to ? `between ${from} and ${to}` : from ? `after ${from}` : to && `before ${to}`,
      zone === "site" || zone === "visitor" ? `in the ${zone}'s time zone` : `in ${zone}`,
    ]
      .filter(Boolean)
      .join(" "),
  date: ({ date, anniversary, within }: DateCondition) =>
    `${anniversary ? "an anniversary of " : ""}${date.trait} is within the ${within.startsWith("-") ? "last" : "coming"} ${phraseDuration(within)}`,
};

function describeLeaf(leaf: Condition): string {
  const kind = kindOf(leaf);
  return kind ? LEAVES[kind]!(leaf as never) : "something unknown";
}

function count(leaf: EventCondition): string {
  const operators = leaf.count ?? { gte: 1 };
  const events = `${phraseEvent(leaf)}`;
  const keys = Object.keys(operators);
  if (keys.length === 1 && (operators.eq === 0 || operators.lt === 1 || operators.lte === 0)) {
    return `did not do ${events}${phraseWindow(leaf)}`;
  }
  if (keys.length === 1 && (operators.gte === 1 || operators.gt === 0)) return `did ${events}${phraseWindow(leaf)}`;
  return `did ${events} ${phraseCount(operators, "time")}${phraseWindow(leaf)}`;
}

function aggregate(key: string, words: string) {
  return (leaf: EventCondition) => {
    const path = (leaf as unknown as { [key: string]: string })[key];
    return `${words} ${path} over ${phraseEvent(leaf)}${phraseWindow(leaf)} ${phraseOperators(leaf as Operators, ["within", "before", "after"])}`;
  };
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

const percent = (share: number) => `${phraseValue(Math.round(share * 10_000) / 100)} %`;
