/** What authors say of a block beside its templates: time, order, cap, link, image; as it comes back, and when it is refused. */
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { type Client, ingest, type Json, newSite, problemOf } from "./client.ts";

const DAY_MS = 86_400_000;
const bare = { key: "hero", slot: "hero", variants: [{ key: "all", template: "x" }] };
const card = {
  width: 600,
  height: 200,
  theme: { background: "#ffffff", text: "#000000", accent: "#cc0000" },
  alt: "20 % off, {{ customer.name | default: 'you' }}",
  parts: [
    { type: "text", text: "For {{ customer.name | default: 'you' }}", size: 28, bold: true, align: "center" },
    { type: "image", src: "https://shop.example/{{ cart.items[0].sku }}.png", width: 100 },
    { type: "price", amount: "{{ cart.total }}", was: "99", currency: "EUR", locale: "de" },
    { type: "countdown", to: "2026-12-01T00:00:00Z", over: "over" },
    { type: "products", items: "cart.items", most: 4, currency: "EUR" },
  ],
};
const full = {
  key: "hero",
  name: "Summer sale",
  slot: "hero",
  variants: [
    {
      key: "all",
      audience: { trait: "plan", eq: "pro" },
      template: "<b>x</b>",
      link: "https://shop.example/{{ cart.items[0].sku }}",
      image: card,
    },
  ],
  fallback: "y",
  format: "html",
  schedule: { from: "2026-06-01T00:00", to: "2026-06-02T12:30:15" },
  priority: -3,
  cap: { times: 3, within: "7d" },
  safeIfStale: false,
};
const DEFAULTS = {
  ...{ name: null, fallback: null, format: "html", schedule: null, priority: 0, cap: null, safeIfStale: true },
  variants: [{ key: "all", audience: null, template: "x", link: null, image: null }],
};

const wall = (at: number) => new Date(at).toISOString().slice(0, 19);

async function shown({ writeKey }: Client, anonymousId = "a1"): Promise<Json> {
  const response = await exports.default.fetch("https://edge.example/v1/decide", {
    method: "POST",
    body: JSON.stringify({ writeKey, anonymousId, slots: ["hero"] }),
  });
  return (await response.json<Json>()).slots.hero;
}

describe("a block", () => {
  it("is read back as it was written, as a draft and as a version, and can be sent again", async () => {
    const site = await newSite();
    expect(await site.post("/api/blocks", full)).toMatchObject(full);
    const { key, name, slot, variants, fallback, format, schedule, priority, cap, safeIfStale } =
      await site.get("/api/blocks/hero");
    const read = { key, name, slot, variants, fallback, format, schedule, priority, cap, safeIfStale };
    expect(read).toEqual(full);
    await site.put("/api/blocks/hero", read);
    await site.post("/api/blocks/hero/publish");
    expect(await site.get("/api/blocks/hero/versions/2")).toEqual({
      ...full,
      version: 2,
      publishedAt: expect.any(String),
    });
  });

  it("has defaults for what is left out, also where it was said before", async () => {
    const site = await newSite();
    expect(await site.post("/api/blocks", bare)).toMatchObject(DEFAULTS);
    await site.put("/api/blocks/hero", full);
    expect(await site.put("/api/blocks/hero", { slot: "hero", variants: bare.variants })).toMatchObject(DEFAULTS);
    const nulls = { name: null, fallback: null, schedule: { from: null, to: null }, cap: null };
    expect(await site.put("/api/blocks/hero", { ...bare, ...nulls })).toMatchObject(DEFAULTS);
  });

  it("tells what is live of it and when, in the site's zone", async () => {
    const site = await newSite({ timeZone: "Europe/Berlin" });
    const now = Date.now();
    const states = [
      ["on", { from: wall(now - 2 * DAY_MS), to: wall(now + 2 * DAY_MS) }],
      ["waiting", { from: wall(now + 2 * DAY_MS), to: null }],
      ["over", { from: null, to: wall(now - DAY_MS) }],
      ["on", null],
    ] as const;
    expect(await site.post("/api/blocks", bare)).toMatchObject({ live: null });
    for (const [index, [state, schedule]] of states.entries()) {
      const { version } = await site.put("/api/blocks/hero", { ...bare, schedule });
      expect((await site.get("/api/blocks/hero")).live?.version ?? null).toBe(index === 0 ? null : version - 1);
      const { live } = await site.post("/api/blocks/hero/publish");
      expect(live).toMatchObject({ version, state });
      expect(live.from === null).toBe((schedule?.from ?? null) === null);
    }
    const berlin = { ...bare, schedule: { from: "2026-06-01T00:00", to: "2026-12-01T00:00:30" } };
    await site.put("/api/blocks/hero", berlin);
    await site.post("/api/blocks/hero/publish");
    const [listed] = (await site.get("/api/blocks")).data;
    expect(listed.live).toMatchObject({ from: "2026-05-31T22:00:00.000Z", to: "2026-11-30T23:00:30.000Z" });
  });

  it("waits for its time and gives way to the next when it was seen as often as its cap allows", async () => {
    const site = await newSite();
    await site.post("/api/blocks", { ...bare, fallback: "usual" });
    const sale = { ...bare, key: "sale", variants: [{ key: "all", template: "sale" }], priority: 1 };
    await site.post("/api/blocks", { ...sale, schedule: { from: wall(Date.now() + DAY_MS) } });
    for (const key of ["hero", "sale"]) await site.post(`/api/blocks/${key}/publish`);
    expect(await shown(site)).toMatchObject({ html: "x" });
    await site.put("/api/blocks/sale", { ...sale, cap: { times: 1, within: "1d" } });
    await site.post("/api/blocks/sale/publish");
    expect(await shown(site)).toMatchObject({ html: "sale" });
    const exposure = { event: "Attune Exposure", properties: { block: "sale", slot: "hero", variant: "all" } };
    await ingest(site, [{ type: "track", anonymousId: "a1", messageId: "1", ...exposure }]);
    expect(await shown(site)).toMatchObject({ html: "x", decision: { block: "hero" } });
    expect(await shown(site, "a2")).toMatchObject({ html: "sale" });
  });

  it("shows an earlier version at once after a rollback, with that version's order and time", async () => {
    const site = await newSite();
    const say = (html: string, more: object) => ({ ...bare, variants: [{ key: "all", template: html }], ...more });
    await site.post("/api/blocks", say("one", { name: "First", priority: 5 }));
    await site.post("/api/blocks/hero/publish");
    await site.put("/api/blocks/hero", say("two", { schedule: { to: wall(Date.now() - DAY_MS) } }));
    expect(await site.post("/api/blocks/hero/publish")).toMatchObject({ live: { version: 2, state: "over" } });
    expect(await shown(site)).toMatchObject({ html: null });
    const back = await site.send("POST", "/api/blocks/hero/rollback", { version: 1 });
    expect(await back.json()).toMatchObject({ priority: 0, liveVersion: 1, live: { version: 1, state: "on" } });
    expect(await shown(site)).toMatchObject({ html: "one" });
    expect(await site.get("/api/slots")).toMatchObject({ data: [{ blocks: [{ name: "First", priority: 5 }] }] });
  });
});

describe("a field that is wrong", () => {
  const variant = (more: object) => ({ variants: [{ key: "a", template: "x", ...more }] });
  const image = (more: object) => variant({ image: { ...card, ...more } });
  const part = (more: object) => image({ parts: [more] });

  it.each<[object, string, string?]>([
    [{ name: "" }, "/name"],
    [{ name: "x".repeat(300) }, "/name"],
    [{ schedule: { from: "2026-02-30T00:00" } }, "/schedule/from"],
    [{ schedule: { from: "2026-02-28T24:00" } }, "/schedule/from"],
    [{ schedule: { from: "2026-02-28" } }, "/schedule/from"],
    [{ schedule: { to: "2026-02-28T10:00Z" } }, "/schedule/to"],
    [{ schedule: { to: 5 } }, "/schedule/to"],
    [{ schedule: { until: "2026-02-28T10:00" } }, "/schedule/until"],
    [{ schedule: { from: "2026-03-01T10:00", to: "2026-03-01T10:00:00" } }, "/schedule/to"],
    [{ schedule: { from: "2026-03-01T10:01", to: "2026-03-01T10:00" } }, "/schedule/to"],
    // There is no half past two that night: it stands for half past three.
    [{ schedule: { from: "2026-03-29T02:30", to: "2026-03-29T03:20" } }, "/schedule/to"],
    [{ priority: 1001 }, "/priority"],
    [{ priority: 0.5 }, "/priority"],
    [{ cap: { times: 0, within: "1d" } }, "/cap/times"],
    [{ cap: { times: 1001, within: "1d" } }, "/cap/times"],
    [{ cap: { times: 1, within: "731d" } }, "/cap/within"],
    [{ cap: { times: 1, within: "0d" } }, "/cap/within"],
    [{ cap: { times: 1, within: "1y" } }, "/cap/within"],
    [{ cap: { times: 1 } }, "/cap/within"],
    [{ safeIfStale: "yes" }, "/safeIfStale"],
    [{ format: "text" }, "/format"],
    [variant({ link: "" }), "/variants/0/link", "invalid-template"],
    [variant({ link: "http://shop.example/" }), "/variants/0/link", "invalid-template"],
    [variant({ link: "javascript:alert(1)" }), "/variants/0/link", "invalid-template"],
    [variant({ link: "//shop.example/" }), "/variants/0/link", "invalid-template"],
    [variant({ link: "/path" }), "/variants/0/link", "invalid-template"],
    [variant({ link: "https:///path" }), "/variants/0/link", "invalid-template"],
    [variant({ link: "https://ada@shop.example/" }), "/variants/0/link", "invalid-template"],
    [variant({ link: "https://shop.{{ context.tld }}/" }), "/variants/0/link", "invalid-template"],
    [variant({ link: "https://shop.example{{ cart.items[0].url }}" }), "/variants/0/link", "invalid-template"],
    [variant({ link: "https://shop.example/?n={{ customer.name }}" }), "/variants/0/link", "invalid-template"],
    [
      variant({ link: "{% if segment.vip %}https://a.example/{% else %}https://b.example/{% endif %}" }),
      "/variants/0/link",
      "invalid-template",
    ],
    [
      variant({ link: "{% assign a = customer.name %}https://shop.example/?n={{ a }}" }),
      "/variants/0/link",
      "invalid-template",
    ],
    [variant({ link: "https://shop.example/{{ x | nope }}" }), "/variants/0/link", "invalid-template"],
    [variant({ link: `https://shop.example/${"x".repeat(2_000)}` }), "/variants/0/link"],
    [image({ width: 39 }), "/variants/0/image/width"],
    [image({ height: 1_201 }), "/variants/0/image/height"],
    [image({ height: 100.5 }), "/variants/0/image/height"],
    [image({ theme: { background: "red", text: "#000000", accent: "#000000" } }), "/variants/0/image/theme/background"],
    [image({ alt: undefined }), "/variants/0/image/alt"],
    [image({ alt: "{{" }), "/variants/0/image/alt", "invalid-template"],
    [image({ parts: [] }), "/variants/0/image/parts"],
    [image({ parts: Array(13).fill({ type: "text", text: "x" }) }), "/variants/0/image/parts"],
    [part({ type: "video" }), "/variants/0/image/parts/0/type"],
    [part({ type: "text", text: "x", size: 5 }), "/variants/0/image/parts/0/size"],
    [part({ type: "text", text: "{% if %}" }), "/variants/0/image/parts/0/text", "invalid-template"],
    [part({ type: "image", src: "http://shop.example/a.png" }), "/variants/0/image/parts/0/src", "invalid-template"],
    [
      part({ type: "image", src: "https://shop.example/{{ customer.id }}.png" }),
      "/variants/0/image/parts/0/src",
      "invalid-template",
    ],
    [part({ type: "price", amount: "1", currency: "euro" }), "/variants/0/image/parts/0/currency"],
    [part({ type: "price", amount: "1", currency: "EUR", locale: "!" }), "/variants/0/image/parts/0/locale"],
    [part({ type: "products", items: "cart.items }}", currency: "EUR" }), "/variants/0/image/parts/0/items"],
    [part({ type: "products", items: "cart.items", most: 5, currency: "EUR" }), "/variants/0/image/parts/0/most"],
  ])("%j is refused with a pointer", async (change, pointer, slug = "invalid-request") => {
    const site = await newSite({ timeZone: "Europe/Berlin" });
    const problem = await problemOf(site.send("POST", "/api/blocks", { ...bare, ...change }), slug);
    expect(problem.errors?.map((error) => error.pointer)).toContain(pointer);
  });

  it.each<[string]>([
    ["https://shop.example"],
    ["https://shop.example:8443/a?b=c#d"],
    ["https://{{ context.host }}/a"],
    ["{{ cart.items[0].url }}"],
    ["{% assign a = 'b' %} https://shop.example/{{ a }}"],
    ["{% if context.page %}https://a.example/{% else %}https://b.example/{% endif %}"],
  ])("is not a link like %s", async (link) => {
    const site = await newSite();
    expect(await site.post("/api/blocks", { ...bare, ...variant({ link }) })).toMatchObject(variant({ link }));
  });
});

it("a block may be written in MJML: it is shown as HTML, and read back as it was written", async () => {
  const site = await newSite();
  const template =
    '<mj-section><mj-column><mj-text>Hi {{ customer.name | default: "you" }}</mj-text></mj-column></mj-section>';
  const written = { format: "mjml", variants: [{ key: "all", template }], fallback: "<mj-text>Bye</mj-text>" };
  expect(await site.post("/api/blocks", { ...bare, ...written })).toMatchObject({ ...written, warnings: [] });
  await site.post("/api/blocks/hero/publish");
  expect((await shown(site)).html).toMatch(/^<style[\s\S]*<table[\s\S]*Hi you/);
  expect(await site.get("/api/blocks/hero/versions/1")).toMatchObject(written);
  const wrong = { ...bare, ...written, fallback: "<mj-text>\n<mj-txt>" };
  const problem = await problemOf(site.send("PUT", "/api/blocks/hero", wrong), "invalid-template");
  expect(problem.errors![0]).toMatchObject({ pointer: "/fallback", code: "mjml" });
  expect(await site.put("/api/blocks/hero", bare)).toMatchObject(DEFAULTS);
});

describe("slots", () => {
  it("are listed page by page with what is live in them, in the order in which it is asked", async () => {
    const site = await newSite();
    const add = async (key: string, slot: string, more: object = {}) => {
      await site.post("/api/blocks", { ...bare, key, slot, ...more });
      await site.post(`/api/blocks/${key}/publish`);
    };
    await add("b", "hero");
    await add("a", "hero");
    await add("c", "hero", { priority: 7, name: "Sale", schedule: { from: "2199-01-01T00:00" } });
    await add("d", "hero", { priority: -1 });
    await add("e", "aside");
    await add("f", "zone");
    await site.send("DELETE", "/api/blocks/f");
    await site.post("/api/blocks", { ...bare, key: "draft", slot: "other" });
    const first = await site.get("/api/slots?limit=1");
    expect(first.data).toMatchObject([{ slot: "aside", blocks: [{ key: "e", name: null, priority: 0 }] }]);
    const second = await site.get(`/api/slots?limit=1&cursor=${first.next}`);
    expect(second.next).toBeNull();
    const [{ slot, blocks }] = second.data;
    expect([slot, blocks.map(({ key }: Json) => key)]).toEqual(["hero", ["c", "a", "b", "d"]]);
    expect(blocks[0]).toEqual({
      ...{ key: "c", name: "Sale", priority: 7 },
      live: { version: 1, from: "2199-01-01T00:00:00.000Z", to: null, state: "waiting" },
    });
    const other = await newSite();
    expect(await other.get("/api/slots")).toEqual({ data: [], next: null });
    await problemOf(site.send("GET", "/api/slots?cursor=x"), "invalid-request");
  });
});
