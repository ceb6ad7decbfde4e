/** Time alone: profiles whose answers have expired are decided again, each minute, whether or not anything happened. */
import { applyHistoryChanges, type HistoryChange } from "../db/histories.ts";
import { listIdentifiersOfProfiles } from "../db/identifiers.ts";
import { applyMembershipChanges, type MembershipChange } from "../db/memberships.ts";
import {
  clearWakes,
  isConflict,
  listDueProfiles,
  type ProfileRow,
  postponeWake,
  upsertProfiles,
} from "../db/profiles.ts";
import type { Env } from "../env.ts";
import { groupStored } from "../identity/resolve.ts";
import { log } from "../log.ts";
import { readSite } from "../manifest/read.ts";
import { loadPeople } from "./load.ts";
import { buildPerson, refreshHistories, settlePerson } from "./person.ts";

/** Profiles read and written in one pass. */
const CHUNK = 100;
/** A run gives up here; the next minute goes on where it stopped. */
const BUDGET_MS = 45_000;
/** Lost races of the same profiles, before they are taken apart. */
const ATTEMPTS = 2;
/** A profile that cannot be decided is asked for again after this. */
const POSTPONED_MS = 60 * 60 * 1000;

interface Run {
  env: Env;
  now: () => number;
  deadline: number;
  decided: number;
  changed: number;
}

/** @returns how many profiles were written, and how many memberships changed */
export async function wakeDueProfiles(env: Env, now: () => number): Promise<{ decided: number; changed: number }> {
  const started = now();
  const run: Run = { env, now, deadline: started + BUDGET_MS, decided: 0, changed: 0 };
  const tried = new Set<string>();
  /** Tried, and due all the same: they come first again, so that as many more have to be asked for. */
  let behind = 0;
  while (now() < run.deadline) {
    const limit = CHUNK + behind;
    // Whoever becomes due during the run has the next one.
    const due = await listDueProfiles(env.DB, started, limit);
    const fresh = due.filter(({ siteId, id }) => !tried.has(`${siteId} ${id}`));
    behind = due.length - fresh.length;
    for (const [siteId, rows] of Map.groupBy(fresh, (row) => row.siteId)) {
      for (const { id } of rows) tried.add(`${siteId} ${id}`);
      await wakeApart(
        run,
        siteId,
        rows.map(({ id }) => id),
      );
    }
    if (due.length < limit) break;
  }
  return { decided: run.decided, changed: run.changed };
}

/**
 * Wakes profiles; where that fails, each half of them by itself, so that none has to wait for another. One that keeps losing
 * races is left: whoever wins them decides it.
 */
async function wakeApart(run: Run, siteId: string, profileIds: readonly string[]): Promise<void> {
  let failure: unknown;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (run.now() >= run.deadline) return;
    try {
      return await wake(run, siteId, profileIds);
    } catch (error) {
      failure = error;
      if (!isConflict(error)) break;
    }
  }
  if (profileIds.length > 1) {
    const half = profileIds.length >> 1;
    await wakeApart(run, siteId, profileIds.slice(0, half));
    await wakeApart(run, siteId, profileIds.slice(half));
  } else if (!isConflict(failure)) {
    await postpone(run, siteId, profileIds[0]!, failure);
  }
}

/** Reads profiles, decides them as of now, and writes them all or none. */
async function wake(run: Run, siteId: string, profileIds: readonly string[]): Promise<void> {
  const { DB: db } = run.env;
  const live = await readSite(run.env, siteId, run.now());
  if (!live) return clearWakes(db, siteId, profileIds); // the site is gone
  const stored = await loadPeople(db, siteId, await listIdentifiersOfProfiles(db, siteId, profileIds));
  await refreshHistories(db, live, stored);
  const profiles: ProfileRow[] = [];
  const changes: MembershipChange[] = [];
  const histories: HistoryChange[] = [];
  const orphans = new Set(profileIds);
  for (const group of new Set(groupStored(stored.nodes).values())) {
    const person = buildPerson(group, stored, live, run.now());
    const { profile } = person;
    orphans.delete(profile.id);
    if (profile.manifestVersion > live.manifest.version) continue; // by rules that are not known here yet
    const settled = settlePerson(person, stored, live, run.now(), "time");
    changes.push(...settled.changes);
    histories.push(...settled.histories);
    profiles.push(settled.row);
  }
  if (orphans.size) await clearWakes(db, siteId, [...orphans]);
  if (!profiles.length) return;
  await db.batch([
    ...upsertProfiles(db, siteId, profiles),
    ...applyHistoryChanges(db, siteId, histories),
    ...applyMembershipChanges(db, siteId, changes),
  ]);
  run.decided += profiles.length;
  run.changed += changes.length;
}

/** Takes a profile that throws out of the way. Only the error's name is logged: its message may quote what is stored. */
async function postpone(run: Run, siteId: string, profileId: string, error: unknown): Promise<void> {
  const postponed = await postponeWake(run.env.DB, siteId, profileId, run.now() + POSTPONED_MS).then(
    () => true,
    () => false,
  );
  log("error", { job: "wake", siteId, profileId, error: error instanceof Error ? error.name : "unknown", postponed });
}
