/**
 * What a recipient of a send is given in a slot: decided once, and the same from then on, whatever is published or known later. A block that
 * is not safe when stale is decided anew once its answer has ended.
 */
import type { Decision } from "../../shared/decision.ts";
import {
  decideFromToken,
  decideSlots,
  isTokenOnly,
  NOBODY,
  type SlotAnswer,
  scopeOf,
  type Viewer,
} from "../blocks/decide.ts";
import { readBlockVersion } from "../db/blocks.ts";
import { keepSendDecision, readSendDecision, type SendDecision, type SendKey } from "../db/send-decisions.ts";
import { viewerOf } from "../delivery/viewer.ts";
import type { Env } from "../env.ts";
import type { LiveSite } from "../manifest/live.ts";
import { buildLiveSlot, type LiveBlock, type LiveVariant } from "../manifest/slot.ts";
import type { LiveTemplate } from "../manifest/template.ts";
import { allows, grantedPurposes } from "../profiles/person.ts";
import { readProfileView } from "../profiles/read.ts";
import { readSnapshot, viewerOfSnapshot } from "../profiles/snapshot.ts";
import type { EmailToken } from "../tokens.ts";
import { checkLink, linksOf } from "./link.ts";
import { siteOf, textOf } from "./texts.ts";

export interface Given {
  decision: Decision;
  block: LiveBlock | null;
  variant: LiveVariant | null;
  /** Where a click leads: https; null: nowhere of its own. */
  link: string | null;
  /** It is the same whenever it is asked for. */
  isKept: boolean;
  /** Until when all that it shows stays as it is; null = for good. Epoch milliseconds. */
  until: number | null;
  recipient: Recipient;
}

/** Whom a token names, read from storage when it is first needed. */
export class Recipient {
  /** The birth id of an identifier; null: nobody, or not any more. */
  readonly id: string | null;
  readonly #env: Env;
  readonly #live: LiveSite;
  readonly #now: number;
  #viewer: Promise<Viewer> | undefined;

  constructor(env: Env, live: LiveSite, said: EmailToken, now: number) {
    this.#env = env;
    this.#live = live;
    this.#now = now;
    this.id = (now < said.expiresAt && (said.birthId ?? said.profileId)) || null;
  }

  /** `NOBODY` for somebody who is not known. */
  view(): Promise<Viewer> {
    this.#viewer ??= this.#read();
    return this.#viewer;
  }

  async #read(): Promise<Viewer> {
    if (!this.id) return NOBODY;
    const profile = await readProfileView(this.#env.DB, this.#live, { id: this.id }, this.#now);
    return profile ? viewerOf(profile.person) : NOBODY;
  }
}

/** For somebody of whom nothing is known. It holds for this moment alone. */
export function giveNobody(env: Env, live: LiveSite, said: EmailToken, slot: string, now: number): Given {
  const recipient = new Recipient(env, live, { ...said, expiresAt: 0 }, now);
  const answer = decideSlots(live, [slot], NOBODY, undefined, now)[slot]!;
  return { ...toGiven(answer, live, recipient, NOBODY, now), until: now };
}

/**
 * @param mayKeep asked when a decision is made: whoever says no gets one that is not kept
 * @returns as it is kept, where it may be kept and the recipient is known
 */
export async function giveSlot(
  env: Env,
  live: LiveSite,
  said: EmailToken,
  slot: string,
  now: number,
  mayKeep: () => boolean,
): Promise<Given> {
  const recipient = new Recipient(env, live, said, now);
  const key = recipient.id ? { recipient: recipient.id, send: said.send, slot } : null;
  const kept = key && (await readSendDecision(env.DB, live.manifest.siteId, key, now));
  const known = kept && (await restore(env, live, key, kept, recipient));
  if (known && (known.until === null || now < known.until)) return known;

  const { answer, viewer } = await decide(env, live, said, slot, recipient, now);
  const given = toGiven(answer, live, recipient, viewer, now);
  const { decision, block, link } = given;
  if (!key || !block || viewer === NOBODY || decision.reason === "error" || !mayKeep()) return given;
  const { id, variant, reason, until } = decision;
  const mine: SendDecision = {
    ...{ id, block: block.key, blockVersion: block.version, variant, reason, until, link },
    ...{ decidedAt: now, expiresAt: said.expiresAt },
  };
  const { siteId, settings } = live.manifest;
  const isAssumed = allows(grantedPurposes({}, settings.consentDefault), "personalization");
  const needsConsent = allows(viewer.consent, "personalization") ? { isAssumed } : null;
  const first = await keepSendDecision(env.DB, siteId, key, mine, kept?.id ?? null, needsConsent);
  if (first?.id === id) return { ...given, isKept: true, until: endOf(block, until) };
  // Gone meanwhile, or not willing any more.
  if (!first) return giveNobody(env, live, said, slot, now);
  return (await restore(env, live, key, first, recipient)) ?? given;
}

async function decide(
  env: Env,
  live: LiveSite,
  said: EmailToken,
  slot: string,
  recipient: Recipient,
  now: number,
): Promise<{ answer: SlotAnswer; viewer: Viewer }> {
  const snapshot =
    recipient.id && isTokenOnly(live, [slot]) ? await readSnapshot(env, live, said.profileId, now) : null;
  if (snapshot?.ids.includes(recipient.id!)) {
    const viewer = viewerOfSnapshot(snapshot);
    const decided = decideFromToken(live, [slot], viewer, undefined, now);
    if (decided) return { answer: decided[slot]!, viewer };
  }
  const viewer = await recipient.view();
  return { answer: decideSlots(live, [slot], viewer, undefined, now)[slot]!, viewer };
}

/** A send is one showing, however often it is looked at: what a cap ends with that goes on for as long as time alone lets it. */
function toGiven(
  { decision, until, block, variant }: SlotAnswer,
  live: LiveSite,
  recipient: Recipient,
  viewer: Viewer,
  now: number,
): Given {
  const link = block && variant ? linkOf(block, variant, live, viewer, now) : null;
  return { decision: { ...decision, until }, block, variant, link, isKept: false, until, recipient };
}

/** Undefined where the version that was given is nowhere any more. */
async function restore(
  env: Env,
  live: LiveSite,
  { slot }: SendKey,
  { id, block: name, blockVersion, variant: variantKey, reason, until, link }: SendDecision,
  recipient: Recipient,
): Promise<Given | undefined> {
  const block = await readLiveBlock(env, live, slot, name, blockVersion);
  const variant = block?.variants.find(({ key }) => key === variantKey) ?? null;
  if (!block || (variantKey !== null && !variant)) return undefined;
  const decision: Decision = { id, slot, block: name, variant: variantKey, reason, until };
  return { decision, block, variant, link, isKept: true, until: endOf(block, until), recipient };
}

/** When a kept decision ends. */
function endOf(block: LiveBlock, until: number | null): number | null {
  return block.safeIfStale ? null : until;
}

/** Earlier versions of a site's blocks, made ready as the site is now. */
const earlier = new WeakMap<LiveSite, Map<string, LiveBlock>>();
const EARLIER = 100;

async function readLiveBlock(
  env: Env,
  live: LiveSite,
  slot: string,
  key: string,
  version: number,
): Promise<LiveBlock | undefined> {
  const current = live.slots.get(slot)?.blocks.find((block) => block.key === key && block.version === version);
  if (current) return current;
  const known = earlier.get(live) ?? new Map<string, LiveBlock>();
  earlier.set(live, known);
  const name = `${key} ${version}`;
  const remembered = known.get(name);
  if (remembered) return remembered;
  const stored = await readBlockVersion(env.DB, live.manifest.siteId, key, version);
  const block = stored && buildLiveSlot([stored], siteOf(live), () => false).blocks[0];
  if (!block) return undefined;
  if (known.size >= EARLIER) known.delete(known.keys().next().value!);
  known.set(name, block);
  return block;
}

/** Where a click leads, of a block's variant and for one person; null: nowhere of its own. */
export function linkOf(
  block: LiveBlock,
  { source }: LiveVariant,
  live: LiveSite,
  viewer: Viewer,
  now: number,
): string | null {
  if (source.link === undefined) return null;
  const text = textOf(source, source.link, live);
  const link = text.render(scopeOf(viewer, undefined, text), now).text;
  const links = linksOf({ variants: block.variants.map((variant) => variant.source) });
  return link === undefined ? null : checkLink(link, links, live.manifest.settings.origins);
}

/** What is shown of it as HTML, as it is for the recipient now; empty where nothing is. */
export async function renderGiven({ block, variant, recipient }: Given, now: number): Promise<string> {
  const template: LiveTemplate | null = variant ? variant.template : (block?.fallback ?? null);
  if (!template) return "";
  const viewer = template.variables.personal ? await recipient.view() : NOBODY;
  return template.render(scopeOf(viewer, undefined, template), now).html ?? "";
}
