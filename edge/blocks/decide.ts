/** Decides slots for one person and renders what was decided: which variant, why, and until when that holds. */

import type { Purpose } from "../../shared/consent.ts";
import type { Decision, Reason } from "../../shared/decision.ts";
import type { Answer } from "../../shared/engine/types.ts";
import type { HistoryEvent, JsonObject } from "../../shared/event.ts";
import type { Decisions } from "../db/profiles.ts";
import type { LiveBlock, LiveSite, LiveVariant } from "../manifest/live.ts";
import type { LiveTemplate } from "../manifest/template.ts";
import type { Scope } from "./liquid.ts";

/** For whom: a person read from storage, or as much of one as a token tells. */
export interface Viewer {
  stableId: string;
  segments: Decisions;
  /** When any membership may change by time alone. */
  wakesAt: number | null;
  traits: JsonObject;
  events: readonly HistoryEvent[];
  consent: readonly Purpose[] | undefined;
}

export interface SlotAnswer {
  /** Null: what the page or e-mail has stays. */
  html: string | null;
  decision: Decision;
}

/** Key of the variant wanted, by slot. */
type Simulated = { [slot: string]: string };

/** Somebody of whom nothing is known. */
export const NOBODY: Viewer = { stableId: "", segments: {}, wakesAt: null, traits: {}, events: [], consent: undefined };

/** What a slot is given before anything is rendered. */
interface Choice {
  slot: string;
  block: LiveBlock | null;
  variant: LiveVariant | null;
  template: LiveTemplate | null;
  reason: Reason;
  until: number | null;
}

/** False where an audience of a slot needs what only storage knows. */
export function isTokenOnly(live: LiveSite, slots: readonly string[]): boolean {
  return slots.every((slot) => live.blocks.get(slot)?.tokenOnly ?? true);
}

/**
 * Decides slots from what a token tells.
 *
 * @returns null where an audience or a chosen template needs what only storage knows
 */
export function decideFromToken(
  live: LiveSite,
  slots: readonly string[],
  viewer: Viewer,
  context: JsonObject | undefined,
  now: number,
  variants?: Simulated,
): { [slot: string]: SlotAnswer } | null {
  if (!isTokenOnly(live, slots)) return null;
  const choices = chooseSlots(live, slots, viewer, context, now, variants);
  if (!choices.every(({ template }) => template === null || needsNothingStored(template))) return null;
  return renderChoices(choices, viewer, context, now);
}

/**
 * Decides and renders.
 *
 * @param slots names of slots; one without a published block answers `no-block`
 * @param variants is heard of variants that anybody may see
 */
export function decideSlots(
  live: LiveSite,
  slots: readonly string[],
  viewer: Viewer,
  context: JsonObject | undefined,
  now: number,
  variants?: Simulated,
): { [slot: string]: SlotAnswer } {
  return renderChoices(chooseSlots(live, slots, viewer, context, now, variants), viewer, context, now);
}

function chooseSlots(
  live: LiveSite,
  slots: readonly string[],
  viewer: Viewer,
  context: JsonObject | undefined,
  now: number,
  variants: Simulated = {},
): Choice[] {
  const segments: { [key: string]: Answer } = Object.create(null);
  for (const { key } of live.manifest.segments) {
    const member = Object.hasOwn(viewer.segments, key) ? viewer.segments[key] : undefined;
    segments[key] = member ? { value: true, until: member[1] } : { value: false, until: viewer.wakesAt };
  }
  const { stableId, traits, events, consent } = viewer;
  const subject = { id: stableId, traits, events, segments, ...(context && { context }), ...(consent && { consent }) };
  const audiences = live.audiences.evaluate(subject, now);
  return slots.map((slot): Choice => {
    const block = live.blocks.get(slot);
    if (!block) return { slot, block: null, variant: null, template: null, reason: "no-block", until: null };
    const wanted = Object.hasOwn(variants, slot) ? variants[slot] : undefined;
    const simulated = block.variants.find(({ key, isOpen }) => isOpen && key === wanted);
    // A page may show it, and not keep it.
    if (simulated)
      return { slot, block, variant: simulated, template: simulated.template, reason: "simulated", until: now };
    const { variant, reason, until } = chooseVariant(block, audiences);
    return { slot, block, variant, template: variant ? variant.template : block.fallback, reason, until };
  });
}

function renderChoices(
  choices: readonly Choice[],
  viewer: Viewer,
  context: JsonObject | undefined,
  now: number,
): { [slot: string]: SlotAnswer } {
  const answers: { [slot: string]: SlotAnswer } = Object.create(null);
  for (const { slot, block, variant, template, reason, until } of choices) {
    const decision: Decision = {
      id: crypto.randomUUID(),
      slot,
      block: block?.key ?? null,
      variant: variant?.key ?? null,
      reason,
      until,
    };
    const rendered = template?.render(scopeOf(viewer, context), now);
    if (rendered?.html === undefined && template)
      answers[slot] = { html: null, decision: { ...decision, variant: null, reason: "error" } };
    else answers[slot] = { html: rendered?.html ?? null, decision };
  }
  return answers;
}

function scopeOf(viewer: Viewer, context: JsonObject | undefined): Scope {
  const segment = Object.fromEntries(Object.keys(viewer.segments).map((key) => [key, true]));
  const isAllowed = viewer.consent?.includes("personalization") ?? true;
  return { customer: isAllowed ? viewer.traits : {}, segment: isAllowed ? segment : {}, context: context ?? {} };
}

/** The first variant whose audience is true; the answer holds as long as every audience asked for it does. */
function chooseVariant(
  block: LiveBlock,
  audiences: readonly Answer[],
): { variant: LiveVariant | null; reason: Reason; until: number | null } {
  let until: number | null = null;
  let withheld = false;
  for (const variant of block.variants) {
    const answer: Answer = variant.audience === null ? { value: true, until: null } : audiences[variant.audience]!;
    if (answer.until !== null && (until === null || answer.until < until)) until = answer.until;
    if (answer.value === true) return { variant, reason: "targeted", until };
    if (answer.value === "unknown") withheld = true;
  }
  return { variant: null, reason: withheld ? "no-consent" : "fallback", until };
}

/** Memberships and this request's context come with the request; traits do not. */
function needsNothingStored({ variables }: LiveTemplate): boolean {
  return variables.traits?.length === 0 && !variables.cart && !variables.recommendations;
}
