import { describe, expect, it } from "vitest";
import { TRAITS_PER_IDENTIFIER } from "../../../shared/limits.ts";
import { type Client, ingest, type Json, newSite, problemOf, send, VIEWED_TWICE } from "./client.ts";

const NOW = "2026-03-01T12:00:00.000Z";
const AT = Date.parse(NOW);
const view = (timestamp: unknown, category = "shoes") => ({
  event: "Product Viewed",
  timestamp,
  properties: { category },
});

async function preview(body: object): Promise<Json> {
  return (await newSite()).post("/api/segments/preview", body);
}

describe("a segment preview", () => {
  it("answers value, until and a sentence for a profile as it might be, at any time", async () => {
    const events = [view("2026-03-01T10:00:00Z"), view("2026-03-01T11:00:00+00:00")];
    const answer = await preview({ condition: VIEWED_TWICE, profile: { traits: {}, events }, now: NOW });
    expect(answer).toEqual({
      value: true,
      until: "2026-03-02T10:00:00.000Z",
      describe: expect.stringMatching(/Product Viewed/),
    });
  });

  it("takes times as ISO 8601 or epoch milliseconds, in any order", async () => {
    const events = [view(AT - 3_600_000), view("2026-03-01T10:00:00.500Z")];
    const answer = await preview({ condition: VIEWED_TWICE, profile: { events }, now: AT });
    expect(answer).toMatchObject({ value: true, until: "2026-03-02T10:00:00.500Z" });
  });

  it("answers until null for what time alone does not change", async () => {
    expect(
      await preview({ condition: { trait: "plan", eq: "pro" }, profile: { traits: { plan: "pro" } } }),
    ).toMatchObject({
      value: true,
      until: null,
    });
  });

  it("answers results in the order of conditions", async () => {
    const conditions = [{ trait: "a", eq: 1 }, { trait: "a", eq: 2 }, { not: { trait: "a", eq: 2 } }];
    const { results } = await preview({ conditions, profile: { traits: { a: 1 } } });
    expect(results.map(({ value }: Json) => value)).toEqual([true, false, true]);
  });

  it("answers why when asked, with what was found and what is missing", async () => {
    const { why } = await preview({
      condition: VIEWED_TWICE,
      profile: { events: [view(AT - 1000)] },
      now: NOW,
      why: true,
    });
    expect(why).toMatchObject({ value: false, says: expect.any(String), pointer: "" });
    expect(why.until === null || /Z$/.test(why.until)).toBe(true);
  });

  it("traces the segments that a condition refers to", async () => {
    const site = await newSite();
    await site.post("/api/segments", {
      key: "adults",
      name: "Adults",
      condition: { trait: "age", gte: 18 },
      status: "active",
    });
    await site.post("/api/segments", { key: "list", name: "List", kind: "static", status: "active" });
    const condition = { all: [{ segment: "adults" }, { segment: "list" }] };
    const profile = { traits: { age: 15 }, segments: ["list"] };
    const { why } = await site.post("/api/segments/preview", { condition, profile, why: true });
    expect(why).toMatchObject({ value: false, decides: [0] });
    expect(why.children[0].children).toMatchObject([{ segment: "adults", pointer: "", actual: 15, missing: 3 }]);
    expect(why.children[1]).toMatchObject({ value: true });
  });

  it("answers unknown where the person has not granted the purpose", async () => {
    const profile = { events: [view(AT - 1000), view(AT - 2000)] };
    expect(await preview({ condition: VIEWED_TWICE, profile, now: NOW, consent: ["necessary"] })).toMatchObject({
      value: "unknown",
    });
    expect(await preview({ condition: VIEWED_TWICE, profile, now: NOW, consent: { analytics: true } })).toMatchObject({
      value: true,
    });
  });

  it("looks at the request's context and at events of other types", async () => {
    const condition = {
      all: [
        { context: "page.path", eq: "/sale" },
        { type: "page", event: "Home" },
      ],
    };
    const profile = {
      events: [{ type: "page", event: "Home", timestamp: AT - 5, properties: {} }],
      context: { page: { path: "/sale" } },
    };
    expect(await preview({ condition, profile, now: NOW })).toMatchObject({ value: true });
  });

  it("knows the site's segments, static ones as the profile says", async () => {
    const site = await newSite();
    await site.post("/api/segments", {
      key: "pro",
      name: "Pro",
      condition: { trait: "plan", eq: "pro" },
      status: "active",
    });
    await site.post("/api/segments", { key: "list", name: "List", kind: "static", status: "active" });
    const ask = (key: string, profile: object) =>
      site.post("/api/segments/preview", { condition: { segment: key }, profile });
    expect(await ask("pro", { traits: { plan: "pro" } })).toMatchObject({ value: true });
    expect(await ask("pro", { traits: { plan: "free" } })).toMatchObject({ value: false });
    expect(await ask("list", {})).toMatchObject({ value: false });
    expect(await ask("list", { segments: ["list"] })).toMatchObject({ value: true });
    expect(await ask("nope", {})).toMatchObject({ value: "unknown" });
  });

  it("takes a stored profile, with all its events and not only those that rules look at", async () => {
    const site = await newSite();
    const id = await storePerson(site);
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const condition = { event: "Something Rare", where: { colour: { eq: "red" } }, within: "24h" };
    expect(await site.post("/api/segments/preview", { condition, profile: id, now: later })).toMatchObject({
      value: true,
    });
    const tomorrow = new Date(Date.now() + 2 * 86_400_000).toISOString();
    expect(await site.post("/api/segments/preview", { condition, profile: id, now: tomorrow })).toMatchObject({
      value: false,
    });
    expect(
      await site.post("/api/segments/preview", { condition: { trait: "plan", eq: "pro" }, profile: id }),
    ).toMatchObject({ value: true });
    const other = await newSite();
    await problemOf(other.send("POST", "/api/segments/preview", { condition, profile: id }), "not-found");
  });

  it.each<[object, string, string]>([
    [{}, "/condition", "invalid-request"],
    [{ condition: { event: "A" }, conditions: [{ event: "A" }] }, "/condition", "invalid-request"],
    [{ condition: { event: "A" }, now: "yesterday" }, "/now", "invalid-request"],
    [{ condition: { event: "A" }, now: "2026-03-01T12:00:00" }, "/now", "invalid-request"],
    [{ condition: { event: "A" }, now: 1e300 }, "/now", "invalid-request"],
    [{ condition: { event: "A" }, consent: ["everything"] }, "/consent", "invalid-request"],
    [
      { condition: { event: "A" }, profile: { events: [{ event: "A" }] } },
      "/profile/events/0/timestamp",
      "invalid-request",
    ],
    [{ condition: { event: "A" }, profile: { trait: {} } }, "/profile/trait", "invalid-request"],
    [{ condition: { event: "A" }, profile: 5 }, "/profile", "invalid-request"],
    [{ condition: { event: "A", within: "x" } }, "/condition/within", "invalid-condition"],
    [{ conditions: [{ event: "A" }, { nope: 1 }] }, "/conditions/1", "invalid-condition"],
  ])("refuses %j and says where", async (body, pointer, slug) => {
    const site = await newSite();
    const problem = await problemOf(site.send("POST", "/api/segments/preview", body), slug);
    expect(problem.errors?.map((error) => error.pointer).join()).toContain(pointer);
  });

  it("says how a time is written, in place of a pattern", async () => {
    const site = await newSite();
    const body = { condition: { event: "A" }, now: "tomorrow" };
    const problem = await problemOf(site.send("POST", "/api/segments/preview", body), "invalid-request");
    expect(problem.detail).toMatch(/^A time is ISO 8601/);
  });
});

describe("a preview of a stored profile at another time", () => {
  const DAY_MS = 86_400_000;
  const at = (days: number) => new Date(AT + days * DAY_MS).toISOString();

  /** Views shoes on day 0 and 2; on the free plan from day 1, pro from day 3; the company is forgotten on day 3. */
  async function storeHistory(site: Client): Promise<string> {
    const identify = { type: "identify", userId: "u" };
    const viewed = { type: "track", userId: "u", event: "Product Viewed" };
    await ingest(site, [
      { ...viewed, timestamp: at(0) },
      { ...identify, timestamp: at(1), traits: { plan: "free", company: "Acme" } },
      { ...viewed, timestamp: at(2) },
      { ...identify, timestamp: at(3), traits: { plan: "pro", company: null } },
      { type: "group", userId: "u", groupId: "g", timestamp: at(3) },
    ]);
    return (await site.get("/api/profiles?userId=u")).id;
  }

  it("counts its events until then, and holds as if no other came", async () => {
    const site = await newSite();
    const profile = await storeHistory(site);
    const ask = (count: object, now: string) =>
      site.post("/api/segments/preview", { condition: { event: "Product Viewed", count, within: "7d" }, profile, now });
    expect(await ask({ gte: 1 }, at(-1))).toMatchObject({ value: false, until: null });
    expect(await ask({ gte: 1 }, at(0))).toMatchObject({ value: true, until: at(7) });
    expect(await ask({ eq: 1 }, at(1))).toMatchObject({ value: true, until: at(7) });
    expect(await ask({ eq: 2 }, at(2))).toMatchObject({ value: true, until: at(7) });
    expect(await ask({ eq: 2 }, at(8))).toMatchObject({ value: false });
    expect(await ask({ eq: 0 }, "2190-01-01")).toMatchObject({ value: true, until: null });
  });

  it("knows its traits as they were said by then", async () => {
    const site = await newSite();
    const profile = await storeHistory(site);
    const ask = async (trait: string, now?: string) => {
      const condition = { trait, exists: true };
      const { why } = await site.post("/api/segments/preview", { condition, profile, now, why: true });
      return why.actual;
    };
    expect([await ask("plan", at(0)), await ask("plan", at(1)), await ask("plan", at(2.9))]).toEqual([
      undefined,
      "free",
      "free",
    ]);
    expect([await ask("plan", at(3)), await ask("plan"), await ask("plan", "2190-01-01")]).toEqual([
      "pro",
      "pro",
      "pro",
    ]);
    expect([await ask("company", at(2)), await ask("company", at(3)), await ask("company")]).toEqual([
      "Acme",
      undefined,
      undefined,
    ]);
    expect([await ask("groupId", at(2)), await ask("groupId", at(4))]).toEqual([undefined, "g"]);
  });

  it("knows of traits said at one instant which counts, and none that there was no room for", async () => {
    const site = await newSite();
    const identify = (traits: object, more: object = {}) => ({
      ...{ type: "identify", userId: "u", timestamp: at(1), traits },
      ...more,
    });
    await ingest(site, [identify({ plan: "server" }, { messageId: "m1" })]);
    const imported = [identify({ plan: "import" }, { messageId: "m2" })];
    await send(null, "POST", "/v1/batch", { writeKey: site.writeKey, source: "import", batch: imported });
    const many = Object.fromEntries(Array.from({ length: TRAITS_PER_IDENTIFIER }, (_, n) => [`t${n}`, n]));
    await ingest(site, [
      identify(many),
      identify({ last: 1 }, { timestamp: at(0) }),
      identify({ plan: "now" }, { timestamp: at(3) }),
    ]);
    const { id } = await site.get("/api/profiles?userId=u");
    const ask = async (trait: string, now?: string) => {
      const condition = { trait, exists: true };
      const { why } = await site.post("/api/segments/preview", { condition, profile: id, now, why: true });
      return why.actual;
    };
    for (const [trait, value] of [
      ["plan", "server"],
      ["t0", 0],
      [`t${TRAITS_PER_IDENTIFIER - 1}`, undefined],
      ["last", undefined],
    ] as const)
      expect(await ask(trait, at(2)), trait).toBe(value);
    expect([await ask("plan"), await ask("last")]).toEqual(["now", undefined]);
  });

  it("is in the lists that it was on by then", async () => {
    const site = await newSite();
    const profile = await storeHistory(site);
    await site.post("/api/segments", { key: "list", name: "List", kind: "static", status: "active" });
    await site.post("/api/segments/list/members", { identifiers: ["u"] });
    const ask = (now?: string) =>
      site.post("/api/segments/preview", { condition: { segment: "list" }, profile, now, why: true });
    expect(await ask()).toMatchObject({
      value: true,
      why: { actual: expect.stringMatching(/Z$/), says: expect.stringContaining("yes (since ") },
    });
    expect(await ask("2190-01-01")).toMatchObject({ value: true });
    expect(await ask(at(4))).toMatchObject({ value: false });
  });

  it("takes any consent in place of what it said", async () => {
    const site = await newSite();
    const profile = await storeHistory(site);
    const ask = (consent: unknown) =>
      site.post("/api/segments/preview", { condition: { trait: "plan", eq: "pro" }, profile, consent });
    expect(await ask([])).toMatchObject({ value: "unknown" });
    expect(await ask({ personalization: false, analytics: true })).toMatchObject({ value: "unknown" });
    expect(await ask({ personalization: true })).toMatchObject({ value: true });
  });
});

describe("a profile that is meant to break something", () => {
  const deep = (levels: number, open = '{"a":', close = "}") => `${open.repeat(levels)}1${close.repeat(levels)}`;

  it.each([
    ["traits", `{"traits":{"a":${deep(50_000)}}}`, "/profile/traits"],
    ["arrays", `{"traits":{"a":${deep(50_000, "[", "]")}}}`, "/profile/traits"],
    ["properties", `{"events":[{"event":"A","timestamp":1,"properties":${deep(13)}}]}`, "/profile/events/0/properties"],
    ["a context", `{"context":${deep(13)}}`, "/profile/context"],
  ])("by the depth of %s is refused", async (_name, profile, pointer) => {
    const site = await newSite();
    const body = `{"condition":{"trait":"a","exists":true},"why":true,"profile":${profile}}`;
    const problem = await problemOf(site.send("POST", "/api/segments/preview", body), "invalid-request");
    expect(problem.errors?.map((error) => error.pointer)).toEqual([pointer]);
  });

  it.each<[string, object, unknown]>([
    [`{"traits":{"__proto__":{"x":1}}}`, { trait: "__proto__.x", exists: true }, false],
    [`{"traits":{"__proto__":{"x":1}}}`, { trait: "x", exists: true }, false],
    [`{"traits":{}}`, { trait: "constructor.name", exists: true }, false],
    [`{"traits":{"a":1e999}}`, { trait: "a", gt: 1 }, true],
    [`{"traits":{"a":"${"a".repeat(300_000)}"}}`, { trait: "a", like: "*a*a*a*a*a*b" }, false],
    [`{"traits":{"a":[${"1,".repeat(100_000)}1]}}`, { trait: "a", any: { eq: 2 } }, false],
    [`{"traits":{"a":${deep(11)}}}`, { trait: "a", exists: true }, true],
    [`{"segments":["__proto__","constructor"]}`, { segment: "__proto__" }, "unknown"],
    [`{"context":{"timezone":"Nowhere/At all"}}`, { time: { weekday: ["sat"], zone: "visitor" } }, "unknown"],
    [`{"id":"\\ud800"}`, { sample: { seed: "s", from: 0, to: 1 } }, true],
    [
      `{"events":[{"event":"A","timestamp":"2190-01-01"},{"event":"A","timestamp":"1900-01-01"}]}`,
      { event: "A" },
      true,
    ],
  ])("gets a defined answer: %.80s", async (profile, condition, value) => {
    const site = await newSite();
    const body = `{"condition":${JSON.stringify(condition)},"why":true,"profile":${profile}}`;
    const answer = await site.send("POST", "/api/segments/preview", body);
    expect(await answer.json<Json>()).toMatchObject({ value, why: { value } });
  });
});

async function storePerson(site: Client): Promise<string> {
  await ingest(site, [
    { type: "track", event: "Something Rare", anonymousId: "a", messageId: "m1", properties: { colour: "red" } },
    { type: "identify", anonymousId: "a", userId: "u1", messageId: "m2", traits: { plan: "pro" } },
  ]);
  return (await site.get("/api/profiles?userId=u1")).id;
}
