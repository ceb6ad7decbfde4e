/** What sites tell GA4, Segment and Shopify, as it arrives in D1. */
import { readFile } from "node:fs/promises";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { ROOT } from "../../cli/project.ts";
import { openStage, type Stage, type StoredEvent, until, type Visitor } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const script = (name: string, attributes = "") =>
  `<script src="${inject("workerUrl")}/${name}" ${attributes}></script>`;
const isReady = (page: Page) => until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");

/** Not what the script sees by itself. */
const isSaid = ({ type, event, name }: { type: string; event?: string; name?: string }) =>
  (type !== "page" || name) && event !== "Page Engagement";
/** All of this device that the script did not see by itself, in order, when `count` of them are stored. */
async function fed(visitor: Visitor, page: Page, count: number): Promise<StoredEvent[]> {
  await page.evaluate(() => attune.flush());
  const id = (await page.evaluate(() => attune.anonymousId()))!;
  const stored = await until(async () => {
    const events = (await visitor.stored(id)).filter(isSaid);
    return events.length >= count && events;
  }, `${count} events`);
  const order = await page.evaluate(() =>
    heard.filter(({ type }) => type === "event").map(({ detail }) => detail.messageId),
  );
  return stored.sort((a, b) => order.indexOf(a.messageId) - order.indexOf(b.messageId));
}
const said = (events: { type: string; event?: string; name?: string; properties?: object }[]) =>
  events.map(({ type, event, name, properties }) => [event ?? name ?? type, properties ?? {}]);

const SHIRT = {
  item_id: "SKU_12345",
  item_name: "Stan and Friends Tee",
  coupon: "SUMMER_FUN",
  discount: 2.22,
  index: 0,
  item_brand: "Google",
  item_category: "Apparel",
  item_category2: "Adult",
  item_variant: "green",
  price: 10.01,
  quantity: 3,
};
const TEE = { item_id: "SKU_12346", item_name: "Google Grey Women's Tee", price: "21.01", quantity: "2" };
const SHIRT_PRODUCT = {
  product_id: "SKU_12345",
  name: "Stan and Friends Tee",
  coupon: "SUMMER_FUN",
  discount: 2.22,
  position: 0,
  brand: "Google",
  category: "Apparel",
  item_category2: "Adult",
  variant: "green",
  price: 10.01,
  quantity: 3,
};
const TEE_PRODUCT = { product_id: "SKU_12346", name: "Google Grey Women's Tee", price: 21.01, quantity: 2 };

describe("GA4", () => {
  const GTAG =
    "<script>window.dataLayer = window.dataLayer || []; function gtag(){dataLayer.push(arguments);}</script>";

  it("takes gtag's events that were and are pushed, by Segment's names, and who the user is", async () => {
    const visitor = await stage.visitor();
    const page = await visitor.open(
      `${GTAG}<script>
        gtag("js", new Date());
        gtag("config", "G-1", { send_page_view: false, user_id: "ga-ada" });
        gtag("event", "page_view", { page_title: "Shop" });
        gtag("event", "view_item", { currency: "USD", value: 30.03, items: [${JSON.stringify(SHIRT)}], send_to: "G-1" });
      </script>${script("attune.ga4.js")}`,
    );
    await isReady(page);
    await page.evaluate(
      ([shirt, tee]) => {
        const gtag = (window as unknown as { gtag: (...args: unknown[]) => void }).gtag;
        gtag("event", "add_to_cart", { currency: "USD", value: 72.05, items: [shirt, tee] });
        gtag("event", "purchase", {
          transaction_id: "T_12345",
          value: 72.05,
          tax: "3.60",
          shipping: 5.99,
          currency: "USD",
          coupon: "SUMMER_SALE",
          items: [shirt, tee],
          event_callback() {},
        });
        gtag("event", "search", { search_term: "tees" });
        gtag("event", "exception", { description: "none of ours" });
        gtag("set", "user_properties", { plan: "pro" });
        gtag("config", "G-2", { user_id: "ga-ada" });
      },
      [SHIRT, TEE],
    );
    const events = await fed(visitor, page, 7);
    expect(said(events)).toEqual([
      ["identify", {}],
      ["Product Viewed", { currency: "USD", value: 30.03, ...SHIRT_PRODUCT }],
      ["Product Added", { currency: "USD", ...SHIRT_PRODUCT }],
      ["Product Added", { currency: "USD", ...TEE_PRODUCT }],
      [
        "Order Completed",
        {
          order_id: "T_12345",
          value: 72.05,
          total: 81.64,
          revenue: 72.05,
          tax: 3.6,
          shipping: 5.99,
          currency: "USD",
          coupon: "SUMMER_SALE",
          products: [SHIRT_PRODUCT, TEE_PRODUCT],
        },
      ],
      ["Products Searched", { query: "tees" }],
      ["identify", {}],
    ]);
    expect(await page.evaluate(() => attune.userId())).toBe("ga-ada");
  });

  it("takes the tag manager's events with their ecommerce, and those that the site names; the layer works on", async () => {
    const visitor = await stage.visitor();
    const page = await visitor.open(
      `<script>window.dataLayer = [{ "gtm.start": 1, event: "gtm.js" }];</script>
       ${script("attune.ga4.js", 'data-events="letter_ordered"')}${script("attune.ga4.js")}`,
    );
    await isReady(page);
    const length = await page.evaluate(
      ([shirt, tee]) => {
        const { dataLayer } = window as unknown as { dataLayer: unknown[] };
        dataLayer.push({ ecommerce: null });
        dataLayer.push({
          event: "view_item_list",
          ecommerce: { item_list_id: "related", item_list_name: "Related", items: [tee] },
          customer_email: "ada@example.com",
          "gtm.uniqueEventId": 5,
        });
        // What is pushed before its event belongs to it.
        dataLayer.push({ ecommerce: { currency: "EUR", value: "10.50", items: [shirt] } });
        dataLayer.push({ event: "begin_checkout" });
        dataLayer.push(
          { event: "purchase", transaction_id: "T1", value: 21, ecommerce: { items: [tee] }, user_id: "gtm-ada" },
          { event: "letter_ordered", topic: "hats", eventCallback() {} },
        );
        dataLayer.push({ event: "OneTrustLoaded", OnetrustActiveGroups: ",C0001," });
        dataLayer.push(null, "text", () => {}, {
          get event(): string {
            throw new Error("no");
          },
        });
        return dataLayer.push({ event: "login", method: "Google", user_id: "gtm-ada" });
      },
      [SHIRT, TEE],
    );
    expect(length).toBe(13);
    expect(said(await fed(visitor, page, 6))).toEqual([
      ["Product List Viewed", { list_id: "related", category: "Related", products: [TEE_PRODUCT] }],
      ["Checkout Started", { currency: "EUR", value: 10.5, products: [SHIRT_PRODUCT] }],
      ["identify", {}],
      ["Order Completed", { order_id: "T1", value: 21, total: 21, revenue: 21, products: [TEE_PRODUCT] }],
      ["letter_ordered", { topic: "hats" }],
      ["Signed In", { method: "Google" }],
    ]);
  });
});

/** What Segment's CDN and API answer, from the package. */
async function serveSegment(context: BrowserContext): Promise<string[]> {
  const folder = `${ROOT}node_modules/@segment/analytics-next/dist/umd`;
  const received: string[] = [];
  const cors = { "access-control-allow-origin": "*", "access-control-allow-headers": "*" };
  await context.route("https://cdn.segment.com/**", async (route) => {
    const { pathname } = new URL(route.request().url());
    if (pathname.endsWith("/settings")) {
      const json = { integrations: { "Segment.io": { apiKey: "segment-key", versionSettings: {} } }, plan: {} };
      await route.fulfill({ json, headers: cors });
    } else {
      const file = pathname.endsWith("/analytics.min.js") ? "standalone.js" : pathname.split("/").pop()!;
      await route.fulfill({ body: await readFile(`${folder}/${file}`), contentType: "text/javascript", headers: cors });
    }
  });
  await context.route("https://api.segment.io/**", async (route) => {
    const body = JSON.parse(route.request().postData() ?? "{}");
    for (const { type, event } of body.batch ?? [body]) received.push(event ?? type);
    await route.fulfill({ json: { success: true }, headers: cors });
  });
  return received;
}

/** Segment's documented snippet, 5.2.1. */
const snippet = (load: string) => `<script>!function(){var i="analytics",analytics=window[i]=window[i]||[];
if(!analytics.initialize)if(analytics.invoked)console.error("snippet included twice.");else{analytics.invoked=!0;
analytics.methods=["trackSubmit","trackClick","trackLink","trackForm","pageview","identify","reset","group","track","ready","alias","debug","page","screen","once","off","on","addSourceMiddleware","addIntegrationMiddleware","setAnonymousId","addDestinationMiddleware","register"];
analytics.factory=function(e){return function(){if(window[i].initialized)return window[i][e].apply(window[i],arguments);
var n=Array.prototype.slice.call(arguments);if(["track","screen","alias","group","page","identify"].indexOf(e)>-1){
var c=document.querySelector("link[rel='canonical']");n.push({__t:"bpc",c:c&&c.getAttribute("href")||void 0,p:location.pathname,u:location.href,s:location.search,t:document.title,r:document.referrer})}
n.unshift(e);analytics.push(n);return analytics}};
for(var n=0;n<analytics.methods.length;n++){var key=analytics.methods[n];analytics[key]=analytics.factory(key)}
analytics.load=function(key,n){var t=document.createElement("script");t.type="text/javascript";t.async=!0;t.setAttribute("data-global-segment-analytics-key",i);
t.src="https://cdn.segment.com/analytics.js/v1/"+key+"/analytics.min.js";var r=document.getElementsByTagName("script")[0];r.parentNode.insertBefore(t,r);analytics._loadOptions=n};
analytics._writeKey="segment-key";analytics.SNIPPET_VERSION="5.2.1";${load};analytics.page()}}();
analytics.track("Early", { n: 1 });</script>`;

type Analytics = { [method: string]: (...args: unknown[]) => Promise<unknown> };
const CALLS = async () => {
  const { analytics } = window as unknown as { analytics: Analytics };
  let called = 0;
  const callback = () => called++;
  await analytics["track"]!(
    "Product Viewed",
    { product_id: "1" },
    { context: { campaign: { name: "may" } } },
    callback,
  );
  await analytics["page"]!("Docs", "Home", { path: "/docs" });
  await analytics["page"]!("Alone");
  await analytics["identify"]!("ada", { plan: "pro" }, callback);
  await analytics["identify"]!({ city: "London" });
  await analytics["group"]!("acme", { name: "Acme" });
  await analytics["alias"]!("ada-2", "ada");
  // Not awaited: who logs out is who did this.
  analytics["track"]!("Signed Out");
  analytics["reset"]!();
  await analytics["track"]!("Later");
  return called;
};
const EXPECTED = [
  ["Early", { n: 1 }],
  ["Product Viewed", { product_id: "1" }],
  ["Home", expect.objectContaining({ category: "Docs", name: "Home", path: "/docs" })],
  ["Alone", expect.objectContaining({ name: "Alone" })],
  ["identify", {}],
  ["identify", {}],
  ["group", {}],
  ["alias", {}],
  ["Signed Out", {}],
  ["Later", {}],
];

/** Everything that the script captured, the pages that it sees by itself left out; and that the Worker has it. */
async function captured(page: Page, count: number) {
  const events = await until(async () => {
    await page.evaluate(() => attune.flush());
    const all = await page.evaluate(() => heard);
    const acked = all.filter(({ type }) => type === "ack").flatMap(({ detail }) => detail.messageIds);
    const found = all.filter(({ type, detail }) => type === "event" && isSaid(detail));
    return found.length >= count && found.every(({ detail }) => acked.includes(detail.messageId)) && found;
  }, `${count} events`);
  return events.map(({ detail }) => detail);
}
describe("Segment", () => {
  it("hears what a site tells Segment's snippet, before and after Segment has loaded, in order, and Segment does, too", async () => {
    const visitor = await stage.visitor();
    const received = await serveSegment(visitor.context);
    const page = await visitor.open(script("attune.segment.js") + snippet('analytics.load("segment-key")'));
    await isReady(page);
    await until(() => page.evaluate(() => "user" in (window as unknown as { analytics: object }).analytics), "Segment");
    await until(() => received.includes("Early"), "Segment's own");
    expect(await page.evaluate(CALLS)).toBe(2);
    const messages = await captured(page, 10);
    expect(said(messages)).toEqual(EXPECTED);
    expect(messages[1].context.campaign).toEqual({ name: "may" });
    expect(messages[4]).toMatchObject({ userId: "ada", traits: { plan: "pro" } });
    expect(messages[5]).toMatchObject({ userId: "ada", traits: { city: "London" } });
    expect(messages[6]).toMatchObject({ groupId: "acme", traits: { name: "Acme" } });
    expect(messages[7]).toMatchObject({ userId: "ada-2", previousId: "ada" });
    expect(messages[8].userId).toBe("ada");
    expect(messages[9].userId).toBeUndefined();
    expect(messages[9].anonymousId).not.toBe(messages[8].anonymousId);
    const calls = ["page", "Product Viewed", "identify", "group", "alias", "Signed Out", "Later"];
    await until(() => calls.every((call) => received.includes(call)), "all of Segment's");
  });

  it("hears a Segment that has loaded before it", async () => {
    const visitor = await stage.visitor();
    await serveSegment(visitor.context);
    const page = await visitor.open(snippet('analytics.load("segment-key")'));
    await isReady(page);
    await until(() => page.evaluate(() => "user" in (window as unknown as { analytics: object }).analytics), "Segment");
    await page.addScriptTag({ url: `${inject("workerUrl")}/attune.segment.js` });
    // Segment registers it in its own time.
    await until(async () => {
      await page.evaluate(() => (window as unknown as { analytics: Analytics }).analytics["track"]!("Again"));
      return page.evaluate(() => heard.some(({ detail }) => detail.event === "Again"));
    }, "the call");
  });

  it("hears each call once where its script is included twice", async () => {
    const visitor = await stage.visitor();
    const received = await serveSegment(visitor.context);
    const adapter = script("attune.segment.js");
    const page = await visitor.open(adapter + snippet('analytics.load("segment-key")') + adapter);
    await isReady(page);
    await until(() => received.includes("Early"), "Segment's own");
    await page.evaluate(() => (window as unknown as { analytics: Analytics }).analytics["track"]!("Last"));
    expect(said(await captured(page, 2)).map(([name]) => name)).toEqual(["Early", "Last"]);
  });

  it("stands in Segment's place: the snippet's queue, its arguments, callbacks and promises", async () => {
    const visitor = await stage.visitor();
    const received = await serveSegment(visitor.context);
    const page = await visitor.open(
      `${snippet("")}<a id=link href="#sale">Sale</a><script>
        analytics.trackLink(document.querySelector("#link"), "Link Clicked", { to: "sale" });
        analytics.ready(function () { window.isReadyNow = true; });
        analytics.on("track", function () {}); analytics.setAnonymousId("x");
      </script>${script("attune.segment.js", "data-replace")}`,
    );
    await isReady(page);
    expect(await page.evaluate(CALLS)).toBe(2);
    await page.click("#link");
    const messages = await captured(page, 11);
    expect(said(messages)).toEqual([...EXPECTED, ["Link Clicked", { to: "sale" }]]);
    expect(messages[8].userId).toBe("ada");
    expect(messages[9].userId).toBeUndefined();
    expect(await page.evaluate(() => (window as unknown as { isReadyNow: boolean }).isReadyNow)).toBe(true);
    expect(
      await page.evaluate(() => {
        const { analytics } = window as unknown as { analytics: { user(): { [name: string]: () => unknown } } };
        return [analytics.user()["id"]!(), analytics.user()["anonymousId"]!() === attune.anonymousId()];
      }),
    ).toEqual([null, true]);
    expect(received).toEqual([]);
  });

  it("takes an analytics object of the npm package, where the site bundles", async () => {
    const visitor = await stage.visitor();
    await serveSegment(visitor.context);
    const { build } = await import("esbuild");
    const { outputFiles } = await build({
      stdin: {
        contents: `import { AnalyticsBrowser } from "@segment/analytics-next";
          import { connectSegment } from "./client/adapters/index.ts";
          const analytics = AnalyticsBrowser.load({ writeKey: "segment-key" });
          connectSegment(undefined, analytics);
          analytics.track("First");
          analytics.identify("grace").then(() => analytics.track("Second"));`,
        resolveDir: ROOT,
      },
      bundle: true,
      write: false,
      format: "iife",
      define: { "process.env.NODE_ENV": '"production"' },
    });
    const page = await visitor.open();
    await isReady(page);
    await page.addScriptTag({ content: outputFiles[0]!.text });
    const messages = await captured(page, 3);
    expect(said(messages).map(([name]) => name)).toEqual(["First", "identify", "Second"]);
    expect(messages[2].userId).toBe("grace");
    expect(await page.evaluate(() => "analytics" in window)).toBe(false);
  });
});

describe("Shopify", () => {
  const VARIANT = {
    id: "43751636500715",
    image: { src: "//cdn.example.com/cake.png?v=1675933238" },
    price: { amount: 100.5, currencyCode: "INR" },
    product: {
      id: "7992996659435",
      title: "Short SK shirt",
      untranslatedTitle: "Short SK shirt",
      url: "/products/short-sk-shirt",
      vendor: "shoperzoney",
      type: "shirt",
    },
    sku: null,
    title: "Default Title",
    untranslatedTitle: "Default Title",
  };
  const PRODUCT = {
    product_id: "7992996659435",
    name: "Short SK shirt",
    brand: "shoperzoney",
    category: "shirt",
    variant: "Default Title",
    price: 100.5,
    currency: "INR",
    url: "/products/short-sk-shirt",
    image_url: "//cdn.example.com/cake.png?v=1675933238",
  };
  const CHECKOUT = {
    attributes: [],
    billingAddress: { city: "Pune" },
    currencyCode: "INR",
    discountApplications: [{ title: "MAY", type: "DISCOUNT_CODE" }],
    discountsAmount: { amount: 10, currencyCode: "INR" },
    email: null as string | null,
    lineItems: [{ id: "1", quantity: 2, title: "Short SK shirt", variant: VARIANT, finalLinePrice: { amount: 201 } }],
    order: null as object | null,
    phone: null,
    shippingLine: { price: { amount: 5, currencyCode: "INR" }, title: "Post" },
    subtotalPrice: { amount: 191, currencyCode: "INR" },
    token: "c1a2",
    totalPrice: { amount: 215, currencyCode: "INR" },
    totalTax: { amount: 19, currencyCode: "INR" },
    transactions: [],
  };
  const ORDER = {
    checkout_id: "c1a2",
    subtotal: 191,
    revenue: 191,
    total: 215,
    shipping: 5,
    shipping_method: "Post",
    tax: 19,
    discount: 10,
    coupon: "MAY",
    currency: "INR",
    products: [{ ...PRODUCT, quantity: 2 }],
  };
  const PRIVACY = {
    analyticsProcessingAllowed: true,
    marketingAllowed: true,
    preferencesProcessingAllowed: true,
    saleOfDataAllowed: false,
  };

  /** A page with the pixel in a sandbox as Shopify's, which has an origin of its own and sees nothing of the page. */
  async function openPixel(visitor: Visitor, privacy: object, customer: object | null = null, stored = "null") {
    const code = await (await fetch(`${inject("workerUrl")}/attune.shopify.js`)).text();
    const options = { key: stage.writeKey, host: inject("workerUrl") };
    const sandbox = `<script>
      const listeners = [], asked = [];
      const analytics = { async subscribe(name, listener) { listeners.push([name, listener]); } };
      const api = { customerPrivacy: { subscribe(name, listener) { listeners.push([name, listener]); } } };
      const browser = { localStorage: { async getItem(name) { asked.push(name); return ${stored}; } } };
      const init = ${JSON.stringify({ customerPrivacy: privacy, data: { customer, cart: null, shop: {} }, context: {} })};
      addEventListener("message", ({ data: [name, event] }) => {
        for (const [wanted, listener] of listeners) if (wanted === name) listener(event);
        parent.postMessage("heard", "*");
      });
    </script><script>${code}
      attuneShopify({ ...${JSON.stringify(options)}, analytics, browser, init, customerPrivacy: api.customerPrivacy });
    </script>`;
    // Of the script in the theme, only what it has stored.
    const page = await visitor.open("", 'type="text/plain"');
    await page.evaluate(async (srcdoc) => {
      const frame = Object.assign(document.createElement("iframe"), { srcdoc });
      frame.setAttribute("sandbox", "allow-scripts allow-forms");
      const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
      document.body.append(frame);
      await loaded;
    }, sandbox);
    /** Resolves when the pixel has heard it: the sandbox is a process of its own. */
    const send = (name: string, event: object) =>
      page.evaluate(
        async ([name, event]) => {
          const heard = new Promise((resolve) => addEventListener("message", resolve, { once: true }));
          frames[0]!.postMessage([name, event], "*");
          await heard;
        },
        [name, event] as const,
      );
    let number = 0;
    /** An event in Shopify's envelope. */
    const publish = (clientId: string, name: string, data: object = {}, path = "/products/x") =>
      send("all_standard_events", {
        id: `sh-${clientId}-${++number}`,
        clientId,
        name,
        type: "standard",
        seq: number,
        timestamp: new Date().toISOString(),
        data,
        context: {
          document: {
            location: {
              href: `https://shop.example${path}?a=1`,
              pathname: path,
              search: "?a=1",
              hash: "",
            },
            referrer: "https://shop.example/",
            title: "Shirt – Shop",
            characterSet: "UTF-8",
          },
          navigator: { language: "en-US", languages: ["en-US"], userAgent: "Mozilla/5.0", cookieEnabled: true },
          window: { innerHeight: 553, innerWidth: 1792 },
        },
      });
    return { page, publish, send };
  }
  const stored = (visitor: Visitor, id: string, count: number) =>
    until(async () => {
      const events = await visitor.stored(id);
      return events.length >= count && events;
    }, `${count} events of ${id}`);

  it("sends the standard events from inside the sandbox, for its client id, and knows who orders", async () => {
    const visitor = await stage.visitor();
    const clientId = crypto.randomUUID();
    const { publish } = await openPixel(visitor, PRIVACY);
    const cartLine = { cost: { totalAmount: { amount: 201 } }, merchandise: VARIANT, quantity: 2 };
    const cart = { id: "cart-1", cost: { totalAmount: { amount: 201, currencyCode: "INR" } }, lines: [cartLine] };
    await publish(clientId, "page_viewed");
    await publish(clientId, "collection_viewed", {
      collection: { id: "4082", title: "Shirts", productVariants: [VARIANT] },
    });
    await publish(clientId, "search_submitted", { searchResult: { query: "shirt", productVariants: [] } });
    await publish(clientId, "product_viewed", { productVariant: VARIANT });
    await publish(clientId, "product_added_to_cart", { cartLine });
    await publish(clientId, "product_removed_from_cart", { cartLine });
    await publish(clientId, "cart_viewed", { cart });
    await publish(clientId, "alert_displayed", { alert: {} });
    await publish(clientId, "checkout_started", { checkout: CHECKOUT });
    await publish(clientId, "payment_info_submitted", { checkout: CHECKOUT });
    const order = { id: "5001", customer: { id: `c-${clientId}`, isFirstOrder: true } };
    await publish(clientId, "checkout_completed", {
      checkout: { ...CHECKOUT, email: `${clientId}@example.com`, order },
    });
    const events = await stored(visitor, clientId, 11);
    const found = (name: string) => events.find(({ event, type }) => (event ?? type) === name)?.properties;
    expect(events).toHaveLength(11);
    expect(found("page")).toMatchObject({
      path: "/products/x",
      url: "https://shop.example/products/x?a=1",
      title: "Shirt – Shop",
    });
    expect(found("Product List Viewed")).toEqual({ list_id: "4082", category: "Shirts", products: [PRODUCT] });
    expect(found("Products Searched")).toEqual({ query: "shirt", products: [] });
    expect(found("Product Viewed")).toEqual(PRODUCT);
    expect(found("Product Added")).toEqual({ ...PRODUCT, quantity: 2 });
    expect(found("Product Removed")).toEqual({ ...PRODUCT, quantity: 2 });
    expect(found("Cart Viewed")).toEqual({
      cart_id: "cart-1",
      value: 201,
      currency: "INR",
      products: [{ ...PRODUCT, quantity: 2 }],
    });
    expect(found("Checkout Started")).toEqual(ORDER);
    expect(found("Payment Info Entered")).toEqual(ORDER);
    expect(found("Order Completed")).toEqual({ ...ORDER, order_id: "5001" });
    const profile = await stage.api<{ traits: object }>("GET", `/api/profiles?userId=c-${clientId}`);
    expect(profile.traits).toMatchObject({ email: `${clientId}@example.com` });
    const preferences = { necessary: true, analytics: true, personalization: true, marketing: false };
    for (const { messages } of visitor.sent) {
      for (const { context } of messages) expect(context?.["consent"]).toEqual({ categoryPreferences: preferences });
    }
  });

  it("sends nothing before analytics are allowed, nor after; and says so", async () => {
    const visitor = await stage.visitor();
    const clientId = crypto.randomUUID();
    const { publish, send } = await openPixel(visitor, { ...PRIVACY, analyticsProcessingAllowed: false }, { id: "77" });
    await publish(clientId, "product_viewed", { productVariant: VARIANT });
    await send("visitorConsentCollected", { customerPrivacy: PRIVACY });
    await publish(clientId, "product_viewed", { productVariant: VARIANT });
    // The customer who is logged in, and what they did then.
    await stored(visitor, clientId, 2);
    await send("visitorConsentCollected", { customerPrivacy: { ...PRIVACY, analyticsProcessingAllowed: false } });
    await publish(clientId, "product_viewed", { productVariant: VARIANT });
    const told = await until(() => visitor.sent.find(({ path }) => path === "/a/consent"), "the consent");
    expect(told.body).toMatchObject({ anonymousId: clientId, userId: "77", purposes: { analytics: false } });
    expect(visitor.sent.flatMap(({ messages }) => messages.map(({ type }) => type))).toEqual(["identify", "track"]);
  });

  it("waits for a Worker that is out of reach, and takes the theme's visitor for its own", async () => {
    const visitor = await stage.visitor();
    const anonymousId = crypto.randomUUID();
    const who = JSON.stringify(JSON.stringify({ mode: "full", who: { anonymousId } }));
    const { publish, page } = await openPixel(visitor, PRIVACY, null, who);
    let refusals = 0;
    await page.route("**/a/batch", (route) => (refusals++ ? route.fallback() : route.fulfill({ status: 503 })));
    await publish("client-1", "product_viewed", { productVariant: VARIANT });
    await until(() => refusals > 0, "a refusal");
    await publish("client-1", "cart_viewed", { cart: null });
    const events = await stored(visitor, anonymousId, 2);
    expect(events.map(({ event }) => event).sort()).toEqual(["Cart Viewed", "Product Viewed"]);
  });

  it("leaves to the theme's script the pages and searches that it sees, not those of the checkout", async () => {
    const visitor = await stage.visitor();
    const anonymousId = crypto.randomUUID();
    const who = JSON.stringify(JSON.stringify({ mode: "full", who: { anonymousId } }));
    const { publish } = await openPixel(visitor, PRIVACY, null, who);
    await publish("client-2", "page_viewed");
    await publish("client-2", "search_submitted", { searchResult: { query: "shirt" } });
    await publish("client-2", "page_viewed", {}, "/checkouts/cn/c1a2/information");
    await publish("client-2", "page_viewed", {}, "/77/orders/c1a2");
    await publish("client-2", "product_viewed", { productVariant: VARIANT });
    await stored(visitor, anonymousId, 3);
    const messages = visitor.sent.flatMap(({ messages }) => messages);
    expect(messages.map(({ type, properties }) => [type, properties!["path"]])).toEqual([
      ["page", "/checkouts/cn/c1a2/information"],
      ["page", "/77/orders/c1a2"],
      ["track", undefined],
    ]);
  });

  it("sends more than a request that outlives its page may hold", async () => {
    const visitor = await stage.visitor();
    const clientId = crypto.randomUUID();
    const { publish, page } = await openPixel(visitor, PRIVACY);
    let isDown = true;
    let refusals = 0;
    await page.route("**/a/batch", (route) => {
      if (!isDown) return route.fallback();
      refusals++;
      return route.fulfill({ status: 503 });
    });
    const cartLine = { merchandise: { ...VARIANT, title: "x".repeat(20_000) }, quantity: 1 };
    for (let i = 0; i < 5; i++) await publish(clientId, "product_added_to_cart", { cartLine });
    await until(() => refusals > 0, "a refusal");
    isDown = false;
    // The next one takes along those that wait.
    await publish(clientId, "cart_viewed", { cart: null });
    expect(await stored(visitor, clientId, 6)).toHaveLength(6);
  });

  it("tells of a withdrawal until the Worker has heard of it, and nothing else", async () => {
    const visitor = await stage.visitor();
    const clientId = crypto.randomUUID();
    const { publish, send, page } = await openPixel(visitor, PRIVACY);
    await publish(clientId, "product_viewed", { productVariant: VARIANT });
    await stored(visitor, clientId, 1);
    const answers: number[] = [];
    await page.route("**/a/consent", async (route) => {
      if (!answers.length) await route.fulfill({ status: 503 });
      else await route.fallback();
      answers.push(1);
    });
    const before = Date.now();
    await send("visitorConsentCollected", { customerPrivacy: { ...PRIVACY, analyticsProcessingAllowed: false } });
    await publish(clientId, "cart_viewed", { cart: null });
    await until(() => answers.length > 0, "a refusal");
    const after = Date.now();
    const told = await until(() => visitor.sent.filter(({ path }) => path === "/a/consent")[1], "the consent again");
    expect(told.body).toMatchObject({ anonymousId: clientId, purposes: { analytics: false } });
    const at = Date.parse(told.body["at"] as string);
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(after);
    expect(visitor.sent.flatMap(({ messages }) => messages)).toHaveLength(1);
  });

  it("sends nothing of an event that it was reading when analytics were withdrawn", async () => {
    const visitor = await stage.visitor();
    const clientId = crypto.randomUUID();
    const reading = "asked.length > 1 ? null : new Promise((resolve) => { globalThis.answer = resolve; })";
    const { publish, send, page } = await openPixel(visitor, PRIVACY, null, reading);
    const inside = page.frames()[1]!;
    await publish(clientId, "product_viewed", { productVariant: VARIANT });
    await until(() => inside.evaluate("asked.length === 1"), "the question");
    await send("visitorConsentCollected", { customerPrivacy: { ...PRIVACY, analyticsProcessingAllowed: false } });
    await inside.evaluate("answer(null)");
    await send("visitorConsentCollected", { customerPrivacy: PRIVACY });
    await publish(clientId, "cart_viewed", { cart: null });
    await stored(visitor, clientId, 1);
    const messages = visitor.sent.flatMap(({ messages }) => messages);
    expect(messages.map(({ event }) => event)).toEqual(["Cart Viewed"]);
  });
});
