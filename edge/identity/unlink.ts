/** Takes people apart: folds their past anew without a link, and writes the difference in one guarded transaction. */
import { type Identifier, splitIdentifier } from "../../shared/identifier.ts";
import { type AuditEntry, insertAudit } from "../db/audit.ts";
import { deleteProfile } from "../db/erasure.ts";
import { type IdentifierRow, insertIdentifiers, updateIdentifiers } from "../db/identifiers.ts";
import {
  deleteConflicts,
  deleteLinks,
  insertConflicts,
  insertLinks,
  type LinkRow,
  type Made,
  type NewConflict,
  type NewLink,
  readLink,
  removeLink,
} from "../db/links.ts";
import { applyMembershipChanges, type MembershipChange } from "../db/memberships.ts";
import { isConflict, isStale, listProfilesById, type ProfileRow, upsertProfiles } from "../db/profiles.ts";
import { forgetSendDecisions } from "../db/send-decisions.ts";
import type { Env } from "../env.ts";
import { newProfileId } from "../ingest/ingest.ts";
import type { LiveSite } from "../manifest/live.ts";
import { readSite, renewSite } from "../manifest/read.ts";
import { Problem } from "../problem.ts";
import { isNewer } from "../profiles/load.ts";
import { allows, membershipChanges, type Person, refreshHistories } from "../profiles/person.ts";
import { writeRegrouped } from "../profiles/snapshot.ts";
import { byAge, type LinkRefusal, peopleOf, type Regrouping, tooBusy, type UnlinkRequest } from "./link.ts";
import { type Past, PastErased, readPast } from "./past.ts";
import { replay } from "./replay.ts";
import type { World } from "./world.ts";

/** Whoever is taken apart may go on sending events meanwhile: then it is begun again. */
const ATTEMPTS = 6;

/**
 * Removes a link. What its people are afterwards is what they would be, had it never been: also what was refused only
 * because of it is linked then. It is not made again by hearing of it.
 *
 * @throws Problem `not-found` without the site; `overloaded` when races were lost too often, nothing is changed then
 */
export async function unlink(env: Env, siteId: string, request: UnlinkRequest): Promise<Regrouping | LinkRefusal> {
  const { linkId, now, dryRun = false } = request;
  let live = await readSite(env, siteId, now);
  for (let attempt = 1; live && attempt <= ATTEMPTS; attempt++) {
    const link = await readLink(env.DB, siteId, linkId);
    if (!link || link.removedAt !== null) return gone(link);
    try {
      const past = await readPast(env.DB, siteId, [link.a, link.b]);
      // Read after the versions that prove the write: another removal may have come first.
      const known = past.links.get(linkId);
      if (known?.removedAt !== null) return gone(known);
      if (isNewer(past.stored, live)) live = await renewSite(env, siteId, now);
      if (!live) break;
      await refreshHistories(env.DB, live, past.stored);
      const before = peopleOf(past.stored, live, now);
      const world = await replay(env.DB, live, past, linkId, newProfileId, now);
      const regrouping = compare(live, past, world, before, now);
      if (dryRun) return regrouping;
      const parting = { live, past, world, link, regrouping, request };
      await writeRegrouped(env, live, regrouping, (marks) => write(env.DB, siteId, parting, marks));
      return regrouping;
    } catch (error) {
      if (isStale(error)) live = await renewSite(env, siteId, now);
      else if (!isConflict(error) && !(error instanceof PastErased)) throw error;
    }
  }
  if (!live) throw new Problem("not-found");
  throw tooBusy();
}

function gone(link: LinkRow | null | undefined): LinkRefusal {
  return { refused: "no-link", removedAt: link?.removedAt ?? null };
}

function compare(live: LiveSite, past: Past, world: World, before: Person[], now: number): Regrouping {
  const standing = [...past.links.values()].filter(({ removedAt }) => removedAt === null);
  const refused = [...past.conflicts.values()].filter(({ id }) => !past.outside.has(id));
  return {
    live,
    before,
    after: byAge(world.people(live, now)),
    links: {
      made: [...world.links].flatMap(([id, link]) => (past.links.get(id)?.removedAt === null ? [] : [link])),
      fallen: standing.filter(({ id }) => !world.links.has(id)),
    },
    conflicts: {
      made: [...world.conflicts].flatMap(([id, conflict]) => (past.conflicts.has(id) ? [] : [conflict])),
      solved: refused.filter(({ id }) => !world.conflicts.has(id)),
    },
  };
}

interface Parting {
  live: LiveSite;
  past: Past;
  world: World;
  link: LinkRow;
  regrouping: Regrouping;
  request: UnlinkRequest;
}

async function write(
  db: D1Database,
  siteId: string,
  parting: Parting,
  marks: readonly D1PreparedStatement[],
): Promise<void> {
  const { past, world, link, regrouping, request } = parting;
  const { links, conflicts } = regrouping;
  const nodes = compareNodes(parting);
  const { profiles, changes } = await comparePeople(db, siteId, parting);
  const fallen = links.fallen.flatMap(({ id }) => (id === link.id ? [] : [id]));
  // What stands as before may stand for another reason, or since another time.
  const otherLinks = findOthers<Made<NewLink>>(past.links, world.links);
  const otherConflicts = findOthers<Made<NewConflict>>(past.conflicts, world.conflicts);
  // Some had allowed it as the other one.
  const unwilling = regrouping.after.flatMap(({ consent, group }) =>
    allows(consent, "personalization") ? [] : group.nodes[0]!.identifier,
  );
  await db.batch([
    ...insertIdentifiers(db, siteId, nodes.born),
    ...updateIdentifiers(db, siteId, nodes.moved),
    ...upsertProfiles(db, siteId, profiles),
    removeLink(db, siteId, link.id, request.now),
    ...deleteLinks(db, siteId, [...fallen, ...otherLinks.keys()], request.now),
    ...deleteConflicts(db, siteId, [...conflicts.solved.map(({ id }) => id), ...otherConflicts.keys()]),
    ...insertLinks(db, siteId, [...links.made, ...otherLinks.values()]),
    ...insertConflicts(db, siteId, [...conflicts.made, ...otherConflicts.values()]),
    ...forgetSendDecisions(db, siteId, unwilling),
    ...applyMembershipChanges(db, siteId, changes),
    ...(nodes.gone.length ? deleteProfile(db, siteId, nodes.gone) : []),
    ...insertAudit(db, siteId, [entryOf(parting)]),
    ...marks,
  ]);
}

/** Pairs that are stored otherwise than they are in that world. */
function findOthers<T extends object>(stored: ReadonlyMap<string, T>, world: ReadonlyMap<string, T>): Map<string, T> {
  const others = new Map<string, T>();
  for (const [id, pair] of world) {
    const known = stored.get(id) as Record<string, unknown> | undefined;
    if (known && Object.entries(pair).some(([field, value]) => known[field] !== value)) others.set(id, pair);
  }
  return others;
}

/** Identifiers that lead elsewhere, that come into being, and that never were. */
function compareNodes({ past, world }: Parting): Record<"born" | "moved" | "gone", IdentifierRow[]> {
  const stored = past.stored.nodes;
  const said = new Set(
    past.moments.flatMap(({ arrivals, consents }) => [
      ...arrivals.map(({ owner }) => owner),
      ...consents.map(({ identifier }) => identifier),
    ]),
  );
  const gone = [...stored.values()].filter(({ identifier }) => !world.nodes.has(identifier));
  if (gone.some(({ identifier }) => said.has(identifier)))
    throw new Error("an identifier of which something is said got lost");
  const born: IdentifierRow[] = [];
  const moved: IdentifierRow[] = [];
  for (const [identifier, node] of world.nodes) {
    const known = stored.get(identifier);
    if (!known) born.push(node);
    else if (JSON.stringify(placeOf(known)) !== JSON.stringify(placeOf(node)))
      moved.push({ ...known, ...placeOf(node) });
  }
  return { born, moved, gone };
}

/** What of an identifier depends on others. An upload said nothing of one that nobody had heard of by then. */
function placeOf({
  profileId,
  firstSeen,
  lists,
}: IdentifierRow): Pick<IdentifierRow, "profileId" | "firstSeen" | "lists"> {
  return { profileId, firstSeen, lists };
}

/** Everybody concerned is written, changed or not: that proves that nothing happened to any of them meanwhile. */
async function comparePeople(
  db: D1Database,
  siteId: string,
  { live, past, world, request }: Parting,
): Promise<{ profiles: ProfileRow[]; changes: MembershipChange[] }> {
  const nodes = new Map([...past.stored.nodes, ...world.nodes]);
  const births = [...nodes.values()].map(({ birthId }) => birthId);
  const known = await listProfilesById(db, siteId, births);
  const profiles: ProfileRow[] = [];
  const changes: MembershipChange[] = [];
  for (const { identifier, birthId } of nodes.values()) {
    const was = past.stored.profiles.get(birthId) ?? known.get(birthId);
    const is = world.profiles.get(birthId);
    const stands = is?.mergedInto === null;
    if (!was && !stands) continue;
    const decisions = stands ? is.decisions : {};
    const before = was?.mergedInto === null ? was.decisions : {};
    const row = { ...(stands ? is : was!), version: (was?.version ?? 0) + 1, manifestVersion: live.manifest.version };
    const mergedInto = stands ? null : (world.nodes.get(identifier)?.profileId ?? was!.mergedInto);
    profiles.push(stands ? row : { ...row, mergedInto, decisions, wakesAt: null });
    const at = Math.max(request.now, row.lastSeen);
    changes.push(...membershipChanges({ ...row, decisions: before }, decisions, live, "identity", at));
  }
  return { profiles, changes };
}

function entryOf({
  past,
  world,
  link,
  regrouping: { links, conflicts },
  request: { actor, now },
}: Parting): AuditEntry {
  const birthOf = (identifier: Identifier) =>
    (past.stored.nodes.get(identifier) ?? world.nodes.get(identifier))?.birthId ?? null;
  // What nobody has cannot be erased from the trail with whoever will have it: of that the kind is told.
  const tell = (identifier: Identifier) =>
    birthOf(identifier) === null ? splitIdentifier(identifier).kind : identifier;
  const told = (pairs: readonly { a: Identifier; b: Identifier }[]) =>
    pairs.map(({ a, b }) => ({ a: tell(a), b: tell(b) }));
  const fallen = links.fallen.filter(({ id }) => id !== link.id);
  const named = new Set([link, ...links.made, ...fallen, ...conflicts.made].flatMap(({ a, b }) => [a, b]));
  return {
    at: now,
    actor,
    action: "unlink",
    subjects: [...named].flatMap((identifier) => birthOf(identifier) ?? []),
    detail: {
      ...{ a: link.a, b: link.b, evidence: link.evidence, linkedAt: link.at },
      ...{ made: told(links.made), fallen: told(fallen), refused: told(conflicts.made) },
    },
  };
}
