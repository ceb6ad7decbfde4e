/** Makes what is saved live: one more version of the site, in KV for every location and in this isolate's memory at once. */

import { stableIdOf } from "../../shared/hash.ts";
import type { Manifest, RulesVersion } from "../../shared/manifest.ts";
import { startBackfill } from "../db/backfills.ts";
import { insertRules, type RuleSet } from "../db/rules.ts";
import { listUnspread, markSpread, publishSite, selectSite } from "../db/sites.ts";
import type { Env } from "../env.ts";
import { KV_TURN_MS, tryPut } from "../kv.ts";
import { log } from "../log.ts";
import { Problem } from "../problem.ts";
import { readManifest } from "./build.ts";
import { buildLiveSite, type LiveSite } from "./live.ts";
import { rememberSite } from "./memory.ts";

/** A publish right after another waits for its turn. */
const KV_ATTEMPTS = 3;
/** Publishes of the same site that may come first. */
const ATTEMPTS = 5;

export function manifestKey(siteId: string): string {
  return `manifest:${siteId}`;
}

/**
 * Publishes in one transaction: whoever reads the site finds all of it or nothing. Where the rules have changed, they are kept, and
 * the backfill that decides everybody anew is started; it runs from the cron trigger, or sooner (`backfillSite`).
 *
 * @throws Problem `not-found` without such a site; `overloaded` when others publish it at once (what was saved stays saved)
 */
export async function publish(env: Env, siteId: string, now: number): Promise<LiveSite> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const saved = await readManifest(env.DB, siteId, selectSite(env.DB, siteId), now);
    if (!saved) throw new Problem("not-found");
    const version = saved.version + 1;
    const rulesHash = hashRules(saved);
    const results = await env.DB.batch<RulesVersion>([
      startBackfill(env.DB, siteId, version, rulesHash, now),
      ...insertRules(env.DB, siteId, version, rulesHash, rulesOf(saved), now),
      publishSite(env.DB, siteId, version, rulesHash, now),
    ]);
    const rules = results.at(-1)?.results[0];
    if (!rules) continue; // another publish came first
    const manifest = { ...saved, version, rules };
    const live = buildLiveSite(manifest);
    rememberSite(live, now);
    await spreadManifest(env, manifest, now);
    return live;
  }
  throw new Problem("overloaded", "Saved, but not published yet: try again.", { retryAfterSeconds: 2 });
}

/** Puts into KV what it did not take when it was published. @returns how many sites */
export async function spreadManifests(env: Env, now: number, most: number): Promise<number> {
  const siteIds = await listUnspread(env.DB, most);
  for (const siteId of siteIds) {
    const manifest = await readManifest(env.DB, siteId, selectSite(env.DB, siteId), now);
    if (manifest) await spreadManifest(env, manifest, now);
  }
  return siteIds.length;
}

/** All that decides who is who, and in which segment. */
function rulesOf({ settings, segments }: Manifest): RuleSet {
  const { timeZone, consentDefault, identity } = settings;
  const rules = segments.map(({ name: _name, visibility: _visibility, ...rule }) => rule);
  return { timeZone, consentDefault, ...(identity && { identity }), segments: rules };
}

/** The same for rules that say the same, whatever the version of a segment. */
function hashRules(manifest: Manifest): string {
  const { timeZone, consentDefault, identity, segments } = rulesOf(manifest);
  const rules = segments.map(({ key, kind, condition }) => [key, kind, condition]);
  return stableIdOf(JSON.stringify([timeZone, consentDefault, rules, ...(identity ? [identity] : [])]));
}

/**
 * Puts a manifest into KV; where KV does not take it, the cron trigger does so later. If a publish overtakes, the older manifest must
 * not stay there.
 */
async function spreadManifest({ DB, KV }: Env, manifest: Manifest, now: number): Promise<void> {
  const { siteId } = manifest;
  for (let newest: Manifest | null = manifest; newest; ) {
    if (!(await put(KV, manifestKey(siteId), JSON.stringify(newest)))) {
      log("warn", { siteId, problem: "the manifest is not in KV yet" });
      return;
    }
    if (await markSpread(DB, siteId, newest.version)) return;
    newest = await readManifest(DB, siteId, selectSite(DB, siteId), now);
  }
}

/** @returns false where KV does not take it */
async function put(kv: KVNamespace, key: string, value: string): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    if (await tryPut(kv, key, value)) return true;
    if (attempt === KV_ATTEMPTS) return false;
    await scheduler.wait(KV_TURN_MS);
  }
}
