/** What identity asks of D1: rows found by keys, whatever the size of the site, and no more of them as the events of people grow. */
import { createExecutionContext, env } from "cloudflare:test";
import { expect, it } from "vitest";
import worker from "../../../edge/worker.ts";
import { countDatabase, type Usage } from "../../bench/workers/count.ts";
import { type Json, newSite } from "../api/client.ts";
import { bindings } from "../site.ts";

interface CountedSite {
  usage: Usage;
  /** The answer's JSON, of a request that has to succeed. */
  send(method: string, path: string, body?: object): Promise<Json>;
  ingest(...messages: object[]): Promise<void>;
}

async function openSite(): Promise<CountedSite> {
  const { writeKey, secretKey } = await newSite();
  const usage: Usage = { calls: [], rowsRead: 0, rowsWritten: 0 };
  const counted = { ...bindings, DB: countDatabase(env.DB, usage) };
  const send = async (method: string, path: string, body?: object) => {
    const headers = { authorization: `Bearer ${secretKey}` };
    const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
    const response = await worker.fetch!(
      new Request(`https://edge.example${path}`, init) as never,
      counted,
      createExecutionContext(),
    );
    const text = await response.text();
    expect(response.ok, text).toBe(true);
    return text === "" ? null : JSON.parse(text);
  };
  const ingest = async (...batch: object[]) => {
    const answer = await send("POST", "/v1/batch", { writeKey, batch });
    expect(answer).toMatchObject({ accepted: batch.length });
  };
  return { usage, send, ingest };
}

const VIEWED = { event: "Product Viewed", within: "7d", count: { gte: 2 } };
const view = (who: object, messageId: string) => ({ type: "track", event: "Product Viewed", ...who, messageId });

it("finds everything by a key: each statement of each way that leads to people", async () => {
  const { usage, send, ingest } = await openSite();
  await send("POST", "/api/segments", { key: "looking", name: "Looking", condition: VIEWED, status: "active" });
  const [phone, tablet, ann, bob] = [{ anonymousId: "p" }, { anonymousId: "t" }, { userId: "ann" }, { userId: "bob" }];
  const traits = { email: "ann@example.com", phone: "+31201234567", plan: "pro" };
  await ingest(view(phone, "1"), view(tablet, "2"));
  await ingest({ type: "identify", ...ann, ...tablet, traits, messageId: "3" });
  await ingest({ type: "identify", ...bob, ...tablet, traits, messageId: "4" });
  await ingest({ type: "alias", ...ann, previousId: "p", messageId: "5" });
  await ingest({ type: "group", ...ann, groupId: "acme", messageId: "6" }, view(tablet, "2"));
  const { id } = await send("GET", "/api/profiles?userId=ann&provenance=1");
  for (const query of ["anonymousId=p", "email=ann@example.com", "phone=%2B31201234567"])
    expect(await send("GET", `/api/profiles?${query}`)).toMatchObject({ id });
  for (const part of ["", "/events", "/log", "/links?removed=1", "/conflicts", "/traits/plan/history"])
    await send("GET", `/api/profiles/${id}${part}`);
  await send("GET", `/api/audit?subject=${id}`);
  const { data } = await send("GET", "/api/conflicts");
  expect(data).toHaveLength(3);
  const links = await send("GET", `/api/profiles/${id}/links`);
  const { id: link } = links.data.find(({ b }: Json) => b.value === "t");
  await send("POST", "/api/links/preview", { remove: link });
  await send("DELETE", `/api/links/${link}`);
  const ends = { a: { kind: "userId", value: "ann" }, b: { kind: "anonymousId", value: "p" } };
  const { id: other } = (await send("GET", `/api/profiles/${id}/links`)).data.find(({ b }: Json) => b.value === "p");
  await send("DELETE", `/api/links/${other}`);
  await send("POST", "/api/links", ends);
  await send("DELETE", `/api/profiles/${id}`);

  const statements = new Set(usage.calls.flatMap(({ statements }) => statements.map(({ sql }) => sql)));
  expect(statements.size).toBeGreaterThan(50);
  const { results } = await env.DB.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all<{
    name: string;
  }>();
  const tables = new Set(results.map(({ name }) => name));
  const slow: string[] = [];
  for (const sql of statements) {
    for (const detail of await explain(sql)) if (!isByKey(detail, sql, tables)) slow.push(`${detail}: ${sql}`);
  }
  expect(slow).toEqual([]);
});

async function explain(sql: string): Promise<string[]> {
  const values = Array(Math.max(0, ...[...sql.matchAll(/\?(\d+)/g)].map(([, number]) => Number(number)))).fill(null);
  const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .bind(...values)
    .all<{ detail: string }>();
  return results.map(({ detail }) => detail);
}

/** False for one that goes through a table. What is given as JSON, or made of what was found, may be gone through. */
function isByKey(detail: string, sql: string, tables: ReadonlySet<string>): boolean {
  const [, way, name = ""] = /^(SCAN|SEARCH) (\S+)/.exec(detail) ?? [];
  if (way === "SEARCH") return /\((site_id|id|hash|rowid)=\?/.test(detail);
  const [, named] = new RegExp(`\\b(\\w+) AS ${name.replaceAll(/\W/g, "")}\\b`).exec(sql) ?? [];
  return way === undefined || detail.includes("VIRTUAL TABLE") || !(tables.has(name) || tables.has(named ?? ""));
}

it("unites two people by as many statements and rows, whether they have 10 events each or 1,000", async () => {
  const costs: object[] = [];
  for (const events of [10, 1_000]) {
    const { usage, send, ingest } = await openSite();
    await send("POST", "/api/segments", { key: "looking", name: "Looking", condition: VIEWED, status: "active" });
    for (const anonymousId of ["a", "b"]) {
      const messages = Array.from({ length: events }, (_, index) => view({ anonymousId }, `${anonymousId}${index}`));
      await ingest(...messages);
    }
    usage.calls = [];
    await ingest({ type: "alias", anonymousId: "a", previousId: "b", messageId: "alias" });
    const statements = usage.calls.flatMap(({ statements }) => statements);
    const written = statements.map(({ sql, rowsWritten }) => `${rowsWritten} ${sql}`);
    costs.push({ trips: usage.calls.length, written });
  }
  expect(costs[1]).toEqual(costs[0]);
});
