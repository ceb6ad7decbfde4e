import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { type AuditEntry, insertAudit } from "../../../edge/db/audit.ts";

const newSiteId = () => `s${crypto.randomUUID().slice(0, 8)}`;

const entry = (subject: string, more: Partial<AuditEntry> = {}): AuditEntry => ({
  ...{ at: 1, actor: "browser", action: "link", subject, detail: { a: `userId:${subject}` } },
  ...more,
});

async function readSeqs(siteId: string): Promise<number[]> {
  const { results } = await env.DB.prepare("SELECT seq FROM audit WHERE site_id = ?1 ORDER BY seq")
    .bind(siteId)
    .all<{ seq: number }>();
  return results.map(({ seq }) => seq);
}

const oneTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

describe("insertAudit", () => {
  it("appends entries in their order, whatever their size", async () => {
    const siteId = newSiteId();
    const long = "x".repeat(400_000);
    await env.DB.batch(
      insertAudit(
        env.DB,
        siteId,
        ["a", "b", "c"].map((s) => entry(s, { detail: { long } })),
      ),
    );
    await env.DB.batch(insertAudit(env.DB, siteId, [entry("d", { other: "e", detail: { "ü\ud800\0": 1e21 } })]));
    const { results } = await env.DB.prepare(
      "SELECT seq, at, actor, action, subject, other, detail, length(salt) AS salt FROM audit WHERE site_id = ?1",
    )
      .bind(siteId)
      .all();
    expect(results.map(({ seq, subject }) => [seq, subject])).toEqual([
      [1, "a"],
      [2, "b"],
      [3, "c"],
      [4, "d"],
    ]);
    const last = { seq: 4, at: 1, actor: "browser", action: "link", subject: "d", other: "e", salt: 32 };
    expect(results.at(-1)).toEqual({ ...last, detail: JSON.stringify({ "ü\ud800\0": 1e21 }) });
  });

  it("leaves no gap and gives no number twice where fifty write at once, and one of them fails", async () => {
    const siteId = newSiteId();
    const fail = env.DB.prepare("SELECT json('conflict')");
    const writes = oneTo(50).map((n) => {
      const statements = insertAudit(
        env.DB,
        siteId,
        oneTo((n % 3) + 1).map((k) => entry(`${n}-${k}`)),
      );
      return env.DB.batch(n === 25 ? [...statements, fail] : statements);
    });
    const ended = await Promise.allSettled(writes);
    expect(ended.filter(({ status }) => status === "rejected")).toHaveLength(1);
    const written = oneTo(50)
      .filter((n) => n !== 25)
      .reduce((sum, n) => sum + (n % 3) + 1, 0);
    expect(await readSeqs(siteId)).toEqual(oneTo(written));
  });
});

describe("the store", () => {
  const refused = /audit is append-only/;

  it("takes nothing back: no row is changed, deleted, replaced or put in between", async () => {
    const siteId = newSiteId();
    await env.DB.batch(
      insertAudit(
        env.DB,
        siteId,
        ["a", "b"].map((s) => entry(s)),
      ),
    );
    const run = (sql: string) => env.DB.prepare(sql).bind(siteId).run();
    for (const column of ["at", "actor", "action", "subject", "other", "detail", "salt", "site_id", "seq"])
      await expect(run(`UPDATE audit SET ${column} = '7' WHERE site_id = ?1`), column).rejects.toThrow(refused);
    await expect(run("DELETE FROM audit WHERE site_id = ?1 AND seq = 2")).rejects.toThrow(refused);
    for (const seq of [0, 1, 2, 4, -1]) {
      const columns = "(site_id, seq, at, actor, action, subject, detail, salt)";
      const row = `VALUES (?1, ${seq}, 1, 'x', 'link', 'x', '{}', '')`;
      await expect(run(`INSERT INTO audit ${columns} ${row}`), String(seq)).rejects.toThrow(refused);
      await expect(run(`INSERT OR REPLACE INTO audit ${columns} ${row}`), String(seq)).rejects.toThrow(refused);
    }
    expect(await readSeqs(siteId)).toEqual([1, 2]);
  });

  it("lets a detail go for its hash, once, and nothing with it", async () => {
    const siteId = newSiteId();
    await env.DB.batch(insertAudit(env.DB, siteId, [entry("a")]));
    const run = (set: string) => env.DB.prepare(`UPDATE audit SET ${set} WHERE site_id = ?1`).bind(siteId).run();
    await expect(run("detail = NULL, salt = NULL")).rejects.toThrow(/CHECK constraint/);
    await expect(run("detail = NULL, detail_hash = 'h'")).rejects.toThrow(/CHECK constraint/);
    await expect(run("detail = NULL, salt = NULL, detail_hash = 'h', actor = 'x'")).rejects.toThrow(refused);
    await run("detail = NULL, salt = NULL, detail_hash = 'h'");
    await expect(run("detail_hash = 'i'")).rejects.toThrow(refused);
    await expect(run("detail = '{}', salt = '', detail_hash = NULL")).rejects.toThrow(refused);
  });
});
