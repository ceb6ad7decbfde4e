/** Why a condition has the answer that it has: a trace of its nodes, each answered by the engine itself, with what each leaf found. */
import type { Condition } from "../condition.ts";
import { analyze, lackingIn } from "./analyze.ts";
import { compile } from "./compile.ts";
import { describe } from "./describe.ts";
import { findIn } from "./found.ts";
import { buildLook, type Look } from "./look.ts";
import { join, phraseValue } from "./phrase.ts";
import { childrenOf, kindOf, type Language } from "./run.ts";
import type { CompileOptions, GivenAnswer, Rule, Subject, Truth, Unknown, Why } from "./types.ts";
import { readPath } from "./value.ts";

export interface ExplainOptions extends CompileOptions {
  /** The kinds of leaf of the runtime whose answer is explained. */
  language: Language;
  /** The other rules, for `{segment}` leaves. */
  rules?: readonly Rule[];
}

/** A node of the trace before it is answered. */
interface Probe {
  condition: Condition;
  pointer: string;
  /** The rule that it is a part of; undefined: what was asked. */
  segment: string | undefined;
  /** Its rule's position in the program. */
  at: number;
  children: Probe[];
}

/** How many instants, at most, are looked at to say what an answer will be after its `until`. */
const LOOKS = 16;
/** So much is said of each part that decides a group, and of so many. */
const PART_LENGTH = 160;
const PARTS = 4;

/** The trace of a condition for a subject at an instant. `value` and `until` of each node are those that `compile` gives. */
export function explain(condition: Condition, subject: Subject, now: number, options: ExplainOptions): Why {
  const rules = reachableFrom(condition, options.rules ?? []);
  const program: Rule[] = [...rules.values()];
  const traced = new Set<string>();

  const probe = (condition: Condition, pointer: string, segment: string | undefined): Probe => {
    const at = program.push({ key: `\0${program.length}`, condition }) - 1;
    const group = Object.keys(condition)[0]!;
    const inner = childrenOf(condition);
    if (!inner) return { condition, pointer, segment, at, children: probeSegment(condition) };
    const children = inner.map((child, i) =>
      probe(child, group === "not" ? `${pointer}/not` : `${pointer}/${group}/${i}`, segment),
    );
    return { condition, pointer, segment, at, children };
  };
  /** A rule is traced where it is first met. */
  const probeSegment = (leaf: Condition): Probe[] => {
    const key = kindOf(leaf) === "segment" ? (leaf as { segment: string }).segment : undefined;
    const rule = key === undefined ? undefined : rules.get(key);
    if (!rule || traced.has(rule.key)) return [];
    traced.add(rule.key);
    return [probe(rule.condition, "", rule.key)];
  };

  const root = probe(condition, "", undefined);
  const { evaluate } = compile(program, options, options.language);
  const answers = evaluate(subject, now);
  const look = buildLook(subject, now, options);
  const later = new Map<number, Truth[]>();

  /** What the answer is at its own `until`; undefined where that is not looked at. */
  const afterwards = (at: number): Truth | undefined => {
    const { until } = answers[at]!;
    if (until === null || (!later.has(until) && later.size >= LOOKS)) return undefined;
    if (!later.has(until))
      later.set(
        until,
        evaluate(subject, until).map(({ value }) => value),
      );
    return later.get(until)![at];
  };

  /** The node's trace, and in short what was found. */
  const trace = ({ condition, pointer, segment, at, children }: Probe): { why: Why; short: string } => {
    const { value, until } = answers[at]!;
    const next = afterwards(at);
    const inner = children.map(trace);
    const { found, ...finding } = childrenOf(condition)
      ? findGroup(condition, value, inner)
      : findLeaf(condition, pointer, { value, until, next });
    const { completeAfter } = finding;
    const limit =
      completeAfter !== undefined &&
      `events up to ${look.clock(completeAfter)} are not looked at, with them it could differ`;
    const notes = [found, limit].filter(Boolean).join("; ");
    const what = describe(condition);
    const why: Why = {
      value,
      until,
      says: `${what}: ${VERDICTS[`${value}`]}${notes && ` (${notes})`}${holds(until, value, next)}`,
      pointer,
      ...(segment !== undefined && { segment }),
      ...finding,
      ...(inner.length && { children: inner.map(({ why }) => why) }),
    };
    return { why, short: found ? `${what} (${found})` : what };
  };

  const holds = (until: number | null, value: Truth, next: Truth | undefined): string => {
    if (until === null) return "";
    if (next === value) return `, at least until ${look.clock(until)}`;
    return `, until ${look.clock(until)}${next === undefined ? "" : `, then ${VERDICTS[`${next}`]}`}`;
  };

  const findLeaf = (
    leaf: Condition,
    pointer: string,
    answer: { value: Truth; until: number | null; next: Truth | undefined },
  ): Partial<Why> & { found?: string } => {
    if (answer.value === "unknown") {
      const unknown = whyUnknown(leaf, pointer, look);
      return { unknown, found: phraseUnknown(unknown, look, rules) };
    }
    return findIn(leaf, look, answer);
  };

  return trace(root).why;
}

const VERDICTS: { readonly [value: string]: string } = { true: "yes", false: "no", unknown: "unknown" };

/** The rules that the condition refers to, directly or through others, by key. */
function reachableFrom(condition: Condition, rules: readonly Rule[]): Map<string, Rule> {
  const byKey = new Map(rules.map((rule) => [rule.key, rule]));
  const reached = new Map<string, Rule>();
  const visit = (condition: Condition): void => {
    for (const key of analyze(condition).segments) {
      const rule = byKey.get(key);
      if (!rule || reached.has(key)) continue;
      reached.set(key, rule);
      visit(rule.condition);
    }
  };
  visit(condition);
  return reached;
}

/** Of a group: which parts decide it, and what is not complete in them. */
function findGroup(
  condition: Condition,
  value: Truth,
  children: readonly { why: Why; short: string }[],
): Partial<Why> & { found?: string } {
  const isDecisive = ({ why }: { why: Why }) => "not" in condition || why.value === value;
  const deciding = children.filter(isDecisive);
  const instants = deciding.flatMap(({ why }) => why.completeAfter ?? []);
  const group = {
    ...(children.length && { decides: children.flatMap((child, i) => (isDecisive(child) ? [i] : [])) }),
    ...(instants.length && { completeAfter: Math.max(...instants) }),
  };
  if (children.length < 2) return group;
  if (value === "all" in condition) return { ...group, found: `${value ? "all" : "none"} of ${children.length} hold` };
  const word = value === "unknown" ? "not known" : value ? "this holds" : "still missing";
  const parts = deciding.slice(0, PARTS).map(({ short }) => cut(short));
  const others = deciding.length - parts.length;
  return { ...group, found: `${word}: ${[...parts, ...(others ? [`${others} more`] : [])].join("; ")}` };
}

const cut = (text: string) => (text.length > PART_LENGTH ? `${text.slice(0, PART_LENGTH)}…` : text);

/** What a leaf lacks that is unknown. */
function whyUnknown(leaf: Condition, pointer: string, { subject, now, options }: Look): Unknown {
  const { consent } = subject;
  const denied = Array.isArray(consent) ? analyze(leaf).purposes.filter((purpose) => !consent.includes(purpose)) : [];
  if (denied.length) return { reason: "consent", what: denied };
  const lacking = lackingIn(leaf, options.language).map((part) => pointer + part.pointer);
  if (lacking.length) return { reason: "runtime", what: lacking };
  const { segment, time } = leaf as { segment?: string; time?: object };
  if (segment === undefined) return { reason: "value", what: [time ? "context.timezone" : "id"] };
  const given = readPath(subject.segments, [segment]) as GivenAnswer | undefined;
  const isOver = typeof given?.until === "number" && given.until <= now;
  return { reason: "value", what: [`segments.${segment}${isOver ? ".until" : ""}`] };
}

function phraseUnknown({ reason, what }: Unknown, { clock, subject }: Look, rules: ReadonlyMap<string, Rule>): string {
  if (reason === "consent") return `not allowed: it needs consent for ${join(what, "and")}`;
  if (reason === "runtime") return "not known here, only at the edge";
  const [, segment, over] = /^segments\.(.*?)(\.until)?$/s.exec(what[0]!) ?? [];
  if (segment === undefined) return what[0] === "id" ? "the person has no id" : "the visitor's time zone is not known";
  if (rules.has(segment)) return "it is unknown itself";
  if (over) return `what was known of it held until ${clock(subject.segments![segment]!.until!)}`;
  return `nothing is known here of the segment ${phraseValue(segment)}`;
}
