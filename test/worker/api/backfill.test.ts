import { env } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { publish } from "../../../edge/manifest/publish.ts";
import { backfillSite } from "../../../edge/profiles/backfill.ts";
import { bindings } from "../site.ts";
import { type Client, ingest, newSite, problemOf, send } from "./client.ts";

const BOUGHT = { event: "Order Completed" };
const buyers = { key: "buyers", name: "Buyers", condition: BOUGHT, status: "active" };
const order = (anonymousId: string, total: number) => ({
  ...{ type: "track", event: "Order Completed", anonymousId, messageId: `o-${anonymousId}` },
  properties: { total },
});

/** The backfill behind an answer, when it is done. */
async function finish(site: Client) {
  await vi.waitFor(async () =>
    expect(await site.get("/api/backfill")).toMatchObject({ finishedAt: expect.any(String) }),
  );
  return site.get("/api/backfill");
}

describe("GET /api/backfill", () => {
  it("says that everybody is decided by the rules, behind the answer that changed them", async () => {
    const site = await newSite();
    await ingest(site, [order("a", 10), order("b", 90)]);
    expect(await site.get("/api/backfill")).toMatchObject({ rulesVersion: 1, done: 0, total: 0, secondsLeft: 0 });
    await site.post("/api/segments", buyers);
    const first = await finish(site);
    expect(first).toMatchObject({ rulesVersion: 2, done: 2, total: 2, secondsLeft: 0 });
    expect(await site.get("/api/segments/buyers")).toMatchObject({ members: 2, backfill: null });

    await site.put("/api/segments/buyers", { ...buyers, condition: { ...BOUGHT, where: { total: { gte: 50 } } } });
    await vi.waitFor(async () => expect(await site.get("/api/backfill")).toMatchObject({ rulesVersion: 3 }));
    await finish(site);
    expect(await site.get("/api/segments/buyers")).toMatchObject({ members: 1 });
    expect((await site.get("/api/segments/buyers/members")).data).toHaveLength(1);
  });

  it("begins anew for a setting that decides, and not for a block", async () => {
    const site = await newSite();
    await ingest(site, [order("a", 10)]);
    await site.post("/api/segments", buyers);
    await finish(site);
    await site.post("/api/blocks", { key: "hero", slot: "hero", variants: [], fallback: "x" });
    await site.post("/api/blocks/hero/publish");
    expect(await site.get("/api/backfill")).toMatchObject({ rulesVersion: 2 });
    await site.send("PATCH", `/api/sites/${site.siteId}`, { consentDefault: "off" });
    expect(await finish(site)).toMatchObject({ rulesVersion: 4, done: 1, total: 1 });
    expect(await site.get("/api/segments/buyers")).toMatchObject({ members: 0 });
  });

  it("says how far it is while it runs, and the segments say so too", async () => {
    const site = await newSite();
    await ingest(
      site,
      Array.from({ length: 150 }, (_, index) => order(`p${index}`, index)),
    );
    await site.post("/api/segments", { ...buyers, status: "draft" });
    await env.DB.prepare("UPDATE segments SET status = 'active' WHERE site_id = ?1").bind(site.siteId).run();
    await publish(bindings, site.siteId, Date.now() - 10_000);
    expect(await site.get("/api/backfill")).toMatchObject({
      done: 0,
      total: null,
      finishedAt: null,
      secondsLeft: null,
    });
    await backfillSite(bindings, site.siteId, Date.now, { deadline: Infinity, statements: 10 });
    const running = await site.get("/api/backfill");
    expect(running).toMatchObject({ rulesVersion: 2, done: 100, total: 150, finishedAt: null });
    // A hundred in ten seconds and a little: fifty in half of that.
    expect(running.secondsLeft).toBeGreaterThanOrEqual(5);
    expect(running.secondsLeft).toBeLessThan(60);
    const { members, backfill } = await site.get("/api/segments/buyers");
    expect({ members, done: backfill.done, total: backfill.total }).toEqual({ members: 100, done: 100, total: 150 });
  });

  it("is about one site, and needs its key", async () => {
    await problemOf(send(null, "GET", "/api/backfill"), "unauthorized");
    const [one, other] = [await newSite(), await newSite()];
    await one.post("/api/segments", buyers);
    expect(await other.get("/api/backfill")).toMatchObject({ rulesVersion: 1 });
  });
});
