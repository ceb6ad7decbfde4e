import { env } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { applyMembershipChanges } from "../../../edge/db/memberships.ts";
import { selectHours, selectNewestHours } from "../../../edge/db/segment-hours.ts";
import { settleProfiles } from "../../../edge/profiles/settle.ts";
import { bindings } from "../site.ts";
import { type Client, ingest, newSite, problemOf, VIEWED_TWICE } from "./client.ts";

const HOUR_MS = 3_600_000;
const viewers = { key: "viewers", name: "Viewers", condition: VIEWED_TWICE, status: "active" };

async function view(site: Client, anonymousId: string): Promise<void> {
  await ingest(
    site,
    [1, 2].map((n) => ({ type: "track", event: "Product Viewed", anonymousId, messageId: `${anonymousId}${n}` })),
  );
}

async function countMembers(site: Client, key: string): Promise<number | null> {
  return env.DB.prepare("SELECT count(*) AS n FROM memberships WHERE site_id = ?1 AND segment_key = ?2")
    .bind(site.siteId, key)
    .first<number>("n");
}

/** What the table holds as if these hours had gone by since the segment was made. */
async function writeHours(site: Client, key: string, hours: [at: string, entered: number, exited: number][]) {
  let members = 0;
  const rows = hours.map(([at, entered, exited]) => {
    members += entered - exited;
    return env.DB.prepare(
      "INSERT INTO segment_hours (site_id, segment_key, hour, entered, exited, members) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    ).bind(site.siteId, key, Date.parse(at), entered, exited, members);
  });
  const created = env.DB.prepare("UPDATE segments SET created_at = ?3 WHERE site_id = ?1 AND key = ?2");
  await env.DB.batch([...rows, created.bind(site.siteId, key, Date.parse(hours[0]![0]))]);
}

describe("the size of a segment", () => {
  it("follows who comes in, goes by time alone, and comes back", async () => {
    const site = await newSite();
    await site.post("/api/segments", viewers);
    for (const anonymousId of ["a", "b", "c"]) await view(site, anonymousId);
    const { points } = await site.get("/api/segments/viewers/size?by=hour");
    expect(points.at(-1)).toMatchObject({ members: 3, entered: 3, exited: 0 });
    expect(await site.get("/api/segments/viewers")).toMatchObject({ members: 3 });

    const { data } = await site.get("/api/segments/viewers/members");
    const ids = data.slice(0, 2).map(({ profile }: { profile: string }) => profile);
    const until = Date.parse(data[0].until);
    await settleProfiles(bindings, site.siteId, ids, { now: () => until + 2 * HOUR_MS });
    expect(await site.get("/api/segments/viewers")).toMatchObject({ members: 1 });
    expect(await countMembers(site, "viewers")).toBe(1);
    const rows = await env.DB.prepare(
      "SELECT hour, entered, exited, members FROM segment_hours WHERE site_id = ?1 ORDER BY hour",
    )
      .bind(site.siteId)
      .all();
    expect(rows.results.at(-1)).toEqual({ hour: until - (until % HOUR_MS), entered: 0, exited: 2, members: 1 });
  });

  it("counts each change in its hour, however late it is found, and the sizes since then with it", async () => {
    const site = await newSite();
    await site.post("/api/segments", viewers);
    const hour = Date.now() - (Date.now() % HOUR_MS);
    const apply = (...changes: [profileId: string, change: "enter" | "exit" | "since", hours: number][]) =>
      env.DB.batch(
        applyMembershipChanges(
          env.DB,
          site.siteId,
          changes.map(([profileId, change, hours]) => {
            const at = hour - hours * HOUR_MS + 1;
            const since = change === "exit" ? null : at;
            return { profileId, segmentKey: "viewers", change, cause: "time", at, segmentVersion: 1, since };
          }),
        ),
      );
    const read = async () => {
      const { results } = await env.DB.prepare(
        "SELECT hour, entered, exited, members FROM segment_hours WHERE site_id = ?1 ORDER BY hour",
      )
        .bind(site.siteId)
        .all<{ hour: number; entered: number; exited: number; members: number }>();
      return results.map((row) => [(hour - row.hour) / HOUR_MS, row.entered, row.exited, row.members]);
    };
    await apply(["p_1", "enter", 5], ["p_2", "enter", 1]);
    await apply(["p_3", "enter", 9], ["p_3", "exit", 3], ["p_3", "enter", 1], ["p_2", "exit", 0]);
    await apply(["p_1", "since", 7], ["p_4", "enter", 5], ["p_4", "exit", 5]);
    expect(await read()).toEqual([
      [9, 1, 0, 1],
      [5, 2, 1, 2],
      [3, 0, 1, 1],
      [1, 2, 0, 3],
      [0, 0, 1, 2],
    ]);
    expect(await countMembers(site, "viewers")).toBe(2);
    const since = await env.DB.prepare("SELECT since FROM memberships WHERE site_id = ?1 ORDER BY profile_id")
      .bind(site.siteId)
      .all();
    expect(since.results).toEqual([7, 1].map((hours) => ({ since: hour - hours * HOUR_MS + 1 })));
    const log = env.DB.prepare("SELECT count(*) AS n FROM membership_log WHERE site_id = ?1").bind(site.siteId);
    expect(await log.first<number>("n")).toBe(8);
  });

  it("counts only what really changes", async () => {
    const site = await newSite();
    await site.post("/api/segments", viewers);
    const at = Date.now();
    const change = { segmentKey: "viewers", cause: "event", at, segmentVersion: 1 } as const;
    const apply = (profileId: string, way: "enter" | "exit") => {
      const since = way === "enter" ? at : null;
      return env.DB.batch(applyMembershipChanges(env.DB, site.siteId, [{ ...change, profileId, change: way, since }]));
    };
    await apply("p_1", "enter");
    await apply("p_1", "enter");
    await apply("p_2", "exit");
    const { points } = await site.get("/api/segments/viewers/size?by=hour");
    expect(points.at(-1)).toMatchObject({ members: 1, entered: 1, exited: 0 });
    expect(await site.get("/api/segments/viewers")).toMatchObject({ members: 1 });
  });

  it("stays exact when people are united and when the key of an archived segment is used again", async () => {
    const site = await newSite();
    await site.post("/api/segments", viewers);
    await view(site, "a");
    await view(site, "b");
    await ingest(site, [{ type: "identify", anonymousId: "a", userId: "u" }]);
    await ingest(site, [{ type: "identify", anonymousId: "b", userId: "u" }]);
    expect(await site.get("/api/segments/viewers")).toMatchObject({ members: 1 });
    expect(await countMembers(site, "viewers")).toBe(1);
    await site.send("DELETE", "/api/segments/viewers");
    await ingest(site, [{ type: "track", event: "Product Viewed", userId: "u" }]);
    await site.post("/api/segments", viewers);
    // Who had viewed before is a member again, as soon as the backfill behind the answer is done.
    await vi.waitFor(async () =>
      expect(await site.get("/api/segments/viewers")).toMatchObject({ members: 1, backfill: null }),
    );
    await view(site, "c");
    expect(await site.get("/api/segments/viewers")).toMatchObject({ members: 2 });
  });

  it("has a point for each day of the site's zone, whatever the clocks do, and each hour", async () => {
    const site = await newSite({ timeZone: "Europe/Berlin" });
    await site.post("/api/segments", viewers);
    await writeHours(site, "viewers", [
      ["2026-03-27T10:00:00Z", 5, 0],
      ["2026-03-28T22:00:00Z", 4, 1],
      ["2026-03-28T23:00:00Z", 1, 0], // the 29th in Berlin, 23 hours long
      ["2026-03-29T22:00:00Z", 0, 2], // the 30th
    ]);
    const days = await site.get("/api/segments/viewers/size?from=2026-03-27&to=2026-03-31&by=day");
    expect(days).toEqual({
      by: "day",
      timeZone: "Europe/Berlin",
      points: [
        { at: "2026-03-26T23:00:00.000Z", members: 5, entered: 5, exited: 0 },
        { at: "2026-03-27T23:00:00.000Z", members: 8, entered: 4, exited: 1 },
        { at: "2026-03-28T23:00:00.000Z", members: 9, entered: 1, exited: 0 },
        { at: "2026-03-29T22:00:00.000Z", members: 7, entered: 0, exited: 2 },
        { at: "2026-03-30T22:00:00.000Z", members: 7, entered: 0, exited: 0 },
      ],
    });
    const hours = await site.get(
      "/api/segments/viewers/size?from=2026-03-28T21:30:00Z&to=2026-03-28T23:00:00Z&by=hour",
    );
    expect(hours.points).toEqual([
      { at: "2026-03-28T21:00:00.000Z", members: 5, entered: 0, exited: 0 },
      { at: "2026-03-28T22:00:00.000Z", members: 8, entered: 4, exited: 1 },
    ]);
    const epoch = Date.parse("2026-03-28T22:00:00Z");
    const { points } = await site.get(`/api/segments/viewers/size?from=${epoch}&to=${epoch + 1}&by=hour`);
    expect(points).toMatchObject([{ members: 8 }]);
  });

  it("begins with the segment and ends now", async () => {
    const site = await newSite();
    await site.post("/api/segments", viewers);
    const { points } = await site.get("/api/segments/viewers/size?from=1990-01-01&to=2190-01-01");
    expect(points).toHaveLength(1);
    expect(points).toMatchObject([{ members: 0, entered: 0, exited: 0 }]);
  });

  it.each(["from=2026-03-02&to=2026-03-01", "from=yesterday", "by=week", "from=2190-01-01"])(
    "refuses %s",
    async (query) => {
      const site = await newSite();
      await site.post("/api/segments", viewers);
      await problemOf(site.send("GET", `/api/segments/viewers/size?${query}`), "invalid-request");
    },
  );

  it("has a limit of points, and belongs to its site", async () => {
    const site = await newSite();
    await site.post("/api/segments", viewers);
    await writeHours(site, "viewers", [["2020-01-01T00:00:00Z", 1, 0]]);
    const query = "size?from=2020-01-01&to=2020-06-01";
    await problemOf(site.send("GET", `/api/segments/viewers/${query}&by=hour`), "invalid-request");
    expect((await site.get(`/api/segments/viewers/${query}&by=day`)).points).toHaveLength(152);
    const other = await newSite();
    await problemOf(other.send("GET", "/api/segments/viewers/size"), "not-found");
  });
});

describe("what was counted before there were hours", () => {
  it("is folded from the log by the migration, up to who is in now", async () => {
    const site = await newSite();
    await site.post("/api/segments", viewers);
    for (const anonymousId of ["a", "b", "c"]) await view(site, anonymousId);
    const { data } = await site.get("/api/segments/viewers/members");
    const later = Date.now() + 25 * HOUR_MS;
    const settling = { now: () => later };
    await settleProfiles(bindings, site.siteId, [data[0].profile], settling);
    const read = () =>
      env.DB.prepare("SELECT * FROM segment_hours WHERE site_id = ?1 ORDER BY hour").bind(site.siteId).all();
    const { results } = await read();
    expect(results).toHaveLength(2);
    await env.DB.prepare("DELETE FROM segment_hours").run();
    const { queries } = env.TEST_MIGRATIONS.find(({ name }) => name.startsWith("0006"))!;
    await env.DB.prepare(queries.find((query) => query.includes("INSERT INTO segment_hours"))!).run();
    expect((await read()).results).toEqual(results);
  });
});

it("sizes are found by key, whatever the number of segments and hours", async () => {
  const planner = { prepare: (sql: string) => env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`) } as unknown as D1Database;
  for (const statement of [selectNewestHours(planner, "s", ["a"]), selectHours(planner, "s", "a", 0, 1)]) {
    const { results } = await statement.all<{ detail: string }>();
    expect(results.length).toBeGreaterThan(1);
    for (const { detail } of results) {
      expect(detail).toMatch(/VIRTUAL TABLE|SUBQUERY|^SEARCH \w+ USING PRIMARY KEY \(site_id=\? AND segment_key=\?/);
    }
  }
});
