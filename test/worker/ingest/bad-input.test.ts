import { beforeAll, describe, expect, it } from "vitest";
import { createSite, type TestSite, track } from "../site.ts";

describe("bad input", () => {
  let site: TestSite;
  beforeAll(async () => {
    site = await createSite({ segments: [{ key: "any", condition: { event: "Good" } }] });
  });

  async function problemOf(response: Response): Promise<{ status: number; type: string; detail: string }> {
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    const problem = (await response.json()) as { status: number; type: string; detail: string };
    expect(response.status).toBe(problem.status);
    return problem;
  }

  const bodies: [name: string, body: string | Uint8Array, status: number, type: string][] = [
    ["no JSON", "{not json", 400, "/problems#invalid-json"],
    ["an empty body", "", 400, "/problems#invalid-json"],
    ["invalid UTF-8", new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), 400, "/problems#invalid-json"],
    ["a list in place of an object", "[]", 400, "/problems#invalid-request"],
    ["no list of messages", "{}", 400, "/problems#invalid-request"],
    ["a batch of 501 KB", JSON.stringify({ batch: [], pad: "x".repeat(501 * 1024) }), 413, "/problems#batch-too-large"],
    ["2,501 events", JSON.stringify({ batch: Array(2501).fill(0) }), 413, "/problems#batch-too-large"],
  ];
  it.each(bodies)("answers %s with a problem", async (_name, body, status, type) => {
    expect(await problemOf(await site.post("/v1/batch", body))).toMatchObject({ status, type });
  });

  it("refuses unknown keys and foreign origins", async () => {
    const unknown = await site.post("/v1/batch", { batch: [] }, { authorization: `Basic ${btoa("pk_nobody:")}` });
    expect(await problemOf(unknown)).toMatchObject({ status: 401, type: "/problems#unauthorized" });
    const none = await site.post("/v1/batch", { batch: [] }, { authorization: "" });
    expect(await problemOf(none)).toMatchObject({ status: 401 });
    const foreign = await site.post("/v1/batch", { batch: [] }, { origin: "https://evil.example" });
    expect(await problemOf(foreign)).toMatchObject({ status: 403, type: "/problems#forbidden-origin" });
    const own = await site.post("/v1/batch", { batch: [] }, { origin: "https://shop.example" });
    expect(own.headers.get("access-control-allow-origin")).toBe("https://shop.example");
  });

  const deep = JSON.parse(`${'{"a":'.repeat(40)}1${"}".repeat(40)}`);
  const messages: [name: string, message: unknown, pointer: string][] = [
    ["a number", 7, ""],
    ["null", null, ""],
    ["a list", [], ""],
    ["an unknown type", { type: "explode", anonymousId: "x" }, "/type"],
    ["no identifier", { type: "track", event: "E" }, "/userId"],
    ["a placeholder for an identifier", { type: "track", event: "E", userId: "null" }, "/userId"],
    ["an identifier that no store gives back", { type: "track", event: "E", userId: "a\ud800" }, "/userId"],
    [
      "a messageId that no store gives back",
      { type: "track", event: "E", userId: "a", messageId: "\u0000" },
      "/messageId",
    ],
    ["an identifier that is an object", { type: "track", event: "E", userId: {} }, "/userId"],
    ["track without a name", { type: "track", anonymousId: "x" }, "/event"],
    ["properties that are a string", { type: "track", event: "E", anonymousId: "x", properties: "p" }, "/properties"],
    ["a time that is none", { type: "track", event: "E", anonymousId: "x", timestamp: "yesterday" }, "/timestamp"],
    ["alias without previousId", { type: "alias", userId: "u" }, "/previousId"],
    ["group without groupId", { type: "group", userId: "u" }, "/groupId"],
    ["nesting 40 deep", { type: "track", event: "E", anonymousId: "x", properties: deep }, "/properties"],
    ["nesting 40 deep elsewhere", { type: "track", event: "E", anonymousId: "x", "a/b": deep }, "/a~1b"],
  ];
  it.each(messages)("refuses %s, says where, and keeps the rest", async (_name, message, pointer) => {
    const good = track("Good");
    const answer = await site.batch([good, message, track("Good")]);
    expect(answer.accepted).toBe(2);
    expect(answer.rejected).toHaveLength(1);
    expect(answer.rejected[0]).toMatchObject({ index: 1, problem: { type: "/problems#invalid-event" } });
    expect(answer.rejected[0]!.problem.errors?.[0]?.pointer).toBe(pointer);
    const stored = await site.rows("SELECT 1 FROM events WHERE site_id = ?1 AND message_id = ?2", good["messageId"]);
    expect(stored).toHaveLength(1);
    expect(await site.rows("SELECT 1 FROM events WHERE site_id = ?1 AND name <> 'Good'")).toEqual([]);
  });

  it("refuses a message whose batch says something that is nested 40 deep", async () => {
    const answer = await site.batch([track("Good"), track("Good", {}, { context: {} })], { context: deep });
    expect(answer).toMatchObject({
      accepted: 1,
      rejected: [{ index: 0, problem: { errors: [{ pointer: "/context", code: "too-deep" }] } }],
    });
  });

  it("refuses an event of 33 KB alone", async () => {
    const answer = await site.batch([track("Good"), track("Big", { text: "é".repeat(17 * 1024) })]);
    expect(answer).toMatchObject({
      accepted: 1,
      rejected: [{ index: 1, problem: { type: "/problems#event-too-large" } }],
    });
  });

  it("keeps of an identify's traits as many as fit, says so, and stores the event", async () => {
    const traits = (from: number, n: number) =>
      Object.fromEntries(Array.from({ length: n }, (_, i) => [`t${from + i}`, i]));
    const identify = (from: number, n: number) => ({
      type: "identify",
      userId: "many",
      messageId: `t${from}`,
      traits: traits(from, n),
    });
    const answer = await site.batch([identify(0, 400), identify(400, 200), identify(600, 100)]);
    expect(answer).toMatchObject({
      accepted: 3,
      rejected: [],
      warnings: [
        { index: 1, pointer: "/traits", code: "too-many", detail: expect.stringContaining('"t500"') },
        { index: 2, pointer: "/traits", code: "too-many", detail: expect.stringContaining("95 more") },
      ],
    });
    const kept = await site.rows<{ name: string }>(
      "SELECT key AS name FROM traits, json_each(traits.body) WHERE site_id = ?1 AND identifier = 'userId:many'",
    );
    expect(kept.map(({ name }) => name)).toEqual(Object.keys(traits(0, 500)));
    expect(await site.rows("SELECT 1 FROM events WHERE site_id = ?1 AND owner = 'userId:many'")).toHaveLength(3);
    const huge = await site.batch([{ type: "identify", userId: "huge", traits: traits(0, 2_500) }]);
    expect(huge).toMatchObject({ accepted: 1, warnings: [{ detail: expect.stringContaining("1995 more") }] });
  });

  it("takes hostile names and characters as data", async () => {
    const body = `{"batch":[{"type":"track","event":"Good","anonymousId":"h1","messageId":"h1","properties":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"text":"\\u0000\\ud800 '\\"; DROP TABLE events;--"}}]}`;
    const response = await site.post("/v1/batch", body);
    expect(await response.json()).toMatchObject({ accepted: 1 });
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    const [row] = await site.rows<{ body: string }>("SELECT body FROM events WHERE site_id = ?1 AND message_id = 'h1'");
    expect(Object.keys(JSON.parse(row!.body).properties)).toEqual(["__proto__", "constructor", "text"]);
  });

  it("answers a bad single message as a problem", async () => {
    const response = await site.post("/v1/track", { anonymousId: "x" });
    expect(await problemOf(response)).toMatchObject({ status: 400, type: "/problems#invalid-event" });
    expect(await problemOf(await site.post("/v1/nonsense", {}))).toMatchObject({ status: 404 });
    expect(await problemOf(await site.post("/v1/manifest/x", {}))).toMatchObject({ status: 405 });
  });

  it.each(["1e999", "-1E+999", "9".repeat(400)])(
    "takes a number that is too large, %s, for what storage makes of it",
    async (number) => {
      const rules = [{ gt: 5 }, { lt: -5 }].map((n) => ({ event: "Huge", where: { n } }));
      const huge = await createSite({ segments: [{ key: "huge", condition: { any: rules } }] });
      const message = `{"type":"track","event":"Huge","anonymousId":"h","messageId":"h1","properties":{"n":${number}}}`;
      expect(await (await huge.post("/v1/batch", `{"batch":[${message}]}`)).json()).toMatchObject({ accepted: 1 });
      expect(await huge.rows("SELECT body ->> '$.properties.n' AS n FROM events WHERE site_id = ?1")).toEqual([
        { n: null },
      ]);
      expect(await huge.rows("SELECT 1 FROM memberships WHERE site_id = ?1")).toEqual([]);
    },
  );

  it("keeps since when somebody is in a segment that is called like what every object has", async () => {
    const odd = await createSite({ segments: [{ key: "constructor", condition: { event: "Good" } }] });
    const read = () => odd.rows("SELECT segment_key, since FROM memberships WHERE site_id = ?1");
    await odd.batch([track("Good")]);
    const before = await read();
    expect(before).toMatchObject([{ segment_key: "constructor" }]);
    await odd.batch([track("Good")]);
    expect(await read()).toEqual(before);
  });

  it("keeps an event whose userId is too long with its device", async () => {
    const long = await createSite();
    const message = { type: "page", userId: "u".repeat(300), anonymousId: "d", messageId: "m1" };
    expect(await long.batch([message, { ...message, anonymousId: undefined, messageId: "m2" }])).toMatchObject({
      accepted: 1,
      rejected: [{ index: 1, problem: { errors: [{ pointer: "/userId" }] } }],
    });
    expect(await long.rows("SELECT owner FROM events WHERE site_id = ?1")).toEqual([{ owner: "anonymousId:d" }]);
  });
});
