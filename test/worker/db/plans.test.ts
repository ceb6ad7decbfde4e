import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import {
  advanceBackfill,
  listWaitingBackfills,
  readBackfill,
  startBackfill,
  takeBackfill,
} from "../../../edge/db/backfills.ts";
import { insertConsents } from "../../../edge/db/consents.ts";
import { insertEvents, listNeededEvents, selectSeen } from "../../../edge/db/events.ts";
import { applyHistoryChanges, selectHistories } from "../../../edge/db/histories.ts";
import {
  insertIdentifiers,
  listIdentifiersOfProfiles,
  selectComponents,
  updateIdentifiers,
} from "../../../edge/db/identifiers.ts";
import { insertConflicts, insertLinks, selectFirstLinks, selectKnownLinks } from "../../../edge/db/links.ts";
import { applyMembershipChanges } from "../../../edge/db/memberships.ts";
import {
  clearWakes,
  listDueProfiles,
  listProfiles,
  postponeWake,
  selectProfiles,
  upsertProfiles,
} from "../../../edge/db/profiles.ts";
import { countRefused } from "../../../edge/db/refused-identifiers.ts";
import { listSequences } from "../../../edge/db/sequences.ts";
import { publishSite, readRulesVersion } from "../../../edge/db/sites.ts";
import { selectTraits, upsertTraits } from "../../../edge/db/traits.ts";

/** Hands out plans in place of results. */
const planner = { prepare: (sql: string) => env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`) } as unknown as D1Database;

const list = JSON.stringify(["userId:a"]);
const exit = { profileId: "p", segmentKey: "s", change: "exit", cause: "event", at: 1 } as const;
const change = { ...exit, segmentVersion: 1, since: null };
const node = { identifier: "o", profileId: "p", birthId: "p", firstSeen: 1, consent: {}, lists: {} };
const link = {
  a: "userId:a",
  b: "anonymousId:b",
  evidence: "identify",
  messageId: "m",
  actor: "server",
  at: 1,
} as const;
const statements: [name: string, statements: D1PreparedStatement[]][] = [
  ["selectComponents", [selectComponents(planner, "s", list)]],
  ["selectProfiles", [selectProfiles(planner, "s", list)]],
  ["selectHistories", [selectHistories(planner, "s", list)]],
  ["selectTraits", [selectTraits(planner, "s", list)]],
  ["selectSeen", [selectSeen(planner, "s", [{ owner: "userId:a", messageId: "m" }])]],
  ["selectKnownLinks", [selectKnownLinks(planner, "s", ["l"])]],
  ["selectFirstLinks", [selectFirstLinks(planner, "s", list)]],
  ["countRefused", countRefused(planner, "s", [{ kind: "email", reason: "malformed" }], 1)],
  ["insertIdentifiers", insertIdentifiers(planner, "s", [node])],
  ["updateIdentifiers", updateIdentifiers(planner, "s", [node])],
  ["upsertProfiles", upsertProfiles(planner, "s", [{ id: "p" } as never])],
  ["insertEvents", insertEvents(planner, "s", [{ owner: "o" } as never], "server", 1)],
  [
    "applyHistoryChanges",
    applyHistoryChanges(planner, "s", [
      { owner: "o", shape: "x", write: [{ chunk: 0, history: {} as never }], drop: [1] },
    ]),
  ],
  ["upsertTraits", upsertTraits(planner, "s", [{ identifier: "o", source: "s", facts: {} }])],
  ["insertLinks", insertLinks(planner, "s", [link])],
  ["insertConflicts", insertConflicts(planner, "s", [{ ...link, reason: "r" }])],
  ["insertConsents", insertConsents(planner, "s", [{ identifier: "o" } as never], 1)],
  ["applyMembershipChanges", applyMembershipChanges(planner, "s", [change])],
];

it.each(statements)("%s finds its rows by a key, whatever the size of the site", async (_name, statements) => {
  expect(statements.length).toBeGreaterThan(0);
  for (const statement of statements) {
    const { results } = await statement.all<{ detail: string }>();
    for (const { detail } of results) {
      if (/VIRTUAL TABLE|COMPOUND QUERY|UNION ALL|SUBQUERY|B-TREE|LIST|CO-ROUTINE|MATERIALIZE/.test(detail)) continue;
      if (/^SCAN (found|touched|first|\(subquery-\d+\))$/.test(detail)) continue;
      if (detail === "SEARCH sites USING PRIMARY KEY (id=?)") continue;
      expect(detail).toMatch(/^SEARCH .* USING (PRIMARY KEY|(COVERING )?INDEX \w+) \(site_id=\? AND /);
    }
  }
});

/** Runs with every statement explained in place of being carried out, and keeps what is said. */
async function explain(call: (db: D1Database) => Promise<unknown>): Promise<string[]> {
  const plans: string[] = [];
  const wrap = (statement: D1PreparedStatement): D1PreparedStatement => {
    const read = async () => {
      const { results } = await statement.all<{ detail: string }>();
      plans.push(...results.map(({ detail }) => detail));
      return { results: [], meta: { changes: 0 } };
    };
    const first = async () => (await read()).results[0] ?? null;
    const bind = (...values: unknown[]) => wrap(statement.bind(...values));
    return { bind, first, all: read, run: read } as unknown as D1PreparedStatement;
  };
  const prepare = (sql: string) => wrap(env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`));
  await call({ prepare } as unknown as D1Database);
  return plans;
}

const job = { siteId: "s", rulesVersion: 1, cursor: "", done: 0, total: 1, startedAt: 1, finishedAt: null };
const jobs: [name: string, call: (db: D1Database) => Promise<unknown>, plans: string[]][] = [
  [
    "listDueProfiles",
    (db) => listDueProfiles(db, 1, 1),
    ["SEARCH profiles USING COVERING INDEX profiles_wakes_at (wakes_at<?)"],
  ],
  ["listProfiles", (db) => listProfiles(db, "s", "", 1), ["SEARCH profiles USING PRIMARY KEY (site_id=? AND id>?)"]],
  [
    "listIdentifiersOfProfiles",
    (db) => listIdentifiersOfProfiles(db, "s", ["p"]),
    ["SEARCH i USING COVERING INDEX identifiers_site_id_birth_id (site_id=? AND birth_id=?)"],
  ],
  [
    "listNeededEvents",
    (db) => listNeededEvents(db, "s", ["o"], [["track", "E"]], 1),
    ["SEARCH e USING PRIMARY KEY (site_id=? AND owner=?)"],
  ],
  [
    "listSequences",
    (db) => listSequences(db, "s", ["o"], 1, 1),
    // What follows are steps over what was found.
    [
      "SEARCH e USING PRIMARY KEY (site_id=? AND owner=?)",
      ...["told", "lived", "spaced", "counted"].map((step) => `SCAN ${step}`),
    ],
  ],
  ["clearWakes", (db) => clearWakes(db, "s", ["p"]), ["SEARCH profiles USING PRIMARY KEY (site_id=? AND id=?)"]],
  [
    "postponeWake",
    (db) => postponeWake(db, "s", "p", 1, 2),
    ["SEARCH profiles USING PRIMARY KEY (site_id=? AND id=?)"],
  ],
  [
    "listWaitingBackfills",
    (db) => listWaitingBackfills(db, 1, 1),
    ["SEARCH backfills USING INDEX backfills_leased_until (leased_until<?)"],
  ],
  [
    "startBackfill",
    (db) => startBackfill(db, "s", 1, "h", 1).run(),
    ["SEARCH sites USING PRIMARY KEY (id=?)", "SEARCH profiles USING PRIMARY KEY (site_id=?)"],
  ],
  ["publishSite", (db) => publishSite(db, "s", 1, "h", 1).run(), ["SEARCH sites USING PRIMARY KEY (id=?)"]],
  ["readRulesVersion", (db) => readRulesVersion(db, "s"), ["SEARCH sites USING PRIMARY KEY (id=?)"]],
  ["readBackfill", (db) => readBackfill(db, "s"), ["SEARCH backfills USING PRIMARY KEY (site_id=?)"]],
  // Counts the site's profiles once, as the backfill begins.
  [
    "takeBackfill",
    (db) => takeBackfill(db, "s", 1, 1),
    ["SEARCH backfills USING PRIMARY KEY (site_id=?)", "SEARCH profiles USING PRIMARY KEY (site_id=?)"],
  ],
  ["advanceBackfill", (db) => advanceBackfill(db, job, job, 1), ["SEARCH backfills USING PRIMARY KEY (site_id=?)"]],
];

it.each(jobs)("%s looks up nothing else than it needs", async (_name, call, expected) => {
  const plans = await explain(call);
  const looked = plans.filter((plan) => /^(SEARCH|SCAN) \w/.test(plan) && !plan.includes("VIRTUAL TABLE"));
  expect([...new Set(looked)]).toEqual(expected);
});
