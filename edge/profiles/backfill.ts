/**
 * Changed rules: everybody who was decided by earlier ones is decided anew, whether or not they come again. A walk over the
 * profiles by their ids, a part at a time. Nobody is decided by earlier rules once a change is published (`upsertProfiles` refuses),
 * so that whoever is behind the cursor stays true, and may be walked over again at no harm.
 */
import { advanceBackfill, listWaitingBackfills, type Progress, takeBackfill } from "../db/backfills.ts";
import { isOverload } from "../db/errors.ts";
import { listProfiles } from "../db/profiles.ts";
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { type Budget, FEWEST, isSpent, MOST, nextCount, type Settling, settleProfiles } from "./settle.ts";

/** Whoever works on a backfill says so at each step; after this silence another may go on. */
const LEASE_MS = 30_000;
/** Profiles looked at in one step: the ones that are decided by the newest rules already are passed over. */
const PAGE = 2 * MOST;
/** Sites of one minute, at most. */
const SITES = 50;
/** What a site gets at least, once it has its turn: its steps begin small and grow. */
const SHARE_STATEMENTS = 100;

interface Run {
  decided: number;
  changed: number;
}

/**
 * Goes on with the backfills of sites that nobody works on, in equal shares of what is left. Whoever gets no turn has one before the
 * others the next time.
 */
export async function backfillWaiting(env: Env, now: () => number, budget: Budget): Promise<Run> {
  const run: Run = { decided: 0, changed: 0 };
  budget.statements--;
  const siteIds = await listWaitingBackfills(env.DB, now(), SITES);
  for (const [index, siteId] of siteIds.entries()) {
    if (isSpent(budget, now())) break;
    const share = Math.min(1, Math.max(1 / (siteIds.length - index), SHARE_STATEMENTS / budget.statements));
    const part = { deadline: now() + (budget.deadline - now()) * share, statements: budget.statements * share };
    const { statements } = part;
    try {
      const { decided, changed } = await backfillSite(env, siteId, now, part);
      run.decided += decided;
      run.changed += changed;
    } catch (error) {
      if (isOverload(error)) throw error;
      logFailure(siteId, error);
    }
    budget.statements -= statements - part.statements;
  }
  return run;
}

/** Goes on with a site's backfill until it is finished or the budget is spent; does nothing where somebody else works on it. */
export async function backfillSite(env: Env, siteId: string, now: () => number, budget: Budget): Promise<Run> {
  const run: Run = { decided: 0, changed: 0 };
  if (isSpent(budget, now())) return run;
  budget.statements--;
  let job = await takeBackfill(env.DB, siteId, now(), now() + LEASE_MS);
  if (!job) return run;
  const { rulesVersion } = job;
  const isStale = ({ manifestVersion }: { manifestVersion: number }) => manifestVersion < rulesVersion;
  const settling: Settling = { now, budget, isSettled: ({ profile }) => !isStale(profile) };
  let count = FEWEST;
  while (job && job.finishedAt === null) {
    if (isSpent(budget, now())) {
      await advanceBackfill(env.DB, job, job, now());
      break;
    }
    budget.statements -= 2;
    const page = await listProfiles(env.DB, siteId, job.cursor, PAGE);
    const ids = page
      .filter(isStale)
      .slice(0, count)
      .map(({ id }) => id);
    const settled = await settleProfiles(env, siteId, ids, settling);
    run.decided += settled.decided;
    run.changed += settled.changed;
    for (const { id, error } of settled.failed) logFailure(siteId, error, id);
    // Whoever lost their races was decided by the winner; whoever the budget did not reach comes first the next time.
    const done = new Set(ids).difference(new Set(isSpent(budget, now()) ? settled.left : []));
    const next = page.findIndex((row) => isStale(row) && !done.has(row.id));
    const passed = next < 0 ? page : page.slice(0, next);
    const isLast = next < 0 && page.length < PAGE;
    const after: Progress = {
      cursor: passed.at(-1)?.id ?? job.cursor,
      done: job.done + passed.length,
      finishedAt: isLast ? now() : null,
    };
    // Another change of rules has started it anew, or somebody else goes on with it: theirs from here.
    job = (await advanceBackfill(env.DB, job, after, now() + LEASE_MS)) ? { ...job, ...after } : null;
    if (ids.length) count = nextCount(ids.length, settled.weight);
  }
  return run;
}

/** Only the error's name: its message may quote what is stored. */
export function logFailure(siteId: string, error: unknown, profileId: string | null = null): void {
  log("error", { job: "backfill", siteId, profileId, error: error instanceof Error ? error.name : "unknown" });
}
