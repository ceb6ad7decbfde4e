import { env } from "cloudflare:test";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { listProfileIds } from "../../../edge/db/identifiers.ts";
import { listOthersListed, listSpoken } from "../../../edge/db/list-statements.ts";
import { listMembersAmong } from "../../../edge/db/memberships.ts";
import type { Env } from "../../../edge/env.ts";
import { applyList } from "../../../edge/segments/upload.ts";
import { bindings } from "../site.ts";
import { type Client, ingest, type Json, newSite, problemOf } from "./client.ts";

const LIST = { key: "vip", name: "VIP", kind: "static", status: "active" };
const VIP = { key: "vip", createdAt: 0 };
const CSV = { "content-type": "text/csv; charset=utf-8" };

/** A site with people u0, u1, … who have e-mail addresses, and the list. */
async function newList(people: number): Promise<Client> {
  const site = await newSite();
  await site.post("/api/segments", LIST);
  const messages = Array.from({ length: people }, (_, n) => ({
    type: "identify",
    userId: `u${n}`,
    anonymousId: `a${n}`,
    traits: { email: `U${n}@shop.example` },
  }));
  for (let at = 0; at < people; at += 2_000) await ingest(site, messages.slice(at, at + 2_000));
  return site;
}

/** With its byte order mark. */
function utf16(text: string): Uint8Array {
  return new Uint8Array(Uint16Array.from(`\ufeff${text}`, (character) => character.charCodeAt(0)).buffer);
}

function send(site: Client, body: unknown, query = "", headers: Record<string, string> = {}): Promise<Response> {
  return site.send("POST", `/api/segments/vip/members${query}`, body, headers);
}

async function upload(site: Client, body: unknown, query = ""): Promise<Json> {
  const response = await send(site, body, query, typeof body === "string" || body instanceof Uint8Array ? CSV : {});
  const answer = await response.json<Json>();
  expect(response.status, JSON.stringify(answer)).toBe(200);
  return answer;
}

/** userIds of the members, and that every place that says who is in says the same. */
async function membersOf(site: Client, key = "vip"): Promise<string[]> {
  const { data } = await site.get(`/api/segments/${key}/members?limit=200`);
  const { members } = await site.get(`/api/segments/${key}`);
  expect(members).toBe(data.length);
  const decided = await env.DB.prepare(
    "SELECT id FROM profiles WHERE site_id = ?1 AND json_extract(decisions, '$.' || ?2) IS NOT NULL ORDER BY id",
  )
    .bind(site.siteId, key)
    .all<{ id: string }>();
  expect(decided.results.map(({ id }) => id)).toEqual(data.map(({ profile }: Json) => profile));
  const users: string[] = [];
  for (const { profile } of data) {
    const { identifiers } = await site.get(`/api/profiles/${profile}`);
    users.push(identifiers.find(({ kind }: Json) => kind === "userId").value);
  }
  return users.sort();
}

describe("a list in CSV", () => {
  it("adds whom it names by any identifier, and reports the rows that lead to nobody", async () => {
    const site = await newList(4);
    const csv =
      'Name,User ID,E-Mail\r\n"Doe, Jo",u0,\r\n,, U1@Shop.example \r\n,nobody,u2@shop.example\r\n,,who@shop.example\r\n';
    expect(await upload(site, csv)).toEqual({
      rows: 4,
      matched: 3,
      added: 3,
      removed: 0,
      already: 0,
      complete: true,
      unmatchedRows: 1,
      unmatched: [{ row: 5, column: "email", reason: "unknown" }],
    });
    expect(await membersOf(site)).toEqual(["u0", "u1", "u2"]);
    expect(await upload(site, csv)).toMatchObject({ added: 0, already: 3 });
    expect(await membersOf(site)).toEqual(["u0", "u1", "u2"]);
  });

  it("removes, and replaces", async () => {
    const site = await newList(4);
    await upload(site, "userId\nu0\nu1\nu2\n");
    expect(await upload(site, "userId\nu1\nu3\n", "?mode=remove")).toMatchObject({ removed: 1, already: 1, added: 0 });
    expect(await membersOf(site)).toEqual(["u0", "u2"]);
    const replaced = { matched: 2, added: 1, removed: 1, already: 1, complete: true };
    expect(await upload(site, "userId\nu2\nu3\n", "?mode=replace")).toMatchObject(replaced);
    expect(await membersOf(site)).toEqual(["u2", "u3"]);
    expect(await upload(site, "userId\nu2\nu3\n", "?mode=replace")).toMatchObject({ added: 0, removed: 0, already: 2 });
  });

  it("is logged, and decides segments that look at it in the same write", async () => {
    const site = await newList(2);
    const condition = { all: [{ segment: "vip" }, { trait: "email", exists: true }] };
    await site.post("/api/segments", { key: "reach", name: "R", condition, status: "active" });
    await upload(site, "userId\nu0\n");
    expect(await membersOf(site)).toEqual(["u0"]);
    expect(await membersOf(site, "reach")).toEqual(["u0"]);
    const { id } = await site.get("/api/profiles?userId=u0");
    const { data } = await site.get(`/api/profiles/${id}/log`);
    expect(data.map(({ segment, change, cause }: Json) => [segment, change, cause]).sort()).toEqual([
      ["reach", "enter", "rule"],
      ["vip", "enter", "rule"],
    ]);
    expect(new Set(data.map(({ at }: Json) => at)).size).toBe(1);
    const { segments } = await site.get(`/api/profiles/${id}`);
    for (const { since, until } of segments) expect([since, until]).toEqual([data[0].at, null]);
    expect((await site.get("/api/segments/vip/members")).data).toEqual([
      { profile: id, since: data[0].at, until: null },
    ]);
    await upload(site, "userId\nu0\n", "?mode=remove");
    expect(await membersOf(site, "reach")).toEqual([]);
  });

  it("holds through what people do afterwards, and through their union", async () => {
    const site = await newList(2);
    await upload(site, "userId\nu0\n");
    await ingest(site, [{ type: "track", event: "A", userId: "u0" }]);
    expect(await membersOf(site)).toEqual(["u0"]);
    await ingest(site, [{ type: "track", event: "A", anonymousId: "phone" }]);
    await upload(site, "anonymousId\nphone\n");
    await ingest(site, [{ type: "identify", anonymousId: "phone", userId: "u1" }]);
    expect(await membersOf(site)).toEqual(["u0", "u1"]);
    expect(await upload(site, "anonymousId\nphone\na1\n", "?mode=remove")).toMatchObject({ matched: 2, removed: 1 });
    expect(await membersOf(site)).toEqual(["u0"]);
  });

  it.each<[string, string | Uint8Array, object]>([
    ["a BOM, semicolons, blanks and empty lines", "\ufeffuserid ; x\n\n u0 ;1\n;\n\nu1;2\n", { rows: 2, matched: 2 }],
    ["a single column without a name", "u0\nu1\n", { rows: 2, matched: 2 }],
    ["carriage returns alone", "userId\ru0\ru1\r", { rows: 2, matched: 2 }],
    ["a row that says the same twice", "userId\nu0\nu0\n", { rows: 2, matched: 2, added: 1 }],
    [
      "ragged rows",
      "userId,email\nu0\nu1,x@y.zz,3\nu1,x@y.zz\n",
      {
        matched: 1,
        unmatched: [
          { row: 2, column: null, reason: "ragged" },
          { row: 3, column: null, reason: "ragged" },
        ],
      },
    ],
    [
      "values that identify nobody",
      `email,note\nnot an address,x\n,y\nnull,z\n${"a".repeat(900_000)}@b.cc,z\n"a\nb@c.dd",z\nu0@shop.example,\n`,
      {
        rows: 6,
        matched: 1,
        unmatched: [
          { row: 2, column: "email", reason: "invalid" },
          { row: 3, column: null, reason: "empty" },
          { row: 4, column: "email", reason: "invalid" },
          { row: 5, column: "email", reason: "invalid" },
          { row: 6, column: "email", reason: "invalid" },
        ],
      },
    ],
    [
      "bytes that are no text",
      new Uint8Array([...new TextEncoder().encode("userId\nu0\nu"), 0xff, 0xfe, 10, ...new TextEncoder().encode("u1")]),
      { rows: 3, matched: 2, unmatched: [{ row: 3, column: "userId", reason: "encoding" }] },
    ],
    ["headings of mailing tools", "Email Address,First Name\nu0@shop.example,Jo\n", { rows: 1, matched: 1 }],
    ["UTF-16, as spreadsheets save it", utf16("E-Mail\tName\r\nu0@shop.example\tZoë\r\n"), { rows: 1, matched: 1 }],
    ["names of prototypes", "userId\n__proto__\nconstructor\nu0\n", { rows: 3, matched: 1 }],
    ["nothing", "", { rows: 0, matched: 0, added: 0 }],
    ["a header alone", "userId,email\n", { rows: 0, matched: 0, added: 0 }],
  ])("may have %s", async (_name, csv, expected) => {
    const site = await newList(2);
    expect(await upload(site, csv)).toMatchObject(expected);
  });

  it("never answers what it was sent", async () => {
    const site = await newList(1);
    const response = await send(site, "email\nsecret@shop.example\n;secret;\n", "", CSV);
    expect(await response.text()).not.toContain("secret");
  });

  it("lists the first 1,000 rows that lead to nobody, and counts all", async () => {
    const site = await newList(1);
    const csv = `userId\n${Array.from({ length: 1_500 }, (_, n) => `x${n}`).join("\n")}`;
    const answer = await upload(site, csv);
    expect(answer).toMatchObject({ rows: 1_500, matched: 0, unmatchedRows: 1_500 });
    expect(answer.unmatched).toHaveLength(1_000);
    expect(answer.unmatched[999]).toEqual({ row: 1_001, column: "userId", reason: "unknown" });
  });

  it.each<[string, string, string, RegExp]>([
    ["a header that names nothing known", "name,city\na,b\n", "invalid-request", /userId, email/],
    ["a quote that is never closed", 'userId,x\nu0,1\nu1,"2\nu2,3\n', "invalid-request", /row 3/],
    ["more than 10,000 rows", `userId\n${"u\n".repeat(10_001)}`, "upload-too-large", /[Ss]plit/],
    ["more than 1 MB", `userId\n${"u".repeat(1_000_000)}`, "upload-too-large", /[Ss]plit/],
  ])("with %s is refused whole", async (_name, csv, slug, detail) => {
    const site = await newList(3);
    expect((await problemOf(send(site, csv, "", CSV), slug)).detail).toMatch(detail);
    expect(await membersOf(site)).toEqual([]);
  });

  it("answers any text with a report or a problem, never a failure", async () => {
    const site = await newList(3);
    const piece = fc.oneof(
      fc.constantFrom(
        "userId",
        "email",
        "u0",
        "u1",
        ",",
        ";",
        "\t",
        "\n",
        "\r\n",
        "\r",
        '"',
        '""',
        "\ufeff",
        " ",
        "\0",
      ),
      fc.string({ maxLength: 5, unit: "binary" }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 30 }),
        fc.constantFrom("", "?mode=remove", "?mode=replace", "?mode=replace&allowEmpty=true"),
        async (pieces, query) => {
          const response = await send(site, pieces.join("") || "\n", query, CSV);
          const answer = await response.json<Json>();
          expect([200, 400], JSON.stringify(answer)).toContain(response.status);
          if (response.ok) expect(answer.rows).toBe(answer.matched + answer.unmatchedRows);
        },
      ),
      { numRuns: 60 },
    );
    await membersOf(site);
  }, 30_000);
});

describe("a list in JSON", () => {
  it("names people by userId or by kind", async () => {
    const site = await newList(3);
    const identifiers = ["u0", { email: "u1@shop.example" }, { userId: "gone", anonymousId: "a2" }, { userId: 7 }, {}];
    expect(await upload(site, { identifiers })).toMatchObject({
      rows: 5,
      matched: 3,
      added: 3,
      unmatched: [
        { row: 4, column: "userId", reason: "unknown" },
        { row: 5, column: null, reason: "empty" },
      ],
    });
    expect(await membersOf(site)).toEqual(["u0", "u1", "u2"]);
  });

  it.each<[unknown, string]>([
    [{ identifiers: [{ name: "Ada" }] }, "/identifiers/0/name"],
    [{ identifiers: [null] }, "/identifiers/0"],
    [{ identifiers: "u0" }, "/identifiers"],
    [{ identifiers: Array.from({ length: 10_001 }, () => "u") }, "/identifiers"],
    [{ identifiers: [], more: 1 }, "/more"],
    [{}, "/identifiers"],
  ])("that does not fit is refused with its place (%#)", async (body, pointer) => {
    const site = await newList(1);
    const problem = await problemOf(send(site, body), "invalid-request");
    expect(problem.errors?.map((error) => error.pointer)).toContain(pointer);
  });

  it("that is missing is refused", async () => {
    await problemOf(send(await newList(1), undefined), "invalid-request");
    await problemOf(send(await newList(1), { identifiers: [] }, "?mode=merge"), "invalid-request");
  });
});

describe("a list", () => {
  it("is not made a draft while it has members, which only an active one keeps", async () => {
    const site = await newList(1);
    await upload(site, "userId\nu0\n");
    const draft = { name: "VIP", status: "draft" };
    expect((await problemOf(site.send("PUT", "/api/segments/vip", draft), "conflict")).detail).toMatch(/1 member\b/);
    await upload(site, { identifiers: [] }, "?mode=replace&allowEmpty=true");
    expect(await site.put("/api/segments/vip", draft)).toMatchObject({ status: "draft" });
  });

  it("begins empty, also under the key of an archived segment whose members are still moved out", async () => {
    const site = await newList(2);
    await upload(site, "userId\nu0\n");
    await env.DB.prepare("UPDATE segments SET status = 'archived' WHERE site_id = ?1").bind(site.siteId).run();
    expect((await problemOf(site.send("POST", "/api/segments", LIST), "conflict")).detail).toMatch(/1 member\b/);
    // Whatever is published next moves everybody out who is in nothing any more.
    await site.post("/api/segments", { key: "other", name: "O", condition: { event: "A" }, status: "active" });
    await expect.poll(() => countMembers(site, "vip")).toBe(0);
    await site.post("/api/segments", LIST);
    expect(await membersOf(site)).toEqual([]);
    await upload(site, "userId\nu1\n");
    expect(await membersOf(site)).toEqual(["u1"]);
  });
});

async function countMembers(site: Client, key: string): Promise<number | null> {
  return env.DB.prepare("SELECT count(*) AS n FROM memberships WHERE site_id = ?1 AND segment_key = ?2")
    .bind(site.siteId, key)
    .first<number>("n");
}

/** The bindings of the Worker, with something that happens once the members are listed. */
function afterListing(happen: () => Promise<unknown>): Env {
  const DB = new Proxy(env.DB, {
    get(db, name) {
      if (name !== "prepare") return Reflect.get(db, name).bind(db);
      return (sql: string) => {
        const statement = db.prepare(sql);
        if (!sql.includes("NOT IN")) return statement;
        const all = async (...values: unknown[]) => {
          const listed = await statement.bind(...values).all();
          await happen();
          return listed;
        };
        return { bind: (...values: unknown[]) => ({ all: () => all(...values) }) };
      };
    },
  });
  return { ...bindings, DB };
}

describe("an upload", () => {
  it("replaces by nobody only where that is said", async () => {
    const site = await newList(2);
    await upload(site, "userId\nu0\nu1\n");
    await problemOf(send(site, { identifiers: [] }, "?mode=replace"), "invalid-request");
    await problemOf(send(site, { identifiers: ["who"] }, "?mode=replace"), "invalid-request");
    expect(await membersOf(site)).toEqual(["u0", "u1"]);
    expect(await upload(site, { identifiers: [] }, "?mode=replace&allowEmpty=true")).toMatchObject({ removed: 2 });
    expect(await membersOf(site)).toEqual([]);
  });

  it("is for an active list of the own site", async () => {
    const site = await newList(1);
    await site.post("/api/segments", { key: "rule", name: "R", condition: { event: "A" }, status: "active" });
    await site.post("/api/segments", { ...LIST, key: "later", status: "draft" });
    const to = (client: Client, key: string) =>
      client.send("POST", `/api/segments/${key}/members`, { identifiers: [] });
    expect((await problemOf(to(site, "rule"), "conflict")).detail).toMatch(/dynamic/);
    expect((await problemOf(to(site, "later"), "conflict")).detail).toMatch(/active/);
    await problemOf(to(site, "nope"), "not-found");
    await problemOf(to(await newSite(), "vip"), "not-found");
    const other = await newList(1);
    await upload(other, "userId\nu0\n");
    expect(await membersOf(site)).toEqual([]);
  });

  it("is answered once under an Idempotency-Key, and not for another mode", async () => {
    const site = await newList(1);
    const headers = { ...CSV, "idempotency-key": "k1" };
    const first = await (await send(site, "userId\nu0\n", "?mode=add", headers)).json();
    const again = await send(site, "userId\nu0\n", "?mode=add", headers);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(await again.json()).toEqual(first);
    await problemOf(send(site, "userId\nu0\n", "?mode=remove", headers), "idempotency-mismatch");
    expect(await membersOf(site)).toEqual(["u0"]);
  });

  it("that runs out of its budget goes on when it is sent again", async () => {
    const site = await newList(250);
    const identifiers = Array.from({ length: 250 }, (_, n) => `userId:u${n}`);
    const named = await listProfileIds(env.DB, site.siteId, identifiers);
    const run = (statements: number) =>
      applyList(bindings, site.siteId, VIP, named, "add", Date.now, { deadline: Infinity, statements });
    const first = await run(12);
    expect(first).toMatchObject({ complete: false, already: 0 });
    expect(first.added).toBeGreaterThan(0);
    expect(first.added).toBeLessThan(250);
    expect(await run(100)).toEqual({
      added: 250 - first.added,
      removed: 0,
      already: first.added,
      complete: true,
    });
    expect(await site.get("/api/segments/vip")).toMatchObject({ members: 250 });
  });

  it("loses nothing to events that arrive meanwhile", async () => {
    const site = await newList(20);
    const users = Array.from({ length: 20 }, (_, n) => `u${n}`);
    const events = users.map((userId) => ({ type: "track", event: "A", userId }));
    const [answer] = await Promise.all([
      upload(site, { identifiers: users }),
      ...events.map((event) => ingest(site, [event])),
    ]);
    expect(answer.added + (await upload(site, { identifiers: users })).added).toBe(20);
    expect(await membersOf(site)).toHaveLength(20);
    for (const { userId } of events) {
      const { id } = await site.get(`/api/profiles?userId=${userId}`);
      expect((await site.get(`/api/profiles/${id}/events`)).data.map(({ type }: Json) => type)).toContain("track");
    }
  });

  it("that replaces keeps a member who is united with somebody on the list meanwhile", async () => {
    const site = await newSite();
    await site.post("/api/segments", LIST);
    await ingest(site, [{ type: "page", anonymousId: "elder" }]);
    await ingest(site, [{ type: "page", userId: "u" }]);
    await upload(site, { identifiers: [{ anonymousId: "elder" }] });
    const named = await listProfileIds(env.DB, site.siteId, ["userId:u"]);
    const unite = () => ingest(site, [{ type: "identify", userId: "u", anonymousId: "elder" }]);
    const run = applyList(afterListing(unite), site.siteId, VIP, named, "replace", Date.now, {
      deadline: Infinity,
      statements: Infinity,
    });
    expect(await run).toEqual({ added: 0, removed: 0, already: 0, complete: true });
    expect(await membersOf(site)).toEqual(["u"]);
  });

  it("takes 10,000 people at once", async () => {
    const site = await newList(0);
    const users = Array.from({ length: 10_000 }, (_, n) => `u${n}`);
    for (let at = 0; at < users.length; at += 2_500) {
      await ingest(
        site,
        users.slice(at, at + 2_500).map((userId) => ({ type: "page", userId })),
      );
    }
    const csv = `userId\n${users.join("\n")}`;
    expect(await upload(site, csv, "?mode=replace")).toMatchObject({ matched: 10_000, added: 10_000, complete: true });
    expect(await site.get("/api/segments/vip")).toMatchObject({ members: 10_000 });
  }, 120_000);
});

it("finds people and members by their keys, whatever the size of the site", async () => {
  const details: string[] = [];
  const explain = async (statement: D1PreparedStatement) => {
    const { results } = await statement.all<{ detail: string }>();
    details.push(...results.map(({ detail }) => detail));
    return { results: [] };
  };
  const planner = {
    prepare: (sql: string) => ({
      bind(...values: unknown[]) {
        const statement = env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`).bind(...values);
        return { all: () => explain(statement) };
      },
    }),
    batch: (statements: D1PreparedStatement[]) => Promise.all(statements.map((statement) => statement.all())),
  } as unknown as D1Database;
  await listProfileIds(planner, "s", ["userId:a"]);
  await listMembersAmong(planner, "s", "k", ["p"]);
  await listSpoken(planner, "s", "k", ["p"]);
  await listOthersListed(planner, "s", VIP, ["p"], 1);
  const searches = details.filter((detail) => !/VIRTUAL TABLE|SUBQUERY|LIST|BLOOM|DISTINCT/.test(detail));
  expect(searches).toEqual([
    "SEARCH i USING PRIMARY KEY (site_id=? AND identifier=?)",
    "SEARCH m USING COVERING INDEX memberships_site_id_profile_id (site_id=? AND profile_id=? AND segment_key=?)",
    "SEARCH m USING INDEX identifiers_site_id_profile_id (site_id=? AND profile_id=?)",
    "SEARCH l USING COVERING INDEX list_statements_site_id_segment_key_identifier (site_id=? AND segment_key=?)",
    "SEARCH i USING PRIMARY KEY (site_id=? AND identifier=?)",
  ]);
});
