import { env } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { sealSite } from "../../../edge/audit/seal.ts";
import { listEntries, redactAudit } from "../../../edge/db/audit.ts";
import { readSeal } from "../../../edge/db/audit-seals.ts";
import { sha256 } from "../../../edge/sha256.ts";
import { buildSeal } from "../../../shared/audit.ts";
import { append, buildEntry, erase, newSiteId, oneTo, readRows, run, verify } from "./audit.ts";

// Whoever tampers does not stop at triggers.
beforeAll(async () => {
  const { results } = await env.DB.prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'audit%' AND name NOT IN ('audit_find', 'audit_wait')",
  ).all<{ name: string }>();
  for (const { name } of results) await env.DB.prepare(`DROP TRIGGER ${name}`).run();
});

/** Entries 1–10 under the seals 4, 7 and 10, of which 7 erased the detail of 6; 11 and 12 not sealed yet. */
async function buildAudit(): Promise<string> {
  const siteId = newSiteId();
  for (const n of oneTo(12)) {
    await (n === 7 ? erase(siteId, "q6") : append(siteId, buildEntry(n)));
    if ([4, 7, 10].includes(n)) await sealSite(env.DB, siteId, 2_000 + n);
  }
  return siteId;
}

const entry = (seq: number, set: string) => `UPDATE audit SET ${set} WHERE site_id = ?1 AND seq = ${seq}`;
const seal = (seq: number, set: string) => `UPDATE audit_seals SET ${set} WHERE site_id = ?1 AND seq = ${seq}`;
const insert = (seq: number) =>
  `INSERT INTO audit (site_id, seq, at, actor, action, subjects, detail, salt) VALUES (?1, ${seq}, 1, 'x', 'link', '[]', '{}', '')`;
const erased = "detail = NULL, salt = NULL, detail_hash = '0'";

const tamperings: [what: string, statements: string[], seq: number, problem: string][] = [
  ["the time of an entry", [entry(5, "at = at + 1")], 5, "entry-changed"],
  ["a time that is none", [entry(5, "at = 9000000000000000000")], 5, "entry-changed"],
  ["the actor", [entry(5, "actor = 'system'")], 5, "entry-changed"],
  ["the action", [entry(5, "action = 'unlink'")], 5, "entry-changed"],
  ["a subject", [entry(5, 'subjects = \'["p5","q1"]\'')], 5, "entry-changed"],
  ["a subject less", [entry(5, "subjects = '[\"p5\"]'")], 5, "entry-changed"],
  ["subjects that are none", [entry(5, "subjects = '7'")], 5, "entry-changed"],
  ["the evidence", [entry(5, "detail = json_set(detail, '$.a', 'userId:u1')")], 5, "entry-changed"],
  ["the order within the evidence", [entry(5, "detail = json_patch('{\"b\":1}', detail)")], 5, "entry-changed"],
  ["the salt", [entry(5, "salt = '0'")], 5, "entry-changed"],
  ["the site of an entry", [entry(5, "site_id = 'other-' || ?1")], 5, "entry-missing"],
  ["the number of an entry", [entry(5, "seq = 500")], 5, "entry-missing"],
  ["an erasure that never was", [entry(5, erased)], 5, "entry-changed"],
  ["what an erasure left", [entry(6, "detail_hash = '0'")], 6, "entry-changed"],
  ["an erased detail, made up", [entry(6, "detail = '{}', salt = '', detail_hash = NULL")], 6, "entry-changed"],

  ["the time of a seal", [seal(7, "at = at + 1")], 5, "seal-changed"],
  ["a digest", [seal(7, "digests = json_set(digests, '$[0]', '0')")], 5, "seal-changed"],
  ["a digest less", [seal(7, "digests = json_remove(digests, '$[2]')")], 5, "seal-changed"],
  ["digests that are none", [seal(7, "digests = '7'")], 5, "seal-changed"],
  ["the hash of a seal", [seal(7, "hash = '0'")], 5, "seal-changed"],
  ["the number of a seal", [seal(7, "seq = 6")], 5, "seal-changed"],
  ["the site of a seal", [seal(7, "site_id = 'other-' || ?1")], 5, "seal-changed"],
  ["the first seal, away", ["DELETE FROM audit_seals WHERE site_id = ?1 AND seq = 4"], 1, "seal-changed"],
  ["a seal in the middle, away", ["DELETE FROM audit_seals WHERE site_id = ?1 AND seq = 7"], 5, "seal-changed"],
  [
    "a seal between others",
    ["INSERT INTO audit_seals (site_id, seq, at, digests, hash) VALUES (?1, 5, 1, '[\"0\"]', '0')"],
    5,
    "seal-changed",
  ],
  [
    "a seal before all",
    ["INSERT INTO audit_seals (site_id, seq, at, digests, hash) VALUES (?1, -5, 1, '[]', '0')"],
    1,
    "seal-changed",
  ],

  ["the first entry, away", ["DELETE FROM audit WHERE site_id = ?1 AND seq = 1"], 1, "entry-missing"],
  ["an entry in the middle, away", ["DELETE FROM audit WHERE site_id = ?1 AND seq = 6"], 6, "entry-missing"],
  [
    "the last sealed entry and all after it, away",
    ["DELETE FROM audit WHERE site_id = ?1 AND seq >= 10"],
    10,
    "entry-missing",
  ],
  [
    "an entry that was not sealed yet, away",
    ["DELETE FROM audit WHERE site_id = ?1 AND seq = 11"],
    11,
    "entry-missing",
  ],
  ["everything but the seals, away", ["DELETE FROM audit WHERE site_id = ?1"], 1, "entry-missing"],
  ["an entry before all", [insert(0)], 0, "entry-unexpected"],
  ["an entry long before all", [insert(-9_000_000)], -9_000_000, "entry-unexpected"],
  ["an entry after a gap", [insert(14)], 13, "entry-missing"],
  ["two entries, exchanged", [entry(5, "seq = 500"), entry(6, "seq = 5"), entry(500, "seq = 6")], 5, "entry-changed"],
  [
    "an entry in between, those after it moved on",
    [...[12, 11, 10, 9, 8, 7, 6, 5].map((seq) => entry(seq, "seq = seq + 1")), insert(5)],
    5,
    "entry-changed",
  ],
];

describe("a verification", () => {
  it("finds nothing wrong where nothing is, an erasure included, in pieces of any size", async () => {
    const siteId = await buildAudit();
    const whole = { breaks: [], seqs: oneTo(12), redacted: 1, head: { seq: 10, hash: expect.any(String) } };
    for (const [limit, pieces] of [
      [1, 3],
      [4, 3],
      [7, 2],
      [10, 1],
      [1_000, 1],
    ] as const)
      expect(await verify(siteId, limit), String(limit)).toEqual({ ...whole, pieces });
  });

  it.each(tamperings)("finds, changed behind its back: %s", async (_what, statements, seq, problem) => {
    const siteId = await buildAudit();
    await run(siteId, ...statements);
    for (const limit of [1, 1_000]) expect((await verify(siteId, limit)).breaks[0]).toEqual({ seq, problem });
  });

  it("finds a detail that went without an erasure, though its hash is right", async () => {
    const siteId = await buildAudit();
    await env.DB.batch(await redactAudit(env.DB, siteId, ["p3"]));
    expect((await verify(siteId)).breaks).toEqual([{ seq: 3, problem: "detail-missing" }]);
    await append(siteId, buildEntry(13, { subjects: ["p3"] }), buildEntry(14, { action: "erase", subjects: ["p4"] }));
    for (const limit of [1, 1_000])
      expect((await verify(siteId, limit)).breaks).toEqual([{ seq: 3, problem: "detail-missing" }]);
  });

  it("names each entry that was tampered with", async () => {
    const siteId = await buildAudit();
    await run(siteId, entry(2, "actor = 'x'"), "DELETE FROM audit WHERE site_id = ?1 AND seq IN (3, 9)", insert(0));
    expect((await verify(siteId)).breaks).toEqual([
      { seq: 0, problem: "entry-unexpected" },
      { seq: 2, problem: "entry-changed" },
      { seq: 3, problem: "entry-missing" },
      { seq: 9, problem: "entry-missing" },
    ]);
  });

  it("does not hold a chain good for another site", async () => {
    const siteId = await buildAudit();
    const other = newSiteId();
    const columns = "seq, at, actor, action, subjects, detail, salt, detail_hash";
    await run(
      siteId,
      `INSERT INTO audit (site_id, ${columns}) SELECT '${other}', ${columns} FROM audit WHERE site_id = ?1`,
      `INSERT INTO audit_seals (site_id, seq, at, digests, hash)
       SELECT '${other}', seq, at, digests, hash FROM audit_seals WHERE site_id = ?1`,
    );
    expect((await verify(other)).breaks).toEqual([{ seq: 1, problem: "seal-changed" }]);
  });

  it("finds a forger who seals anew as far as they go, and by an anchor one who goes to the end", async () => {
    const siteId = await buildAudit();
    const anchor = (await verify(siteId)).head!;
    const holds = async () => (await readSeal(env.DB, siteId, anchor.seq))?.hash === anchor.hash;
    const forge = async (after: number, seq: number) => {
      const entries = await listEntries(env.DB, siteId, after, seq, 10);
      const forged = await buildSeal((await readSeal(env.DB, siteId, after))!, entries, 2_000 + seq, sha256);
      await run(siteId, seal(seq, `digests = '${JSON.stringify(forged.digests)}', hash = '${forged.hash}'`));
    };
    await run(siteId, entry(5, "actor = 'system'"));
    await forge(4, 7);
    expect((await verify(siteId)).breaks).toEqual([{ seq: 8, problem: "seal-changed" }]);
    expect(await holds()).toBe(true);
    await forge(7, 10);
    expect((await verify(siteId)).breaks).toEqual([]);
    expect(await holds()).toBe(false);
  });

  it("cannot know of entries taken from the end, unsealed or with all seals over them, but by an anchor", async () => {
    const siteId = newSiteId();
    for (const n of [1, 2, 3]) {
      await append(siteId, buildEntry(n));
      await sealSite(env.DB, siteId, n);
    }
    const anchor = (await verify(siteId)).head!;
    await append(siteId, buildEntry(4));
    await run(siteId, "DELETE FROM audit WHERE site_id = ?1 AND seq = 4");
    expect((await verify(siteId)).breaks).toEqual([]);
    await run(
      siteId,
      ...["audit", "audit_seals"].map((table) => `DELETE FROM ${table} WHERE site_id = ?1 AND seq > 2`),
    );
    expect(await verify(siteId)).toMatchObject({ breaks: [], seqs: [1, 2] });
    expect(await readSeal(env.DB, siteId, anchor.seq)).toBeNull();
  });
});

describe("the chain", () => {
  it("is what its documentation says: SHA-256 over JSON, the same for ever", async () => {
    const siteId = newSiteId();
    await append(siteId, buildEntry(1));
    await run(siteId, "UPDATE audit SET salt = 'ab' WHERE site_id = ?1");
    await sealSite(env.DB, siteId, 2_001);
    const evidence = await sha256(
      String.raw`["ab","{\"a\":\"userId:u1\",\"b\":\"email:u1@shop.example\",\"evidence\":\"identify\"}"]`,
    );
    expect(evidence).toBe("399747030594c639a81c67830ad273a5b12c00d8466029a63b22116d128f92d3");
    const digest = await sha256(`[1,1001,"browser","link",["p1","q1"],"${evidence}"]`);
    const hash = await sha256(`["${siteId}",1,2001,["${digest}"]]`);
    expect(await readRows(siteId, "SELECT seq, at, digests, hash FROM audit_seals WHERE site_id = ?1")).toEqual([
      { seq: 1, at: 2_001, digests: JSON.stringify([digest]), hash },
    ]);
  });
});
