/** What of a device's messages never came, from the numbers that they carry. */
import { env } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { GAPS, listSequences, type Sequence } from "../../../edge/db/sequences.ts";
import { type Client, ingest, type Json, newSite, problemOf } from "./client.ts";

const ORIGIN = "https://edge.example";
let site: Client;
let count = 0;
beforeEach(async () => {
  site = await newSite();
});

const message = (anonymousId: string, seq: unknown, more: object = {}) => ({
  type: "track",
  event: "Viewed",
  messageId: `m${++count}`,
  anonymousId,
  seq,
  ...more,
});
/** Sends messages with these numbers, each list in a request of its own. */
async function send(anonymousId: string, ...requests: unknown[][]): Promise<void> {
  for (const numbers of requests) {
    await ingest(
      site,
      numbers.map((seq) => message(anonymousId, seq)),
      ORIGIN,
    );
  }
}
async function read(anonymousId: string): Promise<(Omit<Sequence, "gaps"> & { gaps: Json[] })[]> {
  const { id } = await site.get(`/api/profiles?anonymousId=${anonymousId}`);
  return (await site.get(`/api/profiles/${id}/delivery`)).data;
}
const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe("what a device sent", () => {
  it("is all there, whatever the order in which it came and however often", async () => {
    await send("a", range(4, 6), [9], range(1, 3), [8, 7]);
    const again = message("a", 10);
    for (let i = 0; i < 3; i++) await ingest(site, [again], ORIGIN);
    const [sequence, ...others] = await read("a");
    expect(others).toEqual([]);
    expect(sequence).toMatchObject({ anonymousId: "a", first: 1, last: 10, received: 10, missing: 0, gaps: [] });
    expect(Date.parse(String(sequence!.firstSeen))).toBeLessThan(Date.parse(String(sequence!.lastSeen)));
  });

  it("is missing where numbers are, since a later one came", async () => {
    await send("a", [1, 2], [5, 6, 8], [20]);
    const [sequence] = await read("a");
    expect(sequence).toMatchObject({ first: 1, last: 20, received: 6, missing: 2 + 1 + 11 });
    const gaps = sequence!.gaps.map(({ first, last }) => [first, last]);
    expect(gaps).toEqual([
      [3, 4],
      [7, 7],
      [9, 19],
    ]);
    expect(sequence!.gaps[2]!.since).toBe(sequence!.lastSeen);
    expect(Date.parse(sequence!.gaps[0]!.since)).toBeLessThan(Date.parse(sequence!.gaps[2]!.since));
    await send("a", [3], [4, 7, ...range(9, 19)]);
    expect(await read("a")).toMatchObject([{ received: 20, missing: 0, gaps: [] }]);
  });

  it("begins anew with a number that comes again: the storage was wiped", async () => {
    await send("a", range(1, 5), range(1, 3), [5], [6, 7], [1, 2]);
    expect(await read("a")).toMatchObject([
      { first: 1, last: 2, received: 2, missing: 0, gaps: [] },
      { first: 1, last: 7, received: 6, missing: 1, gaps: [{ first: 4, last: 4 }] },
      { first: 1, last: 5, received: 5, missing: 0, gaps: [] },
    ]);
  });

  it("is missing although another number came twice", async () => {
    // The second 6 is of a third beginning, whose 1 was lost.
    await send("a", range(1, 5), [1], [6, 7], [6]);
    const [newest] = await read("a");
    expect(newest).toMatchObject({ first: 1, last: 7, received: 4, missing: 4, gaps: [{ first: 2, last: 5 }] });
  });

  it("goes on as somebody else's after a reset, and nothing is missing", async () => {
    await send("a", range(1, 5));
    await send("b", range(6, 9));
    expect(await read("a")).toMatchObject([{ first: 1, last: 5, missing: 0 }]);
    expect(await read("b")).toMatchObject([{ first: 6, last: 9, missing: 0 }]);
  });

  it("is told by device, whoever was logged in, the newest first", async () => {
    const known = (anonymousId: string, seq: number) => message(anonymousId, seq, { type: "identify", userId: "u" });
    await send("a", [1, 2]);
    await ingest(site, [known("a", 4)], ORIGIN);
    await send("b", [1]);
    await ingest(site, [known("b", 2)], ORIGIN);
    const summary = (await read("a")).map(({ anonymousId, received, missing }) => ({ anonymousId, received, missing }));
    expect(summary).toEqual([
      { anonymousId: "b", received: 2, missing: 0 },
      { anonymousId: "a", received: 3, missing: 1 },
    ]);
  });

  it("knows nothing of what has no number, and of what servers send", async () => {
    await send("a", [undefined, 0, -1, 1.5, "2", null, {}, 2 ** 53, true]);
    await ingest(site, [message("a", 3)]);
    expect(await read("a")).toEqual([]);
    await problemOf(site.send("GET", "/api/profiles/p_nobody/delivery"), "not-found");
  });

  it("tells the lowest gaps and counts all, of as many sequences as are asked for", async () => {
    await send(
      "a",
      range(1, 30).map((n) => n * 2),
      [Number.MAX_SAFE_INTEGER],
    );
    const [sequence] = await read("a");
    expect(sequence!.gaps).toHaveLength(GAPS);
    expect(sequence!.gaps[0]).toMatchObject({ first: 3, last: 3 });
    expect(sequence!.missing).toBe(Number.MAX_SAFE_INTEGER - 2 + 1 - 31);
    await send("a", [2], [2]);
    const newest = await listSequences(env.DB, site.siteId, ["anonymousId:a"], 2, 33);
    expect(newest!.map(({ received }) => received)).toEqual([1, 1]);
  });

  it("is said of so many events as are read in time, of more not at all", async () => {
    await send("a", [1, 2, 3]);
    expect(await listSequences(env.DB, site.siteId, ["anonymousId:a"], 1, 3)).toMatchObject([{ received: 3 }]);
    expect(await listSequences(env.DB, site.siteId, ["anonymousId:a"], 1, 2)).toBeNull();
    await env.DB.prepare(
      `WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many LIMIT 50000)
       INSERT INTO events (site_id, owner, message_id, type, name, at, received_at, body)
       SELECT ?1, 'anonymousId:a', 'n' || n, 'page', '', n, n, '{}' FROM many`,
    )
      .bind(site.siteId)
      .run();
    const { id } = await site.get("/api/profiles?anonymousId=a");
    await problemOf(site.send("GET", `/api/profiles/${id}/delivery`), "past-too-long");
  });

  it("is not heard of on another site", async () => {
    await send("a", [1]);
    const other = await newSite();
    expect(await listSequences(env.DB, other.siteId, ["anonymousId:a"], 1, 1)).toEqual([]);
  });
});

describe("a number", () => {
  it("is stored with its message, and what is none costs the message nothing", async () => {
    await send("a", [7, "7", -7]);
    const { id } = await site.get("/api/profiles?anonymousId=a");
    const { data } = await site.get(`/api/profiles/${id}/events`);
    const numbers = data.map(({ seq }: Json) => seq).filter((seq: unknown) => seq !== undefined);
    expect([data.length, numbers]).toEqual([3, [7]]);
  });
});
