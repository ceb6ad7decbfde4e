/** Which block and variant a slot gets, and until when: order, time, cap, fallback. */
import { describe, expect, it } from "vitest";
import { decideSlots, NOBODY, type Viewer } from "../../../edge/blocks/decide.ts";
import { buildLiveSite, type LiveSite } from "../../../edge/manifest/live.ts";
import type { HistoryEvent } from "../../../shared/event.ts";
import type { Manifest, ManifestBlock } from "../../../shared/manifest.ts";

const DAY_MS = 86_400_000;
const T = Date.parse("2026-06-01T12:00:00Z");

const block = (key: string, changes: Partial<ManifestBlock> = {}): ManifestBlock => ({
  key,
  slot: "hero",
  variants: [{ key: "only", audience: null, template: key }],
  fallback: null,
  version: 1,
  ...changes,
});

function siteOf(blocks: ManifestBlock[], timeZone = "UTC"): LiveSite {
  const settings = { timeZone, consentDefault: "full" as const, origins: [] };
  const manifest: Manifest = {
    ...{ siteId: "s1", name: "Shop", version: 1, publishedAt: T, rules: { version: 1, at: T } },
    ...{ settings, segments: [], blocks },
  };
  return buildLiveSite(manifest);
}

function decide(blocks: ManifestBlock[], viewer: Partial<Viewer> = {}, now = T, timeZone = "UTC") {
  const answers = decideSlots(siteOf(blocks, timeZone), ["hero"], { ...NOBODY, ...viewer }, undefined, now);
  const { html, decision } = answers["hero"]!;
  const { block: key, variant, reason, until } = decision;
  return { html, block: key, variant, reason, until };
}

const event = (event: string, daysAgo: number, properties = {}): HistoryEvent => ({
  type: "track",
  event,
  timestamp: T - daysAgo * DAY_MS,
  properties,
});
const pro = { variants: [{ key: "pro", audience: { trait: "plan", eq: "pro" }, template: "for pros" }] };

describe("of several blocks in a slot", () => {
  it("the larger priority comes first, then the key", () => {
    expect(decide([block("b"), block("a")]).html).toBe("a");
    expect(decide([block("a"), block("b", { priority: 1 }), block("c", { priority: -1 })]).html).toBe("b");
  });

  it("one without a variant for somebody leaves the slot to the next", () => {
    const blocks = [block("first", { priority: 9, ...pro, fallback: "fallback of the first" }), block("second")];
    expect(decide(blocks, { traits: { plan: "pro" } })).toMatchObject({ html: "for pros", block: "first" });
    expect(decide(blocks)).toMatchObject({ html: "second", block: "second", reason: "targeted" });
  });

  it("the first fallback stands where none has a variant", () => {
    const blocks = [
      block("a", pro),
      block("b", { ...pro, fallback: "of b" }),
      block("c", { ...pro, fallback: "of c" }),
    ];
    expect(decide(blocks)).toMatchObject({ html: "of b", block: "b", variant: null, reason: "fallback" });
    expect(decide([block("a", pro)])).toMatchObject({ html: null, block: "a", reason: "fallback" });
  });
});

describe("a schedule", () => {
  const sale = { schedule: { from: "2026-11-27T00:00", to: "2026-12-01T00:00" }, priority: 1 };
  const at = (time: string) => Date.parse(time);

  it("holds from its first instant to before its last, in the site's zone", () => {
    const blocks = [block("usual"), block("sale", sale)];
    const ask = (time: string) => decide(blocks, {}, at(time), "Europe/Berlin");
    const [from, to] = [at("2026-11-26T23:00:00Z"), at("2026-11-30T23:00:00Z")];
    expect(ask("2026-11-26T22:59:59.999Z")).toMatchObject({ html: "usual", until: from });
    expect(ask("2026-11-26T23:00:00Z")).toMatchObject({ html: "sale", until: to });
    expect(ask("2026-11-30T22:59:59.999Z")).toMatchObject({ html: "sale", until: to });
    expect(ask("2026-11-30T23:00:00Z")).toMatchObject({ html: "usual", until: null });
  });

  it("leaves the slot alone before and after", () => {
    expect(decide([block("sale", sale)], {}, at("2026-12-02T00:00:00Z"))).toMatchObject({
      html: null,
      block: null,
      reason: "no-block",
      until: null,
    });
  });

  it("begins as much later as clocks go forward over it, and with the first of two equal hours", () => {
    const from = (wall: string) => [block("usual"), block("sale", { priority: 1, schedule: { from: wall } })];
    const untilOf = (wall: string) => decide(from(wall), {}, at("2026-01-01T00:00:00Z"), "Europe/Berlin").until;
    expect(untilOf("2026-03-29T02:30")).toBe(at("2026-03-29T01:30:00Z"));
    expect(untilOf("2026-10-25T02:30")).toBe(at("2026-10-25T00:30:00Z"));
  });
});

describe("a cap", () => {
  const capped = block("promo", { priority: 1, cap: { times: 2, within: "7d" } });
  const shown = (daysAgo: number, key = "promo") => event("Attune Exposure", daysAgo, { block: key });

  it("ends what was shown often enough, until the first showing is long ago", () => {
    const blocks = [capped, block("usual")];
    expect(decide(blocks, { events: [shown(1)] }).html).toBe("promo");
    expect(decide(blocks, { events: [shown(3), shown(2, "usual"), shown(1)] })).toMatchObject({
      html: "usual",
      until: T + 4 * DAY_MS,
    });
    expect(decide(blocks, { events: [shown(8), shown(1)] }).html).toBe("promo");
  });

  it("makes every showing one of its own: it is asked for again before the next, and when time changes it", () => {
    const to = "2026-06-02T00:00";
    const live = siteOf([{ ...capped, schedule: { to } }]);
    const { decision, until } = decideSlots(live, ["hero"], NOBODY, undefined, T)["hero"]!;
    expect(decision.until).toBe(T);
    expect(until).toBe(Date.parse(`${to}Z`));
  });

  it("cannot be counted of somebody whose events may not be looked at", () => {
    expect(decide([capped, block("usual")], { consent: ["necessary", "personalization"] })).toMatchObject({
      html: "usual",
    });
    expect(decide([capped], { consent: ["necessary", "personalization"] }).reason).toBe("no-consent");
  });
});

describe("a cart", () => {
  const template =
    "{% for item in cart.items %}{{ item.quantity }}×{{ item.name }} {% endfor %}{{ cart.count }} {{ cart.total }} {{ cart.currency }}";
  const shop = block("cart", { variants: [{ key: "only", audience: null, template }] });
  const bag = { product_id: "b", name: "Bag", price: 40, currency: "EUR" };
  const hat = { product_id: "h", name: "Hat", price: "9.5" };
  const show = (...events: HistoryEvent[]) => decide([shop], { events }).html;

  it("is what was added, less what was removed", () => {
    expect(show(event("Product Added", 3, bag), event("Product Added", 2, { ...hat, quantity: 2 }))).toBe(
      "1×Bag 2×Hat 3 59 EUR",
    );
    expect(
      show(
        event("Product Added", 3, { ...bag, quantity: 3 }),
        event("Product Removed", 2, { product_id: "b", quantity: 2 }),
      ),
    ).toBe("1×Bag 1 40 EUR");
    expect(show(event("Product Added", 3, bag), event("Product Removed", 2, { product_id: "b" }))).toBe("0 0 ");
  });

  it("is what it was when it was looked at, and empty after an order", () => {
    const viewed = event("Cart Viewed", 2, { products: [hat, null, { name: 1 }], currency: "USD" });
    expect(show(event("Product Added", 3, bag), viewed)).toBe("1×Hat 1×1 2 9.5 USD");
    expect(show(event("Product Added", 3, bag), event("Order Completed", 2))).toBe("0 0 ");
  });

  it("has no price for what nobody said one of: that is not for free", () => {
    const prices = "{% for item in cart.items %}[{{ item.price | money: item.currency }}]{% endfor %} {{ cart.total }}";
    const shop = block("cart", { variants: [{ key: "only", audience: null, template: prices }] });
    const events = [event("Product Added", 3, bag), event("Product Added", 2, { name: "Gift" })];
    expect(decide([shop], { events }).html).toBe("[€40.00][] 40");
    const told = event("Product Added", 1, { name: "Gift", price: 0, currency: "EUR" });
    expect(decide([shop], { events: [...events, told] }).html).toBe("[€40.00][€0.00] 40");
  });

  it("is not looked into without consent, and makes nobody's rendering another's", () => {
    const events = [event("Product Added", 3, bag)];
    expect(decide([shop], { events, consent: ["necessary"] }).html).toBe("  ");
    expect(decide([shop], { events, consent: ["necessary", "personalization"] }).html).toBe("  ");
  });
});
