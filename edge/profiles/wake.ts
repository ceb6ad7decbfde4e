/** Time alone: profiles whose answers have expired are decided again, each minute, whether or not anything happened. */
import { clearWakes, listDueProfiles, postponeWake } from "../db/profiles.ts";
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { type Budget, FEWEST, isSpent, nextCount, type Settled, type Settling, settleProfiles } from "./settle.ts";

/** A profile that cannot be decided is asked for again after this. */
const POSTPONED_MS = 60 * 60 * 1000;

/**
 * Decides who is due, those due longest first, until the budget is spent: the next minute goes on where this one stopped.
 *
 * @returns how many profiles were written, and how many memberships changed
 */
export async function wakeDueProfiles(
  env: Env,
  now: () => number,
  budget: Budget,
): Promise<{ decided: number; changed: number }> {
  const started = now();
  const run = { decided: 0, changed: 0 };
  const tried = new Set<string>();
  /** Tried, and due all the same: they come first again, so that as many more have to be asked for. */
  let behind = 0;
  let count = FEWEST;
  const settling: Settling = {
    now,
    budget,
    // Whoever was written meanwhile may not be due any more.
    isSettled: ({ profile }) => profile.wakesAt === null || profile.wakesAt > started,
  };
  while (!isSpent(budget, now())) {
    const limit = count + behind;
    budget.statements--;
    // Whoever becomes due during the run has the next one.
    const due = await listDueProfiles(env.DB, started, limit);
    const fresh = due.filter(({ siteId, id }) => !tried.has(`${siteId} ${id}`));
    behind = due.length - fresh.length;
    let weight = 0;
    for (const [siteId, rows] of Map.groupBy(fresh, (row) => row.siteId)) {
      const ids = rows.map(({ id }) => id);
      for (const id of ids) tried.add(`${siteId} ${id}`);
      const settled = await settleProfiles(env, siteId, ids, settling);
      run.decided += settled.decided;
      run.changed += settled.changed;
      weight += settled.weight;
      // Nobody to decide any more.
      if (settled.missing.length) await clearWakes(env.DB, siteId, settled.missing);
      for (const failed of settled.failed) await postpone(env, siteId, failed, started, now() + POSTPONED_MS);
      budget.statements -= Math.sign(settled.missing.length) + settled.failed.length;
    }
    if (due.length < limit) break;
    count = nextCount(count, weight);
  }
  return run;
}

/** Takes a profile that throws out of the way. Only the error's name is logged: its message may quote what is stored. */
async function postpone(
  env: Env,
  siteId: string,
  { id, error }: Settled["failed"][number],
  due: number,
  until: number,
): Promise<void> {
  const postponed = await postponeWake(env.DB, siteId, id, due, until).then(
    () => true,
    () => false,
  );
  log("error", {
    job: "wake",
    siteId,
    profileId: id,
    error: error instanceof Error ? error.name : "unknown",
    postponed,
  });
}
