import { env } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { type Client, ingest, type Json, newSite, problemOf, readPages } from "./client.ts";

const NOW = Date.now();
const ago = (seconds: number) => new Date(NOW - seconds * 1_000).toISOString();

let count = 0;
const identify = (traits: object, seconds: number, more: object = {}) => ({
  type: "identify",
  userId: "ada",
  messageId: `m${++count}`,
  timestamp: ago(seconds),
  traits,
  ...more,
});

/** As from a page, in place of a server. */
async function browse(site: Client, messages: object[]): Promise<Json> {
  const response = await exports.default.fetch("https://edge.example/v1/batch", {
    method: "POST",
    headers: { origin: "https://shop.example" },
    body: JSON.stringify({ writeKey: site.writeKey, batch: messages }),
  });
  return response.json();
}

const newShop = () => newSite({ origins: ["https://shop.example"] });

async function idOf(site: Client): Promise<string> {
  return (await site.get("/api/profiles?userId=ada")).id;
}

const history = (id: string, trait: string) => `/api/profiles/${id}/traits/${encodeURIComponent(trait)}/history`;

describe("a profile's traits", () => {
  it("say what counts, and what else is said by whom", async () => {
    const site = await newShop();
    await ingest(site, [identify({ plan: "pro", age: 36 }, 100, { messageId: "s1" })]);
    await browse(site, [
      identify({ plan: "free" }, 50, { messageId: "b1", userId: undefined, anonymousId: "phone" }),
      identify({ age: "36" }, 200, { messageId: "b2", anonymousId: "phone" }),
    ]);
    const id = await idOf(site);
    const { data, next } = await site.get(`/api/profiles/${id}/traits`);
    const ada = { kind: "userId", value: "ada" };
    expect(next).toBe(null);
    expect(data).toEqual([
      {
        ...{
          trait: "age",
          value: 36,
          type: "number",
          identifier: ada,
          source: "server",
          at: ago(100),
          messageId: "s1",
        },
        others: [{ value: "36", type: "string", identifier: ada, source: "browser", at: ago(200), messageId: "b2" }],
      },
      {
        ...{ trait: "plan", value: "free", type: "string", source: "browser", at: ago(50), messageId: "b1" },
        identifier: { kind: "anonymousId", value: "phone" },
        others: [{ value: "pro", type: "string", identifier: ada, source: "server", at: ago(100), messageId: "s1" }],
      },
    ]);
    const values = async (query: string) =>
      Object.fromEntries(
        (await site.get(`/api/profiles/${id}/traits?${query}`)).data.map(({ trait, value }: Json) => [trait, value]),
      );
    expect(await values("source=server")).toEqual({ plan: "pro", age: 36 });
    expect(await values("source=browser")).toEqual({ plan: "free", age: "36" });
    expect(await values("source=import")).toEqual({});
  });

  it("that are unset are shown when asked", async () => {
    const site = await newShop();
    await ingest(site, [identify({ plan: "pro", city: "Rome" }, 20), identify({ plan: null }, 10)]);
    const id = await idOf(site);
    const names = async (query: string) =>
      (await site.get(`/api/profiles/${id}/traits${query}`)).data.map(({ trait, value, type }: Json) => [
        trait,
        value,
        type,
      ]);
    expect(await names("")).toEqual([["city", "Rome", "string"]]);
    expect(await names("?unset=1")).toEqual([
      ["city", "Rome", "string"],
      ["plan", null, null],
    ]);
  });

  it("come page by page, by name", async () => {
    const site = await newShop();
    const traits = Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`${"é".repeat(200)}${i}`, i]));
    await ingest(site, [identify({ ...traits, "💥": 1 }, 10)]);
    const rows = await readPages(site, `/api/profiles/${await idOf(site)}/traits?limit=4`);
    expect(rows.map(({ trait }) => trait)).toEqual(Object.keys({ ...traits, "💥": 1 }).sort());
  });
});

describe("the history of a trait", () => {
  it("holds every value ever said, the newest first, by whom, and which one counts", async () => {
    const site = await newShop();
    await ingest(site, [
      identify({ plan: "free", address: { city: "Rome" } }, 400, { messageId: "1" }),
      identify({ plan: "pro" }, 300, { messageId: "2" }),
      identify({ other: 1 }, 250, { messageId: "3" }),
      { type: "track", event: "Seen", userId: "ada", timestamp: ago(240), traits: { plan: "no" } },
    ]);
    await browse(site, [
      identify({ plan: null }, 200, { messageId: "4" }),
      identify({ plan: "early" }, 500, { messageId: "5", userId: undefined, anonymousId: "phone" }),
      { type: "identify", userId: "ada", anonymousId: "phone", messageId: "6" },
    ]);
    const id = await idOf(site);
    const rows = await readPages(site, `${history(id, "plan")}?limit=2`);
    expect(rows.map(({ messageId, value, source, counts }) => [messageId, value, source, counts])).toEqual([
      ["4", null, "browser", true],
      ["2", "pro", "server", false],
      ["1", "free", "server", false],
      ["5", "early", "browser", false],
    ]);
    expect(rows[3]).toMatchObject({
      identifier: { kind: "anonymousId", value: "phone" },
      at: ago(500),
      type: "string",
    });
    expect(Date.parse(rows[3].receivedAt)).toBeGreaterThanOrEqual(NOW);
    const [address] = (await site.get(history(id, "address"))).data;
    expect(address).toMatchObject({ value: { city: "Rome" }, type: "object", counts: true });
    expect((await site.get(history(id, "city"))).data).toEqual([]);
  });

  it.each(["50%", "a/b", "a.b", "__proto__", 'quo"te', "back\\slash", "$[0]", "?q#h", "é💥", " ", "+", "constructor"])(
    "is found for a trait called %s",
    async (trait) => {
      const site = await newShop();
      await ingest(site, [identify(JSON.parse(`{${JSON.stringify(trait)}:[{"deep":1}]}`), 10), identify({ x: 1 }, 5)]);
      const { data } = await site.get(history(await idOf(site), trait));
      expect(data).toMatchObject([{ value: [{ deep: 1 }], type: "array", counts: true }]);
    },
  );

  it("holds the group that somebody belongs to", async () => {
    const site = await newShop();
    const group = (groupId: string, seconds: number) => ({
      ...{ type: "group", userId: "ada", messageId: groupId, groupId, timestamp: ago(seconds) },
      traits: { plan: "of the group" },
    });
    await ingest(site, [group("one", 20), group("two", 10)]);
    const id = await idOf(site);
    const { data } = await site.get(history(id, "groupId"));
    expect(data.map(({ value, counts }: Json) => [value, counts])).toEqual([
      ["two", true],
      ["one", false],
    ]);
    expect((await site.get(history(id, "plan"))).data).toEqual([]);
  });

  it("pages exactly over identifiers that say the same at the same time, without telling whom in the address", async () => {
    const site = await newShop();
    const devices = ["laptop", "phone", "tablet"];
    const said = (anonymousId: string) => ({
      ...{ type: "identify", anonymousId, messageId: "same", timestamp: ago(10), traits: { plan: anonymousId } },
    });
    const sign = (anonymousId: string) => ({ type: "identify", anonymousId, userId: "ada", messageId: anonymousId });
    await ingest(site, [...devices.map(said), ...devices.map(sign)]);
    const path = `${history(await idOf(site), "plan")}?limit=1`;
    const { next } = await site.get(path);
    expect(atob(next.replaceAll("-", "+").replaceAll("_", "/"))).not.toMatch(/laptop|phone|tablet|ada/);
    const rows = await readPages(site, path);
    expect(rows.map(({ value }) => value).sort()).toEqual(devices);
    expect(rows.filter(({ counts }) => counts)).toHaveLength(1);
  });

  it("goes on behind as many messages as a page looks at", async () => {
    const site = await newShop();
    await ingest(site, [identify({ plan: "old" }, 10_000, { messageId: "old" })]);
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
       INSERT INTO events (site_id, owner, message_id, type, name, at, received_at, body)
       SELECT ?1, 'userId:ada', 'noise' || i, 'identify', '', ?2 + i, ?2, '{"traits":{"city":"Rome"}}' FROM n`,
    )
      .bind(site.siteId, NOW - 9_000_000)
      .run();
    const path = `${history(await idOf(site), "plan")}?limit=10`;
    expect(await site.get(path)).toEqual({ data: [], next: expect.any(String) });
    expect(await readPages(site, path)).toMatchObject([{ messageId: "old", counts: true }]);
    expect(await readPages(site, `${history(await idOf(site), "city")}?limit=200`)).toHaveLength(1200);
  });

  it("reads what says traits, and nothing of 100,000 other events", async () => {
    const site = await newShop();
    await ingest(
      site,
      [1, 2, 3].map((n) => identify({ plan: n }, n)),
    );
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
       INSERT INTO events (site_id, owner, message_id, type, name, at, received_at, body)
       SELECT ?1, 'userId:ada', 'noise' || i, 'track', 'Noise', ?2 + i, ?2, '{"event":"Noise"}' FROM n`,
    )
      .bind(site.siteId, NOW - 9_000_000)
      .run();
    const { listSaying, listTraitMessages } = await import("../../../edge/db/trait-messages.ts");
    let rowsRead = 0;
    const counting = {
      prepare: (sql: string) => ({
        bind: (...values: unknown[]) => ({
          all: async () => {
            const answer = await env.DB.prepare(sql)
              .bind(...values)
              .all();
            rowsRead += answer.meta.rows_read;
            return answer;
          },
        }),
      }),
    } as unknown as D1Database;
    const places = await listTraitMessages(counting, site.siteId, ["userId:ada"], null, 501);
    const rows = await listSaying(counting, site.siteId, places, "plan", 51);
    expect(rows).toHaveLength(3);
    expect(rowsRead).toBeLessThan(25);
  });
});

describe("the traits that a site's senders send", () => {
  const at = expect.stringMatching(/Z$/);

  it("are listed with their types, the last changed first, and with a hint where types differ", async () => {
    const site = await newShop();
    await ingest(site, [identify({ zip: 123, plan: "pro", tags: ["a"], born: "1815-12-10", gone: null }, 9)]);
    await ingest(site, [identify({ zip: "00123", tags: [], address: {} }, 8, { messageId: "changed" })]);
    await browse(site, [identify({ plan: true }, 7, { messageId: "page" })]);
    const { data, next, full } = await site.get("/api/traits");
    expect(next).toBe(null);
    expect(full).toEqual([]);
    expect(data.map(({ trait }: Json) => trait)).toEqual(["zip", "address", "born", "plan", "tags"]);
    expect(data[0]).toEqual({
      trait: "zip",
      sources: [
        {
          source: "server",
          types: [
            { type: "number", since: at, messageId: expect.any(String) },
            { type: "string", since: at, messageId: "changed" },
          ],
        },
      ],
      changedAt: data[0].sources[0].types[1].since,
      hint: "The server sends number, then string. Rules compare values of the same type alone.",
    });
    expect(data[3]).toMatchObject({
      sources: [{ source: "browser", types: [{ messageId: "page" }] }, { source: "server" }],
      changedAt: null,
      hint: "The browser sends boolean. The server sends string. Rules compare values of the same type alone.",
    });
    expect(data[2]).toMatchObject({ trait: "born", sources: [{ types: [{ type: "string" }] }], hint: null });
    expect(await readPages(site, "/api/traits?limit=2")).toEqual(data);
  });

  it("are noticed once: the same types again write nothing", async () => {
    const site = await newShop();
    const rows = async () =>
      (await env.DB.prepare("SELECT * FROM trait_types WHERE site_id = ?1").bind(site.siteId).all()).results;
    await ingest(site, [identify({ plan: "a", age: 1 }, 9, { messageId: "first" }), identify({ plan: "b" }, 8)]);
    const noticed = await rows();
    expect(noticed).toMatchObject([
      { trait: "age", type: "number", message_id: "first" },
      { trait: "plan", type: "string", message_id: "first" },
    ]);
    await ingest(site, [identify({ plan: "c", age: 3 }, 10)]);
    expect(await rows()).toEqual(noticed);
  });

  it("are noticed up to a limit of each source, which is told, and events are stored beyond it", async () => {
    const site = await newShop();
    const flood = Array.from({ length: 11 }, (_, i) => {
      const traits = Object.fromEntries(Array.from({ length: 100 }, (_, j) => [`t${i}.${j}`, j]));
      return identify(traits, 1, { anonymousId: `a${i}`, userId: undefined });
    });
    expect(await browse(site, flood.slice(0, 9))).toMatchObject({ accepted: 9 });
    expect((await site.get("/api/traits?limit=1")).full).toEqual([]);
    expect(await browse(site, flood.slice(8))).toMatchObject({ accepted: 3, rejected: [] });
    await browse(site, [identify({ late: 1 }, 1)]);
    await ingest(site, [identify({ late: 1 }, 1)]);
    const sent = await readPages(site, "/api/traits?limit=200");
    expect(sent).toHaveLength(1_001);
    expect(sent.find(({ trait }) => trait === "late").sources.map(({ source }: Json) => source)).toEqual(["server"]);
    expect((await site.get("/api/traits?limit=1")).full).toEqual(["browser"]);
  });
});

describe("what a sender says in JSON", () => {
  const numbers =
    '{"large":1e300,"small":5e-324,"exact":0.30000000000000004,"nought":-0,"id":9007199254740993,"endless":1e999}';
  const hostile: [name: string, traits: string][] = [
    ["names of JavaScript", '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1}'],
    ["numbers at the limits", numbers],
    ["lists of objects", '{"orders":[{"id":1,"lines":[{"sku":"a"},null]},[],[[]],{}]}'],
    ["strings of all kinds", '{"a":"\\ud800","b":"\\u0000","c":"💥\\n\\"\'","d":"","e":"\'; DROP TABLE traits;--"}'],
    ["nesting to the limit", `{"deep":${'{"a":'.repeat(10)}[1]${"}".repeat(10)}}`],
    ["many names", JSON.stringify(Object.fromEntries(Array.from({ length: 490 }, (_, i) => [`${i}`, i])))],
  ];

  it.each(hostile)("is what it is told: %s", async (_name, text) => {
    const site = await newShop();
    const body = `{"writeKey":"${site.writeKey}","batch":[{"type":"identify","userId":"ada","messageId":"m","traits":${text}}]}`;
    const response = await exports.default.fetch("https://edge.example/v1/batch", { method: "POST", body });
    expect(await response.json()).toEqual({ success: true, accepted: 1, rejected: [] });
    // As JSON has it: an endless number is null, and so unsets.
    const said = Object.entries(JSON.parse(JSON.stringify(JSON.parse(text)))).filter(([, value]) => value !== null);
    const profile = await (await site.send("GET", "/api/profiles?userId=ada")).text();
    expect(Object.entries(JSON.parse(profile).traits).sort()).toEqual(said.toSorted());
    const listed = await readPages(site, `/api/profiles/${JSON.parse(profile).id}/traits?limit=200`);
    expect(listed.map(({ trait, value }) => [trait, value])).toEqual(said.toSorted());
    expect(({} as Json).polluted).toBeUndefined();
    const [trait, value] = said[0]!;
    const { data } = await site.get(history(JSON.parse(profile).id, trait));
    expect(data).toMatchObject([{ value, counts: true }]);
  });

  it("and cannot be a name is left out, and told; the event is stored", async () => {
    const site = await newShop();
    const traits = JSON.parse(`{"":1,"\\ud800":1,"a\\u0000b":1,"${"x".repeat(257)}":1,"plan":"pro"}`);
    expect(await browse(site, [identify({}, 2), identify(traits, 1)])).toEqual({
      ...{ success: true, accepted: 2, rejected: [] },
      warnings: [
        {
          index: 1,
          messageId: expect.any(String),
          pointer: "/traits",
          code: "name",
          detail: expect.stringMatching(/^not kept: "", /),
        },
      ],
    });
    const { id, traits: kept } = await site.get("/api/profiles?userId=ada");
    expect(kept).toEqual({ plan: "pro" });
    expect((await site.get(`/api/profiles/${id}/events`)).data).toHaveLength(2);
    const alone = await exports.default.fetch("https://edge.example/v1/identify", {
      method: "POST",
      body: JSON.stringify({ writeKey: site.writeKey, userId: "ada", traits: { "": 1 } }),
    });
    expect(alone.status).toBe(200);
    expect(await alone.json()).toMatchObject({ accepted: 1, warnings: [{ index: 0, code: "name" }] });
  });

  it("and is larger than an event may be is refused with the event", async () => {
    const site = await newShop();
    const answer = await browse(site, [identify({ bio: "x".repeat(40_000) }, 1), identify({ plan: "pro" }, 1)]);
    expect(answer).toMatchObject({
      accepted: 1,
      rejected: [{ index: 0, problem: { type: "/problems#event-too-large" } }],
    });
  });

  it("comes whole, nested values with it, to rules, templates and provenance", async () => {
    const site = await newShop();
    await site.post("/api/segments", {
      ...{ key: "romans", name: "Romans", condition: { trait: "address.city", eq: "Rome" }, status: "active" },
    });
    await ingest(site, [identify({ address: { city: "Rome", zip: "00118" } }, 20)]);
    const template = "{{ customer.address.city | default: 'nowhere' }} {{ customer.address.zip | default: '-' }}";
    await site.post("/api/blocks", { key: "hero", slot: "hero", variants: [{ key: "a", template }] });
    await site.post("/api/blocks/hero/publish");
    const [{ token }] = await site.post("/api/email/tokens", { send: "s", recipients: [{ userId: "ada" }] });
    const shown = async () => (await exports.default.fetch(`https://edge.example/e/${token}/hero`)).text();
    const read = async () => {
      const { traits, traitSources, segments } = await site.get("/api/profiles?userId=ada&provenance=1");
      return { traits, sources: Object.keys(traitSources), segments: segments.map(({ key }: Json) => key) };
    };
    expect(await read()).toEqual({
      ...{ traits: { address: { city: "Rome", zip: "00118" } }, sources: ["address"], segments: ["romans"] },
    });
    expect(await shown()).toBe("Rome 00118");
    await browse(site, [identify({ address: { city: "Paris" } }, 10)]);
    expect(await read()).toEqual({ traits: { address: { city: "Paris" } }, sources: ["address"], segments: [] });
    expect(await shown()).toBe("Paris -");
  });
});

describe("asked for", () => {
  it.each([
    ["/nobody/traits", "not-found"],
    ["/nobody/traits/plan/history", "not-found"],
    ["/nobody/traits?source=crm", "invalid-request"],
    ["/nobody/traits?cursor=WzFd", "invalid-request"],
    ["/nobody/traits/plan/history?cursor=WzFd", "invalid-request"],
    [`/nobody/traits/${"x".repeat(257)}/history`, "invalid-request"],
    ["/nobody/traits/%E0%A4/history", "not-found"],
  ])("as /api/profiles%s it is %s", async (path, slug) => {
    const site = await newShop();
    await problemOf(site.send("GET", `/api/profiles${path}`), slug);
  });

  it("by another site, nothing is found", async () => {
    const [one, two] = await Promise.all([newShop(), newShop()]);
    await ingest(one, [identify({ plan: "pro" }, 1)]);
    const id = await idOf(one);
    await problemOf(two.send("GET", `/api/profiles/${id}/traits`), "not-found");
    await problemOf(two.send("GET", history(id, "plan")), "not-found");
    expect((await two.get("/api/traits")).data).toEqual([]);
  });
});
