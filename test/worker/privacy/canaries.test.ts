/**
 * Nobody gets what is another's, whatever is kept between them: parsed and shared templates, people in memory, verified tokens,
 * snapshots, the manifest. Replay with ATTUNE_SEED, widen with ATTUNE_CASES.
 */
import { env } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { decideFromToken, decideInHaste, decideSlots } from "../../../edge/blocks/decide.ts";
import { checkTemplate } from "../../../edge/blocks/liquid.ts";
import type { Env } from "../../../edge/env.ts";
import { buildLiveSite } from "../../../edge/manifest/live.ts";
import type { Manifest } from "../../../shared/manifest.ts";
import { createRandom } from "../../unit/shared/random.ts";
import { SEED } from "../../unit/shared/seed.ts";
import { newSite } from "../api/client.ts";
import { ask } from "../delivery/worker.ts";
import { PERSON, pressing } from "../email/shop.ts";
import { bindings } from "../site.ts";
import {
  buildBlock,
  buildPerson,
  type CanaryPerson,
  canaryOf,
  findCanaries,
  findOthers,
  kindsFor,
  viewerOf,
} from "./people.ts";

const PEOPLE = Number(process.env["ATTUNE_CASES"] ?? 10_000);
const VISITORS = Math.ceil(PEOPLE / 80);
const PREVIEWS = 50;
const BLOCKS = 60;
const SLOTS_EACH = 4;
const NOW = Date.parse("2026-06-01T12:00:00Z");

it("tells nobody of another, nor what consent withholds, through whatever templates render", {
  timeout: 60_000,
}, () => {
  const random = createRandom(SEED);
  const blocks = Array.from({ length: BLOCKS }, (_, index) => buildBlock(`b${index}`, random));
  for (const { variants } of blocks)
    for (const { template } of variants) expect(checkTemplate(template)).toHaveProperty("template");
  const settings = { timeZone: "UTC", consentDefault: "full" as const, origins: [] };
  const manifest: Manifest = {
    ...{ siteId: "s1", name: "Shop", version: 1, publishedAt: NOW, rules: { version: 1, at: NOW } },
    ...{ settings, segments: [], blocks },
  };
  const live = buildLiveSite(manifest);
  const keys = blocks.map(({ key }) => key);
  const waysToDecide = [decideSlots, decideSlots, decideFromToken, decideInHaste];
  let own = 0;
  let others = 0;
  for (let index = 0; index < PEOPLE; index++) {
    const person = buildPerson(index, random);
    const viewer = viewerOf(person, random);
    const context = random.chance(0.8) ? person.context : undefined;
    const slots = random.list(SLOTS_EACH, SLOTS_EACH, () => random.pick(keys));
    const decide = random.pick(waysToDecide);
    const answers = decide(live, slots, viewer, context, NOW);
    for (const [slot, { html, decision }] of Object.entries(answers ?? {})) {
      const told = `${html} ${JSON.stringify(decision)}`;
      if (findCanaries(told).length) own++;
      else others++;
      expect(findOthers(told, index, kindsFor(viewer)), `${slot}: ATTUNE_SEED=${SEED} ${told}`).toEqual([]);
    }
    // Who came before makes no difference.
    if (index % 200) continue;
    const htmlOf = (said: typeof answers) => Object.entries(said ?? {}).map(([slot, { html }]) => [slot, html]);
    expect(htmlOf(answers)).toEqual(htmlOf(decide(buildLiveSite(manifest), slots, viewer, context, NOW)));
  }
  expect(own).toBeGreaterThan(PEOPLE / 2);
  expect(others).toBeGreaterThan(PEOPLE / 2);
});

/** What leaves the Worker beside its answers, or is kept by it outside of D1. */
const logged: string[] = [];
const cached: string[] = [];

beforeEach(() => {
  for (const level of ["log", "info", "warn", "error", "debug"] as const)
    vi.spyOn(console, level).mockImplementation((...said) => void logged.push(said.map(String).join(" ")));
  for (const method of ["match", "put", "delete"] as const) {
    const original = Cache.prototype[method] as (...args: unknown[]) => Promise<never>;
    vi.spyOn(Cache.prototype, method).mockImplementation(function (this: Cache, ...args: unknown[]) {
      cached.push(args[0] instanceof Request ? args[0].url : String(args[0]));
      return original.apply(this, args);
    });
  }
});
afterEach(() => vi.restoreAllMocks());

it("tells nobody of another, and no key, log, header, cookie or URL of anybody, through the whole Worker", {
  timeout: 60_000,
}, async () => {
  const random = createRandom(SEED + 1);
  const site = await newSite({ origins: ["*"], snapshots: true });
  await site.post("/api/segments", {
    ...{ key: "vip", name: "VIP", status: "active", visibility: "private" },
    condition: { trait: "plan", eq: "gold" },
  });
  const blocks = Array.from({ length: 12 }, (_, index) => buildBlock(`b${index}`, random));
  for (const { key, slot, variants, fallback } of blocks) {
    await site.post("/api/blocks", { key, slot, variants, fallback });
    await site.post(`/api/blocks/${key}/publish`);
  }
  const keys = blocks.map(({ key }) => key);
  const people = Array.from({ length: VISITORS }, (_, index) => buildPerson(index, random));
  const asked: string[] = [];

  const fetch = async (person: CanaryPerson, path: string, init: RequestInit = {}, on?: Env): Promise<string> => {
    asked.push(`https://edge.example${path}`);
    const response = await (on
      ? ask(on, path, init)
      : exports.default.fetch(`https://edge.example${path}`, init as never));
    const body = new TextDecoder().decode(await response.arrayBuffer());
    expect([200, 302], body).toContain(response.status);
    const { location = "", ...headers } = Object.fromEntries(response.headers);
    const outside = JSON.stringify(headers);
    expect(findCanaries(outside), outside).toEqual([]);
    expect(findOthers(location, person.index), location).toEqual([]);
    const told = `${body} ${decodeTokens(body)}`;
    expect(findOthers(told, person.index), `${path}: ATTUNE_SEED=${SEED} ${body}`).toEqual([]);
    return body;
  };
  const post = (person: CanaryPerson, path: string, body: object, headers = {}) =>
    fetch(person, path, { method: "POST", headers, body: JSON.stringify(body) });
  const bearer = { authorization: `Bearer ${site.secretKey}` };

  const visit = async (person: CanaryPerson) => {
    const { index, traits, context, products } = person;
    const canary = canaryOf(index, "t");
    const who = { anonymousId: deviceOf(index), userId: `user-${canary}` };
    const messages = [
      { type: "identify", traits },
      ...products.map((properties) => ({ type: "track", event: "Product Added", properties })),
    ].map((message, at) => ({ ...message, ...who, context, messageId: `${index}-${at}` }));
    const slots = random.list(2, 5, () => random.pick(keys));
    const ask = { ...who, writeKey: site.writeKey, slots, context };
    const first = await post(person, "/v1/decide", { ...ask, events: messages });
    expect(JSON.parse(first).rejected).toEqual([]);
    return { person, ask, token: JSON.parse(first).token, told: findCanaries(first).length };
  };
  // Many at once: requests wait for storage in turns.
  const visits = await inGroups(people, visit);
  await inGroups(visits, ({ person, ask, token }) => post(person, "/v1/decide", { ...ask, token }));
  // A token of somebody else's is not believed.
  await inGroups(visits, ({ person, ask }, at) =>
    post(person, "/v1/decide", { ...ask, token: visits[(at + 1) % visits.length]!.token }),
  );
  expect(visits.filter(({ told }) => told > 0).length).toBeGreaterThan(VISITORS / 4);

  const recipients = people.map(({ traits }) => ({ email: traits["email"] }));
  const tokens = await site.post<{ token: string }[]>("/api/email/tokens", { send: "spring", recipients });
  expect(findCanaries(decodeTokens(JSON.stringify(tokens)))).toEqual([]);
  const { cards, env: painting } = pressing();
  await inGroups(people, async (person, at) => {
    const slot = random.pick(keys);
    for (const form of random.list(2, 2, () => random.pick(["", ".txt", ".json", ".png", ".2x.png", "/click"])))
      await fetch(person, `/e/${tokens[at]!.token}/${slot}${form}`, { headers: PERSON }, { ...bindings, ...painting });
  });
  expect(findCanaries(JSON.stringify(cards)).length).toBeGreaterThan(0);
  await inGroups(people.slice(0, PREVIEWS), (person) =>
    post(person, "/api/blocks/preview", { block: random.pick(keys), profile: { traits: person.traits } }, bearer),
  );
  await inGroups(people.slice(0, PREVIEWS), async (person) => {
    const shared = { block: random.pick(keys), profile: { traits: person.traits } };
    const { url } = await site.post<{ url: string }>("/api/blocks/preview/links", shared);
    await fetch(person, new URL(url).pathname);
  });

  const page = `<!doctype html><html><body>${keys.map((key) => `<attune-block name="${key}">Own</attune-block>`).join("")}`;
  const html = { "content-type": "text/html; charset=utf-8" };
  const ASSETS = { fetch: async () => new Response(page, { headers: html }) } as unknown as Fetcher;
  const before: Env = { ...bindings, ORIGIN: "assets", ORIGIN_KEY: site.writeKey, ASSETS };
  const streamed = await inGroups(people, (person) => {
    const cookie = `__Host-attune.${site.siteId}=${deviceOf(person.index)}.${Math.floor(Date.now() / 86_400_000)}`;
    return fetch(person, "/", { headers: { accept: "text/html", cookie } }, before);
  });
  expect(streamed.filter((text) => findCanaries(text).length).length).toBeGreaterThan(VISITORS / 4);

  expect(findCanaries(asked.join("\n"))).toEqual([]);
  expect(findCanaries(logged.join("\n")), logged.join("\n")).toEqual([]);
  expect(findCanaries(cached.join("\n")), cached.join("\n")).toEqual([]);
  const kept = await readKv();
  expect(kept.filter((text) => text.startsWith(`snapshot:${site.siteId}`)).length).toBeGreaterThan(VISITORS / 10);
  expect(kept.filter((text) => findCanaries(text).length)).toEqual([]);
});

function deviceOf(index: number): string {
  return `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
}

/** A few at a time. */
async function inGroups<T, R>(list: readonly T[], call: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < list.length; at += 8)
    results.push(...(await Promise.all(list.slice(at, at + 8).map((item, index) => call(item, at + index)))));
  return results;
}

/** What is written in base64url, as far as it is text. */
function decodeTokens(text: string): string {
  return text
    .matchAll(/[\w-]{40,}/g)
    .map(([part]) =>
      atob(
        part
          .replaceAll("-", "+")
          .replaceAll("_", "/")
          .slice(0, part.length - (part.length % 4)),
      ),
    )
    .toArray()
    .join(" ");
}

/** Every key with its value. */
async function readKv(): Promise<string[]> {
  const texts: string[] = [];
  for (let cursor: string | undefined, done = false; !done; ) {
    const page = await env.KV.list(cursor ? { cursor } : {});
    texts.push(...(await Promise.all(page.keys.map(async ({ name }) => `${name} ${await env.KV.get(name)}`))));
    done = page.list_complete;
    cursor = page.list_complete ? undefined : page.cursor;
  }
  return texts;
}
