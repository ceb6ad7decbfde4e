/** Removing a link where the past is no plain one: people who were erased, blocked or decided by other rules since, links by hand, and very many refusals. */
import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import { linkId } from "../../../edge/db/links.ts";
import { linkIdentifiers } from "../../../edge/identity/link.ts";
import { readPast } from "../../../edge/identity/past.ts";
import { unlink } from "../../../edge/identity/unlink.ts";
import { ingest } from "../../../edge/ingest/ingest.ts";
import { parseEvent } from "../../../edge/ingest/parse.ts";
import { publish } from "../../../edge/manifest/publish.ts";
import { readSite } from "../../../edge/manifest/read.ts";
import { eraseProfile } from "../../../edge/profiles/erase.ts";
import type { Condition } from "../../../shared/condition.ts";
import type { Identifier } from "../../../shared/identifier.ts";
import { between, throughEach } from "../profiles/around.ts";
import { bindings, createSite, type TestSite } from "../site.ts";

/** After the sites are published. */
const START = Date.now() + 100_000;
const SECOND = 1_000;

let count = 0;

async function send(site: TestSite, now: number, ...messages: object[]): Promise<void> {
  const live = (await readSite(bindings, site.id, now))!;
  const defaults = { sentAt: null, context: undefined, newId: () => "", identity: live.identity };
  const timestamp = new Date(now).toISOString();
  const events = messages.map((message, place) =>
    parseEvent({ messageId: `m${++count}`, timestamp, ...message }, now, defaults, place),
  );
  await ingest(env.DB, live, { events, source: "server", receivedAt: now });
}

function remove(site: TestSite, a: Identifier, b: Identifier, now: number, { DB } = bindings) {
  return unlink({ ...bindings, DB }, site.id, { linkId: linkId(a, b), actor: "key:k", now });
}

async function erase(site: TestSite, identifier: Identifier, now: number): Promise<void> {
  const live = (await readSite(bindings, site.id, now))!;
  const budget = { deadline: Number.POSITIVE_INFINITY, statements: 1_000 };
  await eraseProfile(bindings, live, { identifier }, { actor: "key:k", now: () => now, budget });
}

async function decisionsOf(site: TestSite, identifier: Identifier): Promise<string[]> {
  const [row] = await site.rows<{ decisions: string }>(
    `SELECT p.decisions FROM identifiers AS i JOIN profiles AS p ON p.site_id = i.site_id AND p.id = i.profile_id
     WHERE i.site_id = ?1 AND i.identifier = ?2`,
    identifier,
  );
  return Object.keys(JSON.parse(row!.decisions));
}

/** Rows of which nobody is. */
function listStray(site: TestSite): Promise<unknown[]> {
  return site.rows(
    `SELECT owner FROM events WHERE site_id = ?1 AND owner NOT IN (SELECT identifier FROM identifiers WHERE site_id = ?1)
     UNION ALL
     SELECT id FROM profiles WHERE site_id = ?1 AND merged_into IS NULL
       AND id NOT IN (SELECT profile_id FROM identifiers WHERE site_id = ?1)
     UNION ALL
     SELECT identifier FROM identifiers WHERE site_id = ?1
       AND profile_id NOT IN (SELECT id FROM profiles WHERE site_id = ?1 AND merged_into IS NULL)`,
  );
}

it("leaves no profile of an identifier that goes with its link, although it named the profile", async () => {
  const site = await createSite();
  await send(site, START, { type: "identify", userId: "u", traits: { email: "e@example.com" } });
  await remove(site, "userId:u", "email:e@example.com", START + SECOND);
  expect(await listStray(site)).toEqual([]);
  expect(await site.rows("SELECT stable_id FROM profiles WHERE site_id = ?1")).toHaveLength(1);
});

for (const erased of ["userId:u", "userId:v"]) {
  it(`takes up with an erasure of ${erased} between any two round trips`, async () => {
    for (let trip = 1, isOver = false; !isOver; trip++) {
      const site = await createSite();
      await send(site, START, { type: "identify", userId: "u", anonymousId: "d" });
      await send(site, START + 1, { type: "track", event: "A", anonymousId: "d" });
      await send(site, START + 2, {
        type: "identify",
        userId: "v",
        anonymousId: "d",
        traits: { email: "e@example.com" },
      });
      const { env: cut, happened } = between(trip, () => erase(site, erased, START + SECOND));
      const result = await remove(site, "userId:u", "anonymousId:d", START + 2 * SECOND, cut);
      if (erased === "userId:v" || !happened()) expect(result, `trip ${trip}`).toHaveProperty("after");
      expect(await listStray(site), `trip ${trip}`).toEqual([]);
      isOver = !happened();
    }
  }, 60_000);
}

it("takes no more statements for thousands of refused identifiers that nobody has", async () => {
  const refuse = async (addresses: number) => {
    const site = await createSite();
    const messages = Array.from({ length: addresses }, (_, i) => ({
      type: "identify",
      userId: "u",
      traits: { email: `e${i}@example.com` },
    }));
    for (let at = 0; at < addresses; at += 500) await send(site, START + at, ...messages.slice(at, at + 500));
    await send(site, START + 10 * SECOND, { type: "identify", userId: "u", anonymousId: "d" });
    let statements = 0;
    const DB = throughEach((call, taken) => {
      statements += taken;
      return call();
    });
    await remove(site, "userId:u", "anonymousId:d", START + 20 * SECOND, { ...bindings, DB });
    return statements;
  };
  // Events are read 500 at a time, tombstones by request.
  expect(await refuse(2_000)).toBeLessThan((await refuse(20)) + 4 + 4);
}, 60_000);

it("keeps what somebody says whom a policy blocks since", async () => {
  const site = await createSite({ segments: [{ key: "pro", condition: { trait: "plan", eq: "pro" } as Condition }] });
  await send(site, START, { type: "identify", userId: "bad-1", anonymousId: "d" });
  await send(site, START + 1, { type: "identify", userId: "bad-1", traits: { plan: "pro" } });
  await env.DB.prepare("UPDATE sites SET settings = json_set(settings, '$.identity', json(?2)) WHERE id = ?1")
    .bind(site.id, JSON.stringify({ blocked: [{ pattern: "bad-*" }] }))
    .run();
  // As by an isolate that has not heard of it yet.
  await publish(bindings, site.id, START - 1);
  await remove(site, "userId:bad-1", "anonymousId:d", START + SECOND);
  expect(await decisionsOf(site, "userId:bad-1")).toEqual(["pro"]);
});

it("knows of an identifier that comes into being when it was erased", async () => {
  const site = await createSite();
  const addresses = ["a", "b", "c", "d", "e"].map((name) => `${name}@example.com`);
  await send(site, START, { type: "identify", userId: "z", traits: { email: "last@example.com" } });
  await erase(site, "userId:z", START + 1);
  for (const [i, email] of addresses.entries())
    await send(site, START + 10 + i, { type: "identify", anonymousId: "d", traits: { email } });
  await send(site, START + 20, { type: "identify", userId: "u", anonymousId: "d" });
  await send(site, START + 30, { type: "identify", userId: "u", traits: { email: "last@example.com" } });
  const identifier = "email:last@example.com";
  const read = () => site.rows("SELECT erased_at FROM identifiers WHERE site_id = ?1 AND identifier = ?2", identifier);
  expect(await read()).toEqual([]);
  await remove(site, "userId:u", "anonymousId:d", START + SECOND);
  expect(await read()).toEqual([{ erased_at: START + 1 }]);
});

it("decides by the newest events that the rules of the time look at, however many other rules did", async () => {
  const site = await createSite({ segments: [{ key: "many", condition: { event: "B" } as Condition }] });
  const tracks = (event: string, at: number) =>
    Array.from({ length: 900 }, (_, i) => ({
      type: "track",
      event,
      anonymousId: "d",
      timestamp: new Date(at + i).toISOString(),
    }));
  await send(site, START, { type: "identify", userId: "u", anonymousId: "d" });
  await send(site, START + 10 * SECOND, ...tracks("A", START));
  await send(site, START + 11 * SECOND, ...tracks("B", START + SECOND));
  await env.DB.prepare("UPDATE segments SET condition = ?2 WHERE site_id = ?1")
    .bind(site.id, JSON.stringify({ event: "A", count: { gte: 800 } }))
    .run();
  await publish(bindings, site.id, START + 20 * SECOND);
  await remove(site, "userId:u", "anonymousId:d", START + 30 * SECOND);
  expect(await decisionsOf(site, "anonymousId:d")).toEqual(["many"]);
});

it("takes a link that was removed and made again as one of then, not of before", async () => {
  const condition = { all: [{ trait: "plan", eq: "pro" }, { event: "A" }] } as Condition;
  const site = await createSite({ segments: [{ key: "active", condition }] });
  await send(site, START, { type: "track", event: "A", anonymousId: "d" });
  await send(site, START + 1, { type: "identify", userId: "u", anonymousId: "d", traits: { plan: "pro" } });
  await send(site, START + 2, { type: "identify", userId: "u", anonymousId: "other" });
  await remove(site, "userId:u", "anonymousId:d", START + SECOND);
  const ends = { a: "userId:u", b: "anonymousId:d" };
  await linkIdentifiers(bindings, site.id, { ...ends, actor: "key:k", now: START + 2 * SECOND });
  await remove(site, "userId:u", "anonymousId:other", START + 3 * SECOND);
  const members = await site.rows("SELECT since FROM memberships WHERE site_id = ?1");
  expect(members).toEqual([{ since: START + 2 * SECOND }]);
});

it("knows what came after a link by hand, though a clock that is behind received it", async () => {
  const site = await createSite();
  await send(site, START, { type: "track", event: "A", anonymousId: "d" });
  await send(site, START + 1, { type: "identify", userId: "u", anonymousId: "other" });
  const ends = { a: "userId:u", b: "anonymousId:d" };
  await linkIdentifiers(bindings, site.id, { ...ends, actor: "key:k", now: START + SECOND });
  await send(site, START + SECOND - 10, { type: "identify", userId: "v", anonymousId: "d" });
  await remove(site, "userId:u", "anonymousId:other", START + 2 * SECOND);
  const links = await site.rows("SELECT a, b FROM links WHERE site_id = ?1 AND removed_at IS NULL");
  expect(links).toEqual([ends]);
});

it("remembers of a link by hand that falls with another both that it was meant and that it had been removed before", async () => {
  const site = await createSite();
  const say = (userId: string | null, anonymousId: string | null, email?: string) => ({
    type: "identify",
    ...(userId && { userId }),
    ...(anonymousId && { anonymousId }),
    ...(email && { traits: { email: `${email}@example.com` } }),
  });
  await send(site, START, say("u", "d"), say(null, "d", "d1"), say(null, "d", "d2"), say(null, "d", "d3"));
  await remove(site, "userId:u", "anonymousId:d", START + SECOND);
  await send(site, START + 2 * SECOND, say("v", null, "v1"), say("v", null, "v2"), say("v", null, "v3"), say("v", "d"));
  const ends = { a: "userId:u", b: "anonymousId:d" };
  await linkIdentifiers(bindings, site.id, { ...ends, actor: "key:k", now: START + 3 * SECOND });
  const userOf = async () => {
    const [row] = await site.rows<{ identifier: string }>(
      `SELECT other.identifier FROM identifiers AS own
       JOIN identifiers AS other ON other.site_id = own.site_id AND other.profile_id = own.profile_id
       WHERE own.site_id = ?1 AND own.identifier = 'anonymousId:d' AND other.identifier LIKE 'userId:%'`,
    );
    return row?.identifier;
  };
  expect(await userOf()).toBe("userId:u");
  await remove(site, "anonymousId:d", "email:d3@example.com", START + 4 * SECOND);
  expect(await userOf()).toBe("userId:v");
  await remove(site, "anonymousId:d", "email:d2@example.com", START + 5 * SECOND);
  expect(await userOf()).toBe("userId:v");
  await remove(site, "userId:v", "anonymousId:d", START + 6 * SECOND);
  expect(await userOf()).toBe("userId:u");
});

it("says so where the people concerned have sent more than can be folded anew", async () => {
  const site = await createSite();
  await send(site, START, { type: "identify", userId: "u", anonymousId: "d" }, { type: "page", anonymousId: "d" });
  await expect(readPast(env.DB, site.id, ["userId:u"], 1)).rejects.toMatchObject({
    slug: "past-too-long",
    status: 422,
  });
  expect((await readPast(env.DB, site.id, ["userId:u"], 2)).moments).toHaveLength(1);
});
