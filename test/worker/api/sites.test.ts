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
    expect(site).toMatchObject({
      timeZone: "UTC",
      consentDefault: "off",
      consentRegion: "outside-europe",
      origins: [],
    });
  });

  it("assumes consent everywhere only once it says so, and then until it says otherwise", async () => {
    const site = await newSite({ consentDefault: "full" });
    const path = `/api/sites/${site.siteId}`;
    const answered = async () => {
      const cf = { country: "DE" };
      const response = await exports.default.fetch(`https://edge.example/a/manifest/${site.writeKey}`, { cf });
      return (await response.json<Json>()).consentDefault;
    };
    expect(await answered()).toBe("off");
    await site.send("PATCH", path, { consentRegion: "everywhere" });
    expect(await answered()).toBe("full");
    await site.send("PATCH", path, { name: "Shop" });
    expect(await site.get(path)).toMatchObject({ consentDefault: "full", consentRegion: "everywhere" });
    await site.send("PATCH", path, { consentRegion: "outside-europe" });
    expect(await answered()).toBe("off");
  });

  it("says who is who as every new site does, and as it is told", async () => {
    const site = await newSite();
    const path = `/api/sites/${site.siteId}`;
    const { identity } = await site.get(path);
    expect(identity).toMatchObject({
      kinds: [
        { kind: "userId", limit: 1, window: "ever" },
        { kind: "email", limit: 5, window: "ever" },
        { kind: "phone", limit: 5, window: "ever" },
        { kind: "anonymousId", limit: 50, window: "ever" },
      ],
      sources: ["server", "import", "browser"],
      phoneRegion: null,
    });
    expect(identity.blocked).toContainEqual({ pattern: "test@*" });

    const kinds = [
      { kind: "userId", limit: 1 },
      { kind: "loyalty_card", limit: 2, window: "year" },
      { kind: "anonymousId", limit: 9 },
    ];
    const changed = await site.send("PATCH", path, { identity: { kinds, phoneRegion: "DE" } });
    const told = {
      ...identity,
      kinds: [
        { kind: "userId", limit: 1, window: "ever" },
        { kind: "loyalty_card", limit: 2, window: "year" },
        { kind: "anonymousId", limit: 9, window: "ever" },
      ],
      phoneRegion: "DE",
    };
    expect(changed.status).toBe(200);
    expect((await changed.json<Json>()).identity).toEqual(told);
    // What it answers can be sent back; what is left out stays, be it of other settings or of this one; all can be taken back.
    expect((await (await site.send("PATCH", path, { identity: told })).json<Json>()).identity).toEqual(told);
    expect((await (await site.send("PATCH", path, { name: "Other" })).json<Json>()).identity).toEqual(told);
    expect((await (await site.send("PATCH", path, { identity: {} })).json<Json>()).identity).toEqual(told);
    const given = await site.send("PATCH", path, { identity: { phoneRegion: "GB" } });
    expect((await given.json<Json>()).identity).toEqual({ ...told, phoneRegion: "GB" });
    expect((await (await site.send("PATCH", path, { identity })).json<Json>()).identity).toEqual(identity);
  });

  it("works by what it says of who is who at once, in every isolate, as by changed rules", async () => {
    const site = await newSite();
    const path = `/api/sites/${site.siteId}`;
    const rules = () =>
      env.DB.prepare("SELECT rules_version FROM sites WHERE id = ?1").bind(site.siteId).first<number>("rules_version");
    const before = await rules();
    const kinds = ["userId", "crm", "phone", "anonymousId"].map((kind) => ({ kind, limit: kind === "userId" ? 1 : 3 }));
    const identity = { kinds, blocked: [{ kind: "crm", pattern: "x-*" }], phoneRegion: "GB" };
    expect((await site.send("PATCH", path, { identity })).status).toBe(200);
    expect(await rules()).toBe(before! + 1);
    const externalIds = [
      { type: "crm", id: "C7" },
      { type: "crm", id: "X-1" },
    ];
    await exports.default.fetch("https://edge.example/v1/identify", {
      method: "POST",
      body: JSON.stringify({
        writeKey: site.writeKey,
        userId: "ann",
        traits: { phone: "020 7946 0958", email: "ann@x.example" },
        context: { externalIds },
      }),
    });
    const { results } = await env.DB.prepare("SELECT identifier FROM identifiers WHERE site_id = ?1 ORDER BY 1")
      .bind(site.siteId)
      .all<Json>();
    expect(results.map(({ identifier }) => identifier)).toEqual(["crm:C7", "phone:+442079460958", "userId:ann"]);
  });

  it.each<[object, string[]]>([
    [{ kinds: [] }, ["/identity/kinds/0/kind", "/identity/kinds"]],
    [{ kinds: [{ kind: "anonymousId", limit: 5 }] }, ["/identity/kinds/0/kind"]],
    [
      {
        kinds: [
          { kind: "userId", limit: 2 },
          { kind: "anonymousId", limit: 5 },
        ],
      },
      ["/identity/kinds/0"],
    ],
    [
      {
        kinds: [
          { kind: "userId", limit: 1, window: "day" },
          { kind: "anonymousId", limit: 5 },
        ],
      },
      ["/identity/kinds/0"],
    ],
    [{ kinds: [{ kind: "userId", limit: 1 }] }, ["/identity/kinds"]],
    [
      {
        kinds: [
          { kind: "userId", limit: 1 },
          { kind: "a:b", limit: 5 },
          { kind: "anonymousId", limit: 5 },
        ],
      },
      ["/identity/kinds/1/kind"],
    ],
    [
      {
        kinds: [
          { kind: "userId", limit: 1 },
          { kind: "__proto__", limit: 5 },
          { kind: "anonymousId", limit: 5 },
        ],
      },
      ["/identity/kinds/1/kind"],
    ],
    [
      {
        kinds: [
          { kind: "userId", limit: 1 },
          { kind: "anonymousId", limit: 201 },
        ],
      },
      ["/identity/kinds/1/limit"],
    ],
    [
      {
        kinds: [
          { kind: "userId", limit: 1 },
          { kind: "anonymousId", limit: 0 },
        ],
      },
      ["/identity/kinds/1/limit"],
    ],
    [
      {
        kinds: [
          { kind: "userId", limit: 1 },
          { kind: "anonymousId", limit: 5, window: "eon" },
        ],
      },
      ["/identity/kinds/1/window"],
    ],
    [
      { kinds: ["userId", "anonymousId", "anonymousId"].map((kind) => ({ kind, limit: 1 })) },
      ["/identity/kinds/2/kind"],
    ],
    [{ blocked: [{ pattern: "" }] }, ["/identity/blocked/0/pattern"]],
    [{ blocked: [{ pattern: "**" }] }, ["/identity/blocked/0/pattern"]],
    [{ blocked: [{ pattern: "x".repeat(257) }] }, ["/identity/blocked/0/pattern"]],
    [{ blocked: Array.from({ length: 201 }, () => ({ pattern: "x" })) }, ["/identity/blocked"]],
    [{ sources: ["server", "import"] }, ["/identity/sources"]],
    [{ sources: ["server", "server", "browser"] }, ["/identity/sources"]],
    [{ phoneRegion: "Germany" }, ["/identity/phoneRegion"]],
    [{ phoneRegion: "__proto__" }, ["/identity/phoneRegion"]],
    [{ colour: "red" }, ["/identity/colour"]],
  ])("refuses who is who as %j and says where", async (identity, pointers) => {
    const site = await newSite();
    const problem = await problemOf(site.send("PATCH", `/api/sites/${site.siteId}`, { identity }), "invalid-request");
    expect(problem.errors?.map((error) => error.pointer)).toEqual(pointers);
  });

  it("explains why userId is the first and one", async () => {
    const site = await newSite();
    const kinds = [
      { kind: "userId", limit: 3 },
      { kind: "anonymousId", limit: 5 },
    ];
    const problem = await problemOf(
      site.send("PATCH", `/api/sites/${site.siteId}`, { identity: { kinds } }),
      "invalid-request",
    );
    expect(problem.errors?.[0]?.detail).toContain("two users never share a profile");
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
    [{ consentRegion: "europe" }, "/consentRegion"],
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
