/** Pages that the Worker has filled on their way: an origin that answers what a test says, the Worker in front of it, a Chromium. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
  type Route,
} from "playwright-core";
import { inject } from "vitest";
import { callApi } from "../../cli/api.ts";
import { STUB } from "../../cli/site.ts";
import { startWorker } from "../../cli/worker.ts";
import { CHROMIUM_FLAGS } from "./chromium.ts";
import { until } from "./stage.ts";

const ADMIN_TOKEN = "stream-admin-token-0123456789abcdef";
const KEYS = { writeKey: "pk_demo", secretKey: "sk_demo" };
const SEGMENT = {
  key: "interested",
  name: "Interested",
  kind: "dynamic",
  visibility: "public",
  status: "active",
  condition: { event: "Product Viewed", where: { category: { eq: "shoes" } }, within: "24h", count: { gte: 2 } },
};
const BLOCKS = [
  {
    key: "hero",
    slot: "hero",
    variants: [
      {
        key: "shoes",
        audience: { segment: "interested" },
        template: '<p class="shoes">Shoes for {{ customer.name | default: "you" }}</p>',
      },
      { key: "all", audience: null, template: '<p class="all">Welcome</p>' },
    ],
  },
  { key: "line", slot: "line", variants: [{ key: "all", audience: null, template: "<b>Line</b>" }] },
  {
    key: "own",
    slot: "own",
    variants: [{ key: "some", audience: { segment: "interested" }, template: "<b>Some</b>" }],
  },
];
export const HERO = '<attune-block name="hero"><p class="plain">Plain</p></attune-block>';

export interface StreamStage {
  browser: Browser;
  /** Of the Worker. */
  url: string;
  /** What the origin answers from now on: the page's body, and headers beside its type. */
  body: string;
  headers: { [name: string]: string };
  /** Of the page's own: `/page.js`. */
  script: string;
  visitor(device?: BrowserContextOptions): Promise<StreamVisitor>;
  close(): Promise<void>;
}

export interface StreamVisitor {
  context: BrowserContext;
  page: Page;
  /** Paths that the script asked, in order, with the bodies. */
  asked: { path: string; body: { [name: string]: unknown } }[];
  /** Opens the page; `early` is done with it before the script may come. */
  open(early?: (page: Page) => Promise<unknown>): Promise<void>;
}

const LISTEN = `window.heard=[];document.addEventListener("load",function(e){if(e.target.dataset.key)heard.push({type:"loaded"})},true);["ready","slot","event","ack","error"].forEach(function(t){attune.on(t,function(d){heard.push({type:t,detail:t==="slot"?{html:d.html,decision:d.decision}:t==="error"?String(d.error):d})})})`;

export async function openStreamStage(): Promise<StreamStage> {
  // The Worker lets go of a connection before the origin does.
  const origin = createServer({ keepAliveTimeout: 60_000 }, ({ url }, response) => {
    const type = url === "/page.js" ? "text/javascript" : "text/html; charset=utf-8";
    response
      .writeHead(200, { "content-type": type, ...stage.headers })
      .end(url === "/page.js" ? stage.script : buildPage(stage.body));
  });
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  const folder = await mkdtemp(join(tmpdir(), "attune-stream-"));
  const worker = await startWorker({
    persistTo: join(folder, "state"),
    vars: {
      ATTUNE_SECRET: "stream-secret-0123456789abcdef0123456789abcdef",
      ATTUNE_ADMIN_TOKEN: ADMIN_TOKEN,
      ATTUNE_LOCAL: "1",
      ORIGIN: `http://127.0.0.1:${(origin.address() as AddressInfo).port}`,
      ORIGIN_KEY: KEYS.writeKey,
    },
  });
  const api = (method: string, path: string, content: unknown, token = KEYS.secretKey) =>
    callApi({ url: worker.url, token }, method, path, content);
  const site = { ...KEYS, name: "stream.example", origins: ["*"], consentDefault: "full" };
  await api("POST", "/api/sites", site, ADMIN_TOKEN);
  await api("POST", "/api/segments", SEGMENT);
  for (const block of BLOCKS) {
    await api("POST", "/api/blocks", block);
    await api("POST", `/api/blocks/${block.key}/publish`, undefined);
  }
  const browser = await chromium.launch({
    executablePath: inject("chromium"),
    args: CHROMIUM_FLAGS,
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });

  const stage: StreamStage = {
    browser,
    url: worker.url,
    body: HERO,
    headers: {},
    script: "",
    async visitor(device) {
      const context = await browser.newContext(device);
      const page = await context.newPage();
      const asked: StreamVisitor["asked"] = [];
      page.on("request", (request) => {
        const { pathname } = new URL(request.url());
        if (request.method() === "POST" && pathname.startsWith("/a/"))
          asked.push({ path: pathname, body: JSON.parse(request.postData() ?? "{}") });
      });
      return { context, page, asked, open: (early) => openFilled(worker.url, page, early) };
    },
    async close() {
      await browser.close();
      await worker.stop();
      origin.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return stage;
}

/** Resolves when the script is ready. */
async function openFilled(url: string, page: Page, early?: (page: Page) => Promise<unknown>): Promise<void> {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const hold = async (route: Route) => {
    await held;
    await route.continue();
  };
  await page.route("**/attune.js", hold);
  await page.goto(url, { waitUntil: "commit" });
  await page.waitForSelector("script[data-attune]", { state: "attached" });
  await early?.(page);
  release();
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
  await page.unroute("**/attune.js", hold);
}

function buildPage(body: string): string {
  return `<!doctype html><html lang="en"><head><title>Shop</title><script nonce="stub">${STUB};${LISTEN}</script>
<script async nonce="tag" src="/attune.js" data-key="${KEYS.writeKey}"></script></head><body>${body}</body></html>`;
}
