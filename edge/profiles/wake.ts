/** Time alone: profiles whose answers have expired are decided again, each minute, whether or not anything happened. */
import { listIdentifiersOfProfiles } from "../db/identifiers.ts";
import { applyMembershipChanges, type MembershipChange } from "../db/memberships.ts";
import { clearWakes, isConflict, listDueProfiles, type ProfileRow, upsertProfiles } from "../db/profiles.ts";
import type { Env } from "../env.ts";
import { groupStored } from "../identity/resolve.ts";
import type { LiveSite } from "../manifest/live.ts";
import { readSite } from "../manifest/read.ts";
import { loadPeople } from "./load.ts";
import { buildPerson, decideSegments, membershipChanges, refreshHistories } from "./person.ts";

/** Profiles read and written in one pass. */
const CHUNK = 100;
/** A run gives up here; the next minute goes on where it stopped. */
const BUDGET_MS = 45_000;

/** @returns how many profiles were decided, and how many memberships changed */
export async function wakeDueProfiles(env: Env, now: () => number): Promise<{ decided: number; changed: number }> {
  const started = now();
  let decided = 0;
  let changed = 0;
  while (now() - started < BUDGET_MS) {
    const due = await listDueProfiles(env.DB, now(), CHUNK);
    if (!due.length) break;
    for (const [siteId, rows] of Map.groupBy(due, (row) => row.siteId)) {
      const live = await readSite(env, siteId, now());
      const ids = rows.map(({ id }) => id);
      if (!live) {
        await clearWakes(env.DB, siteId, ids); // the site is gone
        continue;
      }
      changed += await wake(env.DB, live, ids, now());
    }
    decided += due.length;
    if (due.length < CHUNK) break;
  }
  return { decided, changed };
}

/** Decides profiles anew. Whoever was written meanwhile has been decided by that: the pass is left to the next. */
async function wake(db: D1Database, live: LiveSite, profileIds: readonly string[], now: number): Promise<number> {
  const { siteId } = live.manifest;
  const stored = await loadPeople(db, siteId, await listIdentifiersOfProfiles(db, siteId, profileIds));
  await refreshHistories(db, live, stored);
  const profiles: ProfileRow[] = [];
  const changes: MembershipChange[] = [];
  for (const group of new Set(groupStored(stored.nodes).values())) {
    const person = buildPerson(group, stored, live, now);
    const { decisions, wakesAt } = decideSegments(person, live, now);
    changes.push(...membershipChanges(person.profile, decisions, live, "time", now));
    profiles.push({
      ...person.profile,
      decisions,
      wakesAt,
      version: person.profile.version + 1,
      manifestVersion: live.manifest.version,
    });
  }
  const orphans = profileIds.filter((id) => !profiles.some((profile) => profile.id === id));
  if (orphans.length) await clearWakes(db, siteId, orphans);
  if (!profiles.length) return 0;
  try {
    await db.batch([upsertProfiles(db, siteId, profiles), ...applyMembershipChanges(db, siteId, changes)]);
  } catch (error) {
    if (!isConflict(error)) throw error;
    return 0;
  }
  return changes.length;
}
