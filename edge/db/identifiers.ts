/** SQL of `identifiers`: the nodes of the identity graph and the index from each to its profile. */
import type { Consent, Purpose } from "../../shared/consent.ts";
import type { Identifier } from "../../shared/identifier.ts";
import { toLists } from "./lists.ts";

/** What an identifier allows: purpose → granted, since when. */
export type StoredConsent = { [P in Purpose]?: [granted: boolean, at: number] };

/** What uploads say last of an identifier: segment key → on that list (null: not said any more), since when. */
export type StoredLists = { [segmentKey: string]: [listed: boolean | null, at: number] };

export interface IdentifierRow {
  identifier: Identifier;
  profileId: string;
  birthId: string;
  firstSeen: number;
  /** When it got its first link; absent while it has none, and wherever no limit counts within a window. */
  linkedAt?: number;
  consent: StoredConsent;
  lists: StoredLists;
  /** When it was last erased, before somebody new had it: what is not newer is refused. */
  erasedAt?: number;
}

interface Row {
  identifier: string;
  profile_id: string;
  birth_id: string;
  first_seen: number;
  consent: string;
  lists: string;
  erased_at: number | null;
}

export function toIdentifierRow(row: unknown): IdentifierRow {
  const { identifier, profile_id, birth_id, first_seen, consent, lists, erased_at } = row as Row;
  return {
    identifier,
    profileId: profile_id,
    birthId: birth_id,
    firstSeen: first_seen,
    consent: JSON.parse(consent),
    lists: JSON.parse(lists),
    ...(erased_at !== null && { erasedAt: erased_at }),
  };
}

/** All identifiers of the profiles that the given identifiers belong to. */
export function selectComponents(db: D1Database, siteId: string, identifiers: string): D1PreparedStatement {
  return db
    .prepare(
      `SELECT m.identifier, m.profile_id, m.birth_id, m.first_seen, m.consent, m.lists, m.erased_at
       FROM (
         SELECT DISTINCT i.profile_id FROM json_each(?2) AS asked
         CROSS JOIN identifiers AS i ON i.site_id = ?1 AND i.identifier = asked.value
       ) AS found
       CROSS JOIN identifiers AS m INDEXED BY identifiers_site_id_profile_id
         ON m.site_id = ?1 AND m.profile_id = found.profile_id`,
    )
    .bind(siteId, identifiers);
}

/** Refuses, with the whole transaction, an identifier that has come into being meanwhile. */
export function insertIdentifiers(
  db: D1Database,
  siteId: string,
  rows: readonly IdentifierRow[],
): D1PreparedStatement[] {
  return toIdentifierLists(rows).map((list) =>
    db
      .prepare(
        `INSERT INTO identifiers (site_id, identifier, profile_id, birth_id, first_seen, consent, lists, erased_at)
       SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value -> 4, value -> 5, value ->> 6 FROM json_each(?2)`,
      )
      .bind(siteId, list),
  );
}

/**
 * Points identifiers to the profile that they belong to now, and keeps what they allow and which lists they are on. Goes with
 * the profiles that they were read with (`upsertProfiles`), which prove that nothing newer is lost. (UPDATE … FROM would read the site.)
 */
export function updateIdentifiers(
  db: D1Database,
  siteId: string,
  rows: readonly IdentifierRow[],
): D1PreparedStatement[] {
  return toIdentifierLists(rows).map((list) =>
    db
      .prepare(
        `INSERT INTO identifiers (site_id, identifier, profile_id, birth_id, first_seen, consent, lists)
       SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value -> 4, value -> 5 FROM json_each(?2) WHERE true
       ON CONFLICT (site_id, identifier) DO UPDATE SET
         profile_id = excluded.profile_id, first_seen = excluded.first_seen, consent = excluded.consent,
         lists = excluded.lists`,
      )
      .bind(siteId, list),
  );
}

function toIdentifierLists(rows: readonly IdentifierRow[]): string[] {
  return toLists(rows.map((r) => [r.identifier, r.profileId, r.birthId, r.firstSeen, r.consent, r.lists, r.erasedAt]));
}

/** The profile that an identifier, or an id that a profile ever had, leads to now. */
export async function readProfileId(
  db: D1Database,
  siteId: string,
  by: { identifier: Identifier } | { id: string },
): Promise<string | null> {
  const statement =
    "identifier" in by
      ? db
          .prepare("SELECT profile_id FROM identifiers WHERE site_id = ?1 AND identifier = ?2")
          .bind(siteId, by.identifier)
      : db.prepare("SELECT profile_id FROM identifiers WHERE site_id = ?1 AND birth_id = ?2").bind(siteId, by.id);
  return (await statement.first<string>("profile_id")) ?? null;
}

/** All identifiers of the profile that an id, of now or of any time, leads to now. */
export async function listComponent(db: D1Database, siteId: string, id: string): Promise<IdentifierRow[]> {
  const { results } = await db
    .prepare(
      `SELECT m.identifier, m.profile_id, m.birth_id, m.first_seen, m.consent, m.lists, m.erased_at
       FROM identifiers AS i
       CROSS JOIN identifiers AS m INDEXED BY identifiers_site_id_profile_id
         ON m.site_id = ?1 AND m.profile_id = i.profile_id
       WHERE i.site_id = ?1 AND i.birth_id = ?2`,
    )
    .bind(siteId, id)
    .all();
  return results.map(toIdentifierRow);
}

/** One identifier of each profile: enough to load the whole of it. */
export async function listIdentifiersOfProfiles(
  db: D1Database,
  siteId: string,
  profileIds: readonly string[],
): Promise<Identifier[]> {
  const { results } = await db
    .prepare(
      `SELECT i.identifier FROM json_each(?2) AS asked
       CROSS JOIN identifiers AS i ON i.site_id = ?1 AND i.birth_id = asked.value`,
    )
    .bind(siteId, JSON.stringify(profileIds))
    .all<{ identifier: string }>();
  return results.map((row) => row.identifier);
}

/** The profile that each of the identifiers belongs to; who is unknown is left out. */
export async function listProfileIds(
  db: D1Database,
  siteId: string,
  identifiers: readonly Identifier[],
): Promise<Map<Identifier, string>> {
  const statements = toLists(identifiers).map((list) =>
    db
      .prepare(
        `SELECT i.identifier, i.profile_id AS profileId FROM json_each(?2) AS asked
         CROSS JOIN identifiers AS i ON i.site_id = ?1 AND i.identifier = asked.value`,
      )
      .bind(siteId, list),
  );
  if (!statements.length) return new Map();
  const answers = await db.batch<{ identifier: Identifier; profileId: string }>(statements);
  return new Map(
    answers.flatMap(({ results }) => results.map(({ identifier, profileId }) => [identifier, profileId] as const)),
  );
}

/** The newest statement per purpose wins; an equal time keeps the refusal. */
export function mergeConsent(into: StoredConsent, from: StoredConsent): StoredConsent {
  const merged: StoredConsent = { ...into };
  for (const [purpose, statement] of Object.entries(from) as [Purpose, [boolean, number]][]) {
    const known = merged[purpose];
    if (!known || statement[1] > known[1] || (statement[1] === known[1] && !statement[0])) merged[purpose] = statement;
  }
  return merged;
}

/** A message's consent as statements made at one time. */
export function statementsOf(consent: Consent, at: number): StoredConsent {
  return Object.fromEntries(Object.entries(consent).map(([purpose, granted]) => [purpose, [granted, at]]));
}
