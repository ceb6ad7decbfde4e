/** Erasure: nothing of a person is left anywhere, nothing that is sent again brings them back, and nobody else loses anything. */
import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { insertAudit, REDACTED } from "../../../edge/db/audit.ts";
import { ingestMessages } from "../../../edge/delivery/batch.ts";
import { forget } from "../../../edge/manifest/memory.ts";
import { readSite } from "../../../edge/manifest/read.ts";
import { eraseProfile, eraseWaiting } from "../../../edge/profiles/erase.ts";
import { forgetPeople } from "../../../edge/profiles/memory.ts";
import worker from "../../../edge/worker.ts";
import { type Client, type Json, newSite, problemOf, send } from "../api/client.ts";
import { bindings } from "../site.ts";
import { between, dying } from "./around.ts";

/** Another one in each test: all values of its people have it in them. */
let CANARY = "";
beforeEach(() => {
  CANARY = `canary${crypto.randomUUID().slice(0, 8)}`;
});

const SEGMENTS = [
  { key: "viewers", name: "Viewers", condition: { event: "Viewed" }, status: "active" },
  { key: "list", name: "List", kind: "static", status: "active" },
];
const plenty = () => ({ deadline: Infinity, statements: Infinity });
const erasing = (statements = Infinity) => ({ actor: "key:k", now: Date.now, budget: { ...plenty(), statements } });

let count = 0;
const said = (who: object, more: object = {}) => ({
  type: "track",
  event: "Viewed",
  messageId: `m${++count}`,
  timestamp: new Date(Date.now() - 1_000).toISOString(),
  properties: { title: `${CANARY} shoes` },
  ...who,
  ...more,
});

/** All that a person may leave behind: two devices, an account, addresses, traits, consent, a refused link. */
function lifeOf(name: string): Json[] {
  const [a, b, userId] = [`${CANARY}-${name}-a`, `${CANARY}-${name}-b`, `${CANARY}-${name}`];
  const context = { consent: { categoryPreferences: { marketing: true } } };
  const traits = { email: `${userId}@shop.example`, phone: "+4930123456", name: `${CANARY} Ann` };
  return [
    said({ anonymousId: a }),
    said({ anonymousId: b }),
    said({ anonymousId: a, userId }, { type: "identify", context, traits }),
    said({ anonymousId: b, userId }, { type: "identify" }),
    said({ userId }, { type: "alias", previousId: `${userId}-before` }),
    said({ userId }, { type: "group", groupId: `${CANARY}-group` }),
  ];
}
const namesOf = (name: string) =>
  ["userId:NAME", "anonymousId:NAME-a", "anonymousId:NAME-b"].map((it) => it.replace("NAME", `${CANARY}-${name}`));

async function openSite(): Promise<Client> {
  const site = await newSite({ snapshots: true });
  for (const segment of SEGMENTS) await site.post("/api/segments", segment);
  return site;
}

async function ingest(site: Client, batch: Json[]): Promise<Json> {
  return (await send(null, "POST", "/v1/batch", { writeKey: site.writeKey, batch })).json();
}

/** Tables, and KV, in which a text stands, the site's audit keys and all. */
async function findTraces(text: string = CANARY): Promise<Set<string>> {
  const { results: tables } = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'",
  ).all<{ name: string }>();
  const traces = new Set<string>();
  for (const { name } of tables) {
    const { results } = await env.DB.prepare(`SELECT * FROM "${name}"`).all();
    if (JSON.stringify(results).includes(text)) traces.add(name);
  }
  for (const { name } of (await env.KV.list()).keys)
    if (`${name} ${await env.KV.get(name)}`.includes(text)) traces.add(`KV ${name}`);
  return traces;
}

const sizeOf = async (site: Client, key: string) => (await site.get(`/api/segments/${key}/size`)).points.at(-1).members;

const countOf = (site: Client, table: string) =>
  env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE site_id = ?1`).bind(site.siteId).first<number>("n");

describe("an erasure", () => {
  it("leaves no value of the person in any table, nor in KV, and no row but tombstones and a blank audit", async () => {
    const site = await openSite();
    await ingest(site, [...lifeOf("ann"), said({ userId: `${CANARY}-bob`, anonymousId: `${CANARY}-ann-a` })]);
    await site.post("/api/segments/list/members", { identifiers: [{ userId: `${CANARY}-ann` }] });
    expect(await findTraces(`${CANARY}-ann`)).toEqual(
      new Set([
        ...[
          "identifiers",
          "links",
          "conflicts",
          "traits",
          "consents",
          "events",
          "histories",
          "list_statements",
          "audit",
        ],
      ]),
    );
    const { id } = await site.get(`/api/profiles?userId=${CANARY}-ann`);
    expect(await sizeOf(site, "list")).toBe(1);
    expect(await env.KV.get(`snapshot:${site.siteId}:${id}`)).toContain("viewers");

    // What somebody else said with her device is his.
    await site.send("DELETE", `/api/profiles?userId=${CANARY}-bob`);
    const response = await site.send("DELETE", `/api/profiles/${id}`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ erasedAt: expect.any(String), complete: true });
    expect(await findTraces()).toEqual(new Set());
    expect(await env.KV.get(`snapshot:${site.siteId}:${id}`)).toBeNull();
    for (const table of ["profiles", "memberships", "membership_log", "stale_snapshots"])
      expect(await countOf(site, table), table).toBe(0);
    const { results } = await env.DB.prepare(
      "SELECT action, detail FROM audit WHERE site_id = ?1 AND detail IS NOT NULL",
    )
      .bind(site.siteId)
      .all();
    expect(results).toEqual([
      { action: "erase", detail: "{}" },
      { action: "erase", detail: "{}" },
    ]);
    for (const key of ["viewers", "list"]) expect(await sizeOf(site, key), key).toBe(0);
    expect(await site.get("/api/audit/verify")).toMatchObject({ valid: true, redacted: 4 });
    await problemOf(site.send("GET", `/api/profiles/${id}`), "not-found");
  });

  it("takes kept answers in which people are, and names no message of theirs for a trait's type", async () => {
    const site = await openSite();
    const userId = `${CANARY}-ann`;
    const identify = { type: "identify", userId, messageId: `${CANARY}-message`, traits: { plan: CANARY } };
    await ingest(site, [identify, said({ anonymousId: "d1" })]);
    const pair = { a: { kind: "userId", value: userId }, b: { kind: "anonymousId", value: "d1" } };
    const link = () => site.send("POST", "/api/links", pair, { "idempotency-key": "k1" });
    const name = (key: string) =>
      site.send("POST", "/api/keys", { kind: "write", label: "New" }, { "idempotency-key": key });
    const created = await (await name("k2")).text();
    expect(await (await link()).text()).toContain(CANARY);
    await site.send("DELETE", `/api/profiles?userId=${userId}`);
    await problemOf(link(), "conflict");
    expect(await (await name("k2")).text()).toBe(created);
    const { data } = await site.get("/api/traits");
    expect(data).toMatchObject([{ trait: "plan", sources: [{ types: [{ type: "string", messageId: null }] }] }]);
    expect(await findTraces()).toEqual(new Set());
  });

  it("is not followed by a word of who was refused before, by a request that read before it", async () => {
    const site = await openSite();
    const device = `${CANARY}-ann-a`;
    const identify = (userId: string, more: object = {}) =>
      said({ userId, anonymousId: device }, { type: "identify", ...more });
    await ingest(site, [identify(`${CANARY}-ann`), identify("bob")]);
    forgetPeople(site.siteId, [...namesOf("ann"), "userId:bob"]);
    const live = (await readSite(bindings, site.siteId, Date.now()))!;
    const { env: racing, happened } = between(2, () =>
      eraseProfile(bindings, live, { identifier: namesOf("ann")[0]! }, erasing()),
    );
    const { answer } = await ingestMessages(racing, live, {
      messages: [identify("bob", { traits: { email: "bob@shop.example" } })],
      ...{ envelope: {}, pointer: "/batch", source: "server", receivedAt: Date.now() },
    });
    expect(happened()).toBe(true);
    expect(answer.rejected).toMatchObject([{ index: 0, problem: { type: "/problems#erased" } }]);
    expect(await site.get("/api/audit/verify")).toMatchObject({ valid: true, redacted: 2 });
    expect(await findTraces()).toEqual(new Set(["events"]));
  });

  it("refuses for ever what is not newer, and takes what is newer for a new person", async () => {
    const site = await openSite();
    const life = lifeOf("ann");
    await ingest(site, life);
    const { id } = await site.get(`/api/profiles?userId=${CANARY}-ann`);
    await site.send("DELETE", `/api/profiles/${id}`);
    const replay = async () => {
      const { accepted, rejected } = await ingest(site, life);
      expect([accepted, new Set(rejected.map(({ problem }: Json) => problem.type))]).toEqual([
        0,
        new Set(["/problems#erased"]),
      ]);
      const single = await send(null, "POST", "/v1/track", { writeKey: site.writeKey, ...life[0] });
      expect(single.status).toBe(410);
      const answer = await send(null, "POST", "/v1/decide", {
        ...{ writeKey: site.writeKey, anonymousId: `${CANARY}-ann-a`, events: life, slots: [] },
      });
      expect(await answer.json()).toMatchObject({ accepted: 0 });
      const consent = await send(null, "POST", "/v1/consent", {
        ...{ writeKey: site.writeKey, userId: `${CANARY}-ann`, at: life[0].timestamp, purposes: { marketing: true } },
      });
      expect(consent.status).toBe(410);
    };
    await replay();
    expect(await findTraces()).toEqual(new Set());

    const anonymousId = `${CANARY}-ann-a`;
    expect(await ingest(site, [said({ anonymousId }, { timestamp: undefined, properties: {} })])).toMatchObject({
      accepted: 1,
    });
    const { id: newId, segments } = await site.get(`/api/profiles?anonymousId=${anonymousId}`);
    expect(newId).not.toBe(id);
    expect(segments).toHaveLength(1);
    forgetPeople(site.siteId, namesOf("ann"));
    await replay();
    expect((await site.get(`/api/profiles/${newId}/events`)).data).toHaveLength(1);
    await problemOf(site.send("GET", `/api/profiles?userId=${CANARY}-ann`), "not-found");
    await site.send("DELETE", `/api/profiles/${newId}`);
    await replay();
    expect(await findTraces()).toEqual(new Set());
  });

  it("refuses a copy of what was sent before, whose time moves with the time at which it comes", async () => {
    const site = await openSite();
    const sentAt = new Date(Date.now() - 3_600_000).toISOString();
    const messages = lifeOf("ann").map((message) => ({ ...message, timestamp: sentAt }));
    const withheld = { ...messages[0], context: { consent: { analytics: false, marketing: true } } };
    const copies = [
      ["/v1/batch", { writeKey: site.writeKey, sentAt, batch: messages }],
      ["/v1/batch", { writeKey: site.writeKey, sentAt, batch: [withheld] }],
      [
        "/v1/consent",
        { writeKey: site.writeKey, sentAt, at: sentAt, userId: `${CANARY}-ann`, purposes: { marketing: true } },
      ],
    ] as const;
    for (const [path, body] of copies) expect((await send(null, "POST", path, body)).status).toBe(200);
    await site.send("DELETE", `/api/profiles?userId=${CANARY}-ann`);
    for (const [path, body] of copies) {
      const answer = await (await send(null, "POST", path, body)).json<Json>();
      expect(answer.success === undefined || answer.accepted === 0, path).toBe(true);
    }
    expect(await findTraces()).toEqual(new Set());
  });

  it("refuses what is not newer of somebody who was refused to be linked with them, before or since", async () => {
    const site = await openSite();
    const before = new Date(Date.now() - 60_000).toISOString();
    const sign = (userId: string, timestamp?: string) =>
      said({ userId, anonymousId: `${CANARY}-ann-a` }, { type: "identify", timestamp });
    await ingest(site, [sign(`${CANARY}-ann`), sign("bob")]);
    await site.send("DELETE", `/api/profiles?userId=${CANARY}-ann`);
    const isRefused = async () =>
      expect((await ingest(site, [sign("bob", before)])).rejected).toMatchObject([
        { problem: { type: "/problems#erased" } },
      ]);
    // This isolate knows that the two were refused, and needs no reading for it.
    await isRefused();
    await ingest(site, [sign("zoe"), sign("bob")]);
    await isRefused();
    forgetPeople(site.siteId, ["userId:bob"]);
    await isRefused();
  });

  it("answers the same to whoever asks twice by an identifier, and finds nobody by an id", async () => {
    const site = await openSite();
    await ingest(site, lifeOf("ann"));
    const { id } = await site.get(`/api/profiles?userId=${CANARY}-ann`);
    const first = await (await site.send("DELETE", `/api/profiles?userId=${CANARY}-ann`)).json();
    expect(await (await site.send("DELETE", `/api/profiles?email=${CANARY}-ann@shop.example`)).json()).toEqual(first);
    await problemOf(site.send("DELETE", `/api/profiles/${id}`), "not-found");
    await problemOf(site.send("DELETE", "/api/profiles?userId=nobody"), "not-found");
    await problemOf(site.send("DELETE", "/api/profiles"), "invalid-request");
    const other = await openSite();
    await problemOf(other.send("DELETE", `/api/profiles?userId=${CANARY}-ann`), "not-found");
  });

  it("happens once where several ask at once", async () => {
    const site = await openSite();
    await ingest(site, lifeOf("ann"));
    const { id } = await site.get(`/api/profiles?userId=${CANARY}-ann`);
    const answers = await Promise.all(
      [`/${id}`, `?userId=${CANARY}-ann`, `/${id}`, `?anonymousId=${CANARY}-ann-b`].map((path) =>
        site.send("DELETE", `/api/profiles${path}`),
      ),
    );
    const times = new Set<string>();
    for (const answer of answers) {
      expect([200, 404]).toContain(answer.status);
      if (answer.status === 200) times.add((await answer.json<Json>()).erasedAt);
    }
    expect(times.size).toBe(1);
    expect(await findTraces()).toEqual(new Set());
    const { results } = await env.DB.prepare("SELECT 1 FROM audit WHERE site_id = ?1 AND action = 'erase'")
      .bind(site.siteId)
      .all();
    expect(results).toHaveLength(1);
  });

  it("of somebody with a shared device takes nothing from the other", async () => {
    const site = await openSite();
    const device = { anonymousId: `${CANARY}-tablet` };
    await ingest(site, [
      said({ userId: "max" }),
      said({ userId: "zoe", ...device }),
      said({ userId: "max", ...device }),
    ]);
    const max = await site.get("/api/profiles?userId=max");
    expect((await site.send("DELETE", "/api/profiles?userId=zoe")).status).toBe(200);
    expect(await site.get("/api/profiles?userId=max")).toEqual(max);
    expect((await site.get(`/api/profiles/${max.id}/events`)).data).toHaveLength(2);
    expect(await sizeOf(site, "viewers")).toBe(1);
    expect(await countOf(site, "conflicts")).toBe(0);
  });

  it("is not undone by an unmerge of somebody else, whose past names the same device", async () => {
    const site = await openSite();
    const device = { anonymousId: `${CANARY}-tablet` };
    await ingest(site, [said({ userId: "zoe", ...device }), said({ userId: "max", anonymousId: "phone" })]);
    await ingest(site, [said({ userId: "max", ...device })]);
    await site.send("DELETE", "/api/profiles?userId=zoe");
    const { id } = await site.get("/api/profiles?userId=max");
    const { data } = await site.get(`/api/profiles/${id}/links`);
    expect((await site.send("DELETE", `/api/links/${data[0].id}`)).status).toBe(200);
    expect((await site.get("/api/profiles?userId=max")).identifiers).toHaveLength(1);
    await problemOf(site.send("GET", `/api/profiles?anonymousId=${device.anonymousId}`), "not-found");
    // What is newer is his.
    expect(await ingest(site, [said({ userId: "max", ...device }, { timestamp: undefined })])).toMatchObject({
      accepted: 1,
    });
    expect((await site.get("/api/profiles?userId=max")).identifiers).toHaveLength(2);
  });

  it("of 100,000 events goes on where its budget ended; until the last row is gone, nobody new has the identifier", async () => {
    const site = await openSite();
    await ingest(site, lifeOf("ann"));
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
       INSERT INTO events (site_id, owner, message_id, type, name, at, received_at, body)
       SELECT ?1, 'userId:${CANARY}-ann', 'x' || i, 'track', 'Viewed', i, i, '{}' FROM n`,
    )
      .bind(site.siteId)
      .run();
    const live = (await readSite(bindings, site.siteId, Date.now()))!;
    const by = { identifier: `userId:${CANARY}-ann` };
    expect(await eraseProfile(bindings, live, by, erasing(20))).toMatchObject({ isComplete: false });
    await problemOf(site.send("GET", `/api/profiles?userId=${CANARY}-ann`), "not-found");
    const left = await countOf(site, "events");
    expect(left).toBeGreaterThan(50_000);
    const newer = said({ userId: `${CANARY}-ann` }, { timestamp: undefined });
    const refused = await send(null, "POST", "/v1/track", { writeKey: site.writeKey, ...newer });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "10"]);
    await eraseProfile(bindings, live, by, erasing(15));
    expect(await countOf(site, "events")).toBeLessThan(left!);
    expect(await eraseWaiting(bindings, Date.now, plenty())).toBe(1);
    expect(await findTraces()).toEqual(new Set());
    expect(await ingest(site, [newer])).toMatchObject({ accepted: 1 });
  });

  it("of whom thousands of refusals tell goes on where its budget ended, and the audit holds all the while", async () => {
    const site = await openSite();
    await ingest(site, lifeOf("ann"));
    const { id } = await site.get(`/api/profiles?userId=${CANARY}-ann`);
    const entry = { at: 1, actor: "browser", action: "refuse", subjects: [id], detail: { told: CANARY } } as const;
    await env.DB.batch(insertAudit(env.DB, site.siteId, Array(2 * REDACTED).fill(entry)));
    const live = (await readSite(bindings, site.siteId, Date.now()))!;
    expect(await eraseProfile(bindings, live, { id }, erasing(20))).toMatchObject({ isComplete: false });
    expect(await findTraces()).toEqual(new Set(["audit", "tombstones"]));
    expect((await site.get("/api/audit/verify")).break).toBeNull();
    expect(await eraseWaiting(bindings, Date.now, plenty())).toBe(1);
    expect(await findTraces()).toEqual(new Set());
    expect((await site.get("/api/audit/verify")).break).toBeNull();
  });
});

describe("what happens at once with an erasure", () => {
  const trip = (n: number) => `${n}`;
  const trips = Array.from({ length: 11 }, (_, index) => index + 1);
  const batch = (writeKey: string, messages: Json[]) =>
    new Request<unknown, IncomingRequestCfProperties>("https://edge.example/v1/batch", {
      method: "POST",
      body: JSON.stringify({ writeKey, batch: messages }),
    });

  it.each(trips)("an event that is being stored, erased at its round trip %i, is not there afterwards", async (n) => {
    for (const isKnown of [true, false]) {
      const site = await openSite();
      const life = lifeOf(trip(n));
      await ingest(site, isKnown ? life : life.slice(0, 2));
      if (!isKnown) forgetPeople(site.siteId, namesOf(trip(n)));
      const erase = async () => {
        for (const device of ["a", "b"])
          await site.send("DELETE", `/api/profiles?anonymousId=${CANARY}-${n}-${device}`);
      };
      const { env: disturbed, happened } = between(n, erase);
      // All of them name a device, since the account is not known to be the same person's.
      const late = isKnown ? lifeOf(trip(n)) : life.slice(0, 4);
      const context = createExecutionContext();
      const response = await worker.fetch(batch(site.writeKey, late), disturbed, context);
      await waitOnExecutionContext(context);
      if (!happened()) await erase();
      expect([200, 503]).toContain(response.status);
      expect([await countOf(site, "profiles"), await findTraces()], `known: ${isKnown}`).toEqual([0, new Set()]);
    }
  });

  it.each(trips)("an event that is stored at its round trip %i is erased with the rest", async (n) => {
    const site = await openSite();
    await ingest(site, lifeOf(trip(n)));
    const live = (await readSite(bindings, site.siteId, Date.now()))!;
    const { env: disturbed, happened } = between(n, () => ingest(site, lifeOf(trip(n))));
    await eraseProfile(disturbed, live, { identifier: `userId:${CANARY}-${n}` }, erasing());
    if (!happened()) await ingest(site, lifeOf(trip(n)));
    expect(await findTraces()).toEqual(new Set());
  });

  it.each(trips)(
    "a Worker that dies at its round trip %i has erased nothing, or all is gone once another goes on",
    async (n) => {
      for (const lost of ["there", "back"] as const) {
        const site = await openSite();
        const life = lifeOf(trip(n));
        await ingest(site, life);
        await site.post("/api/segments/list/members", { identifiers: [{ userId: `${CANARY}-${n}` }] });
        const live = (await readSite(bindings, site.siteId, Date.now()))!;
        const { env: dead } = dying(n, lost);
        const by = { identifier: `userId:${CANARY}-${n}` };
        await eraseProfile(dead, live, by, erasing()).catch((error) => expect(`${error}`).toContain("connection lost"));
        forget();
        const { accepted } = await ingest(site, life).catch(() => ({ accepted: 0 }));
        const isErased = !(await site.send("GET", `/api/profiles?userId=${CANARY}-${n}`)).ok;
        expect(accepted).toBe(isErased ? 0 : life.length);
        await eraseProfile(bindings, live, by, erasing());
        expect(await findTraces(), lost).toEqual(new Set());
      }
    },
  );
});
