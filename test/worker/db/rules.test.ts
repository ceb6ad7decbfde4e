import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { insertRules, listRules } from "../../../edge/db/rules.ts";
import { forget } from "../../../edge/manifest/memory.ts";
import { manifestKey, publish } from "../../../edge/manifest/publish.ts";
import { readSite } from "../../../edge/manifest/read.ts";
import type { Condition } from "../../../shared/condition.ts";
import { bindings, createSite, type TestSite } from "../site.ts";

const later = Date.now() + 60_000;

/** Publishes another rule for the segment `buyer`, so many milliseconds later. */
async function change(site: TestSite, condition: Condition, ms: number) {
  const sql = "UPDATE segments SET condition = ?2, version = version + 1 WHERE site_id = ?1";
  await site.rows(sql, JSON.stringify(condition));
  return publish(bindings, site.id, later + ms);
}

const versions = async (site: TestSite, from: number) =>
  (await listRules(env.DB, site.id, from)).map(({ version }) => version);

describe("rules", () => {
  it("are kept from one publish that changes them to the next", async () => {
    const site = await createSite({ segments: [{ key: "buyer", condition: { event: "A" } }] });
    const first = await readSite(bindings, site.id, Date.now());
    await site.publish({ blocks: [{ slot: "hero", variants: [], fallback: "x" }] });
    await change(site, { event: "B" }, 0);
    await site.rows("UPDATE segments SET name = 'Other', version = version + 1 WHERE site_id = ?1");
    await publish(bindings, site.id, later + 1);
    await change(site, { event: "C" }, 2);
    const kept = await listRules(env.DB, site.id, 0);
    expect(kept.map(({ segments, ...rules }) => [rules, segments.map(({ condition }) => condition)])).toEqual([
      [{ version: 1, at: first!.manifest.publishedAt, timeZone: "UTC", consentDefault: "full" }, [{ event: "A" }]],
      [{ version: 3, at: later, timeZone: "UTC", consentDefault: "full" }, [{ event: "B" }]],
      [{ version: 5, at: later + 2, timeZone: "UTC", consentDefault: "full" }, [{ event: "C" }]],
    ]);
    expect(kept.map(({ segments }) => segments[0])).toMatchObject([
      { key: "buyer", kind: "dynamic", version: 1 },
      { key: "buyer", kind: "dynamic", version: 2 },
      { key: "buyer", kind: "dynamic", version: 4 },
    ]);
  });

  it("are told from an instant on: those that held then, or the first that are known", async () => {
    const site = await createSite({ segments: [{ key: "buyer", condition: { event: "A" } }] });
    await change(site, { event: "B" }, 0);
    await change(site, { event: "C" }, 5);
    expect(await versions(site, 0)).toEqual([1, 2, 3]);
    expect(await versions(site, later - 1)).toEqual([1, 2, 3]);
    expect(await versions(site, later)).toEqual([2, 3]);
    expect(await versions(site, later + 5)).toEqual([3]);
    expect(await versions(await createSite(), later)).toEqual([1]);
    expect(await listRules(env.DB, "s_none", 0)).toEqual([]);
  });

  it("are known by the manifest wherever it is read, and say when they changed although a clock lags behind", async () => {
    const site = await createSite({ segments: [{ key: "buyer", condition: { event: "A" } }] });
    const published = await change(site, { event: "B" }, 10);
    expect(published.manifest.rules).toEqual({ version: 2, at: later + 10 });
    expect((await change(site, { event: "C" }, 0)).manifest.rules).toEqual({ version: 3, at: later + 10 });
    expect((await listRules(env.DB, site.id, 0)).at(-1)).toMatchObject({ version: 3, at: later + 10 });
    await site.rows("UPDATE segments SET visibility = 'private' WHERE site_id = ?1");
    expect((await publish(bindings, site.id, later + 20)).manifest).toMatchObject({
      version: 4,
      rules: { version: 3, at: later + 10 },
    });
    const rules = async () => {
      forget();
      return (await readSite(bindings, site.id, Date.now()))?.manifest.rules;
    };
    expect(await rules()).toEqual({ version: 3, at: later + 10 });
    await env.KV.delete(manifestKey(site.id));
    expect(await rules()).toEqual({ version: 3, at: later + 10 });
  });

  it("are kept once, whoever publishes at once", async () => {
    const site = await createSite({ segments: [{ key: "buyer", condition: { event: "A" } }] });
    const lives = await Promise.all([0, 1, 2].map((ms) => change(site, { event: "B" }, ms)));
    expect(lives.map(({ manifest }) => manifest.version).sort()).toEqual([2, 3, 4]);
    expect(new Set(lives.map(({ manifest }) => JSON.stringify(manifest.rules))).size).toBe(1);
    expect(await versions(site, 0)).toEqual([1, 2]);
  });

  it("are the newest 200 of a site", async () => {
    const site = await createSite({ segments: [{ key: "buyer", condition: { event: "A" } }] });
    const other = await createSite({ segments: [{ key: "buyer", condition: { event: "A" } }] });
    await site.rows(
      `INSERT INTO rules (site_id, version, published_at, body)
     SELECT ?1, value, value, body FROM json_each(?2), (SELECT body FROM rules WHERE site_id = ?1)`,
      JSON.stringify(Array.from({ length: 250 }, (_, n) => n + 2)),
    );
    await site.rows("UPDATE sites SET version = 251 WHERE id = ?1");
    await change(site, { event: "B" }, 0);
    expect(await versions(site, 0)).toEqual(Array.from({ length: 200 }, (_, n) => n + 53));
    expect(await versions(other, 0)).toEqual([1]);
  });

  it("that are larger than a row of D1 are published all the same, and not kept", async () => {
    const site = await createSite({ segments: [{ key: "buyer", condition: { event: "A" } }] });
    const long = "ü".repeat(30_000);
    await site.publish({
      segments: Array.from({ length: 35 }, (_, n) => ({ key: `s${n}`, condition: { event: `${long}${n}` } })),
    });
    expect((await readSite(bindings, site.id, Date.now()))?.manifest.rules.version).toBe(2);
    expect(await versions(site, 0)).toEqual([1]);
    const [{ n }] = (await site.rows<{ n: number }>("SELECT rules_version AS n FROM sites WHERE id = ?1")) as [
      { n: number },
    ];
    expect(n).toBe(2);
  });

  it("are found by their key", async () => {
    const planner = { prepare: (sql: string) => env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`) } as unknown as D1Database;
    const details: string[] = [];
    const read = async (statement: D1PreparedStatement) => {
      const { results } = await statement.all<{ detail: string }>();
      details.push(...results.map(({ detail }) => detail).filter((detail) => !detail.includes("SUBQUERY")));
    };
    for (const statement of insertRules(
      planner,
      "s",
      1,
      "h",
      { timeZone: "UTC", consentDefault: "full", segments: [] },
      1,
    ))
      await read(statement);
    expect(details).toEqual([
      "SEARCH sites USING PRIMARY KEY (id=?)",
      "SEARCH rules USING PRIMARY KEY (site_id=? AND version<?)",
      "SEARCH rules USING PRIMARY KEY (site_id=?)",
    ]);
  });
});
