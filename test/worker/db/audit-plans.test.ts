import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import {
  insertAudit,
  insertBlockAudit,
  listAudit,
  listAuditOf,
  listEntries,
  listNotErased,
  readLastSeq,
  redactAudit,
} from "../../../edge/db/audit.ts";
import {
  deleteSealedSites,
  insertSeals,
  listSeals,
  listSitesToSeal,
  readLastSeal,
  readSeal,
  readUnsealed,
} from "../../../edge/db/audit-seals.ts";
import { buildEntry } from "../audit/audit.ts";

const row = { siteId: "s", seq: 1, hash: "", subjects: "[]", detail: "{}", salt: "", digests: "[]" };

/** Where each statement of a call looks, as the planner tells; whatever it reads is `row`. */
async function explain(call: (db: D1Database) => unknown): Promise<string[]> {
  const plans: string[] = [];
  const originals = new WeakMap<object, D1PreparedStatement>();
  const read = async (statement: object) => {
    const { results } = await originals.get(statement)!.all<{ detail: string }>();
    plans.push(...results.map(({ detail }) => detail));
    return { results: [row] };
  };
  const wrap = (statement: D1PreparedStatement): D1PreparedStatement => {
    const wrapped: object = {
      bind: (...values: unknown[]) => wrap(statement.bind(...values)),
      all: () => read(wrapped),
      first: async () => (await read(wrapped)).results[0],
    };
    originals.set(wrapped, statement);
    return wrapped as D1PreparedStatement;
  };
  const db = {
    prepare: (sql: string) => wrap(env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)),
    batch: (statements: object[]) => Promise.all(statements.map(read)),
  } as unknown as D1Database;
  const answer = await call(db);
  for (const statement of [answer].flat()) if (originals.has(Object(statement))) await read(statement as object);
  return [
    ...new Set(plans.filter((plan) => /^(SEARCH|SCAN) \w/.test(plan) && !/VIRTUAL TABLE|CONSTANT ROW/.test(plan))),
  ];
}

const filter = { action: null, actor: "key:1", from: null, to: 1 };
const seal = { seq: 1, at: 1, digests: [], hash: "" };

const calls: [name: string, call: (db: D1Database) => unknown, plans: string[]][] = [
  ["insertAudit", (db) => insertAudit(db, "s", [buildEntry(1)]), ["SEARCH audit USING PRIMARY KEY (site_id=?)"]],
  [
    "insertBlockAudit",
    (db) => insertBlockAudit(db, "s", { at: 1, actor: "key:1", action: "publish", key: "hero", to: 1 }),
    [
      "SEARCH b USING PRIMARY KEY (site_id=? AND key=?)",
      "SEARCH v USING PRIMARY KEY (site_id=? AND key=? AND version=?)",
      "SEARCH audit USING PRIMARY KEY (site_id=?)",
    ],
  ],
  [
    "redactAudit",
    (db) => redactAudit(db, "s", ["p"]),
    [
      "SEARCH s USING PRIMARY KEY (site_id=? AND subject=?)",
      "SEARCH e USING PRIMARY KEY (site_id=? AND seq=?)",
      "SEARCH audit USING PRIMARY KEY (site_id=? AND seq=?)",
    ],
  ],
  [
    "listNotErased",
    (db) => listNotErased(db, "s", [1]),
    [
      "SEARCH e USING PRIMARY KEY (site_id=? AND seq=?)",
      "SEARCH l USING PRIMARY KEY (site_id=? AND seq=?)",
      "SEARCH audit_subjects USING PRIMARY KEY (site_id=? AND subject=?)",
    ],
  ],
  [
    "listAuditOf",
    (db) => listAuditOf(db, "s", ["p"], filter, 9, 1),
    [
      "SEARCH f USING PRIMARY KEY (site_id=? AND seq=?)",
      "SEARCH s USING PRIMARY KEY (site_id=? AND subject=? AND seq<?)",
      "SEARCH a USING PRIMARY KEY (site_id=? AND seq=?)",
      "SCAN found",
      "SEARCH e USING PRIMARY KEY (site_id=? AND seq=?)",
    ],
  ],
  [
    "listAudit",
    (db) => listAudit(db, "s", filter, 1, 9, 1),
    ["SEARCH audit USING PRIMARY KEY (site_id=? AND seq>? AND seq<?)"],
  ],
  ["readLastSeq", (db) => readLastSeq(db, "s"), ["SEARCH audit USING PRIMARY KEY (site_id=?)"]],
  [
    "listEntries",
    (db) => listEntries(db, "s", 1, 9, 1),
    ["SEARCH audit USING PRIMARY KEY (site_id=? AND seq>? AND seq<?)"],
  ],
  ["listSitesToSeal", (db) => listSitesToSeal(db, 1), ["SCAN audit_waiting USING COVERING INDEX audit_waiting_since"]],
  [
    "readUnsealed",
    (db) => readUnsealed(db, ["s"], 1),
    [
      "SEARCH s USING PRIMARY KEY (site_id=? AND seq=?)",
      "SEARCH audit_seals USING PRIMARY KEY (site_id=?)",
      "SEARCH e USING PRIMARY KEY (site_id=? AND seq>? AND seq<?)",
    ],
  ],
  [
    "insertSeals",
    (db) => insertSeals(db, [{ siteId: "s", after: 0, seal }]),
    ["SEARCH s USING PRIMARY KEY (site_id=?)"],
  ],
  [
    "deleteSealedSites",
    (db) => deleteSealedSites(db, ["s"]),
    [
      "SEARCH audit_waiting USING PRIMARY KEY (site_id=?)",
      "SEARCH e USING PRIMARY KEY (site_id=? AND seq=?)",
      "SEARCH s USING PRIMARY KEY (site_id=?)",
    ],
  ],
  ["readSeal", (db) => readSeal(db, "s", 1), ["SEARCH audit_seals USING PRIMARY KEY (site_id=? AND seq=?)"]],
  ["readLastSeal", (db) => readLastSeal(db, "s"), ["SEARCH audit_seals USING PRIMARY KEY (site_id=?)"]],
  [
    "listSeals",
    (db) => listSeals(db, "s", 1, 9),
    [
      "SEARCH audit_seals USING PRIMARY KEY (site_id=? AND seq>? AND seq<?)",
      "SEARCH audit_seals USING PRIMARY KEY (site_id=? AND seq>?)",
    ],
  ],
];

it.each(calls)("%s looks up nothing else than it needs, whatever the size of the site", async (_name, call, plans) => {
  expect(await explain(call)).toEqual(plans);
});
