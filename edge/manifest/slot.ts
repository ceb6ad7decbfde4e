/** What is published for a slot, made ready to decide: its blocks in order, their rules compiled, their templates parsed when first needed. */
import type { Condition } from "../../shared/condition.ts";
import { analyze } from "../../shared/engine/analyze.ts";
import { createEvaluator } from "../../shared/engine/evaluation.ts";
import type { Program, Rule } from "../../shared/engine/types.ts";
import { offsetOf, wallToInstant } from "../../shared/engine/zone.ts";
import type { Cap, ManifestBlock, Schedule, Variant } from "../../shared/manifest.ts";
import { LiveTemplate, type TemplateSite } from "./template.ts";

/** What must be read before an audience can be decided. Nothing but segments and context: the token is enough. */
export interface AudienceNeeds {
  events: boolean;
  traits: boolean;
  context: boolean;
  /** The person's stable id. */
  id: boolean;
  segments: readonly string[];
}

export interface LiveVariant {
  key: string;
  /** Its audience, and the block's cap; null: everyone. */
  condition: Condition | null;
  /** Position of its rule in `LiveSlot.audiences`; null: everyone. */
  audience: number | null;
  needs: AudienceNeeds;
  /** Anybody could get it by behaving: nothing but public segments and what a request says of itself stands before it. */
  isOpen: boolean;
  template: LiveTemplate;
  source: Variant;
}

export interface LiveBlock {
  key: string;
  version: number;
  variants: LiveVariant[];
  fallback: LiveTemplate | null;
  /** Epoch milliseconds, `to` excluded; infinite where it is open. */
  from: number;
  to: number;
  /** It is shown so often at most: no showing says that there may be another. */
  isCapped: boolean;
  safeIfStale: boolean;
}

export interface LiveSlot {
  /** In the order in which they are asked. */
  blocks: LiveBlock[];
  /** The rules of all variants; memberships come in as `subject.segments`. */
  audiences: Program;
  /** Segments that its audiences look at. */
  segmentKeys: readonly string[];
  /** All its audiences can be decided from memberships, context and the stable id alone. */
  tokenOnly: boolean;
}

type BlockOrder = Pick<ManifestBlock, "key" | "priority">;

const NO_NEEDS: AudienceNeeds = { events: false, traits: false, context: false, id: false, segments: [] };

/** The condition that somebody has not seen a block as often as its cap allows. Exposures come from the script and from e-mails. */
export function capCondition(block: string, { times, within }: Cap): Condition {
  return { event: "Attune Exposure", where: { block: { eq: block } }, count: { lt: times }, within };
}

/** What decides who gets a variant: its audience, and the cap of its block. */
export function conditionOf(block: ManifestBlock, { audience }: Variant): Condition | null {
  if (!block.cap) return audience;
  const cap = capCondition(block.key, block.cap);
  return audience ? { all: [audience, cap] } : cap;
}

/** Epoch milliseconds, infinite where it is open. */
export function boundsOf({ from, to }: Schedule, timeZone: string): { from: number; to: number } {
  // Costly: most blocks have no schedule.
  const offset = ((from || to) && offsetOf(timeZone)) || (() => 0);
  const toInstant = (wall: string) => wallToInstant(Date.parse(`${wall}Z`), offset);
  return { from: from ? toInstant(from) : -Infinity, to: to ? toInstant(to) : Infinity };
}

/**
 * @param isPublic says of a segment's key whether anybody may hear of it
 * @param published all blocks of the slot, in any order
 */
export function buildLiveSlot(
  published: readonly ManifestBlock[],
  site: TemplateSite,
  isPublic: (segment: string) => boolean,
): LiveSlot {
  const rules: Rule[] = [];
  const blocks = [...published].sort(compareBlocks).map(buildBlock);
  const needs = blocks.flatMap(({ variants }) => variants.map((variant) => variant.needs));
  return {
    blocks,
    audiences: createEvaluator(rules, { timeZone: site.timeZone }),
    segmentKeys: [...new Set(needs.flatMap(({ segments }) => segments))],
    tokenOnly: needs.every(({ events, traits }) => !events && !traits),
  };

  function buildBlock(block: ManifestBlock): LiveBlock {
    return {
      key: block.key,
      version: block.version,
      variants: block.variants.map((variant) => buildVariant(block, variant)),
      fallback: block.fallback === null ? null : new LiveTemplate(block.fallback, site),
      ...boundsOf(block.schedule ?? {}, site.timeZone),
      isCapped: block.cap !== undefined,
      safeIfStale: block.safeIfStale ?? true,
    };
  }

  function buildVariant(block: ManifestBlock, source: Variant): LiveVariant {
    const condition = conditionOf(block, source);
    const needs = condition ? needsOfAudience(condition) : NO_NEEDS;
    return {
      key: source.key,
      condition,
      // A slash cannot be part of a segment's key: audiences and segments never share a name.
      audience: condition ? rules.push({ key: `${block.key}/${source.key}`, condition }) - 1 : null,
      needs,
      isOpen: !needs.events && !needs.traits && needs.segments.every(isPublic),
      template: new LiveTemplate(source.template, site),
      source,
    };
  }
}

/** Larger priorities first, then by key: an order that nothing but the blocks themselves makes. */
export function compareBlocks(a: BlockOrder, b: BlockOrder): number {
  return (b.priority ?? 0) - (a.priority ?? 0) || (a.key < b.key ? -1 : 1);
}

function needsOfAudience(audience: Condition): AudienceNeeds {
  const found = analyze(audience);
  return {
    events: found.events.length > 0,
    traits: found.traits.length > 0,
    context: found.context.length > 0,
    id: found.sampled,
    segments: found.segments,
  };
}
