/**
 * Erases a person. One transaction puts tombstones and takes the profile out of sight; its rows go in the same one as far as they fit,
 * and otherwise in more of the kind. Nobody new has an identifier of it before the last row is gone, so that whatever interrupts an
 * erasure, it only has to be gone on with.
 */
import { insertAudit, redactAudit } from "../db/audit.ts";
import { deleteProfile, deleteRemains } from "../db/erasure.ts";
import { listIdentifiersOfProfiles, readProfileId, selectComponents, toIdentifierRow } from "../db/identifiers.ts";
import { applyMembershipChanges } from "../db/memberships.ts";
import { isConflict, selectProfiles, toProfileRow } from "../db/profiles.ts";
import { markSnapshots } from "../db/snapshots.ts";
import {
  insertTombstones,
  listErasedIdentifiers,
  listOpenErasures,
  readOpenErasure,
  readTombstones,
} from "../db/tombstones.ts";
import type { Env } from "../env.ts";
import type { LiveSite } from "../manifest/live.ts";
import { revokeTokens } from "../manifest/revoked.ts";
import { Problem } from "../problem.ts";
import { forgetPeople } from "./memory.ts";
import { membershipChanges } from "./person.ts";
import type { ProfileKey } from "./read.ts";
import { type Budget, isSpent } from "./settle.ts";
import { spreadSnapshots } from "./snapshot.ts";

/** Lost races are tried again this often; then whoever asks is asked to come back. */
const ATTEMPTS = 6;
/** Erasures of one minute, at most. */
const OPEN = 50;
/** Statements that find a person. */
const READING = 4;

export interface Erased {
  /** Epoch milliseconds. What is not newer is refused from now on. */
  erasedAt: number;
  /** False: rows are left, that nobody can read. The cron trigger removes them, or whoever asks again. */
  isComplete: boolean;
}

export interface Erasing {
  /** Who asks: `key:<id>`. */
  actor: string;
  now: () => number;
  /** Used up as it goes. */
  budget: Budget;
}

/**
 * Erases the profile that an identifier or an id leads to; asked again, it goes on where the budget ended.
 *
 * @returns null for somebody unknown, or erased to the last row, of whom no id is known any more
 * @throws Problem `overloaded` when others write the person all the time: nothing is erased then
 */
export async function eraseProfile(env: Env, live: LiveSite, by: ProfileKey, erasing: Erasing): Promise<Erased | null> {
  const { siteId } = live.manifest;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const profileId = await readProfileId(env.DB, siteId, by);
    if (!profileId) return goOn(env, siteId, by, erasing);
    try {
      const erased = await eraseStored(env, live, profileId, erasing);
      if (erased) return erased;
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
  throw new Problem("overloaded", "too many requests change this person at once", { retryAfterSeconds: 1 });
}

/** @returns null where the profile has become another's meanwhile */
async function eraseStored(
  env: Env,
  live: LiveSite,
  profileId: string,
  { actor, now, budget }: Erasing,
): Promise<Erased | null> {
  const { DB } = env;
  const { siteId } = live.manifest;
  const asked = JSON.stringify(await listIdentifiersOfProfiles(DB, siteId, [profileId]));
  const [nodes, profiles] = await DB.batch([selectComponents(DB, siteId, asked), selectProfiles(DB, siteId, asked)]);
  const identifiers = nodes!.results.map(toIdentifierRow);
  const [profile] = profiles!.results.map(toProfileRow);
  if (profile?.id !== profileId) return null;
  const ids = identifiers.map(({ birthId }) => birthId);
  // Clocks differ: whatever is stored came before.
  const erasedAt = Math.max(now(), profile.lastSeen);

  await revokeTokens(env, siteId, ids, now());
  const write = [
    ...(await insertTombstones(DB, siteId, profile, identifiers, erasedAt)),
    ...applyMembershipChanges(DB, siteId, membershipChanges(profile, {}, live, "identity", erasedAt)),
    ...deleteProfile(DB, siteId, identifiers),
    ...(await redactAudit(DB, siteId, ids)),
    ...insertAudit(DB, siteId, [{ at: erasedAt, actor, action: "erase", subjects: ids, detail: {} }]),
    ...markSnapshots(DB, siteId, [profileId], erasedAt),
    ...deleteRemains(DB, siteId, profileId, identifiers),
  ];
  budget.statements -= write.length + READING;
  const results = await DB.batch(write);
  forgetPeople(
    siteId,
    identifiers.map(({ identifier }) => identifier),
  );
  await spreadSnapshots(env, siteId, [profileId]);
  const isComplete = results.at(-1)!.meta.changes > 0 || (await removeRemains(DB, siteId, profileId, now, budget));
  return { erasedAt, isComplete };
}

/** Somebody who is out of sight already, or was never known. */
async function goOn(env: Env, siteId: string, by: ProfileKey, { now, budget }: Erasing): Promise<Erased | null> {
  const open = await readOpenErasure(env.DB, siteId, by);
  if (open) {
    const isComplete = await removeRemains(env.DB, siteId, open.profileId, now, budget);
    return { erasedAt: open.erasedAt, isComplete };
  }
  if (!("identifier" in by)) return null;
  const tombstone = (await readTombstones(env.DB, siteId, [by.identifier])).get(by.identifier);
  return tombstone ? { erasedAt: tombstone.erasedAt, isComplete: true } : null;
}

/** @returns false where the budget ended before the rows did */
async function removeRemains(
  db: D1Database,
  siteId: string,
  profileId: string,
  now: () => number,
  budget: Budget,
): Promise<boolean> {
  for (;;) {
    const identifiers = await listErasedIdentifiers(db, siteId, profileId);
    // Somebody else may be at it as well.
    if (!identifiers.length) return true;
    if (isSpent(budget, now())) return false;
    const ids = identifiers.map(({ birthId }) => birthId);
    const write = [...(await redactAudit(db, siteId, ids)), ...deleteRemains(db, siteId, profileId, identifiers)];
    budget.statements -= write.length + 2;
    await db.batch(write);
  }
}

/** Goes on with erasures that were interrupted. @returns how many were finished */
export async function eraseWaiting(env: Env, now: () => number, budget: Budget): Promise<number> {
  let finished = 0;
  budget.statements--;
  for (const { siteId, profileId } of await listOpenErasures(env.DB, OPEN)) {
    if (isSpent(budget, now())) break;
    if (await removeRemains(env.DB, siteId, profileId, now, budget)) finished++;
  }
  return finished;
}
