import { env } from "cloudflare:test";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type IdentifierRow,
  listProfileIds,
  type StoredLists,
  selectComponents,
  toIdentifierRow,
} from "../../../edge/db/identifiers.ts";
import { type ListStatement, listStatements } from "../../../edge/db/list-statements.ts";
import { applyStatement, isNews, listedAt, nodesAt } from "../../../edge/profiles/lists.ts";
import { applyList, MODES, type Mode, newsOf } from "../../../edge/segments/upload.ts";
import { type Client, ingest, type Json, newSite } from "../api/client.ts";
import { bindings } from "../site.ts";

const VIP = { key: "vip", name: "VIP", kind: "static", status: "active" };
/** Two people, until somebody says that they are one. */
const A = "anonymousId:a";
const B = "userId:b";

async function newList(): Promise<Client> {
  const site = await newSite();
  await site.post("/api/segments", VIP);
  await ingest(site, [
    { type: "page", anonymousId: "a" },
    { type: "page", userId: "b" },
  ]);
  return site;
}

/** Writes what is kept with the identifier. */
const refuse = (site: Client, userId: string) =>
  ingest(site, [{ type: "page", userId, context: { consent: { categoryPreferences: { marketing: false } } } }]);

const unite = (site: Client) => ingest(site, [{ type: "identify", anonymousId: "a", userId: "b" }]);

/** @param names `userId:` or `anonymousId:` */
function upload(site: Client, names: string[], mode: Mode = "add"): Promise<Json> {
  const identifiers = names.map((name) => ({ [name.split(":")[0]!]: name.split(":")[1] }));
  return site.post(`/api/segments/vip/members?mode=${mode}&allowEmpty=true`, { identifiers });
}

/** What was ever said of A and B, in order. */
async function saidOf(site: Client): Promise<[string, boolean | null][]> {
  const said = await listStatements(env.DB, site.siteId, [A, B]);
  expect(said.map(({ at }) => at)).toEqual(said.map(({ at }) => at).sort((x, y) => x - y));
  return said.map(({ identifier, listed }) => [identifier, listed]);
}

async function readNodes(site: Client) {
  const { results } = await selectComponents(env.DB, site.siteId, JSON.stringify([A, B])).all();
  const nodes = results.map(toIdentifierRow).sort((x, y) => (x.identifier < y.identifier ? -1 : 1));
  // What is kept with the identifiers is what was ever said of them.
  const names = nodes.map(({ identifier }) => identifier);
  const said = await listStatements(env.DB, site.siteId, names);
  expect(nodesAt(nodes, said, Number.MAX_SAFE_INTEGER)).toEqual(nodes);
  return nodes;
}

/** Who would be on the list, A and B, if the link between them never had been. */
async function listedApart(site: Client): Promise<[boolean, boolean]> {
  const [a, b] = await readNodes(site);
  const { createdAt } = (await site.get("/api/segments/vip")) as Json;
  const list = { key: "vip", createdAt: Date.parse(createdAt) };
  return [listedAt([a!], list) !== null, listedAt([b!], list) !== null];
}

interface Member {
  profile: string;
  since: number;
}

/** Since when each member is one, as every place says. */
async function membersOf(site: Client): Promise<Member[]> {
  const { data } = await site.get("/api/segments/vip/members");
  expect((await site.get("/api/segments/vip")).members).toBe(data.length);
  for (const { profile, since } of data) {
    expect((await site.get(`/api/profiles/${profile}`)).segments).toEqual([{ key: "vip", since, until: null }]);
  }
  return data.map(({ profile, since }: Json) => ({ profile, since: Date.parse(since) }));
}

describe("of the statements of several identifiers", () => {
  const yes = (at: number) => ({ identifier: A, lists: { vip: [true, at] } as StoredLists });
  const no = (at: number) => ({ identifier: A, lists: { vip: [false, at] } as StoredLists });
  const unsaid = (at: number) => ({ identifier: A, lists: { vip: [null, at] } as StoredLists });
  const none = { identifier: A, lists: { other: [true, 9] } as StoredLists };

  it.each<[string, { identifier: string; lists: StoredLists }[], number | null]>([
    ["none", [none], null],
    ["a yes", [none, yes(1)], 1],
    ["a newer yes", [no(1), yes(2)], 2],
    ["a newer no", [yes(1), no(2)], null],
    ["a no of the same time", [yes(2), no(2)], null],
    ["a no of the same time first", [no(2), yes(2)], null],
    ["what is not said any more", [yes(1), unsaid(2)], 1],
    ["what is not said any more alone", [unsaid(2)], null],
    ["two that say yes", [yes(3), yes(1)], 3],
  ])("%s", (_name, nodes, at) => {
    expect(listedAt(nodes, { key: "vip" })).toBe(at);
    expect(listedAt(nodes, { key: "valueOf" })).toBe(null);
  });

  it("those do not count that are of an earlier list of that key", () => {
    expect(listedAt([yes(4), no(1)], { key: "vip", createdAt: 4 })).toBe(4);
    expect(listedAt([yes(4), no(1)], { key: "vip", createdAt: 5 })).toBe(null);
    expect(listedAt([yes(6), no(4)], { key: "vip", createdAt: 5 })).toBe(6);
  });
});

/** People by their identifiers, with what is said of them; links unite them. */
class World {
  readonly groups: IdentifierRow[][] = ["a", "b", "c", "d", "e"].map((identifier) => [
    { identifier, profileId: "", birthId: "", firstSeen: 0, consent: {}, lists: {} },
  ]);

  link(a: string, b: string): void {
    const [mine, theirs] = [this.#groupOf(a), this.#groupOf(b)];
    if (mine !== theirs) mine.push(...this.groups.splice(this.groups.indexOf(theirs), 1)[0]!);
  }

  upload(named: ReadonlySet<string>, mode: Mode, at: number): ListStatement[] {
    const said = this.groups.flatMap((nodes) => newsOf(nodes, { key: "vip" }, named, mode));
    const statements = said.map((news) => ({ ...news, segmentKey: "vip", at }));
    this.#apply(statements);
    return statements;
  }

  /** What was said in another world, as far as it is news here. */
  hear(statements: readonly ListStatement[]): void {
    this.#apply(statements.filter((said) => isNews(this.#groupOf(said.identifier), { key: "vip" }, said)));
  }

  members(): string[] {
    const names = this.groups.map((nodes) => nodes.map(({ identifier }) => identifier).sort());
    return this.groups.flatMap((nodes, index) => (listedAt(nodes, { key: "vip" }) ? names[index]!.join() : [])).sort();
  }

  #apply(statements: readonly ListStatement[]): void {
    for (const said of statements) {
      applyStatement(this.#groupOf(said.identifier).find(({ identifier }) => identifier === said.identifier)!, said);
    }
  }

  #groupOf(name: string): IdentifierRow[] {
    return this.groups.find((nodes) => nodes.some(({ identifier }) => identifier === name))!;
  }
}

it("what was said while a link was there makes the world in which it never was", () => {
  const name = fc.constantFrom("a", "b", "c", "d", "e");
  const upload = fc.record({ names: fc.uniqueArray(name, { maxLength: 3 }), mode: fc.constantFrom(...MODES) });
  const link = fc.record({ a: name, b: name, never: fc.boolean() });
  const steps = fc.array(fc.oneof({ weight: 3, arbitrary: upload }, link), { maxLength: 25 });
  /** The last word is news only if `a` was never united with `b` before. */
  const saidTwice: typeof steps extends fc.Arbitrary<infer Steps> ? Steps : never = [
    { names: ["a", "c"], mode: "add" },
    { a: "a", b: "b", never: true },
    { a: "b", b: "c", never: false },
    { names: ["b"], mode: "remove" },
    { names: ["a"], mode: "add" },
    { a: "a", b: "c", never: false },
    { names: ["a"], mode: "add" },
  ];
  let differing = 0;
  fc.assert(
    fc.property(steps, (steps) => {
      const [lived, meant, replayed] = [new World(), new World(), new World()];
      steps.forEach((step, index) => {
        if ("mode" in step) {
          const named = new Set<string>(step.names);
          replayed.hear(lived.upload(named, step.mode, index + 1));
          meant.upload(named, step.mode, index + 1);
          const isNamed = (member: string) => member.split(",").some((one) => named.has(one));
          if (step.mode === "remove") expect(lived.members().filter(isNamed)).toEqual([]);
          else for (const one of named) expect(lived.members().join()).toContain(one);
          if (step.mode === "replace") expect(lived.members().every(isNamed)).toBe(true);
        } else {
          lived.link(step.a, step.b);
          if (step.never) return;
          meant.link(step.a, step.b);
          replayed.link(step.a, step.b);
        }
        expect(replayed.members()).toEqual(meant.members());
        if (lived.members().join() !== meant.members().join()) differing++;
      });
    }),
    { numRuns: 5_000, seed: 4, examples: [[saidTwice]] },
  );
  expect(differing).toBeGreaterThan(1_000);
}, 30_000);

describe("an upload", () => {
  it("says of the identifiers that it names what is new, and nothing when it is sent again", async () => {
    const site = await newList();
    await upload(site, [A, B]);
    const once = await readNodes(site);
    const profiles = () => env.DB.prepare("SELECT * FROM profiles WHERE site_id = ?1").bind(site.siteId).all();
    const { results } = await profiles();
    expect(await upload(site, [A, B])).toMatchObject({ added: 0, already: 2 });
    expect(await upload(site, [A, B], "replace")).toMatchObject({ added: 0, removed: 0, already: 2 });
    expect(await readNodes(site)).toEqual(once);
    expect((await profiles()).results).toEqual(results);
    expect((await saidOf(site)).sort()).toEqual([
      [A, true],
      [B, true],
    ]);
    await upload(site, [A], "remove");
    expect(await upload(site, [A], "remove")).toMatchObject({ removed: 0, already: 1 });
    expect((await saidOf(site)).filter(([identifier]) => identifier === A)).toEqual([
      [A, true],
      [A, false],
    ]);
  });

  it("is what a person is on since, as the log says", async () => {
    const site = await newList();
    await upload(site, [A]);
    const [member] = await membersOf(site);
    const [{ at }] = (await listStatements(env.DB, site.siteId, [A])) as [ListStatement];
    const { data } = await site.get(`/api/profiles/${member!.profile}/log`);
    expect([member!.since, Date.parse(data[0].at)]).toEqual([at, at]);
  });

  it("comes after all that is stored of somebody, and what comes next after it, whatever the clocks say", async () => {
    const site = await newList();
    const named = await listProfileIds(env.DB, site.siteId, [A]);
    const run = (mode: Mode, now: number) => {
      const budget = { deadline: Infinity, statements: Infinity };
      return applyList(bindings, site.siteId, { key: "vip", createdAt: 0 }, named, mode, () => now, budget);
    };
    const ahead = Date.now() + 60_000;
    expect(await run("add", ahead)).toMatchObject({ added: 1 });
    expect(await run("remove", Date.now())).toMatchObject({ removed: 1 });
    await ingest(site, [{ type: "track", event: "Next", anonymousId: "a" }]);
    const received = await env.DB.prepare("SELECT received_at AS at FROM events WHERE site_id = ?1 AND name = 'Next'")
      .bind(site.siteId)
      .first<number>("at");
    const said = await listStatements(env.DB, site.siteId, [A]);
    expect([...said.map(({ at }) => at), received]).toEqual([ahead, ahead + 1, ahead + 2]);
  });

  it("is not forgotten by an isolate that remembers somebody from before", async () => {
    const site = await newList();
    await upload(site, [B]);
    // Both were ingested here, and neither has been read since.
    await unite(site);
    expect(await listedApart(site)).toEqual([false, true]);
    expect(await membersOf(site)).toHaveLength(1);
    await upload(site, [A], "remove");
    await refuse(site, "b");
    expect(await listedApart(site)).toEqual([false, true]);
    expect(await membersOf(site)).toEqual([]);
  });
});

describe("people who are united", () => {
  it("are on the list since the one who was", async () => {
    const site = await newList();
    await upload(site, [B]);
    const [{ since }] = (await membersOf(site)) as [Member];
    await unite(site);
    expect((await membersOf(site)).map((member) => member.since)).toEqual([since]);
    expect(await saidOf(site)).toEqual([[B, true]]);
    expect(await listedApart(site)).toEqual([false, true]);
  });

  it("are not on it where the newest word on one of them is no", async () => {
    const site = await newList();
    await upload(site, [A, B]);
    await upload(site, [B], "remove");
    await unite(site);
    expect(await membersOf(site)).toEqual([]);
    expect(await listedApart(site)).toEqual([true, false]);
    expect(await upload(site, [A])).toMatchObject({ added: 1, already: 0 });
    expect(await membersOf(site)).toHaveLength(1);
    expect((await saidOf(site)).at(-1)).toEqual([A, true]);
  });

  it("keep being on it since then when the other is named, too", async () => {
    const site = await newList();
    await upload(site, [A]);
    const before = await membersOf(site);
    await unite(site);
    expect(await upload(site, [B])).toMatchObject({ added: 0, removed: 0, already: 1, complete: true });
    await refuse(site, "b");
    expect(await membersOf(site)).toEqual(before);
    expect(await listedApart(site)).toEqual([true, true]);
    expect((await readNodes(site))[1]!.consent).toMatchObject({ marketing: [false, expect.any(Number)] });
  });

  it("leave it when one of them is removed, and what was said of the other stays said", async () => {
    const site = await newList();
    await upload(site, [A, B]);
    await unite(site);
    expect(await upload(site, [A], "remove")).toMatchObject({ removed: 1 });
    expect(await membersOf(site)).toEqual([]);
    expect(await listedApart(site)).toEqual([false, true]);
    // B would be a member by themselves, and is removed as such.
    expect(await upload(site, [B], "remove")).toMatchObject({ removed: 0, already: 1 });
    expect(await listedApart(site)).toEqual([false, false]);
  });

  it("leave it when one is removed who was never named", async () => {
    const site = await newList();
    await upload(site, [A]);
    await unite(site);
    expect(await upload(site, [B], "remove")).toMatchObject({ removed: 1 });
    expect(await membersOf(site)).toEqual([]);
    expect(await listedApart(site)).toEqual([true, false]);
  });

  it("stay on it when another list names one of them, which is not said of the other any more", async () => {
    const site = await newList();
    await upload(site, [B]);
    await unite(site);
    const before = await membersOf(site);
    expect(await upload(site, [A], "replace")).toMatchObject({ added: 0, removed: 0, already: 1 });
    expect(await membersOf(site)).toEqual(before);
    expect(await listedApart(site)).toEqual([true, false]);
  });

  it("leave it, each of them, when another list names neither", async () => {
    const site = await newList();
    await upload(site, [A, B]);
    await unite(site);
    expect(await upload(site, [], "replace")).toMatchObject({ removed: 1, complete: true });
    expect(await membersOf(site)).toEqual([]);
    expect(await listedApart(site)).toEqual([false, false]);
  });
});

it("what is not said any more says nothing against somebody whom the newer list names", async () => {
  const site = await newList();
  await upload(site, [A, B]);
  await upload(site, [A], "replace");
  await unite(site);
  expect(await saidOf(site)).toContainEqual([B, null]);
  expect(await membersOf(site)).toHaveLength(1);
});

it("a list that is made anew under the same key begins empty, whoever was on the one before", async () => {
  const site = await newList();
  await upload(site, [A]);
  await site.send("DELETE", "/api/segments/vip");
  await expect.poll(async () => (await site.get("/api/backfill")).finishedAt).not.toBe(null);
  await site.post("/api/segments", VIP);
  await ingest(site, [{ type: "track", event: "Next", anonymousId: "a" }]);
  expect(await membersOf(site)).toEqual([]);
  expect(await upload(site, [A])).toMatchObject({ added: 1 });
  expect(await membersOf(site)).toHaveLength(1);
  // Whoever asks for the past can tell the two apart.
  const { results } = await env.DB.prepare("SELECT body FROM rules WHERE site_id = ?1 ORDER BY version")
    .bind(site.siteId)
    .all<{ body: string }>();
  const created = results.flatMap(({ body }) => JSON.parse(body).segments.map(({ createdAt }: Json) => createdAt));
  expect(created).toHaveLength(2);
  expect(created[0]).toBeLessThan(created[1]);
});

it("a preview of the past knows the list as it was", async () => {
  const site = await newList();
  await upload(site, [A]);
  const [{ profile, since }] = (await membersOf(site)) as [Member];
  await upload(site, [A], "remove");
  await upload(site, [A]);
  const ask = async (now: number) => {
    const body = { condition: { segment: "vip" }, profile, now: new Date(now).toISOString(), why: true };
    const { value, why } = await site.post("/api/segments/preview", body);
    return [value, why.actual];
  };
  const [, removed, again] = (await listStatements(env.DB, site.siteId, [A])).map(({ at }) => at);
  expect(await ask(since - 1)).toEqual([false, undefined]);
  expect(await ask(since)).toEqual([true, new Date(since).toISOString()]);
  expect(await ask(removed!)).toEqual([false, undefined]);
  expect(await ask(again!)).toEqual([true, new Date(again!).toISOString()]);
});

it("the migration makes of memberships what the eldest identifier says, of living lists alone", async () => {
  const site = await newList();
  await site.post("/api/segments", { ...VIP, key: "old" });
  await site.post("/api/segments", { key: "rule", name: "R", condition: { type: "page" }, status: "active" });
  await upload(site, [A]);
  await site.post("/api/segments/old/members", { identifiers: [{ anonymousId: "a" }] });
  await unite(site);
  await expect.poll(async () => (await site.get("/api/backfill")).finishedAt).not.toBe(null);
  const read = async () => [await readNodes(site), await listStatements(env.DB, site.siteId, [A, B])];
  const [nodes, said] = await read();
  expect(said).toHaveLength(2);
  await env.DB.batch([
    env.DB.prepare("UPDATE segments SET status = 'archived' WHERE site_id = ?1 AND key = 'old'").bind(site.siteId),
    env.DB.prepare("UPDATE identifiers SET lists = '{}'"),
    env.DB.prepare("DELETE FROM list_statements"),
  ]);
  const { queries } = env.TEST_MIGRATIONS.find(({ name }) => name.startsWith("0012"))!;
  for (const query of queries.filter((sql) => /(INSERT|UPDATE) /.test(sql))) await env.DB.prepare(query).run();
  const vip = (said as ListStatement[]).filter(({ segmentKey }) => segmentKey === "vip");
  const [a, b] = nodes as Json[];
  expect(await read()).toEqual([[{ ...a, lists: { vip: [true, vip[0]!.at] } }, b], vip]);
});

it("statements are found by their identifiers, whatever the size of the site", async () => {
  const details: string[] = [];
  const prepare = (sql: string) => ({
    bind: (...values: unknown[]) => ({
      async all() {
        const plan = env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`).bind(...values);
        details.push(...(await plan.all<{ detail: string }>()).results.map(({ detail }) => detail));
        return { results: [] };
      },
    }),
  });
  await listStatements({ prepare } as unknown as D1Database, "s", [A]);
  expect(details).toContain("SEARCH l USING PRIMARY KEY (site_id=? AND identifier=?)");
  expect(details.join()).not.toMatch(/SCAN l/);
});
