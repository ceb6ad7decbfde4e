import { env } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { selectLowestProfiles } from "../../../edge/db/population.ts";
import { extrapolate } from "../../../edge/segments/estimate.ts";
import { readPopulation } from "../../../edge/segments/population.ts";
import { type Client, ingest, newSite, problemOf, VIEWED_TWICE } from "./client.ts";

const RED = { event: "Product Viewed", where: { colour: { eq: "red" } } };

function estimate(site: Client, condition: object) {
  return site.post("/api/segments/estimate", { condition });
}

/** One view a person, every third of them red, every fourth of a person who has no interest in being known. */
function view(n: number): object {
  const colour = n % 3 === 0 ? "red" : "blue";
  const context = n % 4 === 0 ? { consent: { categoryPreferences: { personalization: false } } } : {};
  return { type: "track", event: "Product Viewed", anonymousId: `a${n}`, properties: { colour }, context };
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);

describe("an estimate", () => {
  it("counts everybody of a small site, by events that no rule looked at before", async () => {
    const site = await newSite();
    await ingest(site, range(0, 30).map(view));
    expect(await estimate(site, RED)).toEqual({
      members: 10,
      low: 10,
      high: 10,
      sampled: 30,
      total: 30,
      share: 1,
      exact: true,
    });
    expect(await estimate(site, { not: RED })).toMatchObject({ members: 20 });
    expect(await estimate(site, VIEWED_TWICE)).toMatchObject({ members: 0 });
    expect(await estimate(site, { all: [] })).toMatchObject({ members: 30 });
  });

  it("agrees with the segment that is made of it, whatever is stored of the histories", async () => {
    const site = await newSite();
    const both = { all: [{ segment: "red" }, { event: "Order Completed", within: "7d" }] };
    await site.post("/api/segments", { key: "red", name: "Red", condition: RED, status: "draft" });
    await ingest(site, range(0, 12).map(view));
    await ingest(
      site,
      [0, 1, 3, 6].map((n) => ({ type: "track", event: "Order Completed", anonymousId: `a${n}` })),
    );
    expect(await estimate(site, both)).toMatchObject({ members: 2, exact: true });
    await site.put("/api/segments/red", { name: "Red", condition: RED, status: "active" });
    expect(await estimate(site, both)).toMatchObject({ members: 2, exact: true });
    await site.post("/api/segments", { key: "both", name: "Both", condition: both, status: "active" });
    // Each one's next event decides anew.
    await ingest(
      site,
      range(0, 12).map((n) => ({ type: "page", anonymousId: `a${n}` })),
    );
    expect(await site.get("/api/segments/both")).toMatchObject({ members: 2 });
    expect(await estimate(site, both)).toMatchObject({ members: 2, exact: true });
    expect(await estimate(site, { segment: "both" })).toMatchObject({ members: 2 });
  });

  it("counts people, not ids, and asks as the engine does about consent", async () => {
    const site = await newSite();
    await ingest(site, range(0, 12).map(view));
    const trait = { not: { trait: "plan", eq: "pro" } };
    expect(await estimate(site, trait)).toMatchObject({ members: 9, total: 12 });
    for (const n of [1, 2]) await ingest(site, [{ type: "identify", anonymousId: `a${n}`, userId: "u" }]);
    expect(await estimate(site, trait)).toMatchObject({ members: 8, total: 11 });
  });

  it("of a site without people is nobody, for sure", async () => {
    expect(await estimate(await newSite(), RED)).toMatchObject({
      members: 0,
      high: 0,
      total: 0,
      share: 1,
      exact: true,
    });
  });

  it.each<[object, string, string]>([
    [{}, "/condition", "invalid-request"],
    [{ condition: [] }, "/condition", "invalid-request"],
    [{ condition: { event: "A" }, key: "a" }, "/key", "invalid-request"],
    [{ condition: { event: "A", within: "x" } }, "/condition/within", "invalid-condition"],
    [{ condition: { segment: "nope" } }, "/condition", "invalid-condition"],
    [
      { condition: { all: [{ event: "A" }, { not: { segment: "nope" } }] } },
      "/condition/all/1/not",
      "invalid-condition",
    ],
  ])("refuses %j and says where", async (body, pointer, slug) => {
    const site = await newSite();
    const problem = await problemOf(site.send("POST", "/api/segments/estimate", body), slug);
    expect(problem.errors?.map((error) => error.pointer)).toContain(pointer);
  });
});

describe("an estimate for a large site", () => {
  let site: Client;
  beforeAll(async () => {
    site = await newSite();
    for (const from of [0, 2_000, 4_000]) await ingest(site, range(from, from + 2_000).map(view));
  }, 60_000);

  it("asks 2,000 and says how sure it is", async () => {
    const answer = await estimate(site, RED);
    expect(answer).toMatchObject({ sampled: 2_000, exact: false });
    // Five standard errors.
    expect(Math.abs(answer.total - 6_000)).toBeLessThan(500);
    expect(Math.abs(answer.members - 2_000)).toBeLessThan(350);
    expect(answer.low).toBeLessThan(answer.members);
    expect(answer.high).toBeGreaterThan(answer.members);
    expect(answer.share).toBe(2_000 / answer.total);
    expect(await estimate(site, RED)).toEqual(answer);
    const all = await estimate(site, { all: [] });
    expect(all.members).toBe(all.total);
    expect(await estimate(site, { any: [] })).toMatchObject({ members: 0, low: 0 });
  }, 60_000);

  it("reads no more rows than the sample takes", async () => {
    expect((await readPopulation(env.DB, site.siteId, 100)).ids).toHaveLength(100);
    const planner = { prepare: (sql: string) => env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`) } as unknown as D1Database;
    const { results } = await selectLowestProfiles(planner, "s", 1).all<{ detail: string }>();
    expect(results.map(({ detail }) => detail)).toEqual(["SEARCH profiles USING PRIMARY KEY (site_id=?)"]);
  });
});

it("holds the true number in 95 of 100 estimates", () => {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  for (const [share, size] of [
    [0.02, 1_300],
    [0.5, 2_500],
    [0.97, 4_000],
  ] as const) {
    let held = 0;
    for (let run = 0; run < 300; run++) {
      const people = Array.from({ length: size }, (_, n) => ({ place: random(), member: n < share * size }));
      const live = people.sort((a, b) => a.place - b.place).slice(0, 401);
      const members = live.slice(0, 200).filter(({ member }) => member).length;
      const total = Math.round(400 / live.at(-1)!.place);
      const { low, high } = extrapolate(members, 200, { total, totalError: 1 / Math.sqrt(401) });
      if (low <= share * size && share * size <= high) held++;
    }
    expect(held / 300).toBeGreaterThan(0.92);
    expect(held / 300).toBeLessThan(0.995);
  }
});
