/** What a condition looks at and nobody has sent: names, with the one that may be meant, and types. */
import type { Condition } from "../../../shared/condition.ts";
import { analyze, leavesOf, traitsOf } from "../../../shared/engine/analyze.ts";
import { join, phraseEvent, phraseValue } from "../../../shared/engine/phrase.ts";
import type { EventType } from "../../../shared/event.ts";
import { nearest } from "../schema/nearest.ts";
import type { Finding } from "./finding.ts";

/** Names that a site has sent, as far as was looked. */
export interface SentNames {
  events: readonly { type: string; name: string }[];
  /** Top-level names of traits. */
  traits: readonly string[];
  /** Of a trait, as far as it was noticed: the JSON types that it came in. */
  types: ReadonlyMap<string, readonly string[]>;
}

/** More would help nobody, and each is held against all names. */
const HINTS = 40;

/** Hints only: a rule may well come before what it looks at. Of a kind of which nothing is known nothing is said. */
export function lintNames(condition: Condition, sent: SentNames, pointer = ""): Finding[] {
  const found: Finding[] = [];
  for (const { leaf, pointer: place } of leavesOf(condition, pointer)) {
    if (found.length >= HINTS) break;
    found.push(...lintEvents(leaf, sent, place), ...lintTraits(leaf, sent, place), ...lintTypes(leaf, sent, place));
  }
  return found.slice(0, HINTS);
}

function lintEvents(leaf: Condition, { events }: SentNames, pointer: string): Finding[] {
  return analyze(leaf).events.flatMap(({ type, event }): Finding[] => {
    const names = events.filter((known) => known.type === type).map(({ name }) => name);
    if (event === null || names.length === 0 || names.includes(event)) return [];
    const what = phraseEvent({ event, type: type as EventType });
    return [{ code: "unknown-event", severity: "hint", pointer, detail: phraseUnknown(what, event, names) }];
  });
}

function lintTraits(leaf: Condition, { traits }: SentNames, pointer: string): Finding[] {
  if (traits.length === 0) return [];
  return traitsOf(leaf).flatMap(({ trait, pointer: inside }): Finding[] => {
    const name = trait.split(".")[0]!;
    if (traits.includes(name)) return [];
    const detail = phraseUnknown(`the trait ${phraseValue(name)}`, name, traits);
    return [{ code: "unknown-trait", severity: "hint", pointer: `${pointer}${inside}`, detail }];
  });
}

/** Operators that hold of nothing but values of the type of their operand. */
const SAME_TYPE = ["eq", "gt", "gte", "lt", "lte"];

function lintTypes(leaf: Condition, { types }: SentNames, pointer: string): Finding[] {
  const { trait, ...operators } = leaf as { trait?: string; [operator: string]: unknown };
  const sent = trait === undefined ? undefined : types.get(trait);
  if (!sent) return [];
  return Object.entries(operators).flatMap(([operator, operand]): Finding[] => {
    const asked = askedTypes(operator, operand);
    const others = sent.filter((type) => !asked.includes(type));
    if (!asked.length || !others.length) return [];
    const detail = `The trait ${phraseValue(trait)} is sent as ${join(sent, "and")}, and this holds only of ${join(asked, "or")}. Send one type, or ask for each.`;
    return [{ code: "other-type", severity: "hint", pointer: `${pointer}/${operator}`, detail }];
  });
}

/** The types of which an operator may hold; none where it may hold of any, or reads them in a way of its own. */
function askedTypes(operator: string, operand: unknown): string[] {
  const operands =
    operator === "in" && Array.isArray(operand) ? operand : SAME_TYPE.includes(operator) ? [operand] : [];
  const types = new Set(operands.map((value) => typeof value));
  // Dates are compared as instants.
  const isDate = operator !== "eq" && operator !== "in" && types.has("string");
  return isDate || types.has("object") ? [] : [...types];
}

/** @param name what was asked for, among the known `names` */
export function phraseUnknown(what: string, name: string, names: readonly string[]): string {
  const meant = nearest(name, names);
  const question = meant === undefined ? "Check its spelling." : `Is ${phraseValue(meant)} meant?`;
  return `Among what was looked at, nobody has sent ${what} yet. ${question}`;
}
