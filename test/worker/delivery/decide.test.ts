import { beforeAll, describe, expect, it } from "vitest";
import type { DecideAnswer } from "../../../shared/wire.ts";
import { bindings, createSite, type TestSite, track } from "../site.ts";

const SHOES = {
  key: "shoes",
  condition: { event: "Product Viewed", where: { category: { eq: "shoes" } }, count: { gte: 2 }, within: "24h" },
};
const VIP = { key: "vip", condition: { trait: "plan", eq: "gold" }, visibility: "private" as const };
const HERO = {
  slot: "hero",
  variants: [
    { key: "vip", audience: { segment: "vip" }, template: "<p>Dear {{ customer.name | default: 'friend' }}</p>" },
    { key: "shoes", audience: { segment: "shoes" }, template: "<p>Shoes</p>" },
  ],
  fallback: "<p>Hello</p>",
};

describe("decide", () => {
  let site: TestSite;
  beforeAll(async () => {
    site = await createSite({ segments: [SHOES, VIP], blocks: [HERO] });
  });
  const view = (anonymousId: string) => track("Product Viewed", { category: "shoes" }, { anonymousId });

  async function decide(body: object): Promise<DecideAnswer> {
    const response = await site.post("/a/decide", { slots: ["hero"], ...body });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toMatch(/^(no-store|private, max-age=\d+)$/);
    return response.json();
  }

  it("answers somebody unknown with the fallback and gives no token", async () => {
    const answer = await decide({ anonymousId: "new" });
    expect(answer.slots["hero"]).toMatchObject({
      html: "<p>Hello</p>",
      decision: { reason: "fallback", variant: null, block: "hero" },
    });
    expect(answer.token).toBeNull();
  });

  it("stores the events that come along and decides with them", async () => {
    const answer = await decide({ anonymousId: "runner", events: [view("runner"), view("runner")] });
    expect(answer).toMatchObject({ accepted: 2, rejected: [] });
    expect(answer.slots["hero"]).toMatchObject({
      html: "<p>Shoes</p>",
      decision: { reason: "targeted", variant: "shoes" },
    });
    const until = Date.parse(answer.segments["shoes"]!);
    expect(until).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    expect(answer.slots["hero"]!.decision.until).toBe(answer.segments["shoes"]);
    const rows = await site.rows("SELECT 1 FROM events WHERE site_id = ?1 AND owner = 'anonymousId:runner'");
    expect(rows).toHaveLength(2);
  });

  it("believes a fresh token without reading storage, and no other", async () => {
    const { token } = await decide({ anonymousId: "walker", events: [view("walker"), view("walker")] });
    await site.rows("DELETE FROM profiles WHERE site_id = ?1");
    await site.rows("DELETE FROM identifiers WHERE site_id = ?1");
    const again = await decide({ anonymousId: "walker", token });
    expect(again.slots["hero"]!.html).toBe("<p>Shoes</p>");
    expect(again.token).toBe(token);
    const [body, signature] = token!.split(".");
    const forged = `${btoa(atob(body!).replace("shoes", "vip")).replaceAll("=", "")}.${signature}`;
    for (const [anonymousId, bad] of [
      ["walker", forged],
      ["walker", `${body}.AAAA`],
      ["walker", "nonsense"],
      ["thief", token],
    ]) {
      expect((await decide({ anonymousId, token: bad })).slots["hero"]!.html).toBe("<p>Hello</p>");
    }
    const other = await createSite({ blocks: [{ slot: "hero", variants: [], fallback: "<p>Other</p>" }] });
    const elsewhere = await other.post("/a/decide", { slots: ["hero"], anonymousId: "walker", token });
    expect(((await elsewhere.json()) as DecideAnswer).segments).toEqual({});
  });

  it("renders personal values escaped, and only for the person's own eyes", async () => {
    const events = [
      {
        type: "identify",
        anonymousId: "gold",
        userId: "g1",
        messageId: "g1",
        traits: { plan: "gold", name: "<b>Ann</b>" },
      },
    ];
    const answer = await decide({ anonymousId: "gold", userId: "g1", events });
    expect(answer.slots["hero"]!.html).toBe("<p>Dear &lt;b&gt;Ann&lt;/b&gt;</p>");
    expect(Object.keys(answer.segments)).toEqual(["vip"]);
    const shared = await decide({ anonymousId: "gold", userId: "another", token: answer.token });
    expect(shared.slots["hero"]!.html).toBe("<p>Hello</p>");
    expect(shared.segments).toEqual({});
  });

  it("counts what the browser decided by itself for public segments only", async () => {
    const answer = await decide({ anonymousId: "memory", local: { segments: ["shoes", "vip"] } });
    expect(answer.slots["hero"]!.decision.variant).toBe("shoes");
    expect(Object.keys(answer.segments)).toEqual(["shoes"]);
  });

  it("says no-block for a slot that has none", async () => {
    const answer = await decide({ slots: ["nowhere"] });
    expect(answer.slots["nowhere"]).toMatchObject({ html: null, decision: { reason: "no-block", block: null } });
  });

  it("keeps private segments out of the public manifest", async () => {
    const response = await import("cloudflare:workers").then(({ exports }) =>
      exports.default.fetch(`https://edge.example/v1/manifest/${site.writeKey}`),
    );
    const text = await response.text();
    expect(text).toContain("shoes");
    expect(text).not.toContain("vip");
    expect(text).not.toContain("gold");
    const etag = response.headers.get("etag")!;
    const same = await import("cloudflare:workers").then(({ exports }) =>
      exports.default.fetch(`https://edge.example/v1/manifest/${site.writeKey}`, {
        headers: { "if-none-match": etag },
      }),
    );
    expect(same.status).toBe(304);
  });

  it("decides nothing from a purpose that is withdrawn", async () => {
    await decide({ anonymousId: "shy", events: [view("shy"), view("shy")] });
    const response = await site.post("/v1/consent", {
      anonymousId: "shy",
      purposes: { personalization: false, analytics: false },
    });
    expect(response.status).toBe(200);
    const answer = await decide({ anonymousId: "shy" });
    expect(answer.slots["hero"]!.decision.reason).toBe("no-consent");
    expect(answer.segments).toEqual({});
    const statements = await site.rows("SELECT purpose, granted FROM consents WHERE site_id = ?1 ORDER BY purpose");
    expect(statements).toEqual([
      { purpose: "analytics", granted: 0 },
      { purpose: "personalization", granted: 0 },
    ]);
  });

  it("takes two round trips to D1 for events and a decision", async () => {
    const batch = bindings.DB.batch;
    let trips = 0;
    bindings.DB.batch = function count<T>(this: D1Database, statements: D1PreparedStatement[]) {
      trips++;
      return batch.call(this, statements) as Promise<D1Result<T>[]>;
    };
    try {
      await decide({ anonymousId: "counted", events: [view("counted"), view("counted")] });
    } finally {
      bindings.DB.batch = batch;
    }
    expect(trips).toBe(2);
  });
});
