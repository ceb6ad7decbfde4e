import { expect, it } from "vitest";
import type { ProfileRow } from "../../../edge/db/profiles.ts";
import { buildPolicy } from "../../../edge/identity/policy.ts";
import { remember, takePeople } from "../../../edge/profiles/memory.ts";
import { decideFrom } from "../../../edge/profiles/standing.ts";
import { createEvaluator } from "../../../shared/engine/evaluation.ts";

/** Remembers so many people, u0 first, on a site with so many rules; tells who still is. */
const policy = buildPolicy(undefined);

function rememberPeople(siteId: string, people: number, rules: number): boolean[] {
  const conditions = Array.from({ length: rules }, (_, n) => ({ key: `s${n}`, condition: { event: `E${n}` } }));
  const program = createEvaluator(conditions, { timeZone: "UTC" });
  const names = Array.from({ length: people }, (_, n) => `userId:u${n}`);
  for (const identifier of names) {
    const standing = decideFrom(undefined, program, { traits: {}, events: [] }, 0);
    const profile: ProfileRow = {
      ...{ id: identifier, stableId: "", firstSeen: 0, lastSeen: 0, version: 1, mergedInto: null },
      ...{ decisions: {}, wakesAt: null, manifestVersion: 1 },
    };
    const node = { identifier, profileId: profile.id, birthId: profile.id, firstSeen: 0, consent: {}, lists: {} };
    remember(
      siteId,
      { profile, nodes: [node], histories: [], traits: [], links: new Set(), refused: new Set(), policy, standing },
      0,
    );
  }
  return names.map((name) => takePeople(siteId, [name], [], policy, 0) !== null);
}

it("holds fewer people of a site with many rules, the latest of them", () => {
  expect(rememberPeople("few", 500, 10)).not.toContain(false);
  const many = rememberPeople("many", 500, 1_000);
  expect(many.filter(Boolean).length).toBeLessThan(200);
  expect([many[0], many.at(-1)]).toEqual([false, true]);
});
