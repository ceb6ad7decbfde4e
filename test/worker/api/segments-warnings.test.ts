import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { selectLowestMembers } from "../../../edge/db/memberships.ts";
import { compareSketches, SKETCH } from "../../../edge/segments/warnings.ts";
import { type Client, ingest, type Json, newSite, problemOf } from "./client.ts";

const DAY_MS = 24 * 3_600_000;

async function warningsOf(site: Client): Promise<Json[]> {
  return (await site.get("/api/segments/warnings")).data;
}

function save(site: Client, key: string, condition: object, status = "active") {
  return site.post("/api/segments", { key, name: key, condition, status });
}

/** As many people, each of whom is in the segments of the named events. */
async function visit(site: Client, people: string[][]): Promise<void> {
  await ingest(
    site,
    people.flatMap((events, n) => events.map((event) => ({ type: "track", event, anonymousId: `a${n}` }))),
  );
}

/** As if the site had stood for so many days without anything happening. */
async function age(site: Client, days: number): Promise<void> {
  const { DB } = env;
  await DB.batch([
    DB.prepare("UPDATE segments SET updated_at = updated_at - ?2 WHERE site_id = ?1").bind(site.siteId, days * DAY_MS),
    DB.prepare("UPDATE segment_hours SET hour = hour - ?2 WHERE site_id = ?1").bind(site.siteId, days * DAY_MS),
  ]);
}

describe("warnings about segments", () => {
  it("are none where all is well", async () => {
    const site = await newSite();
    expect(await warningsOf(site)).toEqual([]);
    await save(site, "a", { event: "A" });
    await save(site, "b", { event: "B" });
    await visit(site, [["A"], ["A"], ["A", "B"], ["B"], ["C"]]);
    expect(await warningsOf(site)).toEqual([]);
  });

  it("name all when more than 10 are active", async () => {
    const site = await newSite();
    for (let n = 0; n < 10; n++) await save(site, `s${n}`, { event: `E${n}` });
    await save(site, "draft", { event: "D" }, "draft");
    expect(await warningsOf(site)).toEqual([]);
    await save(site, "t", { event: "T" });
    expect(await warningsOf(site)).toEqual([
      { code: "too-many", segments: expect.arrayContaining(["s0", "t"]), detail: expect.any(String), figure: 11 },
    ]);
  });

  it("name those that say the same, whatever the order of its parts, and no second time as alike", async () => {
    const site = await newSite();
    await save(site, "a", { event: "A", within: "7d" });
    await save(site, "b", { within: "7d", event: "A" });
    await save(site, "c", { event: "A", within: "8d" }, "draft");
    await visit(site, [["A"], ["B"]]);
    expect(await warningsOf(site)).toEqual([
      { code: "same-condition", segments: ["a", "b"], detail: expect.stringContaining("a, b"), figure: 2 },
    ]);
  });

  it("name pairs that share nine of ten members, and not those that share less", async () => {
    const site = await newSite();
    for (const key of ["A", "B", "C"]) await save(site, key.toLowerCase(), { event: key });
    const people = Array.from({ length: 10 }, (_, n) => ["A", ...(n ? ["B"] : []), ...(n > 1 ? ["C"] : [])]);
    await visit(site, [...people, ["X"], ["X"]]);
    expect(await warningsOf(site)).toEqual([
      { code: "near-duplicate", segments: ["a", "b"], detail: expect.stringContaining("90 %"), figure: 0.9 },
    ]);
  });

  it("name all that are alike once, with the largest of them", async () => {
    const site = await newSite();
    for (const key of ["A", "B", "C", "D"]) await save(site, key.toLowerCase(), { event: key });
    await visit(site, [["A"], ...Array.from({ length: 19 }, () => ["A", "B", "C"]), ["B"], ["D"], ["X"]]);
    expect(await warningsOf(site)).toEqual([
      { code: "near-duplicate", segments: ["a", "b", "c"], detail: expect.stringContaining("b, c"), figure: 0.9 },
    ]);
  });

  it("name one that holds nearly everybody", async () => {
    const site = await newSite();
    await save(site, "a", { event: "A" });
    await visit(
      site,
      Array.from({ length: 20 }, (_, n) => [n ? "A" : "B"]),
    );
    expect(await warningsOf(site)).toMatchObject([{ code: "nearly-everybody", segments: ["a"], figure: 0.95 }]);
    await ingest(site, [{ type: "track", event: "B", anonymousId: "late" }]);
    expect(await warningsOf(site)).toEqual([]);
  });

  it("name who is empty for a week, or rests for a month", async () => {
    const site = await newSite();
    await save(site, "a", { event: "A" });
    await save(site, "b", { event: "B" });
    await site.post("/api/segments", { key: "list", name: "L", kind: "static", status: "active" });
    await visit(site, [["A"], ["X"]]);
    await age(site, 6);
    expect(await warningsOf(site)).toEqual([]);
    await age(site, 1);
    expect(await warningsOf(site)).toEqual([
      { code: "empty", segments: ["b"], detail: expect.stringContaining("7 days"), figure: 7 },
      { code: "empty", segments: ["list"], detail: expect.stringContaining("upload"), figure: 7 },
    ]);
    await age(site, 23);
    expect(await warningsOf(site)).toContainEqual({
      code: "dormant",
      segments: ["a"],
      detail: expect.stringContaining("30 days"),
      figure: 30,
    });
    await ingest(site, [{ type: "track", event: "A", anonymousId: "new" }]);
    expect((await warningsOf(site)).map(({ code }) => code)).not.toContain("dormant");
  });

  it("call nothing empty that has members, however many segments there are", async () => {
    const site = await newSite();
    await save(site, "z", { event: "A" });
    await env.DB.prepare(
      `INSERT INTO segments (site_id, key, name, kind, visibility, status, version, created_at, updated_at)
       SELECT ?1, 'list' || value, 'L', 'static', 'private', 'active', 1, ?2, ?2 FROM json_each(?3)`,
    )
      .bind(site.siteId, Date.now(), JSON.stringify(Array.from({ length: 200 }, (_, n) => n)))
      .run();
    await visit(site, [["A"], ["X"]]);
    await age(site, 8);
    const empty = (await warningsOf(site)).filter(({ code }) => code === "empty");
    expect(empty).toHaveLength(200);
    expect(empty.map(({ segments }) => segments[0])).not.toContain("z");
  });

  it("are found where nearly all profiles have become part of others", async () => {
    const site = await newSite();
    await save(site, "a", { event: "A" });
    await visit(site, [["X"]]);
    await env.DB.prepare(
      `INSERT INTO profiles (site_id, id, stable_id, first_seen, last_seen, version, merged_into, decisions, manifest_version)
       SELECT ?1, printf('p_000%09x00000000', value), '', 0, 0, 1, 'p_x', '{}', 1 FROM json_each(?2)`,
    )
      .bind(site.siteId, JSON.stringify(Array.from({ length: 2 * SKETCH + 1 }, (_, n) => n)))
      .run();
    expect(await warningsOf(site)).toEqual([]);
  });

  it("have an address that no segment takes", async () => {
    const site = await newSite();
    const segment = { key: "warnings", name: "W", condition: { event: "A" } };
    const { errors } = await problemOf(site.send("POST", "/api/segments", segment), "invalid-request");
    expect(errors).toMatchObject([{ pointer: "/key", code: "reserved" }]);
  });
});

describe("overlap by the smallest ids", () => {
  const ids = (from: number, to: number) =>
    Array.from(
      { length: to - from },
      (_, n) => `p_${((Math.imul(from + n + 1, 2_654_435_761) >>> 0) / 2 ** 32).toFixed(12)}`,
    );
  const sketch = (all: string[]) => all.sort().slice(0, SKETCH);

  it("is exact for small sets", () => {
    expect(compareSketches(sketch(ids(0, 100)), sketch(ids(10, 110)))).toEqual({ overlap: 90 / 110, seen: 110 });
    expect(compareSketches(sketch(ids(0, 100)), [])).toEqual({ overlap: 0, seen: 100 });
    expect(compareSketches([], [])).toEqual({ overlap: 0, seen: 0 });
  });

  it("is on average the truth for large ones, whatever their sizes", () => {
    for (const [small, large, common] of [
      [10_000, 10_000, 9_500],
      [9_100, 10_000, 9_100],
      [3_000, 8_000, 2_000],
      [200, 300, 190],
    ] as const) {
      const truth = common / (small + large - common);
      const errors = Array.from({ length: 40 }, (_, run) => {
        const from = run * 20_000;
        const a = ids(from, from + small);
        const b = ids(from + small - common, from + small - common + large);
        const { overlap, seen } = compareSketches(sketch(a), sketch(b));
        expect(seen).toBeGreaterThanOrEqual(SKETCH - 1);
        return overlap - truth;
      });
      const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
      expect(Math.abs(mean)).toBeLessThan(4 * Math.sqrt((truth * (1 - truth)) / (SKETCH * errors.length)));
    }
  });
});

it("members are compared by their keys' order, a part of each segment", async () => {
  const planner = { prepare: (sql: string) => env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`) } as unknown as D1Database;
  const { results } = await selectLowestMembers(planner, "s", ["a"], 1).all<{ detail: string }>();
  const searches = results.filter(({ detail }) => !/VIRTUAL TABLE|SUBQUERY|B-TREE/.test(detail));
  expect(searches.map(({ detail }) => detail)).toEqual([
    "SEARCH m USING COVERING INDEX memberships_site_id_profile_id (site_id=? AND profile_id=? AND segment_key=?)",
    "SEARCH memberships USING PRIMARY KEY (site_id=? AND segment_key=?)",
  ]);
});
