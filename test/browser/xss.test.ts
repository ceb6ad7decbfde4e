/**
 * Hundreds of values that would run code, as traits, context, products of a cart and templates, through the real Worker into every
 * document that shows them: by the script in a page, in the stream of a page, as an e-mail's HTML, as a shared preview. Nothing runs.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { STUB } from "../../cli/site.ts";
import { escapeHtml } from "../../edge/blocks/liquid/html.ts";
import { checkTemplate, render } from "../../edge/blocks/liquid.ts";
import { readPlain } from "../../edge/stream/plain.ts";
import { ADMIN_TOKEN, type System, startSystem } from "../system/system.ts";
import { CHROMIUM_FLAGS } from "./chromium.ts";
import { PAYLOADS } from "./payloads.ts";
import { until } from "./stage.ts";

const DEVICE = "0e5a1c52-8a52-4a3e-9a4f-3f7f3f3a0c11";
const SEPARATOR = "¦";
/** Whose number says which payload it shows; what each of its places holds is told by the browser. */
const PLAIN = `<section data-at="{{ at }}"><p title="{{ v }}" data-a='{{ v }}'>{{ v }}</p><a href="{{ v }}">a</a><a href='/{{ v }}'>b</a>
<img src="{{ v }}" alt="{{ v }}"><img srcset="{{ v }} 2x" alt=''><video poster="{{ v }}"></video><blockquote cite="{{ v }}">c</blockquote>
<form action="{{ v }}"><button formaction="{{ v }}">d</button><input value="{{ v }}"><textarea>{{ v }}</textarea>
<select><option value="{{ v }}">{{ v }}</option></select></form><b style="color: {{ v }}; background: {{ v }}; clip-path: url('#{{ v }}')">e</b>
<i style='background: {{ v }}; clip-path: url(#{{ v }})'>f</i><!-- {{ v }} --><svg><text y="9" fill="{{ v }}" mask="{{ v }}">{{ v }}</text></svg></section>`;
const FOREIGN = `<section data-at="{{ at }}"><p>{{ v }}</p><svg><title>{{ v }}</title><a xlink:href="{{ v }}" href="{{ v }}"><text>{{ v }}</text></a>
<foreignObject><b title="{{ v }}">{{ v }}</b></foreignObject></svg><math href="{{ v }}"><mtext>{{ v }}</mtext></math>
<template><b title="{{ v }}">{{ v }}</b></template><noscript>n</noscript><map><area href="{{ v }}"></map></section>`;
const each = (list: string, cell: string) =>
  `{% for v in ${list} %}{% assign at = forloop.index0 %}${cell}{% endfor %}<i class="end"></i>`;
/** What may be written into a stream, by its number; what looks like an address that runs is the script's to insert. */
const [plain, others] = [true, false].map((isPlain) =>
  PAYLOADS.filter((payload) => (readPlain(`<p title="${escapeHtml(payload)}">x</p>`) !== null) === isPlain),
) as [string[], string[]];
/** A cart holds a hundred products. */
const lists = [0, 90, 180, 270].map((at) => plain.slice(at, at + 90)).concat([others]);
/** What a query takes. */
const QUERIED = PAYLOADS.filter((payload) => payload.length < 200 && !payload.includes(SEPARATOR)).slice(0, 120);
const TITLED = QUERIED.filter((payload) => /^[!-~]+(?: [!-~]+)*$/.test(payload));
const FIELDS = ["name", "brand", "category", "variant", "sku"];
const STREAMED = ["t0", "t1", "t2", "t3"];
const TEMPLATES: { [slot: string]: string } = {
  ...Object.fromEntries(lists.map((_, index) => [`t${index}`, each(`customer.list${index}`, PLAIN)])),
  ...Object.fromEntries(lists.map((_, index) => [`f${index}`, each(`customer.list${index}`, FOREIGN)])),
  ...Object.fromEntries(
    FIELDS.map((name) => [name, each("cart.items", PLAIN.replaceAll("{{ v }}", `{{ v.${name} }}`))]),
  ),
  title: `{% assign list = context.page.title | split: "${SEPARATOR}" %}${each("list", PLAIN)}`,
  search: `{% assign list = context.campaign.source | split: "${SEPARATOR}" %}${each("list", PLAIN)}`,
};

let origin: Server;
let system: System;
let browser: Browser;
let shopUrl: string;
/** What the origin answers. */
let shop = "";
const headers: { [name: string]: string } = {};

beforeAll(async () => {
  origin = createServer({ maxHeaderSize: 64 * 1024, keepAliveTimeout: 60_000 }, (request, response) => {
    const isPage = request.headers.accept?.includes("text/html") && request.url!.split("?")[0] === "/";
    if (isPage) response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...headers }).end(shop);
    else response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  shopUrl = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
  const launching = chromium.launch({ executablePath: inject("chromium"), args: CHROMIUM_FLAGS });
  system = await startSystem({ ORIGIN: shopUrl, ORIGIN_KEY: "pk_demo" });
  browser = await launching;
  await createContent();
});
afterAll(async () => {
  await browser?.close();
  await system?.stop();
  origin?.closeAllConnections();
});

let siteId = "";

async function createContent(): Promise<void> {
  const admin = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const site = {
    writeKey: "pk_demo",
    secretKey: "sk_demo",
    name: "shop.example",
    consentDefault: "full",
    origins: ["*"],
  };
  const created = await fetch(`${system.worker.url}/api/sites`, {
    method: "POST",
    headers: admin,
    body: JSON.stringify(site),
  });
  siteId = ((await created.json()) as { id: string }).id;
  system.secretKey = "sk_demo";
  for (const [key, template] of Object.entries(TEMPLATES)) {
    await system.api("POST", "/api/blocks", { key, slot: key, variants: [{ key: "all", audience: null, template }] });
    await system.api("POST", `/api/blocks/${key}/publish`);
  }
  await store({ userId: "xss", anonymousId: DEVICE });
}

/** Whoever it is gets all payloads as traits and as products. */
async function store(who: { userId?: string; anonymousId: string }): Promise<void> {
  const traits = Object.fromEntries(lists.map((list, index) => [`list${index}`, list]));
  const products = lists[0]!.map((_, at) => ({
    product_id: `p${at}`,
    ...Object.fromEntries(FIELDS.map((name, index) => [name, lists[index]![at] ?? ""])),
  }));
  const batch = [
    { type: "identify", messageId: `1${who.anonymousId}`, ...who, traits },
    { type: "track", messageId: `2${who.anonymousId}`, ...who, event: "Cart Viewed", properties: { products } },
  ];
  const stored = await fetch(`${system.worker.url}/v1/batch`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa("pk_demo:")}` },
    body: JSON.stringify({ batch }),
  });
  expect(await stored.json()).toMatchObject({ accepted: 2, rejected: [] });
}

interface Watched {
  context: BrowserContext;
  page: Page;
  /** What ran, asked the canary's host, or was reported. */
  alarms: string[];
}

async function watch(): Promise<Watched> {
  const context = await browser.newContext();
  const alarms: string[] = [];
  await context.exposeFunction("alarm", (what: string) => void alarms.push(what));
  await context.addInitScript(() => {
    // So many values may take longer than anybody waits for a slot.
    const { timeout } = AbortSignal;
    AbortSignal.timeout = (ms) => timeout.call(AbortSignal, 10 * ms);
    Object.assign(window, {
      ran: (index: number) => (window as unknown as { alarm(what: string): void }).alarm(`ran ${index}`),
    });
  });
  await context.route(
    ({ hostname }) => hostname === "canary.example",
    (route) => {
      alarms.push(`asked ${route.request().url()}`);
      return route.abort();
    },
  );
  const page = await context.newPage();
  page.on("request", (request) => request.url().endsWith("/reports") && alarms.push(`report ${request.postData()}`));
  page.on("console", (message) => {
    if (/Content Security Policy|Trusted/i.test(message.text())) alarms.push(message.text());
  });
  page.on("dialog", (dialog) => {
    alarms.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { context, page, alarms };
}

/** Where addresses lead, as the browser reads them, what handlers there are, what left its place in a style, and what each payload is seen as. */
function survey(root: string) {
  const elements = [...document.querySelectorAll(`${root} *`)];
  const protocols = new Set<string>();
  const handlers: string[] = [];
  const styles = elements
    .filter((element) => element.hasAttribute("style"))
    .map((element) => getComputedStyle(element));
  for (const element of elements) {
    for (const name of element.getAttributeNames()) {
      const value = element.getAttribute(name)!;
      if (name.startsWith("on") || name === "srcdoc") handlers.push(`${element.nodeName} ${name}=${value}`);
      if (!/^(?:href|xlink:href|src|poster|action|formaction|cite|to|values)$/.test(name)) continue;
      if (URL.canParse(value, "https://here.example")) protocols.add(new URL(value, "https://here.example").protocol);
    }
    if (element instanceof HTMLElement) element.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
  }
  const names = [...new Set(elements.map(({ nodeName }) => nodeName.toLowerCase()))].sort();
  const shown = [...document.querySelectorAll(`${root} section`)].map(
    (section) => section.querySelector("p")!.textContent,
  );
  const left = styles.filter(({ position, backgroundImage }) => position !== "static" || backgroundImage !== "none");
  return {
    protocols: [...protocols],
    handlers,
    left: left.map(({ cssText }) => cssText),
    names,
    shown,
    ends: document.querySelectorAll(`${root} i.end`).length,
  };
}

const SAFE = ["http:", "https:", "mailto:", "tel:", "sms:", "data:"];
const PLAIN_NAMES = "a b blockquote button form i img input option p section select svg text textarea video".split(" ");
const FOREIGN_NAMES = "a area b foreignobject i map math mtext noscript p section svg template text title".split(" ");

/** As a parser reads line ends and what is no character, and as a text is compared. */
const toShown = (payload: string) => payload.replace(/\r\n?/g, "\n").replaceAll("\0", "\ufffd");
const norm = (texts: (string | null)[]) =>
  texts.map((text) => text!.replaceAll("\0", "\ufffd").replaceAll("\ufffd", ""));
const wanted = (payloads: readonly string[]) => norm(payloads.map(toShown));

async function settle(page: Page): Promise<void> {
  await page.evaluate(async () => {
    for (let frames = 0; frames < 5; frames++) await new Promise(requestAnimationFrame);
  });
}

async function expectHarmless({ page, alarms }: Watched, root: string, payloads: readonly string[], names: string[]) {
  const count = (root: string) => document.querySelectorAll(`${root} section`).length;
  await until(async () => (await page.evaluate(count, root)) >= payloads.length, root);
  const { protocols, handlers, left, shown, ends, names: found } = await page.evaluate(survey, root);
  expect(protocols.filter((protocol) => !SAFE.includes(protocol))).toEqual([]);
  expect(handlers).toEqual([]);
  expect(left).toEqual([]);
  expect(found.filter((name) => !names.includes(name))).toEqual([]);
  expect(norm(shown)).toEqual(wanted(payloads));
  expect(ends).toBe(1);
  await settle(page);
  expect(alarms).toEqual([]);
}

const listOf = (slot: string): readonly string[] => {
  const fields = FIELDS.indexOf(slot);
  if (fields >= 0) return lists[0]!.map((_, at) => lists[fields]![at] ?? "");
  if (slot === "title") return TITLED;
  return slot === "search" ? QUERIED : lists[Number(slot.slice(1))]!;
};
const namesOf = (slot: string) => (slot.startsWith("f") ? FOREIGN_NAMES : PLAIN_NAMES);

const query = `?utm_source=${encodeURIComponent(QUERIED.join(SEPARATOR))}`;

function buildPage(slots: readonly string[]): string {
  const places = slots.map((slot) => `<attune-block name="${slot}"><p>Own</p></attune-block>`).join("");
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(TITLED.join(SEPARATOR))}</title>
<script nonce="stub">${STUB}</script>
<script async nonce="tag" src="${system.worker.url}/attune.js" data-key="pk_demo"></script></head><body>${places}<footer>End</footer></body></html>`;
}

/** Puts each into a document of its own, as a parser reads it there. @returns how many are addresses that run */
function writeAll(payloads: readonly string[]): number {
  let count = 0;
  for (const payload of payloads) {
    const frame = document.createElement("iframe");
    document.body.append(frame);
    frame.contentDocument!.open();
    frame.contentDocument!.write(`<body>${payload}`);
    frame.contentDocument!.close();
    const styled = document.createElement("p");
    styled.setAttribute("style", `background: ${payload}`);
    document.body.append(styled);
    const link = document.createElement("a");
    link.setAttribute("href", payload);
    if (link.protocol === "javascript:") count++;
  }
  return count;
}

it("the payloads would run", async () => {
  const { context, page, alarms } = await watch();
  await page.setContent("<body></body>");
  const addresses = await page.evaluate(writeAll, PAYLOADS);
  await until(() => new Set(alarms).size > 120, "what runs");
  expect(addresses).toBeGreaterThan(15);
  expect(PAYLOADS.length).toBeGreaterThanOrEqual(300);
  await context.close();
});

it("none runs that is an author's template and may be written into a stream", async () => {
  const written = PAYLOADS.flatMap((source) => {
    const checked = checkTemplate(source);
    const { html } = "template" in checked ? render(checked.template, {}, { now: 0, timeZone: "UTC" }) : {};
    return html && readPlain(html) ? html : [];
  });
  expect(written.length).toBeGreaterThan(50);
  const { context, page, alarms } = await watch();
  await page.setContent("<body></body>");
  await page.evaluate(writeAll, written);
  await settle(page);
  // What an author loads is the author's to say.
  expect(alarms.filter((alarm) => !alarm.startsWith("asked"))).toEqual([]);
  await context.close();
});

describe.each([
  ["under a strict policy with Trusted Types", true],
  ["without any policy", false],
])("%s", (_, isStrict) => {
  const policy = () =>
    `default-src 'none'; img-src 'self' data:; style-src-attr 'unsafe-inline'; script-src 'nonce-stub' 'nonce-tag' 'strict-dynamic'; connect-src 'self' ${system.worker.url}; require-trusted-types-for 'script'; trusted-types attune; report-uri /reports`;
  const open = async (url: string, slots: readonly string[]) => {
    const watched = await watch();
    shop = buildPage(slots);
    delete headers["content-security-policy"];
    if (isStrict) headers["content-security-policy"] = policy();
    const name = `__Host-attune.${siteId}`;
    const value = `${DEVICE}.${Math.floor(Date.now() / 86_400_000)}`;
    await watched.context.addCookies([
      { name, value, url: system.worker.url.replace("http:", "https:"), secure: true },
    ]);
    // Before a device of the shop's asks for the first time.
    await watched.context.route(`${system.worker.url}/a/decide`, async (route) => {
      const { anonymousId } = route.request().postDataJSON() as { anonymousId: string };
      if (anonymousId !== DEVICE) await store({ anonymousId });
      await route.continue();
    });
    return { ...watched, response: await watched.page.goto(`${url}/${query}`) };
  };

  it("none runs that the script inserts", async () => {
    const slots = Object.keys(TEMPLATES);
    const watched = await open(shopUrl, slots);
    for (const slot of slots) {
      await expectHarmless(watched, `attune-block[name="${slot}"]`, listOf(slot), namesOf(slot));
    }
    expect(await watched.page.evaluate(() => "version" in attune)).toBe(true);
    await watched.context.close();
  });

  it("none runs that comes in the stream of a page", async () => {
    const slots = [...STREAMED, "t4", "search"];
    const watched = await open(system.worker.url, slots);
    const source = await watched.response!.text();
    expect(source.match(/<template data-attune=/g)).toHaveLength(STREAMED.length);
    for (const slot of slots) {
      await expectHarmless(watched, `attune-block[name="${slot}"]`, listOf(slot), [...PLAIN_NAMES, "template"]);
    }
    await watched.context.close();
  });
});

describe("in documents of their own", () => {
  const open = async (url: string, root: string, slot: string) => {
    const watched = await watch();
    await watched.page.goto(url);
    await expectHarmless(watched, root, listOf(slot), namesOf(slot));
    await watched.context.close();
  };

  it("none runs in a shared preview, which shows it in a frame", async () => {
    const profile = { traits: { list0: [...lists[0]!, ...others] } };
    const { url } = await system.api<{ url: string }>("POST", "/api/blocks/preview/links", { block: "t0", profile });
    const watched = await watch();
    // Its hundreds of pictures are not waited for.
    await watched.page.goto(url, { waitUntil: "domcontentloaded" });
    const shown = watched.page.frames()[1]!;
    await shown.waitForSelector("i.end", { state: "attached" });
    await settle(watched.page);
    expect(watched.alarms.filter((alarm) => !alarm.includes("violates"))).toEqual([]);
    await watched.context.close();
  });

  it("none runs in the HTML of an e-mail, where its policy is not heard, too", async () => {
    delete headers["content-security-policy"];
    const recipients = [{ userId: "xss" }];
    const [one] = await system.api<{ token: string }[]>("POST", "/api/email/tokens", { send: "spring", recipients });
    for (const slot of ["t0", "t4", "f0", "f4", "name"]) {
      const url = `${system.worker.url}/e/${one!.token}/${slot}`;
      const response = await fetch(url);
      expect(response.headers.get("content-security-policy")).toContain("sandbox");
      shop = `<!doctype html><body>${await response.text()}`;
      await open(`${shopUrl}/`, "body", slot);
    }
  });
});
