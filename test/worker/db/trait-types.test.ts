import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import { listSaying, listTraitMessages } from "../../../edge/db/trait-messages.ts";
import { insertTraitTypes, selectTraitTypes, TYPES_PER_SOURCE } from "../../../edge/db/trait-types.ts";
import { createSite, track } from "../site.ts";

const ROW = { trait: "plan", type: "string", messageId: "m" } as const;

/** What SQLite says of how it looks up the tables. */
async function plansOf(call: (db: D1Database) => Promise<unknown>): Promise<string[]> {
  const plans: string[] = [];
  const explain = (statement: D1PreparedStatement): D1PreparedStatement =>
    ({
      bind: (...values: unknown[]) => explain(statement.bind(...values)),
      all: async () => {
        const { results } = await statement.all<{ detail: string }>();
        plans.push(
          ...results.map(({ detail }) => detail).filter((detail) => /^(SEARCH|SCAN) (e|trait_types)\b/.test(detail)),
        );
        return { results: [] };
      },
    }) as unknown as D1PreparedStatement;
  await call({ prepare: (sql: string) => explain(env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)) } as D1Database);
  return plans;
}

const BY_KEY = "SEARCH trait_types USING PRIMARY KEY (site_id=? AND source=? AND trait=? AND type=?)";
const place = { at: 1, messageId: "m", owner: "userId:u" };

it.each<[string, (db: D1Database) => Promise<unknown>, string[]]>([
  [
    "listTraitMessages",
    (db) => listTraitMessages(db, "s", ["userId:u"], place, 1),
    [
      "SEARCH e USING COVERING INDEX events_site_id_owner_at_message_id_type (site_id=? AND owner=? AND (at,message_id)<(?,?))",
    ],
  ],
  [
    "listSaying",
    (db) => listSaying(db, "s", [place], "plan", 1),
    ["SEARCH e USING PRIMARY KEY (site_id=? AND owner=? AND message_id=?)"],
  ],
  [
    "insertTraitTypes",
    (db) => insertTraitTypes(db, "s", "server", [ROW], 1)[0]!.all(),
    ["SEARCH trait_types USING PRIMARY KEY (site_id=? AND source=?)", BY_KEY],
  ],
  ["selectTraitTypes", (db) => selectTraitTypes(db, "s").all(), ["SEARCH trait_types USING PRIMARY KEY (site_id=?)"]],
])("%s finds its rows by a key", async (_name, call, expected) => {
  expect(await plansOf(call)).toEqual(expected);
});

it("keeps the first message of each type, and no more than there is room for", async () => {
  const { id } = await createSite();
  const insert = (names: string[], receivedAt: number) =>
    env.DB.batch(
      insertTraitTypes(
        env.DB,
        id,
        "browser",
        names.map((trait) => ({ ...ROW, trait, messageId: `m${receivedAt}` })),
        receivedAt,
      ),
    );
  const names = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `t${from + i}`);
  await insert(names(0, TYPES_PER_SOURCE - 1), 1);
  await insert([...names(0, 50), "last", "too late"], 2);
  await insert(["too late", ...names(0, 5)], 3);
  const rows = (await selectTraitTypes(env.DB, id).all()).results;
  expect(rows).toHaveLength(TYPES_PER_SOURCE);
  expect(rows.filter(({ firstAt }) => firstAt !== 1)).toEqual([
    { source: "browser", trait: "last", type: "string", firstAt: 2, messageId: "m2" },
  ]);
});

it("costs one more row for an identify, and nothing for other events", async () => {
  const site = await createSite();
  const rowsOf = async (message: object) => {
    const insert = env.DB.prepare(
      `INSERT INTO events (site_id, owner, message_id, type, name, at, received_at, body) VALUES (?1, 'o', ?2, ?3, '', 1, 1, '{}')`,
    );
    const { type, messageId } = message as { type: string; messageId: string };
    return (await insert.bind(site.id, messageId, type).run()).meta.rows_written;
  };
  expect(await rowsOf(track("Seen"))).toBe(1);
  expect(await rowsOf({ type: "identify", messageId: "i" })).toBe(2);
});
