/** Finds a site: memory of this isolate, then KV, then D1. A memory of seconds answers at once and is renewed behind the answer. */
import type { Manifest } from "../../shared/manifest.ts";
import { readKey } from "../db/keys.ts";
import { readSiteRow, selectSite } from "../db/sites.ts";
import type { Env } from "../env.ts";
import { askKv, KV_CACHE_SECONDS } from "../kv.ts";
import { sha256 } from "../sha256.ts";
import { readManifest } from "./build.ts";
import { buildLiveSite, type LiveSite } from "./live.ts";
import { FRESH_MS, recallSite, recallSiteId, rememberSite, rememberSiteId, STALE_MS, UNKNOWN_MS } from "./memory.ts";
import { manifestKey } from "./publish.ts";
import { renewRevocations } from "./revoked.ts";

export interface Background {
  waitUntil(promise: Promise<unknown>): void;
}

/** Accepted by a local start only. */
export const DEMO_WRITE_KEY = "pk_demo";
export const DEMO_SECRET_KEY = "sk_demo";
const KEY_LENGTH = 100;
/** Whatever a race leaves in KV for a key that was revoked is gone after this. */
const KV_KEY_SECONDS = 3_600;

/** The site that a write key opens; null when it is unknown, revoked, or the demo's outside a local start. */
export async function readSiteByWriteKey(
  env: Env,
  context: Background,
  writeKey: string,
  now: number,
): Promise<LiveSite | null> {
  if (!writeKey.startsWith("pk_") || writeKey.length > KEY_LENGTH) return null;
  if (writeKey === DEMO_WRITE_KEY && env.ATTUNE_LOCAL !== "1") return null;
  const known = recallSiteId(writeKey);
  let siteId = known?.value;
  if (siteId && now - known!.at >= FRESH_MS) {
    known!.at = now; // one renewal at a time
    context.waitUntil(findSiteId(env, writeKey, now).catch(() => {}));
  } else if (siteId === undefined || (siteId === null && now - known!.at >= UNKNOWN_MS)) {
    siteId = await findSiteId(env, writeKey, now);
  }
  return siteId ? readSite(env, siteId, now, context) : null;
}

/**
 * The site as published; null when there is none. Without a context to work behind, or after a minute without a request, a stale
 * memory is renewed first.
 */
export async function readSite(env: Env, siteId: string, now: number, context?: Background): Promise<LiveSite | null> {
  const known = recallSite(siteId);
  if (!known) return loadSite(env, siteId, now);
  const age = now - known.at;
  if (age < FRESH_MS) return known.value;
  if (!context) return loadSite(env, siteId, now);
  // What is remembered is better than no answer.
  if (age >= STALE_MS) return loadSite(env, siteId, now).catch(() => known.value);
  known.at = now; // one renewal at a time
  context.waitUntil(loadSite(env, siteId, now).catch(() => {}));
  return known.value;
}

async function loadSite(env: Env, siteId: string, now: number): Promise<LiveSite | null> {
  const [stored] = await Promise.all([
    askKv(() => env.KV.get<Manifest>(manifestKey(siteId), { type: "json", cacheTtl: KV_CACHE_SECONDS })),
    renewRevocations(env, siteId, now),
  ]);
  // One that was put there before rules had an instant says nothing of it.
  const known = stored?.rules && stored;
  const manifest = known ?? (await rebuild(env, siteId, now, stored !== undefined));
  if (!manifest) return null;
  const recalled = recallSite(siteId)?.value;
  // Only another version is worth compiling.
  return rememberSite(recalled?.manifest.version === manifest.version ? recalled : buildLiveSite(manifest), now);
}

/** The site as D1 has it now, past whatever KV and this isolate remember. */
export async function renewSite(env: Env, siteId: string, now: number): Promise<LiveSite | null> {
  const manifest = await readManifest(env.DB, siteId, selectSite(env.DB, siteId), now);
  return manifest && rememberSite(buildLiveSite(manifest), now);
}

/** KV has lost it, never had it, or does not answer. If a publish overtakes, the older manifest must not stay in KV. */
async function rebuild(env: Env, siteId: string, now: number, keep: boolean): Promise<Manifest | null> {
  const manifest = await readManifest(env.DB, siteId, selectSite(env.DB, siteId), now);
  if (!manifest || !keep) return manifest;
  await askKv(() => env.KV.put(manifestKey(siteId), JSON.stringify(manifest)));
  const site = await readSiteRow(env.DB, siteId);
  return site && site.version !== manifest.version ? rebuild(env, siteId, now, keep) : manifest;
}

async function findSiteId(env: Env, writeKey: string, now: number): Promise<string | null> {
  const hash = await hashKey(writeKey);
  const name = writeKeyName(hash);
  const stored = await askKv(() => env.KV.get(name, { cacheTtl: KV_CACHE_SECONDS }));
  const siteId = stored ?? (await readKey(env.DB, hash, "write"))?.siteId ?? null;
  if (siteId && stored === null) await askKv(() => env.KV.put(name, siteId, { expirationTtl: KV_KEY_SECONDS }));
  rememberSiteId(writeKey, siteId, now);
  return siteId;
}

export function writeKeyName(hash: string): string {
  return `write-key:${hash}`;
}

/** SHA-256 in hex: all that is stored of a key. */
export function hashKey(key: string): Promise<string> {
  return sha256(key);
}
