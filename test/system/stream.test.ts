/** The Worker in front of an origin that does what origins do, good and bad, spoken to over bare HTTP. */
import { createHash } from "node:crypto";
import {
  createServer,
  get,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestOptions,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, constants, createGzip, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callApi } from "../../cli/api.ts";
import { buildFacade } from "../../edge/stream/hydrate.ts";
import type { HandedOver } from "../../shared/wire.ts";
import { ADMIN_TOKEN, type System, startSystem } from "./system.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let origin: Server;
let system: System;
/** Of a device, in the site that stands there. */
let cookieName: string;
/** By path. */
const answers: { [path: string]: Answer } = {};
const seen: IncomingMessage[] = [];
beforeAll(async () => {
  // The Worker lets go of a connection before the origin does.
  origin = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    seen.push(request);
    const answer = answers[new URL(request.url!, "http://x").pathname];
    if (answer) answer(request, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  system = await startSystem({
    ORIGIN: `http://127.0.0.1:${(origin.address() as AddressInfo).port}`,
    ORIGIN_KEY: KEYS.writeKey,
  });
  const admin = { url: system.worker.url, token: ADMIN_TOKEN };
  const { body } = await callApi<{ id: string }>(admin, "POST", "/api/sites", {
    ...KEYS,
    name: "shop.example",
    consentDefault: "full",
  });
  cookieName = `__Host-attune.${body.id}`;
  system.secretKey = KEYS.secretKey;
  for (const [key, template] of Object.entries(TEMPLATES)) {
    await system.api("POST", "/api/blocks", { key, slot: key, variants: [{ key: "all", audience: null, template }] });
    await system.api("POST", `/api/blocks/${key}/publish`);
  }
});
afterAll(async () => {
  await system?.stop();
  origin.closeAllConnections();
});

const KEYS = { writeKey: "pk_demo", secretKey: "sk_demo" };

interface Got {
  status: number;
  headers: IncomingMessage["headers"];
  body: Buffer;
  /** It broke off. */
  isCut: boolean;
  /** When each part of it came, milliseconds from the asking on. */
  times: number[];
}

const NAVIGATION = { accept: "text/html,*/*;q=0.8", "sec-fetch-dest": "document", "sec-fetch-mode": "navigate" };

/** Bytes as they come: nothing is decoded, nothing followed. */
function ask(path: string, options: RequestOptions = {}): Promise<Got> {
  const started = Date.now();
  return new Promise((resolve, reject) => {
    const headers = { ...NAVIGATION, ...options.headers };
    const request = get(system.worker.url + path, { ...options, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      const times: number[] = [];
      response.on("data", (part) => {
        parts.push(part);
        times.push(Date.now() - started);
      });
      const end = (isCut: boolean) =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts), isCut, times });
      response.on("end", () => end(false));
      response.on("error", () => end(true));
    });
    request.on("error", reject);
  });
}
/** Stands behind what is kept. */
const FACADE = buildFacade("", "");
const SHOWN = '<p class="all">Welcome</p>';
/** By slot. */
const TEMPLATES = {
  hero: SHOWN,
  wide: "<i>é € 😀</i>",
  wild: "<p>One<p>Two",
  name: "<b>{{ customer.name | default: 'nobody' }}</b>",
};
const HTML = { "content-type": "text/html; charset=utf-8" };
const PAGE = `<!doctype html><html lang="en"><head><title>Shop</title></head><body><attune-block name="hero"><p>Own</p></attune-block><footer>End</footer></body></html>`;

/** What the end of a page tells the script. */
const readHanded = (html: string): HandedOver | null =>
  JSON.parse(/<script type="application\/json" data-attune>(.*?)<\/script>/s.exec(html)?.[1] ?? "null");

/** Answers what was sent; `path` is the origin's. */
const serve = (path: string, status: number, headers: OutgoingHttpHeaders, body: string | Buffer = "") => {
  answers[path] = (_, response) => response.writeHead(status, headers).end(body);
};

describe("a page", () => {
  it("is filled on its way: what it has is kept, what was decided stands behind it, and its end tells the script", async () => {
    serve("/", 200, HTML, PAGE);
    const html = String((await ask("/")).body);
    const handed = readHanded(html)!;
    const { id } = handed.slots["hero"]!.decision;
    expect(html).toContain(
      `<html lang="en"><head><title>Shop</title></head><body><attune-block name="hero"><template data-attune="${id}"><p>Own</p></template>${FACADE}${SHOWN}</attune-block><footer>End</footer></body></html><script`,
    );
    expect(handed).toMatchObject({
      slots: {
        hero: {
          html: SHOWN,
          decision: { slot: "hero", block: "hero", variant: "all", reason: "targeted", until: null },
        },
      },
      segments: {},
      token: null,
    });
    expect(Date.parse(handed.until!) - Date.now()).toBeLessThanOrEqual(300_000);
  });

  it("is nobody else's to keep, and is asked for whole whatever the browser has", async () => {
    serve(
      "/kept",
      200,
      {
        ...HTML,
        "cache-control": "public, max-age=600",
        "cdn-cache-control": "max-age=600",
        etag: '"1"',
        expires: "Sat, 01 Jan 2050 00:00:00 GMT",
        "last-modified": "Sat, 01 Jan 2022 00:00:00 GMT",
        vary: "accept-language",
        "set-cookie": ["a=1; Path=/", "b=2"],
        "x-own": "stays",
      },
      PAGE,
    );
    seen.length = 0;
    const { headers } = await ask("/kept", {
      headers: { "if-none-match": '"1"', "if-modified-since": "Sat, 01 Jan 2022 00:00:00 GMT" },
    });
    expect(headers).toMatchObject({
      "cache-control": "private, no-cache",
      vary: "accept-language, cookie",
      "x-own": "stays",
    });
    expect(headers["set-cookie"]).toEqual(["a=1; Path=/", "b=2"]);
    for (const name of ["etag", "expires", "last-modified", "cdn-cache-control", "content-length"])
      expect(headers[name]).toBeUndefined();
    expect(seen[0]!.headers["if-none-match"]).toBeUndefined();
    expect(seen[0]!.headers["if-modified-since"]).toBeUndefined();

    serve("/secret", 200, { ...HTML, "cache-control": "no-store" }, PAGE);
    expect((await ask("/secret")).headers["cache-control"]).toBe("private, no-store");
  });

  it.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
  ])("that comes as %s is filled, and asked for in what can be read", async (name, compress) => {
    serve("/packed", 200, { ...HTML, "content-encoding": name }, compress(PAGE));
    seen.length = 0;
    const { body } = await ask("/packed");
    expect(seen[0]!.headers["accept-encoding"]).toMatch(/^((gzip|br)(, )?)+$/);
    expect(String(body)).toContain(SHOWN);
  });

  it.each(["utf-8", "gzip"])("that trickles (%s) is passed on as it comes", async (encoding) => {
    const unblock: (() => void)[] = [];
    answers["/slow"] = async (_, response) => {
      const gzip = encoding === "gzip" ? createGzip({ flush: constants.Z_SYNC_FLUSH }) : undefined;
      response.writeHead(200, { ...HTML, ...(gzip && { "content-encoding": "gzip" }) });
      gzip?.pipe(response);
      const out = gzip ?? response;
      for (const part of PAGE.split("<footer>")) {
        out.write(part);
        await new Promise<void>((resolve) => unblock.push(resolve));
      }
      out.end();
    };
    const parts: string[] = [];
    await new Promise<void>((resolve) => {
      get(`${system.worker.url}/slow`, { headers: NAVIGATION }, (response) => {
        response.on("data", (part) => {
          parts.push(String(part));
          // The next part comes only when this one is here.
          unblock.shift()?.();
        });
        response.on("end", resolve);
      });
    });
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.join("")).toContain(SHOWN);
  });

  it("is left to the script where HTML could leave its place: other elements, other places, other HTML", async () => {
    const slots = [
      '<p data-attune-slot="hero">1</p>',
      '<ul><li data-attune-slot="hero">2</li></ul>',
      '<textarea data-attune-slot="hero">3</textarea>',
      '<template><attune-block name="hero">4</attune-block></template>',
      '<p>5 <attune-block name="hero">5</attune-block></p>',
      '<svg><g data-attune-slot="hero">6</g></svg>',
      '<attune-block name="wild">7</attune-block>',
      '<script>"<attune-block name=hero>8</attune-block>"</script>',
      '<br data-attune-slot="hero">',
    ].join("");
    serve("/left", 200, HTML, `<!doctype html><body>${slots}</body>`);
    const html = String((await ask("/left")).body);
    expect(html.split("<script type")[0]).toBe(`<!doctype html><body>${slots}</body>`);
    expect(Object.keys(readHanded(html)!.slots).sort()).toEqual(["hero", "wild"]);
  });

  it("shows the same in slots of one name, keeps slots inside slots, and closes what the page leaves open", async () => {
    serve(
      "/many",
      200,
      HTML,
      '<div data-attune-slot="hero">a<attune-block name="hero">b</attune-block></div><section><ATTUNE-BLOCK name=hero>c</section><attune-block name="hero">d',
    );
    const html = String((await ask("/many")).body);
    const { id } = readHanded(html)!.slots["hero"]!.decision;
    const kept = (own: string) => `<template data-attune="${id}">${own}</template>${FACADE}${SHOWN}`;
    expect(html.split("<script type")[0]).toBe(
      `<div data-attune-slot="hero">${kept('a<attune-block name="hero">b</attune-block>')}</div><section><ATTUNE-BLOCK name=hero>${kept("c")}</section><attune-block name="hero">${kept("d")}`,
    );
  });

  it("without a slot says nothing at its end, and a tag of ours waits for it", async () => {
    const page =
      '<!doctype html><script async src="/attune.js" data-key="pk_demo"></script><script async src="/x.js"></script><p>No slot';
    serve("/none", 200, HTML, page);
    expect(String((await ask("/none")).body)).toBe(
      page.replace('data-key="pk_demo"', 'data-key="pk_demo" data-end=""'),
    );
  });

  it("in another charset is filled in characters that it has", async () => {
    serve(
      "/latin",
      200,
      { "content-type": "text/html; charset=iso-8859-1" },
      Buffer.from('é<attune-block name="wide">é</attune-block>', "latin1"),
    );
    const html = (await ask("/latin")).body.toString("latin1");
    expect(html).toContain("é<attune-block");
    expect(html).toContain("<i>&#233; &#8364; &#128512;</i>");
    expect(readHanded(html)!.slots["wide"]!.html).toBe("<i>é € 😀</i>");
  });

  it("that says that it is small is filled whatever is in it", async () => {
    const slot = '<attune-block name="hero">Own</attune-block>';
    for (const part of ["<p>", "<p><a><form><button>"]) {
      const page = (slot + part.repeat(40_000)).slice(0, 40_000);
      serve("/small", 200, { ...HTML, "content-length": page.length }, page);
      const { body, isCut } = await ask("/small");
      expect(isCut).toBe(false);
      expect(String(body)).toContain(SHOWN);
      expect(readHanded(String(body))!.slots).toHaveProperty("hero");
      expect(String(body).split("<script type")[0]!.endsWith(page.slice(slot.length))).toBe(true);
    }
  });

  it.each(["", "gzip", "length"])("that the parser cannot hold goes on as it came (%s)", async (how) => {
    const cells = "<td>1".repeat(30_000);
    const page = `<attune-block name="hero">Own</attune-block><table>${cells}`;
    const sent = how === "gzip" ? gzipSync(page) : Buffer.from(page);
    serve(
      "/cells",
      200,
      {
        ...HTML,
        ...(how && { "content-length": sent.length }),
        ...(how === "gzip" && { "content-encoding": "gzip" }),
      },
      sent,
    );
    const { body, isCut } = await ask("/cells");
    expect(isCut).toBe(false);
    expect(String(body)).toContain(SHOWN);
    expect(String(body).endsWith(cells)).toBe(true);

    const picture = `<img src="data:,${"x".repeat(5_000_000)}">`;
    serve("/picture", 200, HTML, `<p>Before</p>${picture}<p>After</p>`);
    const shown = await ask("/picture");
    expect([shown.isCut, String(shown.body)]).toEqual([false, `<p>Before</p>${picture}<p>After</p>`]);
  });
});

describe("whatever else the origin answers", () => {
  const other = '<attune-block name="hero">Own</attune-block>';
  it.each<[string, number, OutgoingHttpHeaders, (string | Buffer)?]>([
    ["an error", 500, HTML],
    ["a missing page", 404, HTML],
    ["JSON", 200, { "content-type": "application/json" }],
    ["something without a type", 200, {}],
    ["HTML that must not be changed", 200, { ...HTML, "cache-control": "public, no-transform" }],
    ["HTML to be saved", 200, { ...HTML, "content-disposition": "attachment; filename=a.html" }],
    ["HTML in an encoding that cannot be read", 200, { ...HTML, "content-encoding": "zstd" }, zstdCompressSync(other)],
    ["a part of a page", 206, { ...HTML, "content-range": "bytes 0-43/100" }],
  ])("%s passes byte for byte, with its headers", async (_, status, headers, body = other) => {
    const all = { etag: '"1"', "x-own": "stays", ...headers };
    serve("/as-is", status, all, body);
    const got = await ask("/as-is");
    expect([got.status, got.body.equals(Buffer.from(body))]).toEqual([status, true]);
    expect(got.headers).toMatchObject(all);
  });

  it("redirects are the visitor's, HEAD and POST reach it whole, and its own fetches are not filled", async () => {
    serve("/moved", 302, { location: "https://elsewhere.example/?a=1", "set-cookie": ["s=1", "t=2"] });
    const moved = await ask("/moved");
    expect([moved.status, moved.headers.location, moved.headers["set-cookie"]]).toEqual([
      302,
      "https://elsewhere.example/?a=1",
      ["s=1", "t=2"],
    ]);

    serve("/head", 200, { "content-type": "image/png", "content-length": 44, etag: '"h"' });
    const head = await ask("/head", { method: "HEAD" });
    expect([head.status, head.headers["content-length"], head.headers.etag]).toEqual([200, "44", '"h"']);
    serve("/page-head", 200, { ...HTML, "content-length": 44, etag: '"h"', "cache-control": "public, max-age=600" });
    const { headers } = await ask("/page-head", { method: "HEAD" });
    expect([headers["cache-control"], headers.vary]).toEqual(["private, no-cache", "cookie"]);
    expect([headers["content-length"], headers.etag]).toEqual([undefined, undefined]);

    answers["/form"] = (request, response) =>
      request.pipe(response.writeHead(200, { "content-type": "text/plain", "x-method": request.method! }));
    const form = await fetch(`${system.worker.url}/form?q=1`, { method: "POST", body: "x".repeat(3_000_000) });
    expect([form.headers.get("x-method"), (await form.text()).length]).toEqual(["POST", 3_000_000]);

    serve("/fetched", 200, HTML, PAGE);
    expect(String((await ask("/fetched", { headers: { "sec-fetch-dest": "empty" } })).body)).toBe(PAGE);
  });

  it("it is told for whom it stands there, and what is the Worker's own never reaches it", async () => {
    seen.length = 0;
    for (const path of ["/healthz", "/a/nothing", "/v1/nothing", "/api/docs", "/attune.js"]) await ask(path);
    expect(seen).toEqual([]);
    serve("/told", 200, {}, "");
    await ask("/told?a=%20b");
    expect(seen[0]!.url).toBe("/told?a=%20b");
    const { host } = new URL(system.worker.url);
    expect(seen[0]!.headers).toMatchObject({ "x-forwarded-host": host, "x-forwarded-proto": "http" });
  });

  it("where it leads to itself by its own name, it leads to where the visitor has asked", async () => {
    const own = `127.0.0.1:${(origin.address() as AddressInfo).port}`;
    const { url } = system.worker;
    const led = async (name: string, value: string, status: number) => {
      serve("/led", status, { [name]: value, link: `<http://${own}/x>`, "content-encoding": "gzip" }, gzipSync("{}"));
      const answer = await ask("/led");
      expect([answer.status, answer.headers.link]).toEqual([status, `<http://${own}/x>`]);
      return answer.headers[name];
    };
    expect(await led("location", `http://${own}/new?a=%20b#c`, 302)).toBe(`${url}/new?a=%20b#c`);
    expect(await led("location", `HTTPS://${own}`, 301)).toBe(`${url}/`);
    expect(await led("location", `//${own}/new`, 201)).toBe(`${url}/new`);
    expect(await led("content-location", `http://${own}/it.json`, 200)).toBe(`${url}/it.json`);
    // Where it wants to be asked by https, it would be asked by http again.
    expect(await led("location", `https://${own}/led`, 301)).toBe(`https://${own}/led`);
    for (const value of ["/new", "new?x", "http://other.example/", `http://${own}.example/`, `/go?to=http://${own}/`])
      expect(await led("location", value, 302)).toBe(value);
  });

  it("100 MB pass, and what breaks off breaks off", async () => {
    const chunk = Buffer.alloc(1_000_000, "<p>x</p>\n");
    answers["/huge"] = async (_, response) => {
      response.writeHead(200, HTML);
      for (let sent = 0; sent < 100; sent++)
        if (!response.write(chunk)) await new Promise((resolve) => response.once("drain", resolve));
      response.end();
    };
    let bytes = 0;
    const digest = createHash("sha256");
    const response = await fetch(`${system.worker.url}/huge`, { headers: NAVIGATION });
    for await (const part of response.body!) {
      bytes += part.length;
      digest.update(part);
    }
    const expected = createHash("sha256");
    for (let sent = 0; sent < 100; sent++) expected.update(chunk);
    expect([bytes, digest.digest("hex")]).toEqual([100_000_000, expected.digest("hex")]);

    const cut = (length: number | undefined) => {
      answers["/cut"] = (_, response) => {
        response.writeHead(200, { ...HTML, ...(length && { "content-length": length }) });
        response.write(PAGE.slice(0, 120), () => response.destroy());
      };
      return ask("/cut");
    };
    expect((await cut(undefined)).isCut).toBe(true);
    // It is read whole: that it broke off is known before anything is answered.
    expect(await cut(PAGE.length)).toMatchObject({ isCut: false, status: 502 });
  });

  it("whoever leaves is not written for", async () => {
    const left = new Promise<void>((resolve) => {
      answers["/endless"] = async (_, response) => {
        response.on("close", resolve).writeHead(200, HTML);
        while (!response.closed)
          if (!response.write(PAGE)) await new Promise((go) => response.once("drain", go).once("close", go));
      };
    });
    get(`${system.worker.url}/endless`, { headers: NAVIGATION }, (response) => {
      response.once("data", () => response.destroy());
    });
    await left;
  });

  it("a socket is passed through", async () => {
    origin.once("upgrade", (request, stream) => {
      const accept = createHash("sha1")
        .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest("base64");
      stream.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      stream.write(Buffer.from([0x81, 5, ...Buffer.from("hello")]));
    });
    const socket = new WebSocket(`${system.worker.url.replace("http", "ws")}/socket`);
    const said = await new Promise((resolve, reject) => {
      socket.onmessage = ({ data }) => resolve(data);
      socket.onerror = reject;
    });
    expect(said).toBe("hello");
    socket.close();
  });

  it("an origin that is gone is a page that says so, and no more", async () => {
    answers["/gone"] = (_, response) => response.destroy();
    const { status, headers, body } = await ask("/gone");
    expect([status, headers["cache-control"]]).toEqual([502, "no-store"]);
    expect(String(body)).toContain("<h1>502 Bad Gateway</h1>");
    expect(String(body)).not.toMatch(/Error|127\.0\.0\.1| at /);
  });
});

describe("a visitor", () => {
  const day = Math.floor(Date.now() / 86_400_000);
  const cookieOf = (id: string) => ({ cookie: `other=1; ${cookieName}=${id}.${day}` });
  const newId = () => crypto.randomUUID();
  const identify = (anonymousId: string, name: string, consent?: object) =>
    fetch(`${system.worker.url}/v1/identify`, {
      method: "POST",
      body: JSON.stringify({
        writeKey: KEYS.writeKey,
        anonymousId,
        traits: { name },
        ...(consent && { context: { consent } }),
      }),
    });
  const nameIn = (html: string) => /<b>(.*?)<\/b>/.exec(html)?.[1];

  it("sees what is theirs and nobody else's, however many come at once", async () => {
    serve("/name", 200, HTML, '<attune-block name="name">Own</attune-block>');
    const people = Array.from({ length: 8 }, (_, index) => ({ id: newId(), name: `canary-${index}` }));
    for (const { id, name } of people) expect((await identify(id, name)).status).toBe(200);
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const person = people[index % 9];
        const { body } = await ask("/name", { headers: person ? cookieOf(person.id) : {} });
        const html = String(body);
        expect(nameIn(html)).toBe(person?.name ?? "nobody");
        const handed = readHanded(html)!;
        expect(handed.anonymousId).toBe(person?.id);
        expect(handed.token === null).toBe(!person);
        for (const { id, name } of people)
          if (id !== person?.id) expect(html.includes(id) || html.includes(name)).toBe(false);
      }),
    );
  });

  it("who has withdrawn personalization sees what a stranger sees; a cookie that is none is no cookie", async () => {
    serve("/name", 200, HTML, '<attune-block name="name">Own</attune-block>');
    const id = newId();
    await identify(id, "canary-withdrawn", { categoryPreferences: { personalization: false, analytics: true } });
    expect(nameIn(String((await ask("/name", { headers: cookieOf(id) })).body))).toBe("nobody");
    const { headers, body } = await ask("/name", { headers: { cookie: `${cookieName}=<script>.1` } });
    expect([nameIn(String(body)), headers["set-cookie"], readHanded(String(body))!.anonymousId]).toEqual([
      "nobody",
      undefined,
      undefined,
    ]);
  });

  it("keeps an old cookie for longer, and is never given one here", async () => {
    serve("/name", 200, HTML, '<attune-block name="name">Own</attune-block>');
    const id = newId();
    const old = await ask("/name", { headers: { cookie: `${cookieName}=${id}.${day - 40}` } });
    expect(old.headers["set-cookie"]).toEqual([expect.stringContaining(`${cookieName}=${id}.${day};`)]);
    expect((await ask("/name")).headers["set-cookie"]).toBeUndefined();
  });
});
