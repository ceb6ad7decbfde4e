/** Decides slots for one person and renders what was decided: which variant, why, and until when that holds. */
import type { Decision, Reason } from "../../shared/decision.ts";
import type { Answer } from "../../shared/engine/types.ts";
import type { HistoryEvent, JsonObject } from "../../shared/event.ts";
import type { Purpose } from "../../shared/consent.ts";
import type { Decisions } from "../db/profiles.ts";
import type { LiveBlock, LiveSite, LiveVariant } from "../manifest/live.ts";
import type { LiveTemplate } from "../manifest/template.ts";

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

/** Somebody of whom nothing is known. */
export const NOBODY: Viewer = { stableId: "", segments: {}, wakesAt: null, traits: {}, events: [], consent: undefined };

/** True if the slot's block can be decided and rendered from what a token tells. */
export function isTokenEnough(live: LiveSite, slot: string): boolean {
  const block = live.blocks.get(slot);
  if (!block) return true;
  return block.tokenOnly && templatesOf(block).every((template) => !template.variables.personal || onlySegments(template));
}

/**
 * Decides and renders.
 *
 * @param slots names of slots; one without a published block answers `no-block`
 */
export function decideSlots(
  live: LiveSite,
  slots: readonly string[],
  viewer: Viewer,
  context: JsonObject | undefined,
  now: number,
): { [slot: string]: SlotAnswer } {
  const segments: { [key: string]: Answer } = Object.create(null);
  for (const { key } of live.manifest.segments) {
    const member = Object.hasOwn(viewer.segments, key) ? viewer.segments[key] : undefined;
    segments[key] = member ? { value: true, until: member[1] } : { value: false, until: viewer.wakesAt };
  }
  const audiences = live.audiences.evaluate(
    {
      id: viewer.stableId,
      traits: viewer.traits,
      events: viewer.events,
      segments,
      ...(context && { context }),
      ...(viewer.consent && { consent: viewer.consent }),
    },
    now,
  );
  const scope = {
    customer: viewer.traits,
    segment: Object.fromEntries(Object.keys(viewer.segments).map((key) => [key, true])),
    context: context ?? {},
  };
  const answers: { [slot: string]: SlotAnswer } = Object.create(null);
  for (const slot of slots) {
    const block = live.blocks.get(slot);
    answers[slot] = block ? decideBlock(block) : { html: null, decision: decisionOf(slot, null, null, "no-block", null) };
  }
  return answers;

  function decideBlock(block: LiveBlock): SlotAnswer {
    const { variant, reason, until } = chooseVariant(block, audiences);
    const template = variant ? variant.template : block.fallback;
    if (!template) return { html: null, decision: decisionOf(block.slot, block.key, null, reason, until) };
    const rendered = template.render(scope, now);
    if (rendered.html === undefined)
      return { html: null, decision: decisionOf(block.slot, block.key, null, "error", until) };
    const key = variant?.key ?? null;
    return { html: rendered.html, decision: decisionOf(block.slot, block.key, key, reason, until) };
  }
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

function decisionOf(
  slot: string,
  block: string | null,
  variant: string | null,
  reason: Reason,
  until: number | null,
): Decision {
  return { id: crypto.randomUUID(), slot, block, variant, reason, until };
}

function templatesOf(block: LiveBlock): LiveTemplate[] {
  const templates = block.variants.map((variant) => variant.template);
  return block.fallback ? [...templates, block.fallback] : templates;
}

function onlySegments({ variables }: LiveTemplate): boolean {
  return variables.traits?.length === 0 && !variables.cart && !variables.recommendations;
}
