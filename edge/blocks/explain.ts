/** Why a slot got what it got: of every variant of its blocks, whether it was asked, what was found, and what kept it from being shown. */
import type { Reason } from "../../shared/decision.ts";
import { explain } from "../../shared/engine/explain.ts";
import { fullLanguage } from "../../shared/engine/language-edge.ts";
import { clockIn } from "../../shared/engine/look.ts";
import { phraseDuration, phraseValue, plural } from "../../shared/engine/phrase.ts";
import { childrenOf } from "../../shared/engine/run.ts";
import type { Answer, Rule, Subject, Truth, Why } from "../../shared/engine/types.ts";
import type { LiveBlock, LiveSlot, LiveVariant } from "../manifest/slot.ts";
import { askAudiences, type SlotAnswer, scopeOf, type Viewer } from "./decide.ts";

/** The closed list of what became of a variant. */
export const OUTCOMES = [
  "chosen",
  /** A variant before it is chosen: it was not asked. */
  "earlier-variant",
  /** Its block is not in its time: it was not asked. */
  "schedule",
  "audience",
  /** Its block was shown as often as its cap allows. */
  "cap",
  /** What it asks is not known without consent. */
  "consent",
  /** What it asks is not known for another reason. */
  "unknown",
  /** Chosen, but its template does not render. */
  "error",
] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface VariantWhy {
  block: string;
  variant: string;
  value: Truth | "not-asked";
  /** Until when `value` is that if nothing new happens, epoch milliseconds; null = for ever. */
  until: number | null;
  reason: Outcome;
  /** A sentence for whoever writes the blocks; instants are on the site's clock. */
  says: string;
  /** The trace of its audience and cap, whether it was asked or not; null: it is for everyone. */
  why: Why | null;
}

/** Whom a slot was decided for, and when. */
export interface Asking {
  /** Who the viewer is to rules: with what segments look at. */
  subject: Subject;
  viewer: Viewer;
  now: number;
  timeZone: string;
  /** The site's dynamic segments. */
  rules: readonly Rule[];
}

/** How many segments, at most, are told of in a sentence about a rule that looks at them. */
const SEGMENTS = 3;

/** Every variant of a slot in the order in which they are asked, with what became of it in `answer`. */
export function explainVariants(slot: LiveSlot, answer: SlotAnswer, asking: Asking): VariantWhy[] {
  const { subject, viewer, now, timeZone, rules } = asking;
  const options = { timeZone, language: fullLanguage, rules };
  const clock = clockIn(timeZone, now);
  const answers = askAudiences(slot, viewer, subject.context, now);
  let isOver = false;
  return slot.blocks.flatMap((block) => block.variants.map((variant) => explainVariant(block, variant)));

  function explainVariant(block: LiveBlock, variant: LiveVariant): VariantWhy {
    const { condition, audience } = variant;
    const why = condition && explain(condition, subject, now, options);
    const found: Answer = audience === null ? { value: true, until: null } : answers[audience]!;
    const { itself, cap } = phraseRule(why, block, variant, found.value);
    const row = (reason: Outcome, says: string, until: number | null): VariantWhy => {
      const value = reason === "earlier-variant" || reason === "schedule" ? "not-asked" : found.value;
      return { block: block.key, variant: variant.key, value, until, reason, says: `${says}.`, why };
    };

    if (now >= block.to) return row("schedule", `Not asked: its time ended on ${clock(block.to)}`, null);
    if (now < block.from) return row("schedule", `Not asked: its time begins on ${clock(block.from)}`, block.from);
    if (isOver) {
      const says = `Not asked: ${nameOf(answer)} comes before it; by itself: ${itself}`;
      return row("earlier-variant", says, earlier(answer.until, block.to));
    }
    const until = earlier(why?.value === found.value ? why.until : found.until, block.to);
    if (found.value === true) {
      isOver = true;
      if (answer.decision.reason !== "error") return row("chosen", `Shown: ${itself}`, until);
      return row("error", `Chosen, but it cannot be rendered: ${renderingError(answer, asking)}`, until);
    }
    if (cap) return row("cap", `Not shown: ${cap}`, until);
    const reason = why!.value === "unknown" ? (lacksConsent(why!) ? "consent" : "unknown") : "audience";
    return row(reason, `Not shown: ${itself}`, until);
  }

  /** A variant's rule as a sentence; `cap`: it is the cap that keeps it back. */
  function phraseRule(
    why: Why | null,
    block: LiveBlock,
    variant: LiveVariant,
    value: Truth,
  ): { itself: string; cap?: string } {
    if (!why) return { itself: FOR_EVERYONE };
    const cap = capOf(block, variant);
    if (!cap) return { itself: sayAll(why, value) };
    const [audience, shown] = variant.source.audience ? (why.children as [Why, Why]) : [null, why];
    const ends = shown.value === false && shown.until !== null ? `, until ${clock(shown.until)}` : "";
    const says =
      shown.value === "unknown"
        ? "how often it was shown is not known without consent for analytics"
        : `it was shown ${plural(Number(shown.actual), "time")} in the last ${cap.within}, and its cap allows ${cap.times}${ends}`;
    if (audience?.value === false) return { itself: sayAll(audience, value) };
    // Where the cap is reached, nothing was decided by the audience.
    const decided = audience?.value === "unknown" && shown.value !== false ? value : audience?.value;
    const itself = `${audience ? sayAll(audience, decided!) : FOR_EVERYONE}; ${says}`;
    return { itself, ...(shown.value === false && { cap: says }) };
  }
}

const FOR_EVERYONE = "it is for everyone";

/** How often a block is shown at most, in words. */
function capOf({ isCapped }: LiveBlock, { condition, source }: LiveVariant): { times: string; within: string } | null {
  if (!isCapped) return null;
  const cap = source.audience ? childrenOf(condition!)!.at(-1) : condition;
  const { count, within } = cap as { count: { lt: number }; within: string };
  return { times: plural(count.lt, "time"), within: phraseDuration(within) };
}

/** What was decided, as a sentence; instants are on the site's clock. */
export function explainDecision(answer: SlotAnswer, asking: Asking): string {
  const { now, timeZone } = asking;
  const { block, variant, decision, until } = answer;
  const clock = clockIn(timeZone, now);
  const stays = "the page's own content stays";
  const fallback = block?.fallback ? `the fallback of ${phraseValue(block.key)} is shown` : stays;
  const shown = () => `${variant ? nameOf(answer) : `The fallback of ${phraseValue(block!.key)}`} is shown`;
  const SAYINGS: { readonly [reason in Reason]: () => string } = {
    targeted: shown,
    experiment: () => `${shown()}, as an experiment drew it`,
    holdout: () => `An experiment holds this person out: ${fallback}`,
    fallback: () => `No variant is for this person now: ${fallback}`,
    "no-consent": () =>
      `No variant is known to be for this person, for lack of consent or of what it asks: ${fallback}`,
    "no-block": () => `No block of this slot is in its time: ${stays}`,
    error: () =>
      `${variant ? nameOf(answer) : "The fallback"} cannot be rendered (${renderingError(answer, asking)}): ${stays}`,
    simulated: () => `${shown()}, as it was asked for`,
  };
  const says = SAYINGS[decision.reason]();
  const cap = decision.reason === "simulated" ? null : block && variant && decision.variant && capOf(block, variant);
  const limits = [
    cap && `at most ${cap.times} in ${cap.within}`,
    until !== null && `at least until ${clock(until)} if nothing new happens`,
  ];
  return `${[says, ...limits.filter(Boolean)].join(", ")}.`;
}

const nameOf = ({ block, variant }: SlotAnswer) => `${phraseValue(variant!.key)} of ${phraseValue(block!.key)}`;

function renderingError({ block, variant }: SlotAnswer, { viewer, subject, now }: Asking): string {
  const template = variant ? variant.template : block!.fallback!;
  return template.render(scopeOf(viewer, subject.context, template), now).error ?? "it failed";
}

/** The sentence of a rule with those of the segments that decide it; `value` is what was decided by. */
function sayAll(why: Why, value: Truth): string {
  const segments = decidingSegments(why).slice(0, SEGMENTS);
  const parts = [why.says, ...segments.map(({ segment, says }) => `${phraseValue(segment)} means: ${says}`)];
  // A segment that is unknown is none that somebody is in.
  if (why.value !== value) parts.push(`a membership that is not known counts as none, so: ${value ? "yes" : "no"}`);
  return parts.join("; ");
}

function decidingSegments({ segment, children = [], decides }: Why): Why[] {
  return children.flatMap((child, index) => {
    if (decides && !decides.includes(index)) return [];
    return child.segment === segment ? decidingSegments(child) : [child];
  });
}

function lacksConsent({ value, unknown, children = [] }: Why): boolean {
  return value === "unknown" && (unknown?.reason === "consent" || children.some(lacksConsent));
}

function earlier(until: number | null, to: number): number | null {
  const first = Math.min(until ?? Infinity, to);
  return first === Infinity ? null : first;
}
