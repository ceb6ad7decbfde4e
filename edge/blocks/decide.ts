/** Decides slots for one person and renders what was decided: which variant, why, and until when that holds. */

import type { Purpose } from "../../shared/consent.ts";
import type { Decision, Reason } from "../../shared/decision.ts";
import type { Answer, Subject } from "../../shared/engine/types.ts";
import type { HistoryEvent, JsonObject } from "../../shared/event.ts";
import type { Decisions } from "../db/profiles.ts";
import type { LiveSite } from "../manifest/live.ts";
import type { LiveBlock, LiveSlot, LiveVariant } from "../manifest/slot.ts";
import type { LiveTemplate } from "../manifest/template.ts";
import { allows } from "../profiles/person.ts";
import { readCart } from "./cart.ts";
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
  /** The same as JSON, where everybody gets it. */
  json?: string | undefined;
  /** Its `until` is now where it is for one showing: whoever shows it again asks again. */
  decision: Decision;
  /** Until when time alone does not change it. */
  until: number | null;
  block: LiveBlock | null;
  variant: LiveVariant | null;
}

/** Key of the variant wanted, by slot. */
type Simulated = { [slot: string]: string };

/** Somebody of whom nothing is known. */
export const NOBODY: Viewer = { stableId: "", segments: {}, wakesAt: null, traits: {}, events: [], consent: undefined };

/** What a slot is given before anything is rendered. */
interface Choice {
  block: LiveBlock | null;
  variant: LiveVariant | null;
  template: LiveTemplate | null;
  reason: Reason;
  until: number | null;
  /** For one showing. */
  isOnce: boolean;
}

const NO_BLOCK: Choice = {
  block: null,
  variant: null,
  template: null,
  reason: "no-block",
  until: null,
  isOnce: false,
};

/** False where an audience of a slot needs what only storage knows. */
export function isTokenOnly(live: LiveSite, slots: readonly string[]): boolean {
  return slots.every((slot) => live.slots.get(slot)?.tokenOnly ?? true);
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
  const choices = slots.map((slot) => chooseSlot(live, slot, viewer, context, now, variants));
  if (!choices.every(({ template }) => template === null || needsNothingStored(template))) return null;
  return renderSlots(slots, choices, viewer, context, now);
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
  const choices = slots.map((slot) => chooseSlot(live, slot, viewer, context, now, variants));
  return renderSlots(slots, choices, viewer, context, now);
}

/**
 * Decides slots when there is no time to read storage: what can be said without it of somebody of whom only this is known, maybe
 * not any more, and `error` for the rest. It holds for this moment alone.
 */
export function decideInHaste(
  live: LiveSite,
  slots: readonly string[],
  viewer: Viewer,
  context: JsonObject | undefined,
  now: number,
): { [slot: string]: SlotAnswer } {
  const choices = slots.map((slot): Choice => {
    const choice = isTokenOnly(live, [slot]) ? chooseSlot(live, slot, viewer, context, now) : null;
    const isKnown = choice && (choice.template === null || needsNothingStored(choice.template));
    return { ...(isKnown ? choice : { ...NO_BLOCK, reason: "error" }), isOnce: true };
  });
  return renderSlots(slots, choices, viewer, context, now);
}

/** A variant for somebody whom it need not be for, as `simulated`; null: the block's fallback. */
export function showVariant(
  slot: string,
  block: LiveBlock,
  variant: LiveVariant | null,
  viewer: Viewer,
  context: JsonObject | undefined,
  now: number,
): SlotAnswer {
  const template = variant ? variant.template : block.fallback;
  const choice: Choice = { block, variant, template, reason: "simulated", until: null, isOnce: true };
  return renderSlots([slot], [choice], viewer, context, now)[slot]!;
}

function chooseSlot(
  live: LiveSite,
  name: string,
  viewer: Viewer,
  context: JsonObject | undefined,
  now: number,
  variants: Simulated = {},
): Choice {
  const slot = live.slots.get(name);
  if (!slot) return NO_BLOCK;
  const wanted = Object.hasOwn(variants, name) ? variants[name] : undefined;
  for (const block of slot.blocks) {
    const variant = block.variants.find(({ key, isOpen }) => isOpen && key === wanted);
    if (variant) return { block, variant, template: variant.template, reason: "simulated", until: null, isOnce: true };
  }
  return chooseVariant(slot, askAudiences(slot, viewer, context, now), now);
}

/** What the rules of a slot say of somebody, in their order. */
export function askAudiences(
  slot: LiveSlot,
  viewer: Viewer,
  context: JsonObject | undefined,
  now: number,
): readonly Answer[] {
  if (!slot.audiences.keys.length) return [];
  return slot.audiences.evaluate(subjectOf(slot, viewer, context), now);
}

/** Somebody as the audiences of a slot look at one. */
export function subjectOf(slot: LiveSlot, viewer: Viewer, context: JsonObject | undefined): Subject {
  const segments: { [key: string]: Answer } = Object.create(null);
  for (const key of slot.segmentKeys) {
    const member = Object.hasOwn(viewer.segments, key) ? viewer.segments[key] : undefined;
    segments[key] = member ? { value: true, until: member[1] } : { value: false, until: viewer.wakesAt };
  }
  const { stableId, traits, events, consent } = viewer;
  return { id: stableId, traits, events, segments, ...(context && { context }), ...(consent && { consent }) };
}

/**
 * The first variant whose audience is true, of the first block that has one and is in its time; else the first fallback. The answer
 * holds as long as all that was asked for it does.
 */
function chooseVariant({ blocks }: LiveSlot, audiences: readonly Answer[], now: number): Choice {
  let until = Infinity;
  let withheld = false;
  let last: LiveBlock | undefined;
  for (const block of blocks) {
    if (now >= block.to) continue;
    until = Math.min(until, now < block.from ? block.from : block.to);
    if (now < block.from) continue;
    for (const variant of block.variants) {
      const answer = variant.audience === null ? EVERYONE : audiences[variant.audience]!;
      until = Math.min(until, answer.until ?? Infinity);
      if (answer.value === true) {
        const { template } = variant;
        return { block, variant, template, reason: "targeted", until: toUntil(until), isOnce: block.isCapped };
      }
      if (answer.value === "unknown") withheld = true;
    }
    if (!last || (!last.fallback && block.fallback)) last = block;
  }
  if (!last) return { ...NO_BLOCK, until: toUntil(until) };
  const reason = withheld ? "no-consent" : "fallback";
  return { block: last, variant: null, template: last.fallback, reason, until: toUntil(until), isOnce: false };
}

const EVERYONE: Answer = { value: true, until: null };

const toUntil = (until: number) => (until === Infinity ? null : until);

function renderSlots(
  slots: readonly string[],
  choices: readonly Choice[],
  viewer: Viewer,
  context: JsonObject | undefined,
  now: number,
): { [slot: string]: SlotAnswer } {
  const answers: { [slot: string]: SlotAnswer } = Object.create(null);
  slots.forEach((slot, index) => {
    const { block, variant, template, reason, until, isOnce } = choices[index]!;
    const html = template && (template.render(scopeOf(viewer, context, template), now).html ?? null);
    const isBroken = template !== null && html === null;
    const decision: Decision = {
      id: crypto.randomUUID(),
      slot,
      block: block?.key ?? null,
      variant: isBroken ? null : (variant?.key ?? null),
      reason: isBroken ? "error" : reason,
      until: isOnce ? now : until,
    };
    answers[slot] = { html, json: html === null ? undefined : template?.sharedJson, decision, until, block, variant };
  });
  return answers;
}

/** What a template can name of somebody; nothing that consent withholds. */
export function scopeOf(
  { segments, traits, events, consent }: Viewer,
  context: JsonObject | undefined,
  { variables }: Pick<LiveTemplate, "variables">,
): Scope {
  if (!allows(consent, "personalization")) return { customer: {}, segment: {}, context: context ?? {} };
  return {
    customer: traits,
    segment: variables.segments?.length === 0 ? {} : toTrue(Object.keys(segments)),
    context: context ?? {},
    ...(variables.cart && allows(consent, "analytics") && { cart: readCart(events) }),
  };
}

function toTrue(keys: readonly string[]): { [key: string]: boolean } {
  return Object.fromEntries(keys.map((key) => [key, true]));
}

/** Memberships and this request's context come with the request; traits do not. */
function needsNothingStored({ variables }: LiveTemplate): boolean {
  return variables.traits?.length === 0 && !variables.cart && !variables.recommendations;
}
