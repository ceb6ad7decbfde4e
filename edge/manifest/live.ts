/** A manifest made ready to decide and render with: rules compiled, templates parsed when first needed. One per site and version. */

import type { Condition } from "../../shared/condition.ts";
import type { ConsentMode } from "../../shared/consent.ts";
import { createEvaluator, type Evaluator } from "../../shared/engine/evaluation.ts";
import { stableIdOf } from "../../shared/hash.ts";
import { type Needs, needsOf } from "../../shared/history.ts";
import type { Manifest, ManifestSegment } from "../../shared/manifest.ts";
import { CART_EVENTS, showsCart } from "../blocks/cart.ts";
import { buildPolicy, type IdentityPolicy } from "../identity/policy.ts";
import { buildPublicManifest } from "./build.ts";
import { buildLiveSlot, type LiveSlot } from "./slot.ts";

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
  /** What of a person's history `program`, `slots` and carts look at. */
  needs: Needs;
  /** Version of each segment, by key. */
  versions: ReadonlyMap<string, number>;
  /** The static segments: uploads say who is in them. */
  lists: readonly ManifestSegment[];
  /** What is published, by slot. */
  slots: ReadonlyMap<string, LiveSlot>;
  publicManifest: PublicBody;
  /** The same for visitors where consent comes first, whatever the site assumes elsewhere. */
  strictManifest: PublicBody;
  /** True for an origin that may call from a browser. */
  allowsOrigin(origin: string): boolean;
}

export function buildLiveSite(manifest: Manifest): LiveSite {
  const { timeZone, origins, identity, consentDefault, consentRegion } = manifest.settings;
  const rules = manifest.segments.flatMap(({ key, condition }) => (condition ? [{ key, condition }] : []));
  const isPublic = new Map(manifest.segments.map(({ key, visibility }) => [key, visibility === "public"]));
  const site = { id: manifest.siteId, name: manifest.name ?? "", timeZone };
  const bySlot = Map.groupBy(manifest.blocks, ({ slot }) => slot);
  const slots = new Map(
    bySlot.entries().map(([slot, blocks]) => [slot, buildLiveSlot(blocks, site, (key) => isPublic.get(key) ?? false)]),
  );
  const conditions = [...rules.map(({ condition }) => condition), ...[...slots.values()].flatMap(conditionsOf)];
  const published = buildPublicManifest(manifest);
  const assumed = consentRegion === "everywhere" ? consentDefault : "off";
  const allowed = new Set(origins.map((origin) => origin.toLowerCase()));

  return {
    manifest,
    identity: buildPolicy(identity),
    program: createEvaluator(rules, { timeZone }),
    needs: needsOf(conditions, manifest.blocks.some(showsCart) ? CART_EVENTS : []),
    versions: new Map(manifest.segments.map(({ key, version }) => [key, version])),
    lists: manifest.segments.filter(({ kind }) => kind === "static"),
    slots,
    publicManifest: toBody(consentDefault),
    strictManifest: toBody(assumed),
    allowsOrigin: (origin) => allowed.has("*") || allowed.has(origin.toLowerCase()),
  };

  function toBody(consentDefault: ConsentMode): PublicBody {
    const body = JSON.stringify({ ...published, consentDefault });
    // Not of the version: another Worker may ship the same rules in other words.
    return { body, etag: `"${stableIdOf(body)}"` };
  }
}

function conditionsOf({ blocks }: LiveSlot): Condition[] {
  return blocks.flatMap(({ variants }) => variants.flatMap(({ condition }) => condition ?? []));
}
