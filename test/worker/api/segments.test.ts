import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { type Client, ingest, type Json, newSite, problemOf, VIEWED_TWICE } from "./client.ts";

const viewers = { key: "viewers", name: "Viewers", condition: VIEWED_TWICE, visibility: "public", status: "active" };

async function publicManifest({ writeKey }: Client): Promise<Json> {
  return (await exports.default.fetch(`https://edge.example/v1/manifest/${writeKey}`)).json();
}

describe("a segment", () => {
  it("is saved, read with a sentence that describes it, and listed", async () => {
    const site = await newSite();
    const created = await site.send("POST", "/api/segments", viewers);
    expect(created.status).toBe(201);
    expect(created.headers.get("location")).toBe("/api/segments/viewers");
    expect(await created.json()).toMatchObject({ ...viewers, kind: "dynamic", version: 1 });
    const read = await site.get("/api/segments/viewers");
    expect(read).toMatchObject({ ...viewers, members: 0, describe: expect.stringMatching(/Product Viewed/) });
    expect(await site.get("/api/segments")).toMatchObject({ data: [{ key: "viewers" }], next: null });
  });

  it("that is active is published at once; a draft is not", async () => {
    const site = await newSite();
    await site.post("/api/segments", { ...viewers, status: "draft" });
    expect((await publicManifest(site)).segments).toEqual([]);
    await site.put("/api/segments/viewers", { ...viewers, status: "active" });
    expect((await publicManifest(site)).segments).toEqual([{ key: "viewers", condition: VIEWED_TWICE }]);
    await site.put("/api/segments/viewers", { ...viewers, visibility: "private" });
    expect((await publicManifest(site)).segments).toEqual([]);
  });

  it("is private and a draft where nothing else is said", async () => {
    const site = await newSite();
    const { key, name, condition } = viewers;
    expect(await site.post("/api/segments", { key, name, condition })).toMatchObject({
      visibility: "private",
      status: "draft",
    });
  });

  it("keeps its key and kind", async () => {
    const site = await newSite();
    await site.post("/api/segments", viewers);
    const rename = await problemOf(
      site.send("PUT", "/api/segments/viewers", { ...viewers, key: "other" }),
      "invalid-request",
    );
    expect(rename.errors?.[0]?.pointer).toBe("/key");
    await problemOf(site.send("PUT", "/api/segments/viewers", { ...viewers, kind: "static" }), "invalid-request");
  });

  it("has a key once", async () => {
    const site = await newSite();
    await site.post("/api/segments", viewers);
    await problemOf(site.send("POST", "/api/segments", viewers), "conflict");
  });

  it("is not overwritten by who has not seen its newest state", async () => {
    const site = await newSite();
    await site.post("/api/segments", viewers);
    const etag = (await site.send("GET", "/api/segments/viewers")).headers.get("etag")!;
    const first = await site.send("PUT", "/api/segments/viewers", { ...viewers, name: "One" }, { "if-match": etag });
    expect(first.status).toBe(200);
    await problemOf(
      site.send("PUT", "/api/segments/viewers", { ...viewers, name: "Two" }, { "if-match": etag }),
      "version-mismatch",
    );
    await problemOf(site.send("DELETE", "/api/segments/viewers", undefined, { "if-match": etag }), "version-mismatch");
    const weak = { "if-match": `W/${first.headers.get("etag")}` };
    expect((await site.send("PUT", "/api/segments/viewers", viewers, weak)).status).toBe(200);
  });

  it("can be static: a list, without a condition", async () => {
    const site = await newSite();
    const list = { key: "list", name: "List", kind: "static", status: "active" };
    expect(await site.post("/api/segments", list)).toMatchObject({ kind: "static", condition: null, describe: null });
    await problemOf(
      site.send("POST", "/api/segments", { ...list, key: "two", condition: VIEWED_TWICE }),
      "invalid-condition",
    );
  });

  it("is archived by deleting it, and its key can be used again", async () => {
    const site = await newSite();
    await site.post("/api/segments", viewers);
    expect(await (await site.send("DELETE", "/api/segments/viewers")).json()).toMatchObject({ status: "archived" });
    expect((await publicManifest(site)).segments).toEqual([]);
    await problemOf(site.send("GET", "/api/segments/viewers"), "not-found");
    expect((await site.get("/api/segments?archived=true")).data).toHaveLength(1);
    expect(await site.post("/api/segments", viewers)).toMatchObject({ status: "active", version: 3 });
  });

  it("of another site cannot be seen or changed", async () => {
    const [one, two] = await Promise.all([newSite(), newSite()]);
    await one.post("/api/segments", viewers);
    expect(await two.get("/api/segments?archived=true")).toEqual({ data: [], next: null });
    await problemOf(two.send("GET", "/api/segments/viewers"), "not-found");
    await problemOf(two.send("PUT", "/api/segments/viewers", viewers), "not-found");
    await problemOf(two.send("DELETE", "/api/segments/viewers"), "not-found");
    await problemOf(two.send("GET", "/api/segments/viewers/members"), "not-found");
    await problemOf(two.send("GET", `/api/sites/${one.siteId}`), "not-found");
    await problemOf(two.send("PATCH", `/api/sites/${one.siteId}`, { name: "Mine" }), "not-found");
    expect(await two.post("/api/segments", viewers)).toMatchObject({ version: 1 });
  });

  it("counts and lists its members, page by page", async () => {
    const site = await newSite();
    await site.post("/api/segments", viewers);
    for (const anonymousId of ["a", "b", "c"]) {
      await ingest(
        site,
        [1, 2].map((n) => ({ type: "track", event: "Product Viewed", anonymousId, messageId: `${anonymousId}${n}` })),
      );
    }
    expect(await site.get("/api/segments/viewers")).toMatchObject({ members: 3 });
    const first = await site.get("/api/segments/viewers/members?limit=2");
    const second = await site.get(`/api/segments/viewers/members?limit=2&cursor=${first.next}`);
    const members = [...first.data, ...second.data];
    expect(second.next).toBeNull();
    expect(new Set(members.map(({ profile }) => profile)).size).toBe(3);
    for (const { since, until } of members) expect(Date.parse(until)).toBeGreaterThan(Date.parse(since));
  });
});

describe("what segments refer to", () => {
  const refer = (key: string, to: string, status = "active") => ({
    key,
    name: key,
    condition: { segment: to },
    status,
  });

  it("has to be there, and active where they are", async () => {
    const site = await newSite();
    const problem = await problemOf(site.send("POST", "/api/segments", refer("a", "nope")), "invalid-condition");
    expect(problem.errors).toEqual([
      { pointer: "/condition", code: "unknown-segment", detail: "There is no segment nope." },
    ]);
    await site.post("/api/segments", { ...viewers, status: "draft" });
    expect(await site.post("/api/segments", refer("a", "viewers", "draft"))).toMatchObject({ key: "a" });
    const misspelt = await problemOf(site.send("POST", "/api/segments", refer("c", "veiwers")), "invalid-condition");
    expect(misspelt.detail).toBe("There is no segment veiwers. Is viewers meant?");
    const inactive = await problemOf(site.send("POST", "/api/segments", refer("b", "viewers")), "invalid-condition");
    expect(inactive.errors?.[0]?.code).toBe("inactive-segment");
  });

  it("is never themselves, however long the way", async () => {
    const site = await newSite();
    await problemOf(site.send("POST", "/api/segments", refer("a", "a")), "invalid-condition");
    await site.post("/api/segments", { ...viewers, key: "a" });
    await site.post("/api/segments", refer("b", "a"));
    await site.post("/api/segments", refer("c", "b"));
    const problem = await problemOf(site.send("PUT", "/api/segments/a", refer("a", "c")), "invalid-condition");
    expect(problem.errors?.[0]).toMatchObject({ code: "cycle", detail: expect.stringMatching(/a.*b|b.*a/) });
  });

  it("is not deleted or made a draft while it is used, and the answer names by whom", async () => {
    const site = await newSite();
    await site.post("/api/segments", viewers);
    await site.post("/api/segments", refer("fans", "viewers"));
    const variants = [{ key: "v", audience: { segment: "viewers" }, template: "x" }];
    await site.post("/api/blocks", { key: "hero", slot: "hero", variants });
    const problem = await problemOf(site.send("DELETE", "/api/segments/viewers"), "conflict");
    expect(problem.detail).toMatch(/segment fans, block hero/);
    await problemOf(site.send("PUT", "/api/segments/viewers", { ...viewers, status: "draft" }), "conflict");
    await site.send("DELETE", "/api/segments/fans");
    await site.send("DELETE", "/api/blocks/hero");
    expect((await site.send("DELETE", "/api/segments/viewers")).status).toBe(200);
  });

  it("counts as used while a published version looks at it, even if the draft no longer does", async () => {
    const site = await newSite();
    await site.post("/api/segments", viewers);
    const variants = [{ key: "v", audience: { segment: "viewers" }, template: "x" }];
    await site.post("/api/blocks", { key: "hero", slot: "hero", variants });
    await site.post("/api/blocks/hero/publish");
    await site.put("/api/blocks/hero", { slot: "hero", variants: [] });
    await problemOf(site.send("DELETE", "/api/segments/viewers"), "conflict");
    await site.post("/api/blocks/hero/publish");
    expect((await site.send("DELETE", "/api/segments/viewers")).status).toBe(200);
  });
});

describe("a condition that is wrong", () => {
  it.each<[string, unknown, string]>([
    ["an unknown operator", { trait: "plan", equals: "pro" }, "/condition/equals"],
    [
      "an unknown operator inside",
      { all: [{ event: "A" }, { not: { trait: "plan", like: 5 } }] },
      "/condition/all/1/not/like",
    ],
    ["an unknown kind", { magic: true }, "/condition"],
    ["a wrong duration", { event: "A", within: "2 days" }, "/condition/within"],
    ["too long a window", { event: "A", within: "900d" }, "/condition/within"],
    ["a count that is no number", { event: "A", count: { gte: "2" } }, "/condition/count/gte"],
  ])("by %s is refused with a pointer", async (_name, condition, pointer) => {
    const site = await newSite();
    const problem = await problemOf(site.send("POST", "/api/segments", { ...viewers, condition }), "invalid-condition");
    expect(problem.errors?.some((error) => error.pointer.startsWith(pointer))).toBe(true);
    expect(await site.get("/api/segments")).toEqual({ data: [], next: null });
  });

  it("by being missing is refused", async () => {
    const site = await newSite();
    await problemOf(site.send("POST", "/api/segments", { key: "a", name: "A" }), "invalid-condition");
  });
});
