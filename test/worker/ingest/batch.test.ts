import { beforeAll, describe, expect, it } from "vitest";
import { createSite, type TestSite, track } from "../site.ts";

const INTERESTED = { key: "interested", condition: { event: "Product Viewed", count: { gte: 2 }, within: "24h" } };

describe("a batch", () => {
  let site: TestSite;
  beforeAll(async () => {
    site = await createSite({ segments: [INTERESTED] });
  });

  it("becomes events, a profile, a membership and its log, all in D1", async () => {
    const answer = await site.batch([track("Product Viewed", { sku: 1 }), track("Product Viewed", { sku: 2 })]);
    expect(answer).toEqual({ success: true, accepted: 2, rejected: [] });
    const events = await site.rows("SELECT owner, type, name FROM events WHERE site_id = ?1");
    expect(events).toEqual(Array(2).fill({ owner: "anonymousId:a1", type: "track", name: "Product Viewed" }));
    const [profile] = await site.rows<{ id: string; wakes_at: number; decisions: string }>(
      "SELECT id, wakes_at, decisions FROM profiles WHERE site_id = ?1",
    );
    expect(Object.keys(JSON.parse(profile!.decisions))).toEqual(["interested"]);
    expect(profile!.wakes_at).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    expect(await site.rows("SELECT segment_key, profile_id FROM memberships WHERE site_id = ?1")).toEqual([
      { segment_key: "interested", profile_id: profile!.id },
    ]);
    expect(await site.rows("SELECT change, cause FROM membership_log WHERE site_id = ?1")).toEqual([
      { change: "enter", cause: "event" },
    ]);
  });

  it("changes nothing when it is sent again", async () => {
    const messages = [track("Order Completed", { revenue: 10 }), track("Product Viewed")];
    await site.batch(messages);
    const before = await dump(site);
    expect(await site.batch([...messages].reverse())).toMatchObject({ accepted: 2, rejected: [] });
    expect(await site.batch([messages[0], messages[0]])).toMatchObject({ accepted: 2 });
    expect(await dump(site)).toEqual(before);
  });

  it("loses nothing when requests for one person race", async () => {
    const messages = Array.from({ length: 24 }, (_, i) => track("Product Viewed", { i }, { anonymousId: "racer" }));
    const answers = await Promise.all(
      messages.map((message) => retried(() => site.post("/v1/batch", { batch: [message] }))),
    );
    expect(answers.every((status) => status === 200)).toBe(true);
    const [row] = await site.rows<{ n: number }>(
      "SELECT count(*) AS n FROM events WHERE site_id = ?1 AND owner = 'anonymousId:racer'",
    );
    expect(row!.n).toBe(24);
    const profiles = await site.rows<{ version: number }>(
      `SELECT version FROM profiles WHERE site_id = ?1 AND id IN (SELECT profile_id FROM identifiers
         WHERE site_id = ?1 AND identifier = 'anonymousId:racer')`,
    );
    expect(profiles).toEqual([{ version: 24 }]);
    const [history] = await site.rows<{ body: string }>(
      "SELECT body FROM histories WHERE site_id = ?1 AND owner = 'anonymousId:racer'",
    );
    expect(history!.body.length).toBeGreaterThan(24 * 5);
  });

  it("stores several people of one batch", async () => {
    await site.batch(["p", "q", "r"].map((anonymousId) => track("Product Viewed", {}, { anonymousId })));
    const rows = await site.rows(
      "SELECT identifier FROM identifiers WHERE site_id = ?1 AND identifier IN ('anonymousId:p', 'anonymousId:q', 'anonymousId:r')",
    );
    expect(rows).toHaveLength(3);
  });

  it("corrects the sender's clock and never lets an event lie in the future", async () => {
    const hour = 3_600_000;
    const wrong = Date.now() - 400 * 24 * hour;
    const sentAt = new Date(wrong).toISOString();
    await site.batch(
      [
        track("Clock", {}, { anonymousId: "slow", timestamp: new Date(wrong - hour).toISOString() }),
        track("Clock", {}, { anonymousId: "fast", timestamp: "2093-01-01T00:00:00.000Z" }),
      ],
      { sentAt },
    );
    const rows = await site.rows<{ owner: string; at: number; received_at: number }>(
      "SELECT owner, at, received_at FROM events WHERE site_id = ?1 AND name = 'Clock'",
    );
    const of = (id: string) => rows.find(({ owner }) => owner === `anonymousId:${id}`)!;
    expect(of("slow").received_at - of("slow").at).toBe(hour);
    expect(of("fast").at).toBe(of("fast").received_at);
  });

  it("keeps history where it is: an event of long ago stays of long ago", async () => {
    await site.batch([track("Old", {}, { anonymousId: "old", timestamp: "2014-04-01T10:00:00.000Z" })], {
      sentAt: new Date().toISOString(),
    });
    const [row] = await site.rows<{ at: number }>("SELECT at FROM events WHERE site_id = ?1 AND name = 'Old'");
    expect(Math.abs(row!.at - Date.parse("2014-04-01T10:00:00.000Z"))).toBeLessThan(5_000);
  });

  it("folds its history anew when rules begin to look at other events", async () => {
    const other = await createSite({ segments: [INTERESTED] });
    await other.batch([track("Searched", { query: "tent" }), track("Searched", { query: "stove" })]);
    await other.publish({ segments: [{ key: "searcher", condition: { event: "Searched", count: { gte: 3 } } }] });
    await other.batch([track("Searched", { query: "rope" })]);
    expect(await other.rows("SELECT segment_key FROM memberships WHERE site_id = ?1")).toEqual([
      { segment_key: "searcher" },
    ]);
  });
});

async function dump(site: TestSite): Promise<unknown> {
  const tables = ["identifiers", "profiles", "events", "histories", "traits", "memberships", "membership_log", "links"];
  return Promise.all(tables.map((table) => site.rows(`SELECT * FROM ${table} WHERE site_id = ?1 ORDER BY 1, 2, 3`)));
}

/** As clients do it: told to come back, they come back. */
async function retried(send: () => Promise<Response>): Promise<number> {
  for (;;) {
    const response = await send();
    await response.text();
    if (response.status !== 503) return response.status;
  }
}
