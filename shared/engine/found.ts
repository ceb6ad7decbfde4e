/**
 * What a leaf found, for `explain`: read from the subject anew and in the plainest way, since nobody waits for it and the engine's
 * own way of looking is not to be slowed down by being asked. The verdict is always the engine's.
 */
import type {
  Condition,
  DateCondition,
  EventCondition,
  EventSelector,
  Operators,
  RatioCondition,
  SequenceCondition,
  TimeCondition,
  UnlessCondition,
  Window,
} from "../condition.ts";
import type { HistoryEvent, JsonObject } from "../event.ts";
import { bucket } from "../hash.ts";
import { compile } from "./compile.ts";
import { instantOf } from "./dates.ts";
import { denoise, phraseEvent, phraseFound, phraseMs, phrasePath, phraseWindow, plural } from "./phrase.ts";
import { kindOf, type Language } from "./run.ts";
import type { Answer, GivenAnswer, Subject, Truth, Why } from "./types.ts";
import { durationMs, isScalar, readPath } from "./value.ts";
import { offsetOf } from "./zone.ts";

const DAY_MS = 86_400_000;

/** Whom and when a trace is about. */
export interface Look {
  subject: Subject;
  now: number;
  /** The rules' runtime and zone. */
  options: { language: Language; timeZone: string };
  /** `Fri 27 Nov 2026 14:00` on the site's wall clock. */
  clock: (instant: number) => string;
}

/** In words and in data. */
export type Finding = Pick<Why, "actual" | "required" | "missing" | "completeAfter"> & { found?: string };

export function buildLook(subject: Subject, now: number, options: Look["options"]): Look {
  return { subject, now: now || 0, options, clock: clockIn(options.timeZone, now || 0) };
}

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

const phraseFact = (actual: unknown) => (actual === undefined ? "not known" : `it is ${phraseFound(actual)}`);

/** How many elements of a list do what `any` or `all` asks. */
function phraseElements(actual: unknown, { any, all }: Operators, look: Look): string {
  const asked = any ?? all;
  if (!asked) return "";
  if (!Array.isArray(actual)) return "which is no list";
  const fits = actual.filter(matcherOf({ element: asked }, look, (element) => ({ element }))).length;
  return `${fits} of ${plural(actual.length, "element")} ${fits === 1 ? "does" : "do"}`;
}

/** The person's own values that something is compared with. */
function phraseOwn(operators: object, { subject }: Look): string[] {
  const paths = new Set(
    Object.values(operators)
      .flat()
      .flatMap((operand) => readPath(operand, ["trait"]) ?? []),
  );
  return ([...paths] as string[]).map(
    (path) => `${phrasePath(path)} ${phraseFact(readPath(subject.traits, path.split("."))).replace("it is", "is")}`,
  );
}

/** Operands that are traits, as the values that these have. */
function resolve(operators: Operators, { subject }: Look): Operators {
  const read = (operand: unknown) => {
    const path = readPath(operand, ["trait"]);
    return typeof path === "string" ? readPath(subject.traits, path.split(".")) : operand;
  };
  return Object.fromEntries(
    Object.entries(operators).map(([key, operand]) => [
      key,
      Array.isArray(operand) ? operand.map(read) : read(operand),
    ]),
  );
}

/** How much more a number has to be, negative where it is too much; undefined where neither would help, or nothing is missing. */
function missingOf(actual: unknown, operators: Operators, isWhole = false): number | undefined {
  if (typeof actual !== "number") return undefined;
  const { eq, gt, gte, lt, lte } = operators as { [key: string]: unknown };
  // The next whole number is what is needed of what is counted.
  const above = numbers(gt).map((bound) => (isWhole ? Math.floor(bound) + 1 : bound));
  const below = numbers(lt).map((bound) => (isWhole ? Math.ceil(bound) - 1 : bound));
  const least = Math.max(...numbers(gte, eq).map((bound) => (isWhole ? Math.ceil(bound) : bound)), ...above);
  const most = Math.min(...numbers(lte, eq).map((bound) => (isWhole ? Math.floor(bound) : bound)), ...below);
  const short = least > actual ? least - actual : most < actual ? most - actual : 0;
  return short ? denoise(short) : undefined;
}

const numbers = (...values: unknown[]) => values.filter((value): value is number => typeof value === "number");

/** Leaves that measure events: what they make of those that count, oldest first. */
const MEASURED: { readonly [kind: string]: (times: number[], values: unknown[], look: Look) => unknown } = {
  event: (times) => times.length,
  type: (times) => times.length,
  days: (times, _, { options }) => {
    const offset = offsetOf(options.timeZone) ?? (() => 0);
    return new Set(times.map((time) => Math.floor((time + offset(time)) / DAY_MS))).size;
  },
  recency: (times, _, { now }) => (times.length ? now - times.at(-1)! : undefined),
  sum: (_, values) => denoise(numbersIn(values).reduce((sum, number) => sum + number, 0)),
  avg: (_, values) => {
    const all = numbersIn(values);
    return all.length ? denoise(all.reduce((sum, number) => sum + number, 0) / all.length) : undefined;
  },
  min: (_, values) => numbersIn(values).sort((a, b) => a - b)[0],
  max: (_, values) => numbersIn(values).sort((a, b) => b - a)[0],
  distinct: (_, values) => new Set(values.filter(isScalar)).size,
  first: (_, values) => values.find((value) => value !== undefined),
  last: (_, values) => values.findLast((value) => value !== undefined),
};

const numbersIn = (values: unknown[]) => values.filter((value): value is number => Number.isFinite(value));

/** What each of these grows by with every event more. */
const UNITS: { readonly [kind: string]: string } = { event: "time", type: "time", days: "day", distinct: "value" };

function findMeasured(leaf: EventCondition, look: Look): Finding {
  const kind = kindOf(leaf)!;
  const measure = MEASURED[kind];
  if (!measure) return {};
  const path = (leaf as unknown as { [key: string]: unknown })[kind];
  const keys = typeof path === "string" ? path.split(".") : [];
  const events = inWindow(happened(leaf, look), leaf, look.now);
  const times = events.map(timeOf);
  const actual = measure(
    times,
    events.map(({ properties }) => readPath(properties, keys)),
    look,
  );
  if (kind === "recency") return findRecency(leaf, actual as number | undefined);
  const required = requiredOf(leaf, kind);
  const unit = UNITS[kind];
  const missing = missingOf(actual, resolve(required, look), unit !== undefined);
  const own = phraseOwn(required, look);
  const short = missing === undefined ? "" : phraseShort(missing, unit, leaf, times[0], look);
  const seen = unit ? `${plural(actual as number, unit)} so far` : `${phraseFound(actual)} so far`;
  return {
    ...(actual !== undefined && { actual }),
    required,
    ...(missing !== undefined && { missing }),
    found: [actual === undefined ? "nothing so far" : seen, short, ...own].filter(Boolean).join(", "),
  };
}

/** `1 more needed before Fri 27 Nov 2026 14:00`: by then the oldest that counts now has left the window. */
function phraseShort(
  missing: number,
  unit: string | undefined,
  window: Window,
  oldest: number | undefined,
  look: Look,
): string {
  if (missing < 0) return `${phraseFound(-missing)} too ${unit ? "many" : "much"}`;
  const { delay, length, last } = boundsOf(window);
  const leaves = oldest === undefined ? Infinity : oldest + length - delay;
  const deadline = Math.min(leaves > look.now ? leaves : Infinity, last + 1);
  const counts = delay ? `, each counts ${phraseMs(delay)} after it happened` : "";
  if (last < look.now) return `${phraseFound(missing)} more would have been needed before ${look.clock(last + 1)}`;
  return `${phraseFound(missing)} more needed${deadline < Infinity ? ` before ${look.clock(deadline)}` : ""}${counts}`;
}

function findRecency({ recency, ...leaf }: EventCondition, actual: number | undefined): Finding {
  if (actual === undefined) return { required: recency, found: phraseWindow(leaf) ? "not in that time" : "never" };
  const least = Math.max(0, ...[recency!.gt, recency!.gte].map((length) => (length ? durationMs(length) : 0)));
  const most = Math.min(...[recency!.lt, recency!.lte].map((length) => durationMs(length)));
  const rest = actual < least ? `, ${phraseMs(least - actual)} to go` : actual > most ? ", 1 more needed" : "";
  return { actual, required: recency, found: `${phraseMs(actual)} ago${rest}` };
}

function requiredOf(leaf: EventCondition, kind: string): Operators {
  if (kind === "event" || kind === "type") return leaf.count ?? { gte: 1 };
  if (kind === "days") return leaf.days!;
  const { event, type, where, within, between, after, before, [kind as "sum"]: path, ...operators } = leaf;
  return operators as Operators;
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

/** How far along the sequence somebody is, of all ways the one that stays open longest, and what comes next. */
function findSequence({ sequence, gap, within }: SequenceCondition, look: Look, { value }: Answer): Finding {
  const longest = durationMs(gap);
  const length = durationMs(within);
  const names = sequence.map(phraseEvent);
  /** Chains that are open still, or complete: when they end, and until when they can go on. */
  let chains: { begin: number; end: number }[] = [];
  let reached = 0;
  let open: typeof chains = [];
  for (const [step, selector] of sequence.entries()) {
    const times = inWindow(happened(selector, look), within ? { within } : {}, look.now).map(timeOf);
    chains = times.flatMap((time) => {
      if (step === 0) return [{ begin: time, end: time }];
      const before = chains.filter(({ end }) => end < time && time - end <= longest);
      return before.length ? [{ begin: Math.max(...before.map(({ begin }) => begin)), end: time }] : [];
    });
    const isLast = step === sequence.length - 1;
    const lasting = chains.filter((chain) => isLast || closes(chain) > look.now);
    if (lasting.length) [reached, open] = [step + 1, lasting];
  }
  const finding = { actual: reached, required: sequence.length };
  const latest = open.map(({ end }) => end).reduce((a, b) => Math.max(a, b), -Infinity);
  if (value === true || reached === sequence.length)
    return { ...finding, found: `all ${sequence.length} steps, the last ${phraseMs(look.now - latest)} ago` };
  const missing = sequence.length - reached;
  const next = names[reached]!;
  if (reached === 0) return { ...finding, missing, found: `not begun, first comes ${next}` };
  const deadline = Math.max(...open.map(closes));
  const before = deadline < Infinity ? ` before ${look.clock(deadline)}` : "";
  const at = `${plural(reached, "step")} of ${sequence.length}, ${names[reached - 1]} ${phraseMs(look.now - latest)} ago`;
  return { ...finding, missing, found: `${at}, next comes ${next}${before}` };

  /** From when on nothing can continue the chain. */
  function closes({ begin, end }: { begin: number; end: number }): number {
    return Math.min(end + longest + 1, begin + length);
  }
}

function findRatio(leaf: RatioCondition, look: Look): Finding {
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
function findUnless(leaf: UnlessCondition, look: Look, { value }: Answer): Finding {
  const { unless, after, within } = leaf;
  const name = phraseEvent(leaf);
  const answers = inWindow(happened(unless, look), {}, look.now);
  const keyOf = ({ properties }: HistoryEvent) => {
    const values = (unless.same ?? []).map((path) => readPath(properties, path.split(".")));
    return values.every(isScalar) ? JSON.stringify(values) : undefined;
  };
  const seen = inWindow(happened(leaf, look), within ? { within } : {}, look.now).map((event) => {
    const key = keyOf(event);
    const answer = answers.find((other) => timeOf(other) > timeOf(event) && key !== undefined && keyOf(other) === key);
    return { at: timeOf(event), answeredAt: answer && timeOf(answer) };
  });
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

/** The events that a selector means, ascending, those to come included. */
function happened({ event: name, type = "track", where = {} }: EventSelector, look: Look): HistoryEvent[] {
  const events = Array.isArray(look.subject.events) ? (look.subject.events as HistoryEvent[]) : [];
  return events
    .filter((event) => event?.type === type && typeof event.event === "string" && Number.isFinite(event.timestamp))
    .filter((event) => name === undefined || event.event === name)
    .filter(matcherOf(where, look, ({ properties }) => properties))
    .sort((a, b) => timeOf(a) - timeOf(b));
}

/** Tells whether what lies at the paths of a value passes their operators: the engine says so. */
function matcherOf<T>(
  where: { [path: string]: Operators },
  { subject, now, options }: Look,
  read: (value: T) => unknown,
): (value: T) => boolean {
  const all = Object.entries(where).map(([path, operators]) => ({ context: path, ...operators }));
  const { evaluate } = compile([{ key: "", condition: { all } }], options, options.language);
  return (value) =>
    evaluate({ traits: subject.traits, events: [], context: read(value) as JsonObject }, now)[0]!.value === true;
}

const timeOf = ({ timestamp }: HistoryEvent) => Math.floor(timestamp);

/** An event counts `delay` after it happened and until `length` after it, if it lies after `first` and not after `last`. */
function boundsOf({ within, between, after, before }: Window) {
  const [delay, length] = (Array.isArray(between) ? between.map(durationMs) : [0, durationMs(within)]) as [
    number,
    number,
  ];
  const first = after === undefined ? -Infinity : instantOf(after) - 1;
  return { delay, length, first, last: before === undefined ? Infinity : instantOf(before) - 1 };
}

function inWindow(events: readonly HistoryEvent[], window: Window, now: number): HistoryEvent[] {
  const { delay, length, first, last } = boundsOf(window);
  return events.filter((event) => {
    const time = timeOf(event);
    return time > now - length && time > first && time <= now - delay && time <= last;
  });
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
  const { length, first } = boundsOf(leaf as Window & Condition);
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

type Parts = [weekday: string, day: string, month: string, year: string, time: string];

/** Of an instant in UTC; empty where there is no such date. */
function partsOf(instant: number): Parts {
  const parts = new Date(instant).toUTCString().replace(",", "").split(" ");
  return parts.length > 4 ? (parts as unknown as Parts) : ["", "", "", "", ""];
}

const isoOf = (instant: number) => (partsOf(instant)[0] ? new Date(instant).toISOString() : null);

/** The runtime's own formats differ between versions. Seconds are told where they matter: within the hour. */
function clockIn(timeZone: string, now: number): (instant: number) => string {
  const offset = offsetOf(timeZone) ?? (() => 0);
  return (instant) => {
    const [weekday, day, month, year, time] = partsOf(instant + offset(instant));
    const isNear = Math.abs(instant - now) < 3_600_000 && !time.endsWith(":00");
    return `${weekday} ${Number(day)} ${month} ${year} ${isNear ? time : time.slice(0, 5)}`;
  };
}
