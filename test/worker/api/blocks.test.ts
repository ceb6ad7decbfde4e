import { env } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { archiveBlock, publishBlock, rollbackBlock } from "../../../edge/db/blocks.ts";
import { type Client, type Json, newSite, problemOf, send } from "./client.ts";

const hero = {
  key: "hero",
  slot: "hero",
  variants: [{ key: "all", audience: null, template: "<b>Hello</b>" }],
  fallback: null,
};

async function shown({ writeKey }: Client, slot = "hero"): Promise<Json> {
  const response = await exports.default.fetch("https://edge.example/v1/decide", {
    method: "POST",
    body: JSON.stringify({ writeKey, anonymousId: "a1", slots: [slot] }),
  });
  return (await response.json<Json>()).slots[slot];
}

describe("a block", () => {
  it("is a draft until it is published, then fills its slot at once", async () => {
    const site = await newSite();
    expect(await site.post("/api/blocks", hero)).toMatchObject({
      ...hero,
      status: "draft",
      version: 1,
      liveVersion: null,
    });
    expect(await shown(site)).toMatchObject({ html: null, decision: { reason: "no-block" } });
    expect(await site.post("/api/blocks/hero/publish")).toMatchObject({ status: "active", version: 1, liveVersion: 1 });
    expect(await shown(site)).toMatchObject({ html: "<b>Hello</b>", decision: { block: "hero", variant: "all" } });
  });

  it("stays as published while its draft changes, and goes back to any published version", async () => {
    const site = await newSite();
    const say = (text: string) => ({ ...hero, variants: [{ key: "all", template: text }] });
    await site.post("/api/blocks", say("one"));
    await site.post("/api/blocks/hero/publish");
    await site.put("/api/blocks/hero", say("two"));
    expect((await shown(site)).html).toBe("one");
    await site.put("/api/blocks/hero", say("three"));
    expect(await site.post("/api/blocks/hero/publish")).toMatchObject({ version: 3, liveVersion: 3 });
    expect((await shown(site)).html).toBe("three");
    expect(await site.post("/api/blocks/hero/rollback", { version: 1 })).toMatchObject({ version: 3, liveVersion: 1 });
    expect((await shown(site)).html).toBe("one");
    await problemOf(site.send("POST", "/api/blocks/hero/rollback", { version: 2 }), "not-found");
    expect(await site.get("/api/blocks/hero/versions/1")).toMatchObject({
      version: 1,
      variants: [{ template: "one" }],
    });
    for (const path of ["2", "0", "x"])
      expect((await site.send("GET", `/api/blocks/hero/versions/${path}`)).ok).toBe(false);
    const { data } = await site.get("/api/blocks/hero/versions");
    expect(data.map(({ version, variants }: Json) => [version, variants[0].template])).toEqual([
      [3, "three"],
      [1, "one"],
    ]);
    const page = await site.get("/api/blocks/hero/versions?limit=1");
    expect(await site.get(`/api/blocks/hero/versions?limit=1&cursor=${page.next}`)).toMatchObject({
      data: [{ version: 1 }],
      next: null,
    });
  });

  it("can be published twice without harm", async () => {
    const site = await newSite();
    await site.post("/api/blocks", hero);
    await site.post("/api/blocks/hero/publish");
    expect(await site.post("/api/blocks/hero/publish")).toMatchObject({ liveVersion: 1 });
    expect((await site.get("/api/blocks/hero/versions")).data).toHaveLength(1);
  });

  it("gives its slot back when it is deleted", async () => {
    const site = await newSite();
    await site.post("/api/blocks", hero);
    await site.post("/api/blocks/hero/publish");
    await site.send("DELETE", "/api/blocks/hero");
    expect(await shown(site)).toMatchObject({ html: null, decision: { reason: "no-block" } });
    await problemOf(site.send("GET", "/api/blocks/hero"), "not-found");
    expect(await site.get("/api/blocks")).toEqual({ data: [], next: null });
    expect(await site.post("/api/blocks", hero)).toMatchObject({ status: "draft", liveVersion: null });
  });

  it("is not overwritten or published by who has not seen its newest state", async () => {
    const site = await newSite();
    const etag = (await site.send("POST", "/api/blocks", hero)).headers.get("etag")!;
    const saved = await site.send("PUT", "/api/blocks/hero", hero, { "if-match": etag });
    expect(saved.status).toBe(200);
    await problemOf(site.send("PUT", "/api/blocks/hero", hero, { "if-match": etag }), "version-mismatch");
    await problemOf(site.send("POST", "/api/blocks/hero/publish", undefined, { "if-match": etag }), "version-mismatch");
    const published = await site.send("POST", "/api/blocks/hero/publish", undefined, {
      "if-match": saved.headers.get("etag")!,
    });
    expect(published.status).toBe(200);
    expect(published.headers.get("etag")).not.toBe(saved.headers.get("etag"));
  });

  it("of another site cannot be seen, changed or published", async () => {
    const [one, two] = await Promise.all([newSite(), newSite()]);
    await one.post("/api/blocks", hero);
    expect(await two.get("/api/blocks?archived=true")).toEqual({ data: [], next: null });
    for (const [method, path, body] of [
      ["GET", "/api/blocks/hero"],
      ["PUT", "/api/blocks/hero", hero],
      ["DELETE", "/api/blocks/hero"],
      ["POST", "/api/blocks/hero/publish"],
      ["POST", "/api/blocks/hero/rollback", { version: 1 }],
      ["GET", "/api/blocks/hero/versions"],
      ["GET", "/api/blocks/hero/versions/1"],
    ] as const) {
      await problemOf(two.send(method, path, body), "not-found");
    }
    await problemOf(two.send("POST", "/api/blocks/preview", { block: "hero" }), "not-found");
  });

  it("is listed page by page", async () => {
    const site = await newSite();
    for (const key of ["a", "b", "c"]) await site.post("/api/blocks", { ...hero, key, slot: key });
    const first = await site.get("/api/blocks?limit=2");
    const second = await site.get(`/api/blocks?limit=2&cursor=${first.next}`);
    expect([...first.data, ...second.data].map(({ key }) => key)).toEqual(["a", "b", "c"]);
    expect(second.next).toBeNull();
  });
});

describe("a block that is wrong", () => {
  it("gets line and column of each template's error", async () => {
    const site = await newSite();
    const variants = [
      { key: "a", template: "fine" },
      { key: "b", template: "one\n  {% if customer.x %}two" },
      { key: "c", template: "{{ customer.name | shout }}" },
    ];
    const problem = await problemOf(
      site.send("POST", "/api/blocks", { ...hero, variants, fallback: "{{" }),
      "invalid-template",
    );
    expect(problem.errors).toMatchObject([
      { pointer: "/variants/1/template", code: "liquid-syntax", detail: expect.stringMatching(/line 2, column 3/) },
      { pointer: "/variants/2/template", code: "liquid-syntax", detail: expect.stringMatching(/shout.*line 1/) },
      { pointer: "/fallback", code: "liquid-syntax" },
    ]);
    expect(await site.get("/api/blocks")).toEqual({ data: [], next: null });
  });

  it.each<[object, string, string]>([
    [{ slot: "a b" }, "/slot", "invalid-request"],
    [{ variants: {} }, "/variants", "invalid-request"],
    [{ variants: [{ key: "a", template: 5 }] }, "/variants/0/template", "invalid-request"],
    [{ variants: [{ key: "a", template: "x", weight: 1 }] }, "/variants/0/weight", "invalid-request"],
    [
      {
        variants: [
          { key: "a", template: "x" },
          { key: "a", template: "y" },
        ],
      },
      "/variants/1/key",
      "invalid-request",
    ],
    [
      { variants: [{ key: "a", template: "x", audience: { trait: "a", is: 1 } }] },
      "/variants/0/audience/is",
      "invalid-condition",
    ],
    [
      { variants: [{ key: "a", template: "x", audience: { segment: "nope" } }] },
      "/variants/0/audience",
      "invalid-condition",
    ],
    [{ variants: [{ key: "a", template: "<a href={{ customer.url }}>" }] }, "/variants/0/template", "invalid-template"],
    [{ fallback: "<script>{{ customer.name }}</script>" }, "/fallback", "invalid-template"],
  ])("by %j is refused with a pointer", async (change, pointer, slug) => {
    const site = await newSite();
    const problem = await problemOf(site.send("POST", "/api/blocks", { ...hero, ...change }), slug);
    expect(problem.errors?.some((error) => error.pointer.startsWith(pointer))).toBe(true);
  });

  it("is not published while a segment that it looks at is not active", async () => {
    const site = await newSite();
    const condition = { event: "A" };
    await site.post("/api/segments", { key: "later", name: "L", condition });
    await site.post("/api/blocks", {
      ...hero,
      variants: [{ key: "a", template: "x", audience: { segment: "later" } }],
    });
    await problemOf(site.send("POST", "/api/blocks/hero/publish"), "invalid-condition");
    await site.put("/api/segments/later", { name: "L", condition, status: "active" });
    expect(await site.post("/api/blocks/hero/publish")).toMatchObject({ liveVersion: 1 });
  });
});

describe("the audit of blocks", () => {
  it("says who made which version live in place of which, as part of a chain that holds", async () => {
    const site = await newSite();
    const { id, key: secretKey } = await site.post("/api/keys", { kind: "secret", label: "CI" });
    await site.post("/api/blocks", hero);
    await site.post("/api/blocks/hero/publish");
    await site.put("/api/blocks/hero", { ...hero, slot: "top" });
    expect((await send(secretKey, "POST", "/api/blocks/hero/publish")).status).toBe(200);
    await site.post("/api/blocks/hero/rollback", { version: 1 });
    await site.send("DELETE", "/api/blocks/hero");
    await site.post("/api/blocks", { ...hero, key: "other" });
    await site.send("DELETE", "/api/blocks/other");
    const { data } = await site.get("/api/audit?subject=block:hero");
    expect(data.map(({ action, subjects, detail }: Json) => [action, subjects, detail])).toEqual([
      ["archive", ["block:hero"], { block: "hero", from: 1, to: null }],
      ["rollback", ["block:hero"], { block: "hero", from: 2, to: 1 }],
      ["publish", ["block:hero"], { block: "hero", from: 1, to: 2 }],
      ["publish", ["block:hero"], { block: "hero", from: null, to: 1 }],
    ]);
    const [, , byCi, first] = data.map(({ actor }: Json) => actor);
    expect(byCi).toBe(`key:${id}`);
    expect(first).toMatch(/^key:./);
    expect(first).not.toBe(byCi);
    expect((await site.get("/api/audit?action=archive")).data).toHaveLength(2);
    expect(await site.get("/api/audit/verify")).toMatchObject({ valid: true, entries: 5 });
  });

  it("has nothing of what was refused, nor of another site", async () => {
    const [site, other] = [await newSite(), await newSite()];
    await site.post("/api/blocks", { ...hero, fallback: "{% for i in (1..100000) %}{{ i }}{% endfor %}" });
    await problemOf(site.send("POST", "/api/blocks/hero/publish"), "invalid-template");
    await problemOf(site.send("POST", "/api/blocks/hero/rollback", { version: 7 }), "not-found");
    await problemOf(other.send("DELETE", "/api/blocks/hero"), "not-found");
    const by = { actor: "key:1", at: 1 };
    expect(await publishBlock(env.DB, site.siteId, "hero", 7, by)).toBeNull();
    expect(await rollbackBlock(env.DB, site.siteId, "hero", 7, by)).toBeNull();
    expect(await archiveBlock(env.DB, other.siteId, "hero", by)).toBeNull();
    for (const { siteId } of [site, other]) {
      const { results } = await env.DB.prepare("SELECT seq FROM audit WHERE site_id = ?1").bind(siteId).all();
      expect(results).toEqual([]);
    }
  });
});
