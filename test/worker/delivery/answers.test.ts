/** What a browser learns from a refusal: whether to come back, and when; and that what is bad costs nothing else. */
import { beforeAll, describe, expect, it } from "vitest";
import type { Env } from "../../../edge/env.ts";
import { forget } from "../../../edge/manifest/memory.ts";
import type { DecideAnswer, IngestAnswer } from "../../../shared/wire.ts";
import { throughEach } from "../profiles/around.ts";
import { bindings, createSite, type TestSite, track } from "../site.ts";
import { ask } from "./worker.ts";

const ORIGIN = "https://shop.example";
let site: TestSite;
beforeAll(async () => {
  site = await createSite({
    segments: [{ key: "runner", condition: { event: "Ran" } }],
    blocks: [{ slot: "hero", variants: [{ key: "all", audience: null, template: "Hello" }] }],
  });
});

const failing = (message: string): Env => ({
  ...bindings,
  DB: throughEach(() => Promise.reject(new Error(message))),
});
const post = (path: string, body: object, env = bindings, origin = ORIGIN) =>
  ask(env, path, {
    method: "POST",
    headers: { origin },
    body: JSON.stringify({ writeKey: site.writeKey, ...body }),
  });

const REQUESTS: [path: string, body: object][] = [
  ["/a/batch", { batch: [track("Ran")] }],
  ["/a/decide", { anonymousId: "a1", events: [track("Ran")] }],
  ["/a/consent", { anonymousId: "a1", purposes: { analytics: true } }],
];

describe.each(REQUESTS)("%s", (path, body) => {
  it.each([
    ["overloaded", "D1_ERROR: D1 DB is overloaded. Requests queued for too long.", 503, "2"],
    ["out of reach", "D1_ERROR: Network connection lost.", 503, "2"],
    ["broken", "D1_ERROR: no such table: events", 500, null],
  ])("is to be sent again while the store is %s, and the page may read when", async (_name, message, status, after) => {
    const response = await post(path, body, failing(message));
    expect(response.status).toBe(status);
    expect(response.headers.get("retry-after")).toBe(after);
    expect(response.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(response.headers.get("access-control-expose-headers")).toBe("retry-after");
    expect(await response.json()).toMatchObject({ status, type: expect.stringMatching(/^\/problems#/) });
  });

  it.each<[name: string, more: object, origin: string, status: number]>([
    ["the key is unknown", { writeKey: "pk_nobody" }, ORIGIN, 401],
    ["the origin is not the site's", {}, "https://evil.example", 403],
    ["the body is too large", { pad: "x".repeat(501 * 1024) }, ORIGIN, 413],
  ])("is not worth sending again where %s, and the page may read why", async (_name, more, origin, status) => {
    const response = await post(path, { ...body, ...more }, bindings, origin);
    expect(response.status).toBe(status);
    expect(response.headers.get("retry-after")).toBeNull();
    expect(response.headers.get("access-control-allow-origin")).toBe(origin);
    expect(await response.json()).toMatchObject({ status });
  });
});

it("asks to come back, and does not call the key unknown, while nobody can say whose it is", async () => {
  forget();
  const KV = { get: () => Promise.reject(new Error("KV GET failed: 503")) } as unknown as KVNamespace;
  const env = { ...failing("D1_ERROR: Network connection lost."), KV };
  for (const path of ["/a/batch", "/a/decide"]) expect((await post(path, { batch: [] }, env)).status).toBe(503);
  expect((await ask(env, `/a/manifest/${site.writeKey}`)).status).toBe(503);
  expect((await post("/a/batch", { batch: [] })).status).toBe(200);
});

describe("one bad element", () => {
  it("costs no other slot its answer", async () => {
    const response = await post("/a/decide", { slots: ["", null, 7, {}, "x".repeat(129), "hero", "hero"] });
    const { slots } = await response.json<DecideAnswer>();
    expect(Object.keys(slots)).toEqual(["hero"]);
    expect(slots["hero"]!.html).toBe("Hello");
  });

  it("is not looked at where there are too many of its kind", async () => {
    const names = [...Array.from({ length: 60 }, (_, n) => `slot-${n}`)];
    const { slots } = await (await post("/a/decide", { slots: [null, ...names] })).json<DecideAnswer>();
    expect(Object.keys(slots)).toEqual(names.slice(0, 50));
  });

  it.each([
    { userId: "u".repeat(300) },
    { userId: "" },
    { userId: null },
    { anonymousId: "" },
    { anonymousId: "a".repeat(300) },
  ])("is an id that names nobody: the visitor is answered by the other one, or as anybody (%#)", async (ids) => {
    const response = await post("/a/decide", { anonymousId: "walker", slots: ["hero"], ...ids });
    expect(response.status).toBe(200);
    expect((await response.json<DecideAnswer>()).slots["hero"]!.html).toBe("Hello");
  });

  it("says nothing of anybody where nothing is said of consent", async () => {
    expect((await post("/a/consent", { anonymousId: "nobody", purposes: {} })).status).toBe(200);
    expect(
      await site.rows("SELECT 1 FROM identifiers WHERE site_id = ?1 AND identifier = 'anonymousId:nobody'"),
    ).toEqual([]);
  });

  it("does not keep a withdrawal from counting for the device", async () => {
    const said = { anonymousId: "shy", userId: "u".repeat(300), purposes: { marketing: false } };
    expect((await post("/a/consent", said)).status).toBe(200);
    const rows = await site.rows(
      "SELECT identifier, granted FROM consents WHERE site_id = ?1 AND purpose = 'marketing'",
    );
    expect(rows).toEqual([{ identifier: "anonymousId:shy", granted: 0 }]);
  });

  it("costs no other message its place, in a batch as in a decision", async () => {
    const messages = [track("Ran"), { type: "track" }, 5, track("Ran", {}, { seq: {}, context: 7 }), track("Ran")];
    for (const [path, list] of [
      ["/a/batch", "batch"],
      ["/a/decide", "events"],
    ] as const) {
      const { accepted, rejected } = await (await post(path, { [list]: messages })).json<IngestAnswer>();
      expect([accepted, rejected.map(({ index }) => index)]).toEqual([2, [1, 2, 3]]);
    }
  });
});
