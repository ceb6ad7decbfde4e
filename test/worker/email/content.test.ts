/** What services that build e-mails fetch: HTML, text, JSON, of one decision that stays. */
import { env } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { linkId } from "../../../edge/db/links.ts";
import { linkIdentifiers } from "../../../edge/identity/link.ts";
import { unlink } from "../../../edge/identity/unlink.ts";
import { readSite } from "../../../edge/manifest/read.ts";
import { eraseProfile } from "../../../edge/profiles/erase.ts";
import { signToken } from "../../../edge/tokens.ts";
import { ask } from "../delivery/worker.ts";
import { between, throughEach } from "../profiles/around.ts";
import { bindings } from "../site.ts";
import { openShop, PERSON, type Shop } from "./shop.ts";

const GOLD = { segment: "gold" };
const OFFER = {
  variants: [
    {
      key: "gold",
      audience: GOLD,
      template: "<p>{{ customer.name | default: 'You' }}: 20 %</p>",
      link: "https://shop.example/gold",
    },
  ],
  fallback: "<p>10 %</p>",
};

let shop: Shop;
let ann: string;
beforeEach(async () => {
  shop = await openShop({
    segments: [{ key: "gold", condition: { trait: "plan", eq: "gold" }, visibility: "private" }],
  });
  await shop.block("offer", OFFER);
  ann = await shop.know("ann", { plan: "gold", name: "Ann" });
});
const textOf = async (token: string, file = "offer", headers = {}) => (await shop.get(token, file, headers)).text();

describe("what a recipient is given", () => {
  it("is decided once, whatever they do and whatever is published later", async () => {
    const token = await shop.tokenOf(ann);
    expect(await textOf(token)).toBe("<p>Ann: 20 %</p>");
    await shop.know("ann", { plan: "none", name: "Anna" });
    expect(await textOf(token)).toBe("<p>Anna: 20 %</p>");
    await shop.block("offer", { ...OFFER, variants: [{ ...OFFER.variants[0]!, template: "<p>30 %</p>" }], version: 2 });
    expect(await textOf(token)).toBe("<p>Anna: 20 %</p>");
    expect(await textOf(await shop.tokenOf(ann, { send: "autumn" }))).toBe("<p>10 %</p>");
    await shop.archive("offer");
    expect(await textOf(token)).toBe("<p>Anna: 20 %</p>");
    expect(await textOf(await shop.tokenOf(ann, { send: "autumn" }))).toBe("<p>10 %</p>");
    expect(await textOf(await shop.tokenOf(ann, { send: "winter" }))).toBe("");
    const key = { recipient: ann, slot: "offer" };
    expect(await shop.kept()).toEqual([
      { ...key, send: "autumn", variant: null, link: null },
      { ...key, send: "spring", variant: "gold", link: "https://shop.example/gold" },
    ]);
  });

  it("is the same for all who ask at once", async () => {
    const token = await shop.tokenOf(ann);
    const answers = await Promise.all(Array.from({ length: 12 }, () => shop.get(token, "offer.json")));
    const decisions = await Promise.all(
      answers.map(async (answer) => (await answer.json<{ decision: object }>()).decision),
    );
    expect(decisions[0]).toMatchObject({
      slot: "offer",
      block: "offer",
      variant: "gold",
      reason: "targeted",
      until: null,
    });
    expect(new Set(decisions.map((decision) => JSON.stringify(decision))).size).toBe(1);
    expect(await shop.kept()).toHaveLength(1);
  });

  it("is decided anew once it has ended, where the block says that it must not be stale", async () => {
    const day = 24 * 60 * 60 * 1000;
    const wall = (at: number) => new Date(at).toISOString().slice(0, 16);
    const variant = (key: string) => ({ key, audience: null, template: `<p>${key}</p>` });
    const schedule = { to: wall(Date.now() + day) };
    for (const [key, safeIfStale] of [
      ["safe", true],
      ["fresh", false],
    ] as const) {
      await shop.block(`${key}-first`, { slot: key, variants: [variant("first")], schedule, safeIfStale, priority: 1 });
      await shop.block(`${key}-second`, { slot: key, variants: [variant("second")] });
    }
    const token = await shop.tokenOf(ann);
    const first = await shop.get(token, "fresh.json");
    expect(first.headers.get("cache-control")).toBe("private, max-age=300");
    const { until } = await first.json<{ until: string }>();
    expect(until).toBe(`${schedule.to}:00.000Z`);
    expect(await (await shop.get(token, "safe.json")).json()).toMatchObject({ until: null, decision: { until } });
    expect(await textOf(token, "fresh")).toBe("<p>first</p>");
    // The day has passed.
    await env.DB.prepare("UPDATE send_decisions SET until = 1 WHERE site_id = ?1").bind(shop.id).run();
    for (const key of ["safe-first", "fresh-first"]) await shop.archive(key);
    expect(await textOf(token, "fresh")).toBe("<p>second</p>");
    expect(await textOf(token, "safe")).toBe("<p>first</p>");
    expect((await shop.kept()).map(({ slot, variant }) => [slot, variant])).toEqual([
      ["fresh", "second"],
      ["safe", "first"],
    ]);
  });

  it("is one showing of a block that is shown so often at most, also where that must not be stale", async () => {
    await shop.block("capped", {
      variants: [{ key: "a", audience: null, template: "<p>Once</p>", link: "https://shop.example/once" }],
      ...{ cap: { times: 1, within: "7d" }, safeIfStale: false, fallback: "<p>Seen</p>" },
    });
    const token = await shop.tokenOf(ann);
    const first = await (await shop.get(token, "capped.json")).json();
    expect(first).toMatchObject({ html: "<p>Once</p>", decision: { until: null }, until: null });
    for (let time = 0; time < 2; time++) {
      const click = await shop.get(token, "capped/click", PERSON);
      expect(click.headers.get("location")).toBe("https://shop.example/once");
    }
    let statements = 0;
    const DB = throughEach((call, count) => {
      statements += count;
      return call();
    });
    expect(await (await shop.get(token, "capped.json", {}, { DB })).json()).toEqual(first);
    expect(statements).toBe(1);
    expect(await textOf(await shop.tokenOf(ann, { send: "autumn" }), "capped")).toBe("<p>Seen</p>");
  });

  it("is what anybody gets, and is not kept, where personalization is taken back while it is decided", async () => {
    const say = (granted: boolean) =>
      shop.post("/v1/consent", { userId: "ann", purposes: { personalization: granted }, at: Date.now() });
    let happenings = 0;
    for (let trip = 1; trip <= 5; trip++) {
      await shop.know("ann", { plan: "gold" });
      const token = await shop.tokenOf(ann, { send: `send ${trip}` });
      const racing = between(trip, () => say(false));
      const shown = await (await shop.get(token, "offer", {}, { DB: racing.env.DB })).text();
      if (racing.happened()) {
        happenings++;
        expect(shown, `before round trip ${trip}`).toBe("<p>10 %</p>");
        expect((await shop.kept()).filter(({ send, variant }) => send === `send ${trip}` && variant)).toEqual([]);
      } else expect(shown).toBe("<p>Ann: 20 %</p>");
      await say(true);
    }
    expect(happenings).toBeGreaterThan(2);
  });

  it("goes with the person who turns out to be somebody who took personalization back, or is not who allowed it", async () => {
    const personal = async () => (await shop.kept()).filter(({ variant }) => variant).map(({ recipient }) => recipient);
    const give = async (recipient: string, send: string) => textOf(await shop.tokenOf(recipient, { send }));
    const now = Date.now();
    await shop.batch([{ type: "page", anonymousId: "phone", messageId: "p" }]);
    await shop.post("/v1/consent", { anonymousId: "phone", purposes: { personalization: false } });
    await give(ann, "first");
    expect(await personal()).toEqual([ann]);
    await shop.batch([{ type: "identify", userId: "ann", anonymousId: "phone", messageId: "i" }]);
    expect(await personal()).toEqual([]);
    expect(await give(ann, "second")).toBe("<p>10 %</p>");

    const bob = await shop.know("bob", { plan: "gold" });
    await shop.batch([{ type: "page", anonymousId: "tablet", messageId: "t" }]);
    await shop.post("/v1/consent", { anonymousId: "tablet", purposes: { personalization: false } });
    await give(bob, "first");
    const request = { actor: "key:k", now };
    await linkIdentifiers(bindings, shop.id, { a: "userId:bob", b: "anonymousId:tablet", ...request });
    expect(await personal()).toEqual([]);

    const grant = { personalization: true };
    const refusing = await openShop({ settings: { consentDefault: "off" } });
    await refusing.block("offer", { variants: [{ key: "a", audience: null, template: "<p>Hi</p>" }] });
    const context = { consent: { categoryPreferences: { ...grant, analytics: true } } };
    const messages = [{ type: "identify", userId: "eve", anonymousId: "laptop", messageId: "e", context }];
    await refusing.batch([{ type: "page", anonymousId: "laptop", messageId: "l" }, ...messages]);
    const [{ birth_id: laptop }] = (await refusing.rows<{ birth_id: string }>(
      "SELECT birth_id FROM identifiers WHERE site_id = ?1 AND identifier = 'anonymousId:laptop'",
    )) as [{ birth_id: string }];
    await refusing.get(await refusing.tokenOf(laptop), "offer");
    expect(await refusing.kept()).toHaveLength(1);
    await unlink(bindings, refusing.id, { linkId: linkId("userId:eve", "anonymousId:laptop"), ...request });
    expect(await refusing.kept()).toEqual([]);
  });

  it("goes with the person who is erased, whatever is being decided meanwhile", async () => {
    const erase = async () => {
      const live = (await readSite(bindings, shop.id, Date.now()))!;
      const budget = { deadline: Infinity, statements: Infinity };
      await eraseProfile(bindings, live, { identifier: "userId:ann" }, { actor: "key:k", now: Date.now, budget });
    };
    const token = await shop.tokenOf(ann);
    await textOf(token);
    await erase();
    expect(await shop.kept()).toEqual([]);
    expect(await textOf(token)).toBe("<p>10 %</p>");
    let happenings = 0;
    for (let trip = 1; trip <= 8; trip++) {
      const again = await shop.tokenOf(await shop.know("ann", { plan: "gold" }));
      const racing = between(trip, erase);
      await shop.get(again, "offer", {}, { DB: racing.env.DB });
      if (racing.happened()) happenings++;
      else await erase();
      expect(await shop.kept(), `before round trip ${trip}`).toEqual([]);
    }
    expect(happenings).toBeGreaterThan(3);
  });

  it("is kept of nobody who is not known, or whose token is expired", async () => {
    for (const birthId of ["p_stranger", ""]) expect(await textOf(await shop.tokenOf(birthId))).toBe("<p>10 %</p>");
    const token = await shop.tokenOf(ann, { expiresAt: Date.now() - 1 });
    expect(await textOf(token)).toBe("<p>10 %</p>");
    expect(await shop.kept()).toEqual([]);
  });

  it("is what a scanner sees, and is not kept for it", async () => {
    const headers = { "user-agent": "Mozilla/5.0 (compatible; Barracuda Sentinel)" };
    expect(await textOf(await shop.tokenOf(ann), "offer", headers)).toBe("<p>Ann: 20 %</p>");
    expect(await shop.kept()).toEqual([]);
  });

  it("costs one reading of one row to give again, where nothing of it is personal", async () => {
    await shop.block("plain", { variants: [{ key: "a", audience: GOLD, template: "<p>Hi</p>" }] });
    const token = await shop.tokenOf(ann);
    await shop.get(token, "plain");
    let statements = 0;
    const DB = throughEach((call, count) => {
      statements += count;
      return call();
    });
    expect(await (await shop.get(token, "plain", {}, { DB })).text()).toBe("<p>Hi</p>");
    expect(statements).toBe(1);
  });
});

describe("its forms", () => {
  const FORMS = { html: "text/html; charset=utf-8", text: "text/plain; charset=utf-8", json: "application/json" };

  it.each<[accept: string | null, form: keyof typeof FORMS]>([
    [null, "html"],
    ["*/*", "html"],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"],
    ["text/plain", "text"],
    ["text/*;q=0.5, text/plain", "text"],
    ["text/html;q=0.5, text/plain;q=0.8", "text"],
    ["application/json", "json"],
    ["APPLICATION/JSON; charset=utf-8", "json"],
    ["application/json, text/plain, */*", "json"],
    ["text/html;q=0, application/*", "json"],
    ["application/json;q=0, */*", "html"],
    ["application/json;q=2, text/plain;q=x", "html"],
    ["image/png", "html"],
    [",;q=,", "html"],
  ])("%s is answered with %s", async (accept, form) => {
    const response = await shop.get(await shop.tokenOf(ann), "offer", accept === null ? {} : { accept });
    expect(response.headers.get("content-type")).toBe(FORMS[form]);
    expect(response.headers.get("vary")).toBe("accept");
  });

  it("are asked for by their endings, whatever is accepted", async () => {
    const token = await shop.tokenOf(ann);
    const accept = { accept: "application/json" };
    expect(await textOf(token, "offer.html", accept)).toBe("<p>Ann: 20 %</p>");
    expect(await textOf(token, "offer.txt", accept)).toBe("Ann: 20 %");
    const response = await shop.get(token, "offer.json");
    expect(await response.json()).toEqual({
      html: "<p>Ann: 20 %</p>",
      text: "Ann: 20 %",
      decision: {
        id: expect.any(String),
        slot: "offer",
        block: "offer",
        variant: "gold",
        reason: "targeted",
        until: null,
      },
      link: `https://edge.example/e/${token}/offer/click`,
      image: null,
      until: null,
    });
  });

  it("of an image alone are a link around it, and what it says", async () => {
    const image = { width: 600, height: 200, alt: "Hi {{ customer.name | default: 'you' }}", parts: [] };
    const dark = { background: "#000000", text: "#ffffff", accent: "#ffffff" };
    await shop.block("card", {
      variants: [{ key: "a", audience: null, template: " ", link: "https://shop.example/", image: { ...image, dark } }],
    });
    await shop.block("still", { variants: [{ key: "a", audience: null, template: "", image }] });
    const bob = await shop.know("bob", { name: `"><script>` });
    const token = await shop.tokenOf(bob);
    const base = `https://edge.example/e/${token}/card`;
    const { html, text, image: links } = await (await shop.get(token, "card.json")).json<Record<string, unknown>>();
    expect(links).toEqual({
      ...{ src: `${base}.png`, src2x: `${base}.2x.png`, dark: `${base}.dark.png`, dark2x: `${base}.dark.2x.png` },
      ...{ alt: `Hi "><script>`, width: 600, height: 200 },
    });
    expect(html).toBe(
      `<a href="${base}/click"><picture><source media="(prefers-color-scheme: dark)" srcset="${base}.dark.png 1x, ${base}.dark.2x.png 2x">` +
        `<img src="${base}.png" srcset="${base}.2x.png 2x" width="600" height="200" alt="Hi &quot;&gt;&lt;script&gt;" style="display:block;border:0;max-width:100%;height:auto"></picture></a>`,
    );
    expect(text).toBe(`Hi "><script> (${base}/click)`);
    expect(await textOf(token, "still")).toMatch(/^<picture><img src="https:[^>]*><\/picture>$/);
  });
});

describe("whatever is wrong", () => {
  it("is no error: an empty answer, in the form that was asked for", async () => {
    const other = await openShop();
    await other.block("theirs", { fallback: "<p>theirs</p>" });
    const token = await shop.tokenOf(ann);
    const foreign = await signToken({ ATTUNE_SECRET: "f".repeat(40) }, "email", {
      siteId: shop.id,
      birthId: ann,
      profileId: ann,
      send: "s",
      expiresAt: 9e15,
    });
    const paths = [
      ...["", "x", "x.y/offer", `${token}`, `${token}/`, `${token}/offer/x`, `${token}/offer/click/x`],
      ...[
        `${token}/theirs`,
        `${token}/nowhere`,
        `${token}/OFFER`,
        `${token}/%ff`,
        `${token}/offer.gif`,
        `${token}/${"a".repeat(2_000)}`,
      ],
      ...[
        `${foreign}/offer`,
        `${token.slice(0, -3)}AAA/offer`,
        `${token.slice(0, 40)}/offer`,
        `${token}A/offer`,
        `.${token}/offer`,
      ],
      ...[
        `${token}/offer//`,
        `${token}/offer%2Fclick`,
        "constructor/__proto__",
        `${await shop.tokenOf(ann, { siteId: "gone" })}/offer`,
      ],
    ];
    for (const path of paths) {
      for (const method of ["GET", "HEAD"]) {
        const response = await ask(bindings, `/e/${path}`, { method });
        expect([response.status, await response.text()], `${method} ${path}`).toEqual([200, ""]);
        expect(response.headers.get("cache-control"), path).toMatch(/no-cache|max-age=300/);
      }
      const json = await ask(bindings, `/e/${path}`, { headers: { accept: "application/json" } });
      expect(await json.json(), path).toMatchObject({ html: "", text: "", link: null, image: null });
    }
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"]) {
      const response = await ask(bindings, `/e/${token}/offer`, { method });
      expect([response.status, await response.text()], method).toEqual([200, ""]);
    }
    for (const path of ["x/y.PNG", `${token}/.png`]) {
      const image = await ask(bindings, `/e/${path}`);
      expect([image.status, image.headers.get("content-type")]).toEqual([200, "image/png"]);
    }
    expect(await shop.kept()).toEqual([]);
  });

  it("with storage gives what anybody gets, and keeps nothing", async () => {
    const token = await shop.tokenOf(ann);
    const DB = throughEach(() => Promise.reject(new Error("D1_ERROR: overloaded")));
    const response = await shop.get(token, "offer", {}, { DB });
    expect([response.status, await response.text()]).toEqual([200, "<p>10 %</p>"]);
    expect(response.headers.get("cache-control")).toBe("private, no-cache, max-age=0");
    expect(await textOf(token)).toBe("<p>Ann: 20 %</p>");
  });

  it("storage that takes too long is not waited for, and what it says later is not kept", async () => {
    const token = await shop.tokenOf(ann);
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const own = { DB: throughEach((call) => gate.then(call)), ATTUNE_PATIENCE: "1" };
    const response = await ask({ ...bindings, ...own }, `/e/${token}/offer`, {}, open);
    expect(await response.text()).toBe("<p>10 %</p>");
    expect(await shop.kept()).toEqual([]);
  });

  it("names nobody in its address, and lets nothing out of a page that it is opened in", async () => {
    const token = await shop.tokenOf(ann);
    expect(atob(token.split(".")[0]!.replaceAll("-", "+").replaceAll("_", "/"))).not.toMatch(/ann"|@/i);
    const { headers } = await shop.get(token, "offer");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("x-robots-tag")).toBe("noindex");
    expect(headers.get("content-security-policy")).toContain("sandbox");
  });
});
