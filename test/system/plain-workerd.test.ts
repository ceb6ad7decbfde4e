/** The built Worker on plain `wrangler dev`: there, as in production, generating code from strings throws. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type System, startSystem } from "./system.ts";

let system: System;

beforeAll(async () => {
  system = await startSystem();
});

afterAll(() => system?.stop());

const post = (path: string, body: unknown) =>
  fetch(system.worker.url + path, {
    method: "POST",
    headers: { "content-type": "text/plain" },
    body: JSON.stringify(body),
  });

it("answers health, the script and the API's description", async () => {
  expect((await fetch(`${system.worker.url}/healthz`)).status).toBe(200);
  const script = await fetch(`${system.worker.url}/attune.js`);
  expect(script.status).toBe(200);
  expect(script.headers.get("content-type")).toContain("javascript");
  const described = (await (await fetch(`${system.worker.url}/api/openapi.json`)).json()) as { openapi: string };
  expect(described.openapi).toMatch(/^3\.1/);
});

it("publishes a segment and a block, decides and renders, and generates no code on the way", async () => {
  await system.api("POST", "/api/segments", {
    key: "likes-shoes",
    name: "Likes shoes",
    kind: "dynamic",
    visibility: "public",
    status: "active",
    condition: { event: "Product Viewed", where: { category: { eq: "shoes" } }, within: "24h", count: { gte: 2 } },
  });
  await system.api("POST", "/api/blocks", {
    key: "hero",
    slot: "hero",
    variants: [
      {
        key: "shoes",
        audience: { segment: "likes-shoes" },
        template: "<p>Hello {{ profile.traits.name | default: 'you' }}</p>",
      },
    ],
    fallback: "<p>Welcome</p>",
  });
  await system.api("POST", "/api/blocks/hero/publish", {});

  const manifest = await fetch(`${system.worker.url}/a/manifest/${system.writeKey}`);
  expect(manifest.status).toBe(200);
  expect(manifest.headers.get("etag")).toBeTruthy();
  expect(await manifest.json()).toMatchObject({ segments: [{ key: "likes-shoes" }] });

  const ask = (ids: string[]) =>
    post("/v1/decide", {
      writeKey: system.writeKey,
      anonymousId: "visitor-1",
      sentAt: new Date().toISOString(),
      slots: ["hero"],
      events: ids.map((messageId) => ({
        type: "track",
        event: "Product Viewed",
        messageId,
        anonymousId: "visitor-1",
        timestamp: new Date().toISOString(),
        properties: { category: "shoes" },
      })),
    });
  const first = await (await ask(["m-1"])).json();
  expect(first).toMatchObject({ slots: { hero: { html: "<p>Welcome</p>", decision: { reason: "fallback" } } } });
  const second = await (await ask(["m-2"])).json();
  expect(second).toMatchObject({
    accepted: 1,
    segments: { "likes-shoes": expect.any(String) },
    slots: { hero: { html: "<p>Hello you</p>", decision: { variant: "shoes", reason: "targeted" } } },
  });

  expect(system.log.filter((line) => /EvalError|Code generation from strings|unsafe-eval/i.test(line))).toEqual([]);
});

it("runs its scheduled work", async () => {
  const answer = await fetch(`${system.worker.url}/cdn-cgi/handler/scheduled`);
  expect(answer.status).toBe(200);
  expect(system.log.filter((line) => /Uncaught|EvalError/.test(line))).toEqual([]);
});
