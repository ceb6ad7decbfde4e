/** A manifest made ready to decide and render with: rules compiled, templates parsed when first needed. One per site and version. */

import type { Condition } from "../../shared/condition.ts";
import type { ConsentMode } from "../../shared/consent.ts";
import { analyze } from "../../shared/engine/analyze.ts";
import { createEvaluator, type Evaluator } from "../../shared/engine/evaluation.ts";
import type { Program } from "../../shared/engine/types.ts";
import { stableIdOf } from "../../shared/hash.ts";
import { type Needs, needsOf } from "../../shared/history.ts";
import type { Manifest, ManifestBlock, ManifestSegment, Variant } from "../../shared/manifest.ts";
import { buildPolicy, type IdentityPolicy } from "../identity/policy.ts";
import { buildPublicManifest } from "./build.ts";
import { LiveTemplate } from "./template.ts";

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
  /** Position of its rule in `LiveSite.audiences`; null: everyone. */
  audience: number | null;
  needs: AudienceNeeds;
  /** Anybody could get it by behaving: nothing but public segments and what a request says of itself stands before it. */
  isOpen: boolean;
  template: LiveTemplate;
}

export interface LiveBlock {
  key: string;
  slot: string;
  version: number;
  variants: LiveVariant[];
  fallback: LiveTemplate | null;
  /** Segments that its audiences look at. */
  segmentKeys: readonly string[];
  /** All its audiences can be decided from memberships, context and the stable id alone. */
  tokenOnly: boolean;
}

/** A public manifest as it is answered. */
interface PublicBody {
  body: string;
  etag: string;
}

export interface LiveSite {
  manifest: Manifest;
  /** Who is who. */
  identity: IdentityPolicy;
  /** The dynamic segments. */
  program: Evaluator;
  /** What of a person's history `program` and `audiences` look at. */
  needs: Needs;
  /** Version of each segment, by key. */
  versions: ReadonlyMap<string, number>;
  /** The static segments: uploads say who is in them. */
  lists: readonly ManifestSegment[];
  /** The audiences of all live variants; memberships come in as `subject.segments`. */
  audiences: Program;
  /** By slot. */
  blocks: ReadonlyMap<string, LiveBlock>;
  publicManifest: PublicBody;
  /** The same for visitors where consent comes first, whatever the site assumes elsewhere. */
  strictManifest: PublicBody;
  /** True for an origin that may call from a browser. */
  allowsOrigin(origin: string): boolean;
}

const NO_NEEDS: AudienceNeeds = { events: false, traits: false, context: false, id: false, segments: [] };

export function buildLiveSite(manifest: Manifest): LiveSite {
  const { timeZone, origins, identity, consentDefault, consentRegion } = manifest.settings;
  const rules = manifest.segments.flatMap(({ key, condition }) => (condition ? [{ key, condition }] : []));
  const audienceRules: { key: string; condition: Condition }[] = [];
  const isPublic = new Map(manifest.segments.map(({ key, visibility }) => [key, visibility === "public"]));
  const site = { id: manifest.siteId, timeZone };
  const blocks = new Map(manifest.blocks.map((block) => [block.slot, buildBlock(block)]));
  const conditions = [...rules, ...audienceRules].map(({ condition }) => condition);
  const published = buildPublicManifest(manifest);
  const assumed = consentRegion === "everywhere" ? consentDefault : "off";
  const allowed = new Set(origins.map((origin) => origin.toLowerCase()));

  return {
    manifest,
    identity: buildPolicy(identity),
    program: createEvaluator(rules, { timeZone }),
    needs: needsOf(conditions),
    versions: new Map(manifest.segments.map(({ key, version }) => [key, version])),
    lists: manifest.segments.filter(({ kind }) => kind === "static"),
    audiences: createEvaluator(audienceRules, { timeZone }),
    blocks,
    publicManifest: toBody(consentDefault),
    strictManifest: toBody(assumed),
    allowsOrigin: (origin) => allowed.has("*") || allowed.has(origin.toLowerCase()),
  };

  function toBody(consentDefault: ConsentMode): PublicBody {
    const body = JSON.stringify({ ...published, consentDefault });
    // Not of the version: another Worker may ship the same rules in other words.
    return { body, etag: `"${stableIdOf(body)}"` };
  }

  function buildBlock(block: ManifestBlock): LiveBlock {
    const variants = block.variants.map((variant) => buildVariant(block, variant));
    return {
      key: block.key,
      slot: block.slot,
      version: block.version,
      variants,
      fallback: block.fallback === null ? null : new LiveTemplate(block.fallback, site),
      segmentKeys: [...new Set(variants.flatMap(({ needs }) => needs.segments))],
      tokenOnly: variants.every(({ needs }) => !needs.events && !needs.traits),
    };
  }

  function buildVariant(block: ManifestBlock, { key, audience, template }: Variant): LiveVariant {
    const live = { key, template: new LiveTemplate(template, site) };
    if (!audience) return { ...live, audience: null, needs: NO_NEEDS, isOpen: true };
    // A slash cannot be part of a segment's key: audiences and segments never share a name.
    audienceRules.push({ key: `${block.key}/${key}`, condition: audience });
    const needs = needsOfAudience(audience);
    const isOpen = !needs.events && !needs.traits && needs.segments.every((key) => isPublic.get(key));
    return { ...live, audience: audienceRules.length - 1, needs, isOpen };
  }
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
