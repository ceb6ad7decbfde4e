import { env } from "cloudflare:test";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { AuditEntry } from "../../../edge/db/audit.ts";
import worker from "../../../edge/worker.ts";
import { append, buildEntry, erase, oneTo, readRows } from "../audit/audit.ts";
import { bindings } from "../site.ts";
import { ADMIN, type Client, ingest, type Json, newSite, problemOf, readPages, send } from "./client.ts";

async function createAudit(...entries: AuditEntry[]): Promise<Client> {
  const site = await newSite();
  await append(site.siteId, ...entries);
  return site;
}

/** Changes what no trigger lets anybody change. */
async function tamper(site: Client, sql: string): Promise<void> {
  const triggers = await readRows<{ name: string; sql: string }>(
    "audit",
    "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name IN (?1, 'audit_seals')",
  );
  await env.DB.batch([
    ...triggers.map(({ name }) => env.DB.prepare(`DROP TRIGGER ${name}`)),
    env.DB.prepare(sql).bind(site.siteId),
    ...triggers.map((trigger) => env.DB.prepare(trigger.sql)),
  ]);
}

const seqsOf = (rows: Json[]) => rows.map(({ seq }) => seq);

describe("GET /api/audit", () => {
  it("lists a site's entries, the newest first, and those of no other", async () => {
    const site = await createAudit(...oneTo(3).map((n) => buildEntry(n)));
    await createAudit(buildEntry(9));
    const { data, next } = await site.get("/api/audit");
    expect([seqsOf(data), next]).toEqual([[3, 2, 1], null]);
    expect(data[0]).toEqual({ ...buildEntry(3), seq: 3, at: "1970-01-01T00:00:01.003Z" });
  });

  it("lists what concerns a profile, by any id it ever had, whatever the entry names beside it, each entry once", async () => {
    const site = await newSite();
    const link = (n: number) => ({ type: "identify", messageId: `m${n}`, userId: "u", anonymousId: `a${n}` });
    await ingest(site, [link(1)]);
    await ingest(site, [link(2)]);
    const ids = (
      await readRows<{ birth_id: string }>(site.siteId, "SELECT birth_id FROM identifiers WHERE site_id = ?1")
    ).map((row) => row.birth_id);
    expect(ids).toHaveLength(3);
    const before = seqsOf((await site.get("/api/audit?limit=200")).data);
    await append(
      site.siteId,
      buildEntry(1, { subjects: ids.slice(0, 2) }),
      buildEntry(2),
      buildEntry(3, { subjects: ["x", "y", ...ids] }),
    );
    const [first, , third] = oneTo(3).map((n) => before.length + n);
    for (const id of ids) {
      for (const limit of [1, 2, 200]) {
        const rows = await readPages(site, `/api/audit?subject=${id}&limit=${limit}`);
        expect(seqsOf(rows).slice(0, 2)).toEqual([third, first]);
        expect(new Set(seqsOf(rows)).size).toBe(rows.length);
      }
    }
    expect((await site.get("/api/audit?subject=p2")).data).toHaveLength(1);
    expect((await site.get("/api/audit?subject=nobody")).data).toEqual([]);
  });

  it("filters by what was done, by whom and when, with and without a subject", async () => {
    const site = await createAudit(
      ...oneTo(6).map((n) =>
        buildEntry(n, { subjects: ["p"], action: n % 2 ? "link" : "unlink", actor: n > 3 ? "key:1" : "server" }),
      ),
    );
    for (const subject of ["", "&subject=p"]) {
      const ask = async (query: string) => seqsOf(await readPages(site, `/api/audit?limit=1${subject}${query}`));
      expect(await ask("&action=unlink")).toEqual([6, 4, 2]);
      expect(await ask("&actor=key:1")).toEqual([6, 5, 4]);
      expect(await ask("&action=link&actor=server")).toEqual([3, 1]);
      expect(await ask("&from=1002&to=1970-01-01T00:00:01.004Z")).toEqual([3, 2]);
      expect(await ask("&action=erase")).toEqual([]);
    }
  });

  it("looks at a bounded part of a long audit in one request, and goes on with the next", async () => {
    const site = await createAudit(...oneTo(2_100).map((n) => buildEntry(n, n === 7 ? { actor: "key:1" } : {})));
    const first = await site.get("/api/audit?actor=key:1");
    expect(first).toEqual({ data: [], next: expect.any(String) });
    expect(seqsOf(await readPages(site, "/api/audit?actor=key:1"))).toEqual([7]);
    expect(seqsOf(await readPages(site, "/api/audit?limit=200"))).toEqual(oneTo(2_100).reverse());
  });

  it("shows of somebody erased what was done, and not to whom by name", async () => {
    const site = await createAudit(buildEntry(1), buildEntry(2));
    await erase(site.siteId, "p1", "q1");
    const { data } = await site.get("/api/audit");
    expect(data.map(({ detail }: Json) => detail)).toEqual([{}, buildEntry(2).detail, null]);
    expect(seqsOf((await site.get("/api/audit?subject=q1")).data)).toEqual([3, 1]);
  });

  it("refuses what it cannot read", async () => {
    const site = await newSite();
    for (const query of [
      "limit=0",
      "limit=201",
      "action=drop",
      "from=yesterday",
      "cursor=x",
      "cursor=ImEi",
      `subject=${"x".repeat(257)}`,
    ])
      await problemOf(site.send("GET", `/api/audit?${query}`), "invalid-request");
    for (const path of ["", "/verify", "/chain"]) {
      await problemOf(send(null, "GET", `/api/audit${path}`), "unauthorized");
      await problemOf(send(ADMIN, "GET", `/api/audit${path}`), "forbidden");
    }
  });
});

describe("GET /api/audit/verify", () => {
  it("holds an empty audit and an intact one good, and seals it first", async () => {
    const site = await newSite();
    expect(await site.get("/api/audit/verify")).toEqual({
      ...{ valid: true, break: null, checked: 0, redacted: 0, entries: 0, sealed: 0, unsealed: 0 },
      ...{ head: null, next: null },
    });
    await append(site.siteId, ...oneTo(700).map((n) => buildEntry(n)));
    await erase(site.siteId, "p7");
    expect(await site.get("/api/audit/verify")).toEqual({
      ...{ valid: true, break: null, checked: 701, redacted: 1, entries: 701, sealed: 701, unsealed: 0 },
      ...{ head: { seq: 701, hash: expect.stringMatching(/^[0-9a-f]{64}$/) }, next: null },
    });
    const first = await site.get("/api/audit/verify?limit=10");
    expect(first).toMatchObject({ valid: true, checked: 500, entries: 701, next: expect.any(String) });
    const rest = await site.get(`/api/audit/verify?limit=10&cursor=${first.next}`);
    expect(rest).toMatchObject({ valid: true, checked: 201, redacted: 0, head: { seq: 701 }, next: null });
  });

  it("comes to the end where more waits than is sealed at once, or to the entry that is gone", async () => {
    const walk = async (site: Client) => {
      const verdicts: Json[] = [];
      for (let cursor = ""; ; cursor = `?cursor=${verdicts.at(-1)!.next}`) {
        verdicts.push(await site.get(`/api/audit/verify${cursor}`));
        if (verdicts.at(-1)!.next === null) return verdicts;
      }
    };
    const checkedBy = (verdicts: Json[]) => verdicts.reduce((sum, { checked }) => sum + checked, 0);
    const site = await createAudit(...oneTo(5_700).map((n) => buildEntry(n)));
    const verdicts = await walk(site);
    expect(verdicts.at(-1)).toMatchObject({ entries: 5_700, sealed: 5_700, unsealed: 0 });
    expect([verdicts.every(({ valid }) => valid), checkedBy(verdicts)]).toEqual([true, 5_700]);

    const torn = await createAudit(...oneTo(5_700).map((n) => buildEntry(n)));
    await tamper(torn, "DELETE FROM audit WHERE site_id = ?1 AND seq = 5201");
    expect((await walk(torn)).map((verdict) => verdict.break).filter((it) => it)).toEqual([
      { seq: 5201, problem: "entry-missing" },
    ]);
  });

  it("says what is wrong first, and where", async () => {
    const site = await createAudit(...oneTo(5).map((n) => buildEntry(n)));
    await site.get("/api/audit/verify");
    await tamper(site, "UPDATE audit SET at = 9000000000000000000 WHERE site_id = ?1 AND seq IN (3, 4)");
    const verdict = await site.get("/api/audit/verify");
    expect(verdict).toMatchObject({ valid: false, break: { seq: 3, problem: "entry-changed" } });
    expect((await site.get("/api/audit")).data[1].at).toBe("9000000000000000000");
    await tamper(site, "DELETE FROM audit WHERE site_id = ?1");
    expect(await site.get("/api/audit/verify")).toMatchObject({
      ...{ valid: false, break: { seq: 1, problem: "entry-missing" } },
      ...{ checked: 0, entries: 0, sealed: 5, unsealed: 0 },
    });
  });

  it("knows a head of earlier, and that it is not in the chain any more", async () => {
    const site = await createAudit(buildEntry(1), buildEntry(2));
    const { head } = await site.get("/api/audit/verify");
    await append(site.siteId, buildEntry(3));
    const ask = (seq: number, hash: string) => site.get(`/api/audit/verify?anchor=${seq}:${hash}`);
    expect(await ask(head.seq, head.hash)).toMatchObject({ valid: true, anchor: { ...head, holds: true }, sealed: 3 });
    for (const [seq, hash] of [
      [1, head.hash],
      [2, head.hash.replace(/./g, "0")],
      [999_999_999_999_999, head.hash],
    ])
      expect(await ask(seq, hash)).toMatchObject({ valid: false, break: null, anchor: { seq, hash, holds: false } });
    await problemOf(site.send("GET", "/api/audit/verify?anchor=2"), "invalid-request");
  });
});

describe("GET /api/audit/chain", () => {
  it("gives all that it takes to compute the chain by its description", async () => {
    const site = await createAudit(...oneTo(3).map((n) => buildEntry(n)));
    await erase(site.siteId, "p2");
    const hash = (value: unknown) => createHash("sha256").update(JSON.stringify(value)).digest("hex");
    const { site: id, data, unsealed, next } = await site.get("/api/audit/chain");
    expect([id, data.length, unsealed, next]).toEqual([site.siteId, 1, [], null]);
    const digests = data[0].entries.map((e: Json) => {
      const evidence = e.detail === null ? e.detailHash : hash([e.salt, JSON.stringify(e.detail)]);
      return hash([e.seq, Date.parse(e.at), e.actor, e.action, e.subjects, evidence]);
    });
    const { seal } = data[0];
    expect(seal.digests).toEqual(digests);
    expect(seal.hash).toBe(hash([id, 4, Date.parse(seal.at), digests]));
  });
});

describe("the cron trigger", () => {
  it("seals what came in its minute", async () => {
    const site = await createAudit(buildEntry(1));
    await worker.scheduled({} as ScheduledController, bindings);
    const seals = await readRows(site.siteId, "SELECT seq FROM audit_seals WHERE site_id = ?1");
    expect(seals).toEqual([{ seq: 1 }]);
  });
});
