/**
 * Decides stored profiles for another reason than an event of theirs: time, a changed rule, an uploaded list. They are read, caught
 * up, told what the list says, and written in one guarded transaction; who keeps others from being written is set apart.
 */
import { isOverload } from "../db/errors.ts";
import { applyHistoryChanges, type HistoryChange } from "../db/histories.ts";
import { listIdentifiersOfProfiles, updateIdentifiers } from "../db/identifiers.ts";
import { insertListStatements, type ListStatement } from "../db/list-statements.ts";
import { applyMembershipChanges, type MembershipChange } from "../db/memberships.ts";
import { isConflict, isStale, type ProfileRow, upsertProfiles } from "../db/profiles.ts";
import { readRulesVersion } from "../db/sites.ts";
import { markSnapshots } from "../db/snapshots.ts";
import type { Env } from "../env.ts";
import { groupStored } from "../identity/resolve.ts";
import { readSite, renewSite } from "../manifest/read.ts";
import { applyStatement, lastStatementAt } from "./lists.ts";
import { loadPeople } from "./load.ts";
import { advance, buildPerson, catchUp, historyChangesOf, type Person, refreshHistories } from "./person.ts";
import { toMarks, watchSnapshots } from "./snapshot.ts";

/** Lost races of the same profiles, before they are taken apart. */
const ATTEMPTS = 2;
/** Profiles to settle at once: few at first, then more, as long as their events and memberships fit into memory. */
export const FEWEST = 100;
export const MOST = 1_000;
const WEIGHT = 20_000;
/** Statements that find and read everybody; histories folded for other rules take one more. */
const READING = 6;

/** What a run may still use. D1 takes 1,000 statements of one invocation of a Worker. */
export interface Budget {
  /** Epoch milliseconds. */
  deadline: number;
  statements: number;
}

export interface Settling {
  /** Epoch milliseconds: everybody is caught up with it. Nobody is decided as of a time before what is stored of them. */
  now: () => number;
  /** Used up as it goes: when it is spent, nothing more is begun. Default: without bounds. */
  budget?: Budget;
  /** True of somebody who is as they should be already: nothing is written of them. */
  isSettled?: (person: Person) => boolean;
  /**
   * What an upload says of somebody at `at`, later than all that is stored of them; of whom it says nothing, nothing is written.
   * Called anew on a new `person` each time the reading is repeated.
   */
  say?: (person: Person, at: number) => readonly ListStatement[];
  /** Told what has been logged and counted, once it is written. */
  written?: (changes: readonly MembershipChange[]) => void;
}

export interface Settled {
  /** Profiles written: those of which something new is said. */
  decided: number;
  /** Enters and exits logged. */
  changed: number;
  /** Events, memberships and their changes of all who were read: what they take of memory. */
  weight: number;
  /** Ids that lead to nobody, or that became part of another profile, which was decided in their place. */
  missing: string[];
  /** Ids left as they are: they kept losing races, which whoever wins decides, or the budget was spent. */
  left: string[];
  /** Ids that cannot be decided or written, with what was thrown; left as they are. */
  failed: { id: string; error: unknown }[];
}

export function isSpent({ deadline, statements }: Budget, now: number): boolean {
  return now >= deadline || statements <= 0;
}

/** How many profiles to settle after `count` of them weighed so much. */
export function nextCount(count: number, weight: number): number {
  const fitting = Math.floor((WEIGHT * count) / Math.max(1, weight));
  return Math.max(FEWEST, Math.min(2 * count, fitting, MOST));
}

/**
 * Settles profiles, all in one transaction. Where that fails, each half of them by itself, so that none has to wait for
 * another. Whatever is written was decided by the site's newest rules. Ask for at most `MOST`.
 *
 * @returns what came of each; everybody is missing where the site is gone
 * @throws what D1 throws when it is too busy: what was written by then stays, the rest may be asked for again later
 */
export async function settleProfiles(
  env: Env,
  siteId: string,
  profileIds: readonly string[],
  settling: Settling,
): Promise<Settled> {
  const { now, budget = { deadline: Infinity, statements: Infinity } } = settling;
  const total: Settled = { decided: 0, changed: 0, weight: 0, missing: [], left: [], failed: [] };
  await settleApart(profileIds);
  return total;

  async function settleApart(ids: readonly string[]): Promise<void> {
    let failure: unknown;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if (isSpent(budget, now())) return void total.left.push(...ids);
      try {
        return await settleTogether(ids);
      } catch (error) {
        if (isOverload(error)) throw error;
        failure = error;
        if (isStale(error)) await renewSite(env, siteId, now());
        else if (!isConflict(error)) break;
      }
    }
    if (ids.length > 1) {
      const half = ids.length >> 1;
      await settleApart(ids.slice(0, half));
      await settleApart(ids.slice(half));
    } else if (isConflict(failure) || isStale(failure)) {
      total.left.push(...ids);
    } else {
      total.failed.push({ id: ids[0]!, error: failure });
    }
  }

  /** Reads profiles, decides them as of now, and writes them all or none. */
  async function settleTogether(ids: readonly string[]): Promise<void> {
    const { DB: db } = env;
    let live = await readSite(env, siteId, now());
    if (!live) return void total.missing.push(...ids);
    budget.statements -= READING;
    const [identifiers, rulesVersion] = await Promise.all([
      listIdentifiersOfProfiles(db, siteId, ids),
      readRulesVersion(db, siteId),
    ]);
    const stored = await loadPeople(db, siteId, identifiers);
    const newest = Math.max(rulesVersion, ...stored.profiles.values().map((profile) => profile.manifestVersion));
    // What is remembered of the site may be old, and where nothing is written, no refusal tells.
    if (newest > live.manifest.version) live = await renewSite(env, siteId, now());
    if (!live) return void total.missing.push(...ids);
    budget.statements -= await refreshHistories(db, live, stored);
    const profiles: ProfileRow[] = [];
    const changes: MembershipChange[] = [];
    const histories: HistoryChange[] = [];
    const statements: ListStatement[] = [];
    const outdated = watchSnapshots(stored, live);
    const left: string[] = [];
    const missing = new Set(ids);
    let weight = 0;
    for (const group of new Set(groupStored(stored.nodes).values())) {
      const person = buildPerson(group, stored, live);
      const { profile } = person;
      missing.delete(profile.id);
      weight += person.events.length + Object.keys(profile.decisions).length;
      if (settling.isSettled?.(person)) continue;
      const at = settling.say ? Math.max(now(), profile.lastSeen + 1, lastStatementAt(group.nodes) + 1) : now();
      const said = settling.say?.(person, at);
      if (said?.length === 0) continue;
      if (profile.manifestVersion > live.manifest.version) {
        left.push(profile.id);
        continue;
      }
      const own = catchUp(person, live, at);
      if (said) {
        for (const statement of said) applyStatement(stored.nodes.get(statement.identifier)!, statement);
        own.push(...advance(person, live, at, "rule"));
        statements.push(...said);
      }
      const refolded = historyChangesOf(person, stored);
      if (!said && !own.length && !refolded.length && saysTheSame(person.profile, profile)) continue;
      weight += own.length;
      changes.push(...own);
      histories.push(...refolded);
      profiles.push({ ...person.profile, version: profile.version + 1, manifestVersion: live.manifest.version });
    }
    const spoken = new Set(statements.map(({ identifier }) => stored.nodes.get(identifier)!));
    const write = [
      ...updateIdentifiers(db, siteId, [...spoken]),
      ...insertListStatements(db, siteId, statements),
      ...upsertProfiles(db, siteId, profiles),
      ...applyHistoryChanges(db, siteId, histories),
      ...applyMembershipChanges(db, siteId, changes),
      ...markSnapshots(db, siteId, toMarks(outdated(profiles)), now()),
    ];
    budget.statements -= write.length;
    if (write.length) await db.batch(write);
    settling.written?.(changes);
    total.decided += profiles.length;
    total.changed += changes.filter(({ change }) => change !== "since").length;
    total.weight += weight;
    total.missing.push(...missing);
    total.left.push(...left);
  }
}

/** Nothing differs but for which rules said so. */
function saysTheSame(row: ProfileRow, stored: ProfileRow): boolean {
  return row.wakesAt === stored.wakesAt && JSON.stringify(row.decisions) === JSON.stringify(stored.decisions);
}
