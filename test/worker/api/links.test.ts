import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { type Client, ingest, type Json, newSite, problemOf, readPages } from "./client.ts";

const identify = (anonymousId: string, userId: string, more: object = {}) => ({
  type: "identify",
  anonymousId,
  userId,
  messageId: `${anonymousId}-${userId}`,
  ...more,
});

async function profileOf(site: Client, query: string): Promise<Json> {
  return site.get(`/api/profiles?${query}`);
}

const pairOf = ({ a, b }: Json) => [`${a.kind}:${a.value}`, `${b.kind}:${b.value}`];

describe("the links of a profile", () => {
  it("say which identifiers make it, by what evidence, who said so and in which message", async () => {
    const site = await newSite();
    await ingest(site, [
      identify("laptop", "ada", { traits: { email: "ada@shop.example" } }),
      identify("phone", "ada"),
    ]);
    const { id } = await profileOf(site, "userId=ada");
    const { data, next } = await site.get(`/api/profiles/${id}/links`);
    expect(next).toBe(null);
    expect(data).toHaveLength(3);
    expect(data.map(pairOf)).toEqual(
      expect.arrayContaining([
        ["userId:ada", "anonymousId:laptop"],
        ["userId:ada", "anonymousId:phone"],
        ["userId:ada", "email:ada@shop.example"],
      ]),
    );
    expect(data.find((link: Json) => link.b.value === "phone")).toEqual({
      id: expect.any(String),
      a: { kind: "userId", value: "ada" },
      b: { kind: "anonymousId", value: "phone" },
      evidence: "identify",
      actor: "server",
      at: expect.stringMatching(/Z$/),
      messageId: "phone-ada",
    });
  });

  it("come page by page, each once, whatever their times", async () => {
    const site = await newSite();
    const devices = Array.from({ length: 12 }, (_, n) => `d${n}`);
    await ingest(
      site,
      devices.map((device) => identify(device, "ada")),
    );
    const { id } = await profileOf(site, "userId=ada");
    const links = await readPages(site, `/api/profiles/${id}/links?limit=5`);
    expect(links.map(({ b }) => b.value).sort()).toEqual(devices.sort());
  });

  it("that were removed are told when asked for", async () => {
    const site = await newSite();
    await ingest(site, [identify("laptop", "ada")]);
    await env.DB.prepare("UPDATE links SET removed_at = ?2 WHERE site_id = ?1").bind(site.siteId, Date.now()).run();
    const { id } = await profileOf(site, "userId=ada");
    expect(await site.get(`/api/profiles/${id}/links`)).toEqual({ data: [], next: null });
    const { data } = await site.get(`/api/profiles/${id}/links?removed=1`);
    expect(data).toMatchObject([{ evidence: "identify", removedAt: expect.stringMatching(/Z$/) }]);
  });

  it.each([
    ["/nobody/links", "not-found"],
    ["/nobody/links?removed=yes", "invalid-request"],
    ["/nobody/links?cursor=e30", "invalid-request"],
    ["/nobody/links?limit=0", "invalid-request"],
  ])("asked for as %s are %s", async (path, slug) => {
    const site = await newSite();
    await problemOf(site.send("GET", `/api/profiles${path}`), slug);
  });

  it("of another site are never found", async () => {
    const [one, two] = await Promise.all([newSite(), newSite()]);
    await ingest(one, [identify("laptop", "ada")]);
    const { id } = await profileOf(one, "userId=ada");
    await problemOf(two.send("GET", `/api/profiles/${id}/links`), "not-found");
  });
});
