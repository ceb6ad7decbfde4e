/** Shared previews as people without a key meet them. */
import { env } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { deleteExpiredPreviews, listPreviews, readPreview } from "../../../edge/db/previews.ts";
import { signToken } from "../../../edge/tokens.ts";
import worker from "../../../edge/worker.ts";
import { type Client, ingest, type Json, newSite, problemOf, readPages } from "../api/client.ts";
import { ask } from "../delivery/worker.ts";
import { pressing } from "../email/shop.ts";
import { bindings } from "../site.ts";

const DAY_MS = 86_400_000;
const NOW = "2026-03-01T12:00:00.000Z";
const TEMPLATE = "<p>Hi {{ customer.name | default: 'you' }}</p>";
const SHARE = "/api/blocks/preview/links";

const open = (url: string, method = "GET") => exports.default.fetch(url, { method });

async function read(url: string, status = 200): Promise<string> {
  const response = await open(url);
  const text = await response.text();
  expect(response.status, text.slice(0, 2_000)).toBe(status);
  return text;
}

/** What people read: tags gone, entities back. */
const textOf = (page: string) =>
  page
    .replace(/<style>[\s\S]*?<\/style>|<[^>]+>/g, " ")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&")
    .replace(/\s+/g, " ");

/** The document in the frame. */
const framed = (page: string) =>
  /srcdoc="([^"]*)"/
    .exec(page)![1]!
    .replaceAll("&quot;", '"')
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");

async function siteWithBlock(): Promise<Client> {
  const site = await newSite({ timeZone: "Europe/Berlin" });
  const pro = { key: "pro", audience: { trait: "plan", eq: "pro" }, template: TEMPLATE };
  await site.post("/api/blocks", {
    ...{ key: "offer", slot: "hero", schedule: { to: "2026-04-01T00:00" } },
    variants: [pro, { key: "all", audience: null, template: "<p>offer for all</p>" }],
  });
  return site;
}

const ADA = { traits: { name: "Ada", plan: "pro", shoe: "size-44-canary" } };
const share = (site: Client, more: object = {}) =>
  site.post<Json>(SHARE, { block: "offer", profile: ADA, now: NOW, ...more });

describe("a shared preview", () => {
  it("shows what the person would get, why, and when it changes", async () => {
    const { url } = await share(await siteWithBlock(), { slot: "hero" });
    const page = await read(url);
    expect(framed(page)).toContain("<p>Hi Ada</p>");
    const text = textOf(page);
    expect(text).toContain("Among all that is live in the slot hero, for a made-up person, as of Sun 1 Mar 2026 13:00");
    expect(text).toContain('"pro" of "offer" is shown, at least until Wed 1 Apr 2026 00:00');
    expect(text).toContain(
      "From Wed 1 Apr 2026 00:00 on, if nothing new happens: No block of this slot is in its time",
    );
    expect(text).toContain('Shown: plan is "pro": yes');
    expect(text).toContain('Not asked: "pro" of "offer" comes before it; by itself: it is for everyone.');
    expect(text).toContain("Times are those of Europe/Berlin");
  });

  it("is seen by nobody else: not kept, not found, not framed, not told of, nothing runs", async () => {
    const { url } = await share(await siteWithBlock());
    const response = await open(url);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-robots-tag": "noindex, nofollow",
      "x-content-type-options": "nosniff",
      "content-type": "text/html; charset=utf-8",
    });
    const policy = response.headers.get("content-security-policy")!;
    expect(policy).toMatch(/^default-src 'none';/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/script-src|'self' \*|connect-src/);
    const page = await response.text();
    expect(page).toContain("<iframe sandbox title=");
    expect(page).not.toContain("<script");
    expect((await open(url, "HEAD")).status).toBe(200);
  });

  it("tells of a person nothing but what is rendered and said", async () => {
    const { url } = await share(await siteWithBlock());
    expect(url).not.toMatch(/Ada|canary|pro\b/);
    expect(atob(url.split("/").at(-1).split(".")[0].replaceAll("-", "+").replaceAll("_", "/"))).not.toMatch(
      /Ada|canary/,
    );
    const page = await read(url);
    expect(page).toContain("Ada");
    expect(page).not.toContain("canary");
  });

  it("goes to another time on the site's clock, and to what is live", async () => {
    const site = await siteWithBlock();
    const { url } = await share(site);
    await site.post("/api/blocks/offer/publish");
    const variants = [{ key: "new", audience: null, template: "<p>the new draft</p>" }];
    await site.put("/api/blocks/offer", { slot: "hero", variants });
    expect(framed(await read(url))).toContain("the new draft");
    expect(framed(await read(`${url}?version=live`))).toContain("Hi Ada");
    const ended = await read(`${url}?version=live&now=2026-04-01T00:00`);
    expect(textOf(ended)).toContain("The page’s own content stays.");
    expect(ended).toContain('value="2026-04-01T00:00"');
    expect(ended).toContain('<option value="live" selected>');
    expect(framed(await read(`${url}?version=live&now=2026-03-31T23:59`))).toContain("Hi Ada");
    for (const odd of ["now=", "now=soon", "now=9999-01-01T00:00", "version=7", "version=__proto__", "now[]=1&%00=%ff"])
      expect(framed(await read(`${url}?${odd}`))).toContain("the new draft");
  });

  it("lets people choose what is shown, by the names that they gave it", async () => {
    const site = await siteWithBlock();
    await site.put("/api/blocks/offer", {
      ...{ slot: "hero", name: "Spring <offer>", fallback: "<p>nothing for you</p>" },
      variants: [
        { key: "pro", audience: { trait: "plan", eq: "pro" }, template: TEMPLATE },
        { key: "phone", audience: { context: "device.type", eq: "mobile" }, template: "<p>on a phone</p>" },
      ],
    });
    const usual = [{ key: "all", audience: null, template: "<p>as usual</p>" }];
    await site.post("/api/blocks", { key: "usual", name: "Usual", slot: "hero", variants: usual });
    await site.post("/api/blocks/usual/publish");
    const { url } = await share(site, { slot: "hero" });
    const page = await read(url);
    expect(textOf(page)).toContain("Spring &lt;offer&gt;");
    for (const [group, ...values] of [
      ["Spring &lt;offer&gt;", "offer/pro", "offer/phone", "offer/"],
      ["Usual", "usual/all"],
    ]) {
      const [, options] = page.split(`<optgroup label="${group}">`)!;
      expect([...options!.split("</optgroup>")[0]!.matchAll(/value="([^"]*)"/g)].map(([, it]) => it)).toEqual(values);
    }
    const shown: { [query: string]: string } = {
      "": "Hi Ada",
      "show=offer/phone": "on a phone",
      "show=offer/": "nothing for you",
      "show=usual/all": "as usual",
      "person=nobody": "as usual",
      "person=nobody&device=mobile": "on a phone",
      "person=nobody&show=offer/pro": "Hi you",
      "person=withheld&show=offer/pro": "Hi you",
      // Nothing that could be chosen.
      "show=offer/none": "Hi Ada",
      "show=__proto__/x&person=9&device=watch": "Hi Ada",
    };
    for (const [query, html] of Object.entries(shown))
      expect(framed(await read(`${url}?${query}`)), query).toContain(`<p>${html}</p>`);
    const asked = textOf(await read(`${url}?show=offer/phone`));
    expect(asked).toContain('"phone" of "offer" is shown, as it was asked for. By itself: "pro" of "offer" is shown.');
    expect(asked).not.toContain("Time alone");
    expect(await read(`${url}?show=offer/phone&person=nobody&device=mobile`)).toMatch(
      /value="offer\/phone" selected[\s\S]*value="nobody" selected[\s\S]*value="mobile" selected/,
    );
  });

  it("offers every version that was published, with its time", async () => {
    const site = await siteWithBlock();
    await site.post("/api/blocks/offer/publish");
    const variants = [{ key: "new", audience: null, template: "<p>the second</p>" }];
    await site.put("/api/blocks/offer", { slot: "hero", variants });
    await site.post("/api/blocks/offer/publish");
    await site.put("/api/blocks/offer", { slot: "hero", variants: [{ ...variants[0], template: "<p>a draft</p>" }] });
    const { url } = await share(site);
    const versions = [...(await read(url)).matchAll(/<option value="(\w+)"[^>]*>([^<]*) published on/g)];
    expect(versions.map(([, value, text]) => [value, text])).toEqual([
      ["2", "2,"],
      ["1", "1,"],
    ]);
    expect(framed(await read(`${url}?version=1`))).toContain("Hi Ada");
    expect(framed(await read(`${url}?version=2`))).toContain("the second");
    // The second has no such variant: it is shown as it is decided.
    expect(framed(await read(`${url}?version=2&show=offer/pro`))).toContain("the second");
    expect(framed(await read(`${url}?version=3`))).toContain("a draft");
  });

  it("goes through the people whom the link names, and no others", async () => {
    const site = await siteWithBlock();
    await ingest(site, [
      { type: "identify", userId: "u", timestamp: "2026-02-01T00:00:00Z", traits: { name: "Bob", plan: "pro" } },
    ]);
    const personas = [
      { name: "Bob, whom we know", profile: { identifier: { kind: "userId", value: "u" } } },
      { name: "A free <rider>", profile: { traits: { plan: "free" } } },
    ];
    const made = await share(site, { profile: undefined, personas, slot: "hero" });
    const kept = await readPreview(env.DB, site.siteId, made.id, Date.now());
    expect(JSON.stringify(kept)).not.toContain('"Bob"');
    const page = await read(made.url);
    expect(framed(page)).toContain("offer for all");
    expect(page).toContain("A free &lt;rider&gt;");
    expect(framed(await read(`${made.url}?person=1`))).toContain("Hi Bob");
    const second = await read(`${made.url}?person=2`);
    expect(framed(second)).toContain("offer for all");
    expect(textOf(second)).toContain("in the slot hero, for A free &lt;rider&gt;, as of");
    expect(framed(await read(`${made.url}?person=3`))).toContain("offer for all");
    const gone = { name: "Nobody", profile: { identifier: { kind: "userId", value: "nope" } } };
    for (const person of [gone, { name: "Nobody", profile: "prof_nope" }]) {
      const sent = site.send("POST", SHARE, { block: "offer", personas: [personas[1], person] });
      const { errors } = await problemOf(sent, "not-found");
      expect(errors![0]!.pointer).toBe("/personas/1/profile");
    }
  });

  it("without a time shows the moment at which it is opened", async () => {
    const { url } = await share(await siteWithBlock(), { now: undefined });
    const today = new Intl.DateTimeFormat("sv", { timeZone: "Europe/Berlin" }).format(Date.now());
    expect(await read(url)).toMatch(new RegExp(`name="now" value="${today}T`));
  });

  it("shows the card in both themes, with what stands there without images", async () => {
    const site = await newSite();
    const theme = { background: "#000000", text: "#ffffff", accent: "#00ff00" };
    const parts = [{ type: "text", text: "Hi {{ customer.name }}" }];
    const image = { width: 300, height: 100, dark: theme, alt: 'For "{{ customer.name }}"', parts };
    for (const template of ["", "<p>beside</p>"]) {
      const key = template ? "both" : "alone";
      await site.post("/api/blocks", { key, slot: key, variants: [{ key: "all", audience: null, template, image }] });
      const { url } = await share(site, { block: key });
      const page = await read(url);
      const images = [
        ...page.matchAll(/<img src="data:image\/png;base64,([^"]+)" width="300" height="100" alt="([^"]*)"/g),
      ];
      expect(images.map(([, , alt]) => alt)).toEqual([
        "For &quot;Ada&quot;",
        "The same, for readers whose mail is dark",
      ]);
      for (const [, png] of images) expect(atob(png!).slice(1, 4)).toBe("PNG");
      expect(images[0]![1]).not.toBe(images[1]![1]);
      expect(textOf(page)).toContain('Without images it reads: For "Ada"');
      expect(page.includes("<iframe")).toBe(template !== "");
    }
  });

  it("asks the press for what it shows, and for nothing else", async () => {
    const site = await newSite();
    const image = { width: 300, height: 100, alt: "a", parts: [{ type: "text", text: "Hi" }] };
    await site.post("/api/blocks", { key: "card", slot: "card", variants: [{ key: "all", template: "", image }] });
    const { url } = await share(site, { block: "card" });
    const press = pressing();
    const asked: string[] = [];
    const PRESS = new Proxy(press.env.PRESS!, {
      get: (its, name) => asked.push(String(name)) && Reflect.get(its, name),
    });
    expect((await ask({ ...bindings, PRESS }, new URL(url).pathname)).status).toBe(200);
    expect(asked).toEqual(["paint"]);
  });

  it("of a template alone says nothing of decisions", async () => {
    const site = await newSite();
    const { url, block } = await site.post<Json>(SHARE, { template: TEMPLATE, profile: ADA });
    const page = await read(url);
    expect(block).toBeNull();
    expect(framed(page)).toContain("Hi Ada");
    expect(page).not.toContain("What is decided");
    expect(page).not.toContain('name="version"');
  });

  it("keeps markup in names and values as text", async () => {
    const site = await newSite();
    const audience = { trait: "</p><script>alert(1)</script>", eq: '"><img src=x onerror=alert(1)>' };
    await site.post("/api/blocks", { key: "x", slot: "x", variants: [{ key: "v", audience, template: "a" }] });
    const page = await read((await site.post<Json>(SHARE, { block: "x" })).url);
    expect(page).not.toMatch(/<script|<img/);
    expect(page).toContain("&lt;script&gt;");
  });
});

describe("a link", () => {
  it("of a stored person keeps an id, follows whoever has the identifier, and ends with an erasure", async () => {
    const site = await siteWithBlock();
    await ingest(site, [
      { type: "identify", userId: "u", traits: { email: "ada@shop.example", name: "Ada", plan: "pro" } },
    ]);
    const profile = { identifier: { kind: "email", value: "ada@shop.example" } };
    const made = await share(site, { profile, now: undefined, version: "draft", slot: "hero" });
    const kept = await readPreview(env.DB, site.siteId, made.id, Date.now());
    expect(JSON.stringify(kept)).not.toMatch(/Ada|ada@/);
    expect(made.profile).toBe(kept!.request.profile);
    expect(textOf(await read(made.url))).toContain("for a person of this site");
    expect((await site.send("DELETE", "/api/profiles?userId=u")).ok).toBe(true);
    expect(textOf(await read(made.url, 410))).toContain("The person of this preview is gone");
  });

  it("ends after its days, and its row goes with the next run of the cron trigger", async () => {
    const site = await siteWithBlock();
    const before = Date.now();
    const links = await Promise.all([
      share(site),
      share(site, { expiresInDays: 30 }),
      share(site, { expiresInDays: 1 }),
    ]);
    const days = links.map(({ expiresAt }) => Math.floor((Date.parse(expiresAt) - before) / DAY_MS));
    expect(days).toEqual([7, 30, 1]);
    const page = { after: "", limit: 10, now: before };
    await deleteExpiredPreviews(env.DB, before + 8 * DAY_MS);
    expect((await listPreviews(env.DB, site.siteId, page)).map(({ id }) => id)).toEqual([links[1].id]);
    expect(await readPreview(env.DB, site.siteId, links[1].id, before + 31 * DAY_MS)).toBeNull();
    await env.DB.prepare("UPDATE previews SET expires_at = 1 WHERE site_id = ?1").bind(site.siteId).run();
    await worker.scheduled({} as ScheduledController, env);
    expect(await listPreviews(env.DB, site.siteId, { ...page, now: 0 })).toEqual([]);
    const expired = { siteId: site.siteId, id: links[0].id, expiresAt: before - 1 };
    const url = `https://edge.example/preview/${await signToken(env, "preview", expired)}`;
    expect(textOf(await read(url, 410))).toContain("has expired");
  });

  it("is listed and can be taken back, by its own site alone", async () => {
    const [site, other] = [await siteWithBlock(), await siteWithBlock()];
    const links = [await share(site), await share(site), await share(site)];
    expect(await readPages(site, `${SHARE}?limit=2`)).toEqual(links);
    expect(await readPages(other, `${SHARE}?limit=2`)).toEqual([]);
    await problemOf(other.send("DELETE", `${SHARE}/${links[0].id}`), "not-found");
    await read(links[0].url);
    expect(await (await site.send("DELETE", `${SHARE}/${links[0].id}`)).json()).toEqual(links[0]);
    expect(textOf(await read(links[0].url, 410))).toContain("was taken back");
    await problemOf(site.send("DELETE", `${SHARE}/${links[0].id}`), "not-found");
    expect(await readPages(site, `${SHARE}?limit=2`)).toEqual(links.slice(1));
  });

  it("that is forged, cut, of another purpose or of another site's row shows nothing", async () => {
    const [site, other] = [await siteWithBlock(), await siteWithBlock()];
    const { url, id } = await share(site);
    const base = url.slice(0, url.lastIndexOf("/") + 1);
    const token: string = url.slice(base.length);
    const [body, signature] = token.split(".");
    const expiresAt = Date.now() + DAY_MS;
    const email = await signToken(env, "email", { siteId: site.siteId, profileId: "", send: id, expiresAt });
    for (const forged of [
      token.slice(0, -4),
      `${body}.${signature}A`,
      `${body}x.${signature}`,
      email,
      "a.b",
      "a".repeat(5_000),
    ])
      expect(textOf(await read(base + forged, 404))).toContain("This link is not complete");
    const foreign = await signToken(env, "preview", { siteId: other.siteId, id, expiresAt });
    expect(await read(base + foreign, 410)).not.toContain("Ada");
    const nowhere = await signToken(env, "preview", { siteId: "nope", id, expiresAt });
    expect(await read(base + nowhere, 410)).not.toContain("Ada");
    expect((await open(base)).status).toBe(404);
    expect((await open(url, "POST")).status).toBe(404);
  });

  it("of a block that is gone says so", async () => {
    const site = await siteWithBlock();
    const { url } = await share(site);
    expect(await read(url)).not.toContain('value="live"');
    await site.post("/api/blocks/offer/publish");
    expect(await read(url)).toContain('value="live"');
    await site.send("DELETE", "/api/blocks/offer");
    await site.post("/api/blocks", { key: "offer", slot: "hero", variants: [{ key: "all", template: "anew" }] });
    expect(await read(url)).not.toContain('value="live"');
    expect(textOf(await read(`${url}?version=live`, 410))).toContain("There is nothing to show");
    await site.send("DELETE", "/api/blocks/offer");
    expect(textOf(await read(url, 410))).toContain("There is nothing to show");
  });

  it.each<[object, string]>([
    [{ expiresInDays: 0 }, "invalid-request"],
    [{ expiresInDays: 31 }, "invalid-request"],
    [{ expiresInDays: 1.5 }, "invalid-request"],
    [{ template: "a" }, "invalid-request"],
    [{ why: true }, "invalid-request"],
    [{ block: "nope" }, "not-found"],
    [{ version: "live" }, "not-found"],
    [{ profile: "nope" }, "not-found"],
    [{ block: undefined, template: "{% if %}" }, "invalid-template"],
  ])("is not made of %j", async (more, slug) => {
    const site = await siteWithBlock();
    await problemOf(site.send("POST", SHARE, { block: "offer", profile: ADA, now: NOW, ...more }), slug);
    expect(await readPages(site, `${SHARE}?limit=2`)).toEqual([]);
  });

  it("is found by its key", async () => {
    const explained: string[] = [];
    const prepare = (sql: string) => {
      const statement = env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`);
      const bind = (...values: unknown[]) => {
        const run = async () => {
          const { results } = await statement.bind(...values).all<{ detail: string }>();
          explained.push(...results.map(({ detail }) => detail));
          return { results: [] };
        };
        return { run, all: run, first: () => run().then(() => null) };
      };
      return { bind };
    };
    const recorder = { prepare } as unknown as D1Database;
    await readPreview(recorder, "s", "p", 1);
    await listPreviews(recorder, "s", { after: "", limit: 1, now: 1 });
    await deleteExpiredPreviews(recorder, 1);
    expect(explained).toEqual([
      "SEARCH previews USING INDEX sqlite_autoindex_previews_1 (site_id=? AND id=?)",
      "SEARCH previews USING INDEX sqlite_autoindex_previews_1 (site_id=? AND id>?)",
      expect.stringMatching(/^SEARCH previews USING (COVERING )?INDEX previews_expires_at \(expires_at<\?\)$/),
    ]);
  });
});
