/** What is wrong inside one leaf: operators that say nothing more, events that cannot be, windows and limits that do nothing. */
import type {
  Condition,
  EventSelector,
  Operators,
  RatioCondition,
  SequenceCondition,
  TimeCondition,
  UnlessCondition,
  Window,
} from "../../../shared/condition.ts";
import { describe } from "../../../shared/engine/describe.ts";
import { eventsOf } from "../../../shared/engine/events-of.ts";
import { windowBounds } from "../../../shared/engine/look.ts";
import { phraseDuration, phraseOperators, phrasePath } from "../../../shared/engine/phrase.ts";
import { durationMs } from "../../../shared/engine/value.ts";
import { HISTORY_EVENTS } from "../../../shared/limits.ts";
import { escapePointer } from "../../../shared/pointer.ts";
import { cut, type Finding } from "./finding.ts";
import { literalsOf } from "./literals.ts";
import { isSelectable } from "./theory.ts";
import { ANYTHING, boundsOf, claimsOf, isPossible, type Range } from "./values.ts";

/** @param isDecided what it does is said as a whole: nothing of its operators */
export function lintLeaf(leaf: Condition, pointer: string, now: number, isDecided: boolean): Finding[] {
  return [
    ...selectorsOf(leaf).flatMap(({ selector, inside }) => lintSelector(selector, pointer + inside)),
    ...lintTimes(leaf, pointer, now),
    ...(isDecided ? [] : [...lintOperators(leaf, pointer), ...lintCount(leaf, pointer)]),
  ];
}

/** Why a leaf is never true, or always. */
export function phraseStatus(leaf: Condition, status: "never" | "always", now: number): string {
  const holds = status === "never" ? "holds for nobody" : "holds for everybody of whom it is known";
  const what = `'${cut(describe(leaf))}' ${holds}`;
  const span = windowBounds(leaf as Window);
  if (isOfEvents(leaf) && span.last <= now - span.length)
    return `${what}: its window is over for good. Choose a later "before", or leave out "within".`;
  if (selectorsOf(leaf).some(({ selector }) => !isSelectable(selector)))
    return `${what}: no event can be like that. See its "where".`;
  return `${what}. Check its values and operators.`;
}

const isOfEvents = (leaf: Condition) => eventsOf(leaf).length > 0;

/** The selectors of a leaf, each with its place in it. */
function selectorsOf(leaf: Condition): { selector: EventSelector; inside: string }[] {
  if (!isOfEvents(leaf)) return [];
  const { sequence, ratio, unless } = leaf as Partial<SequenceCondition & RatioCondition & UnlessCondition>;
  const placed = (list: readonly EventSelector[], key: string) =>
    list.map((selector, i) => ({ selector, inside: `/${key}/${i}` }));
  if (sequence) return placed(sequence, "sequence");
  if (ratio) return placed(ratio, "ratio");
  const own = { selector: leaf as EventSelector, inside: "" };
  return unless ? [own, { selector: unless, inside: "/unless" }] : [own];
}

function lintSelector({ where = {} }: EventSelector, pointer: string): Finding[] {
  return Object.entries(where).flatMap(([path, operators]): Finding[] => {
    const inside = `${pointer}/where/${escapePointer(path)}`;
    if (isPossible(claimsOf(operators, true))) return lintClaims(operators, inside, ANYTHING);
    const detail = `No event can have ${phrasePath(path)} that ${phraseOperators(operators)}. Change one of these.`;
    return [{ code: "impossible-where", severity: "warning", pointer: inside, detail }];
  });
}

function lintTimes(leaf: Condition, pointer: string, now: number): Finding[] {
  const findings: Finding[] = [];
  const add = (code: Finding["code"], severity: Finding["severity"], inside: string, detail: string) =>
    findings.push({ code, severity, pointer: pointer + inside, detail });
  const { after } = leaf as Window;
  if (after !== undefined && isOfEvents(leaf) && windowBounds(leaf as Window).first >= now)
    add("window-ahead", "hint", "/after", `Nothing counts before ${after}, which is still to come.`);
  const { from, to } = (leaf as Partial<TimeCondition>).time ?? {};
  if (from !== undefined && from === to)
    add("no-effect", "warning", "/time/from", `From ${from} to ${to} is the whole day. Leave both out, or change one.`);
  const { sequence, gap, within } = leaf as Partial<SequenceCondition>;
  if (sequence && gap && durationMs(gap) >= durationMs(within)) {
    const detail = `A gap of ${phraseDuration(gap)} changes nothing: all steps lie within ${phraseDuration(within)}. Make it shorter, or leave it out.`;
    add("no-effect", "warning", "/gap", detail);
  }
  return findings;
}

function lintOperators(leaf: Condition, pointer: string): Finding[] {
  const literal = literalsOf(leaf, true)?.[0];
  if (literal?.about !== "value") return [];
  const { count, days, trait, context, ...others } = leaf as { [key: string]: object };
  if (count) return lintClaims(count, `${pointer}/count`, literal.range);
  if (days) return lintClaims(days, `${pointer}/days`, literal.range);
  return trait || context ? lintClaims(others, pointer, literal.range) : [];
}

/** Operators that the others beside them say already. */
function lintClaims(operators: Operators, pointer: string, range: Range): Finding[] {
  const findings: Finding[] = [];
  let kept = Object.entries(operators);
  for (const entry of kept.toReversed()) {
    const others = kept.filter((other) => other !== entry);
    const one = Object.fromEntries([entry]);
    const rest = Object.fromEntries(others);
    // Without an operand that is a trait the leaf may be known where it was not.
    if (kept.length < 2 || JSON.stringify(one).includes('"trait":')) continue;
    if (isPossible([...claimsOf(rest, true), ...claimsOf(one, false)], range)) continue;
    kept = others;
    const detail = `'${phraseOperators(one)}' changes nothing beside '${phraseOperators(rest)}'. Leave it out.`;
    findings.push({ code: "redundant", severity: "hint", pointer: `${pointer}/${entry[0]}`, detail });
  }
  return findings;
}

/** A number of events that is above what histories keep. */
function lintCount(leaf: Condition, pointer: string): Finding[] {
  const { count } = leaf as { count?: Operators };
  if (!count || !isOfEvents(leaf) || boundsOf(claimsOf(count, true), 0, HISTORY_EVENTS)) return [];
  const detail = `Rules look at the newest ${HISTORY_EVENTS} events of a person, so this number is never reached. Ask for fewer, or for days.`;
  return [{ code: "beyond-history", severity: "warning", pointer: `${pointer}/count`, detail }];
}
