import { env } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Backfill, readBackfill } from "../../../edge/db/backfills.ts";
import { isStale, upsertProfiles } from "../../../edge/db/profiles.ts";
import { ingest, StaleSite } from "../../../edge/ingest/ingest.ts";
import { parseEvent } from "../../../edge/ingest/parse.ts";
import type { LiveSite } from "../../../edge/manifest/live.ts";
import { forget } from "../../../edge/manifest/memory.ts";
import { manifestKey, publish } from "../../../edge/manifest/publish.ts";
import { readSite } from "../../../edge/manifest/read.ts";
import { backfillSite, backfillWaiting } from "../../../edge/profiles/backfill.ts";
import worker from "../../../edge/worker.ts";
import type { Condition } from "../../../shared/condition.ts";
import { bindings, createSite, type TestSite, track } from "../site.ts";
import { around, dying } from "./around.ts";

const BOUGHT: Condition = { event: "Order Completed" };
const BOUGHT_FOR_50: Condition = { event: "Order Completed", where: { total: { gte: 50 } } };
const LEASE_MS = 30_000;

let errors: string[];

beforeEach(async () => {
  await env.DB.prepare("DELETE FROM backfills").run();
  errors = [];
  vi.spyOn(console, "error").mockImplementation((line) => errors.push(line));
});

afterEach(async () => {
  vi.restoreAllMocks();
  await env.DB.prepare("DROP TRIGGER IF EXISTS broken").run();
});

const plenty = () => ({ deadline: Infinity, statements: Infinity });
const run = (site: TestSite, over = bindings, now: () => number = Date.now) =>
  backfillSite(over, site.id, now, plenty());
const progress = async (site: TestSite) => (await readBackfill(env.DB, site.id)) as Backfill;

/** A site of buyers: who is in `buyer` now spent 0, 1, 2 … */
async function createBuyers(count: number): Promise<TestSite> {
  const site = await createSite({ segments: [{ key: "buyer", condition: BOUGHT }] });
  const answer = await site.batch(
    Array.from({ length: count }, (_, total) => track("Order Completed", { total }, { anonymousId: `b${total}` })),
  );
  expect(answer).toMatchObject({ accepted: count });
  return site;
}

/** Those who spent 50 and more stay, the others leave. */
const raise = (site: TestSite) => site.publish({ segments: [{ key: "buyer", condition: BOUGHT_FOR_50 }] });

async function members(site: TestSite, key = "buyer"): Promise<string[]> {
  const rows = await site.rows<{ identifier: string }>(
    `SELECT i.identifier FROM memberships AS m JOIN identifiers AS i ON i.site_id = m.site_id AND i.profile_id = m.profile_id
     WHERE m.site_id = ?1 AND m.segment_key = ?2 ORDER BY i.identifier`,
    key,
  );
  return rows.map(({ identifier }) => identifier.slice("anonymousId:".length));
}

const logOf = (site: TestSite, cause = "rule") =>
  site.rows<{ profile_id: string; segment_key: string; change: string }>(
    "SELECT profile_id, segment_key, change FROM membership_log WHERE site_id = ?1 AND cause = ?2",
    cause,
  );

const versions = (site: TestSite) =>
  site.rows<{ version: number; n: number }>(
    "SELECT version, count(*) AS n FROM profiles WHERE site_id = ?1 GROUP BY version ORDER BY version",
  );

async function liveOf(site: TestSite): Promise<LiveSite> {
  return (await readSite(bindings, site.id, Date.now()))!;
}

describe("a changed rule", () => {
  it("holds for those who never come again: they leave, or stay since when they were in", async () => {
    const site = await createBuyers(60);
    const before = await site.rows<{ since: number }>("SELECT since FROM memberships WHERE site_id = ?1");
    await raise(site);
    expect(await members(site)).toHaveLength(60);
    expect(await run(site)).toEqual({ decided: 60, changed: 50 });
    expect(await members(site)).toEqual(Array.from({ length: 10 }, (_, index) => `b${50 + index}`));
    expect(await logOf(site)).toHaveLength(50);
    const after = await site.rows<{ since: number }>("SELECT since FROM memberships WHERE site_id = ?1");
    expect(before).toContainEqual(after[0]);
  });

  it("of a new segment counts what happened before it was thought of", async () => {
    const site = await createSite({ segments: [{ key: "buyer", condition: BOUGHT }] });
    await site.batch([track("Article Read", { topic: "shoes" }, { anonymousId: "reader" })]);
    const history = () => site.rows<{ body: string }>("SELECT body FROM histories WHERE site_id = ?1");
    expect(JSON.stringify(await history())).not.toContain("Article Read");
    await site.publish({
      segments: [{ key: "shoes", condition: { event: "Article Read", where: { topic: { eq: "shoes" } } } }],
    });
    expect(await run(site)).toEqual({ decided: 1, changed: 1 });
    expect(await members(site, "shoes")).toEqual(["reader"]);
    expect(JSON.stringify(await history())).toContain("Article Read");
  });

  it("writes nobody of whom nothing new is to be said", async () => {
    const site = await createSite({
      segments: [{ key: "buyer", condition: { event: "Order Completed", count: { gte: 1 } } }],
    });
    await site.batch(["a", "b", "c"].map((anonymousId) => track("Order Completed", {}, { anonymousId })));
    await site.batch([track("Order Completed", {}, { anonymousId: "a" })]);
    const before = await versions(site);
    await site.publish({ segments: [{ key: "buyer", condition: { event: "Order Completed", count: { gte: 2 } } }] });
    expect(await run(site)).toEqual({ decided: 2, changed: 2 });
    expect(await members(site)).toEqual(["a"]);
    expect(before).toEqual([
      { version: 1, n: 2 },
      { version: 2, n: 1 },
    ]);
    expect(await versions(site)).toEqual([{ version: 2, n: 3 }]);
    expect(await progress(site)).toMatchObject({ done: 3, total: 3 });
  });

  it("of a segment that is gone makes its members leave it", async () => {
    const site = await createBuyers(3);
    await site.rows("UPDATE segments SET status = 'archived' WHERE site_id = ?1");
    await publish(bindings, site.id, Date.now());
    expect(await run(site)).toEqual({ decided: 3, changed: 3 });
    expect(await members(site)).toEqual([]);
    expect(await logOf(site)).toHaveLength(3);
  });

  it("is what the site's zone and its assumption of consent are, too", async () => {
    const site = await createBuyers(2);
    const { settings } = (await liveOf(site)).manifest;
    await run(site);
    for (const [change, decided] of [
      [{ timeZone: "Asia/Tokyo" }, 0],
      [{ consentDefault: "off" }, 2],
    ] as const) {
      await site.rows("UPDATE sites SET settings = ?2 WHERE id = ?1", JSON.stringify({ ...settings, ...change }));
      await publish(bindings, site.id, Date.now());
      expect(await progress(site)).toMatchObject({ done: 0, finishedAt: null });
      expect(await run(site)).toMatchObject({ decided });
      expect(await progress(site)).toMatchObject({ done: 2, total: 2 });
    }
    expect(await members(site)).toEqual([]); // nothing may be looked at any more
  });

  it("is not a block, a name, or an origin", async () => {
    const site = await createBuyers(2);
    await run(site);
    const before = await progress(site);
    const { settings } = (await liveOf(site)).manifest;
    await site.rows(
      "UPDATE sites SET settings = ?2 WHERE id = ?1",
      JSON.stringify({ ...settings, origins: ["https://other.example"] }),
    );
    await site.rows(
      "UPDATE segments SET name = 'Other', visibility = 'private', version = version + 1 WHERE site_id = ?1",
    );
    await site.publish({
      blocks: [{ slot: "hero", variants: [{ key: "v", audience: BOUGHT_FOR_50, template: "x" }] }],
    });
    expect((await liveOf(site)).manifest.version).toBe(2);
    expect(await progress(site)).toEqual(before);
    expect(await run(site)).toEqual({ decided: 0, changed: 0 });
  });

  it("of before there were backfills is found at the next publish of anything", async () => {
    const site = await createBuyers(1);
    await raise(site);
    await env.DB.prepare("DELETE FROM backfills").run();
    await site.rows("UPDATE sites SET rules_version = 0, rules_hash = '' WHERE id = ?1"); // as the migration leaves it
    expect(await run(site)).toEqual({ decided: 0, changed: 0 });
    await site.publish({ blocks: [{ slot: "hero", variants: [], fallback: "x" }] });
    expect(await run(site)).toEqual({ decided: 1, changed: 1 });
  });

  it("drops the parts of a history that it has no use for", async () => {
    const site = await createBuyers(0);
    const orders = Array.from({ length: 70 }, () => track("Order Completed", {}, { anonymousId: "a" }));
    await site.batch([...orders, track("Article Read", {}, { anonymousId: "a" })]);
    const chunks = () => site.rows("SELECT chunk FROM histories WHERE site_id = ?1 ORDER BY chunk");
    expect(await chunks()).toEqual([{ chunk: 0 }, { chunk: 1 }]);
    await site.publish({ segments: [{ key: "buyer", condition: { event: "Article Read" } }] });
    await run(site);
    expect(await chunks()).toEqual([{ chunk: 0 }]);
    expect(await members(site)).toEqual(["a"]);
  });

  it("is published by one of two at once, and counted in its order", async () => {
    const site = await createBuyers(1);
    await Promise.all([raise(site), raise(site), raise(site)]);
    const [row] = await site.rows("SELECT version, rules_version FROM sites WHERE id = ?1");
    expect(row).toEqual({ version: 4, rules_version: (await progress(site)).rulesVersion });
  });

  it("needs no walk where there is nobody", async () => {
    const site = await createSite({ segments: [{ key: "buyer", condition: BOUGHT }] });
    expect(await progress(site)).toMatchObject({ rulesVersion: 1, done: 0, total: 0 });
    expect((await progress(site)).finishedAt).not.toBeNull();
    expect(await backfillWaiting(bindings, Date.now, plenty())).toEqual({ decided: 0, changed: 0 });
  });
});

describe("an isolate that still has the old rules", () => {
  /** Stores an order by rules as they were. */
  const store = (live: LiveSite, anonymousId: string) => {
    const receivedAt = Date.now();
    const defaults = {
      sentAt: null,
      context: undefined,
      newId: () => crypto.randomUUID(),
      identity: live.identity,
    };
    const events = [parseEvent(track("Order Completed", { total: 1 }, { anonymousId }), receivedAt, defaults)];
    return ingest(bindings.DB, live, { events, source: "server", receivedAt });
  };

  /** Knows the site as it was: KV gives it for up to a minute. */
  const goBack = async (live: LiveSite) => {
    await env.KV.put(manifestKey(live.manifest.siteId), JSON.stringify(live.manifest));
    forget();
    expect((await readSite(bindings, live.manifest.siteId, Date.now()))!.manifest.version).toBe(live.manifest.version);
  };

  it("decides nobody by them any more, be they old or new", async () => {
    const site = await createBuyers(1);
    const old = await liveOf(site);
    await raise(site);
    for (const who of ["b0", "newcomer"]) await expect(store(old, who)).rejects.toThrow(StaleSite);
    expect(await site.rows("SELECT 1 FROM events WHERE site_id = ?1")).toHaveLength(1);
    await run(site);
    for (const who of ["b0", "newcomer"]) await store(await liveOf(site), who);
    expect(await members(site)).toEqual([]);
  });

  it("answers over HTTP by the new ones, at once", async () => {
    const site = await createBuyers(1);
    const live = await liveOf(site);
    await raise(site);
    await goBack(live);
    const answer = await site.batch([track("Order Completed", { total: 1 }, { anonymousId: "newcomer" })]);
    expect(answer).toMatchObject({ accepted: 1, rejected: [] });
    expect(await members(site)).toEqual(["b0"]);
    await goBack(live);
    const consent = await site.post("/v1/consent", { anonymousId: "b0", purposes: { marketing: true } });
    expect(consent.status).toBe(200);
    expect(await members(site)).toEqual([]);
  });

  it("does a backfill by the new ones", async () => {
    const site = await createBuyers(1);
    const live = await liveOf(site);
    await raise(site);
    await goBack(live);
    expect(await run(site)).toEqual({ decided: 1, changed: 1 });
    const [profile] = await site.rows("SELECT manifest_version FROM profiles WHERE site_id = ?1");
    expect(profile).toEqual({ manifest_version: 2 });
  });

  it("may still write who became part of somebody else", async () => {
    const site = await createBuyers(1);
    await raise(site);
    const row = {
      stableId: "s",
      firstSeen: 1,
      lastSeen: 1,
      version: 1,
      decisions: {},
      wakesAt: null,
      manifestVersion: 1,
    };
    const write = (mergedInto: string | null) =>
      env.DB.batch(upsertProfiles(env.DB, site.id, [{ ...row, id: `p${mergedInto}`, mergedInto }]));
    await write("other");
    const refusal = await write(null).catch((error) => error);
    expect(isStale(refusal)).toBe(true);
    expect(isStale(new Error("anything else"))).toBe(false);
  });
});

describe("a backfill that is cut", () => {
  it.each(["there", "back"] as const)(
    "anywhere, on the way %s, goes on where it was, and does nothing twice",
    async (lost) => {
      let trips = 0;
      for (let died = true; died; ) {
        trips++;
        const site = await createBuyers(110);
        await raise(site);
        let now = Date.now();
        const first = dying(trips, lost);
        await run(site, first.env, () => now).catch((error) => expect(String(error)).toContain("connection lost"));
        died = first.died();
        now += LEASE_MS;
        await run(site, bindings, () => now);
        expect(await members(site)).toHaveLength(60);
        expect(await logOf(site)).toHaveLength(50);
        expect(await versions(site)).toEqual([{ version: 2, n: 110 }]);
        expect(await progress(site)).toMatchObject({ done: 110, total: 110 });
        expect((await progress(site)).finishedAt).not.toBeNull();
      }
      expect(trips).toBeGreaterThan(12); // two parts, of which each is read, written and noted
    },
    30_000,
  );

  it("by the end of its budget leaves the rest to the next, and says how far it is", async () => {
    const site = await createBuyers(450);
    await raise(site);
    let now = Date.now();
    const { env: slow } = around({ after: () => (now += 10_000) });
    const budget = () => ({ deadline: now + 15_000, statements: 1_000 });
    expect(await backfillSite(slow, site.id, () => now, budget())).toMatchObject({ decided: 300 });
    const half = await progress(site);
    expect(half).toMatchObject({ done: 300, total: 450, finishedAt: null });
    expect(await versions(site)).toEqual([
      { version: 1, n: 150 },
      { version: 2, n: 300 },
    ]);
    const behind = await site.rows(
      "SELECT 1 FROM profiles WHERE site_id = ?1 AND id <= ?2 AND version = 1",
      half.cursor,
    );
    expect(behind).toEqual([]);
    expect(await backfillSite(slow, site.id, () => now, budget())).toMatchObject({ decided: 150 });
    expect(await progress(site)).toMatchObject({ done: 450, total: 450, finishedAt: now });
  });

  it("by its statements too, and moves on all the same, even among profiles that throw", async () => {
    const site = await createBuyers(40);
    await raise(site);
    await site.rows(
      `UPDATE profiles SET decisions = 'null' WHERE site_id = ?1 AND id IN (
         SELECT id FROM profiles WHERE site_id = ?1 ORDER BY id LIMIT 5)`,
    );
    let runs = 0;
    while ((await progress(site)).finishedAt === null) {
      expect(++runs).toBeLessThan(30);
      await backfillSite(bindings, site.id, Date.now, { deadline: Infinity, statements: 60 });
    }
    expect(runs).toBeGreaterThan(1);
    expect(await versions(site)).toEqual([
      { version: 1, n: 5 },
      { version: 2, n: 35 },
    ]);
    expect(await progress(site)).toMatchObject({ done: 40, total: 40 });
  });
});

describe("a backfill and others at once", () => {
  it("is done by one of two, as long as that one is heard of", async () => {
    const site = await createBuyers(150);
    await raise(site);
    let now = Date.now();
    const { env: watched } = around({
      before: async () => expect(await run(site, bindings, () => now)).toEqual({ decided: 0, changed: 0 }),
      after: () => (now += LEASE_MS - 1),
    });
    expect(await run(site, watched, () => now)).toEqual({ decided: 150, changed: 50 });
  });

  it("does nothing twice when another takes over from one that is only slow", async () => {
    const site = await createBuyers(150);
    await raise(site);
    const others: unknown[] = [];
    const { env: slow } = around({
      before: async (writes) => writes === 1 && others.push(await run(site, bindings, () => Date.now() + LEASE_MS)),
    });
    expect(await run(site, slow)).toEqual({ decided: 0, changed: 0 });
    expect(others).toEqual([{ decided: 150, changed: 50 }]);
    expect(await versions(site)).toEqual([{ version: 2, n: 150 }]);
    expect(await logOf(site)).toHaveLength(50);
    expect(await progress(site)).toMatchObject({ done: 150, total: 150 });
  });

  it("is left to who took over from one that is only slow, wherever that one is", async () => {
    const site = await createBuyers(250);
    await raise(site);
    const { env: slow } = around({
      before: (writes) =>
        writes === 1 &&
        backfillSite(bindings, site.id, () => Date.now() + LEASE_MS, { deadline: Infinity, statements: 10 }),
    });
    expect(await run(site, slow)).toEqual({ decided: 0, changed: 0 });
    expect(await progress(site)).toMatchObject({ done: 100, total: 250, finishedAt: null });
  });

  it("does nothing twice when two go on step by step", async () => {
    const site = await createBuyers(150);
    await raise(site);
    const runs = await Promise.all([run(site), run(site, bindings, () => Date.now() + LEASE_MS)]);
    expect(runs.reduce((sum, { decided }) => sum + decided, 0)).toBe(150);
    expect(await versions(site)).toEqual([{ version: 2, n: 150 }]);
    expect(await logOf(site)).toHaveLength(50);
    expect(await progress(site)).toMatchObject({ done: 150, total: 150 });
  });

  it("leaves to an event whom it decided in between, and decides the others with it", async () => {
    const site = await createBuyers(60);
    await raise(site);
    const { env: busy, seen } = around({
      before: (writes) =>
        writes === 1 &&
        site.batch([
          track("Order Completed", { total: 70 }, { anonymousId: "b1" }),
          track("Order Completed", { total: 5 }, { anonymousId: "b2" }),
          track("Order Completed", { total: 90 }, { anonymousId: "newcomer" }),
        ]),
    });
    expect(await run(site, busy)).toEqual({ decided: 58, changed: 48 });
    expect(seen.writes).toBe(2);
    expect(await members(site)).toHaveLength(12);
    const changes = await site.rows("SELECT 1 FROM membership_log WHERE site_id = ?1 AND change = 'exit'");
    expect(changes).toHaveLength(50); // b1, too, as of the publish, and came back by the event
    expect(await progress(site)).toMatchObject({ done: 60, total: 60 });
  });

  it("does not count who became part of somebody else before", async () => {
    const site = await createBuyers(3);
    await site.batch([
      { type: "identify", anonymousId: "b0", userId: "u", messageId: "u0" },
      { type: "identify", anonymousId: "b1", userId: "u", messageId: "u1" },
    ]);
    await raise(site);
    expect(await run(site)).toEqual({ decided: 2, changed: 2 });
    expect(await progress(site)).toMatchObject({ done: 2, total: 2 });
  });

  it("decides whom two united in between as one", async () => {
    const site = await createBuyers(60);
    await raise(site);
    const { env: busy } = around({
      before: (writes) =>
        writes === 1 &&
        site.batch([
          { type: "identify", anonymousId: "b1", userId: "u", messageId: "u1" },
          { type: "identify", anonymousId: "b55", userId: "u", messageId: "u55" },
        ]),
    });
    await run(site, busy);
    const stale = "SELECT 1 FROM profiles WHERE site_id = ?1 AND merged_into IS NULL AND manifest_version < 2";
    expect(await site.rows(stale)).toEqual([]);
    expect(await members(site)).toContain("b1"); // by the order of b55
  });

  it("stops when the rules change again: a new one decides everybody by the newest, each once", async () => {
    const site = await createBuyers(350);
    await raise(site);
    const { env: changing } = around({
      after: (writes) =>
        writes === 2 && site.publish({ segments: [{ key: "buyer", condition: { event: "Nothing" } }] }),
    });
    const first = await run(site, changing);
    expect(await progress(site)).toMatchObject({ rulesVersion: 3, done: 0, finishedAt: null });
    expect(first).toEqual({ decided: 300, changed: expect.any(Number) });
    // Somebody comes meanwhile: decided by the newest rules, and not again.
    await site.batch([track("Order Completed", { total: 1 }, { anonymousId: "b249" })]);
    expect(await run(site)).toMatchObject({ decided: 349 });
    expect(await members(site)).toEqual([]);
    expect(await progress(site)).toMatchObject({ rulesVersion: 3, done: 350, total: 350 });
    const log = await site.rows<{ n: number }>(
      "SELECT count(*) AS n FROM membership_log WHERE site_id = ?1 AND change = 'exit' GROUP BY profile_id",
    );
    expect(log).toEqual(Array(350).fill({ n: 1 }));
  });

  it("is carried on by the cron trigger", async () => {
    const site = await createBuyers(3);
    await raise(site);
    const info = vi.spyOn(console, "info").mockImplementation(() => {});
    await worker.scheduled({} as ScheduledController, bindings);
    expect(info).toHaveBeenCalledWith('{"level":"info","job":"backfill","decided":3,"changed":3}');
    expect(await members(site)).toEqual([]);
    expect(await progress(site)).toMatchObject({ done: 3, total: 3 });
  });

  it("is carried on by the cron trigger though the wake-ups fail", async () => {
    const site = await createBuyers(3);
    await raise(site);
    const broken = () => {
      throw new Error("D1_ERROR: D1 DB is overloaded");
    };
    const cron = worker.scheduled({} as ScheduledController, around({ listed: broken }).env);
    await expect(cron).rejects.toThrow("overloaded");
    expect(await members(site)).toEqual([]);
  });

  it("gets enough of a minute to come on, however many sites wait", async () => {
    const sites = [];
    for (let n = 0; n < 6; n++) sites.push(await createBuyers(150));
    for (const site of sites) await raise(site);
    await backfillWaiting(bindings, Date.now, { deadline: Infinity, statements: 60 });
    const finished = await Promise.all(sites.map(async (site) => (await progress(site)).finishedAt !== null));
    expect(finished).toContain(true);
  });

  it("has its turn before those that had one", async () => {
    const sites = [await createBuyers(150), await createBuyers(150), await createBuyers(150)];
    for (const site of sites) await raise(site);
    const began = [];
    for (let minute = 1; minute <= 3; minute++) {
      await backfillWaiting(bindings, () => Date.now() + minute, { deadline: Infinity, statements: 10 });
      began.push((await Promise.all(sites.map(progress))).filter(({ done }) => done === 100).length);
    }
    expect(began).toEqual([1, 2, 3]);
  });

  it("goes on for each site in turn", async () => {
    const sites = [await createBuyers(150), await createBuyers(150)];
    for (const site of sites) await raise(site);
    let now = Date.now() + 1;
    const { env: slow } = around({ after: () => (now += 10_000) });
    await backfillWaiting(slow, () => now, { deadline: now + 20_000, statements: 1_000 });
    for (const site of sites) expect(await progress(site)).toMatchObject({ done: 100, total: 150 });
  });
});

describe("a profile that throws", () => {
  it("is passed over and named in the log, without what is stored of it", async () => {
    const site = await createBuyers(5);
    await raise(site);
    const [broken] = await site.rows<{ id: string }>("SELECT id FROM profiles WHERE site_id = ?1 LIMIT 1");
    await env.DB.prepare(
      `CREATE TRIGGER broken BEFORE UPDATE ON profiles WHEN NEW.id = '${broken!.id}'
       BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`,
    ).run();
    expect(await run(site)).toEqual({ decided: 4, changed: 4 });
    expect(errors.map((line) => JSON.parse(line))).toEqual([
      { level: "error", job: "backfill", siteId: site.id, profileId: broken!.id, error: "Error" },
    ]);
    expect(await progress(site)).toMatchObject({ done: 5, total: 5 });
  });
});
