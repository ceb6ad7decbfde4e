/** `POST /api/blocks/preview`: what somebody would get, drafts and other times included, and why. */
import { describe, expect, it } from "vitest";
import type { Env } from "../../../edge/env.ts";
import { ask } from "../delivery/worker.ts";
import { pressing } from "../email/shop.ts";
import { bindings } from "../site.ts";
import { type Client, ingest, type Json, newSite, problemOf, VIEWED_TWICE } from "./client.ts";

const NOW = "2026-03-01T12:00:00.000Z";
const AT = Date.parse(NOW);
const view = (timestamp: unknown) => ({ event: "Product Viewed", timestamp, properties: {} });

describe("a block preview", () => {
  it("renders a template for a profile", async () => {
    const site = await newSite();
    const template = "Hi {{ customer.name | default: 'you' }} at {{ context.page.path }}";
    const context = { page: { path: "/a&b" } };
    expect(
      await site.post("/api/blocks/preview", { template, profile: { traits: { name: "<Ada>" } }, context }),
    ).toEqual({
      html: "Hi &lt;Ada&gt; at /a&amp;b",
      segments: {},
    });
    expect(await site.post("/api/blocks/preview", { template })).toMatchObject({ html: "Hi you at " });
  });

  it("decides and renders a draft, what is live, or a published version, at any time", async () => {
    const site = await newSite();
    await site.post("/api/segments", { key: "viewers", name: "V", condition: VIEWED_TWICE, status: "active" });
    const block = (word: string) => ({
      slot: "hero",
      variants: [{ key: "again", audience: { segment: "viewers" }, template: `${word} again` }],
      fallback: `${word} new`,
    });
    await site.post("/api/blocks", { key: "hero", ...block("live") });
    await site.post("/api/blocks/hero/publish");
    await site.put("/api/blocks/hero", block("draft"));
    const profile = { events: [view(AT - 3_600_000), view(AT - 1000)] };
    const ask = (more: object) => site.post("/api/blocks/preview", { block: "hero", profile, now: NOW, ...more });
    expect(await ask({})).toMatchObject({
      html: "draft again",
      decision: {
        slot: "hero",
        block: "hero",
        variant: "again",
        reason: "targeted",
        until: "2026-03-02T11:00:00.000Z",
      },
      segments: { viewers: "2026-03-02T11:00:00.000Z" },
    });
    expect(await ask({ version: "live" })).toMatchObject({ html: "live again" });
    expect(await ask({ version: 1, now: AT + 86_400_000 })).toMatchObject({
      html: "live new",
      decision: { variant: null, reason: "fallback" },
    });
    await problemOf(site.send("POST", "/api/blocks/preview", { block: "hero", version: 9 }), "not-found");
    await problemOf(site.send("POST", "/api/blocks/preview", { block: "nope" }), "not-found");
  });

  it("says where a template is wrong, or that it does not end", async () => {
    const site = await newSite();
    const broken = await problemOf(
      site.send("POST", "/api/blocks/preview", { template: "a\n{% if %}" }),
      "invalid-template",
    );
    expect(broken.errors).toEqual([
      { pointer: "/template", code: "liquid-syntax", detail: expect.stringMatching(/line 2, column 6/) },
    ]);
    const endless = "{% for i in (1..99999999) %}a{% endfor %}";
    await problemOf(site.send("POST", "/api/blocks/preview", { template: endless }), "invalid-template");
  });

  it("answers the trace of each variant, unless it is not wanted", async () => {
    const site = await siteWithSlot();
    const ask = (more: object) => site.post("/api/blocks/preview", { block: "offer", now: NOW, ...more });
    const { why } = await ask({});
    expect(why).toMatchObject([
      {
        block: "offer",
        variant: "pro",
        value: false,
        reason: "audience",
        until: "2026-03-31T22:00:00.000Z",
        why: { value: false, pointer: "" },
      },
      { variant: "all", value: true, reason: "chosen", says: "Shown: it is for everyone.", why: null },
    ]);
    for (const row of (await ask({ why: false })).why) expect(row).not.toHaveProperty("why");
  });
});

const all = { key: "all", audience: null };
const pro = { key: "pro", audience: { trait: "plan", eq: "pro" }, template: "Hi {{ customer.name | default: 'you' }}" };
/** Before what else is live in its slot, in its time. */
const OFFER = {
  ...{ slot: "hero", priority: 5, schedule: { from: "2026-02-01T00:00", to: "2026-04-01T00:00" } },
  variants: [pro, { ...all, template: "offer" }],
};

/** `usual` is live for everyone; `offer` is a draft. */
async function siteWithSlot(): Promise<Client> {
  const site = await newSite({ timeZone: "Europe/Berlin" });
  await site.post("/api/blocks", { key: "usual", slot: "hero", variants: [{ ...all, template: "usual" }] });
  await site.post("/api/blocks/usual/publish");
  await site.post("/api/blocks", { key: "aside", slot: "side", variants: [{ ...all, template: "aside" }] });
  await site.post("/api/blocks", { key: "offer", ...OFFER });
  return site;
}

describe("a preview of a slot", () => {
  it("puts the draft among what is live, in its order", async () => {
    const site = await siteWithSlot();
    const ask = (more: object) => site.post("/api/blocks/preview", { slot: "hero", now: NOW, ...more });
    const rowsOf = ({ why }: Json) => why.map(({ block, variant, reason }: Json) => [block, variant, reason]);
    expect(rowsOf(await ask({}))).toEqual([["usual", "all", "chosen"]]);
    const draft = await ask({ block: "offer" });
    expect(draft).toMatchObject({ html: "offer", decision: { slot: "hero", block: "offer", variant: "all" } });
    expect(rowsOf(draft)).toEqual([
      ["offer", "pro", "audience"],
      ["offer", "all", "chosen"],
      ["usual", "all", "earlier-variant"],
    ]);
    const later = await ask({ block: "offer", now: "2026-05-01T00:00:00Z" });
    expect(later.html).toBe("usual");
    expect(rowsOf(later)[0]).toEqual(["offer", "pro", "schedule"]);
    expect(later.why[0].says).toBe("Not asked: its time ended on Wed 1 Apr 2026 00:00.");
  });

  it("tells when time alone changes the answer, and to what", async () => {
    const site = await siteWithSlot();
    const { decision, says, next } = await site.post("/api/blocks/preview", { slot: "hero", block: "offer", now: NOW });
    const end = "2026-03-31T22:00:00.000Z";
    expect(decision.until).toBe(end);
    expect(says).toBe('"all" of "offer" is shown, at least until Wed 1 Apr 2026 00:00 if nothing new happens.');
    expect(next).toMatchObject({ at: end, html: "usual", decision: { block: "usual", until: null } });
    expect(next.says).toBe('"all" of "usual" is shown.');
    const later = await site.post("/api/blocks/preview", { slot: "hero", block: "offer", now: end });
    expect(later).toMatchObject({ html: "usual", next: null });
  });

  it("tells it of a capped block, too, which holds for one showing", async () => {
    const site = await siteWithSlot();
    await site.put("/api/blocks/offer", { ...OFFER, cap: { times: 1, within: "7d" } });
    const asked = { slot: "hero", block: "offer", now: NOW };
    const { decision, says, next } = await site.post("/api/blocks/preview", asked);
    expect(decision.until).toBe(NOW);
    expect(says).toBe(
      '"all" of "offer" is shown, at most 1 time in 7 days, at least until Wed 1 Apr 2026 00:00 if nothing new happens.',
    );
    expect(next).toMatchObject({ at: "2026-03-31T22:00:00.000Z", html: "usual" });
    const seen = { event: "Attune Exposure", timestamp: AT - 1000, properties: { block: "offer" } };
    const after = await site.post("/api/blocks/preview", { ...asked, profile: { events: [seen] } });
    expect(after).toMatchObject({ html: "usual", next: { at: "2026-03-08T11:59:59.000Z", html: "offer" } });
  });

  it("answers the plain text, and where a click leads", async () => {
    const site = await newSite();
    const template = '<h1>Hi {{ customer.name | default: "you" }}</h1><a href="https://shop.example/">Shop</a>';
    await site.post("/api/blocks", {
      key: "b",
      slot: "s",
      variants: [{ ...all, template, link: "https://shop.example/sale" }],
    });
    const asked = { block: "b", profile: { traits: { name: "A&B" } } };
    expect(await site.post("/api/blocks/preview", asked)).toMatchObject({
      text: "Hi A&B\n\nShop (https://shop.example/)",
      link: "https://shop.example/sale",
    });
  });

  it("goes on past instants at which only another slot changes", async () => {
    const site = await newSite();
    const segment = (key: string, within: string) => ({
      ...{ key, name: key, status: "active", condition: { event: "Product Viewed", within } },
    });
    await site.post("/api/segments", segment("short", "1h"));
    await site.post("/api/segments", segment("long", "7d"));
    const audience = { any: [{ segment: "short" }, { segment: "long" }] };
    await site.post("/api/blocks", { key: "b", slot: "hero", variants: [{ key: "v", audience, template: "seen" }] });
    const asked = { block: "b", now: NOW, profile: { events: [view(AT - 60_000)] } };
    const { html, next, segments } = await site.post("/api/blocks/preview", asked);
    expect(html).toBe("seen");
    expect(Object.keys(segments).sort()).toEqual(["long", "short"]);
    expect(next).toMatchObject({ at: new Date(AT - 60_000 + 7 * 86_400_000).toISOString(), html: null });
  });

  it("shows a variant or a fallback that is asked for, and says what is decided by itself", async () => {
    const site = await siteWithSlot();
    await site.put("/api/blocks/offer", { ...OFFER, cap: { times: 1, within: "7d" } });
    const profile = { traits: { name: "Ada" } };
    const ask = (show: object, more: object = {}) =>
      site.post("/api/blocks/preview", { slot: "hero", block: "offer", now: NOW, profile, show, ...more });
    const pro = await ask({ block: "offer", variant: "pro" });
    expect(pro).toMatchObject({
      ...{ html: "Hi Ada", text: "Hi Ada", next: null },
      decision: { block: "offer", variant: "pro", reason: "simulated", until: NOW },
      why: [{ reason: "audience" }, { reason: "chosen" }, { reason: "earlier-variant" }],
    });
    expect(pro.says).toMatch(
      /^"pro" of "offer" is shown, as it was asked for\. By itself: "all" of "offer" is shown, /,
    );
    expect(await ask({ block: "usual", variant: "all" }, { now: "2026-05-01T00:00:00Z" })).toMatchObject({
      html: "usual",
      why: [{ reason: "schedule" }, { reason: "schedule" }, { reason: "chosen" }],
    });
    for (const show of [
      { block: "offer", variant: "none" },
      { block: "usual", variant: null },
      { block: "aside", variant: "all" },
    ]) {
      const asked = { slot: "hero", block: "offer", show };
      const problem = await problemOf(site.send("POST", "/api/blocks/preview", asked), "not-found");
      expect(problem.errors).toMatchObject([{ pointer: "/show" }]);
    }
  });

  it("that is empty says so", async () => {
    const { says } = await (await newSite()).post("/api/blocks/preview", { slot: "hreo" });
    expect(says).toBe("There is no live block in this slot: the page's own content stays.");
  });

  it("has no place for a block of another one", async () => {
    const site = await siteWithSlot();
    const problem = await problemOf(
      site.send("POST", "/api/blocks/preview", { slot: "hero", block: "aside" }),
      "invalid-request",
    );
    expect(problem).toMatchObject({ detail: "The block aside fills the slot side.", errors: [{ pointer: "/slot" }] });
  });

  it("knows no archived block", async () => {
    const site = await siteWithSlot();
    await site.send("DELETE", "/api/blocks/offer");
    await problemOf(site.send("POST", "/api/blocks/preview", { block: "offer" }), "not-found");
  });
});

describe("whom a block is tried on", () => {
  it("is a stored person by id or by identifier, with their consent or another", async () => {
    const site = await siteWithSlot();
    await ingest(site, [
      { type: "identify", userId: "u", traits: { email: "ada@shop.example", name: "Ada", plan: "pro" } },
    ]);
    const { id } = await site.get("/api/profiles?userId=u");
    await site.post("/api/blocks", { key: "greeting", slot: "hero", variants: [pro] });
    const ask = (profile: unknown, more: object = {}) =>
      site.post("/api/blocks/preview", { block: "greeting", profile, ...more });
    expect((await ask(id)).html).toBe("Hi Ada");
    expect((await ask({ identifier: { kind: "email", value: "ADA@shop.example" } })).html).toBe("Hi Ada");
    expect(await ask(id, { consent: [] })).toMatchObject({
      decision: { reason: "no-consent" },
      why: [{ value: "unknown", reason: "consent" }],
    });
    const unknown = { block: "greeting", profile: { identifier: { kind: "email", value: "ben@shop.example" } } };
    expect((await problemOf(site.send("POST", "/api/blocks/preview", unknown), "not-found")).errors).toMatchObject([
      { pointer: "/profile" },
    ]);
    const odd = { block: "greeting", profile: { identifier: { kind: "shoe", value: "44" } } };
    expect((await problemOf(site.send("POST", "/api/blocks/preview", odd), "invalid-request")).errors).toMatchObject([
      { pointer: "/profile/identifier/kind" },
    ]);
  });

  it("has a device, a language and a zone, and what context says of them wins", async () => {
    const site = await newSite();
    const template =
      "{{ context.device.type }} {{ context.device.model }} {{ context.screen.width }} {{ context.locale }} {{ context.timezone }}";
    const ask = async (more: object) => (await site.post("/api/blocks/preview", { template, ...more })).html;
    expect(await ask({ device: "mobile", locale: "de-DE", timeZone: "Asia/Tokyo" })).toBe(
      "mobile  390 de-DE Asia/Tokyo",
    );
    expect(await ask({ device: "tablet", context: { device: { model: "Slate" }, screen: { width: 700 } } })).toBe(
      "tablet Slate 700  ",
    );
    expect(await ask({ device: "desktop", locale: "de", context: { device: { type: "tv" }, locale: "fr" } })).toBe(
      "tv  1440 fr ",
    );
    expect(await ask({ device: "mobile", profile: { context: { device: { type: "tv" } } } })).toBe("tv  390  ");
    const badZone = { template, timeZone: "Nowhere/At all" };
    await problemOf(site.send("POST", "/api/blocks/preview", badZone), "invalid-request");
  });

  it.each<object>([
    {},
    { template: "a", block: "b" },
    { template: "a", slot: "b" },
    { template: "a", show: { block: "b", variant: null } },
    { show: { block: "b", variant: "v" } },
    { block: "b", show: { block: "b" } },
    { block: "b", device: "watch" },
    { block: "b", version: 0 },
    { block: "b", profile: { identifier: { kind: "email" } } },
    { block: "b", locale: "" },
  ])("fits no %j", async (body) => {
    const site = await newSite();
    await problemOf(site.send("POST", "/api/blocks/preview", body), "invalid-request");
  });
});

it("a block that HTMLRewriter breaks off at is shown", async () => {
  const site = await newSite();
  const template = "<p>A</p><select><style>b{}</style></select>";
  await site.post("/api/blocks", { key: "hero", slot: "hero", variants: [{ ...all, template }] });
  expect(await site.post("/api/blocks/preview", { block: "hero" })).toMatchObject({ html: template, text: "A" });
});

describe("the card of a preview", () => {
  const theme = { background: "#ffffff", text: "#111111", accent: "#0000ff" };
  const dark = { ...theme, background: "#000000" };
  const parts = [
    { type: "text", text: "Hi {{ customer.name | default: 'you' }}" },
    { type: "countdown", to: "2026-03-01T13:30:00Z", align: "right" },
  ];
  const card = { width: 300, height: 100, theme, alt: "For {{ customer.name }}", parts };
  const asked = { block: "card", now: NOW, profile: { traits: { name: "Ann & Co" } } };

  async function siteWithCard(more: object = {}): Promise<Client> {
    const site = await newSite();
    const variants = [{ ...all, template: "<p>card</p>", image: { ...card, ...more } }];
    await site.post("/api/blocks", { key: "card", slot: "card", variants });
    return site;
  }

  async function preview({ secretKey }: Client, env: Partial<Env>, more: object = {}): Promise<Json> {
    const { PRESS: _, ...pressless } = bindings;
    const body = JSON.stringify({ ...asked, image: true, ...more });
    const init = { method: "POST", headers: { authorization: `Bearer ${secretKey}` }, body };
    const response = await ask({ ...pressless, ...env }, "/api/blocks/preview", init);
    expect(response.status).toBe(200);
    return response.json();
  }

  const read = (url: string) => JSON.parse(atob(url.replace("data:image/png;base64,", "")));

  it("is painted for that person at that time, each time anew", async () => {
    const site = await siteWithCard();
    const press = pressing(undefined, 2);
    const { html, image } = await preview(site, press.env);
    expect(html).toBe("<p>card</p>");
    const cut = {
      code: "cut-text",
      severity: "warning",
      pointer: "/parts/0/text",
      detail: expect.stringContaining("5"),
    };
    const size = { width: 300, height: 100 };
    expect(image).toEqual({ alt: "For Ann & Co", ...size, png: expect.any(String), missing: 2, findings: [cut] });
    const texts = [
      { type: "text", text: "Hi Ann & Co" },
      { type: "countdown", days: 0, hours: 1, minutes: 30, align: "right" },
    ];
    expect(read(image.png)).toEqual([1, { width: 300, height: 100, theme, parts: texts }]);
    await preview(site, press.env);
    expect(press.cards.length).toBe(2);
  });

  it("what is wrong with it is waited for as patiently as everything here", async () => {
    const { PRESS } = pressing().env;
    const faults = await PRESS!.findFaults(card as never);
    const findFaults = () => new Promise((resolve) => setTimeout(resolve, 1_200, faults));
    const { image } = await preview(await siteWithCard(), { PRESS: { ...PRESS!, findFaults } as never });
    expect(image.findings).toHaveLength(1);
  });

  it("is painted in its dark theme, too", async () => {
    const { image } = await preview(await siteWithCard({ dark }), pressing().env);
    expect([image.png, image.dark].map((url) => read(url)[1].theme)).toEqual([theme, dark]);
  });

  it("tells nothing of somebody who does not allow it", async () => {
    const { image } = await preview(await siteWithCard(), pressing().env, { consent: [] });
    expect(image.alt).toBe("For");
    expect(read(image.png)[1].parts[0].text).toBe("Hi you");
  });

  it("is painted only where it is asked for", async () => {
    const press = pressing();
    expect(await preview(await siteWithCard(), press.env, { image: false })).not.toHaveProperty("image");
    expect(press.cards).toEqual([]);
  });

  it("is null without a press, where it cannot be painted, and where there is none", async () => {
    const site = await siteWithCard();
    for (const env of [{}, pressing({ error: "no" }).env, pressing(new Error("gone")).env])
      expect(await preview(site, env)).toMatchObject({ html: "<p>card</p>", image: null });
    expect(await preview(site, pressing().env, { block: undefined, template: "a" })).toMatchObject({ image: null });
    await site.post("/api/blocks", { key: "bare", slot: "card", variants: [{ ...all, template: "bare" }] });
    expect(await preview(site, pressing().env, { block: "bare" })).toMatchObject({ html: "bare", image: null });
  });
});
