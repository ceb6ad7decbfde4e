import { exports } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { type Client, ingest, newSite, VIEWED_TWICE } from "./client.ts";

const NOW = "2026-03-01T12:00:00.000Z";
const variants = [{ key: "a", audience: VIEWED_TWICE, template: "{{ customer.name }}" }];
const image = {
  ...{ width: 600, height: 200, alt: "a", theme: { background: "#ffffff", text: "#000000", accent: "#ff0000" } },
  parts: [
    { type: "text", text: "{{ customer.name }}", size: 20, color: "#ff0000" },
    { type: "image", src: "https://a.example/a.png", width: 10 },
    { type: "price", amount: "1", was: "2", currency: "EUR", locale: "de" },
    { type: "countdown", to: "2026-12-01T00:00:00Z" },
    { type: "products", items: "cart.items", most: 2, currency: "EUR" },
  ],
};
const block = {
  ...{ key: "b", name: "B", slot: "a", fallback: "x", priority: 1, safeIfStale: false, format: "html" },
  variants: [{ key: "a", audience: null, template: "a", link: "https://a.example/{{ cart.count }}", image }],
  schedule: { from: "2026-01-01T00:00", to: "2199-01-01T00:00" },
  cap: { times: 3, within: "7d" },
};
const event = { event: "A", timestamp: NOW, properties: { a: 1 } };

/** Every route that takes a body, with one that it accepts. */
const ROUTES: [string, string, object][] = [
  ["POST", "/api/sites", { name: "A" }],
  ["PATCH", "/api/sites/:site", { name: "A", timeZone: "UTC", origins: ["*"], consentDefault: "full" }],
  ["POST", "/api/keys", { kind: "write", label: "A" }],
  ["POST", "/api/segments", { key: "a", name: "A", condition: VIEWED_TWICE, status: "active" }],
  ["PUT", "/api/segments/a", { name: "A", condition: VIEWED_TWICE, status: "active" }],
  ["POST", "/api/segments/estimate", { condition: VIEWED_TWICE }],
  ["POST", "/api/segments/list/members", { identifiers: ["a", { email: "a@b.cc", phone: "+4930123456" }] }],
  ["POST", "/api/segments/import", { format: "mongo", condition: { a: { $in: [1] } }, savedGroups: { a: [1] } }],
  ["POST", "/api/blocks", { key: "a", slot: "a", variants, fallback: "x" }],
  ["PUT", "/api/blocks/a", { slot: "a", variants, fallback: null }],
  ["POST", "/api/blocks", block],
  ["POST", "/api/blocks/a/rollback", { version: 1 }],
  ["POST", "/api/blocks/a/publish", {}],
  [
    "POST",
    "/api/segments/preview",
    { condition: VIEWED_TWICE, profile: { id: "a", traits: { a: 1 }, events: [event] }, now: NOW, why: true },
  ],
  [
    "POST",
    "/api/blocks/preview",
    { template: "{{ customer.a }}", profile: { traits: { a: 1 } }, consent: ["analytics"] },
  ],
  [
    "POST",
    "/api/blocks/preview",
    { block: "a", slot: "a", version: "draft", profile: { events: [event] }, now: NOW, device: "mobile", locale: "de" },
  ],
  [
    "POST",
    "/api/blocks/preview",
    {
      block: "a",
      profile: { identifier: { kind: "userId", value: "ada" } },
      timeZone: "UTC",
      context: { locale: "a" },
    },
  ],
  ["POST", "/api/blocks/preview/links", { block: "a", profile: { traits: { a: 1 } }, expiresInDays: 1 }],
  ["POST", "/api/links", { a: { kind: "userId", value: "ada" }, b: { kind: "anonymousId", value: "phone" } }],
  ["POST", "/api/links/preview", { a: { kind: "userId", value: "ada" }, b: { kind: "email", value: "b@b.cc" } }],
  ["POST", "/api/links/preview", { remove: "a" }],
  ["POST", "/api/email/tokens", { send: "a", recipients: [{ userId: "a" }] }],
];

/** Values that have broken things before. */
const nasty = fc.constantFrom<unknown>(
  ...[
    null,
    "",
    "__proto__",
    "constructor",
    "\u0000",
    "\ud800",
    "{{",
    "{% if %}",
    "'; DROP TABLE sites; --",
    "9".repeat(400),
  ],
  ...[
    0,
    -1,
    1.5,
    1e308,
    Number.MAX_SAFE_INTEGER + 1,
    true,
    [],
    {},
    [[]],
    { segment: "a" },
    { not: {} },
    { all: [null] },
  ],
);
const anything = fc.oneof(nasty, fc.jsonValue({ maxDepth: 4 }));

/** The body with the value at one of its places, or one more field. */
function mutate(body: unknown, place: number[], value: unknown): unknown {
  const [first, ...rest] = place;
  if (first === undefined || typeof body !== "object" || body === null) return value;
  const keys = Object.keys(body);
  const key = first > keys.length ? JSON.stringify(value).slice(0, 50) : keys[first % Math.max(1, keys.length)];
  const copy = (Array.isArray(body) ? [...body] : { ...body }) as { [key: string]: unknown };
  Object.defineProperty(copy, key ?? "a", {
    value: mutate(copy[key ?? "a"], rest, value),
    ...{ enumerable: true, writable: true, configurable: true },
  });
  return copy;
}

const QUERY = [
  ...["limit", "cursor", "archived", "userId", "email", "kind", "value", "provenance", "removed"],
  ...["type", "event", "from", "to", "by"],
];
/** What a list may have given, or somebody made up. */
const cursor = fc.jsonValue({ maxDepth: 2 }).map((value) => {
  return new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: "base64url", omitPadding: true });
});

let site: Client;
let profile: string;
beforeAll(async () => {
  site = await newSite();
  await ingest(site, [
    { type: "identify", userId: "ada", anonymousId: "kiosk", messageId: "1", traits: { email: "ada@b.cc" } },
    { type: "identify", userId: "ben", anonymousId: "kiosk", messageId: "2" },
    { type: "page", anonymousId: "phone", messageId: "3" },
  ]);
  profile = (await site.get("/api/profiles?userId=ada")).id;
  await site.post("/api/segments", { key: "list", name: "L", kind: "static", status: "active" });
});

it.each(ROUTES)(
  "%s %s answers whatever comes with success or a problem, never a failure",
  async (method, path, body) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 6 }), { maxLength: 5 }), anything, async (place, value) => {
        const sent = JSON.stringify(mutate(body, place, value));
        const response = await site.send(method, path.replace(":site", site.siteId), sent);
        const text = await response.text();
        expect(response.status, `${sent} → ${text}`).toBeLessThan(500);
        if (!response.ok) expect(JSON.parse(text).type).toMatch(/^\/problems#/);
      }),
      { numRuns: 25 },
    );
  },
  60_000,
);

/** Liquid, HTML and what is neither: of each field that is a text. */
const strange = fc
  .array(
    fc.constantFrom(
      ...[
        "",
        "a",
        "\u0000",
        "\ud800",
        "😀",
        "<script>",
        "<p onclick=a>",
        "</",
        "{% raw %}{{{% endraw %}",
        "%}",
        "{{ }}",
      ],
      ...[
        "{{ customer }}",
        "{{ customer.__proto__.a }}",
        "{{ segment['constructor'] }}",
        "{{ [customer.a] }}",
        "{{ cart }}",
      ],
      ...[
        "{% for i in (1..9999999) %}a{% endfor %}",
        "{% assign customer = 1 %}",
        "{% increment a %}",
        "{{ now | date }}",
      ],
      ...[
        "{{ product_recommendations[0].url }}",
        "https://a.example/",
        "{% if cart %}",
        "{% endif %}",
        "a".repeat(20_000),
      ],
    ),
    { maxLength: 4 },
  )
  .map((parts) => parts.join(""));
const linked = fc.oneof(
  strange,
  fc.constantFrom(
    null,
    "{{ cart.items[0].url }}",
    "{{ a }}",
    "https://a.example/{{ cart }}",
    "__",
    "{{ context.page.url }}",
  ),
);
const from = fc.constantFrom(null, "2026-01-01T00:00", "2026-03-29T02:30");
const to = fc.constantFrom(null, "2026-03-29T02:31", "2199-12-31T23:59:59");

const strangeBlock = fc
  .record({
    template: strange,
    link: linked,
    text: strange,
    from,
    to,
    priority: fc.integer({ min: -2, max: 2 }),
  })
  .map(({ template, link, text, from, to, priority }) => ({
    ...{ ...block, key: "c", priority, schedule: { from, to }, fallback: text },
    variants: [
      {
        key: "a",
        template,
        link,
        image: { ...image, alt: text, parts: [{ type: "text", text: text || "a" }] },
      },
      { key: "b", template: text },
    ],
  }));

it("publishes whatever block may be saved, or says what is wrong with it, and goes on deciding", async () => {
  await site.post("/api/blocks", { ...block, key: "c" });
  await fc.assert(
    fc.asyncProperty(strangeBlock, async (body) => {
      const saved = await site.send("PUT", "/api/blocks/c", body);
      expect(saved.status, JSON.stringify(body)).toBeLessThan(500);
      if (!saved.ok) return;
      const published = await site.send("POST", "/api/blocks/c/publish");
      expect(published.status, JSON.stringify(body)).toBeLessThan(500);
      for (const path of ["slots", "blocks/c", "blocks/c/versions"]) await site.get(`/api/${path}`);
      const shown = await exports.default.fetch("https://edge.example/v1/decide", {
        method: "POST",
        body: JSON.stringify({ writeKey: site.writeKey, anonymousId: "a1", slots: ["a"] }),
      });
      expect(shown.status).toBe(200);
    }),
    { numRuns: 100 },
  );
}, 60_000);

it("answers any address with success or a problem, never a failure", async () => {
  const routes = [
    "sites",
    "keys",
    "segments",
    "blocks",
    "profiles",
    "segments/warnings",
    "segments/a/members",
    "segments/list/size",
    "blocks/a/versions",
    "blocks/preview/links",
    "blocks/a/versions/1",
    "slots",
    "profiles/a/events",
    "profiles/a/log",
    "profiles/:profile",
    "profiles/:profile/events",
    "profiles/:profile/log",
    "profiles/:profile/links",
    "profiles/:profile/conflicts",
    "conflicts",
    "links",
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...routes),
      fc.constantFrom("GET", "PUT", "DELETE", "POST", "PATCH", "OPTIONS", "HEAD"),
      fc.oneof(fc.webPath(), fc.constantFrom("/%00", "/%ff", "/..%2f", "/a/b/c", "/%F0%9F%92%A9", "")),
      fc.dictionary(fc.constantFrom(...QUERY), fc.oneof(fc.string(), cursor), { maxKeys: 3 }),
      async (route, method, path, query) => {
        const address = `/api/${route.replace(":profile", profile)}${path}?${new URLSearchParams(query)}`;
        const response = await site.send(method, address);
        expect(response.status, `${method} ${address}`).toBeLessThan(500);
      },
    ),
    { numRuns: 150 },
  );
}, 60_000);
