/**
 * Snapshots in KV of what was decided of a profile: birth ids, stable id, segment keys and times, purposes; no trait, no identifier.
 * They answer where a token is genuine but no longer fresh, and e-mails. D1 is the truth: a change that may make a snapshot wrong
 * marks it in the same transaction, and the mark stays until KV has taken what is true then.
 */
import { PURPOSES, type Purpose } from "../../shared/consent.ts";
import { NOBODY, type Viewer } from "../blocks/decide.ts";
import { mergeConsent, type StoredConsent } from "../db/identifiers.ts";
import type { Decisions, ProfileRow } from "../db/profiles.ts";
import { clearMarks, EVERYBODY, listMarked, type Marked, markSnapshots, readMarked } from "../db/snapshots.ts";
import type { Env } from "../env.ts";
import { askKv, KV_CACHE_SECONDS, KV_TURN_MS } from "../kv.ts";
import type { LiveSite } from "../manifest/live.ts";
import { readSite } from "../manifest/read.ts";
import { isSnapshotRevoked, revokeSnapshots, revokeTokens } from "../manifest/revoked.ts";
import type { Stored } from "./load.ts";
import { grantedPurposes, type Person } from "./person.ts";
import { type Budget, isSpent } from "./settle.ts";

/** Whoever it tells of, and what was true of them at a time. */
export interface Snapshot {
  /** Birth ids of all its identifiers. */
  ids: readonly string[];
  stableId: string;
  segments: Decisions;
  /** When an answer may change by time alone; null = never. */
  wakesAt: number | null;
  /** Purposes granted; left out = all. */
  consent?: readonly Purpose[];
  manifestVersion: number;
  /** Epoch milliseconds. */
  at: number;
}

/** Nothing is believed for longer, and KV forgets it. */
const SNAPSHOT_MS = 24 * 60 * 60 * 1000;
/** More profiles than this, changed at once, are not written one by one: the snapshots of everybody are void. */
const MOST = 20;
/** Times that KV may refuse, or another isolate come between. */
const ATTEMPTS = 3;
/** Snapshots written in one minute by the cron trigger. */
const MARKED = 200;
/** Statements that this takes of a site. */
const SPREADING = 5;

export function snapshotKey(siteId: string, profileId: string): string {
  return `snapshot:${siteId}:${profileId}`;
}

/** The snapshot, where the site has them, if all of it still holds; of whom it tells is the caller's to check. */
export async function readSnapshot(env: Env, live: LiveSite, profileId: string, now: number): Promise<Snapshot | null> {
  const { siteId, settings } = live.manifest;
  if (!settings.snapshots) return null;
  const key = snapshotKey(siteId, profileId);
  const stored = await askKv(() => env.KV.get<Snapshot>(key, { type: "json", cacheTtl: KV_CACHE_SECONDS }));
  if (!stored || now - stored.at >= SNAPSHOT_MS || isSnapshotRevoked(siteId, profileId, stored.at)) return null;
  return holds(stored, live, now) ? stored : null;
}

/** True of what was decided by the rules of today, and whose time has not run out. */
export function holds(
  said: { manifestVersion: number; wakesAt: number | null },
  { manifest }: LiveSite,
  now: number,
): boolean {
  const { manifestVersion, wakesAt } = said;
  const isByTheseRules = manifestVersion >= manifest.rules.version && manifestVersion <= manifest.version;
  return isByTheseRules && (wakesAt === null || now < wakesAt);
}

/** Somebody of whom only this is known. */
export function viewerOfSnapshot({ stableId, segments, wakesAt, consent }: Omit<Snapshot, "ids" | "at">): Viewer {
  return { ...NOBODY, stableId, segments, wakesAt, consent };
}

/**
 * Whether a snapshot of what was stored before may say what does not hold any more. An answer that holds for longer than it said
 * still holds for as long as it said: that is no reason. Of somebody new there is no snapshot, and none is made for no membership.
 */
export function isOutdated(before: ProfileRow | undefined, after: ProfileRow): boolean {
  if (!before || before.mergedInto !== null) return Object.keys(after.decisions).length > 0;
  const keys = Object.keys(before.decisions);
  return (
    after.mergedInto !== null ||
    before.stableId !== after.stableId ||
    isNearer(before.wakesAt, after.wakesAt) ||
    keys.length !== Object.keys(after.decisions).length ||
    keys.some((key) => {
      const known = Object.hasOwn(after.decisions, key) ? after.decisions[key]! : null;
      return !known || isNearer(before.decisions[key]![1], known[1]);
    })
  );
}

function isNearer(before: number | null, after: number | null): boolean {
  return after !== null && (before === null || after < before);
}

/**
 * Looks at people as they are stored; what comes back tells, once they have been changed in memory, of which of the profiles to be
 * written the snapshot is outdated. None where the site has no snapshots.
 */
export function watchSnapshots(stored: Stored, live: LiveSite): (written: readonly ProfileRow[]) => string[] {
  if (!live.manifest.settings.snapshots) return () => [];
  const profiles = new Map(stored.profiles);
  const consents = consentsOf(stored);
  return (written) => {
    const allowed = consentsOf(stored);
    const outdated = written.filter((row) => {
      const before = profiles.get(row.id);
      return isOutdated(before, row) || (before && consents.get(row.id) !== allowed.get(row.id));
    });
    return [...new Set(outdated.map(({ id }) => id))];
  };
}

/** What the identifiers of each profile allow together, as text. */
function consentsOf({ nodes }: Stored): Map<string, string> {
  const said = new Map<string, StoredConsent>();
  for (const { profileId, consent } of nodes.values())
    said.set(profileId, mergeConsent(said.get(profileId) ?? {}, consent));
  const toText = (consent: StoredConsent) => PURPOSES.map((purpose) => consent[purpose]?.[0] ?? "").join();
  return new Map(said.entries().map(([id, consent]) => [id, toText(consent)]));
}

/**
 * Writes people who are united or parted by hand: tokens that say who they were are void before it, snapshots as soon as it is done.
 *
 * @param before everybody concerned, as they are; `after` as they will be
 * @param write takes a statement more into its transaction
 */
export async function writeRegrouped(
  env: Env,
  live: LiveSite,
  { before, after }: { before: readonly Person[]; after: readonly Person[] },
  write: (marks: D1PreparedStatement[]) => Promise<void>,
): Promise<void> {
  const { siteId, settings } = live.manifest;
  const now = Date.now();
  const birthIds = before.flatMap(({ group }) => group.nodes.map(({ birthId }) => birthId));
  await revokeTokens(env, siteId, birthIds, now);
  const profileIds = new Set([...before, ...after].map(({ profile }) => profile.id));
  const marked = settings.snapshots ? toMarks([...profileIds]) : [];
  await write(markSnapshots(env.DB, siteId, marked, now));
  await spreadSnapshots(env, siteId, marked);
}

/** Whose snapshots to mark, and to write behind the answer: the profiles, or everybody where they are many. */
export function toMarks(profileIds: readonly string[]): readonly string[] {
  return profileIds.length > MOST ? [EVERYBODY] : profileIds;
}

/** Keys that this isolate is about to write: whoever comes meanwhile leaves a mark, which the one at work finds. */
const writing = new Set<string>();

/**
 * Writes the snapshots of marked profiles as they are now, and takes back the marks; those of profiles that are gone, or part of
 * another, are deleted. What KV does not take stays marked for the cron trigger.
 */
export async function spreadSnapshots(env: Env, siteId: string, profileIds: readonly string[]): Promise<void> {
  const nameOf = (profileId: string) => snapshotKey(siteId, profileId);
  const own = profileIds.filter((id) => !writing.has(nameOf(id)));
  for (const id of own) writing.add(nameOf(id));
  try {
    let rest = own;
    for (let attempt = 1; rest.length && attempt <= ATTEMPTS; attempt++) {
      if (attempt > 1) await scheduler.wait(KV_TURN_MS);
      rest = await spreadOnce(env, siteId, rest);
    }
  } finally {
    for (const id of own) writing.delete(nameOf(id));
  }
}

/** @returns the profiles that are to be written again: KV did not take them, or they were changed meanwhile */
async function spreadOnce(env: Env, siteId: string, profileIds: readonly string[]): Promise<string[]> {
  const marked = await readMarked(env.DB, siteId, profileIds);
  const refused = new Set<string>();
  await Promise.all(marked.map((one) => put(env, siteId, one).catch(() => void refused.add(one.profileId))));
  const taken = marked.filter(({ profileId }) => !refused.has(profileId));
  if (!taken.length) return [...refused];
  const cleared = await clearMarks(env.DB, siteId, taken);
  const again = taken.map(({ profileId }) => profileId).filter((id) => !cleared.has(id));
  // Another isolate wrote meanwhile: which of the two KV took last is not known.
  if (again.length) await env.DB.batch(markSnapshots(env.DB, siteId, again, Date.now()));
  return [...refused, ...again];
}

async function put(env: Env, siteId: string, { profileId, profile, nodes }: Marked): Promise<void> {
  const now = Date.now();
  if (profileId === EVERYBODY) return revokeSnapshots(env, siteId, now);
  const key = snapshotKey(siteId, profileId);
  const live = profile && (await readSite(env, siteId, now));
  if (!live?.manifest.settings.snapshots) return env.KV.delete(key);
  const said = nodes.reduce<StoredConsent>((all, node) => mergeConsent(all, node.consent), {});
  const consent = grantedPurposes(said, live.manifest.settings.consentDefault);
  const { stableId, decisions: segments, wakesAt, manifestVersion } = profile!;
  const ids = nodes.map(({ birthId }) => birthId);
  const snapshot: Snapshot = {
    ids,
    stableId,
    segments,
    wakesAt,
    manifestVersion,
    at: now,
    ...(consent && { consent }),
  };
  await env.KV.put(key, JSON.stringify(snapshot), { expirationTtl: SNAPSHOT_MS / 1000 });
}

/** Writes what was left marked: by requests that were cut off, by time, by rules, by lists. @returns how many */
export async function spreadWaiting(env: Env, now: () => number, budget: Budget): Promise<number> {
  budget.statements--;
  let written = 0;
  for (const [siteId, marked] of Map.groupBy(await listMarked(env.DB, MARKED), (row) => row.siteId)) {
    if (isSpent(budget, now())) break;
    budget.statements -= SPREADING;
    await spreadSnapshots(
      env,
      siteId,
      marked.map(({ profileId }) => profileId),
    );
    written += marked.length;
  }
  return written;
}
