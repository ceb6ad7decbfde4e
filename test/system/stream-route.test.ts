/** The Worker on a route of the site's zone, and on a host of its own: what it asks by the name that it was asked by is the origin. */
import { createServer, get, type IncomingMessage, type OutgoingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { callApi } from "../../cli/api.ts";
import { ADMIN_TOKEN, type System, startSystem } from "./system.ts";

const KEYS = { writeKey: "pk_demo", secretKey: "sk_demo" };
const NAVIGATION = { accept: "text/html,*/*;q=0.8", "sec-fetch-dest": "document" };
const SHOWN = "<p>Welcome</p>";

let origin: Server;
let system: System;
/** Of the origin. Here, the port tells it from the Worker; of a zone, that it is the Worker who asks. */
let shop: string;
const seen: IncomingMessage[] = [];
beforeAll(async () => {
  // The Worker lets go of a connection before the origin does.
  origin = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    seen.push(request);
    if (request.url === "/moved") response.writeHead(302, { location: `http://${shop}/new` }).end();
    else
      response
        .writeHead(200, { "content-type": "text/html; charset=utf-8", "set-cookie": ["a=1; Path=/", "b=2; HttpOnly"] })
        .end('<!doctype html><attune-block name="hero">Own</attune-block>');
  });
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  shop = `localhost:${(origin.address() as AddressInfo).port}`;
  system = await startSystem({ ORIGIN: "route", ORIGIN_KEY: KEYS.writeKey, ORIGIN_HOSTS: "localhost" });
  const admin = { url: system.worker.url, token: ADMIN_TOKEN };
  await callApi(admin, "POST", "/api/sites", { ...KEYS, name: "shop.example", consentDefault: "full" });
  system.secretKey = KEYS.secretKey;
  const variants = [{ key: "all", audience: null, template: SHOWN }];
  await system.api("POST", "/api/blocks", { key: "hero", slot: "hero", variants });
  await system.api("POST", "/api/blocks/hero/publish");
});
afterAll(async () => {
  await system?.stop();
  origin.closeAllConnections();
});
beforeEach(() => {
  seen.length = 0;
});

/** @param host that is asked for; the Worker is who answers. */
function ask(
  path: string,
  host: string,
  headers: OutgoingHttpHeaders = {},
): Promise<{ status: number; headers: IncomingMessage["headers"]; body: string }> {
  return new Promise((resolve, reject) => {
    const options = { agent: false, headers: { ...NAVIGATION, "accept-encoding": "identity", ...headers, host } };
    get(system.worker.url + path, options, async (response) => {
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part);
      resolve({ status: response.statusCode!, headers: response.headers, body: String(Buffer.concat(parts)) });
    }).on("error", reject);
  });
}

it("a page is asked by the name, with the cookies, that the Worker was asked with, and filled", async () => {
  const { status, headers, body } = await ask("/shoes?a=%20b", shop, { cookie: "cart=1", "accept-language": "de" });
  expect(status).toBe(200);
  expect(body).toContain(`</template>`);
  expect(body).toContain(SHOWN);
  expect(headers["set-cookie"]).toEqual(["a=1; Path=/", "b=2; HttpOnly"]);
  expect(seen.map(({ url }) => url)).toEqual(["/shoes?a=%20b"]);
  expect(seen[0]!.headers).toMatchObject({
    host: shop,
    cookie: "cart=1",
    "accept-language": "de",
    "x-forwarded-host": shop,
    "x-forwarded-proto": "http",
  });
});

it("a redirect is the visitor's to follow, where the origin says", async () => {
  const { status, headers } = await ask("/moved", shop);
  expect([status, headers.location, seen.length]).toEqual([302, `http://${shop}/new`, 1]);
});

it("all of the site's host is the origin's but what the script asks", async () => {
  for (const path of ["/api/sites", "/healthz", "/v1/decide", "/e/x", "/preview/x", "/problems", "/a/other"])
    expect((await ask(path, shop)).body).toContain("Own");
  expect(seen).toHaveLength(7);
  const manifest = await ask(`/a/manifest/${KEYS.writeKey}`, shop);
  expect(manifest.headers["content-type"]).toContain("json");
  const script = await ask("/attune.js", shop);
  expect(script.headers["content-type"]).toContain("javascript");
  expect(seen).toHaveLength(7);
});

it("another host has nothing of the site's", async () => {
  const { host } = new URL(system.worker.url);
  expect((await ask("/healthz", host)).status).toBe(200);
  expect((await ask("/shoes", host)).status).toBe(404);
  expect(seen).toEqual([]);
});

it("a Worker that asks itself says so once, and no more", async () => {
  const { port } = new URL(system.worker.url);
  const before = system.log.length;
  const { status, body } = await ask("/shoes", `localhost:${port}`);
  expect([status, seen.length]).toEqual([502, 0]);
  expect(body).toContain("<h1>502 Bad Gateway</h1>");
  const said = () => system.log.slice(before).filter((line) => line.includes("ORIGIN leads to the Worker itself"));
  // What it writes comes by another way than what it answers.
  await expect.poll(said, { timeout: 30_000 }).toHaveLength(1);
});
