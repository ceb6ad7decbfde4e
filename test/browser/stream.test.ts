/** Pages that the Worker has filled on their way: what a visitor sees, and what the script does with them. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page, type Route } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { callApi } from "../../cli/api.ts";
import { type RunningWorker, startWorker } from "../../cli/worker.ts";
import { CHROMIUM_FLAGS } from "./chromium.ts";
import { STUB, until } from "./stage.ts";

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
const HERO = '<attune-block name="hero"><p class="plain">Plain</p></attune-block>';

let folder: string;
let worker: RunningWorker;
let origin: Server;
let browser: Browser;
let body = HERO;
let headers: { [name: string]: string } = {};
const api = async <T>(method: string, path: string, content?: unknown) =>
  (await callApi<T>({ url: worker.url, token: KEYS.secretKey }, method, path, content)).body;

beforeAll(async () => {
  origin = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...headers }).end(buildPage());
  });
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  folder = await mkdtemp(join(tmpdir(), "attune-stream-"));
  worker = await startWorker({
    persistTo: join(folder, "state"),
    vars: {
      ATTUNE_SECRET: "stream-secret-0123456789abcdef0123456789abcdef",
      ATTUNE_ADMIN_TOKEN: ADMIN_TOKEN,
      ATTUNE_LOCAL: "1",
      ORIGIN: `http://127.0.0.1:${(origin.address() as AddressInfo).port}`,
      ORIGIN_KEY: KEYS.writeKey,
    },
  });
  const site = { ...KEYS, name: "stream.example", origins: ["*"], consentDefault: "full" };
  await callApi({ url: worker.url, token: ADMIN_TOKEN }, "POST", "/api/sites", site);
  await api("POST", "/api/segments", SEGMENT);
  for (const block of BLOCKS) {
    await api("POST", "/api/blocks", block);
    await api("POST", `/api/blocks/${block.key}/publish`);
  }
  browser = await chromium.launch({
    executablePath: inject("chromium"),
    args: CHROMIUM_FLAGS,
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
});
afterAll(async () => {
  await browser?.close();
  await worker?.stop();
  origin?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  body = HERO;
  headers = {};
});

const LISTEN = `window.heard=[];["ready","slot","event","ack","error"].forEach(function(t){attune.on(t,function(d){heard.push({type:t,detail:t==="slot"?{html:d.html,decision:d.decision}:t==="error"?String(d.error):d})})})`;

function buildPage(): string {
  return `<!doctype html><html lang="en"><head><title>Shop</title><script nonce="stub">${STUB};${LISTEN}</script>
<script async nonce="tag" src="/attune.js" data-key="${KEYS.writeKey}"></script></head><body>${body}</body></html>`;
}

interface Visitor {
  context: BrowserContext;
  page: Page;
  /** Paths that the script asked, in order, with the bodies. */
  asked: { path: string; body: { [name: string]: unknown } }[];
  /** Opens the page; `early` runs in it before the script may come. */
  open(early?: () => void): Promise<void>;
}

async function newVisitor(): Promise<Visitor> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const asked: Visitor["asked"] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (request.method() === "POST" && pathname.startsWith("/a/"))
      asked.push({ path: pathname, body: JSON.parse(request.postData() ?? "{}") });
  });
  return {
    context,
    page,
    asked,
    async open(early) {
      let release = () => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      const hold = async (route: Route) => {
        await held;
        await route.continue();
      };
      await page.route("**/attune.js", hold);
      await page.goto(worker.url, { waitUntil: "commit" });
      await page.waitForSelector("script[data-attune]", { state: "attached" });
      if (early) await page.evaluate(early);
      release();
      await until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
      await page.unroute("**/attune.js", hold);
    },
  };
}

const questions = ({ asked }: Visitor) => asked.filter(({ path }) => path === "/a/decide");
/** Views two shoes, and leaves when the Worker has them. */
async function look({ page }: Visitor): Promise<void> {
  await page.evaluate(() => {
    attune.track("Product Viewed", { category: "shoes" });
    attune.track("Product Viewed", { category: "shoes" });
  });
  await page.waitForSelector("p.shoes");
  await page.evaluate(() => attune.flush());
}

describe("somebody new", () => {
  it("sees what was decided before the script comes; it asks nothing, and tells of the page and of what was seen, once", async () => {
    const visitor = await newVisitor();
    const { page } = visitor;
    await visitor.open(() => {
      const shown = document.querySelector("p.all")!;
      (shown as HTMLElement & { kept?: boolean }).kept = true;
      if (getComputedStyle(shown).visibility !== "visible") throw new Error("hidden");
    });
    await until(
      () => page.evaluate(() => heard.some(({ detail }) => detail?.event === "Attune Exposure")),
      "the exposure",
    );
    await page.evaluate(() => attune.flush());
    const [isKept, children, decision, slots] = await page.evaluate(() => {
      const block = document.querySelector("attune-block")!;
      return [
        (block.querySelector("p.all") as HTMLElement & { kept?: boolean }).kept,
        [...block.children].map(({ className }) => className),
        block.getAttribute("data-attune-decision"),
        heard.filter(({ type }) => type === "slot").map(({ detail }) => detail.decision.id),
      ];
    });
    expect([isKept, children, slots]).toEqual([true, ["all"], [decision]]);
    expect(questions(visitor)).toEqual([]);
    const messages = visitor.asked.flatMap(
      ({ body }) => body["batch"] as { type: string; event?: string; properties: object }[],
    );
    expect(messages.map(({ type, event }) => event ?? type)).toEqual(["page", "Attune Exposure"]);
    expect(messages[1]!.properties).toMatchObject({ decision, slot: "hero", variant: "all", reason: "targeted" });
  });
});

describe("somebody known", () => {
  it("sees at once what was decided for the events of before, and nothing is asked", async () => {
    const visitor = await newVisitor();
    await visitor.open();
    await look(visitor);
    visitor.asked.length = 0;
    await visitor.open(() => {
      if (!document.querySelector("p.shoes")) throw new Error("not the one of the visitor");
    });
    await visitor.page.evaluate(() => attune.flush());
    expect(await visitor.page.evaluate(() => Object.keys(attune.segments()))).toEqual(["interested"]);
    expect(await visitor.page.locator("attune-block > *").count()).toBe(1);
    expect(questions(visitor)).toEqual([]);
  });

  it("is asked for where events of before may not have come in time", async () => {
    const visitor = await newVisitor();
    await visitor.open();
    await visitor.context.route("**/a/*", (route) => route.abort());
    await visitor.page.evaluate(() => {
      attune.track("Product Viewed", { category: "shoes" });
      attune.track("Product Viewed", { category: "shoes" });
    });
    await until(() => visitor.page.evaluate(() => "interested" in attune.segments()), "the segment");
    await visitor.context.unroute("**/a/*");
    await visitor.open();
    await visitor.page.waitForSelector("p.shoes");
    expect(questions(visitor).length).toBeGreaterThan(0);
  });

  it("gets the page's own content back where consent is withdrawn", async () => {
    const visitor = await newVisitor();
    await visitor.open();
    await look(visitor);
    await visitor.open();
    await visitor.page.evaluate(() => attune.consent("off"));
    await visitor.page.waitForSelector("p.plain");
    expect(await visitor.page.locator("attune-block > *").count()).toBe(1);
    await until(async () => !(await visitor.context.cookies()).length, "no cookie");
    await visitor.page.goto(worker.url);
    expect(await visitor.page.locator("p.shoes").count()).toBe(0);
  });

  it("is nobody to who uses the device after a reset: the page's own content is shown until the edge has answered", async () => {
    const visitor = await newVisitor();
    await visitor.open();
    await look(visitor);
    const [cookie] = await visitor.context.cookies();
    await visitor.page.evaluate(() => {
      attune.reset();
      return attune.flush();
    });
    await until(async () => (await visitor.context.cookies())[0]!.value !== cookie!.value, "another cookie");
    await visitor.context.addCookies([cookie!]);
    visitor.asked.length = 0;
    await visitor.open(() => {
      if (!document.querySelector("p.shoes")) throw new Error("not of the cookie's");
    });
    await visitor.page.waitForSelector("p.all");
    expect(questions(visitor)).toHaveLength(1);
    const shown = await visitor.page.evaluate(() =>
      heard.filter(({ type }) => type === "slot").map(({ detail }) => detail.html),
    );
    expect(shown).toEqual(['<p class="all">Welcome</p>']);
  });

  it("is known again after the device was wiped: nothing flickers, and the id comes back", async () => {
    const visitor = await newVisitor();
    await visitor.open();
    await look(visitor);
    const id = await visitor.page.evaluate(() => attune.anonymousId());
    await visitor.page.evaluate(async () => {
      attune.consent = () => {};
      for (const { name } of await indexedDB.databases()) indexedDB.deleteDatabase(name!);
    });
    await visitor.page.goto(`${worker.url}/attune.js`);
    await visitor.page.evaluate(() => localStorage.clear());
    visitor.asked.length = 0;
    await visitor.open(() => {
      (document.querySelector("p.shoes") as HTMLElement & { kept?: boolean }).kept = true;
    });
    await visitor.page.evaluate(() => attune.flush());
    await until(() => visitor.page.evaluate((id) => attune.anonymousId() === id, id), "the id");
    const isKept = await visitor.page.evaluate(
      () => (document.querySelector("p.shoes") as HTMLElement & { kept?: boolean }).kept,
    );
    expect([isKept, questions(visitor)]).toEqual([true, []]);
  });
});

it("fills what the edge has left to the script from what it was told, and asks only for what the edge did not see", async () => {
  body = `${HERO}<p data-attune-slot="line">Plain</p>`;
  const visitor = await newVisitor();
  await visitor.open();
  await visitor.page.waitForSelector("p > b");
  expect(questions(visitor)).toEqual([]);

  body = `${HERO}<script nonce="stub">document.body.insertAdjacentHTML("beforeend", '<div data-attune-slot="line">Plain</div>')</script>`;
  await visitor.open();
  await visitor.page.waitForSelector("div > b");
  expect(questions(visitor).map(({ body }) => body["slots"])).toEqual([["hero", "line"]]);
});

it("fills again what the page overwrites, and asks nothing for it", async () => {
  const visitor = await newVisitor();
  await visitor.open();
  await visitor.page.evaluate(() => document.querySelector("attune-block")!.replaceChildren("Overwritten"));
  await visitor.page.waitForSelector("p.all");
  expect(questions(visitor)).toEqual([]);
});

it("comes back from the back/forward cache as it was", async () => {
  const visitor = await newVisitor();
  await visitor.open();
  await visitor.page.evaluate(() =>
    addEventListener("pageshow", ({ persisted }) => heard.push({ type: "back", detail: persisted })),
  );
  await visitor.page.goto(`${worker.url}/other`);
  // Playwright's own waits for a load that never comes.
  await visitor.page.evaluate(() => history.back());
  const isBack = () =>
    visitor.page.evaluate(() => heard.some(({ type, detail }) => type === "back" && detail === true));
  await until(() => isBack().catch(() => false), "the page as it was left");
  expect(await visitor.page.locator("p.all").count()).toBe(1);
});

it("works under a strict policy, and causes no report", async () => {
  headers["content-security-policy"] = [
    "default-src 'none'",
    "script-src 'nonce-stub' 'nonce-tag' 'strict-dynamic'",
    "connect-src 'self'",
    "style-src 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types attune",
  ].join("; ");
  const visitor = await newVisitor();
  const said: string[] = [];
  visitor.page.on("console", (message) => /policy|Trusted/i.test(message.text()) && said.push(message.text()));
  await visitor.open();
  await visitor.page.waitForSelector("p.all");
  await visitor.page.evaluate(() => attune.flush());
  expect([said, questions(visitor)]).toEqual([[], []]);
});
