/** A person as slots are decided for one. */
import { stableIdOf } from "../../shared/hash.ts";
import type { Viewer } from "../blocks/decide.ts";
import type { Person } from "../profiles/person.ts";

export function viewerOf(person: Person): Viewer {
  return {
    stableId: person.profile.stableId,
    segments: person.profile.decisions,
    wakesAt: person.profile.wakesAt,
    traits: person.traits,
    events: person.events,
    consent: person.consent,
  };
}

/** The user whom a profile belongs to, as a hash. */
export function userOf({ group }: Person): string | null {
  const user = group.nodes.find(({ identifier }) => identifier.startsWith("userId:"));
  return user ? stableIdOf(user.identifier) : null;
}
