import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { sealSite } from "../../../edge/audit/seal.ts";
import { insertAudit, REDACTED, redactAudit } from "../../../edge/db/audit.ts";
import { append, buildEntry, erase, newSiteId, oneTo, readRows, run, verify } from "../audit/audit.ts";

const readSeqs = async (siteId: string) =>
  (await readRows<{ seq: number }>(siteId, "SELECT seq FROM audit WHERE site_id = ?1 ORDER BY seq")).map((r) => r.seq);

describe("insertAudit", () => {
  it("appends entries in their order, whatever their size", async () => {
    const siteId = newSiteId();
    const long = "x".repeat(400_000);
    await append(siteId, ...oneTo(3).map((n) => buildEntry(n, { detail: { long } })));
    await append(siteId, buildEntry(4, { subjects: ["p4"], detail: { "ü\ud800\0": 1e21 } }));
    const rows = await readRows(
      siteId,
      "SELECT seq, at, actor, action, subjects, detail, length(salt) AS salt FROM audit WHERE site_id = ?1",
    );
    expect(rows.map(({ seq, subjects }) => [seq, subjects])).toEqual([
      [1, '["p1","q1"]'],
      [2, '["p2","q2"]'],
      [3, '["p3","q3"]'],
      [4, '["p4"]'],
    ]);
    const last = { seq: 4, at: 1_004, actor: "browser", action: "link", subjects: '["p4"]', salt: 32 };
    expect(rows.at(-1)).toEqual({ ...last, detail: JSON.stringify({ "ü\ud800\0": 1e21 }) });
  });

  it("leaves no gap and gives no number twice where fifty write at once, and one of them fails", async () => {
    const siteId = newSiteId();
    const fail = env.DB.prepare("SELECT json('conflict')");
    const writes = oneTo(50).map((n) => {
      const statements = insertAudit(
        env.DB,
        siteId,
        oneTo((n % 3) + 1).map((k) => buildEntry(k)),
      );
      return env.DB.batch(n === 25 ? [...statements, fail] : statements);
    });
    const ended = await Promise.allSettled(writes);
    expect(ended.filter(({ status }) => status === "rejected")).toHaveLength(1);
    const written = oneTo(50).reduce((sum, n) => sum + (n === 25 ? 0 : (n % 3) + 1), 0);
    expect(await readSeqs(siteId)).toEqual(oneTo(written));
  });
});

it("costs one statement, a row for the entry and one for each whom it names", async () => {
  const siteId = newSiteId();
  await append(siteId, buildEntry(1));
  for (const subjects of [["a"], ["a", "b"], ["a", "b", "c"]]) {
    const statements = insertAudit(env.DB, siteId, [buildEntry(2, { subjects })]);
    expect(statements).toHaveLength(1);
    const [result] = await env.DB.batch(statements);
    expect(result!.meta.rows_written).toBe(1 + subjects.length);
  }
});

describe("redactAudit", () => {
  it("takes away the details of all that concerns somebody, whichever of several they are, and nothing of others", async () => {
    const siteId = newSiteId();
    const other = newSiteId();
    const entries = [
      buildEntry(1),
      buildEntry(2),
      buildEntry(3, { subjects: ["p9", "q9", "p1"] }),
      buildEntry(4, { subjects: ["p1", "p1", "q2"] }),
      buildEntry(5),
    ];
    await append(siteId, ...entries);
    await append(other, ...entries);
    await sealSite(env.DB, siteId, 1);
    await erase(siteId, "p1", "q2");
    const details = await readRows(siteId, "SELECT seq, detail, salt FROM audit WHERE site_id = ?1");
    expect(details.filter(({ detail, salt }) => detail === null && salt === null).map(({ seq }) => seq)).toEqual([
      1, 2, 3, 4,
    ]);
    expect(JSON.stringify(await readRows(siteId, "SELECT * FROM audit WHERE site_id = ?1"))).not.toContain("u1@");
    expect(await verify(siteId)).toMatchObject({ breaks: [], redacted: 4 });
    expect(await verify(other)).toMatchObject({ breaks: [], redacted: 0 });
  });

  it("takes away what was never sealed, and thousands of entries", async () => {
    const siteId = newSiteId();
    await append(siteId, ...oneTo(1_100).map((n) => buildEntry(n, { subjects: ["device"] })));
    await erase(siteId, "device");
    await sealSite(env.DB, siteId, 1);
    expect(await verify(siteId)).toMatchObject({ breaks: [], seqs: oneTo(1_101), redacted: 1_100 });
  });

  it("takes away so many at a time, and the rest when it is asked again", async () => {
    const siteId = newSiteId();
    await append(siteId, ...oneTo(REDACTED + 1).map((n) => buildEntry(n, { subjects: ["device"] })));
    await erase(siteId, "device");
    await sealSite(env.DB, siteId, 1);
    const left = () =>
      readRows(siteId, "SELECT seq FROM audit WHERE site_id = ?1 AND detail IS NOT NULL AND action <> 'erase'");
    expect(await left()).toHaveLength(1);
    expect(await verify(siteId)).toMatchObject({ breaks: [], redacted: REDACTED });
    await env.DB.batch(await redactAudit(env.DB, siteId, ["device"]));
    expect(await left()).toEqual([]);
    expect(await verify(siteId)).toMatchObject({ breaks: [], redacted: REDACTED + 1 });
    expect(await redactAudit(env.DB, siteId, ["device"])).toEqual([]);
  });

  it("has nothing to do with somebody of whom nothing was said", async () => {
    await erase(newSiteId(), "nobody");
  });
});

describe("the store", () => {
  const refused = /audit(_seals|_subjects)? is append-only/;

  it("takes nothing back: no entry is changed, deleted, replaced or put in between", async () => {
    const siteId = newSiteId();
    await append(siteId, buildEntry(1), buildEntry(2));
    for (const column of ["at", "actor", "action", "subjects", "detail", "salt", "site_id", "seq"])
      await expect(run(siteId, `UPDATE audit SET ${column} = '7' WHERE site_id = ?1`), column).rejects.toThrow(refused);
    await expect(run(siteId, "DELETE FROM audit WHERE site_id = ?1 AND seq = 2")).rejects.toThrow(refused);
    for (const seq of [0, 1, 2, 4, -1]) {
      const row = `INTO audit (site_id, seq, at, actor, action, subjects, detail, salt)
        VALUES (?1, ${seq}, 1, 'x', 'link', '[]', '{}', '')`;
      await expect(run(siteId, `INSERT ${row}`), String(seq)).rejects.toThrow(refused);
      await expect(run(siteId, `INSERT OR REPLACE ${row}`), String(seq)).rejects.toThrow(refused);
    }
    expect(await readSeqs(siteId)).toEqual([1, 2]);
  });

  it("lets a detail go for its hash, once, and nothing with it", async () => {
    const siteId = newSiteId();
    await append(siteId, buildEntry(1));
    const set = (values: string) => run(siteId, `UPDATE audit SET ${values} WHERE site_id = ?1`);
    await expect(set("detail = NULL, salt = NULL")).rejects.toThrow(/CHECK constraint/);
    await expect(set("detail = NULL, detail_hash = 'h'")).rejects.toThrow(/CHECK constraint/);
    await expect(set("detail = NULL, salt = NULL, detail_hash = 'h', actor = 'x'")).rejects.toThrow(refused);
    await set("detail = NULL, salt = NULL, detail_hash = 'h'");
    await expect(set("detail_hash = 'i'")).rejects.toThrow(refused);
    await expect(set("detail = '{}', salt = '', detail_hash = NULL")).rejects.toThrow(refused);
  });

  it("keeps each entry findable by whom it names", async () => {
    const siteId = newSiteId();
    await append(siteId, buildEntry(1));
    await expect(run(siteId, "DELETE FROM audit_subjects WHERE site_id = ?1")).rejects.toThrow(refused);
    await expect(run(siteId, "UPDATE audit_subjects SET subject = 'x' WHERE site_id = ?1")).rejects.toThrow(refused);
  });

  it("takes no seal back either", async () => {
    const siteId = newSiteId();
    await append(siteId, buildEntry(1), buildEntry(2));
    await sealSite(env.DB, siteId, 1);
    for (const column of ["at", "digests", "hash", "site_id", "seq"])
      await expect(run(siteId, `UPDATE audit_seals SET ${column} = '7' WHERE site_id = ?1`)).rejects.toThrow(refused);
    await expect(run(siteId, "DELETE FROM audit_seals WHERE site_id = ?1")).rejects.toThrow(refused);
    for (const seq of [1, 2]) {
      const row = `INTO audit_seals (site_id, seq, at, digests, hash) VALUES (?1, ${seq}, 1, '[]', '')`;
      await expect(run(siteId, `INSERT OR REPLACE ${row}`)).rejects.toThrow(refused);
    }
    expect(await verify(siteId)).toMatchObject({ breaks: [], head: { seq: 2 } });
  });
});
