/** A profile as developers read it: folded from its identifiers, decided at the moment of asking. */
import { PURPOSES, type Purpose } from "../../shared/consent.ts";
import type { HistoryEvent, JsonObject } from "../../shared/event.ts";
import { type Identifier, splitIdentifier } from "../../shared/identifier.ts";
import { listIdentifiersOfProfiles, mergeConsent, type StoredConsent } from "../db/identifiers.ts";
import { groupStored } from "../identity/resolve.ts";
import type { LiveSite } from "../manifest/live.ts";
import { loadPeople } from "./load.ts";
import { allows, decidePerson, type Person, refreshHistories } from "./person.ts";
import type { TraitSource } from "./traits.ts";

/** Times are epoch milliseconds. */
export interface ProfileView {
  id: string;
  stableId: string;
  identifiers: { kind: string; value: string; firstSeen: number }[];
  traits: JsonObject;
  traitSources: ReadonlyMap<string, TraitSource>;
  segments: { key: string; since: number; until: number | null }[];
  /** What holds of each purpose, since when they said so; null: nobody asked, the site's default holds. */
  consent: Record<Purpose, { granted: boolean; at: number | null }>;
  firstSeen: number;
  lastSeen: number;
  /** The folded history that rules look at. */
  history: readonly HistoryEvent[];
  person: Person;
}

export type ProfileKey = { id: string } | { identifier: Identifier };

/** The profile that an identifier, or an id that any of its profiles ever had, leads to now; null if there is none. */
export async function readProfileView(
  db: D1Database,
  live: LiveSite,
  by: ProfileKey,
  now: number,
): Promise<ProfileView | null> {
  const { siteId } = live.manifest;
  // Any one of its identifiers leads to the rest.
  const identifiers = "id" in by ? await listIdentifiersOfProfiles(db, siteId, [by.id]) : [by.identifier];
  if (!identifiers.length) return null;
  const stored = await loadPeople(db, siteId, identifiers);
  await refreshHistories(db, live, stored);
  const group = groupStored(stored.nodes).get(identifiers[0] ?? "");
  if (!group) return null;
  const person = decidePerson(group, stored, live, now);
  const { profile } = person;
  return {
    id: profile.id,
    stableId: profile.stableId,
    identifiers: group.nodes
      .map(({ identifier, firstSeen }) => ({ ...splitIdentifier(identifier), firstSeen }))
      .sort((a, b) => a.firstSeen - b.firstSeen || (a.kind < b.kind ? -1 : 1)),
    traits: person.traits,
    traitSources: person.traitSources,
    segments: Object.entries(profile.decisions).map(([key, [since, until]]) => ({ key, since, until })),
    consent: consentOf(person),
    firstSeen: profile.firstSeen,
    lastSeen: profile.lastSeen,
    history: person.events,
    person,
  };
}

function consentOf({ group, consent }: Person): ProfileView["consent"] {
  const said = group.nodes.reduce<StoredConsent>((all, node) => mergeConsent(all, node.consent), {});
  const holds = (purpose: Purpose) => ({
    granted: allows(consent, purpose),
    at: said[purpose]?.[1] ?? null,
  });
  return Object.fromEntries(PURPOSES.map((purpose) => [purpose, holds(purpose)])) as ProfileView["consent"];
}
