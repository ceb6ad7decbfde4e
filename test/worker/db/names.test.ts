import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import { readSentNames } from "../../../edge/db/names.ts";

const SITE = "names";
const numbers = (from: number, to: number) => JSON.stringify(Array.from({ length: to - from }, (_, i) => from + i));

it("reads names of one site, in bounded parts that are in the order of their keys", async () => {
  const event = env.DB.prepare(
    `INSERT INTO events (site_id, owner, message_id, type, name, at, received_at, body)
     SELECT ?1, 'userId:' || printf('%05d', value), 'm', ?2, ?3 || (value % 5), 1, 1, '{}'
     FROM json_each(?4)`,
  );
  await env.DB.batch([
    event.bind(SITE, "track", "First ", numbers(0, 3_000)),
    event.bind(SITE, "track", "Middle ", numbers(3_000, 4_000)),
    event.bind(SITE, "page", "Last ", numbers(4_000, 7_000)),
    event.bind("other", "track", "Other ", numbers(0, 10)),
    env.DB.prepare(
      `INSERT INTO traits (site_id, identifier, source, body)
       VALUES (?1, 'userId:a', 's', '{"plan":["x",1,"m"],"city":["y",1,"m"]}'), ('other', 'userId:a', 's', '{"secret":[1,1,"m"]}')`,
    ).bind(SITE),
  ]);
  const { events, traits } = await readSentNames(env.DB, SITE);
  const names = events.map(({ type, name }) => `${type} ${name}`).sort();
  expect(names).toEqual([..."01234"].flatMap((i) => [`page Last ${i}`, `track First ${i}`]).sort());
  expect(traits.toSorted()).toEqual(["city", "plan"]);
});

it("sorts no events and scans no table", async () => {
  const plans: string[] = [];
  const planner = {
    prepare: (sql: string) => env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`),
    async batch(statements: D1PreparedStatement[]) {
      const results = await env.DB.batch<{ detail: string }>(statements);
      plans.push(...results.flatMap(({ results }) => results.map(({ detail }) => detail)));
      return results;
    },
  } as unknown as D1Database;
  await readSentNames(planner, SITE);
  expect(plans.filter((plan) => plan.startsWith("SEARCH"))).toEqual([
    "SEARCH events USING PRIMARY KEY (site_id=?)",
    "SEARCH events USING PRIMARY KEY (site_id=?)",
    "SEARCH traits USING PRIMARY KEY (site_id=?)",
    "SEARCH trait_types USING PRIMARY KEY (site_id=?)",
  ]);
  // The types, a bounded number, are in the order in which they came.
  expect(plans.filter((plan) => /ORDER BY|SCAN (events|traits)/.test(plan))).toEqual([
    "USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY",
  ]);
});
