import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { selectLog } from "../../../edge/db/memberships.ts";
import { settleProfiles } from "../../../edge/profiles/settle.ts";
import { bindings } from "../site.ts";
import { type Client, ingest, type Json, newSite, problemOf, VIEWED_TWICE } from "./client.ts";

const viewers = { key: "viewers", name: "Viewers", condition: VIEWED_TWICE, status: "active" };
const HOUR_MS = 3_600_000;

async function view(site: Client, anonymousId: string): Promise<string> {
  await ingest(
    site,
    [1, 2].map(() => ({ type: "track", event: "Product Viewed", anonymousId })),
  );
  return (await site.get(`/api/profiles?anonymousId=${anonymousId}`)).id;
}

/** All items of a list, page by page. */
async function listAll(site: Client, path: string, limit: number): Promise<Json[]> {
  const data: Json[] = [];
  for (let next: string | null = ""; next !== null; ) {
    const page: Json = await site.get(`${path}?limit=${limit}${next && `&cursor=${next}`}`);
    if (next !== "") expect(page.data.length).toBeGreaterThan(0);
    data.push(...page.data);
    next = page.next;
  }
  return data;
}

describe("the log of a profile", () => {
  it("says what it came into and left, why and when, the newest first", async () => {
    const site = await newSite();
    await site.post("/api/segments", viewers);
    const id = await view(site, "a");
    const { segments } = await site.get(`/api/profiles/${id}`);
    await settleProfiles(bindings, site.siteId, [id], { now: () => Date.now() + 25 * HOUR_MS });
    const log = await site.get(`/api/profiles/${id}/log`);
    expect(log).toEqual({
      data: [
        {
          segment: "viewers",
          change: "exit",
          cause: "time",
          at: segments[0].until,
          version: 1,
          profile: id,
        },
        { segment: "viewers", change: "enter", cause: "event", at: expect.any(String), version: 1, profile: id },
      ],
      next: null,
    });
  });

  it("is whole after profiles were united, whichever of their ids is asked for", async () => {
    const site = await newSite();
    await site.post("/api/segments", viewers);
    const [a, b] = [await view(site, "a"), await view(site, "b")];
    for (const anonymousId of ["a", "b"]) await ingest(site, [{ type: "identify", anonymousId, userId: "u" }]);
    const log = await site.get(`/api/profiles/${b}/log`);
    expect(log.data.map(({ change, profile }: Json) => [change, profile])).toEqual([
      ["exit", b],
      ["enter", b],
      ["enter", a],
    ]);
    expect(log.data[0].cause).toBe("identity");
    expect(await site.get(`/api/profiles/${a}/log`)).toEqual(log);
    expect(await listAll(site, `/api/profiles/${a}/log`, 1)).toEqual(log.data);
    expect(await listAll(site, `/api/profiles/${a}/log`, 3)).toEqual(log.data);
  });

  it("belongs to its site, and knows its cursors", async () => {
    const site = await newSite();
    await site.post("/api/segments", viewers);
    const id = await view(site, "a");
    await problemOf((await newSite()).send("GET", `/api/profiles/${id}/log`), "not-found");
    await problemOf(site.send("GET", `/api/profiles/${id}/log?cursor=bm9wZQ`), "invalid-request");
  });

  it("is found by the profile, whatever the length of the log", async () => {
    const planner = { prepare: (sql: string) => env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`) } as unknown as D1Database;
    const { results } = await selectLog(planner, "s", ["p"], 1, 1).all<{ detail: string }>();
    const searches = results.filter(({ detail }) => !/VIRTUAL TABLE|SUBQUERY|B-TREE/.test(detail));
    expect(searches.map(({ detail }) => detail)).toEqual([
      "SEARCH l USING INTEGER PRIMARY KEY (rowid=?)",
      "SEARCH membership_log USING COVERING INDEX membership_log_site_id_profile_id_id (site_id=? AND profile_id=? AND id<?)",
    ]);
  });
});

describe("the members of a segment", () => {
  it("come each once, whatever the size of the pages", async () => {
    const site = await newSite();
    await site.post("/api/segments", viewers);
    for (const anonymousId of ["a", "b", "c", "d"]) await view(site, anonymousId);
    const all = await site.get("/api/segments/viewers/members");
    expect(all.next).toBeNull();
    expect(new Set(all.data.map(({ profile }: Json) => profile)).size).toBe(4);
    for (const limit of [1, 2, 3, 4]) {
      expect(await listAll(site, "/api/segments/viewers/members", limit)).toEqual(all.data);
    }
  });
});
