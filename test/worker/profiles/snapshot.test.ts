/** Snapshots in KV: written when what is decided changes, never believed for longer than it holds, and D1 is the truth. */
import { env as test } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import type { Env } from "../../../edge/env.ts";
import { forget } from "../../../edge/manifest/memory.ts";
import { readSite } from "../../../edge/manifest/read.ts";
import { revokeTokens } from "../../../edge/manifest/revoked.ts";
import { forgetPeople } from "../../../edge/profiles/memory.ts";
import {
  isOutdated,
  readSnapshot,
  type Snapshot,
  snapshotKey,
  spreadWaiting,
} from "../../../edge/profiles/snapshot.ts";
import { wakeDueProfiles } from "../../../edge/profiles/wake.ts";
import { type ProfileToken, signToken, verifyToken } from "../../../edge/tokens.ts";
import type { DecideAnswer } from "../../../shared/wire.ts";
import { ingest, newSite } from "../api/client.ts";
import { ask, counting } from "../delivery/worker.ts";
import { bindings, createSite, type TestSite, track } from "../site.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const plenty = () => ({ deadline: Infinity, statements: Infinity });
const SEGMENTS = [
  { key: "buyers", condition: { event: "Bought" } },
  { key: "recent", condition: { event: "Viewed", within: "1h" } },
  { key: "rich", condition: { trait: "plan", eq: "gold" }, visibility: "private" as const },
];
const BLOCKS = [
  {
    slot: "hero",
    variants: [{ key: "buyer", audience: { segment: "buyers" }, template: "Again?" }],
    fallback: "Hello",
  },
  {
    slot: "named",
    variants: [{ key: "rich", audience: { segment: "rich" }, template: "Dear {{ customer.name }}" }],
    fallback: "Hello",
  },
];

const { env, counted } = counting();
const anonymousId = "secret-device";

let site: TestSite;
beforeEach(async () => {
  forget();
  site = await createSite({ segments: SEGMENTS, blocks: BLOCKS, settings: { snapshots: true } });
});

const send = async (messages: object[], on: Env = env) => {
  const response = await ask(on, "/v1/batch", {
    method: "POST",
    body: JSON.stringify({ writeKey: site.writeKey, batch: messages }),
  });
  expect(await response.json()).toMatchObject({ rejected: [] });
};
const said = (event: string, more: object = {}) => track(event, { page: "secret-page" }, { anonymousId, ...more });
const decide = async (body: object, on: Env = env): Promise<DecideAnswer> => {
  const asked = { writeKey: site.writeKey, anonymousId, slots: ["hero"], ...body };
  return (await ask(on, "/v1/decide", { method: "POST", body: JSON.stringify(asked) })).json();
};
const profileIdOf = async (id = anonymousId) =>
  (
    await site.rows<{ id: string }>(
      "SELECT profile_id AS id FROM identifiers WHERE site_id = ?1 AND identifier = ?2",
      `anonymousId:${id}`,
    )
  )[0]!.id;
const snapshotOf = async (profileId: string) =>
  test.KV.get<Snapshot>(snapshotKey(site.id, profileId), { type: "json" });
const marks = () => site.rows("SELECT profile_id FROM stale_snapshots WHERE site_id = ?1");
/** How many snapshots a request writes. */
const writes = async (call: () => Promise<unknown>) => {
  const before = counted.puts.length;
  await call();
  return counted.puts.slice(before).filter((key) => key.startsWith("snapshot:")).length;
};

describe("a snapshot", () => {
  it("is written when memberships, their end or consent change, and for nothing else", async () => {
    expect(await writes(() => send([said("Seen")]))).toBe(0);
    expect(await writes(() => send([said("Bought")]))).toBe(1);
    expect(await writes(() => send([said("Bought")]))).toBe(0);
    expect(await writes(() => send([said("Viewed")]))).toBe(1);
    // It holds for longer than it said: what it said still holds.
    expect(await writes(() => send([said("Viewed")]))).toBe(0);
    const consent = (marketing: boolean) => ({ context: { consent: { categoryPreferences: { marketing } } } });
    expect(await writes(() => send([said("Seen", consent(false))]))).toBe(1);
    expect(await writes(() => send([said("Seen", consent(false))]))).toBe(0);
    expect(await marks()).toEqual([]);
  });

  it("holds no trait, no identifier and no event", async () => {
    await send([
      said("Bought", { userId: "secret-user" }),
      { ...said("", { userId: "secret-user" }), type: "identify", traits: { plan: "gold", name: "secret-name" } },
    ]);
    const profileId = await profileIdOf();
    const snapshot = await snapshotOf(profileId);
    expect(snapshot).toEqual({
      ids: expect.arrayContaining([profileId]),
      stableId: expect.any(String),
      segments: { buyers: expect.any(Array), rich: expect.any(Array) },
      wakesAt: null,
      manifestVersion: expect.any(Number),
      at: expect.any(Number),
    });
    expect(JSON.stringify(snapshot)).not.toContain("secret");
  });

  it("is none where the site has not turned them on", async () => {
    site = await createSite({ segments: SEGMENTS, blocks: BLOCKS });
    expect(await writes(() => send([said("Bought")]))).toBe(0);
    expect(await marks()).toEqual([]);
    expect(await snapshotOf(await profileIdOf())).toBeNull();
  });

  it("is not believed of the time before they were turned off and on again", async () => {
    const owner = await newSite({ snapshots: true });
    const { siteId, writeKey } = owner;
    await owner.post("/api/segments", { key: "buyers", name: "B", condition: { event: "Bought" }, status: "active" });
    await ingest(owner, [said("Bought")]);
    const { id } = await owner.get(`/api/profiles?anonymousId=${anonymousId}`);
    const read = async () => readSnapshot(bindings, (await readSite(bindings, siteId, Date.now()))!, id, Date.now());
    expect((await read())?.segments).toHaveProperty("buyers");
    const turn = (snapshots: boolean) => owner.send("PATCH", `/api/sites/${siteId}`, { snapshots });
    expect((await turn(false)).status).toBe(200);
    const body = JSON.stringify({ writeKey, anonymousId, purposes: { personalization: false } });
    expect((await ask(env, "/v1/consent", { method: "POST", body })).status).toBe(200);
    expect((await turn(true)).status).toBe(200);
    expect(await read()).toBeNull();
  });

  it("goes with the profile that becomes part of another", async () => {
    await send([said("Bought", { anonymousId: "a" }), said("Bought", { anonymousId: "b" })]);
    const [a, b] = [await profileIdOf("a"), await profileIdOf("b")];
    expect([await snapshotOf(a), await snapshotOf(b)].every(Boolean)).toBe(true);
    for (const anonymousId of ["a", "b"]) await send([{ type: "identify", anonymousId, userId: "u" }]);
    expect((await snapshotOf(a))!.ids).toContain(a);
    expect(await snapshotOf(b)).toBeNull();
    // That it is the other device's now, too, changes nothing of what it says: it is read from D1 until something does.
    await send([said("Viewed", { anonymousId: "b" })]);
    expect((await snapshotOf(a))!.ids).toEqual(expect.arrayContaining([a, b]));
  });

  it("is written by the cron trigger where KV refuses, or the Worker dies, after the commit", async () => {
    const { env: refusing } = counting((key) => key.startsWith("snapshot:"));
    await send([said("Bought")], refusing);
    const profileId = await profileIdOf();
    expect(await snapshotOf(profileId)).toBeNull();
    expect(await marks()).toEqual([{ profile_id: profileId }]);
    await spreadWaiting(bindings, Date.now, plenty());
    expect(Object.keys((await snapshotOf(profileId))!.segments)).toEqual(["buyers"]);
    expect(await marks()).toEqual([]);
  }, 15_000);

  it("is not overwritten by an older one, whoever comes to KV last", async () => {
    await send([said("Bought")]);
    const profileId = await profileIdOf();
    let isFirst = true;
    const slow = {
      put: async (key: string, value: string, options: KVNamespacePutOptions) => {
        if (isFirst) {
          isFirst = false;
          await send([{ ...said(""), type: "identify", userId: "u", traits: { plan: "gold" } }], bindings);
        }
        return test.KV.put(key, value, options);
      },
      get: () => null,
      delete: (key: string) => test.KV.delete(key),
    } as unknown as KVNamespace;
    await send([said("Viewed")], { ...bindings, KV: slow });
    expect(isFirst).toBe(false);
    await spreadWaiting(bindings, Date.now, plenty());
    expect(Object.keys((await snapshotOf(profileId))!.segments).sort()).toEqual(["buyers", "recent", "rich"]);
  }, 15_000);

  it("of many who change at once is void with those of everybody", async () => {
    await send([said("Bought")]);
    const { token } = await decide({});
    const stale = await older(token!, 6 * MINUTE);
    expect((await statementsOf(() => decide({ token: stale }))).statements).toBe(0);
    const crowd = (count: number, name: string) =>
      Array.from({ length: count }, (_, n) => said("Bought", { anonymousId: `${name}${n}` }));
    expect(await writes(() => send(crowd(20, "few")))).toBe(20);
    expect((await statementsOf(() => decide({ token: stale }))).statements).toBe(0);
    expect(await writes(() => send(crowd(21, "many")))).toBe(0);
    expect((await statementsOf(() => decide({ token: stale }))).statements).toBeGreaterThan(0);
    expect(await marks()).toEqual([]);
  });
});

async function statementsOf(call: () => Promise<unknown>): Promise<{ statements: number; gets: string[] }> {
  const [statements, gets] = [counted.statements, counted.gets.length];
  await call();
  return { statements: counted.statements - statements, gets: counted.gets.slice(gets) };
}

async function older(token: string, ms: number, change: Partial<ProfileToken> = {}): Promise<string> {
  const said = (await verifyToken(bindings, "profile", token))!;
  return signToken(bindings, "profile", { ...said, issuedAt: said.issuedAt - ms, ...change });
}

async function rewrite(profileId: string, change: Partial<Snapshot>): Promise<void> {
  const snapshot = (await snapshotOf(profileId))!;
  await test.KV.put(snapshotKey(site.id, profileId), JSON.stringify({ ...snapshot, ...change }));
}

describe("a visitor whose token is no longer fresh", () => {
  let token: string;
  let stale: string;
  let profileId: string;
  beforeEach(async () => {
    await send([said("Bought")]);
    ({ token } = (await decide({})) as { token: string });
    stale = await older(token, 20 * MINUTE);
    profileId = await profileIdOf();
  });
  const html = async (sent = stale) => (await decide({ token: sent })).slots["hero"]!.html;

  it("is decided without D1 by the snapshot, and with it where there is none", async () => {
    const withSnapshot = await statementsOf(async () => expect(await html()).toBe("Again?"));
    expect(withSnapshot).toEqual({ statements: 0, gets: [snapshotKey(site.id, profileId)] });
    await test.KV.delete(snapshotKey(site.id, profileId));
    const without = await statementsOf(async () => expect(await html()).toBe("Again?"));
    expect(without.statements).toBe(4);
    const fresh = await statementsOf(async () => expect(await html(token)).toBe("Again?"));
    expect(fresh).toEqual({ statements: 0, gets: [] });
  });

  it("is told what another device has changed", async () => {
    await rewrite(profileId, { segments: {} });
    expect(await html()).toBe("Hello");
    // Issued later than the snapshot was made: it has seen more.
    await rewrite(profileId, { segments: {}, at: Date.now() - HOUR });
    expect(await html()).toBe("Again?");
  });

  it("is not answered by one that is over, of other rules, of yesterday, revoked, or of other people", async () => {
    const costs = async (change: Partial<Snapshot>) => {
      await rewrite(profileId, change);
      return (await statementsOf(() => html())).statements;
    };
    const intact = (await snapshotOf(profileId))!;
    expect(await costs(intact)).toBe(0);
    for (const change of [
      { wakesAt: Date.now() - 1 },
      { manifestVersion: 0 },
      { manifestVersion: 99 },
      { at: Date.now() - 24 * HOUR },
      { ids: ["p_somebody"] },
    ]) {
      expect(await costs({ ...intact, ...change }), JSON.stringify(change)).toBeGreaterThan(0);
    }
    expect(await costs(intact)).toBe(0);
    await site.publish({ segments: [{ key: "buyers", condition: { event: "Sold" } }] });
    expect(await html()).toBe("Hello");
    await revokeTokens(bindings, site.id, [profileId], Date.now());
    expect(await costs({ ...intact, manifestVersion: intact.manifestVersion + 1 })).toBeGreaterThan(0);
  });

  it("is read from D1 where a block needs what no snapshot holds, or KV is down", async () => {
    const named = await statementsOf(() => decide({ token: stale, slots: ["named"] }));
    expect(named.statements).toBe(0); // its fallback needs nothing
    await send([{ ...said("", { userId: "u" }), type: "identify", traits: { plan: "gold", name: "Ann" } }]);
    const { slots } = await decide({ token: stale, slots: ["named"] });
    expect(slots["named"]!.html).toBe("Dear Ann");
    const KV = { get: () => Promise.reject(new Error("down")) } as unknown as KVNamespace;
    expect((await decide({ token: stale }, { ...env, KV })).slots["hero"]!.html).toBe("Again?");
  });

  it("leaves by time as if it were read from D1", async () => {
    await send([said("Viewed", { timestamp: new Date(Date.now() - HOUR + 1_500).toISOString() })]);
    expect(Object.keys((await snapshotOf(profileId))!.segments)).toEqual(["buyers", "recent"]);
    const { wakesAt } = (await snapshotOf(profileId))!;
    await wakeDueProfiles(bindings, () => wakesAt! + 1, plenty());
    await spreadWaiting(bindings, Date.now, plenty());
    expect(Object.keys((await snapshotOf(profileId))!.segments)).toEqual(["buyers"]);
  });
});

it("an e-mail's block is decided without reading the person, who was named and no other, and read again as it was", async () => {
  await send([said("Bought")]);
  const profileId = await profileIdOf();
  const sign = (birthId: string, send: string) =>
    signToken(bindings, "email", { siteId: site.id, birthId, profileId, send, expiresAt: Date.now() + HOUR });
  const open = async (birthId: string, send = "s") => (await ask(env, `/e/${await sign(birthId, send)}/hero`)).text();
  await open(profileId);
  // What is kept of the send is asked for, and kept.
  const first = await statementsOf(async () => expect(await open(profileId, "t")).toBe("Again?"));
  expect(first.statements).toBe(3);
  const found = await statementsOf(async () => expect(await open(profileId)).toBe("Again?"));
  expect(found.statements).toBe(1);
  expect(await open("p_other")).toBe("Hello");
  forgetPeople(site.id, [`anonymousId:${anonymousId}`]);
});

it("an answer that holds for longer outdates nothing, one that ends sooner does", () => {
  const row = (decisions: object, wakesAt: number | null, more: object = {}) =>
    ({ id: "p", stableId: "s", mergedInto: null, decisions, wakesAt, ...more }) as never;
  const before = row({ a: [1, 100] }, 100);
  for (const [after, expected] of [
    [row({ a: [1, 100] }, 100), false],
    [row({ a: [1, 200] }, 200), false],
    [row({ a: [1, null] }, null), false],
    [row({ a: [1, 50] }, 50), true],
    [row({ a: [1, 100] }, 50), true],
    [row({ b: [1, 100] }, 100), true],
    [row({}, 100), true],
    [row({ a: [1, 100] }, 100, { stableId: "t" }), true],
    [row({}, null, { mergedInto: "q" }), true],
  ] as const)
    expect(isOutdated(before, after), JSON.stringify(after)).toBe(expected);
  expect(isOutdated(row({}, null), row({}, 5))).toBe(true);
  expect(isOutdated(undefined, row({}, 5))).toBe(false);
  expect(isOutdated(undefined, row({ a: [1, null] }, null))).toBe(true);
});
