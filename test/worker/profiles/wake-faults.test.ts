import { env } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { postponeWake } from "../../../edge/db/profiles.ts";
import { wakeDueProfiles } from "../../../edge/profiles/wake.ts";
import type { Condition } from "../../../shared/condition.ts";
import { bindings, createSite, type TestSite, track } from "../site.ts";
import { around, dying } from "./around.ts";

const HOUR_MS = 3_600_000;
const ADDED: Condition = { event: "Product Added", within: "1h" };
/** Everybody who added a product is due by then, and leaves the segment. */
const later = Date.now() + 2 * HOUR_MS;
const atLater = () => later;

let errors: string[];

beforeEach(async () => {
  await env.DB.prepare("UPDATE profiles SET wakes_at = NULL").run();
  errors = [];
  vi.spyOn(console, "error").mockImplementation((line) => errors.push(line));
});

afterEach(async () => {
  vi.restoreAllMocks();
  await env.DB.prepare("DROP TRIGGER IF EXISTS broken").run();
});

/** A site with people who are in `recent`, the first of them due first. */
async function createDue(...names: string[]): Promise<TestSite> {
  const site = await createSite({ segments: [{ key: "recent", condition: ADDED }] });
  const at = (index: number) => new Date(Date.now() - 30_000 + index).toISOString();
  const answer = await site.batch(
    names.map((anonymousId, index) => track("Product Added", {}, { anonymousId, timestamp: at(index) })),
  );
  expect(answer.accepted).toBe(names.length);
  return site;
}

const people = (count: number) => Array.from({ length: count }, (_, index) => `person-${index}`);

async function idOf(site: TestSite, name: string): Promise<string> {
  const [row] = await site.rows<{ profile_id: string }>(
    "SELECT profile_id FROM identifiers WHERE site_id = ?1 AND identifier = ?2",
    `anonymousId:${name}`,
  );
  return row!.profile_id;
}

async function wakesAt(site: TestSite, name: string): Promise<number | null> {
  const [row] = await site.rows<{ wakes_at: number | null }>(
    "SELECT wakes_at FROM profiles WHERE site_id = ?1 AND id = ?2",
    await idOf(site, name),
  );
  return row!.wakes_at;
}

/** As the cron trigger does it. */
const wake = (over: typeof bindings, now: () => number, deadline = Infinity) =>
  wakeDueProfiles(over, now, { deadline, statements: 600 });

/** Who is in `recent` still. */
async function members(site: TestSite): Promise<string[]> {
  const rows = await site.rows<{ identifier: string }>(
    `SELECT i.identifier FROM memberships AS m JOIN identifiers AS i ON i.site_id = m.site_id AND i.profile_id = m.profile_id
     WHERE m.site_id = ?1 ORDER BY i.identifier`,
  );
  return rows.map(({ identifier }) => identifier.slice("anonymousId:".length));
}

describe("a profile that is written in between", () => {
  it("is read again and decided, and the others with it", async () => {
    const site = await createDue("a", "busy", "c");
    const { env, seen } = around({
      before: (writes) => writes === 1 && site.batch([track("Product Viewed", {}, { anonymousId: "busy" })]),
    });
    expect(await wake(env, atLater)).toEqual({ decided: 3, changed: 3 });
    expect(seen.writes).toBe(2);
    expect(await members(site)).toEqual([]);
    const exits = await site.rows("SELECT id FROM membership_log WHERE site_id = ?1 AND change = 'exit'");
    expect(exits).toHaveLength(3);
  });

  it("and is not due any more, is not written again", async () => {
    const site = await createDue("a", "decided", "c");
    const decided = await idOf(site, "decided");
    const { env: racing } = around({
      before: (writes) =>
        writes === 1 &&
        site.rows(
          "UPDATE profiles SET version = version + 1, wakes_at = ?3 WHERE site_id = ?1 AND id = ?2",
          decided,
          later + 1,
        ),
    });
    expect(await wake(racing, atLater)).toEqual({ decided: 2, changed: 2 });
    expect(await wakesAt(site, "decided")).toBe(later + 1);
  });

  it("again and again is left to whoever writes it, and the others are decided without it", async () => {
    const site = await createDue(...people(7), "busy");
    const busy = await idOf(site, "busy");
    const { env: racing } = around({
      before: () =>
        env.DB.prepare("UPDATE profiles SET version = version + 1 WHERE site_id = ?1 AND id = ?2")
          .bind(site.id, busy)
          .run(),
    });
    expect(await wake(racing, atLater)).toEqual({ decided: 7, changed: 7 });
    expect(await members(site)).toEqual(["busy"]);
    expect(await wakesAt(site, "busy")).toBeLessThan(later);
    expect(errors).toEqual([]);
    expect(await wake(bindings, atLater)).toEqual({ decided: 1, changed: 1 });
  });
});

describe("a profile that throws", () => {
  it("because its row is corrupt, is put off by an hour, while its site and the others go on", async () => {
    const site = await createDue("corrupt", "b", "c", "d", "e");
    const other = await createDue("f", "g");
    const corrupt = await idOf(site, "corrupt");
    await site.rows("UPDATE profiles SET decisions = 'null' WHERE site_id = ?1 AND id = ?2", corrupt);
    expect(await wake(bindings, atLater)).toEqual({ decided: 6, changed: 6 });
    expect(await members(site)).toEqual(["corrupt"]);
    expect(await members(other)).toEqual([]);
    expect(await wakesAt(site, "corrupt")).toBe(later + HOUR_MS);
    expect(errors.map((line) => JSON.parse(line))).toEqual([
      { level: "error", job: "wake", siteId: site.id, profileId: corrupt, error: "TypeError", postponed: true },
    ]);
    expect(await wake(bindings, () => later + HOUR_MS - 1)).toEqual({ decided: 0, changed: 0 });
    expect(errors).toHaveLength(1);
  });

  it("is decided an hour later if it is sound by then", async () => {
    const site = await createDue("corrupt");
    const [row] = await site.rows<{ decisions: string }>("SELECT decisions FROM profiles WHERE site_id = ?1");
    await site.rows("UPDATE profiles SET decisions = 'null' WHERE site_id = ?1");
    await wake(bindings, atLater);
    await site.rows("UPDATE profiles SET decisions = ?2 WHERE site_id = ?1", row!.decisions);
    expect(await wake(bindings, () => later + HOUR_MS)).toEqual({ decided: 1, changed: 1 });
  });

  it("because D1 refuses to write it, is put off by an hour, and nothing of it is written", async () => {
    const site = await createDue("a", "broken", "c");
    const broken = await idOf(site, "broken");
    await env.DB.prepare(
      `CREATE TRIGGER broken BEFORE INSERT ON membership_log WHEN NEW.profile_id = '${broken}'
       BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`,
    ).run();
    expect(await wake(bindings, atLater)).toEqual({ decided: 2, changed: 2 });
    expect(await members(site)).toEqual(["broken"]);
    expect(await wakesAt(site, "broken")).toBe(later + HOUR_MS);
    expect(errors).toHaveLength(1);
    expect(errors[0]).not.toContain("disk");
  });

  it("and cannot be put off either, stays due and stops nobody", async () => {
    const site = await createDue("broken", "b");
    const broken = await idOf(site, "broken");
    await env.DB.prepare(
      `CREATE TRIGGER broken BEFORE UPDATE ON profiles WHEN NEW.id = '${broken}'
       BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`,
    ).run();
    expect(await wake(bindings, atLater)).toEqual({ decided: 1, changed: 1 });
    expect(await wakesAt(site, "broken")).toBeLessThan(later);
    expect(JSON.parse(errors[0]!)).toMatchObject({ profileId: broken, postponed: false });
  });
});

describe("a run that is cut", () => {
  it.each(["there", "back"] as const)(
    "anywhere, on the way %s, is gone on with by the next one, and nobody leaves twice",
    async (lost) => {
      let trips = 0;
      for (let died = true; died; ) {
        trips++;
        const site = await createDue(...people(110));
        const first = dying(trips, lost);
        await wake(first.env, atLater).catch((error) => expect(String(error)).toContain("connection lost"));
        died = first.died();
        await wake(bindings, atLater);
        expect(await members(site)).toEqual([]);
        const exits = await site.rows("SELECT id FROM membership_log WHERE site_id = ?1 AND change = 'exit'");
        expect(exits).toHaveLength(110);
        const versions = await site.rows("SELECT DISTINCT version FROM profiles WHERE site_id = ?1");
        expect(versions).toEqual([{ version: 2 }]);
      }
      expect(trips).toBeGreaterThan(10);
    },
    30_000,
  );
});

describe("a database that is too busy", () => {
  it("ends the run, and puts nobody off", async () => {
    const site = await createDue("a", "b");
    await expect(wake(dying(3, "there").env, atLater)).rejects.toThrow("connection lost");
    expect(await wakesAt(site, "a")).toBeLessThan(later);
    expect(errors).toEqual([]);
    expect(await wake(bindings, atLater)).toEqual({ decided: 2, changed: 2 });
  });
});

describe("postponeWake", () => {
  it("leaves alone what was taken off the clock meanwhile, or is not due any more", async () => {
    const site = await createDue("off", "later");
    const [off, after] = [await idOf(site, "off"), await idOf(site, "later")];
    await site.rows("UPDATE profiles SET wakes_at = NULL WHERE site_id = ?1 AND id = ?2", off);
    await site.rows("UPDATE profiles SET wakes_at = ?3 WHERE site_id = ?1 AND id = ?2", after, later + 1);
    for (const id of [off, after]) await postponeWake(env.DB, site.id, id, later, later + HOUR_MS);
    expect(await wakesAt(site, "off")).toBe(null);
    expect(await wakesAt(site, "later")).toBe(later + 1);
  });
});

describe("rules that have changed", () => {
  it("histories built anew for them are stored with the decisions", async () => {
    const site = await createSite({ segments: [{ key: "recent", condition: ADDED }] });
    await site.batch([
      track("Product Added", {}, { anonymousId: "a" }),
      track("Order Completed", { total: 70 }, { anonymousId: "a" }),
    ]);
    const read = () =>
      site.rows<{ shape: string; body: string }>("SELECT shape, body FROM histories WHERE site_id = ?1");
    const [before] = await read();
    expect(before!.body).not.toContain("Order Completed");
    await site.publish({
      segments: [{ key: "buyer", condition: { event: "Order Completed", where: { total: { gte: 50 } } } }],
    });
    expect(await wake(bindings, atLater)).toEqual({ decided: 1, changed: 2 });
    const after = await read();
    expect(after).toHaveLength(1);
    expect(after[0]!.shape).not.toBe(before!.shape);
    expect(after[0]!.body).toContain("Order Completed");
    expect(after[0]!.body).toContain("70");
    expect(await members(site)).toEqual(["a"]); // in `buyer`
  });

  it("a profile decided by newer ones than are known here is left as it is", async () => {
    const site = await createDue("a", "newer");
    await site.rows(
      "UPDATE profiles SET manifest_version = 999 WHERE site_id = ?1 AND id = ?2",
      await idOf(site, "newer"),
    );
    expect(await wake(bindings, atLater)).toEqual({ decided: 1, changed: 1 });
    expect(await members(site)).toEqual(["newer"]);
    expect(await wakesAt(site, "newer")).toBeLessThan(later);
  });
});

describe("a run", () => {
  it("decides each profile once, though it is due again at once, and reaches those behind it", async () => {
    const site = await createDue(...people(250));
    let time = later;
    const { env: eager, seen } = around({
      listed: () => (time += 1_000),
      after: () => site.rows("UPDATE profiles SET wakes_at = 0 WHERE site_id = ?1 AND version > 1"),
    });
    expect(await wake(eager, () => time)).toEqual({ decided: 250, changed: 250 });
    expect(seen.writes).toBe(3);
    const versions = await site.rows("SELECT DISTINCT version FROM profiles WHERE site_id = ?1");
    expect(versions).toEqual([{ version: 2 }]);
  });

  it("leaves to the next what becomes due while it works", async () => {
    const site = await createDue("a");
    const due = (await wakesAt(site, "a"))!;
    let calls = 0;
    expect(await wake(bindings, () => (calls++ ? due : due - 1))).toEqual({ decided: 0, changed: 0 });
    expect(await wake(bindings, () => due)).toEqual({ decided: 1, changed: 1 });
  });

  it("decides nobody as of a time before what is stored of them, if its clock is behind", async () => {
    const site = await createDue("a");
    await site.rows("UPDATE profiles SET last_seen = ?2 WHERE site_id = ?1", later + 5_000);
    await wake(bindings, atLater);
    const log = await site.rows("SELECT at FROM membership_log WHERE site_id = ?1 AND cause = 'time'");
    expect(log).toEqual([{ at: later + 5_000 }]);
  });

  it("stops between chunks when its time is over, and the next one goes on", async () => {
    const site = await createDue(...people(350));
    let time = later;
    const { env: slow } = around({ after: () => (time += 30_000) });
    expect(await wake(slow, () => time, time + 45_000)).toEqual({ decided: 300, changed: 300 });
    expect(await members(site)).toHaveLength(50);
    expect(await wake(slow, () => time)).toEqual({ decided: 50, changed: 50 });
  });

  it("stops when D1 would take no more statements of it, and the next one goes on", async () => {
    const site = await createDue(...people(350));
    const budget = { deadline: Infinity, statements: 20 };
    expect(await wakeDueProfiles(bindings, atLater, budget)).toEqual({ decided: 300, changed: 300 });
    expect(await wake(bindings, atLater)).toEqual({ decided: 50, changed: 50 });
    expect(await members(site)).toEqual([]);
  });

  it("stops in the middle of a chunk that fails when its time is over", async () => {
    const site = await createDue(...people(64));
    let time = later;
    const { env: racing, seen } = around({
      before: async () => {
        time += 10_000;
        await site.rows("UPDATE profiles SET version = version + 1 WHERE site_id = ?1");
      },
    });
    expect(await wake(racing, () => time, time + 45_000)).toEqual({ decided: 0, changed: 0 });
    expect(seen.writes).toBe(5);
    expect(await members(site)).toHaveLength(64);
  });
});
