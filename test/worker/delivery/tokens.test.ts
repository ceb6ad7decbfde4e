/** Tokens stand in for a reading as long as they may, and not a moment longer. */
import { beforeEach, describe, expect, it } from "vitest";
import type { Env } from "../../../edge/env.ts";
import { forget, recallSite } from "../../../edge/manifest/memory.ts";
import { isTokenRevoked, revokeTokens } from "../../../edge/manifest/revoked.ts";
import { type ProfileToken, signToken, verifyToken } from "../../../edge/tokens.ts";
import type { DecideAnswer } from "../../../shared/wire.ts";
import { type Client, newSite } from "../api/client.ts";
import { bindings, createSite, type TestSite, track } from "../site.ts";
import { ask, counting } from "./worker.ts";

const OLD = "old-secret-0123456789abcdef0123456789abcdef";
const NEW = "new-secret-0123456789abcdef0123456789abcdef";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const BUYERS = { key: "buyers", condition: { event: "Bought" } };
const HERO = {
  slot: "hero",
  variants: [{ key: "buyer", audience: { segment: "buyers" }, template: "Again?" }],
  fallback: "Hello",
};

const { env, counted } = counting();

async function decide(site: { writeKey: string }, body: object, on: Env = env): Promise<DecideAnswer> {
  const init = { method: "POST", body: JSON.stringify({ writeKey: site.writeKey, slots: ["hero"], ...body }) };
  return (await ask(on, "/v1/decide", init)).json();
}

/** What a request costs. */
async function cost(call: () => Promise<unknown>): Promise<{ statements: number; gets: number }> {
  const before = { ...counted, gets: counted.gets.length };
  await call();
  return { statements: counted.statements - before.statements, gets: counted.gets.length - before.gets };
}

describe("a visitor's token", () => {
  let site: TestSite;
  let token: string;
  let said: ProfileToken;
  const anonymousId = "a";
  beforeEach(async () => {
    forget();
    site = await createSite({ segments: [BUYERS], blocks: [HERO] });
    const answer = await decide(site, { anonymousId, events: [track("Bought", {}, { anonymousId })] });
    token = answer.token!;
    said = (await verifyToken(bindings, "profile", token))!;
  });
  const statementsWith = async (change: Partial<ProfileToken>, on = env) => {
    const other = await signToken(on, "profile", { ...said, ...change });
    const { statements } = await cost(async () => {
      expect((await decide(site, { anonymousId, token: other }, on)).slots["hero"]!.html).toBe("Again?");
    });
    return statements;
  };

  it("stands in for five minutes, by clocks that are no more apart than that", async () => {
    const now = Date.now();
    expect(await statementsWith({})).toBe(0);
    for (const issuedAt of [now - 4 * MINUTE, now + MINUTE])
      expect(await statementsWith({ issuedAt }), `${issuedAt}`).toBe(0);
    for (const issuedAt of [now - 6 * MINUTE, now - 25 * HOUR, now + 6 * MINUTE])
      expect(await statementsWith({ issuedAt }), `${issuedAt}`).toBeGreaterThan(0);
    expect(await statementsWith({ wakesAt: now - 1 })).toBeGreaterThan(0);
    expect(await statementsWith({ manifestVersion: said.manifestVersion - 1 })).toBeGreaterThan(0);
  });

  it("is believed through a change of the secret, until the secret before is gone, too", async () => {
    const asks = (secrets: Partial<Env>, sent: string) =>
      cost(() => decide(site, { anonymousId, token: sent }, { ...env, ...secrets }));
    const old = await signToken({ ATTUNE_SECRET: OLD }, "profile", said);
    expect(await asks({ ATTUNE_SECRET: OLD }, old)).toEqual({ statements: 0, gets: 0 });
    const rotated = { ATTUNE_SECRET: NEW, ATTUNE_SECRET_PREVIOUS: OLD };
    expect(await asks(rotated, old)).toEqual({ statements: 0, gets: 0 });
    expect((await asks({ ATTUNE_SECRET: NEW }, old)).statements).toBeGreaterThan(0);
    const { token: next } = await decide(site, { anonymousId }, { ...env, ...rotated });
    expect(await verifyToken({ ATTUNE_SECRET: NEW }, "profile", next!)).toMatchObject({ profileId: said.profileId });
    expect(await verifyToken({ ATTUNE_SECRET: OLD }, "profile", next!)).toBeNull();
  });

  it("is void at once where it is revoked, elsewhere as the site is looked up again, and such as follow soon, too", async () => {
    await revokeTokens(bindings, site.id, [said.profileId, "p_other"], Date.now());
    expect(await statementsWith({})).toBeGreaterThan(0);
    expect(await statementsWith({ issuedAt: Date.now() + MINUTE })).toBeGreaterThan(0);
    expect(await statementsWith({ issuedAt: Date.now() + 3 * MINUTE })).toBe(0);
    forget();
    expect((await statementsWith({})) - (await statementsWith({ profileId: "p_free" }))).toBeGreaterThan(0);
    // Looking costs nothing.
    expect(await cost(() => decide(site, { anonymousId, token }))).toMatchObject({ gets: 0 });
  });

  it("is void in an isolate that nobody asked for long", async () => {
    expect(await statementsWith({})).toBe(0);
    await bindings.KV.put(`revoked:${site.id}`, JSON.stringify({ [said.profileId]: Date.now() }));
    recallSite(site.id)!.at = Date.now() - MINUTE;
    expect(await statementsWith({})).toBeGreaterThan(0);
  });

  it("is void for everybody once more are revoked than a list holds, and for nobody after its life", async () => {
    const ids = Array.from({ length: 1_001 }, (_, n) => `p_${n}`);
    await revokeTokens(bindings, site.id, ids, Date.now());
    forget();
    expect(await statementsWith({})).toBeGreaterThan(0);
    expect(isTokenRevoked(site.id, "p_anybody", Date.now())).toBe(true);
    await revokeTokens(bindings, site.id, ["p_later"], Date.now() + 25 * HOUR);
    expect(await site.rows("SELECT profile_id FROM revocations WHERE site_id = ?1")).toEqual([
      { profile_id: "p_later" },
    ]);
  });

  it("is void where KV does not take the list, from D1 where KV does not give it", async () => {
    const { env: refusing } = counting((key) => key.startsWith("revoked:"));
    await revokeTokens(refusing, site.id, [said.profileId], Date.now());
    expect(await statementsWith({})).toBeGreaterThan(0);
    forget();
    const KV = { get: () => Promise.reject(new Error("KV is down")) } as unknown as KVNamespace;
    await decide(site, { anonymousId, token }, { ...env, KV });
    expect(isTokenRevoked(site.id, said.profileId, Date.now())).toBe(true);
  }, 10_000);

  it("proves nothing once the person is erased", async () => {
    const api = await ownSite();
    const first = await decide(api, { anonymousId, events: [track("Bought", {}, { anonymousId })] });
    expect(first.segments).toEqual({ buyers: null });
    expect((await api.send("DELETE", `/api/profiles?anonymousId=${anonymousId}`)).status).toBe(200);
    expect(await decide(api, { anonymousId, token: first.token })).toMatchObject({ segments: {}, token: null });
    forget();
    expect(await decide(api, { anonymousId, token: first.token })).toMatchObject({ segments: {}, token: null });
  });
});

async function ownSite(): Promise<Client> {
  const api = await newSite();
  await api.post("/api/segments", { ...BUYERS, name: "Buyers", status: "active" });
  return api;
}

describe("a recipient's token", () => {
  it("opens what is the named person's, whatever was united with them for a time, and so does a visitor's", async () => {
    const api = await ownSite();
    const block = await api.post("/api/blocks", { key: "hero", ...HERO });
    await api.post(`/api/blocks/${block.key}/publish`);
    const at = (anonymousId: string) => ({ anonymousId, timestamp: new Date().toISOString() });
    await decide(api, { ...at("elder"), events: [track("Bought", {}, at("elder"))] });
    const apart = await decide(api, { ...at("younger"), events: [track("Seen", {}, at("younger"))] });
    const segmentsOf = async (token: string | null) =>
      Object.keys((await decide(api, { anonymousId: "younger", token })).segments);
    expect(await segmentsOf(apart.token)).toEqual([]);
    const ids = { a: { kind: "anonymousId", value: "elder" }, b: { kind: "anonymousId", value: "younger" } };
    await api.post("/api/links", ids);
    // No token tells any more who they were before.
    expect(await segmentsOf(apart.token)).toEqual(["buyers"]);
    const united = await decide(api, { anonymousId: "younger" });
    const tokenOf = async (send: string) => {
      const [{ token }] = await api.post("/api/email/tokens", { send, recipients: [{ anonymousId: "younger" }] });
      return token;
    };
    const [spring, autumn] = [await tokenOf("spring"), await tokenOf("autumn")];
    const html = async (token: string) => (await ask(env, `/e/${token}/hero`)).text();
    expect(await html(spring)).toBe("Again?");
    const { id } = await api.get("/api/profiles?anonymousId=elder");
    const { data } = await api.get(`/api/profiles/${id}/links`);
    expect((await api.send("DELETE", `/api/links/${data[0].id}`)).status).toBe(200);
    expect(await html(autumn)).toBe("Hello");
    // What a send has given stays what it is, until the person is erased.
    expect(await html(spring)).toBe("Again?");
    expect(await segmentsOf(united.token)).toEqual([]);
    await api.send("DELETE", "/api/profiles?anonymousId=younger");
    expect(await html(spring)).toBe("Hello");
  });
});
