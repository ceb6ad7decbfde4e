/** What somebody was shown by e-mail is read with all else that is stored of them, and goes with it. */
import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import { ask } from "../delivery/worker.ts";
import { bindings } from "../site.ts";
import { type Client, ingest, type Json, newSite, problemOf, readPages } from "./client.ts";

async function openShop(): Promise<Client> {
  const site = await newSite();
  await ingest(site, [
    { type: "identify", userId: "ann", messageId: "a", traits: { email: "ann@shop.example" } },
    { type: "identify", userId: "bob", messageId: "b", traits: { email: "bob@shop.example" } },
  ]);
  const link = "https://shop.example/{{ site.id }}";
  const body = { key: "hero", slot: "hero", variants: [{ key: "a", audience: null, template: "<p>Hi</p>", link }] };
  await site.post("/api/blocks", body);
  await site.post("/api/blocks/hero/publish");
  return site;
}

/** @returns the decision that a recipient is shown */
async function show(site: Client, send: string, recipient: object): Promise<Json> {
  const [made]: [{ token: string }] = await site.post("/api/email/tokens", { send, recipients: [recipient] });
  return (await (await ask(bindings, `/e/${made.token}/hero.json`)).json<Json>()).decision;
}

it("by every identifier of theirs, the newest first, page by page", async () => {
  const site = await openShop();
  const shown: Json[] = [];
  for (const send of ["spring", "summer", "autumn"]) {
    shown.unshift({
      send,
      identifier: { kind: "email" },
      decision: await show(site, send, { email: "ann@shop.example" }),
    });
    // Times are milliseconds: they could be equal.
    await env.DB.prepare("UPDATE send_decisions SET decided_at = decided_at - 1000 WHERE site_id = ?1")
      .bind(site.siteId)
      .run();
  }
  shown.unshift({
    send: "spring",
    identifier: { kind: "userId" },
    decision: await show(site, "spring", { userId: "ann" }),
  });
  await show(site, "spring", { userId: "bob" });
  const { id } = await site.get("/api/profiles?userId=ann");
  const rows = await readPages(site, `/api/profiles/${id}/sends?limit=3`);
  expect(rows).toMatchObject(shown);
  expect(rows[0]).toEqual({
    send: "spring",
    identifier: { kind: "userId", value: "ann" },
    decision: { id: expect.any(String), slot: "hero", block: "hero", variant: "a", reason: "targeted", until: null },
    blockVersion: 1,
    link: `https://shop.example/${site.siteId}`,
    decidedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    expiresAt: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  await problemOf(site.send("GET", `/api/profiles/${id}/sends?cursor=x`), "invalid-request");
});

it("of nobody else's site, and of nobody who is erased", async () => {
  const [site, other] = [await openShop(), await openShop()];
  await show(site, "spring", { email: "ann@shop.example" });
  const { id } = await site.get("/api/profiles?userId=ann");
  await problemOf(other.send("GET", `/api/profiles/${id}/sends`), "not-found");
  expect((await site.send("DELETE", `/api/profiles/${id}`)).status).toBe(200);
  await problemOf(site.send("GET", `/api/profiles/${id}/sends`), "not-found");
  const { results } = await env.DB.prepare("SELECT 1 FROM send_decisions WHERE site_id = ?1").bind(site.siteId).all();
  expect(results).toEqual([]);
});
