/**
 * Decides stored profiles for another reason than an event of theirs: time, a changed rule, an uploaded list. They are read,
 * adjusted by the caller, decided and written in one guarded transaction; who keeps others from being written is set apart.
 */
import { applyHistoryChanges, type HistoryChange } from "../db/histories.ts";
import { listIdentifiersOfProfiles } from "../db/identifiers.ts";
import { applyMembershipChanges, type Cause, type MembershipChange } from "../db/memberships.ts";
import { isConflict, type ProfileRow, upsertProfiles } from "../db/profiles.ts";
import type { Env } from "../env.ts";
import { groupStored } from "../identity/resolve.ts";
import type { LiveSite } from "../manifest/live.ts";
import { readSite, renewSite } from "../manifest/read.ts";
import { loadPeople } from "./load.ts";
import { buildPerson, type Person, refreshHistories, settlePerson } from "./person.ts";

/** Lost races of the same profiles, before they are taken apart. */
const ATTEMPTS = 2;

export interface Settling {
  /** Said in the log of memberships. */
  cause: Cause;
  /** Epoch milliseconds. Nobody is decided as of a time before what is stored of them. */
  now: () => number;
  /** After this nothing more is begun. Default: never. */
  deadline?: number;
  /**
   * Changes a person before the engine is asked: `carried` says which static segments somebody is in, and since when. Called
   * anew on a new `person` each time the reading is repeated.
   */
  adjust?: (person: Person) => void;
}

export interface Settled {
  /** Profiles written. */
  decided: number;
  /** Enters and exits logged. */
  changed: number;
  /** Ids that lead to nobody, or that became part of another profile, which was decided in their place. */
  missing: string[];
  /** Ids left as they are: they kept losing races, which whoever wins decides, or the time was over. */
  left: string[];
  /** Ids that cannot be decided or written, with what was thrown; left as they are. */
  failed: { id: string; error: unknown }[];
}

/**
 * Settles profiles, all in one transaction. Where that fails, each half of them by itself, so that none has to wait for
 * another. Ask for as many as fit into memory with all their history: a hundred, say.
 *
 * @returns what came of each; everybody is missing where the site is gone
 */
export async function settleProfiles(
  env: Env,
  siteId: string,
  profileIds: readonly string[],
  settling: Settling,
): Promise<Settled> {
  const total: Settled = { decided: 0, changed: 0, missing: [], left: [], failed: [] };
  await settleApart(profileIds);
  return total;

  async function settleApart(ids: readonly string[]): Promise<void> {
    let failure: unknown;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if (settling.now() >= (settling.deadline ?? Infinity)) return void total.left.push(...ids);
      try {
        const { decided, changed, missing, left } = await settleTogether(env, siteId, ids, settling);
        total.decided += decided;
        total.changed += changed;
        total.missing.push(...missing);
        total.left.push(...left);
        return;
      } catch (error) {
        failure = error;
        if (!isConflict(error)) break;
      }
    }
    if (ids.length > 1) {
      const half = ids.length >> 1;
      await settleApart(ids.slice(0, half));
      await settleApart(ids.slice(half));
    } else if (isConflict(failure)) {
      total.left.push(...ids);
    } else {
      total.failed.push({ id: ids[0]!, error: failure });
    }
  }
}

/** Reads profiles, decides them as of now, and writes them all or none. */
async function settleTogether(
  env: Env,
  siteId: string,
  profileIds: readonly string[],
  { cause, now, adjust }: Settling,
): Promise<Omit<Settled, "failed">> {
  const { DB: db } = env;
  const nobody = { decided: 0, changed: 0, missing: [...profileIds], left: [] };
  let live = await readSite(env, siteId, now());
  if (!live) return nobody;
  const stored = await loadPeople(db, siteId, await listIdentifiersOfProfiles(db, siteId, profileIds));
  if ([...stored.profiles.values()].some((profile) => isNewer(profile, live!))) {
    live = await renewSite(env, siteId, now());
    if (!live) return nobody;
  }
  await refreshHistories(db, live, stored);
  const profiles: ProfileRow[] = [];
  const changes: MembershipChange[] = [];
  const histories: HistoryChange[] = [];
  const left: string[] = [];
  const missing = new Set(profileIds);
  for (const group of new Set(groupStored(stored.nodes).values())) {
    const person = buildPerson(group, stored, live, now());
    const { profile } = person;
    missing.delete(profile.id);
    if (isNewer(profile, live)) {
      left.push(profile.id);
      continue;
    }
    adjust?.(person);
    const settled = settlePerson(person, stored, live, now(), cause);
    changes.push(...settled.changes);
    histories.push(...settled.histories);
    profiles.push(settled.row);
  }
  if (profiles.length) {
    await db.batch([
      ...upsertProfiles(db, siteId, profiles),
      ...applyHistoryChanges(db, siteId, histories),
      ...applyMembershipChanges(db, siteId, changes),
    ]);
  }
  return { decided: profiles.length, changed: changes.length, missing: [...missing], left };
}

/** Decided by rules that are not known here yet. */
function isNewer({ manifestVersion }: ProfileRow, live: LiveSite): boolean {
  return manifestVersion > live.manifest.version;
}
