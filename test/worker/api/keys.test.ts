import { env } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { ADMIN, newSite, problemOf, send } from "./client.ts";

describe("keys", () => {
  it("are created, listed without their secret, and revoked", async () => {
    const site = await newSite();
    const { key, id } = await site.post("/api/keys", { kind: "secret", label: "CRM" });
    expect((await send(key, "GET", "/api/sites")).status).toBe(200);
    const list = await site.get("/api/keys");
    expect(list.data.map(({ kind, label }: { kind: string; label: string }) => `${kind}: ${label}`).sort()).toEqual([
      "secret: CRM",
      "secret: First secret key",
      "write: First write key",
    ]);
    expect(JSON.stringify(list)).not.toContain(key);
    const hints = list.data.map(({ hint }: { hint: string }) => hint).sort();
    expect(hints).toEqual([key.slice(-4), site.writeKey, site.secretKey.slice(-4)].sort());
    const revoked = await site.send("DELETE", `/api/keys/${id}`);
    expect(await revoked.json()).toMatchObject({ id, revokedAt: expect.any(String) });
    await problemOf(send(key, "GET", "/api/sites"), "unauthorized");
  });

  it("of the kind write open the public plane until they are revoked", async () => {
    const site = await newSite();
    const { key, id } = await site.post("/api/keys", { kind: "write", label: "Blog" });
    const read = () => exports.default.fetch(`https://edge.example/v1/manifest/${key}`);
    expect((await read()).status).toBe(200);
    await site.send("DELETE", `/api/keys/${id}`);
    expect((await read()).status).toBe(401);
    expect(JSON.stringify((await env.KV.list()).keys)).not.toContain(key);
  });

  it("are made by the administrator for a site that is named", async () => {
    const site = await newSite();
    const response = await send(ADMIN, "POST", "/api/keys", { kind: "secret", label: "x", siteId: site.siteId });
    const { key } = await response.json<{ key: string }>();
    expect(await (await send(key, "GET", "/api/sites")).json()).toMatchObject({ data: [{ id: site.siteId }] });
    await problemOf(send(ADMIN, "POST", "/api/keys", { kind: "secret", siteId: "nope" }), "not-found");
    await problemOf(send(ADMIN, "POST", "/api/keys", { kind: "secret" }), "forbidden");
  });

  it("of another site cannot be seen, made or revoked", async () => {
    const [one, two] = await Promise.all([newSite(), newSite()]);
    const { id } = await one.post("/api/keys", { kind: "write", label: "mine" });
    expect(JSON.stringify(await two.get("/api/keys"))).not.toContain(id);
    await problemOf(two.send("DELETE", `/api/keys/${id}`), "not-found");
    await problemOf(two.send("POST", "/api/keys", { kind: "secret", siteId: one.siteId }), "not-found");
  });

  it.each<[string, string | null]>([
    ["none", null],
    ["an unknown one", "sk_0123456789abcdefghij0123456789ab"],
    ["a write key", "pk_abc"],
    ["an empty one", ""],
    ["a very long one", `sk_${"a".repeat(5_000)}`],
    ["SQL", "sk_'/**/OR/**/1=1--"],
  ])("are needed: %s is unauthorized", async (_name, token) => {
    const response = send(token, "GET", "/api/segments");
    const problem = await problemOf(response, "unauthorized");
    expect((await response).headers.get("www-authenticate")).toBe("Bearer");
    if (token) expect(JSON.stringify(problem)).not.toContain(token);
  });

  it("of the kind write do not open the developer API", async () => {
    const site = await newSite();
    const problem = await problemOf(send(site.writeKey, "GET", "/api/segments"), "unauthorized");
    expect(problem.detail).toMatch(/^This is a write key/);
  });

  it("of a site are needed for what belongs to a site: the administrator's token is not one", async () => {
    await problemOf(send(ADMIN, "GET", "/api/segments"), "forbidden");
  });
});
