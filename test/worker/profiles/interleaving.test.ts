/** Whatever happens at once, all places that say who is in which segment say the same, and in the end what the rules say. */
import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import { forget } from "../../../edge/manifest/memory.ts";
import { backfillSite } from "../../../edge/profiles/backfill.ts";
import { wakeDueProfiles } from "../../../edge/profiles/wake.ts";
import { createRandom } from "../../unit/shared/random.ts";
import { type Client, type Json, newSite, send } from "../api/client.ts";
import { bindings } from "../site.ts";

const ROUNDS = 40;
const CONDITIONS = [
  { event: "A" },
  { event: "A", within: "2s" },
  { event: "B", within: "3s", count: { gte: 2 } },
  { event: "A", sum: "x", within: "4s", gte: 5 },
  { event: "A", unless: { event: "B" }, after: "1s", within: "20s" },
  { not: { trait: "plan", eq: "pro" } },
  { all: [{ event: "A" }, { not: { event: "B", within: "2s" } }] },
  { all: [{ segment: "list" }, { event: "A" }] },
  { not: { segment: "list" } },
];
const plenty = () => ({ deadline: Infinity, statements: Infinity });

it.each([1, 2, 3])(
  "of events, people, rules, lists and time leaves everybody where they belong: %i",
  async (seed) => {
    const random = createRandom(seed);
    const site = await newSite();
    const create = (key: string, more: object) =>
      site.send("POST", "/api/segments", { key, name: key, status: "active", ...more });
    await create("list", { kind: "static" });
    for (const key of ["d0", "d1", "d2"]) await create(key, { condition: random.pick(CONDITIONS.slice(0, 7)) });

    const who = () =>
      random.pick([
        { anonymousId: `a${random.below(6)}` },
        { userId: `u${random.below(4)}` },
        { userId: `u${random.below(4)}`, anonymousId: `a${random.below(6)}` },
      ]);
    const message = () => {
      const timestamp = new Date(Date.now() - random.below(3_000)).toISOString();
      return random.chance(0.3)
        ? { type: "identify", ...who(), timestamp, traits: { plan: random.pick(["pro", "free", null]) } }
        : { type: "track", ...who(), timestamp, event: random.pick(["A", "B"]), properties: { x: random.below(6) } };
    };
    const key = () => random.pick(["d0", "d1", "d2", "list", "reused"]);
    const post = (path: string, body: object) => send(null, "POST", path, { writeKey: site.writeKey, ...body });
    const ingest = () => post("/v1/batch", { batch: Array.from({ length: 4 }, message) });
    const upload = () =>
      site.send("POST", `/api/segments/${key()}/members?mode=${random.pick(["add", "remove", "replace"])}`, {
        identifiers: [{ anonymousId: `a${random.below(6)}` }, { userId: `u${random.below(4)}` }],
      });
    const happenings: (() => Promise<unknown>)[] = [
      ...[ingest, ingest, ingest, ingest, upload, upload],
      () => post("/v1/consent", { ...who(), purposes: { analytics: random.chance(0.5) } }),
      () =>
        site.send("PUT", `/api/segments/${key()}`, { name: "n", condition: random.pick(CONDITIONS), status: "active" }),
      () => site.send("DELETE", `/api/segments/${key()}`),
      () => create(key(), random.chance(0.5) ? { kind: "static" } : { condition: random.pick(CONDITIONS) }),
      () => wakeDueProfiles(bindings, Date.now, plenty()),
      () => backfillSite(bindings, site.siteId, Date.now, { ...plenty(), statements: 8 }),
      async () => forget(),
    ];
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all(Array.from({ length: 1 + random.below(5) }, () => random.pick(happenings)()));
      expect(await findDrift(site), `round ${round}`).toEqual([]);
    }

    await env.DB.prepare("UPDATE backfills SET leased_until = 0 WHERE site_id = ?1").bind(site.siteId).run();
    await backfillSite(bindings, site.siteId, Date.now, plenty());
    await wakeDueProfiles(bindings, Date.now, plenty());
    expect(await findDrift(site)).toEqual([]);
    const log = env.DB.prepare("SELECT count(*) AS n FROM membership_log WHERE site_id = ?1").bind(site.siteId);
    expect(await log.first<number>("n")).toBeGreaterThan(20);
    const { data } = await site.get("/api/segments");
    for (const { key } of data) {
      const { data: members } = await site.get(`/api/segments/${key}/members`);
      for (const { profile, until } of members) {
        const { segments } = await site.get(`/api/profiles/${profile}`);
        if (until !== null && Date.parse(until) <= Date.now()) continue; // the next minute's
        expect(segments.map((segment: Json) => segment.key)).toContain(key);
      }
    }
  },
  60_000,
);

/** Where decisions, memberships, their log and their counts do not agree, all read at one instant. */
async function findDrift(site: Client): Promise<Json[]> {
  const read = (sql: string) => env.DB.prepare(sql).bind(site.siteId);
  const [drift, logged] = await env.DB.batch<Json>([
    read(`WITH decided AS (
        SELECT d.key AS segment, p.id AS profile, d.value ->> 0 AS since FROM profiles AS p, json_each(p.decisions) AS d
        WHERE p.site_id = ?1),
      members AS (SELECT segment_key, profile_id, since FROM memberships WHERE site_id = ?1),
      counted AS (
        SELECT segment_key, sum(entered - exited) AS net, (
          SELECT last.members FROM segment_hours AS last WHERE last.site_id = ?1 AND last.segment_key = h.segment_key
          ORDER BY hour DESC LIMIT 1) AS members
        FROM segment_hours AS h WHERE site_id = ?1 GROUP BY segment_key)
      SELECT 'decided, no member' AS what, * FROM (SELECT * FROM decided EXCEPT SELECT * FROM members)
      UNION ALL SELECT 'member, not decided', * FROM (SELECT * FROM members EXCEPT SELECT * FROM decided)
      UNION ALL SELECT 'miscounted', segment_key, NULL, NULL FROM counted AS c
        WHERE c.net <> c.members OR c.members <> (SELECT count(*) FROM members AS m WHERE m.segment_key = c.segment_key)`),
    read(`SELECT segment_key, profile_id, group_concat(change) AS changes, (
        SELECT count(*) FROM memberships AS m WHERE m.site_id = ?1 AND m.segment_key = l.segment_key
          AND m.profile_id = l.profile_id) AS isMember
      FROM (SELECT * FROM membership_log WHERE site_id = ?1 ORDER BY id) AS l GROUP BY segment_key, profile_id`),
  ]);
  const inTurn = (isMember: number) => (isMember ? /^enter(,exit,enter)*$/ : /^enter,exit(,enter,exit)*$/);
  return [...drift!.results, ...logged!.results.filter(({ changes, isMember }) => !inTurn(isMember).test(changes))];
}
