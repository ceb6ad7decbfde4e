/**
 * Links that a developer makes, for good or as a dry run, by the same fold as ingest; and what making or removing one answers.
 */
import type { Identifier } from "../../shared/identifier.ts";
import { insertAudit } from "../db/audit.ts";
import { applyHistoryChanges } from "../db/histories.ts";
import { insertIdentifiers, updateIdentifiers } from "../db/identifiers.ts";
import {
  type ConflictRow,
  deleteConflicts,
  insertLinks,
  type LinkRow,
  linkId,
  type Made,
  type NewConflict,
  type NewLink,
  readConflict,
} from "../db/links.ts";
import { applyMembershipChanges } from "../db/memberships.ts";
import { isConflict, isStale, upsertProfiles } from "../db/profiles.ts";
import { forgetSendDecisions } from "../db/send-decisions.ts";
import { guardTombstones, isErased } from "../db/tombstones.ts";
import type { Env } from "../env.ts";
import { type Folded, foldInput, unwilling } from "../ingest/fold.ts";
import { newProfileId } from "../ingest/ingest.ts";
import type { LiveSite } from "../manifest/live.ts";
import { readSite, renewSite } from "../manifest/read.ts";
import { Problem } from "../problem.ts";
import { isNewer, loadPeople, type Stored } from "../profiles/load.ts";
import { decidePerson, type Person, refreshHistories } from "../profiles/person.ts";
import { writeRegrouped } from "../profiles/snapshot.ts";
import { groupStored } from "./resolve.ts";

/** Whom a link or its removal concerns, and what becomes of them. */
export interface Regrouping {
  /** The site as they were decided by. */
  live: LiveSite;
  /** Everybody concerned as they are, decided as of `now`; the eldest first. */
  before: Person[];
  /** The same identifiers as they are afterwards. */
  after: Person[];
  links: {
    /** Made, among them such as were refused only because of the one that is gone. */
    made: Made<NewLink>[];
    /** No longer made: the one removed, and such as are refused without it. */
    fallen: LinkRow[];
  };
  conflicts: {
    /** Refused from now on. */
    made: Made<NewConflict>[];
    /** Not refused any more. */
    solved: ConflictRow[];
  };
}

export interface LinkRequest {
  a: Identifier;
  b: Identifier;
  /** Who asks: `key:<id>`. */
  actor: string;
  /** Epoch milliseconds. */
  now: number;
  /** Nothing is written. */
  dryRun?: boolean;
}

export interface UnlinkRequest {
  linkId: string;
  actor: string;
  now: number;
  dryRun?: boolean;
}

/** Why nothing was done. */
export type LinkRefusal =
  /** Nothing is stored of one or both of them. */
  | { refused: "unknown"; identifiers: Identifier[] }
  /** They are one profile already. */
  | { refused: "united" }
  /** A limit stands against it. */
  | { refused: "limit"; reason: string }
  /** There never was such a link, or it was removed at `removedAt`. */
  | { refused: "no-link"; removedAt: number | null };

/** Lost races, before the developer is asked to try again. */
const ATTEMPTS = 6;

/**
 * Makes a link by hand, or says what it would change. It holds although it was removed before; limits hold all the same.
 *
 * @throws Problem `not-found` without the site; `overloaded` when races were lost too often, nothing is changed then
 */
export async function linkIdentifiers(
  env: Env,
  siteId: string,
  request: LinkRequest,
): Promise<Regrouping | LinkRefusal> {
  const { a, b, actor, now, dryRun = false } = request;
  const id = linkId(a, b);
  let live = await readSite(env, siteId, now);
  for (let attempt = 1; live && attempt <= ATTEMPTS; attempt++) {
    const linkTimes = live.identity.hasWindows;
    const read = await loadPeople(env.DB, siteId, [], { links: [{ a, b }], linkTimes });
    const unknown = [a, b].filter((identifier) => !read.nodes.has(identifier));
    // One that was refused when it first came is nobody's until it is linked.
    const isHeardOf = unknown.length === 1 && read.refusedLinks.has(id);
    if (unknown.length && !isHeardOf) return { refused: "unknown", identifiers: [...new Set(unknown)] };
    if (read.nodes.get(a)?.profileId === read.nodes.get(b)?.profileId) return { refused: "united" };
    if (isNewer(read, live)) live = await renewSite(env, siteId, now);
    if (!live) break;
    await refreshHistories(env.DB, live, read);
    const before = peopleOf(read, live, now);
    const conflict = read.refusedLinks.has(id) ? await readConflict(env.DB, siteId, id) : null;
    // What was refused once is looked at anew, and its reason told again.
    const stored: Stored = { ...read, refusedLinks: new Set() };
    const input = { events: [], links: [{ a, b }], source: "server", actor, receivedAt: now } as const;
    const folded = foldInput(stored, live, input, newProfileId);
    if (folded.conflicts[0]) return { refused: "limit", reason: folded.conflicts[0].reason };
    if (read.knownLinks.has(id)) for (const entry of folded.audit) entry.action = "relink";
    const solved = conflict ? [conflict] : [];
    const after = [...folded.people.values()];
    try {
      if (!dryRun)
        await writeRegrouped(env, live, { before, after }, (marks) => write(env.DB, siteId, folded, solved, marks));
      return {
        live,
        before,
        after,
        links: { made: folded.links, fallen: [] },
        conflicts: { made: [], solved },
      };
    } catch (error) {
      if (isErased(error)) return { refused: "unknown", identifiers: unknown };
      if (isStale(error)) live = await renewSite(env, siteId, now);
      else if (!isConflict(error)) throw error;
    }
  }
  if (!live) throw new Problem("not-found");
  throw tooBusy();
}

async function write(
  db: D1Database,
  siteId: string,
  folded: Folded,
  solved: readonly ConflictRow[],
  marks: readonly D1PreparedStatement[],
): Promise<void> {
  const { newNodes } = folded.resolution;
  await db.batch([
    ...(await guardTombstones(
      db,
      siteId,
      newNodes.map(({ identifier }) => [identifier, undefined] as const),
    )),
    ...insertIdentifiers(db, siteId, newNodes),
    ...updateIdentifiers(db, siteId, folded.moved),
    ...upsertProfiles(db, siteId, folded.profiles),
    ...applyHistoryChanges(db, siteId, folded.histories),
    ...insertLinks(db, siteId, folded.links),
    ...deleteConflicts(
      db,
      siteId,
      solved.map(({ id }) => id),
    ),
    ...forgetSendDecisions(db, siteId, unwilling(folded)),
    ...applyMembershipChanges(db, siteId, folded.changes),
    ...insertAudit(db, siteId, folded.audit),
    ...marks,
  ]);
}

/** Everybody who was read, as a reading answers them; the eldest first. */
export function peopleOf(stored: Stored, live: LiveSite, now: number): Person[] {
  const groups = new Set(groupStored(stored.nodes).values());
  return byAge([...groups].map((group) => decidePerson(group, stored, live, now)));
}

export function byAge(people: Person[]): Person[] {
  return people.sort((a, b) => a.profile.firstSeen - b.profile.firstSeen || (a.profile.id < b.profile.id ? -1 : 1));
}

/** Nothing was changed. */
export function tooBusy(): Problem {
  return new Problem("overloaded", "too many requests change these people at once", { retryAfterSeconds: 2 });
}
