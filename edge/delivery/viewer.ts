/** A person as slots are decided for one. */
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
