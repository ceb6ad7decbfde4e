import { expect, it } from "vitest";
import type { Person } from "../../../edge/profiles/person.ts";
import { FEWEST, MOST, nextCount, type Settling, settleProfiles } from "../../../edge/profiles/settle.ts";
import { bindings, createSite, type TestSite, track } from "../site.ts";
import { around } from "./around.ts";

const settling = { now: Date.now };

async function createPeople(...names: string[]): Promise<{ site: TestSite; ids: string[] }> {
  const site = await createSite({ segments: [{ key: "buyer", condition: { event: "Order Completed" } }] });
  await site.rows(
    `INSERT INTO segments (site_id, key, name, kind, condition, visibility, status, version, created_at, updated_at)
     VALUES (?1, 'vip', 'VIP', 'static', NULL, 'private', 'active', 1, 0, 0)`,
  );
  await site.publish({});
  await site.batch(names.map((anonymousId) => track("Product Viewed", {}, { anonymousId })));
  const rows = await site.rows<{ id: string }>(
    "SELECT birth_id AS id FROM identifiers WHERE site_id = ?1 ORDER BY identifier",
  );
  return { site, ids: rows.map(({ id }) => id) };
}

const state = (listed: boolean) => (person: Person, at: number) =>
  person.group.nodes.map(({ identifier }) => ({ identifier, segmentKey: "vip", listed, at }));
const join = state(true);

it.each([
  [FEWEST, 0, 2 * FEWEST],
  [400, 4_000, 800],
  [MOST, 1_000, MOST],
  [400, 40_000, 200],
  [800, 800_000, FEWEST],
])("after %i profiles that weigh %i come %i", (count, weight, next) => {
  expect(nextCount(count, weight)).toBe(next);
});

it("weighs memberships, those that change twice", async () => {
  const { site, ids } = await createPeople("a", "b");
  const settle = (say?: Settling["say"]) =>
    settleProfiles(bindings, site.id, ids, { ...settling, ...(say && { say }) });
  const { weight } = await settle();
  expect((await settle(join)).weight).toBe(weight + 2);
  expect((await settle(state(false))).weight).toBe(weight + 4);
});

it("writes what is said of somebody with them, said anew each time they are read", async () => {
  const { site, ids } = await createPeople("a", "b");
  const seen: Person[] = [];
  const say = (person: Person, at: number) => {
    expect(person.carried).toEqual({});
    expect(at).toBeGreaterThan(person.profile.lastSeen);
    seen.push(person);
    return join(person, at);
  };
  const { env } = around({
    before: (writes) => writes === 1 && site.batch([track("Product Viewed", {}, { anonymousId: "b" })]),
  });
  const told: [string, string][] = [];
  const written: Settling["written"] = (changes) => {
    for (const { segmentKey, change } of changes) told.push([segmentKey, change]);
  };
  const settled = await settleProfiles(env, site.id, ids, { ...settling, say, written });
  expect(settled).toMatchObject({ decided: 2, changed: 2 });
  expect(seen).toHaveLength(4);
  expect(told).toEqual([
    ["vip", "enter"],
    ["vip", "enter"],
  ]);
  const members = "SELECT segment_key AS key, since FROM memberships WHERE site_id = ?1 ORDER BY profile_id = ?2";
  const statements =
    "SELECT segment_key AS key, at AS since FROM list_statements WHERE site_id = ?1 ORDER BY identifier DESC";
  expect(await site.rows(members, ids[0])).toEqual(await site.rows(statements));
});

it("writes nothing of somebody of whom nothing is said", async () => {
  const { site, ids } = await createPeople("a", "b");
  const settled = await settleProfiles(bindings, site.id, ids, { ...settling, say: () => [] });
  expect(settled).toMatchObject({ decided: 0, changed: 0, missing: [], left: [] });
  expect(await site.rows("SELECT DISTINCT version FROM profiles WHERE site_id = ?1")).toEqual([{ version: 1 }]);
});

it("decides in the place of somebody who became part of another the other", async () => {
  const { site, ids } = await createPeople("a", "b");
  await site.batch([
    { type: "identify", anonymousId: "a", userId: "u", messageId: "u1" },
    { type: "identify", anonymousId: "b", userId: "u", messageId: "u2" },
  ]);
  const settled = await settleProfiles(bindings, site.id, [ids[1]!], { ...settling, say: join });
  expect(settled).toMatchObject({ decided: 1, missing: [ids[1]], left: [], failed: [] });
  const [member] = await site.rows("SELECT profile_id AS id FROM memberships WHERE site_id = ?1");
  expect(member).toEqual({ id: ids[0] });
});

it("says who is nobody, and begins nothing with a budget that is spent", async () => {
  const { site, ids } = await createPeople("a");
  const asked = [...ids, "p_nobody"];
  for (const budget of [
    { deadline: Date.now(), statements: 1_000 },
    { deadline: Infinity, statements: 0 },
  ]) {
    const settled = await settleProfiles(bindings, site.id, asked, { ...settling, say: join, budget });
    expect(settled).toMatchObject({ decided: 0, left: asked });
  }
  const settled = await settleProfiles(bindings, site.id, asked, { ...settling, say: join });
  expect(settled).toMatchObject({ decided: 1, missing: ["p_nobody"] });
  expect(await settleProfiles(bindings, "s_none", asked, settling)).toMatchObject({ decided: 0, missing: asked });
});

it("counts the statements that it sends", async () => {
  const { site, ids } = await createPeople("a", "b");
  let sent = 0;
  const prepare = (sql: string) => {
    sent++;
    return bindings.DB.prepare(sql);
  };
  const DB = { prepare, batch: (list: D1PreparedStatement[]) => bindings.DB.batch(list) } as unknown as D1Database;
  const budget = { deadline: Infinity, statements: 100 };
  await settleProfiles({ ...bindings, DB }, site.id, ids, { ...settling, say: join, budget });
  expect(sent).toBeGreaterThan(8);
  expect(100 - budget.statements).toBe(sent);
});
