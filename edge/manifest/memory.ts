/** What this isolate remembers of sites and write keys. Public configuration only, bounded, never of one request. */
import type { Revocations } from "../db/revocations.ts";
import type { LiveSite } from "./live.ts";

/** After this what is remembered is still used, and looked up again behind the answer. */
export const FRESH_MS = 15_000;
/** After this it is looked up first: an isolate that nobody asked for long has not heard what was published and revoked. */
export const STALE_MS = 60_000;
/** How long an unknown key stays unknown here. */
export const UNKNOWN_MS = 5_000;
const SITES = 500;
const KEYS = 2_000;

export interface Remembered<T> {
  value: T;
  at: number;
}

const sites = new Map<string, Remembered<LiveSite>>();
const siteIds = new Map<string, Remembered<string | null>>();
/** Of the sites that have any: never dropped for want of room, since they refuse. */
const revocations = new Map<string, Revocations>();

export function recallSite(siteId: string): Remembered<LiveSite> | undefined {
  return sites.get(siteId);
}

/** Keeps the newer version: KV may still answer with an older one than was published here. */
export function rememberSite(live: LiveSite, now: number): LiveSite {
  const { siteId, version } = live.manifest;
  const known = sites.get(siteId)?.value;
  const value = known && known.manifest.version >= version ? known : live;
  remember(sites, SITES, siteId, { value, at: now });
  return value;
}

export function recallSiteId(writeKey: string): Remembered<string | null> | undefined {
  return siteIds.get(writeKey);
}

export function rememberSiteId(writeKey: string, siteId: string | null, now: number): void {
  remember(siteIds, KEYS, writeKey, { value: siteId, at: now });
}

export function recallRevocations(siteId: string): Revocations | undefined {
  return revocations.get(siteId);
}

/** Adds to what is known of a site, the later time of each, and drops what is not later than `expired`: KV may still be behind. */
export function rememberRevocations(siteId: string, list: Revocations, expired: number): void {
  const known = revocations.get(siteId);
  const merged = new Map(known);
  for (const [name, until] of list) merged.set(name, Math.max(until, known?.get(name) ?? 0));
  for (const [name, until] of merged) if (until <= expired) merged.delete(name);
  if (merged.size) revocations.set(siteId, merged);
  else revocations.delete(siteId);
}

/** Forgets everything, as a new isolate would. */
export function forget(): void {
  sites.clear();
  siteIds.clear();
  revocations.clear();
}

function remember<T>(map: Map<string, T>, limit: number, key: string, value: T): void {
  map.delete(key);
  if (map.size >= limit) map.delete(map.keys().next().value!);
  map.set(key, value);
}
