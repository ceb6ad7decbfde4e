import { env } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { type Client, ingest, type Json, newSite, problemOf, readPages, VIEWED_TWICE } from "./client.ts";

const KINDS = [
  { kind: "userId", limit: 1 },
  { kind: "anonymousId", limit: 50 },
];

async function storeAda(site: Client): Promise<void> {
  await site.post("/api/segments", { key: "viewers", name: "Viewers", condition: VIEWED_TWICE, status: "active" });
  const view = (n: number) => ({
    type: "track",
    event: "Product Viewed",
    anonymousId: "anon-1",
    messageId: `view-${n}`,
    timestamp: new Date(Date.now() - n * 1000).toISOString(),
    properties: { n },
  });
  await ingest(site, [
    view(3),
    view(2),
    view(1),
    {
      type: "identify",
      anonymousId: "anon-1",
      userId: "ada",
      messageId: "id-1",
      traits: { email: "Ada@Example.com", plan: "pro" },
    },
  ]);
}

describe("a profile", () => {
  it("is read by any of its identifiers and by its id", async () => {
    const site = await newSite();
    await storeAda(site);
    const profile = await site.get("/api/profiles?userId=ada");
    expect(profile).toMatchObject({
      traits: { plan: "pro" },
      segments: [{ key: "viewers", since: expect.any(String), until: expect.any(String) }],
      firstSeen: expect.stringMatching(/Z$/),
      lastSeen: expect.stringMatching(/Z$/),
    });
    expect(profile.identifiers.map(({ kind, value }: Json) => `${kind}:${value}`)).toEqual(
      expect.arrayContaining(["anonymousId:anon-1", "userId:ada"]),
    );
    expect(profile).not.toHaveProperty("traitSources");
    expect(await site.get("/api/profiles?anonymousId=anon-1")).toMatchObject({ id: profile.id });
    expect(await site.get(`/api/profiles/${profile.id}`)).toMatchObject({ id: profile.id, stableId: profile.stableId });
  });

  it("answers an id that it was once known by, and says which is its own", async () => {
    const site = await newSite();
    await ingest(site, [{ type: "page", anonymousId: "phone", messageId: "1" }]);
    const { id } = await site.get("/api/profiles?anonymousId=phone");
    await ingest(site, [{ type: "identify", anonymousId: "laptop", userId: "ada", messageId: "2" }]);
    const old = await site.get("/api/profiles?userId=ada");
    expect(old.id).not.toBe(id);
    await ingest(site, [{ type: "identify", anonymousId: "phone", userId: "ada", messageId: "3" }]);
    for (const path of [old.id, id, "?userId=ada"]) {
      const response = await site.send("GET", `/api/profiles${path.startsWith("?") ? path : `/${path}`}`);
      expect(response.headers.get("content-location")).toBe(`/api/profiles/${id}`);
      expect(await response.json<Json>()).toMatchObject({ id });
    }
    expect((await site.get(`/api/profiles/${old.id}/events`)).data).toHaveLength(3);
  });

  it("says what is allowed for each purpose, and since when", async () => {
    const site = await newSite({ consentDefault: "off" });
    const context = { consent: { categoryPreferences: { analytics: true, marketing: false } } };
    await ingest(site, [{ type: "page", anonymousId: "a", messageId: "1", context }]);
    expect((await site.get("/api/profiles?anonymousId=a")).consent).toEqual({
      necessary: { granted: true, at: null },
      analytics: { granted: true, at: expect.stringMatching(/Z$/) },
      personalization: { granted: false, at: null },
      marketing: { granted: false, at: expect.stringMatching(/Z$/) },
    });
  });

  it("is read by any kind of identifier, those of the site included", async () => {
    const site = await newSite();
    await storeAda(site);
    const { id } = await site.get("/api/profiles?userId=ada");
    expect(await site.get("/api/profiles?kind=email&value=ADA%40example.com")).toMatchObject({ id });
    const own = await newSite({ identity: { kinds: [...KINDS, { kind: "card", limit: 2 }] } });
    const externalIds = [{ id: "C-7", type: "card" }];
    await ingest(own, [{ type: "identify", userId: "ben", messageId: "1", context: { externalIds } }]);
    const ben = await own.get("/api/profiles?kind=card&value=C-7");
    expect(ben.identifiers).toContainEqual({ kind: "card", value: "C-7", firstSeen: expect.any(String) });
    const { data } = await own.get(`/api/profiles/${ben.id}/links`);
    expect(data).toMatchObject([{ a: { kind: "userId" }, b: { kind: "card" } }]);
    await problemOf(own.send("GET", "/api/profiles?kind=card&value=C-8"), "not-found");
    const problem = await problemOf(site.send("GET", "/api/profiles?kind=loyaltyId&value=7"), "invalid-request");
    expect(problem.detail).toContain("userId, email, phone, anonymousId");
  });

  it("says where each trait comes from when asked", async () => {
    const site = await newSite();
    await storeAda(site);
    const { traitSources } = await site.get("/api/profiles?userId=ada&provenance=1");
    expect(traitSources.plan).toEqual({
      identifier: { kind: "userId", value: "ada" },
      source: expect.any(String),
      at: expect.stringMatching(/Z$/),
    });
  });

  it("lists its events, the newest first, page by page", async () => {
    const site = await newSite();
    await storeAda(site);
    const { id } = await site.get("/api/profiles?userId=ada");
    const events = await readPages(site, `/api/profiles/${id}/events?limit=3`);
    const ids = events.map(({ messageId }) => messageId);
    expect(ids).toEqual(["id-1", "view-1", "view-2", "view-3"]);
    const { data } = await site.get(`/api/profiles/${id}/events`);
    expect(data[1]).toMatchObject({
      type: "track",
      event: "Product Viewed",
      properties: { n: 1 },
      timestamp: expect.stringMatching(/Z$/),
    });
  });

  it("lists events by cursors that name nobody, however long the names in them are", async () => {
    const site = await newSite();
    const userId = "secret".padEnd(256, "語");
    const messages = [1, 2, 3].map((n) => ({ type: "page", userId, messageId: `${n}`.padEnd(256, "語") }));
    await ingest(site, messages);
    const { id } = await site.get(`/api/profiles?userId=${encodeURIComponent(userId)}`);
    expect(await readPages(site, `/api/profiles/${id}/events?limit=1`)).toHaveLength(3);
    const { next } = await site.get(`/api/profiles/${id}/events?limit=1`);
    expect(atob(next.replaceAll("-", "+").replaceAll("_", "/"))).not.toContain("secret");
  });

  it("lists events exactly once where its identifiers sent the same message at the same time", async () => {
    const site = await newSite();
    const timestamp = new Date(Date.now() - 60_000).toISOString();
    const devices = ["laptop", "phone", "tablet"];
    const sign = (anonymousId: string) => ({ type: "identify", anonymousId, userId: "ada", messageId: anonymousId });
    const view = (anonymousId: string) => ({ type: "page", name: "Home", anonymousId, messageId: "m", timestamp });
    await ingest(site, [...devices.map(view), ...devices.map(sign)]);
    const { id } = await site.get("/api/profiles?userId=ada");
    const pages = await readPages(site, `/api/profiles/${id}/events?type=page&limit=1`);
    expect(pages.map(({ messageId, identifier }: Json) => [messageId, identifier.value]).sort()).toEqual(
      devices.map((device) => ["m", device]),
    );
  });

  it("lists the events of 60 identifiers in one page", async () => {
    const site = await newSite();
    const messages = Array.from({ length: 48 }, (_, n) => [
      { type: "identify", anonymousId: `d${n}`, userId: "ada", messageId: `i${n}` },
      { type: "track", event: "Seen", anonymousId: `d${n}`, messageId: `e${n}`, timestamp: Date.now() - n * 1_000 },
    ]);
    await ingest(site, messages.flat());
    const { id } = await site.get("/api/profiles?userId=ada");
    const { data, next } = await site.get(`/api/profiles/${id}/events?event=Seen&limit=48`);
    expect(data.map(({ messageId }: Json) => messageId)).toEqual(messages.map((_, n) => `e${n}`));
    expect(next).toBe(null);
  });

  it("lists events of a type, of a name, of a time", async () => {
    const site = await newSite();
    await storeAda(site);
    const { id } = await site.get("/api/profiles?userId=ada");
    const messageIds = async (query: string) =>
      (await site.get(`/api/profiles/${id}/events?${query}`)).data.map(({ messageId }: Json) => messageId);
    const [, , { timestamp }] = (await site.get(`/api/profiles/${id}/events`)).data;
    expect(await messageIds("type=identify")).toEqual(["id-1"]);
    expect(await messageIds("event=Product+Viewed&limit=2")).toEqual(["view-1", "view-2"]);
    expect(await messageIds("event=Nothing")).toEqual([]);
    expect(await messageIds(`from=${timestamp}`)).toEqual(["id-1", "view-1", "view-2"]);
    expect(await messageIds(`to=${Date.parse(timestamp)}`)).toEqual(["view-3"]);
  });

  it("says of each event who sent it and which identifier it stays with", async () => {
    const site = await newSite();
    await storeAda(site);
    const { id } = await site.get("/api/profiles?userId=ada");
    const { data } = await site.get(`/api/profiles/${id}/events`);
    expect(data.map(({ source, identifier }: Json) => [source, identifier.kind, identifier.value])).toEqual([
      ["server", "userId", "ada"],
      ["server", "anonymousId", "anon-1"],
      ["server", "anonymousId", "anon-1"],
      ["server", "anonymousId", "anon-1"],
    ]);
  });

  it("of another site is never found", async () => {
    const [one, two] = await Promise.all([newSite(), newSite()]);
    await storeAda(one);
    const { id } = await one.get("/api/profiles?userId=ada");
    await problemOf(two.send("GET", `/api/profiles/${id}`), "not-found");
    await problemOf(two.send("GET", `/api/profiles/${id}/events`), "not-found");
    await problemOf(two.send("GET", "/api/profiles?userId=ada"), "not-found");
  });

  it.each([
    ["", "invalid-request"],
    ["?userId=a&email=b@c.example", "invalid-request"],
    ["?kind=email", "invalid-request"],
    ["?value=a", "invalid-request"],
    ["?kind=email&value=b@c.example&userId=a", "invalid-request"],
    ["?kind=email&value=nonsense", "invalid-request"],
    ["?email=nonsense", "invalid-request"],
    ["?phone=12", "invalid-request"],
    ["?name=ada", "invalid-request"],
    ["?userId=a&userId=b", "invalid-request"],
    ["?userId=nobody", "not-found"],
    ["/nobody", "not-found"],
    ["/nobody/events", "not-found"],
    ["/nobody?provenance=yes", "invalid-request"],
    ["/nobody/events?type=click", "invalid-request"],
    ["/nobody/events?from=yesterday", "invalid-request"],
    ["/nobody/events?cursor=WzEsIm0iXQ", "invalid-request"],
  ])("asked for as /api/profiles%s is %s", async (query, slug) => {
    const site = await newSite();
    await problemOf(site.send("GET", `/api/profiles${query}`), slug);
  });
});

describe("e-mail tokens", () => {
  it("come in the order of the recipients, hold no address, and open each one's block", async () => {
    const site = await newSite();
    await storeAda(site);
    const template = "Hi {{ customer.plan | default: 'stranger' }}";
    await site.post("/api/blocks", { key: "hero", slot: "hero", variants: [{ key: "a", template }] });
    await site.post("/api/blocks/hero/publish");
    const recipients = [{ email: "new@example.com" }, { userId: "ada" }];
    const tokens = await site.post<{ token: string }[]>("/api/email/tokens", { send: "spring", recipients });
    expect(tokens).toHaveLength(2);
    for (const { token } of tokens)
      expect(atob(token.split(".")[0]!.replace(/-/g, "+").replace(/_/g, "/"))).not.toMatch(/@|\bada\b/);
    const shown = await Promise.all(
      tokens.map(async ({ token }) => (await exports.default.fetch(`https://edge.example/e/${token}/hero`)).text()),
    );
    expect(shown).toEqual(["Hi stranger", "Hi pro"]);
    const { results } = await env.DB.prepare("SELECT * FROM profiles WHERE site_id = ?1").bind(site.siteId).all();
    expect(results).toHaveLength(1);
  });

  it.each([
    [{ send: "s", recipients: [] }, "/recipients"],
    [{ recipients: [{ userId: "a" }] }, "/send"],
  ])("are refused for %j", async (body, pointer) => {
    const site = await newSite();
    const problem = await problemOf(site.send("POST", "/api/email/tokens", body), "invalid-request");
    expect(problem.errors?.map((error) => error.pointer)).toContain(pointer);
  });
});
