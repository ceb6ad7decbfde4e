import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import type { Env } from "../../edge/env.ts";
import { buildPublicManifest } from "../../edge/manifest/build.ts";
import { buildLiveSite } from "../../edge/manifest/live.ts";
import { FRESH_MS, forget, UNKNOWN_MS } from "../../edge/manifest/memory.ts";
import { manifestKey, publish, spreadManifests } from "../../edge/manifest/publish.ts";
import { hashKey, readSite, readSiteByWriteKey, writeKeyName } from "../../edge/manifest/read.ts";
import type { Condition } from "../../shared/condition.ts";
import type { Manifest, ManifestBlock, ManifestSegment } from "../../shared/manifest.ts";

const T = Date.UTC(2026, 0, 1);
const VIEWED: Condition = { event: "Product Viewed", within: "24h", count: { gte: 2 } };
const bindings = env as unknown as Env;

/** Bindings that count what is asked of them. */
function counted(over: Partial<Env> = {}) {
  const asked = { kv: 0, db: 0 };
  const KV = new Proxy(env.KV, {
    get(kv, name) {
      const value = Reflect.get(kv, name);
      if (name === "get") asked.kv++;
      return typeof value === "function" ? value.bind(kv) : value;
    },
  });
  const DB = new Proxy(env.DB, {
    get(db, name) {
      const value = Reflect.get(db, name);
      if (name === "prepare") asked.db++;
      return typeof value === "function" ? value.bind(db) : value;
    },
  });
  return { asked, env: { ...bindings, ...over, KV, DB } as Env };
}

async function ask(bindings: Env, key: string, now: number) {
  const context = createExecutionContext();
  const live = await readSiteByWriteKey(bindings, context, key, now);
  await waitOnExecutionContext(context);
  return live;
}

async function insertSite(id = "s1", writeKey = "pk_abc") {
  const settings = JSON.stringify({
    timeZone: "Europe/Berlin",
    consentDefault: "full",
    origins: ["https://shop.example"],
  });
  await env.DB.batch([
    env.DB.prepare("INSERT INTO sites (id, name, settings, created_at) VALUES (?1, 'Shop', ?2, 0)").bind(id, settings),
    env.DB.prepare(
      "INSERT INTO keys (hash, id, site_id, kind, label, hint, created_at) VALUES (?1, ?2, ?3, 'write', '', ?4, 0)",
    ).bind(await hashKey(writeKey), `k_${id}`, id, writeKey),
  ]);
}

async function insertSegment(key: string, condition: Condition, status = "active") {
  await env.DB.prepare(
    `INSERT INTO segments (site_id, key, name, kind, condition, visibility, status, version, created_at, updated_at)
     VALUES ('s1', ?1, ?1, 'dynamic', ?2, 'public', ?3, 1, 0, 0)`,
  )
    .bind(key, JSON.stringify(condition), status)
    .run();
}

beforeEach(async () => {
  forget();
  for (const table of ["block_versions", "blocks", "segments", "keys", "backfills", "rules", "sites"]) {
    await env.DB.prepare(`DELETE FROM ${table}`).run();
  }
  for (const { name } of (await env.KV.list()).keys) await env.KV.delete(name);
});

describe("a site is found by its write key", () => {
  it("in D1 at first, then in memory without asking anything", async () => {
    await insertSite();
    const { asked, env: bindings } = counted();
    expect((await ask(bindings, "pk_abc", T))?.manifest.siteId).toBe("s1");
    expect(asked.db).toBeGreaterThan(0);
    Object.assign(asked, { kv: 0, db: 0 });
    expect((await ask(bindings, "pk_abc", T + FRESH_MS - 1))?.manifest.siteId).toBe("s1");
    expect(asked).toEqual({ kv: 0, db: 0 });
  });

  it("in KV from another isolate, without D1", async () => {
    await insertSite();
    await ask(bindings, "pk_abc", T);
    forget();
    const { asked, env: other } = counted();
    expect((await ask(other, "pk_abc", T))?.manifest.settings.timeZone).toBe("Europe/Berlin");
    // The site of the key, its manifest, its revocations.
    expect(asked).toEqual({ kv: 3, db: 0 });
  });

  it("at once from a stale memory, which is renewed behind the answer", async () => {
    await insertSite();
    const first = await ask(bindings, "pk_abc", T);
    await env.KV.put(manifestKey("s1"), JSON.stringify({ ...first!.manifest, version: 7 }));
    expect((await ask(bindings, "pk_abc", T + FRESH_MS))?.manifest.version).toBe(0);
    expect((await ask(bindings, "pk_abc", T + FRESH_MS + 1))?.manifest.version).toBe(7);
  });

  it("and is compiled anew only when its version changes", async () => {
    await insertSite();
    const first = await ask(bindings, "pk_abc", T);
    await ask(bindings, "pk_abc", T + FRESH_MS);
    expect(await ask(bindings, "pk_abc", T + FRESH_MS + 1)).toBe(first);
  });

  it("but not by an unknown key, which is remembered as unknown for a few seconds", async () => {
    const { asked, env: bindings } = counted();
    expect(await ask(bindings, "pk_nope", T)).toBeNull();
    Object.assign(asked, { kv: 0, db: 0 });
    expect(await ask(bindings, "pk_nope", T + UNKNOWN_MS - 1)).toBeNull();
    expect(asked).toEqual({ kv: 0, db: 0 });
    await insertSite("s1", "pk_nope");
    expect(await ask(bindings, "pk_nope", T + UNKNOWN_MS)).not.toBeNull();
  });

  it("but not by a revoked key", async () => {
    await insertSite();
    await env.DB.prepare("UPDATE keys SET revoked_at = 1").run();
    expect(await ask(bindings, "pk_abc", T)).toBeNull();
  });

  it.each(["", "sk_abc", "abc", `pk_${"a".repeat(200)}`])("but not by %j, which is no write key", async (key) => {
    const { asked, env: bindings } = counted();
    expect(await ask(bindings, key, T)).toBeNull();
    expect(asked).toEqual({ kv: 0, db: 0 });
  });

  it("but by the demo's key only on a local start", async () => {
    await insertSite("s1", "pk_demo");
    expect(await ask(bindings, "pk_demo", T)).toBeNull();
    expect(await ask({ ...bindings, ATTUNE_LOCAL: "1" }, "pk_demo", T)).not.toBeNull();
  });

  it("and KV never holds the key itself", async () => {
    await insertSite();
    await ask(bindings, "pk_abc", T);
    const { keys } = await env.KV.list();
    expect(keys.map(({ name }) => name).sort()).toEqual([manifestKey("s1"), writeKeyName(await hashKey("pk_abc"))]);
    for (const { name } of keys) expect(name + (await env.KV.get(name))).not.toContain("pk_abc");
  });

  it("and still when KV is down", async () => {
    await insertSite();
    const down = () => Promise.reject(new Error("KV is down"));
    const KV = { get: down, put: down, delete: down } as unknown as KVNamespace;
    expect(await ask({ ...bindings, KV }, "pk_abc", T)).not.toBeNull();
  });
});

describe("publishing", () => {
  it("takes active segments and live versions of blocks, not drafts", async () => {
    await insertSite();
    await insertSegment("viewers", VIEWED);
    await insertSegment("later", VIEWED, "draft");
    const body = (template: string) =>
      JSON.stringify({ variants: [{ key: "a", audience: null, template }], fallback: null });
    await env.DB.batch([
      env.DB.prepare("INSERT INTO blocks VALUES ('s1', 'hero', 'hero', ?1, 'active', 2, 1, 0, 0)").bind(body("draft")),
      env.DB.prepare("INSERT INTO blocks VALUES ('s1', 'cart', 'cart', ?1, 'draft', 1, NULL, 0, 0)").bind(
        body("draft"),
      ),
      env.DB.prepare("INSERT INTO block_versions VALUES ('s1', 'hero', 1, 'hero', ?1, 0)").bind(body("live")),
    ]);
    const { manifest } = await publish(bindings, "s1", T);
    expect(manifest).toMatchObject({ siteId: "s1", version: 1, publishedAt: T });
    expect(manifest.segments.map(({ key }) => key)).toEqual(["viewers"]);
    expect(manifest.blocks).toEqual([
      {
        key: "hero",
        slot: "hero",
        version: 1,
        fallback: null,
        variants: [{ key: "a", audience: null, template: "live" }],
      },
    ]);
  });

  it("is seen at once in this isolate, and by others through KV", async () => {
    await insertSite();
    await ask(bindings, "pk_abc", T);
    await insertSegment("viewers", VIEWED);
    await publish(bindings, "s1", T + 1);
    expect((await ask(bindings, "pk_abc", T + 2))?.program.keys).toEqual(["viewers"]);
    forget();
    const { asked, env: other } = counted();
    expect((await ask(other, "pk_abc", T + 3))?.program.keys).toEqual(["viewers"]);
    expect(asked.db).toBe(0);
  });

  it("is not undone by a KV that still answers with the version before", async () => {
    await insertSite();
    const old = await publish(bindings, "s1", T);
    await publish(bindings, "s1", T + 1);
    await env.KV.put(manifestKey("s1"), JSON.stringify(old.manifest));
    await ask(bindings, "pk_abc", T + 1 + FRESH_MS);
    expect((await readSite(bindings, "s1", T + 2 + FRESH_MS))?.manifest.version).toBe(2);
  });

  it("holds although KV is down, and is put there once it is up again", async () => {
    await insertSite();
    await publish(bindings, "s1", T);
    const KV = { ...env.KV, put: () => Promise.reject(new Error("KV is down")) } as unknown as KVNamespace;
    const live = await publish({ ...bindings, KV }, "s1", T);
    expect(await env.KV.get<Manifest>(manifestKey("s1"), "json")).toMatchObject({ version: live.manifest.version - 1 });
    expect(await spreadManifests(bindings, T, 5)).toBe(1);
    expect(await env.KV.get<Manifest>(manifestKey("s1"), "json")).toMatchObject({ version: live.manifest.version });
    expect(await spreadManifests(bindings, T, 5)).toBe(0);
  });

  it("waits for its turn where KV takes one write a second", async () => {
    await insertSite();
    let refused = 0;
    const KV = {
      put: (...args: [string, string]) => (refused++ ? env.KV.put(...args) : Promise.reject(new Error("429"))),
    };
    await publish({ ...bindings, KV: KV as unknown as KVNamespace }, "s1", T);
    expect(await env.KV.get<Manifest>(manifestKey("s1"), "json")).toMatchObject({ version: 1 });
  });

  it("leaves the newest in KV, though an older one comes there after it", async () => {
    await insertSite();
    let puts = 0;
    const KV = {
      put: async (key: string, value: string) => {
        if (!puts++) await publish(bindings, "s1", T + 1);
        return env.KV.put(key, value);
      },
    };
    await publish({ ...bindings, KV: KV as unknown as KVNamespace }, "s1", T);
    expect(await env.KV.get<Manifest>(manifestKey("s1"), "json")).toMatchObject({ version: 2 });
    expect(puts).toBe(2);
  });

  it("of a site that does not exist is a problem", async () => {
    await expect(publish(bindings, "nope", T)).rejects.toMatchObject({ slug: "not-found" });
  });
});

function segment(key: string, condition: Condition | null, over: Partial<ManifestSegment> = {}): ManifestSegment {
  const kind = condition ? "dynamic" : "static";
  return { key, name: `Name of ${key}`, kind, condition, visibility: "public", version: 1, ...over };
}

function block(slot: string, audiences: (Condition | null)[], template = "x"): ManifestBlock {
  const variants = audiences.map((audience, index) => ({ key: `v${index}`, audience, template }));
  return { key: slot, slot, variants, fallback: null, version: 1 };
}

function manifestOf(segments: ManifestSegment[], blocks: ManifestBlock[] = []): Manifest {
  const settings = { timeZone: "UTC", consentDefault: "full" as const, origins: ["https://shop.example"] };
  return { siteId: "s1", version: 3, publishedAt: T, rules: { version: 3, at: T }, settings, segments, blocks };
}

describe("the public manifest", () => {
  it("has the public segments that a browser can decide", () => {
    const manifest = manifestOf(
      [segment("viewers", VIEWED), segment("fans", { segment: "viewers" })],
      [block("hero", [{ segment: "fans" }, { any: [{ segment: "viewers" }, VIEWED] }, null]), block("cart", [null])],
    );
    expect(buildPublicManifest(manifest)).toEqual({
      version: 3,
      timeZone: "UTC",
      consentDefault: "full",
      segments: [
        { key: "viewers", condition: VIEWED },
        { key: "fans", condition: { segment: "viewers" } },
      ],
    });
  });

  it("spells out no default, and keeps what only looks like one", () => {
    const like = { type: { eq: "track" }, count: { gte: 1 } };
    const manifest = manifestOf([
      segment("spelled", { not: { all: [{ type: "track", event: "Ping", count: { gte: 1 } }, VIEWED] } }),
      segment("any-name", { type: "track" }),
      segment("page", { type: "page", event: "Home", where: like }),
    ]);
    expect(buildPublicManifest(manifest).segments.map(({ condition }) => condition)).toEqual([
      { not: { all: [{ event: "Ping" }, VIEWED] } },
      { type: "track" },
      { type: "page", event: "Home", where: like },
    ]);
  });

  it("has no key, name or rule of a private segment, nor of what refers to one", () => {
    const manifest = manifestOf(
      [
        segment("secret-vip", { trait: "secret-trait", eq: "secret-value" }, { visibility: "private" }),
        segment("refers", { not: { segment: "secret-vip" } }),
        segment("refers-again", { segment: "refers" }),
        segment("open", VIEWED),
      ],
      [block("hero", [{ segment: "secret-vip" }, { segment: "refers" }, { segment: "open" }])],
    );
    const found = buildPublicManifest(manifest);
    expect(JSON.stringify(found)).not.toMatch(/secret|refers|Name of|hero/);
    expect(found.segments.map(({ key }) => key)).toEqual(["open"]);
    expect(found.partial).toBe(true);
  });

  it("has no static segment and none whose leaves only the edge can decide", () => {
    const manifest = manifestOf([
      segment("list", null),
      segment("birthday", { date: { trait: "birthday" }, anniversary: true, within: "7d" }),
      segment("either", { any: [VIEWED, { segment: "birthday" }] }),
    ]);
    expect(buildPublicManifest(manifest).segments).toEqual([]);
  });

  it("has no segment that refers to itself, however it came to be", () => {
    const manifest = manifestOf([segment("a", { segment: "b" }), segment("b", { segment: "a" })]);
    expect(buildPublicManifest(manifest).segments).toEqual([]);
  });
});

describe("a live site", () => {
  it("decides segments, and audiences from memberships", () => {
    const live = buildLiveSite(
      manifestOf(
        [segment("vip", { trait: "plan", eq: "pro" }), segment("list", null)],
        [block("hero", [{ segment: "vip" }, { segment: "list" }])],
      ),
    );
    const [vip] = live.program.evaluate({ traits: { plan: "pro" }, events: [] }, T);
    expect(vip).toEqual({ value: true, until: null });
    const segments = { vip: { value: false, until: T + 5 }, list: { value: true, until: null } } as const;
    const answers = live.slots.get("hero")!.audiences.evaluate({ traits: {}, events: [], segments }, T);
    const [first, second] = live.slots.get("hero")!.blocks[0]!.variants;
    expect(answers[first!.audience!]).toEqual({ value: false, until: T + 5 });
    expect(answers[second!.audience!]).toEqual({ value: true, until: null });
    expect(live.lists.map(({ key }) => key)).toEqual(["list"]);
  });

  it("says of each audience what it needs, and whether a token is enough", () => {
    const live = buildLiveSite(
      manifestOf(
        [],
        [
          block("a", [{ segment: "vip" }, { context: "page.path", eq: "/" }, null]),
          block("b", [VIEWED]),
          block("c", [{ trait: "x", eq: 1 }]),
        ],
      ),
    );
    expect(live.slots.get("a")).toMatchObject({ tokenOnly: true, segmentKeys: ["vip"] });
    expect(live.slots.get("b")).toMatchObject({ tokenOnly: false });
    expect(live.slots.get("b")!.blocks[0]!.variants[0]!.needs).toMatchObject({ events: true, traits: false });
    expect(live.slots.get("c")!.blocks[0]!.variants[0]!.needs).toMatchObject({ events: false, traits: true });
    expect(live.needs.events).toMatchObject([{ type: "track", event: "Product Viewed" }]);
  });

  it("renders a template without personal values once, and never with anybody's values", () => {
    const live = buildLiveSite(
      manifestOf([], [block("a", [null], "<b>{{ site.id }}</b>"), block("b", [null], "{{ customer.name }}")]),
    );
    const shared = live.slots.get("a")!.blocks[0]!.variants[0]!.template;
    expect(shared.isShared).toBe(true);
    expect(shared.render({ customer: { name: "Ada" } }, T)).toEqual({ html: "<b>s1</b>" });
    expect(shared.render({}, T + 1)).toBe(shared.render({ customer: { name: "Bob" } }, T + 2));
    const personal = live.slots.get("b")!.blocks[0]!.variants[0]!.template;
    expect(personal.isShared).toBe(false);
    expect(personal.render({ customer: { name: "Ada" } }, T)).toEqual({ html: "Ada" });
    expect(personal.render({ customer: { name: "Bob" } }, T)).toEqual({ html: "Bob" });
  });

  it("answers an error for a template that does not parse", () => {
    const live = buildLiveSite(manifestOf([], [block("a", [null], "{% if %}")]));
    expect(live.slots.get("a")!.blocks[0]!.variants[0]!.template.render({}, T)).toEqual({ error: expect.any(String) });
  });

  it("allows its own origins only", () => {
    const live = buildLiveSite(manifestOf([]));
    expect(live.allowsOrigin("https://shop.example")).toBe(true);
    expect(live.allowsOrigin("https://shop.example.evil.example")).toBe(false);
    expect(live.allowsOrigin("null")).toBe(false);
    const open = manifestOf([]);
    open.settings.origins = ["*"];
    expect(buildLiveSite(open).allowsOrigin("https://any.example")).toBe(true);
  });

  it("gives its public manifest an ETag that changes with whatever is in it", () => {
    const { publicManifest, strictManifest } = buildLiveSite(manifestOf([]));
    const again = buildLiveSite(manifestOf([]));
    // The same version: a new Worker may ship the same rules in other words, a restored database others.
    const other = buildLiveSite(manifestOf([segment("viewer", VIEWED)]));
    expect(publicManifest.etag).toMatch(/^"[0-9a-z]+"$/);
    expect([again.publicManifest.etag, again.strictManifest.etag]).toEqual([publicManifest.etag, strictManifest.etag]);
    expect(new Set([publicManifest.etag, strictManifest.etag, other.publicManifest.etag]).size).toBe(3);
    expect(JSON.parse(publicManifest.body)).toMatchObject({ version: 3, consentDefault: "full" });
    expect(JSON.parse(strictManifest.body)).toMatchObject({ version: 3, consentDefault: "off" });
  });
});
