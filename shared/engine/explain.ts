/** Why a condition has the answer that it has: a trace of its nodes, evaluated by the very nodes that `compile` makes. */
import type {
  Condition,
  EventCondition,
  Operators,
  RatioCondition,
  SequenceCondition,
  UnlessCondition,
} from "../condition.ts";
import { answerOf } from "./answer.ts";
import { link } from "./compile.ts";
import { describe } from "./describe.ts";
import { MEASURES } from "./measures.ts";
import { phraseEvent, phraseValue, plural } from "./phrase.ts";
import { childrenOf, kindOf, type Language, type Node, type Run, type Scope } from "./run.ts";
import { selectionOf } from "./selection.ts";
import type { CompileOptions, Rule, Subject, Truth, Why } from "./types.ts";
import { durationMs, readPath } from "./value.ts";
import { changeOf } from "./window.ts";
import { offsetOf } from "./zone.ts";

export interface ExplainOptions extends CompileOptions {
  /** The kinds of leaf of the runtime whose answer is explained. */
  language: Language;
  /** The other rules, for `{segment}` leaves. */
  rules?: readonly Rule[];
}

/** What was looked at and found, in a leaf. */
interface Finding {
  actual?: unknown;
  required?: unknown;
  missing?: unknown;
  /** In words. */
  found?: string;
}

/** A node of the trace before there is a run: compiled, with the means to say what it found. */
interface Probe {
  condition: Condition;
  pointer: string;
  node: Node;
  find: (run: Run, value: Truth) => Finding;
  children: Probe[];
}

/** The trace of a condition for a subject at an instant. `value` and `until` of each node are those that `compile` gives. */
export function explain(condition: Condition, subject: Subject, now: number, options: ExplainOptions): Why {
  const { build, scope, start } = link(options.rules ?? [], options, options.language);

  const probe = (condition: Condition, pointer: string): Probe => {
    const group = Object.keys(condition)[0]!;
    const children = (childrenOf(condition) ?? []).map((child, i) =>
      probe(child, group === "not" ? `${pointer}/not` : `${pointer}/${group}/${i}`),
    );
    const node = build(condition);
    return { condition, pointer, node, find: finderOf(condition, scope), children };
  };

  const root = probe(condition, "");
  // Everything is compiled before the run begins, for a run reads at its start what was asked for until then.
  const run = start(subject, now);
  const clock = clockIn(options.timeZone);

  const trace = ({ condition, pointer, node, find, children }: Probe): Why => {
    const { value, until } = answerOf(node, run);
    const inner = children.map(trace);
    const { found, ...finding } = inner.length > 1 ? findGroup(inner) : find(run, value);
    const holds = until === null ? "" : `, until ${clock(until)}`;
    const verdict = value === "unknown" ? "unknown" : value ? "yes" : "no";
    return {
      value,
      until,
      says: `${describe(condition)}: ${verdict}${found ? ` (${found})` : ""}${holds}`,
      pointer,
      ...finding,
      ...(inner.length && { children: inner }),
    };
  };
  return trace(root);

  /** How a kind of leaf finds out what it saw; compiled with the rest. */
  function finderOf(leaf: Condition, scope: Scope): Probe["find"] {
    const kind = kindOf(leaf);
    if (childrenOf(leaf) || !kind) return () => ({});
    if (!Object.hasOwn(options.language.leaves, kind)) return () => ({ found: "not known here, only at the edge" });
    const find = Object.hasOwn(MEASURES, kind)
      ? findMeasured(leaf as EventCondition, scope, kind)
      : kind === "trait" || kind === "context"
        ? findFact(leaf as never, kind)
        : findHappened(leaf, scope, kind);
    return (run, value) => (value === "unknown" ? { found: "not allowed, or not known" } : find(run));
  }

  function findMeasured(leaf: EventCondition, scope: Scope, kind: string): (run: Run) => Finding {
    const select = selectionOf(leaf, scope);
    const spanAt = options.language.span(leaf);
    const { series, read } = MEASURES[kind]!(leaf, scope);
    const required = kind === "days" ? leaf.days : kind === "recency" ? leaf.recency : undefined;
    const operators = (required ??
      (kind === "event" || kind === "type" ? (leaf.count ?? { gte: 1 }) : operatorsOf(leaf as never))) as Operators;
    return (run) => {
      const selection = select(run);
      const seen = series?.(selection) ?? selection;
      const span = spanAt(seen.times, run.now);
      const value = read(seen, span);
      if (kind === "recency") {
        const ago = Number.isNaN(value) ? undefined : run.now - (value as number);
        return { actual: ago, required: operators, found: ago === undefined ? "never" : `${phraseMs(ago)} ago` };
      }
      const missing = missingOf(value, operators);
      const unit =
        kind === "event" || kind === "type" ? plural(value as number, "time") : phraseValue(value ?? "nothing");
      const change = changeOf(span, seen.times);
      const deadline = missing === undefined || change === Infinity ? "" : ` before ${clock(change)}`;
      return {
        actual: value,
        required: operators,
        ...(missing !== undefined && { missing }),
        found: `${unit} so far${missing === undefined ? "" : `, ${missing} more needed${deadline}`}`,
      };
    };
  }

  /** For leaves over several kinds of event: how often each happened, and when last. */
  function findHappened(leaf: Condition, scope: Scope, kind: string): (run: Run) => Finding {
    const { sequence, ratio, unless } = leaf as Partial<SequenceCondition & RatioCondition & UnlessCondition>;
    const selectors = sequence ?? ratio ?? (unless && [leaf as UnlessCondition, unless]) ?? [];
    const selects = selectors.map((selector) => ({
      name: phraseEvent(selector),
      select: selectionOf(selector, scope),
    }));
    const spanAt = options.language.span(kind === "unless" ? {} : (leaf as RatioCondition));
    if (selects.length === 0) return () => ({});
    return (run) => {
      const seen = selects.map(({ name, select }) => {
        const { times } = select(run);
        const { low, high } = spanAt(times, run.now);
        const last = low < high ? `, last ${phraseMs(run.now - times[high - 1]!)} ago` : "";
        return { count: high - low, text: `${name} ${plural(high - low, "time")}${last}` };
      });
      return { actual: seen.map(({ count }) => count), found: seen.map(({ text }) => text).join("; ") };
    };
  }

  function findFact(leaf: { trait?: string; context?: string }, kind: "trait" | "context"): (run: Run) => Finding {
    const keys = leaf[kind]!.split(".");
    const root = kind === "trait" ? "traits" : "context";
    const required = operatorsOf(leaf as never);
    return ({ subject }) => {
      const actual = readPath(subject[root], keys);
      const missing = missingOf(actual, required);
      return {
        ...(actual !== undefined && { actual }),
        required,
        ...(missing !== undefined && { missing }),
        found: actual === undefined ? "not known" : `it is ${phraseValue(actual)}`,
      };
    };
  }
}

function findGroup(children: readonly Why[]): Finding {
  const holding = children.filter(({ value }) => value === true).length;
  return { found: `${holding} of ${children.length} hold` };
}

const LEAF_KEYS =
  "trait context event type where within between after before sum avg min max distinct first last".split(" ");

function operatorsOf(leaf: { [key: string]: unknown }): Operators {
  const isFact = Object.hasOwn(leaf, "trait") || Object.hasOwn(leaf, "context");
  const except = isFact ? ["trait", "context"] : LEAF_KEYS;
  return Object.fromEntries(Object.entries(leaf).filter(([key]) => !except.includes(key)));
}

/** How much more a number has to be; undefined where more would not help, or nothing is missing. */
function missingOf(actual: unknown, { eq, gt, gte }: Operators): number | undefined {
  if (typeof actual !== "number") return undefined;
  const goal = [gte, eq].find((operand) => typeof operand === "number");
  if (typeof goal === "number" && goal > actual) return goal - actual;
  return typeof gt === "number" && gt >= actual && Number.isInteger(actual) ? gt - actual + 1 : undefined;
}

function phraseMs(ms: number): string {
  const [unit, noun] = (
    [
      ["d", "day"],
      ["h", "hour"],
      ["m", "minute"],
      ["s", "second"],
    ] as const
  ).find(([unit]) => ms >= durationMs(`1${unit}`)) ?? ["s", "second"];
  return plural(Math.floor(ms / durationMs(`1${unit}`)), noun);
}

/** `Fri 27 Nov 2026 14:00` on the site's wall clock; the runtime's own formats differ between versions. */
function clockIn(timeZone: string): (instant: number) => string {
  const offset = offsetOf(timeZone) ?? (() => 0);
  return (instant) => {
    const [weekday, day, month, year, time] = new Date(instant + offset(instant)).toUTCString().split(" ") as string[];
    return `${weekday!.slice(0, 3)} ${Number(day)} ${month} ${year} ${time!.slice(0, 5)}`;
  };
}
