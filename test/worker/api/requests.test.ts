import { env } from "cloudflare:test";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { PROBLEMS } from "../../../edge/problem.ts";
import { type Client, type Json, newSite, problemOf, send } from "./client.ts";

let site: Client;
beforeAll(async () => {
  site = await newSite();
});

const segment = (key: string) => ({ key, name: "A", condition: { event: "A" } });

describe("a body that is wrong", () => {
  it.each([
    ["is no JSON", '{"key": "a", "name": }', /line 1, column 22/],
    ["is cut off", '{"key": "a"', /line 1, column 12/],
    ["has a comma too many", '{\n  "a": [1, 2, ],\n "b": "é" }', /line 2, column 15/],
    ["has a broken escape", '{"a": "\\q"}', /line 1, column 9/],
    ["has a wrong word", '{"a": nope}', /line 1, column 8/],
    ["goes on after its end", '{"a": 1}}', /line 1, column 9/],
    ["is no UTF-8", new Uint8Array([0x22, 0xff, 0xfe, 0x22]), /UTF-8/],
  ])("because it %s is refused, and is not repeated", async (_name, body, detail) => {
    const problem = await problemOf(site.send("POST", "/api/segments", body), "invalid-json");
    expect(problem.detail).toMatch(detail);
    expect(problem.detail).not.toContain('"key"');
  });

  it("says what is missing, and in a choice of forms what the one that was meant has not", async () => {
    const missing = await problemOf(site.send("POST", "/api/segments", { key: "a" }), "invalid-request");
    expect(missing.errors).toMatchObject([{ pointer: "/name", detail: '"name" is missing' }]);
    const body = { profile: { userId: "u-42" }, slots: ["hero"] };
    const choice = await problemOf(site.send("POST", "/api/decide", body), "invalid-request");
    expect(choice.errors).toMatchObject([
      { pointer: "/profile/kind", detail: '"kind" is missing' },
      { pointer: "/profile/value", detail: '"value" is missing' },
      { pointer: "/profile/userId", detail: "There is no userId here." },
    ]);
  });

  it.each([
    ["empty", "", ""],
    ["null", "null", ""],
    ["a list", "[]", ""],
    ["a number", "5", ""],
    ["without a name", { key: "a" }, "/name"],
    ["with a key that is no string", { ...segment("a"), key: 5 }, "/key"],
    ["with a key of the wrong form", { ...segment("a"), key: "A B" }, "/key"],
    ["with an unknown kind", { ...segment("a"), kind: "magic" }, "/kind"],
    ["with a condition that is no object", { ...segment("a"), condition: [] }, "/condition"],
    ["with a field that does not exist", { ...segment("a"), colour: 1 }, "/colour"],
    ["with a field of a telling name", { ...segment("a"), "a/b~c": 1 }, "/a~1b~0c"],
  ])("because it is %s gets a pointer to what is wrong", async (_name, body, pointer) => {
    const problem = await problemOf(site.send("POST", "/api/segments", body), "invalid-request");
    expect(problem.errors?.map((error) => error.pointer)).toContain(pointer);
    for (const error of problem.errors!)
      expect(error).toMatchObject({ code: expect.any(String), detail: expect.any(String) });
  });

  it("because it is larger than 500 KB is refused, announced or not", async () => {
    const body = JSON.stringify({ ...segment("big"), name: "x".repeat(501 * 1024) });
    await problemOf(site.send("POST", "/api/segments", body), "batch-too-large");
    await problemOf(site.send("POST", "/api/segments", body, { "content-length": "10" }), "batch-too-large");
  });

  it("leaves nothing behind", async () => {
    expect(await site.get("/api/segments")).toEqual({ data: [], next: null });
  });

  it("but whose content type is another one is read all the same", async () => {
    for (const type of ["text/plain", "application/json; charset=utf-8", "application/x-www-form-urlencoded"]) {
      const response = await site.send(
        "POST",
        "/api/segments/preview",
        { condition: { event: "A" } },
        { "content-type": type },
      );
      expect(response.status).toBe(200);
    }
  });

  it.each([
    ["__proto__", '{"__proto__": {"a": 1}, "key": "p", "name": "A"}'],
    ["constructor", '{"constructor": {"prototype": {"a": 1}}, "key": "p", "name": "A"}'],
    ["deep nesting", `{"key":"p","name":"A","condition":${'{"not":'.repeat(2_000)}{"event":"A"}${"}".repeat(2_000)}}`],
    ["very deep nesting", "[".repeat(100_000)],
    ["a lone surrogate", '{"key":"p","name":"\\ud800","condition":{"event":"A"},"x":1}'],
  ])("because of %s is a problem, never a failure", async (_name, body) => {
    const response = await site.send("POST", "/api/segments", body);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    expect(({} as Json).a).toBeUndefined();
  });
});

describe("an address that is wrong", () => {
  it("is not found", async () => {
    await problemOf(site.send("GET", "/api/nothing"), "not-found");
    await problemOf(site.send("GET", "/nothing"), "not-found");
    await problemOf(site.send("GET", "/api/segments/nope"), "not-found");
    await problemOf(site.send("GET", "/api/segments/nope/members"), "not-found");
  });

  it("with another method answers which ones it has", async () => {
    const response = site.send("DELETE", "/api/segments");
    await problemOf(response, "method-not-allowed");
    expect((await response).headers.get("allow")?.split(", ").sort()).toEqual(["GET", "POST"]);
  });

  it.each(["?limit=0", "?limit=1000", "?limit=abc", "?cursor=!!!", "?cursor=e30", "?cursor=", "?archived=perhaps"])(
    "with %s is refused",
    async (query) => {
      await problemOf(site.send("GET", `/api/segments${query}`), "invalid-request");
    },
  );
});

describe("every answer", () => {
  it("carries a request id: the caller's if it is a plain one", async () => {
    const ours = await site.send("GET", "/api/segments");
    expect(ours.headers.get("x-request-id")).toMatch(/^[\w-]{8,64}$/);
    const theirs = await site.send("GET", "/api/segments", undefined, { "x-request-id": "abc-123" });
    expect(theirs.headers.get("x-request-id")).toBe("abc-123");
    const evil = await site.send("GET", "/api/segments", undefined, { "x-request-id": "a b<script>" });
    expect(evil.headers.get("x-request-id")).not.toContain("script");
  });

  it("of the API is kept by no cache", async () => {
    expect((await site.send("GET", "/api/segments")).headers.get("cache-control")).toBe("no-store");
    expect((await site.send("GET", "/api/nothing")).headers.get("cache-control")).toBe("no-store");
  });

  it("to a failure on our side says nothing of it, and logs it under the request's id without the body", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    await env.DB.prepare("ALTER TABLE segments RENAME TO segments_away").run();
    try {
      const body = { ...segment("secret-body"), name: "secret-name" };
      const problem = await problemOf(
        site.send("POST", "/api/segments", body, { "x-request-id": "req-1" }),
        "internal",
      );
      expect(JSON.stringify(problem)).not.toMatch(/SQL|segments|D1/);
      const line = logged.mock.calls.flat().join();
      expect(line).toContain("req-1");
      expect(line).not.toContain("secret-name");
      expect(line).not.toContain(site.secretKey);
    } finally {
      await env.DB.prepare("ALTER TABLE segments_away RENAME TO segments").run();
      logged.mockRestore();
    }
  });
});

describe("an Idempotency-Key", () => {
  const post = (body: unknown, key: string, path = "/api/keys") =>
    site.send("POST", path, body, { "idempotency-key": key });
  const body = { kind: "secret", label: "Once" };

  it("makes the same request happen once, with the same answer", async () => {
    const first = await post(body, "k1");
    const again = await post(body, "k1");
    expect(again.status).toBe(201);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    const answer = await first.json<Json>();
    expect(await again.json()).toEqual(answer);
    const { data } = await site.get("/api/keys");
    expect(data.filter(({ label }: Json) => label === "Once")).toHaveLength(1);
  });

  it("does not store a secret that is shown once in a readable form", async () => {
    const { key } = await (await post(body, "k2")).json<Json>();
    const { results } = await env.DB.prepare("SELECT * FROM idempotency_keys").all();
    expect(results.length).toBeGreaterThan(0);
    expect(JSON.stringify(results)).not.toContain(key);
    expect(JSON.stringify(results)).not.toContain(site.secretKey);
  });

  it("is refused for another request", async () => {
    await post(body, "k3");
    await problemOf(post({ ...body, label: "Other" }, "k3"), "idempotency-mismatch");
    await problemOf(post(segment("k3"), "k3", "/api/segments"), "idempotency-mismatch");
  });

  it("answers a conflict while the first request is under way", async () => {
    const answers = await Promise.all([post(body, "k4"), post(body, "k4"), post(body, "k4")]);
    const statuses = answers.map(({ status }) => status);
    expect(statuses).toContain(201);
    for (const status of statuses) expect([201, 409]).toContain(status);
    const { data } = await site.get("/api/keys?limit=200");
    expect(data.filter(({ label }: Json) => label === "Once")).toHaveLength(4);
    await env.DB.prepare("UPDATE idempotency_keys SET status = NULL, body = NULL WHERE key = 'k4'").run();
    const problem = post(body, "k4");
    await problemOf(problem, "conflict");
    expect((await problem).headers.get("retry-after")).toBe("1");
  });

  it("is free again after 24 hours, and where the first request never ended", async () => {
    await post(body, "k5");
    await env.DB.prepare("UPDATE idempotency_keys SET created_at = created_at - 86400001 WHERE key = 'k5'").run();
    expect((await post({ ...body, label: "Later" }, "k5")).status).toBe(201);
    await env.DB.prepare(
      "UPDATE idempotency_keys SET status = NULL, created_at = created_at - 61000 WHERE key = 'k5'",
    ).run();
    expect((await post({ ...body, label: "Last" }, "k5")).status).toBe(201);
  });

  it("keeps refusals too, and belongs to its site", async () => {
    await problemOf(post({ kind: "magic" }, "k6"), "invalid-request");
    const again = await post({ kind: "magic" }, "k6");
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    const other = await newSite();
    const free = await send(other.secretKey, "POST", "/api/keys", body, { "idempotency-key": "k1" });
    expect(free.headers.get("idempotent-replayed")).toBeNull();
    expect(free.status).toBe(201);
  });

  it("that is too long is refused", async () => {
    await problemOf(post(body, "x".repeat(256)), "invalid-request");
  });
});

describe("the pages for people", () => {
  it("list every problem at its anchor", async () => {
    const page = await (await send(null, "GET", "/problems")).text();
    for (const slug of Object.keys(PROBLEMS)) expect(page).toContain(`id="${slug}"`);
  });

  it("show the API from our own files under a strict policy", async () => {
    const response = await send(null, "GET", "/api/docs");
    const policy = response.headers.get("content-security-policy")!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/script-src[^;]*unsafe|https?:/);
    const page = await response.text();
    expect(page).toContain("/docs/swagger-ui-bundle.js");
    expect(page).not.toMatch(/(src|href)="https?:/);
  });
});
