import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { type Client, ingest, type Json, newSite, problemOf, readPages } from "./client.ts";

const identify = (anonymousId: string, userId: string | null, traits: object = {}) => ({
  type: "identify",
  anonymousId,
  ...(userId && { userId }),
  traits,
  messageId: crypto.randomUUID(),
});

const SHOP = "https://shop.example";

async function idOf(site: Client, query: string): Promise<string> {
  return (await site.get(`/api/profiles?${query}`)).id;
}

describe("conflicts", () => {
  it("say which limit stood against a link, and who stands on both sides now", async () => {
    const site = await newSite();
    await ingest(site, [identify("kiosk", "ada"), identify("kiosk", "ben")]);
    const [ada, ben] = [await idOf(site, "userId=ada"), await idOf(site, "userId=ben")];
    const conflict = {
      id: expect.any(String),
      a: { kind: "userId", value: "ben", profile: ben },
      b: { kind: "anonymousId", value: "kiosk", profile: ada },
      evidence: "identify",
      reason: expect.stringContaining("at most 1 of kind userId"),
      possible: false,
      actor: "server",
      at: expect.stringMatching(/Z$/),
      messageId: expect.any(String),
    };
    expect(await site.get("/api/conflicts")).toEqual({ data: [conflict], next: null });
    expect(await site.get(`/api/profiles/${ada}/conflicts`)).toEqual({ data: [conflict], next: null });
    expect(await site.get(`/api/profiles/${ben}/conflicts`)).toEqual({ data: [conflict], next: null });
  });

  it("that nothing stands against any more could be links by hand", async () => {
    const site = await newSite({ origins: [SHOP] });
    await ingest(site, [identify("laptop", "ada", { email: "ada@shop.example" })]);
    await ingest(site, [identify("phone", null, { email: "ada@shop.example" })], SHOP);
    const before = await site.get("/api/conflicts");
    expect(before.data).toMatchObject([{ b: { kind: "email", value: "ada@shop.example" }, possible: true }]);
    await ingest(site, [identify("phone", "ada")], SHOP);
    const { data } = await site.get("/api/conflicts");
    expect(data).toMatchObject([{ possible: false }]);
    expect(data[0].a.profile).toBe(data[0].b.profile);
  });

  it("of an address that nobody has yet can be links by hand once the limit allows", async () => {
    const kinds = (emails: number) => [
      { kind: "userId", limit: 1 },
      { kind: "email", limit: emails },
      { kind: "anonymousId", limit: 50 },
    ];
    const site = await newSite({ identity: { kinds: kinds(1) } });
    await ingest(site, [identify("d", "ada", { email: "one@shop.example" })]);
    await ingest(site, [identify("d", "ada", { email: "two@shop.example" })]);
    const { data } = await site.get("/api/conflicts");
    expect(data).toMatchObject([{ b: { value: "two@shop.example", profile: null }, possible: false }]);
    const link = { a: { kind: "userId", value: "ada" }, b: { kind: "email", value: "two@shop.example" } };
    await problemOf(site.send("POST", "/api/links", link), "conflict");
    const change = { identity: { kinds: kinds(2) } };
    expect((await site.send("PATCH", `/api/sites/${site.siteId}`, change)).status).toBe(200);
    expect((await site.get("/api/conflicts")).data).toMatchObject([{ possible: true }]);
    const preview = await site.post("/api/links/preview", link);
    expect(preview).toMatchObject({ done: false, conflicts: { solved: [{}] } });
    await site.post("/api/links", link);
    expect(await idOf(site, "email=two@shop.example")).toBe(await idOf(site, "userId=ada"));
    expect((await site.get("/api/conflicts")).data).toEqual([]);
    const unheard = { ...link, b: { kind: "email", value: "three@shop.example" } };
    await problemOf(site.send("POST", "/api/links", unheard), "not-found");
  });

  it("with a limit within a window are possible when the window has gone by", async () => {
    const kinds = [
      { kind: "userId", limit: 1 },
      { kind: "anonymousId", limit: 1, window: "day" },
    ];
    const site = await newSite({ identity: { kinds } });
    await ingest(site, [identify("one", "ada")]);
    await ingest(site, [identify("three", "ada")]);
    const third = async () => (await site.get("/api/conflicts")).data.find(({ b }: Json) => b.value === "three");
    expect(await third()).toMatchObject({ reason: expect.stringContaining("day"), possible: false });
    await ingest(site, [{ type: "page", anonymousId: "three", messageId: "2" }]);
    expect(await third()).toMatchObject({ possible: false });
    await env.DB.prepare("UPDATE links SET at = at - 90000000 WHERE site_id = ?1").bind(site.siteId).run();
    expect(await third()).toMatchObject({ possible: true });
  });

  it("of somebody who does not exist have no profile there", async () => {
    const site = await newSite();
    const addresses = Array.from({ length: 6 }, (_, n) => identify("d", "ada", { email: `ada${n}@shop.example` }));
    await ingest(site, addresses);
    const { data } = await site.get("/api/conflicts");
    expect(data).toMatchObject([{ b: { kind: "email", value: "ada5@shop.example", profile: null }, possible: false }]);
  });

  it("of a site come page by page, the newest first, each once", async () => {
    const site = await newSite();
    const users = Array.from({ length: 9 }, (_, n) => `u${n}`);
    await ingest(site, [identify("kiosk", "first"), ...users.slice(0, 5).map((user) => identify("kiosk", user))]);
    await ingest(
      site,
      users.slice(5).map((user) => identify("kiosk", user)),
    );
    const rows = await readPages(site, "/api/conflicts?limit=2");
    expect(rows.map(({ a }) => a.value).sort()).toEqual(users);
    expect(
      rows
        .slice(0, 4)
        .map(({ a }: Json) => a.value)
        .sort(),
    ).toEqual(users.slice(5));
    const kiosk = await idOf(site, "anonymousId=kiosk");
    expect(await readPages(site, `/api/profiles/${kiosk}/conflicts?limit=2`)).toEqual(rows);
  });

  it.each([
    ["/api/profiles/nobody/conflicts", "not-found"],
    ["/api/conflicts?cursor=nonsense", "invalid-request"],
    ["/api/conflicts?limit=201", "invalid-request"],
  ])("asked for as %s are %s", async (path, slug) => {
    const site = await newSite();
    await problemOf(site.send("GET", path), slug);
  });

  it("of another site are never told", async () => {
    const [one, two] = await Promise.all([newSite(), newSite()]);
    await ingest(one, [identify("kiosk", "ada"), identify("kiosk", "ben")]);
    expect(await two.get("/api/conflicts")).toEqual({ data: [], next: null });
  });
});
