import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { type Client, ingest, newSite, VIEWED_TWICE } from "./client.ts";

const NOW = "2026-03-01T12:00:00.000Z";
const variants = [{ key: "a", audience: VIEWED_TWICE, template: "{{ customer.name }}" }];
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
