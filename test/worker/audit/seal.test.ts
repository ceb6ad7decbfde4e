import { env } from "cloudflare:test";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { SEALED, sealSite, sealWaiting } from "../../../edge/audit/seal.ts";
import { append, buildEntry, newSiteId, oneTo, readRows, run, verify } from "./audit.ts";

const readSeals = (siteId: string) =>
  readRows<{ seq: number; at: number }>(siteId, "SELECT seq, at FROM audit_seals WHERE site_id = ?1 ORDER BY seq");
const readWaiting = (siteId: string) => readRows(siteId, "SELECT site_id FROM audit_waiting WHERE site_id = ?1");
const unbounded = () => ({ deadline: Infinity, statements: Infinity });
const noClock = () => 7;

describe("sealing", () => {
  it("stands over all entries, at most so many under one seal, and nothing waits any more", async () => {
    const siteId = newSiteId();
    await append(siteId, ...oneTo(2 * SEALED + 3).map((n) => buildEntry(n)));
    expect(await readWaiting(siteId)).toHaveLength(1);
    await sealWaiting(env.DB, noClock, unbounded());
    expect(await readSeals(siteId)).toEqual([SEALED, 2 * SEALED, 2 * SEALED + 3].map((seq) => ({ seq, at: 7 })));
    expect(await readWaiting(siteId)).toEqual([]);
    expect(await verify(siteId)).toMatchObject({ breaks: [], seqs: oneTo(2 * SEALED + 3), redacted: 0 });
  });

  it("adds nothing where nothing was added", async () => {
    const siteId = newSiteId();
    await sealSite(env.DB, siteId, 1);
    expect(await verify(siteId)).toEqual({ breaks: [], seqs: [], redacted: 0, pieces: 1, head: null });
    await append(siteId, buildEntry(1));
    for (const at of [2, 3, 4]) await sealSite(env.DB, siteId, at);
    expect(await readSeals(siteId)).toEqual([{ seq: 1, at: 2 }]);
  });

  it("takes every site in its turn, those first that wait longest, as far as the budget goes", async () => {
    const siteIds = oneTo(45).map(newSiteId);
    for (const [n, siteId] of siteIds.entries()) await append(siteId, buildEntry(1, { at: -1_000 + n }));
    const sealed = async () => {
      const seals = await Promise.all(siteIds.map(readSeals));
      return seals.filter(({ length }) => length).length;
    };
    expect(await sealWaiting(env.DB, noClock, { deadline: Infinity, statements: 5 })).toBe(20);
    expect((await readSeals(siteIds[19]!)).length + (await readSeals(siteIds[20]!)).length).toBe(1);
    expect(await sealWaiting(env.DB, noClock, { deadline: 0, statements: 5 })).toBe(0);
    expect(await sealed()).toBe(20);
    await sealWaiting(env.DB, noClock, unbounded());
    expect(await sealed()).toBe(45);
  });

  it("makes one chain of whatever many sealers do at once, while entries come", async () => {
    const siteId = newSiteId();
    await Promise.all(
      oneTo(60).map((n) => (n % 3 ? append(siteId, buildEntry(n), buildEntry(-n)) : sealSite(env.DB, siteId, n))),
    );
    await Promise.all(oneTo(5).map((n) => sealSite(env.DB, siteId, n)));
    const seals = await readSeals(siteId);
    expect(seals.at(-1)!.seq).toBe(80);
    expect(await verify(siteId)).toMatchObject({ breaks: [], seqs: oneTo(80) });
    expect(await readWaiting(siteId)).toEqual([]);
  });

  it("ends before a gap, says so in the log without what is in the entries, and holds nobody else up", async () => {
    const logged: string[] = [];
    vi.spyOn(console, "error").mockImplementation((line) => logged.push(line));
    onTestFinished(() => void vi.restoreAllMocks());
    const [siteId, other] = [newSiteId(), newSiteId()];
    await append(siteId, ...oneTo(5).map((n) => buildEntry(n)));
    await append(other, buildEntry(1));
    const [trigger] = await readRows<{ sql: string }>("audit_delete", "SELECT sql FROM sqlite_schema WHERE name = ?1");
    await env.DB.prepare("DROP TRIGGER audit_delete").run();
    await run(siteId, "DELETE FROM audit WHERE site_id = ?1 AND seq = 3");
    await env.DB.prepare(trigger!.sql).run();

    await sealWaiting(env.DB, noClock, unbounded());
    expect((await readSeals(siteId)).map(({ seq }) => seq)).toEqual([2]);
    expect((await readSeals(other)).map(({ seq }) => seq)).toEqual([1]);
    expect(logged[0]).toBe(`{"level":"error","job":"seal","siteId":"${siteId}","missing":3}`);
    expect(await readWaiting(siteId)).toEqual([]);
    await append(siteId, buildEntry(6));
    await sealSite(env.DB, siteId, 8);
    expect((await verify(siteId)).breaks).toEqual([{ seq: 3, problem: "entry-missing" }]);
  });
});
