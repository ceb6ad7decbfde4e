/** How many identifiers come together, which stay out, and why: graphs in memory first, then requests. */
import { env } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { IdentifierRow } from "../../../edge/db/identifiers.ts";
import { linkId } from "../../../edge/db/links.ts";
import { type Decision, describeDecision } from "../../../edge/identity/decision.ts";
import { buildPolicy, type IdentityPolicy } from "../../../edge/identity/policy.ts";
import { groupStored, resolveIdentities } from "../../../edge/identity/resolve.ts";
import { type IngestEvent, parseEvent } from "../../../edge/ingest/parse.ts";
import type { Identifier, IdentitySettings, Window } from "../../../shared/identifier.ts";
import { PROFILE_IDENTIFIERS } from "../../../shared/limits.ts";
import { createRandom, type Random } from "../../unit/shared/random.ts";
import { SEED } from "../../unit/shared/seed.ts";
import { newSite } from "../api/client.ts";
import { createSite, type TestSite } from "../site.ts";

const DAY = 86_400_000;
const rule = (kind: string, limit: number, window: Window = "ever") => ({ kind, limit, window });

/** A site's graph, as if each request were stored and read again. */
class World {
  readonly nodes = new Map<Identifier, IdentifierRow>();
  readonly #known = new Set<string>();
  readonly #refused = new Set<string>();
  readonly policy: IdentityPolicy;
  now = Date.UTC(2026, 0, 1);
  #messages = 0;

  constructor(settings: IdentitySettings = {}) {
    this.policy = buildPolicy(settings);
  }

  send(message: object, isTrusted = true): ReturnType<typeof resolveIdentities> {
    const event = this.parse(message);
    const graph = { nodes: this.nodes, knownLinks: this.#known, refusedLinks: this.#refused, isRemembered: false };
    const options = { receivedAt: this.now, newId: birthId, isTrusted, identity: this.policy };
    const resolution = resolveIdentities(graph, { events: [event] }, options);
    for (const { a, b } of resolution.conflicts) this.#refused.add(linkId(a, b));
    for (const id of resolution.solved) this.#refused.delete(id);
    for (const { a, b } of resolution.links) this.#known.add(linkId(a, b));
    for (const node of resolution.newNodes) this.nodes.set(node.identifier, node);
    for (const group of new Set(resolution.groupOf.values())) {
      const id = group.nodes[0]!.birthId;
      for (const node of group.nodes) node.profileId = id;
    }
    return resolution;
  }

  parse(message: object): IngestEvent {
    const defaults = { sentAt: null, context: undefined, newId: () => `m${++this.#messages}`, identity: this.policy };
    return parseEvent({ type: "identify", ...message }, this.now, defaults);
  }

  /** Identifiers that belong together, sorted. */
  people(): Identifier[][] {
    const groups = new Set(groupStored(this.nodes).values());
    return [...groups].map(({ nodes }) => nodes.map(({ identifier }) => identifier).sort()).sort();
  }
}

const birthId = (identifier: Identifier) => `p_${identifier}`;

/** What became of each identifier, in short. */
function outcomesOf(decisions: readonly Decision[]): string[] {
  return decisions.map((it) => (it.outcome === "refused" ? `refused ${it.kind}` : `${it.outcome} ${it.identifier}`));
}

const external = (ids: { [kind: string]: string }) => ({
  externalIds: Object.entries(ids).map(([type, id]) => ({ type, id, collection: "users", encoding: "none" })),
});

describe("a limit", () => {
  it("leaves out one identifier, not those after it", () => {
    const world = new World();
    for (let i = 0; i < 5; i++) world.send({ userId: "ann", traits: { email: `${i}@x.example` } });
    const { conflicts, explanations } = world.send({
      userId: "ann",
      anonymousId: "d",
      traits: { email: "5@x.example", phone: "+4930123456" },
    });
    expect(conflicts).toMatchObject([
      { a: "userId:ann", b: "email:5@x.example", reason: "a profile holds at most 5 of kind email" },
    ]);
    expect(outcomesOf(explanations[0]!.decisions)).toEqual([
      "owner userId:ann",
      "left-out email:5@x.example",
      "linked phone:+4930123456",
      "linked anonymousId:d",
    ]);
    expect(explanations[0]!.decisions[1]).toEqual({
      outcome: "left-out",
      identifier: "email:5@x.example",
      birthId: null,
      exclusion: { why: "limit", kind: "email", limit: 5, window: "ever", count: 6, holder: "p_email:0@x.example" },
    });
  });

  it("keeps the stronger of two identifiers that do not fit together, whatever their order in the message", () => {
    const kinds = [rule("userId", 1), rule("crm", 1), rule("email", 1), rule("card", 1), rule("anonymousId", 9)];
    for (const flip of [false, true]) {
      const world = new World({ kinds });
      world.send({ anonymousId: "old", traits: { email: "e@x.example" }, context: external({ card: "k1" }) });
      const ids = Object.entries({ crm: "c1", card: "k2" });
      const context = external(Object.fromEntries(flip ? ids.reverse() : ids));
      const { explanations } = world.send({ anonymousId: "new", traits: { email: "e@x.example" }, context });
      expect(outcomesOf(explanations[0]!.decisions)).toEqual([
        "owner anonymousId:new",
        "linked crm:c1",
        "linked email:e@x.example",
        "left-out card:k2",
      ]);
    }
  });

  it("of users is named by who holds the device, by birth id", () => {
    const world = new World();
    world.send({ userId: "ann", anonymousId: "tablet" });
    const { explanations } = world.send({ userId: "bob", anonymousId: "tablet", traits: { email: "null" } });
    expect(explanations).toEqual([
      {
        messageId: "m2",
        decisions: [
          { outcome: "owner", identifier: "userId:bob", birthId: "p_userId:bob" },
          {
            outcome: "left-out",
            identifier: "anonymousId:tablet",
            birthId: "p_anonymousId:tablet",
            exclusion: { why: "limit", kind: "userId", limit: 1, window: "ever", count: 2, holder: "p_userId:ann" },
          },
          { outcome: "refused", kind: "email", reason: "blocked" },
        ],
      },
    ]);
    expect(explanations[0]!.decisions.map(describeDecision)).toEqual([
      "the message stays with its userId",
      "its anonymousId is left out: a profile holds at most 1 of kind userId",
      "a value of kind email is refused: it is on the block list",
    ]);
    // Said again, it is no news.
    expect(world.send({ userId: "bob", anonymousId: "tablet" })).toMatchObject({ conflicts: [], explanations: [] });
  });

  it("that was lowered keeps nobody from growing otherwise", () => {
    const world = new World({ kinds: [rule("userId", 1), rule("email", 3), rule("anonymousId", 9)] });
    for (let i = 0; i < 3; i++) world.send({ userId: "ann", traits: { email: `${i}@x.example` } });
    const strict = new World({ kinds: [rule("userId", 1), rule("email", 1), rule("anonymousId", 9)] });
    for (const [identifier, node] of world.nodes) strict.nodes.set(identifier, node);
    expect(strict.send({ userId: "ann", anonymousId: "d" }).links).toHaveLength(1);
    expect(strict.send({ userId: "ann", traits: { email: "3@x.example" } }).conflicts).toHaveLength(1);
  });

  it("within a window is open again when the window is over", () => {
    const world = new World({ kinds: [rule("userId", 1), rule("email", 2, "week"), rule("anonymousId", 9)] });
    const say = (email: string) => world.send({ userId: "ann", traits: { email: `${email}@x.example` } });
    expect(say("a").links).toHaveLength(1);
    world.now += 3 * DAY;
    expect(say("b").links).toHaveLength(1);
    world.now += 4 * DAY - 1;
    expect(say("c").conflicts).toMatchObject([{ reason: "a profile gains at most 2 of kind email within a week" }]);
    world.now += 1;
    expect(say("c").links).toHaveLength(1);
    expect(say("d").conflicts).toHaveLength(1);
  });

  it("counts what an identifier was linked to before, when people are united", () => {
    const world = new World({ kinds: [rule("userId", 1), rule("email", 2, "day"), rule("anonymousId", 9)] });
    world.send({ anonymousId: "d", traits: { email: "a@x.example" } });
    world.send({ anonymousId: "d", traits: { email: "b@x.example" } });
    world.send({ userId: "ann", traits: { email: "c@x.example" } });
    expect(world.send({ userId: "ann", anonymousId: "d" }).conflicts).toHaveLength(1);
    world.now += DAY;
    expect(world.send({ userId: "ann", anonymousId: "d" }).links).toHaveLength(1);
  });
});

describe("a browser's word", () => {
  it.each([["email"], ["phone"], ["loyalty"]])("on %s leads into nobody's profile", (kind) => {
    const kinds = [rule("userId", 1), rule("email", 5), rule("phone", 5), rule("loyalty", 5), rule("anonymousId", 9)];
    const world = new World({ kinds });
    const value = { email: "ann@x.example", phone: "+4930123456", loyalty: "L1" }[kind]!;
    const message = { context: external({ [kind]: value }) };
    world.send({ userId: "ann", ...message });
    const { conflicts } = world.send({ anonymousId: "d", ...message }, false);
    expect(conflicts).toMatchObject([{ b: `${kind}:${value}`, reason: expect.stringContaining("browser") }]);
    expect(world.send({ anonymousId: "d", ...message }).links).toHaveLength(1);
  });
});

describe("whatever is sent", () => {
  it("no limit is ever exceeded, and no two users meet", () => {
    for (let i = 0; i < 40; i++) {
      const random = createRandom(SEED + i);
      const settings = drawSettings(random);
      const world = new World(settings);
      const hint = `ATTUNE_SEED=${SEED + i} ${JSON.stringify(settings)}`;
      for (let n = 0; n < 80; n++) {
        world.now += random.pick([0, 1, DAY / 30, DAY, 8 * DAY]);
        world.send(drawMessage(random), random.chance(0.5));
        expect(breachesOf(world), hint).toEqual([]);
      }
    }
  });

  it("a message keeps at least what Segment's retries would keep", () => {
    for (let i = 0; i < 300; i++) {
      const random = createRandom(SEED + 1_000 + i);
      const settings = drawSettings(random);
      const world = new World(settings);
      for (let n = 0; n < 30; n++) world.send(drawMessage(random));
      const message = drawMessage(random);
      const identifiers = world.parse(message).identifiers;
      const kept = segmentKeeps(world, identifiers);
      const after = world.send(message).groupOf;
      const hint = `ATTUNE_SEED=${SEED + i} ${JSON.stringify([settings, message])}`;
      const owner = world.parse(message).owner;
      if (kept.includes(owner)) for (const it of kept) expect(after.get(it), hint).toBe(after.get(owner));
    }
  });

  it("10,000 identifiers on one device are at most one profile's worth", () => {
    const world = new World({ kinds: [rule("userId", 1), rule("email", 200), rule("anonymousId", 200)] });
    for (let i = 0; i < 10_000; i++) world.send({ anonymousId: "kiosk", traits: { email: `${i}@x.example` } });
    const [kiosk] = world.people();
    expect(kiosk).toHaveLength(PROFILE_IDENTIFIERS);
    expect(world.nodes.size).toBe(PROFILE_IDENTIFIERS);
    const { explanations } = world.send({ userId: "ann", anonymousId: "kiosk" });
    expect(explanations[0]!.decisions[1]).toMatchObject({ exclusion: { why: "size", limit: 200, count: 201 } });
  });

  it("aliases in a circle come to an end", () => {
    const world = new World();
    const names = ["a", "b", "c", "d"];
    for (const round of [1, 2])
      for (const [i, name] of names.entries()) {
        world.now += round;
        world.send({ type: "alias", userId: name, previousId: names[(i + 1) % names.length] });
      }
    world.send({ type: "alias", userId: "a", previousId: "a" });
    // A previousId that nobody has as a user is a device's: no two users meet.
    for (const person of world.people()) expect(person.filter((it) => it.startsWith("userId:"))).toHaveLength(1);
  });
});

const KINDS = ["email", "phone", "crm", "constructor"];

function drawSettings(random: Random): IdentitySettings {
  const windows: Window[] = ["ever", "ever", "hour", "day", "week"];
  const kinds = random
    .shuffle([...KINDS, "anonymousId"])
    .map((kind) => rule(kind, 1 + random.below(3), random.pick(windows)));
  return { kinds: [rule("userId", 1), ...kinds] };
}

function drawMessage(random: Random): object {
  const name = () => random.pick(["a", "b", "c", "d", "e", "f"]);
  const ids = Object.fromEntries(random.some(KINDS).map((kind) => [kind, wordOf(kind, name())]));
  const message = { context: external(ids), anonymousId: name(), ...(random.chance(0.5) && { userId: name() }) };
  return random.chance(0.15) ? { ...message, type: "alias", previousId: name() } : message;
}

function wordOf(kind: string, name: string): string {
  if (kind === "email") return `${name}@x.example`;
  return kind === "phone" ? `+493012345${name.charCodeAt(0)}` : name;
}

/** Kinds of which some profile holds too many. */
function breachesOf(world: World): string[] {
  return [...new Set(groupStored(world.nodes).values())].flatMap(({ nodes }) => {
    const kinds = world.policy.kinds.values().filter(({ kind, limit, windowMs }) => {
      const counted = nodes.filter(
        ({ identifier, linkedAt = world.now }) => identifier.startsWith(`${kind}:`) && linkedAt > world.now - windowMs,
      );
      return counted.length > limit;
    });
    return [...kinds.map(({ kind }) => kind), ...(nodes.length > PROFILE_IDENTIFIERS ? ["all"] : [])];
  });
}

/** As Segment documents it: all together, else the weakest is left out and it is tried again. */
function segmentKeeps(world: World, identifiers: readonly Identifier[]): Identifier[] {
  const groupOf = groupStored(world.nodes);
  for (let kept = [...identifiers]; kept.length > 1; kept = kept.slice(0, -1)) {
    const groups = new Set(kept.flatMap((identifier) => groupOf.get(identifier) ?? []));
    const nodes = [...groups].flatMap((group) => group.nodes);
    const fresh = kept.filter((identifier) => !groupOf.has(identifier));
    const fits = [...world.policy.kinds.values()].every(({ kind, limit, windowMs }) => {
      const old = nodes.filter(
        ({ identifier, linkedAt = world.now }) => identifier.startsWith(`${kind}:`) && linkedAt > world.now - windowMs,
      );
      return old.length + fresh.filter((identifier) => identifier.startsWith(`${kind}:`)).length <= limit;
    });
    if (fits) return kept;
  }
  return identifiers.slice(0, 1);
}

describe("over HTTP", () => {
  const identitySettings = {
    kinds: [rule("userId", 1), rule("loyalty", 2, "week"), rule("email", 5), rule("anonymousId", 50)],
    blocked: [{ kind: "loyalty", pattern: "demo*" }],
  };
  const openSite = () => createSite({ settings: { identity: identitySettings } });
  let count = 0;
  const identify = (userId: string | undefined, loyalty: unknown, more: object = {}) => ({
    type: "identify",
    ...(userId && { userId }),
    context: { externalIds: [{ type: "loyalty", id: loyalty, collection: "users", encoding: "none" }] },
    messageId: `limits-${++count}`,
    ...more,
  });
  const identifiersOf = async (site: TestSite) =>
    (await site.rows<{ identifier: string }>("SELECT identifier FROM identifiers WHERE site_id = ?1 ORDER BY 1")).map(
      ({ identifier }) => identifier,
    );

  it("links are counted from when they were stored", async () => {
    const site = await openSite();
    await site.batch([identify("ann", "L1")]);
    await site.batch([identify("ann", "L2")]);
    await site.batch([identify("ann", "L3")]);
    expect(await identifiersOf(site)).toEqual(["loyalty:L1", "loyalty:L2", "userId:ann"]);
    const conflicts = await site.rows("SELECT a, b, reason FROM conflicts WHERE site_id = ?1");
    expect(conflicts).toEqual([
      { a: "userId:ann", b: "loyalty:L3", reason: "a profile gains at most 2 of kind loyalty within a week" },
    ]);
    // A week goes by.
    await env.DB.prepare("UPDATE links SET at = at - ?2 WHERE site_id = ?1")
      .bind(site.id, 7 * DAY)
      .run();
    await site.batch([identify("ann", "L3")]);
    expect(await identifiersOf(site)).toContain("loyalty:L3");
    expect(await site.rows("SELECT id FROM conflicts WHERE site_id = ?1")).toEqual([]);
  });

  it("each decision is in the audit trail, a refused value without what it was", async () => {
    const site = await openSite();
    await site.batch([identify("ann", "L1", { anonymousId: "d" })]);
    await site.batch([identify("bob", "demo-7", { anonymousId: "d", messageId: "shared" })]);
    const entries = await site.rows<{ action: string; detail: string; subjects: string }>(
      "SELECT action, detail, subjects FROM audit WHERE site_id = ?1 ORDER BY seq",
    );
    expect(entries.map(({ action }) => action)).toEqual(["link", "refuse"]);
    const births = new Map(
      (
        await site.rows<{ identifier: string; birth_id: string }>(
          "SELECT identifier, birth_id FROM identifiers WHERE site_id = ?1",
        )
      ).map((row) => [row.identifier, row.birth_id]),
    );
    expect(JSON.parse(entries[1]!.detail)).toEqual({
      messageId: "shared",
      decisions: [
        { outcome: "owner", identifier: "userId:bob", birthId: births.get("userId:bob") },
        {
          outcome: "left-out",
          identifier: "anonymousId:d",
          birthId: births.get("anonymousId:d"),
          exclusion: {
            why: "limit",
            kind: "userId",
            limit: 1,
            window: "ever",
            count: 2,
            holder: births.get("userId:ann"),
          },
        },
        { outcome: "refused", kind: "loyalty", reason: "blocked" },
      ],
    });
    expect(JSON.stringify(entries)).not.toContain("demo-7");
  });

  it("refused values are counted, once however often a message comes, and cost no message", async () => {
    const site = await openSite();
    const messages = [
      identify("ann", "demo-1"),
      identify("ann", "demo-2"),
      identify("ann", { not: "text" }),
      identify("bob", "x".repeat(300), { traits: { email: "nobody" } }),
      identify(undefined, "demo-3", { userId: "null" }),
    ];
    const answer = await site.batch(messages);
    expect(answer).toMatchObject({
      accepted: 4,
      rejected: [{ index: 4, problem: { errors: [{ pointer: "/userId", code: "blocked" }] } }],
    });
    await site.batch(messages.slice(0, 4));
    const rows = await site.rows(
      "SELECT kind, reason, count FROM refused_identifiers WHERE site_id = ?1 ORDER BY kind, reason",
    );
    expect(rows).toEqual([
      { kind: "email", reason: "malformed", count: 1 },
      { kind: "loyalty", reason: "blocked", count: 3 },
      { kind: "loyalty", reason: "malformed", count: 1 },
      { kind: "loyalty", reason: "too-long", count: 1 },
      { kind: "userId", reason: "blocked", count: 1 },
    ]);
  });

  it("are counted of messages that name nobody alone, too, and told by day", async () => {
    const { siteId, writeKey, get } = await newSite();
    const send = (batch: object[]) =>
      exports.default.fetch("https://edge.example/v1/batch", {
        method: "POST",
        body: JSON.stringify({ writeKey, batch }),
      });
    await send([{ type: "track", event: "E", userId: "undefined", anonymousId: "0" }]);
    await send([{ type: "track", event: "E" }]);
    const day = new Date(Math.floor(Date.now() / DAY) * DAY).toISOString();
    expect(await get(`/api/sites/${siteId}/refused-identifiers`)).toEqual({
      data: [
        { day, kind: "anonymousId", reason: "blocked", count: 1 },
        { day, kind: "userId", reason: "blocked", count: 1 },
      ],
    });
    expect(await get(`/api/sites/${siteId}/refused-identifiers?to=2026-01-01`)).toEqual({ data: [] });
  });

  it("10,000 addresses on one device lose no message and make no giant", async () => {
    const site = await createSite();
    for (let part = 0; part < 4; part++) {
      const batch = Array.from({ length: 2_500 }, (_, i) => ({
        type: "identify",
        anonymousId: "kiosk",
        traits: { email: `${part}.${i}@x.example` },
        messageId: `${part}.${i}`,
      }));
      expect(await site.batch(batch)).toMatchObject({ accepted: 2_500, rejected: [] });
    }
    const kept = ["anonymousId:kiosk", ...[0, 1, 2, 3, 4].map((i) => `email:0.${i}@x.example`)];
    expect(await identifiersOf(site)).toEqual(kept);
    const [conflicts] = await site.rows("SELECT count(*) AS n FROM conflicts WHERE site_id = ?1");
    expect(conflicts).toEqual({ n: 9_995 });
  }, 60_000);

  it("prototype names, long texts and odd shapes are taken as what they are", async () => {
    const kinds = [rule("userId", 1), rule("constructor", 5), rule("toString", 5), rule("anonymousId", 50)];
    const site = await createSite({ settings: { identity: { kinds } } });
    const externalIds = [
      { type: "constructor", id: "__proto__" },
      { type: "toString", id: "constructor" },
      { type: "__proto__", id: "x" },
      { type: "hasOwnProperty", id: "x" },
      { type: "constructor", id: "x".repeat(5_000) },
      { type: "constructor", id: ["a"] },
      { type: { a: 1 }, id: "x" },
      JSON.parse('{"__proto__": {"type": "constructor", "id": "polluted"}}'),
      [],
      null,
    ];
    const answer = await site.batch([{ type: "track", event: "E", userId: "__proto__", context: { externalIds } }]);
    expect(answer).toMatchObject({ accepted: 1, rejected: [] });
    expect(await identifiersOf(site)).toEqual(["constructor:__proto__", "toString:constructor", "userId:__proto__"]);
  });
});
