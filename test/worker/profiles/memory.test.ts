import { expect, it } from "vitest";
import type { ProfileRow } from "../../../edge/db/profiles.ts";
import { buildPolicy } from "../../../edge/identity/policy.ts";
import { ingest } from "../../../edge/ingest/ingest.ts";
import { parseEvent } from "../../../edge/ingest/parse.ts";
import { readSite } from "../../../edge/manifest/read.ts";
import { eraseProfile } from "../../../edge/profiles/erase.ts";
import { remember, takePeople } from "../../../edge/profiles/memory.ts";
import { decideFrom } from "../../../edge/profiles/standing.ts";
import { createEvaluator } from "../../../shared/engine/evaluation.ts";
import type { Source } from "../../../shared/identifier.ts";
import { bindings, createSite, type TestSite } from "../site.ts";
import { throughEach } from "./around.ts";

/** Remembers so many people, u0 first, on a site with so many rules; tells who still is. */
const policy = buildPolicy(undefined);

function rememberPeople(siteId: string, people: number, rules: number): boolean[] {
  const conditions = Array.from({ length: rules }, (_, n) => ({ key: `s${n}`, condition: { event: `E${n}` } }));
  const program = createEvaluator(conditions, { timeZone: "UTC" });
  const names = Array.from({ length: people }, (_, n) => `userId:u${n}`);
  for (const identifier of names) {
    const standing = decideFrom(undefined, program, { traits: {}, events: [] }, 0);
    const profile: ProfileRow = {
      ...{ id: identifier, stableId: "", firstSeen: 0, lastSeen: 0, version: 1, mergedInto: null },
      ...{ decisions: {}, wakesAt: null, manifestVersion: 1 },
    };
    const node = { identifier, profileId: profile.id, birthId: profile.id, firstSeen: 0, consent: {}, lists: {} };
    remember(
      siteId,
      { profile, nodes: [node], histories: [], traits: [], links: new Set(), refused: new Map(), policy, standing },
      0,
    );
  }
  return names.map(
    (name) => takePeople(siteId, [name], { events: [], source: "server", receivedAt: 0 }, policy) !== null,
  );
}

it("holds fewer people of a site with many rules, the latest of them", () => {
  expect(rememberPeople("few", 500, 10)).not.toContain(false);
  const many = rememberPeople("many", 500, 1_000);
  expect(many.filter(Boolean).length).toBeLessThan(200);
  expect([many[0], many.at(-1)]).toEqual([false, true]);
});

const START = Date.now() + 100_000;
const SECOND = 1_000;

let count = 0;

/** @returns how many round trips it took */
async function send(site: TestSite, now: number, message: object, source: Source = "server"): Promise<number> {
  const live = (await readSite(bindings, site.id, now))!;
  const defaults = { sentAt: null, context: undefined, newId: () => `m${++count}`, identity: live.identity };
  let trips = 0;
  const db = throughEach((call) => {
    trips++;
    return call();
  });
  await ingest(db, live, { events: [parseEvent(message, now, defaults)], source, receivedAt: now });
  return trips;
}

async function countProfiles(site: TestSite): Promise<number> {
  const [row] = await site.rows<{ n: number }>(
    "SELECT count(DISTINCT profile_id) AS n FROM identifiers WHERE site_id = ?1",
  );
  return row!.n;
}

it("believes a server of what a browser was not believed, though that is remembered", async () => {
  const site = await createSite();
  const traits = { email: "ann@example.com" };
  await send(site, START, { type: "identify", userId: "ann", traits });
  await send(site, START + SECOND, { type: "identify", anonymousId: "phone", traits }, "browser");
  expect(await countProfiles(site)).toBe(2);
  expect(await send(site, START + 2 * SECOND, { type: "identify", anonymousId: "phone", traits }, "browser")).toBe(1);
  await send(site, START + 3 * SECOND, { type: "identify", anonymousId: "phone", traits }, "server");
  expect(await countProfiles(site)).toBe(1);
});

it("asks of a refused pair once a minute, however often it is heard of", async () => {
  const site = await createSite();
  await send(site, START, { type: "identify", userId: "ann", anonymousId: "tablet" });
  const seen = { type: "track", event: "Seen", userId: "bob", anonymousId: "tablet" };
  await send(site, START + SECOND, seen);
  const trips: number[] = [];
  for (let at = 11; at <= 71; at += 10) trips.push(await send(site, START + at * SECOND, seen));
  expect(trips).toEqual([1, 1, 1, 1, 1, 1, 2]);
  const live = (await readSite(bindings, site.id, START))!;
  const budget = { deadline: Number.POSITIVE_INFINITY, statements: 1_000 };
  const erasing = { actor: "key:k", now: () => START + 80 * SECOND, budget };
  await eraseProfile(bindings, live, { identifier: "userId:ann" }, erasing);
  for (let at = 90; at <= 140; at += 10) await send(site, START + at * SECOND, seen);
  const names = await site.rows("SELECT identifier FROM identifiers WHERE site_id = ?1 ORDER BY identifier");
  expect(names).toEqual([{ identifier: "anonymousId:tablet" }, { identifier: "userId:bob" }]);
});
