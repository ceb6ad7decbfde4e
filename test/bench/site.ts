/** The site that is measured: rules of every weight, a block without personal values, and what its visitors send. */
import { ADMIN_TOKEN } from "./workerd.ts";

export interface Site {
  id: string;
  writeKey: string;
  secretKey: string;
}

const SEGMENTS = {
  "interested-in-shoes": {
    event: "Product Viewed",
    where: { category: { eq: "shoes" } },
    within: "24h",
    count: { gte: 2 },
  },
  "cart-abandoner": { event: "Product Added", unless: { event: "Order Completed" }, after: "1h", within: "7d" },
  "high-value": { event: "Order Completed", within: "365d", sum: "revenue", gte: 500 },
  regular: { event: "Product Viewed", within: "30d", days: { gte: 3 } },
  curious: { event: "Product Viewed", distinct: "product_id", gte: 10 },
  pro: { trait: "plan", eq: "pro" },
};

/** As long as a real one: ~1 kB of HTML that is the same for everybody who gets the variant. */
const TEMPLATE = `<section class="hero"><h2>New in</h2><ul>${Array.from(
  { length: 8 },
  (_, index) =>
    `<li><a href="/p/shoe-${index}"><img src="/i/shoe-${index}.webp" alt=""><span>Running shoe ${index}</span><b>€ ${80 + index}</b></a></li>`,
).join("")}</ul></section>`;

/** @param keys those of the demo; left out: new ones */
export async function createSite(url: string, keys?: Pick<Site, "writeKey" | "secretKey">): Promise<Site> {
  const site = await call<Site>(url, ADMIN_TOKEN, "POST", "/api/sites", {
    name: "bench.example",
    consentDefault: "full",
    ...keys,
  });
  for (const [key, condition] of Object.entries(SEGMENTS)) {
    await call(url, site.secretKey, "POST", "/api/segments", {
      key,
      name: key,
      kind: "dynamic",
      visibility: "public",
      status: "active",
      condition,
    });
  }
  await createBlock(url, site, "hero", {
    key: "shoes",
    audience: { segment: "interested-in-shoes" },
    template: TEMPLATE,
  });
  return site;
}

/** Published, in a slot of the same name. */
export async function createBlock(url: string, site: Site, key: string, variant: object): Promise<void> {
  const block = { key, slot: key, variants: [variant], fallback: "<p>Welcome</p>" };
  await call(url, site.secretKey, "POST", "/api/blocks", block);
  await call(url, site.secretKey, "POST", `/api/blocks/${key}/publish`, {});
}

async function call<T>(url: string, token: string, method: string, path: string, body: unknown): Promise<T> {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return JSON.parse(text) as T;
}

/** Twenty, as a visit makes them: half of them views that rules look at. `#` and `@` as in load.ts. */
export function buildBatch(writeKey: string, person: string, events = 20): string {
  const now = Date.now();
  const batch = Array.from({ length: events }, (_, index) => ({
    ...KINDS[index % KINDS.length]!(index),
    messageId: `bench-##########-${index}`,
    anonymousId: person,
    timestamp: new Date(now - (events - index) * 1_000).toISOString(),
    context: {
      page: { path: `/p/${index}`, url: `https://bench.example/p/${index}`, title: "A page" },
      locale: "en-GB",
      userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
      library: { name: "attune", version: "0.1.0" },
    },
  }));
  return JSON.stringify({ writeKey, sentAt: new Date(now).toISOString(), batch });
}

const KINDS: ((index: number) => object)[] = [
  (index) => ({ type: "page", name: "Product", properties: { path: `/p/${index}`, title: "A product" } }),
  (index) => ({
    type: "track",
    event: "Product Viewed",
    properties: { product_id: `P${index}`, category: index % 4 === 1 ? "shoes" : "bags", price: 10 + index },
  }),
  () => ({ type: "track", event: "Product List Viewed", properties: { list_id: "shoes", category: "shoes" } }),
  (index) => ({
    type: "track",
    event: "Product Viewed",
    properties: { product_id: `P${index}`, category: "shoes", price: 10 + index },
  }),
  (index) => ({
    type: "track",
    event: index === 14 ? "Product Added" : "Products Searched",
    properties: { product_id: `P${index}`, cart_id: "C1", query: "red", price: 10, quantity: 1 },
  }),
];
