import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import { insertConsents } from "../../../edge/db/consents.ts";
import { insertEvents, selectSeen } from "../../../edge/db/events.ts";
import { applyHistoryChanges, selectHistories } from "../../../edge/db/histories.ts";
import { insertIdentifiers, selectComponents, updateIdentifiers } from "../../../edge/db/identifiers.ts";
import { insertConflicts, insertLinks, selectKnownLinks } from "../../../edge/db/links.ts";
import { applyMembershipChanges } from "../../../edge/db/memberships.ts";
import { selectProfiles, upsertProfiles } from "../../../edge/db/profiles.ts";
import { selectTraits, upsertTraits } from "../../../edge/db/traits.ts";

/** Hands out plans in place of results. */
const planner = { prepare: (sql: string) => env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`) } as unknown as D1Database;

const list = JSON.stringify(["userId:a"]);
const change = { profileId: "p", segmentKey: "s", change: "exit", cause: "event", at: 1, segmentVersion: 1 } as const;
const node = { identifier: "o", profileId: "p", birthId: "p", firstSeen: 1, consent: {} };
const link = { a: "userId:a", b: "anonymousId:b", evidence: "identify" } as const;
const statements: [name: string, statements: D1PreparedStatement[]][] = [
  ["selectComponents", [selectComponents(planner, "s", list)]],
  ["selectProfiles", [selectProfiles(planner, "s", list)]],
  ["selectHistories", [selectHistories(planner, "s", list)]],
  ["selectTraits", [selectTraits(planner, "s", list)]],
  ["selectSeen", [selectSeen(planner, "s", [{ owner: "userId:a", messageId: "m" }])]],
  ["selectKnownLinks", [selectKnownLinks(planner, "s", ["l"])]],
  ["insertIdentifiers", insertIdentifiers(planner, "s", [node])],
  ["updateIdentifiers", updateIdentifiers(planner, "s", [node])],
  ["upsertProfiles", upsertProfiles(planner, "s", [{ id: "p" } as never])],
  ["insertEvents", insertEvents(planner, "s", [{ owner: "o" } as never], 1)],
  [
    "applyHistoryChanges",
    applyHistoryChanges(planner, "s", [
      { owner: "o", shape: "x", write: [{ chunk: 0, history: {} as never }], drop: [1] },
    ]),
  ],
  ["upsertTraits", upsertTraits(planner, "s", [{ identifier: "o", source: "s", facts: {} }])],
  ["insertLinks", insertLinks(planner, "s", [link], "a", 1)],
  ["insertConflicts", insertConflicts(planner, "s", [{ ...link, reason: "r", messageId: "m" }], 1)],
  ["insertConsents", insertConsents(planner, "s", [{ identifier: "o" } as never])],
  ["applyMembershipChanges", applyMembershipChanges(planner, "s", [change])],
];

it.each(statements)("%s finds its rows by a key, whatever the size of the site", async (_name, statements) => {
  expect(statements.length).toBeGreaterThan(0);
  for (const statement of statements) {
    const { results } = await statement.all<{ detail: string }>();
    for (const { detail } of results) {
      if (/VIRTUAL TABLE|SUBQUERY|B-TREE|LIST|CO-ROUTINE|^SCAN found$/.test(detail)) continue;
      expect(detail).toMatch(/^SEARCH .* USING (PRIMARY KEY|(COVERING )?INDEX \w+) \(site_id=\? AND /);
    }
  }
});
