/** What the script is measured in: a site of its own in the Worker, and a server for the pages that include the script. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { callApi } from "../../../cli/api.ts";
import type { Condition } from "../../../shared/condition.ts";
import { ADMIN_TOKEN, type Bench } from "../workerd.ts";
import type { Ours } from "./contestants.ts";

export interface Shop {
  writeKey: string;
  siteId: string;
  /** Origin of the pages. */
  url: string;
  /** Served at its path from now on. */
  put(path: string, type: string, content: string | Uint8Array): void;
  close(): Promise<void>;
}

export const SLOTS = ["hero", "offers"];
const CATEGORIES = ["shoes", "bags", "hats", "coats", "socks"];

/** `toggled` turns with each event "Product Viewed" with an amount of ±1; the others ask for what a shop's rules ask for, each differently. */
const CONDITIONS: ((turn: number) => Condition)[] = [
  () => ({ event: "Product Viewed", sum: "amount", gte: 1 }),
  (turn) => ({
    event: "Product Viewed",
    where: { category: { eq: CATEGORIES[turn % CATEGORIES.length]! } },
    within: "24h",
    count: { gte: 2 + turn },
  }),
  (turn) => ({ event: "Product Added", unless: { event: "Order Completed" }, after: `${1 + turn}h`, within: "7d" }),
  (turn) => ({ event: "Order Completed", within: "365d", sum: "revenue", gte: 100 * (1 + turn) }),
  (turn) => ({
    all: [
      { trait: "plan", eq: "pro" },
      { type: "page", within: `${7 + turn}d`, count: { gte: 3 } },
    ],
  }),
];

/** @param segments public ones, of which the first is `toggled`. */
export async function openShop({ product }: Bench, ours: Ours, segments: number): Promise<Shop> {
  const { body: site } = await callApi<{ id: string; writeKey: string; secretKey: string }>(
    { url: product, token: ADMIN_TOKEN },
    "POST",
    "/api/sites",
    { name: "shop.example", origins: ["*"], consentDefault: "full" },
  );
  const api = { url: product, token: site.secretKey };
  for (let index = 0; index < segments; index++) {
    const key = index === 0 ? "toggled" : `segment-${index}`;
    const condition = CONDITIONS[index % CONDITIONS.length]!(Math.floor(index / CONDITIONS.length));
    const draft = { key, name: key, kind: "dynamic", visibility: "public", status: "active", condition };
    await callApi(api, "POST", "/api/segments", draft);
  }
  for (const slot of SLOTS) {
    const variants = [
      { key: "toggled", audience: { segment: "toggled" }, template: buildContent(slot, "chosen for you") },
      { key: "all", audience: null, template: buildContent(slot, "for everybody") },
    ];
    await callApi(api, "POST", "/api/blocks", { key: slot, slot, variants });
    await callApi(api, "POST", `/api/blocks/${slot}/publish`);
  }

  const files = new Map<string, { type: string; content: string | Uint8Array }>([
    ["/attune.js", { type: "text/javascript", content: ours.code }],
    ["/attune.rules.js", { type: "text/javascript", content: ours.rules }],
  ]);
  const server = createServer(({ url }, response) => {
    const file = files.get(url!);
    response
      .writeHead(file ? 200 : 404, {
        "content-type": file?.type ?? "text/plain",
        "cache-control": file?.type === "text/html" ? "no-store" : "max-age=3600",
        // Isolated pages have clocks that tell 5 µs; others, 100.
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
      })
      .end(file?.content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    writeKey: site.writeKey,
    siteId: site.id,
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    put: (path, type, content) => void files.set(path, { type, content }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** As high as what it replaces. */
export const buildContent = (slot: string, text: string): string =>
  `<section class="${slot}"><h2>New in, ${text}</h2><ul>${Array.from(
    { length: 6 },
    (_, index) => `<li><a href="/p/${index}"><b>Running shoe ${index}</b><span>€ ${80 + index}</span></a></li>`,
  ).join("")}</ul></section>`;

/** Attributes of the script's tag. @param host of the Worker */
export const buildTag = ({ writeKey }: Shop, host: string): string => `data-key="${writeKey}" data-host="${host}"`;

/** @param head in which the script is. */
export const buildPage = (head: string, body = ""): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>${head}</head><body>${body}</body></html>`;

export const SLOT_ELEMENTS = SLOTS.map(
  (slot) => `<attune-block name="${slot}">${buildContent(slot, "as every day")}</attune-block>`,
).join("");

/** What to wait for in a page: each of these shows what was decided. */
export const ALL_DECIDED = `document.querySelectorAll("[data-attune-decision]").length === ${SLOTS.length}`;

export const inline = (code: string, attributes = ""): string =>
  `<script ${attributes}>${code.replace(/<\/script/gi, "<\\/script")}</script>`;
