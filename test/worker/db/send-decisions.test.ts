import { env } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import {
  deleteExpiredSendDecisions,
  keepSendDecision,
  listSendDecisions,
  readSendDecision,
  type SendDecision,
} from "../../../edge/db/send-decisions.ts";

const DAY = 24 * 60 * 60 * 1000;
const KEY = { recipient: "p_ann", send: "spring", slot: "hero" };
const NOW = Date.UTC(2026, 10, 22);

let site = "";
beforeEach(async () => {
  site = `s${crypto.randomUUID().slice(0, 8)}`;
  await know("p_ann");
});

const know = (birthId: string) =>
  env.DB.prepare(
    "INSERT INTO identifiers (site_id, identifier, profile_id, birth_id, first_seen, consent) VALUES (?1, ?2, ?3, ?3, 1, '{}')",
  )
    .bind(site, `userId:${birthId}`, birthId)
    .run();

function decision(more: Partial<SendDecision> = {}): SendDecision {
  return {
    id: crypto.randomUUID(),
    block: "hero",
    blockVersion: 3,
    variant: "gold",
    reason: "targeted",
    until: NOW + DAY,
    link: "https://shop.example/gold",
    decidedAt: NOW,
    expiresAt: NOW + 400 * DAY,
    ...more,
  };
}

describe("what a recipient was given", () => {
  it("is what came first, to the last field, for that site, recipient, send and slot alone", async () => {
    const [first, second] = [decision(), decision({ variant: null, link: null, until: null, reason: "fallback" })];
    expect(await keepSendDecision(env.DB, site, KEY, first, null, null)).toEqual(first);
    expect(await keepSendDecision(env.DB, site, KEY, second, null, null)).toEqual(first);
    expect(await readSendDecision(env.DB, site, KEY, NOW)).toEqual(first);
    for (const other of [{ recipient: "p_bob" }, { send: "autumn" }, { slot: "footer" }])
      expect(await readSendDecision(env.DB, site, { ...KEY, ...other }, NOW)).toBeNull();
    expect(await readSendDecision(env.DB, "other", KEY, NOW)).toBeNull();
  });

  it("is replaced only by whoever knows it, and by anybody once it is expired", async () => {
    const [first, second, third] = [decision(), decision({ decidedAt: NOW + 1 }), decision({ decidedAt: NOW + 2 })];
    await keepSendDecision(env.DB, site, KEY, first, null, null);
    expect(await keepSendDecision(env.DB, site, KEY, second, first.id, null)).toEqual(second);
    expect(await keepSendDecision(env.DB, site, KEY, third, first.id, null)).toEqual(second);
    const late = decision({ decidedAt: second.expiresAt, expiresAt: second.expiresAt + DAY });
    expect(await readSendDecision(env.DB, site, KEY, second.expiresAt)).toBeNull();
    expect(await keepSendDecision(env.DB, site, KEY, late, null, null)).toEqual(late);
  });

  it("is not kept of somebody who is not known", async () => {
    expect(
      await keepSendDecision(env.DB, site, { ...KEY, recipient: "p_stranger" }, decision(), null, null),
    ).toBeNull();
    expect(await keepSendDecision(env.DB, "other", KEY, decision(), null, null)).toBeNull();
  });

  it("is not kept with a consent that the newest word of any identifier takes back", async () => {
    const say = (birthId: string, consent: object) =>
      env.DB.prepare("UPDATE identifiers SET consent = ?3, profile_id = 'p_ann' WHERE site_id = ?1 AND birth_id = ?2")
        .bind(site, birthId, JSON.stringify(consent))
        .run();
    await know("p_phone");
    const isKept = async (isAssumed: boolean, key: object = {}) => {
      const kept = await keepSendDecision(env.DB, site, { ...KEY, ...key }, decision(), null, { isAssumed });
      await env.DB.prepare("DELETE FROM send_decisions WHERE site_id = ?1").bind(site).run();
      return kept !== null;
    };
    await say("p_phone", { analytics: [false, 9] });
    expect([await isKept(true), await isKept(false)]).toEqual([true, false]);
    for (const [ann, phone, expected] of [
      [[true, 1], [false, 2], false],
      [[true, 2], [false, 1], true],
      [[true, 1], [false, 1], false],
    ] as const) {
      await say("p_ann", { personalization: ann });
      await say("p_phone", { analytics: [true, 9], personalization: phone });
      for (const assumed of [true, false])
        for (const recipient of ["p_ann", "p_phone"]) expect(await isKept(assumed, { recipient })).toBe(expected);
    }
    expect(await keepSendDecision(env.DB, site, KEY, decision(), null, null)).not.toBeNull();
  });

  it("costs one row to keep, and one to read again", async () => {
    const meta: D1Meta[] = [];
    const batch = async (statements: D1PreparedStatement[]) => {
      const results = await env.DB.batch(statements);
      meta.push(...results.map((result) => result.meta));
      return results;
    };
    const DB = { prepare: (sql: string) => env.DB.prepare(sql), batch } as unknown as D1Database;
    await keepSendDecision(DB, site, KEY, decision(), null, null);
    expect(meta[0]!.rows_written).toBe(1);
    expect(meta[1]!.rows_read).toBe(1);
  });
});

it("the cron trigger takes what is expired, a part of the table at a time, of all sites", async () => {
  for (let person = 0; person < 7; person++) {
    await know(`p_${person}`);
    const expiresAt = person % 2 ? NOW + 1 : NOW + 2 * DAY;
    const key = { ...KEY, recipient: `p_${person}` };
    await keepSendDecision(env.DB, site, key, decision({ decidedAt: NOW, expiresAt }), null, null);
  }
  const left = async () => {
    const { results } = await env.DB.prepare(
      "SELECT recipient FROM send_decisions WHERE site_id = ?1 ORDER BY recipient",
    )
      .bind(site)
      .all<{ recipient: string }>();
    return results.map(({ recipient }) => recipient);
  };
  expect(await deleteExpiredSendDecisions(env.DB, NOW, 100)).toBe(0);
  let deleted = 0;
  for (let turn = 0; turn < 20 && deleted < 3; turn++)
    deleted += await deleteExpiredSendDecisions(env.DB, NOW + DAY, 2);
  expect(deleted).toBe(3);
  expect(await left()).toEqual(["p_0", "p_2", "p_4", "p_6"]);
});

it("finds its rows by the key, whatever the size of the table", async () => {
  const plans: string[] = [];
  const planner = {
    prepare: (sql: string) => ({
      bind: (...values: unknown[]) => ({
        all: async () => {
          const statement = env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`).bind(...values);
          plans.push(...(await statement.all<{ detail: string }>()).results.map(({ detail }) => detail));
          return { results: [] };
        },
      }),
      all: async () => ({ results: [] }),
    }),
    batch: (statements: { all(): Promise<unknown> }[]) => Promise.all(statements.map((statement) => statement.all())),
  } as unknown as D1Database;
  await keepSendDecision(planner, site, KEY, decision(), null, null);
  await deleteExpiredSendDecisions(planner, NOW, 10);
  await listSendDecisions(planner, site, ["p_ann"], decision(), 10);
  const looked = plans.filter((plan) => /^(SEARCH|SCAN) (?!w\b|json_each|\w+ VIRTUAL)/.test(plan));
  expect(new Set(looked)).toEqual(
    new Set([
      "SEARCH d USING PRIMARY KEY (site_id=? AND recipient=?)",
      "SEARCH i USING INDEX identifiers_site_id_birth_id (site_id=? AND birth_id=?)",
      "SEARCH m USING INDEX identifiers_site_id_profile_id (site_id=? AND profile_id=?)",
      "SEARCH i EXISTS USING COVERING INDEX identifiers_site_id_birth_id (site_id=? AND birth_id=?)",
      "SEARCH send_decisions USING PRIMARY KEY (site_id=? AND recipient=? AND send=? AND slot=?)",
      "SEARCH d USING PRIMARY KEY ((site_id,recipient,send,slot)>(?,?,?,?))",
    ]),
  );
});
