/** What mail programs fetch when an e-mail is opened. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { sealName } from "../../../edge/tokens.ts";
import type { Card, CardPart, PaintedCard, PaintedPart } from "../../../shared/card.ts";
import { ask } from "../delivery/worker.ts";
import { throughEach } from "../profiles/around.ts";
import { bindings } from "../site.ts";
import { openShop, pressing, type Shop } from "./shop.ts";

const PROXY = {
  "user-agent": "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
};
const DAY = 24 * 60 * 60 * 1000;
const STILL = "private, max-age=3600";
const CHANGING = "private, no-cache, max-age=0";

let shop: Shop;
let ann: string;
beforeEach(async () => {
  shop = await openShop();
  ann = await shop.know("ann", {
    name: "Ann & Co",
    points: 1234.5,
    seen: [{}, { items: [{ name: "Sock" }] }],
    favorites: [
      { name: "Shoes", price: 59.9, image_url: "https://cdn.example/shoes.png" },
      { name: " Hat ", price: "19", image_url: "http://cdn.example/hat.png" },
      { name: "" },
      "no product",
      { name: "Fifth", price: "much" },
    ],
  });
});

const cardOf = (parts: CardPart[], more: Partial<Card> = {}): Card => ({
  width: 600,
  height: 200,
  alt: "Alt",
  parts,
  ...more,
});
let version = 0;
const show = (image: Card, more: object = {}) =>
  shop.block("hero", { variants: [{ key: "a", audience: null, template: "", image }], version: ++version, ...more });

/** What the press was given for an image; whatever it paints says so. */
async function read(response: Response): Promise<{ card: PaintedCard; scale: number }> {
  const [scale, card] = JSON.parse(new TextDecoder().decode(await response.arrayBuffer()));
  return { card, scale };
}

async function paintedOf(parts: CardPart[], block: object = {}) {
  await show(cardOf(parts), block);
  const token = await shop.tokenOf(ann, { send: `send ${version}` });
  const response = await shop.get(token, "hero.png", PROXY, pressing().env);
  return { response, parts: (await read(response)).card.parts };
}

async function isBlank(response: Response): Promise<boolean> {
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "image/png"]);
  expect(response.headers.get("cache-control")).toBe(CHANGING);
  return (await response.arrayBuffer()).byteLength < 100;
}

describe("an image of a block", () => {
  it("is painted again where a picture on it could not be had", async () => {
    await show(cardOf([{ type: "image", src: "https://cdn.example/late.png" }]));
    const token = await shop.tokenOf(ann, { send: "late" });
    const lacking = pressing(undefined, 1);
    for (let i = 0; i < 2; i++) {
      const response = await shop.get(token, "hero.png", PROXY, lacking.env);
      expect(response.headers.get("cache-control")).toBe(CHANGING);
    }
    expect(lacking.cards).toHaveLength(2);
    const whole = pressing();
    for (let i = 0; i < 2; i++) {
      const response = await shop.get(token, "hero.png", PROXY, whole.env);
      expect(response.headers.get("cache-control")).toBe(STILL);
    }
    expect(whole.cards).toHaveLength(1);
  });

  it.each<[name: string, parts: CardPart[], painted: PaintedPart[]]>([
    [
      "plain text, as it is said",
      [{ type: "text", text: "Hi {{ customer.name }}!", bold: true, size: 20 }],
      [{ type: "text", text: "Hi Ann & Co!", bold: true, size: 20 }],
    ],
    [
      "no text that says nothing",
      [
        { type: "text", text: " {{ customer.nothing }} " },
        { type: "text", text: "{{ 1 | nofilter }}" },
      ],
      [],
    ],
    [
      "pictures that are https",
      [
        "https://cdn.example/{{ customer.name | slice: 0, 3 }}.png",
        "http://cdn.example/a.png",
        "javascript:x",
        "//cdn.example/a.png",
      ].map((src) => ({ type: "image", src, width: 80 })),
      [{ type: "image", src: "https://cdn.example/Ann.png", width: 80 }],
    ],
    [
      "prices in their currency",
      [{ type: "price", amount: "{{ customer.points }}", was: "1500", currency: "EUR", locale: "de" }],
      [{ type: "price", price: "1.234,50\u00a0€", was: "1.500,00\u00a0€" }],
    ],
    [
      "prices in signs that are drawn",
      [
        ["THB", "de"],
        ["JPY", "ja"],
        ["EGP", "ar-EG"],
        ["INR", "hi"],
        ["BDT", "bn"],
      ].map(([currency, locale]) => ({ type: "price", amount: "1234.5", currency, locale }) as CardPart),
      ["1.234,50\u00a0THB", "JPY\u00a01,235", "\u200f1,234.50\u00a0EGP", "₹1,234.50", "1,234.50\u00a0BDT"].map(
        (price) => ({ type: "price", price }) as PaintedPart,
      ),
    ],
    [
      "no price that is none, nor one that was the same",
      [
        { type: "price", amount: "{{ customer.name }}", currency: "EUR" },
        { type: "price", amount: "5", was: "5", currency: "USD" },
        { type: "price", amount: "5", was: "{{ customer.nothing }}", currency: "USD" },
      ],
      [
        { type: "price", price: "$5.00" },
        { type: "price", price: "$5.00" },
      ],
    ],
    [
      "products of a list",
      [{ type: "products", items: "customer.favorites", currency: "USD" }],
      [
        {
          type: "products",
          products: [
            { name: "Shoes", price: "$59.90", image: "https://cdn.example/shoes.png" },
            { name: "Hat", price: "$19.00" },
          ],
        },
      ],
    ],
    [
      "as many of them as are wanted",
      [{ type: "products", items: "customer.favorites", most: 1, currency: "USD" }],
      [{ type: "products", products: [{ name: "Shoes", price: "$59.90", image: "https://cdn.example/shoes.png" }] }],
    ],
    [
      "products of a list in a list",
      [{ type: "products", items: "customer.seen[1].items", currency: "USD" }],
      [{ type: "products", products: [{ name: "Sock" }] }],
    ],
    [
      "no products of what is no list",
      ["customer.name", "customer.favorites.constructor", "__proto__", "", "cart.items"].map((items) => ({
        type: "products",
        items,
        currency: "USD",
      })),
      [],
    ],
  ])("has %s", async (_name, parts, painted) => {
    expect((await paintedOf(parts)).parts).toEqual(painted);
  });

  it("is of the decision that was kept, and keeps the first", async () => {
    await show(cardOf([{ type: "text", text: "One" }]));
    const token = await shop.tokenOf(ann);
    const press = pressing();
    await shop.get(token, "hero.png", PROXY, press.env);
    await shop.block("hero", {
      variants: [{ key: "b", audience: null, template: "two", image: cardOf([{ type: "text", text: "Two" }]) }],
      version: ++version,
    });
    await shop.get(token, "hero.2x.png", PROXY, press.env);
    expect(press.cards.map(([{ parts }, scale]) => [parts, scale])).toEqual(
      [1, 2].map((scale) => [[{ type: "text", text: "One" }], scale]),
    );
    expect(await (await shop.get(token, "hero")).text()).toContain("<img");
    expect(await shop.kept()).toMatchObject([{ variant: "a" }]);
  });

  it("is dark where the card has a theme for it", async () => {
    const theme = { background: "#ffffff", text: "#111111", accent: "#ff0000" };
    const dark = { background: "#000000", text: "#eeeeee", accent: "#ff0000" };
    await show(cardOf([], { theme, dark }));
    const press = pressing();
    const token = await shop.tokenOf(ann);
    for (const file of ["hero.png", "hero.dark.png", "hero.dark.2x.png"]) await shop.get(token, file, PROXY, press.env);
    expect(press.cards.map(([card, scale]) => [card.theme, scale])).toEqual([
      [theme, 1],
      [dark, 1],
      [dark, 2],
    ]);
  });

  it("is painted once for all who get the same, and for each who does not", async () => {
    await show(cardOf([{ type: "text", text: "{{ customer.plan | default: 'none' }} of {{ site.id }}" }]));
    const people = await Promise.all(
      ["a", "b", "c"].map((name) => shop.know(name, name === "c" ? { plan: "gold" } : {})),
    );
    const press = pressing();
    const texts: string[] = [];
    for (const person of [...people, ...people]) {
      const response = await shop.get(await shop.tokenOf(person), "hero.png", PROXY, press.env);
      expect(response.headers.get("cache-control")).toBe(STILL);
      texts.push(JSON.stringify(await read(response)));
    }
    expect(press.cards).toHaveLength(2);
    expect(texts.map((text) => /none|gold/.exec(text)![0])).toEqual(["none", "none", "gold", "none", "none", "gold"]);
  });

  it("is kept in the location under a name that nobody else can make, where nobody is answered from", async () => {
    const image = cardOf([{ type: "text", text: `Kept ${crypto.randomUUID()}` }]);
    await show(image);
    const response = await shop.get(await shop.tokenOf(ann), "hero.png", PROXY, pressing().env);
    const { card, scale } = await read(response);
    const key = `https://edge.example/e/cards/${await sealName(bindings, JSON.stringify([scale, card]))}`;
    const kept = (await caches.default.match(key))!;
    expect(await read(kept)).toEqual({ card, scale });
    expect(await sealName({ ATTUNE_SECRET: "o".repeat(40) }, JSON.stringify([scale, card]))).not.toBe(
      key.split("/").at(-1),
    );
    expect(await (await ask(bindings, new URL(key).pathname)).text()).toBe("");
  });

  it("is one pixel that nothing can be seen of, where there is none", async () => {
    await shop.block("plain", { variants: [{ key: "a", audience: null, template: "<p>Hi</p>" }] });
    await show(cardOf([{ type: "text", text: "Hi" }]));
    const token = await shop.tokenOf(ann);
    for (const file of ["plain.png", "nowhere.png"])
      expect(await isBlank(await shop.get(token, file)), file).toBe(true);
    // Without a press, or with one that will not or cannot.
    expect(await isBlank(await shop.get(token, "hero.png"))).toBe(true);
    for (const answer of [{ error: "no" }, new Error("The RPC receiver is gone")])
      expect(await isBlank(await shop.get(token, "hero.png", {}, pressing(answer).env))).toBe(true);
    for (const forged of ["x", `${token}x`])
      expect(await isBlank(await shop.get(forged, "hero.png", {}, pressing().env))).toBe(true);
    const DB = throughEach(() => Promise.reject(new Error("D1_ERROR: overloaded")));
    expect(await isBlank(await shop.get(token, "plain.png", {}, { DB }))).toBe(true);
    const head = await ask({ ...bindings, ...pressing().env }, `/e/${token}/hero.png`, {
      method: "HEAD",
      headers: PROXY,
    });
    expect(head.headers.get("content-type")).toBe("image/png");
  });

  it("is what anybody gets, where the token is expired or storage fails", async () => {
    await show(cardOf([{ type: "text", text: "Hi {{ customer.name | default: 'you' }}" }]));
    const DB = throughEach(() => Promise.reject(new Error("D1_ERROR: overloaded")));
    for (const [token, more] of [
      [await shop.tokenOf(ann, { expiresAt: 1 }), {}],
      [await shop.tokenOf(ann), { DB }],
    ] as const) {
      const response = await shop.get(token, "hero.png", PROXY, { ...pressing().env, ...more });
      expect(response.headers.get("cache-control")).toBe(CHANGING);
      expect((await read(response)).card.parts).toEqual([{ type: "text", text: "Hi you" }]);
    }
    expect(await shop.kept()).toEqual([]);
  });
});

describe("a countdown", () => {
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();
  const wall = (ms: number) => at(ms).slice(0, 19);

  it("counts the minutes that are begun, and is never kept", async () => {
    const { parts, response } = await paintedOf([
      { type: "countdown", to: at(2 * DAY + 3 * 3_600_000 + 30_000), locale: "de" },
    ]);
    expect(parts).toEqual([{ type: "countdown", days: 2, hours: 3, minutes: 1, locale: "de" }]);
    expect(response.headers.get("cache-control")).toBe(CHANGING);
  });

  it("is another each minute, whatever was painted before, and over to the millisecond", async () => {
    const end = Date.UTC(2030, 0, 1);
    await show(cardOf([{ type: "countdown", to: new Date(end).toISOString(), over: "Over" }]));
    const token = await shop.tokenOf(ann, { expiresAt: end * 2 });
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const left: unknown[] = [];
      for (const ms of [60 * 60_000, 120_000, 119_999, 60_001, 60_000, 1, 0, -1, -DAY]) {
        vi.setSystemTime(end - ms);
        const [part] = (await read(await shop.get(token, "hero.png", PROXY, pressing().env))).card.parts;
        left.push(part!.type === "countdown" ? [part!.hours, part!.minutes] : part!.type === "text" && part!.text);
      }
      expect(left).toEqual([[1, 0], [0, 2], [0, 2], [0, 2], [0, 1], [0, 1], "Over", "Over", "Over"]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is over when its time is, and says so", async () => {
    for (const to of [at(-1), at(-DAY), "1970-01-01"])
      expect((await paintedOf([{ type: "countdown", to, over: "Over, {{ customer.name }}" }])).parts).toEqual([
        { type: "text", text: "Over, Ann & Co" },
      ]);
    for (const part of [
      { to: at(-1) },
      { to: "soon" },
      { to: "9999-12-31", over: "Over" },
      { to: "{{ customer.nothing }}", over: "Over" },
      { over: "Over" },
    ])
      expect((await paintedOf([{ type: "countdown", ...part }])).parts).toEqual([]);
  });

  it("goes to a time of the site's clock where it names no zone", async () => {
    shop = await openShop({ settings: { timeZone: "Asia/Tokyo" } });
    ann = await shop.know("ann", {});
    const tokyo = (ms: number) => wall(ms + 9 * 3_600_000);
    for (const to of [tokyo(DAY + 59_000), `${tokyo(DAY + 59_000)}+09:00`, tokyo(2 * DAY).slice(0, 10)])
      expect((await paintedOf([{ type: "countdown", to }])).parts).toMatchObject([{ type: "countdown", days: 1 }]);
  });

  it("goes to where the decision ends, not to where a cap makes it hold for a moment only", async () => {
    await shop.batch([{ type: "track", event: "Viewed", userId: "ann", messageId: "v" }]);
    const image = cardOf([{ type: "countdown", over: "Over" }]);
    const hour = [{ key: "a", audience: { event: "Viewed", within: "1h" }, template: "", image }];
    const schedule = { to: wall(DAY + 59_000) };
    for (const cap of [{}, { cap: { times: 1, within: "1d" } }]) {
      expect((await paintedOf(image.parts, { schedule, ...cap })).parts).toEqual([
        { type: "countdown", days: 1, hours: 0, minutes: expect.any(Number) },
      ]);
      expect((await paintedOf(image.parts, { schedule, variants: hour, ...cap })).parts).toEqual([
        { type: "countdown", days: 0, hours: expect.any(Number), minutes: expect.any(Number) },
      ]);
    }
  });

  it("is not kept where the block may show another later", async () => {
    await show(cardOf([{ type: "text", text: "Hi" }]), { schedule: { to: wall(DAY) }, safeIfStale: false });
    const response = await shop.get(await shop.tokenOf(ann), "hero.png", PROXY, pressing().env);
    expect(response.headers.get("cache-control")).toBe(CHANGING);
  });
});
