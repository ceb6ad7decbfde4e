import {
  createServer,
  get,
  type IncomingMessage,
  type RequestOptions,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callApi } from "../../cli/api.ts";
import type { HandedOver } from "../../shared/wire.ts";
import { ADMIN_TOKEN, type System, startSystem } from "./system.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let origin: Server;
let system: System;
/** By path. */
const answers: { [path: string]: Answer } = {};
const seen: IncomingMessage[] = [];
beforeAll(async () => {
  origin = createServer((request, response) => {
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
  await callApi(admin, "POST", "/api/sites", { ...KEYS, name: "shop.example", consentDefault: "full" });
  system.secretKey = KEYS.secretKey;
  await system.api("POST", "/api/blocks", {
    key: "hero",
    slot: "hero",
    variants: [{ key: "all", audience: null, template: SHOWN }],
  });
  await system.api("POST", "/api/blocks/hero/publish");
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
    const request = get(system.worker.url + path, { ...options, headers }, (response) => {
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
const SHOWN = '<p class="all">Welcome</p>';
const HTML = { "content-type": "text/html; charset=utf-8" };
const PAGE = `<!doctype html><html lang="en"><head><title>Shop</title></head><body><attune-block name="hero"><p>Own</p></attune-block><footer>End</footer></body></html>`;

/** What the end of a page tells the script. */
const readHanded = (html: string) =>
  JSON.parse(
    /<script type="application\/json" data-attune>(.*?)<\/script>/s.exec(html)?.[1] ?? "null",
  ) as HandedOver | null;

describe("a page", () => {
  it("is filled on its way: what it has is kept, what was decided stands behind it, and its end tells the script", async () => {
    answers["/"] = (_, response) => response.writeHead(200, HTML).end(PAGE);
    const html = String((await ask("/")).body);
    const handed = readHanded(html)!;
    const { id } = handed.slots["hero"]!.decision;
    expect(html).toContain(
      `<html lang="en"><head><title>Shop</title></head><body><attune-block name="hero"><template data-attune="${id}"><p>Own</p></template>${SHOWN}</attune-block><footer>End</footer></body></html><script`,
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
    expect(Date.parse(handed.until) - Date.now()).toBeLessThanOrEqual(300_000);
  });
});
