import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import { listTimeline } from "../../../edge/db/events.ts";
import { listComponent } from "../../../edge/db/identifiers.ts";
import { NEWEST, selectConflicts, selectConflictsOf, selectLinksOf } from "../../../edge/db/links.ts";

/** Hands out plans in place of results. */
const planner = { prepare: (sql: string) => env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`) } as unknown as D1Database;

async function planOf(statement: D1PreparedStatement): Promise<string[]> {
  const { results } = await statement.all<{ detail: string }>();
  const looked = results.map(({ detail }) => detail).filter((detail) => /^(SEARCH|SCAN)/.test(detail));
  return [...new Set(looked)].filter((detail) => !/VIRTUAL TABLE|SCAN found/.test(detail));
}

it.each<[name: string, statement: D1PreparedStatement, plan: string[]]>([
  [
    "selectLinksOf",
    selectLinksOf(planner, "s", ["userId:a"], true, NEWEST, 1),
    [
      "SEARCH a USING COVERING INDEX links_site_id_a (site_id=? AND a=?)",
      "SEARCH b USING COVERING INDEX links_site_id_b (site_id=? AND b=?)",
      "SEARCH l USING PRIMARY KEY (site_id=? AND id=?)",
    ],
  ],
  [
    "selectConflictsOf",
    selectConflictsOf(planner, "s", ["userId:a"], NEWEST, 1),
    [
      "SEARCH a USING COVERING INDEX conflicts_site_id_a (site_id=? AND a=?)",
      "SEARCH b USING COVERING INDEX conflicts_site_id_b (site_id=? AND b=?)",
      "SEARCH c USING PRIMARY KEY (site_id=? AND id=?)",
    ],
  ],
  [
    "selectConflicts",
    selectConflicts(planner, "s", NEWEST, 1),
    ["SEARCH conflicts USING INDEX conflicts_site_id_at_id (site_id=? AND (at,id)<(?,?))"],
  ],
])("%s reads what it is asked for, however much else the site holds", async (_name, statement, plan) => {
  expect(await planOf(statement)).toEqual(plan);
});

it.each<[name: string, read: (db: D1Database) => Promise<unknown[]>, plan: string[]]>([
  [
    "listComponent",
    (db) => listComponent(db, "s", "p"),
    [
      "SEARCH i USING INDEX identifiers_site_id_birth_id (site_id=? AND birth_id=?)",
      "SEARCH m USING INDEX identifiers_site_id_profile_id (site_id=? AND profile_id=?)",
    ],
  ],
  [
    "listTimeline",
    (db) => listTimeline(db, "s", ["userId:a"], 1, { at: 1, messageId: "m", owner: "userId:a" }),
    [
      "SEARCH o USING PRIMARY KEY (site_id=? AND owner=?)",
      "SEARCH e USING PRIMARY KEY (site_id=? AND owner=? AND message_id=?)",
    ],
  ],
])("%s reads what it is asked for, however much else the site holds", async (_name, read, plan) => {
  const plans: string[] = [];
  const prepare = (sql: string) => {
    const statement = env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`);
    const all = async (...values: unknown[]) => {
      plans.push(...(await planOf(statement.bind(...values))));
      return { results: [] };
    };
    return { bind: (...values: unknown[]) => ({ all: () => all(...values) }) };
  };
  expect(await read({ prepare } as unknown as D1Database)).toEqual([]);
  expect(plans).toEqual(plan);
});
