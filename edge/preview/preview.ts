/** A slot decided and rendered as somebody would get it: drafts, other times and people who do not exist included. */
import type { Decision } from "../../shared/decision.ts";
import type { Subject } from "../../shared/engine/types.ts";
import type { ManifestBlock } from "../../shared/manifest.ts";
import { decideSlots, type SlotAnswer, scopeOf, showVariant } from "../blocks/decide.ts";
import { type Asking, explainDecision, explainVariants, type VariantWhy } from "../blocks/explain.ts";
import { checkTemplate } from "../blocks/liquid.ts";
import { readBlock, readBlockVersion } from "../db/blocks.ts";
import type { Decisions } from "../db/profiles.ts";
import { cardOf, type GivenCard } from "../email/card.ts";
import { linkOf } from "../email/give.ts";
import { toPlainText } from "../email/text.ts";
import { siteOf } from "../email/texts.ts";
import type { Env } from "../env.ts";
import type { LiveSite } from "../manifest/live.ts";
import { buildLiveSlot, type LiveBlock, type LiveSlot, type LiveVariant } from "../manifest/slot.ts";
import { LiveTemplate } from "../manifest/template.ts";
import { Problem } from "../problem.ts";
import { buildContext, type Surroundings } from "./context.ts";
import { type Asked, answerSegments, readSubject } from "./subject.ts";

/** How many instants, at most, are looked at for the next change. */
const LOOKS = 16;

/** A template by itself; or a block by itself; or a slot as it is live, with that version of the block in its place. */
export interface BlockAsked extends Asked, Surroundings {
  template?: string | undefined;
  block?: string | undefined;
  slot?: string | undefined;
  version: "draft" | "live" | number;
  /** In place of what is decided, whomever it is for. */
  show?: Showing | undefined;
}

/** What a link is made for. */
export interface SharedAsked extends BlockAsked {
  /** Others for whom it can be looked at. */
  personas?: { name: string; profile: BlockAsked["profile"] }[] | undefined;
}

/** A variant of a block in the slot; null: the block's fallback. */
export interface Showing {
  block: string;
  variant: string | null;
}

/** What time alone makes of it. */
export interface NextChange extends Pick<SlotAnswer, "html" | "decision"> {
  at: number;
  says: string;
}

export interface SlotPreview extends Pick<SlotAnswer, "html" | "decision"> {
  /** Among which it was chosen. */
  slot: LiveSlot;
  says: string;
  /** As an e-mail without HTML would show it. */
  text: string | null;
  /** Where a click in an e-mail leads; null: nowhere of its own. */
  link: string | null;
  /** What an e-mail shows of it as an image, not painted yet; null: nothing. */
  card: GivenCard | null;
  why: VariantWhy[];
  /** Null where nothing changes by time alone, or not within the next instants at which anything asked may, and with `show`. */
  next: NextChange | null;
}

export interface BlockPreview {
  timeZone: string;
  now: number;
  /** Memberships, each with its until. */
  segments: { [key: string]: number | null };
  /** Of a template by itself there is nothing but `html`. */
  shown: SlotPreview | { html: string };
}

/**
 * @param present the moment of asking
 * @throws Problem `not-found`, pointing at what there is not; `invalid-template`; `invalid-request` for a block of another slot
 */
export async function previewBlock(
  env: Env,
  siteId: string,
  asked: BlockAsked,
  present: number,
): Promise<BlockPreview> {
  const { live, subject: person, now } = await readSubject(env, siteId, asked, present);
  const { timeZone } = live.manifest.settings;
  const context = buildContext(asked, person.context);
  const subject = { ...person, ...(context && { context }) };
  const found = asked.template === undefined ? await findSlot(env.DB, live, asked) : null;

  const askAt = (at: number) => buildAsking(live, subject, found?.slot.segmentKeys ?? [], at);
  const asking = askAt(now);
  const segments = Object.fromEntries(Object.entries(asking.viewer.segments).map(([key, [, until]]) => [key, until]));
  const shown = found
    ? await previewSlot(live, found, asked.show, asking, askAt)
    : renderAlone(live, asked.template!, asking);
  return { timeZone, now, segments, shown };
}

interface FoundSlot {
  name: string;
  slot: LiveSlot;
}

async function previewSlot(
  live: LiveSite,
  { name, slot }: FoundSlot,
  show: Showing | undefined,
  asking: Asking,
  askAt: (at: number) => Asking,
): Promise<SlotPreview> {
  const decide = ({ viewer, subject, now }: Asking) =>
    decideSlots({ ...live, slots: new Map([[name, slot]]) }, [name], viewer, subject.context, now)[name]!;
  const decided = decide(asking);
  const answer = show ? showAsked(show) : decided;
  const { html, decision, block, variant } = answer;
  const by = explainDecided(decided, asking);
  return {
    ...{ html, decision, slot },
    says: show ? `${explainDecision(answer, asking)} By itself: ${by}` : by,
    text: html === null ? null : await toPlainText(html),
    link: block && variant && linkOf(block, variant, live, asking.viewer, asking.now),
    card: cardOf({ ...answer, recipient: { view: async () => asking.viewer } }, live, asking.now),
    why: explainVariants(slot, decided, asking),
    next: show ? null : findNext(decided.until),
  };

  function showAsked(show: Showing): SlotAnswer {
    const { block, variant } = findShown(slot, show);
    const { viewer, subject, now } = asking;
    return showVariant(name, block, variant, viewer, subject.context, now);
  }

  function explainDecided(answer: SlotAnswer, asking: Asking): string {
    if (slot.blocks.length === 0) return "There is no live block in this slot: the page's own content stays.";
    return explainDecision(answer, asking);
  }

  function findNext(at: number | null): NextChange | null {
    for (let look = 0; look < LOOKS && at !== null; look++) {
      const later = askAt(at);
      const then = decide(later);
      if (!isSame(then.decision, decided.decision))
        return { at, html: then.html, decision: then.decision, says: explainDecision(then, later) };
      at = then.until;
    }
    return null;
  }
}

function isSame(a: Decision, b: Decision): boolean {
  return a.block === b.block && a.variant === b.variant && a.reason === b.reason;
}

function findShown(
  { blocks }: LiveSlot,
  { block: key, variant: name }: Showing,
): { block: LiveBlock; variant: LiveVariant | null } {
  const block = blocks.find((block) => block.key === key);
  const variant = block?.variants.find((variant) => variant.key === name) ?? null;
  if (block && (variant || (name === null && block.fallback))) return { block, variant };
  throw missing(
    "/show",
    `What is looked at has no ${name === null ? "fallback" : `variant ${name}`} of a block ${key}.`,
  );
}

/** The site's slot, or one of the block alone. */
async function findSlot(db: D1Database, live: LiveSite, { block: key, slot, version }: BlockAsked): Promise<FoundSlot> {
  const { siteId, blocks, segments } = live.manifest;
  const block = key === undefined ? null : await findBlock(db, siteId, key, version);
  const name = slot ?? block!.slot;
  if (block && block.slot !== name) {
    const detail = `The block ${key} fills the slot ${block.slot}.`;
    throw new Problem("invalid-request", detail, { errors: [{ pointer: "/slot", code: "other-slot", detail }] });
  }
  const others = slot === undefined ? [] : blocks.filter((other) => other.slot === name && other.key !== key);
  const isPublic = (key: string) => segments.some((segment) => segment.key === key && segment.visibility === "public");
  return { name, slot: buildLiveSlot(block ? [...others, block] : others, siteOf(live), isPublic) };
}

async function findBlock(
  db: D1Database,
  siteId: string,
  key: string,
  version: BlockAsked["version"],
): Promise<ManifestBlock> {
  const draft = await readBlock(db, siteId, key);
  const number = version === "live" ? draft?.liveVersion : version;
  const block = number === "draft" ? draft : draft && number ? await readBlockVersion(db, siteId, key, number) : null;
  if (block && draft?.status !== "archived") return block;
  if (!draft || draft.status === "archived") throw missing("/block", `There is no block ${key}.`);
  const detail =
    version === "live" ? `Nothing of the block ${key} is live.` : `Version ${version} of ${key} was never published.`;
  throw missing("/version", detail);
}

function missing(pointer: string, detail: string): Problem {
  return new Problem("not-found", detail, { errors: [{ pointer, code: "unknown", detail }] });
}

function renderAlone(live: LiveSite, source: string, { viewer, subject, now }: Asking): { html: string } {
  const checked = checkTemplate(source);
  if ("errors" in checked) {
    const errors = checked.errors.map((error) => ({ ...error, pointer: "/template" }));
    throw new Problem("invalid-template", errors[0]?.detail, { errors });
  }
  const template = new LiveTemplate(source, siteOf(live));
  const { html, error } = template.render(scopeOf(viewer, subject.context, template), now);
  if (html !== undefined) return { html };
  const detail = `It stops while rendering: ${error}`;
  throw new Problem("invalid-template", detail, { errors: [{ pointer: "/template", code: "render", detail: error }] });
}

/** @param keys segments that the slot's audiences look at: when one of them may change, the answer may */
export function buildAsking(live: LiveSite, subject: Subject, keys: readonly string[], now: number): Asking {
  const answers = answerSegments(live, subject, now);
  const segments: Decisions = {};
  let wakesAt: number | null = null;
  for (const [key, { value, until }] of Object.entries(answers)) {
    if (value === true) segments[key] = [now, until];
    if (keys.includes(key) && until !== null && (wakesAt === null || until < wakesAt)) wakesAt = until;
  }
  const { id = "", traits, events, consent } = subject;
  return {
    subject: { ...subject, segments: answers },
    viewer: { stableId: id, segments, wakesAt, traits, events, consent },
    now,
    timeZone: live.manifest.settings.timeZone,
    rules: live.manifest.segments.flatMap(({ key, condition }) => (condition ? [{ key, condition }] : [])),
  };
}
