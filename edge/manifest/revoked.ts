/**
 * Tokens and snapshots that are void before their time, since who they tell of was erased, parted or united by hand. A list of
 * profile ids a site, with times: it travels as the manifest does, at once in this isolate and everywhere within a minute, and
 * is renewed with it, so that looking costs no reading.
 */
import { listRevocations, type Revocations, upsertRevocations } from "../db/revocations.ts";
import type { Env } from "../env.ts";
import { askKv, KV_CACHE_SECONDS, putInTurn } from "../kv.ts";
import { log } from "../log.ts";
import { PROFILE_TOKEN_MS } from "../tokens.ts";
import { recallRevocations, rememberRevocations } from "./memory.ts";

/** What is issued within this time may still rest on what was true before: a write that takes its time, KV that spreads. */
const OVERLAP_MS = 2 * 60 * 1000;
/** Profiles of a list; beyond, everybody's tokens of then are void, which costs them a reading. */
const LISTED = 1_000;
/** In place of a profile id. */
const EVERYBODY = "*";
/** In place of a profile id: of everybody, but only the snapshot. */
const SNAPSHOTS = "snapshots";

/**
 * Makes all tokens void that were issued to the profiles until now, and for two minutes more: call it before the write that changes
 * who they are, so that none is believed that was issued from what was true before. If KV does not take it, another isolate believes
 * a token for as long as it is fresh, five minutes.
 */
export async function revokeTokens(
  env: Env,
  siteId: string,
  profileIds: readonly string[],
  now: number,
): Promise<void> {
  const until = now + OVERLAP_MS;
  rememberRevocations(siteId, new Map(profileIds.map((id) => [id, until])), now - PROFILE_TOKEN_MS);
  await env.DB.batch(upsertRevocations(env.DB, siteId, profileIds, until, now - PROFILE_TOKEN_MS));
  const read = async () =>
    JSON.stringify(Object.fromEntries(toList(await listRevocations(env.DB, siteId, LISTED + 1))));
  const expirationTtl = (PROFILE_TOKEN_MS + OVERLAP_MS) / 1000;
  if (!(await putInTurn(env.KV, keyOf(siteId), read, { expirationTtl })))
    log("warn", { siteId, problem: "revocations are not in KV" });
}

/** Makes the snapshots of everybody void that were made until now, and for two minutes more. */
export function revokeSnapshots(env: Env, siteId: string, now: number): Promise<void> {
  return revokeTokens(env, siteId, [SNAPSHOTS], now);
}

export function isTokenRevoked(siteId: string, profileId: string, issuedAt: number): boolean {
  return [profileId, EVERYBODY].some((name) => isVoid(siteId, name, issuedAt));
}

export function isSnapshotRevoked(siteId: string, profileId: string, madeAt: number): boolean {
  return isVoid(siteId, SNAPSHOTS, madeAt) || isTokenRevoked(siteId, profileId, madeAt);
}

function isVoid(siteId: string, name: string, at: number): boolean {
  const until = recallRevocations(siteId)?.get(name);
  return until !== undefined && at <= until;
}

/** Learns what was revoked elsewhere. */
export async function renewRevocations(env: Env, siteId: string, now: number): Promise<void> {
  const stored = await askKv(() =>
    env.KV.get<Record<string, number>>(keyOf(siteId), { type: "json", cacheTtl: KV_CACHE_SECONDS }),
  );
  const list = stored === undefined ? toList(await listRevocations(env.DB, siteId, LISTED + 1)) : toMap(stored);
  rememberRevocations(siteId, list, now - PROFILE_TOKEN_MS);
}

function toMap(stored: Record<string, number> | null): Revocations {
  return new Map(Object.entries(stored ?? {}));
}

/** @param rows newest first */
function toList(rows: readonly [string, number][]): Revocations {
  const beyond = rows[LISTED];
  return new Map([...rows.slice(0, LISTED), ...(beyond ? [[EVERYBODY, beyond[1]] as const] : [])]);
}

function keyOf(siteId: string): string {
  return `revoked:${siteId}`;
}
