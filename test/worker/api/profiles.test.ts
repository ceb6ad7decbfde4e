import { env } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { type Client, ingest, type Json, newSite, problemOf, VIEWED_TWICE } from "./client.ts";

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
    const ids: string[] = [];
    let path: string | null = `/api/profiles/${id}/events?limit=3`;
    while (path) {
      const page: Json = await site.get(path);
      ids.push(...page.data.map(({ messageId }: Json) => messageId));
      path = page.next && `/api/profiles/${id}/events?limit=3&cursor=${page.next}`;
    }
    expect(ids).toEqual(["id-1", "view-1", "view-2", "view-3"]);
    const { data } = await site.get(`/api/profiles/${id}/events`);
    expect(data[1]).toMatchObject({
      type: "track",
      event: "Product Viewed",
      properties: { n: 1 },
      timestamp: expect.stringMatching(/Z$/),
    });
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
    ["?email=nonsense", "invalid-request"],
    ["?phone=12", "invalid-request"],
    ["?name=ada", "invalid-request"],
    ["?userId=a&userId=b", "invalid-request"],
    ["?userId=nobody", "not-found"],
    ["/nobody", "not-found"],
    ["/nobody/events", "not-found"],
    ["/nobody?provenance=yes", "invalid-request"],
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
      expect(atob(token.split(".")[0]!.replace(/-/g, "+").replace(/_/g, "/"))).not.toMatch(/@|ada/);
    const shown = await Promise.all(
      tokens.map(async ({ token }) => (await exports.default.fetch(`https://edge.example/e/${token}/hero`)).text()),
    );
    expect(shown).toEqual(["Hi stranger", "Hi pro"]);
    const { results } = await env.DB.prepare("SELECT * FROM profiles WHERE site_id = ?1").bind(site.siteId).all();
    expect(results).toHaveLength(1);
  });

  it.each([
    [{ send: "s", recipients: [] }, "/recipients"],
    [{ send: "s", recipients: [{}] }, "/recipients/0"],
    [{ send: "s", recipients: [{ userId: "a", email: "b@c.example" }] }, "/recipients/0"],
    [{ send: "s", recipients: [{ userId: "a" }, { email: "nonsense" }] }, "/recipients/1/email"],
    [{ send: "s", recipients: [{ name: "a" }] }, "/recipients/0/name"],
    [{ recipients: [{ userId: "a" }] }, "/send"],
  ])("are refused for %j", async (body, pointer) => {
    const site = await newSite();
    const problem = await problemOf(site.send("POST", "/api/email/tokens", body), "invalid-request");
    expect(problem.errors?.map((error) => error.pointer)).toContain(pointer);
  });
});
