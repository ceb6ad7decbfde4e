import { createExecutionContext, env } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { api } from "../../../edge/api/index.ts";
import type { Env } from "../../../edge/env.ts";
import { hashKey } from "../../../edge/manifest/read.ts";
import { ADMIN, type Json, newSite, problemOf, send } from "./client.ts";

const settings = {
  name: "Shop",
  timeZone: "Europe/Berlin",
  consentDefault: "session",
  origins: ["https://shop.example"],
};

describe("a site", () => {
  it("is created by the administrator, with a write key and a secret key that is shown once", async () => {
    const response = await send(ADMIN, "POST", "/api/sites", settings);
    expect(response.status).toBe(201);
    const site = await response.json<Json>();
    expect(site).toMatchObject({ ...settings, version: 1 });
    expect(site.writeKey).toMatch(/^pk_\w{20}$/);
    expect(site.secretKey).toMatch(/^sk_\w{32}$/);
    expect(site.createdAt).toMatch(/^\d{4}-\d\d-\d\dT.*\.\d{3}Z$/);
    expect(response.headers.get("location")).toBe(`/api/sites/${site.id}`);
    const again = await send(site.secretKey, "GET", `/api/sites/${site.id}`);
    expect(await again.text()).not.toMatch(/sk_|pk_/);
  });

  it("answers the public plane at once", async () => {
    const { writeKey } = await newSite({ timeZone: "Asia/Tokyo" });
    const response = await exports.default.fetch(`https://edge.example/v1/manifest/${writeKey}`);
    expect(await response.json()).toMatchObject({ version: 1, timeZone: "Asia/Tokyo", segments: [] });
  });

  it("starts with strict settings where none are given", async () => {
    const site = await (await send(ADMIN, "POST", "/api/sites", { name: "Shop" })).json();
    expect(site).toMatchObject({ timeZone: "UTC", consentDefault: "off", origins: [] });
  });

  it("stores keys as hashes only", async () => {
    const { secretKey, writeKey } = await newSite();
    const tables = ["sites", "keys", "idempotency_keys", "segments", "blocks"];
    const dumps = await Promise.all(
      tables.map(async (table) => (await env.DB.prepare(`SELECT * FROM ${table}`).all()).results),
    );
    const text = JSON.stringify(dumps);
    expect(text).not.toContain(secretKey);
    expect(text).toContain(await hashKey(secretKey));
    expect(text).toContain(await hashKey(writeKey));
  });

  it("is not created by a site's own key", async () => {
    const { secretKey } = await newSite();
    await problemOf(send(secretKey, "POST", "/api/sites", settings), "forbidden");
  });

  it("is listed for the administrator page by page, and alone for its own key", async () => {
    const sites = await Promise.all([newSite(), newSite(), newSite()]);
    const ids: string[] = [];
    let path: string | null = "/api/sites?limit=2";
    while (path) {
      const page: Json = await (await send(ADMIN, "GET", path)).json();
      ids.push(...page.data.map((site: Json) => site.id));
      path = page.next && `/api/sites?limit=2&cursor=${page.next}`;
    }
    for (const { siteId } of sites) expect(ids.filter((id) => id === siteId)).toEqual([siteId]);
    expect(await sites[0]!.get("/api/sites")).toMatchObject({ data: [{ id: sites[0]!.siteId }], next: null });
  });

  it("changes the settings that are named, and publishes them", async () => {
    const site = await newSite({ origins: ["https://shop.example"] });
    const changed = await site.send("PATCH", `/api/sites/${site.siteId}`, { timeZone: "America/New_York" });
    expect(await changed.json()).toMatchObject({
      timeZone: "America/New_York",
      origins: ["https://shop.example"],
      version: 2,
    });
    const manifest = await exports.default.fetch(`https://edge.example/v1/manifest/${site.writeKey}`);
    expect(await manifest.json()).toMatchObject({ version: 2, timeZone: "America/New_York" });
  });

  it("is not changed by who has not seen its newest state", async () => {
    const site = await newSite();
    const path = `/api/sites/${site.siteId}`;
    const etag = (await site.send("GET", path)).headers.get("etag")!;
    const first = await site.send("PATCH", path, { name: "One" }, { "if-match": etag });
    expect(first.status).toBe(200);
    await problemOf(site.send("PATCH", path, { name: "Two" }, { "if-match": etag }), "version-mismatch");
    const second = await site.send("PATCH", path, { name: "Two" }, { "if-match": first.headers.get("etag")! });
    expect(second.status).toBe(200);
  });

  it.each([
    [{ timeZone: "Mars/Olympus" }, "/timeZone"],
    [{ timeZone: "+01:00" }, "/timeZone"],
    [{ origins: ["shop.example"] }, "/origins/0"],
    [{ origins: ["https://shop.example/path"] }, "/origins/0"],
    [{ origins: ["javascript:alert(1)"] }, "/origins/0"],
    [{ origins: "https://shop.example" }, "/origins"],
    [{ consentDefault: "always" }, "/consentDefault"],
    [{ name: "" }, "/name"],
    [{ name: 5 }, "/name"],
    [{ colour: "red" }, "/colour"],
  ])("refuses %j and says where", async (change, pointer) => {
    const site = await newSite();
    const problem = await problemOf(site.send("PATCH", `/api/sites/${site.siteId}`, change), "invalid-request");
    expect(problem.errors?.map((error) => error.pointer)).toEqual([pointer]);
  });

  it("keeps an origin as a browser sends it", async () => {
    const site = await newSite({ origins: ["HTTPS://Shop.Example:443", "https://shop.example/"] });
    expect(await site.get(`/api/sites/${site.siteId}`)).toMatchObject({ origins: ["https://shop.example"] });
  });
});

describe("the demo keys", () => {
  const demo = { ...settings, writeKey: "pk_demo", secretKey: "sk_demo" };
  const local = { ...env, ATTUNE_LOCAL: "1" } as unknown as Env;
  const ask = (bindings: Env, token: string, method: string, path: string, body?: unknown) =>
    api.fetch(
      new Request(`https://edge.example${path}`, {
        method,
        headers: { authorization: `Bearer ${token}` },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
      bindings,
      createExecutionContext(),
    );

  it("can be chosen on a local start only, and open nothing elsewhere", async () => {
    await problemOf(send(ADMIN, "POST", "/api/sites", demo), "forbidden");
    expect((await ask(local, ADMIN, "POST", "/api/sites", demo)).status).toBe(201);
    expect((await ask(local, "sk_demo", "GET", "/api/sites")).status).toBe(200);
    await problemOf(send("sk_demo", "GET", "/api/sites"), "unauthorized");
    await problemOf(ask(local, ADMIN, "POST", "/api/sites", demo), "conflict");
  });
});

it("counts what a site holds", async () => {
  const { siteId, writeKey, secretKey } = await newSite();
  await exports.default.fetch("https://edge.example/v1/batch", {
    method: "POST",
    body: JSON.stringify({
      writeKey,
      batch: ["a", "b", "a"].map((anonymousId) => ({ type: "track", event: "E", anonymousId })),
    }),
  });
  const response = await send(secretKey, "GET", `/api/sites/${siteId}/size`);
  expect(await response.json()).toEqual({ profiles: 2, events: 3 });
});
