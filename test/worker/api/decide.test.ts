/** Slots for a person whom a server names. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { beforeAll, expect, it } from "vitest";
import worker from "../../../edge/worker.ts";
import { throughEach } from "../profiles/around.ts";
import { bindings } from "../site.ts";
import { type Client, ingest, newSite, problemOf } from "./client.ts";

let site: Client;
beforeAll(async () => {
  site = await newSite();
  await site.post("/api/segments", {
    key: "runner",
    name: "Runner",
    kind: "dynamic",
    status: "active",
    condition: { event: "Ran", within: "1h" },
  });
  await site.post("/api/blocks", {
    key: "hero",
    slot: "hero",
    variants: [
      { key: "run", audience: { segment: "runner" }, template: "Run, {{ customer.name | default: 'you' }}!" },
      { key: "sale", audience: { context: "page.path", eq: "/sale" }, template: "Sale" },
    ],
    fallback: "Walk",
  });
  await site.post("/api/blocks/hero/publish");
  await ingest(site, [
    { type: "identify", userId: "u-1", traits: { name: "Ada <3", email: "ada@shop.example" } },
    { type: "track", userId: "u-1", event: "Ran" },
  ]);
});

it("decides for a profile by its id, and by any identifier", async () => {
  const [profile] = [await site.get("/api/profiles?userId=u-1")];
  for (const by of [profile.id, { kind: "userId", value: "u-1" }, { kind: "email", value: "ADA@shop.example" }]) {
    const response = await site.send("POST", "/api/decide", { profile: by, slots: ["hero", "hero", "none"] });
    expect(response.headers.get("cache-control")).toBe("private, max-age=300");
    expect(await response.json()).toEqual({
      profileId: profile.id,
      slots: {
        hero: {
          html: "Run, Ada &lt;3!",
          decision: {
            id: expect.any(String),
            slot: "hero",
            block: "hero",
            variant: "run",
            reason: "targeted",
            until: expect.any(String),
          },
        },
        none: { html: null, decision: expect.objectContaining({ block: null, reason: "no-block", until: null }) },
      },
      segments: { runner: expect.any(String) },
      until: expect.any(String),
    });
  }
});

it("decides by the request that the page is for", async () => {
  const ask = (context?: object) => site.post("/api/decide", { slots: ["hero"], context });
  expect(await ask({ page: { path: "/sale" } })).toMatchObject({ profileId: null, slots: { hero: { html: "Sale" } } });
  expect(await ask()).toMatchObject({ slots: { hero: { html: "Walk", decision: { reason: "fallback" } } } });
});

it("knows nothing of a profile that there is not, and assumes of it what the site assumes", async () => {
  const ask = (client: Client) =>
    client.post("/api/decide", { profile: { kind: "userId", value: "u-9" }, slots: ["hero"] });
  expect(await ask(site)).toMatchObject({ profileId: null, slots: { hero: { html: "Walk" } }, segments: {} });
  const other = await newSite();
  expect(await other.post("/api/decide", { profile: { kind: "userId", value: "u-1" }, slots: ["hero"] })).toMatchObject(
    {
      profileId: null,
      slots: { hero: { decision: { reason: "no-block" } } },
    },
  );
});

it.each([
  [{ slots: [] }, "/slots"],
  [{ slots: ["x".repeat(200)] }, "/slots/0"],
  [{ slots: ["hero"], profile: 7 }, "/profile"],
  [{ slots: ["hero"], profile: { kind: "email", value: "nobody" } }, "/profile/value"],
  [{ slots: ["hero"], profile: { kind: "fax", value: "1" } }, "/profile/kind"],
])("says what is wrong with %j", async (body, pointer) => {
  const problem = await problemOf(site.send("POST", "/api/decide", body), "invalid-request");
  expect(problem.errors?.[0]?.pointer).toBe(pointer);
});

it("does not wait for a profile that storage is slow to give: what anybody gets, for this moment", async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  let trips = 0;
  // The first one says whose key it is.
  const DB = throughEach((call) => (++trips === 1 ? call() : gate.then(call)));
  const context = createExecutionContext();
  const request = new Request<unknown, IncomingRequestCfProperties>("https://edge.example/api/decide", {
    method: "POST",
    headers: { authorization: `Bearer ${site.secretKey}`, "content-type": "application/json" },
    body: JSON.stringify({ profile: { kind: "userId", value: "u-1" }, slots: ["hero", "none"] }),
  });
  const response = await worker.fetch(request, { ...bindings, ATTUNE_PATIENCE: "1", DB }, context);
  open();
  await waitOnExecutionContext(context);
  expect(trips).toBeGreaterThan(1);
  expect(response.headers.get("cache-control")).toBe("no-store");
  const answer = await response.json<{ until: string | null }>();
  expect(Date.parse(answer.until!)).toBeLessThanOrEqual(Date.now());
  expect(answer).toMatchObject({
    profileId: null,
    slots: { hero: { html: "Walk", decision: { reason: "fallback" } }, none: { html: null } },
    segments: {},
  });
});
