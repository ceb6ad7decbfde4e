/**
 * Seals what was appended to the audit, site by site, each minute and before a verification. A seal is not made with the entry
 * itself, since then all writers of a site would have to wait for one another: until it comes, only the store's triggers keep an
 * entry as it is.
 */
import { buildSeal, chainStart } from "../../shared/audit.ts";
import { deleteSealedSites, insertSeals, listSitesToSeal, type NewSeal, readUnsealed } from "../db/audit-seals.ts";
import { log } from "../log.ts";
import { type Budget, isSpent } from "../profiles/settle.ts";
import { sha256 } from "../sha256.ts";

/** Entries under one seal, at most. A verification reads as many at once: it may grow, and never shrink. */
export const SEALED = 500;
/** Sites sealed together. */
const SITES = 20;
/** Statements of one round: what waits, the seals before, the entries; the new seals, what waits no more. */
const STATEMENTS = 5;
/** Rounds before a verification, at most: what is left is told to be unsealed. */
const ROUNDS = 10;

/**
 * Seals what waits longest until nothing does or the budget is spent: the next minute goes on where this one stopped.
 *
 * @returns how many entries were sealed
 */
export async function sealWaiting(db: D1Database, now: () => number, budget: Budget): Promise<number> {
  let sealed = 0;
  while (!isSpent(budget, now())) {
    budget.statements -= STATEMENTS;
    const siteIds = await listSitesToSeal(db, SITES);
    if (!siteIds.length) break;
    sealed += await sealSites(db, siteIds, now());
  }
  return sealed;
}

/** Seals what one site has. */
export async function sealSite(db: D1Database, siteId: string, now: number): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    if ((await sealSites(db, [siteId], now)) < SEALED) return;
  }
}

/** One seal for each site. Never over a gap: what comes after it stays unsealed. @returns how many entries were sealed */
async function sealSites(db: D1Database, siteIds: readonly string[], now: number): Promise<number> {
  const seals: NewSeal[] = [];
  let sealed = 0;
  for (const { siteId, last, entries } of await readUnsealed(db, siteIds, SEALED)) {
    const before = last ?? chainStart(siteId);
    const gap = entries.findIndex(({ seq }, index) => seq !== before.seq + 1 + index);
    if (gap >= 0) log("error", { job: "seal", siteId, missing: before.seq + 1 + gap });
    const following = gap < 0 ? entries : entries.slice(0, gap);
    if (!following.length) continue;
    seals.push({ siteId, after: before.seq, seal: await buildSeal(before, following, now, sha256) });
    sealed += following.length;
  }
  await db.batch([...insertSeals(db, seals), deleteSealedSites(db, siteIds)]);
  return sealed;
}
