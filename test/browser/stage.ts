/**
 * What a browser test stands on: a site of its own in the real Worker, a shop on another origin that includes the
 * script, a Chromium, and everything that went over the wire.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, type BrowserContext, chromium, type Page, type Request } from "playwright-core";
import { inject, onTestFinished } from "vitest";
import { callApi } from "../../cli/api.ts";
import { STUB } from "../../cli/site.ts";
import type { Attune } from "../../client/runtime/api.ts";
import type { Message } from "../../shared/event.ts";
import { CHROMIUM_FLAGS } from "./chromium.ts";

declare global {
  var attune: Attune;
  /** What the page's own listeners heard. */
  // biome-ignore lint/suspicious/noExplicitAny: the listeners' details, one shape per type
  var heard: { type: string; detail: any }[];
}

export interface Sent {
  path: string;
  body: { [field: string]: unknown };
  /** Of a batch or a decide request. */
  messages: Message[];
}

export interface Stage {
  browser: Browser;
  /** A visitor with an empty browser, gone when the test ends: pages go on working, and hold up those of the next. */
  visitor(): Promise<Visitor>;
  shopUrl: string;
  writeKey: string;
  api<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** Sends headers of the page's host with each of its pages from now on. */
  headers: { [name: string]: string };
  close(): Promise<void>;
}

export interface Visitor {
  context: BrowserContext;
  /** Everything that was sent to the Worker, in order. */
  sent: Sent[];
  /** Opens the shop; `html` is the body, `tag` replaces attributes of the script tag. */
  open(html?: string, tag?: string, page?: Page): Promise<Page>;
  /** Events stored in D1 for a visitor of that anonymous id. */
  stored(anonymousId: string): Promise<StoredEvent[]>;
}

export interface StoredEvent {
  messageId: string;
  type: string;
  event?: string;
  name?: string;
  properties: { [name: string]: unknown };
}

const SEGMENTS = [
  {
    key: "interested",
    name: "Interested",
    kind: "dynamic",
    visibility: "public",
    status: "active",
    condition: { event: "Product Viewed", where: { category: { eq: "shoes" } }, within: "24h", count: { gte: 2 } },
  },
  {
    key: "active",
    name: "Active",
    kind: "dynamic",
    visibility: "public",
    status: "active",
    condition: { event: "Ping", within: "2s" },
  },
];
const BLOCKS = [
  {
    key: "hero",
    slot: "hero",
    variants: [
      { key: "shoes", audience: { segment: "interested" }, template: "<p class=shoes>Shoes for you</p>" },
      { key: "all", audience: null, template: '<p class=all>Welcome <a href="#sale">sale</a></p>' },
    ],
  },
];

/** @param without flags that playwright starts Chromium with, and that are to be left out. */
export async function openStage(without: string[] = []): Promise<Stage> {
  const workerUrl = inject("workerUrl");
  const { body: site } = await callApi<{ writeKey: string; secretKey: string }>(
    { url: workerUrl, token: inject("adminToken") },
    "POST",
    "/api/sites",
    { name: "browser.example", origins: ["*"], consentDefault: "full" },
  );
  const api = async <T>(method: string, path: string, body?: unknown) =>
    (await callApi<T>({ url: workerUrl, token: site.secretKey }, method, path, body)).body;
  for (const segment of SEGMENTS) await api("POST", "/api/segments", segment);
  for (const block of BLOCKS) {
    await api("POST", "/api/blocks", block);
    await api("POST", `/api/blocks/${block.key}/publish`);
  }

  let page = "";
  const headers: { [name: string]: string } = {};
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...headers }).end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const shopUrl = `http://localhost:${(server.address() as AddressInfo).port}`;

  const browser = await chromium.launch({
    executablePath: inject("chromium"),
    args: CHROMIUM_FLAGS,
    ignoreDefaultArgs: without,
  });

  const visitor = async (): Promise<Visitor> => {
    const context = await browser.newContext();
    onTestFinished(async () => {
      // What a test answers in the network's place may still be on its way.
      for (const routed of [context, ...context.pages()]) await routed.unrouteAll({ behavior: "ignoreErrors" });
      await context.close();
    });
    const sent: Sent[] = [];
    context.on("request", (request) => record(request, sent));
    return {
      context,
      sent,
      async open(html = "", tag = "", present) {
        page = buildShop(html, `src="${workerUrl}/attune.js" data-key="${site.writeKey}" ${tag}`);
        const it = present ?? (await context.newPage());
        await it.goto(`${shopUrl}/`);
        return it;
      },
      async stored(anonymousId) {
        const profile = await callApi<{ id: string }>(
          { url: workerUrl, token: site.secretKey },
          "GET",
          `/api/profiles?anonymousId=${anonymousId}`,
          undefined,
          [404],
        );
        if (profile.status === 404) return [];
        const path = `/api/profiles/${profile.body.id}/events?limit=200`;
        return (await api<{ data: StoredEvent[] }>("GET", path)).data;
      },
    };
  };
  return {
    browser,
    visitor,
    shopUrl,
    writeKey: site.writeKey,
    api,
    headers,
    async close() {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const LISTEN = `window.heard=[];["ready","segments","slot","event","ack","rejected","error","consent"].forEach(function(t){
  attune.on(t,function(d){heard.push({type:t,detail:t==="slot"?{slot:d.slot,html:d.html,decision:d.decision}:t==="error"?String(d.error&&d.error.detail||d.error):d})})})`;

function buildShop(html: string, tag: string): string {
  return `<!doctype html><html lang="en"><head><title>Shop</title>
<script nonce="stub">${STUB}${LISTEN}</script>
<script async nonce="tag" ${tag}></script></head><body>${html}</body></html>`;
}

function record(request: Request, sent: Sent[]): void {
  const path = new URL(request.url()).pathname;
  if (request.method() !== "POST" || !path.startsWith("/a/")) return;
  const body = JSON.parse(request.postData() ?? "{}");
  sent.push({ path, body, messages: body.batch ?? body.events ?? [] });
}

/** Resolves when the part is there that hears clicks and sees exposures: of a page that shows a decision. */
export async function watched(page: Page): Promise<void> {
  await page.evaluate(`import("${inject("workerUrl")}/attune.watch.js").then(() => {})`);
}

/** Resolves when `check` finds something; looks again whenever the page's listeners or the wire may have moved on. */
export async function until<T>(
  check: () => T | Promise<T>,
  what = "it",
  patienceMs = 20_000,
): Promise<Exclude<Awaited<T>, false | undefined>> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const found = await check();
    if (found) return found as Exclude<typeof found, false | undefined>;
    if (Date.now() > deadline) throw new Error(`Waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
