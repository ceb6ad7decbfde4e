/** What erasing, refusing and snapshots look up is found by a key, whatever the size of the site. */
import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import { deleteProfile, deleteRemains } from "../../../edge/db/erasure.ts";
import { listRevocations, upsertRevocations } from "../../../edge/db/revocations.ts";
import { clearMarks, listMarked, markSnapshots, readMarked } from "../../../edge/db/snapshots.ts";
import {
  guardTombstones,
  insertTombstones,
  listErasedIdentifiers,
  listOpenErasures,
  readOpenErasure,
  readTombstones,
} from "../../../edge/db/tombstones.ts";

/** Explains statements in place of carrying them out. */
async function explain(call: (db: D1Database) => Promise<unknown>): Promise<string[]> {
  const plans: string[] = [];
  const wrap = (statement: D1PreparedStatement): D1PreparedStatement => {
    const read = async () => {
      const { results } = await statement.all<{ detail: string }>();
      plans.push(...results.map(({ detail }) => detail));
      return { results: [], meta: { changes: 0 } };
    };
    const bind = (...values: unknown[]) => wrap(statement.bind(...values));
    const first = async () => void (await read());
    return { bind, all: read, run: read, first } as unknown as D1PreparedStatement;
  };
  const prepare = (sql: string) => wrap(env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`));
  const batch = (statements: D1PreparedStatement[]) => Promise.all(statements.map((statement) => statement.all()));
  await call({ prepare, batch } as unknown as D1Database);
  return plans.filter((plan) => /^(SEARCH|SCAN) \w/.test(plan) && !/VIRTUAL TABLE|SUBQUERY/.test(plan));
}

const ann = { identifier: "userId:ann", birthId: "p_a" };
const run = async (statements: D1PreparedStatement[] | Promise<D1PreparedStatement[]>) => {
  for (const statement of await statements) await statement.run();
};

it.each<[name: string, call: (db: D1Database) => Promise<unknown>]>([
  ["readTombstones", (db) => readTombstones(db, "s", [ann.identifier])],
  ["guardTombstones", (db) => run(guardTombstones(db, "s", [[ann.identifier, undefined]]))],
  ["insertTombstones", (db) => run(insertTombstones(db, "s", { id: "p_a", version: 1 }, [ann], 1))],
  ["readOpenErasure by id", (db) => readOpenErasure(db, "s", { id: "p_a" })],
  ["listErasedIdentifiers", (db) => listErasedIdentifiers(db, "s", "p_a")],
  ["deleteProfile", (db) => run(deleteProfile(db, "s", [ann]))],
  ["deleteRemains", (db) => run(deleteRemains(db, "s", "p_a", [ann]))],
  ["upsertRevocations", (db) => run(upsertRevocations(db, "s", ["p_a"], 2, 1))],
  ["listRevocations", (db) => listRevocations(db, "s", 1)],
  ["markSnapshots", (db) => run(markSnapshots(db, "s", ["p_a"], 1))],
  ["clearMarks", (db) => clearMarks(db, "s", [{ profileId: "p_a", mark: "m" }])],
  ["readMarked", (db) => readMarked(db, "s", ["p_a"])],
])("%s", async (_name, call) => {
  for (const plan of await explain(call)) {
    // Nothing is left of most erasures: the index of open ones is nearly empty.
    if (/tombstones_site_id_profile_id \(site_id=\? AND profile_id>\?\)/.test(plan)) continue;
    if (/^SEARCH membership_log USING INTEGER PRIMARY KEY/.test(plan)) continue;
    expect(plan).toMatch(/^SEARCH .* USING (PRIMARY KEY|(COVERING )?INDEX \w+) \(site_id=\?( AND \w+[=<]\?)*\)$/);
    expect(plan).not.toMatch(
      /^SEARCH (events|consents|conflicts|links|identifiers|profiles|memberships) .*\(site_id=\?\)$/,
    );
  }
});

it("the cron trigger reads what is left, and no more", async () => {
  expect(await explain((db) => listMarked(db, 1))).toEqual([
    "SCAN stale_snapshots USING COVERING INDEX stale_snapshots_since",
  ]);
  const [plan] = await explain((db) => listOpenErasures(db, 1));
  expect(plan).toMatch(/tombstones_site_id_profile_id/);
});
