/** What time and changed rules do is of its instant: whenever a job comes by, the log and the memberships are the same. */
import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { ProfileRow } from "../../../edge/db/profiles.ts";
import { ingest } from "../../../edge/ingest/ingest.ts";
import { parseEvent } from "../../../edge/ingest/parse.ts";
import { buildLiveSite } from "../../../edge/manifest/live.ts";
import { forget } from "../../../edge/manifest/memory.ts";
import { publish } from "../../../edge/manifest/publish.ts";
import { readSite } from "../../../edge/manifest/read.ts";
import { backfillSite } from "../../../edge/profiles/backfill.ts";
import { catchUp, type Person } from "../../../edge/profiles/person.ts";
import { wakeDueProfiles } from "../../../edge/profiles/wake.ts";
import type { Condition } from "../../../shared/condition.ts";
import type { Identifier } from "../../../shared/identifier.ts";
import { createRandom, type Random } from "../../unit/shared/random.ts";
import { SEED } from "../../unit/shared/seed.ts";
import { bindings, createSite, track } from "../site.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const plenty = () => ({ deadline: Infinity, statements: Infinity });

interface LogLine {
  who: string;
  segment: string;
  change: string;
  cause: string;
  /** Since the beginning. */
  at: number;
}

/** A site on whose clock nothing happens but what the test does: instants are milliseconds since it began. */
async function createScene(conditions: { [key: string]: Condition }) {
  const segments = Object.entries(conditions).map(([key, condition]) => ({ key, condition }));
  const site = await createSite({ segments });
  const start = (Math.floor(Date.now() / HOUR_MS) + 2) * HOUR_MS;
  await site.rows("UPDATE profiles SET wakes_at = NULL WHERE site_id <> ?1");
  return {
    site,
    async receive(at: number, ...messages: object[]) {
      const live = (await readSite(bindings, site.id, Date.now()))!;
      const events = messages.map((message, place) =>
        parseEvent(
          { timestamp: new Date(start + at).toISOString(), ...message },
          start + at,
          { sentAt: null, context: undefined, newId: () => crypto.randomUUID(), identity: live.identity },
          place,
        ),
      );
      await ingest(env.DB, live, { events, source: "server", receivedAt: start + at });
    },
    /** What somebody is in, from when to when. */
    async read(identifier: Identifier, at: number) {
      const live = (await readSite(bindings, site.id, Date.now()))!;
      const also = [identifier];
      const { personOf } = await ingest(env.DB, live, { events: [], source: "server", receivedAt: start + at, also });
      const decisions = Object.entries(personOf(identifier)!.profile.decisions);
      return Object.fromEntries(
        decisions.map(([key, [since, until]]) => [key, [since - start, until && until - start]]),
      );
    },
    wake: (at: number) => wakeDueProfiles(bindings, () => start + at, plenty()),
    backfill: (at: number) => backfillSite(bindings, site.id, () => start + at, plenty()),
    /** Changes rules, but decides nobody. */
    async publish(at: number, changed: { [key: string]: Condition }) {
      for (const [key, condition] of Object.entries(changed)) {
        await site.rows(
          "UPDATE segments SET condition = ?3, version = version + 1 WHERE site_id = ?1 AND key = ?2",
          key,
          JSON.stringify(condition),
        );
      }
      await publish(bindings, site.id, start + at);
    },
    /** The earliest instant at which somebody is due. */
    async due(): Promise<number> {
      const [row] = await site.rows<{ at: number | null }>(
        "SELECT min(wakes_at) AS at FROM profiles WHERE site_id = ?1",
      );
      return row!.at === null ? Infinity : row!.at - start;
    },
    /** By the strongest name of whoever it was then. */
    async log(): Promise<LogLine[]> {
      return site.rows<LogLine>(
        `SELECT i.identifier AS who, l.segment_key AS segment, l.change, l.cause, l.at - ?2 AS at
         FROM membership_log AS l JOIN identifiers AS i ON i.site_id = l.site_id AND i.birth_id = l.profile_id
         WHERE l.site_id = ?1 ORDER BY i.identifier, l.segment_key, l.id`,
        start,
      );
    },
    async memberships() {
      return site.rows(
        `SELECT i.identifier AS who, m.segment_key AS segment, m.since - ?2 AS since,
           json_extract(p.decisions, '$."' || m.segment_key || '"[0]') - ?2 AS decided
         FROM memberships AS m JOIN identifiers AS i ON i.site_id = m.site_id AND i.birth_id = m.profile_id
         JOIN profiles AS p ON p.site_id = m.site_id AND p.id = m.profile_id
         WHERE m.site_id = ?1 ORDER BY i.identifier, m.segment_key`,
        start,
      );
    },
  };
}

type Scene = Awaited<ReturnType<typeof createScene>>;

const RECENT: Condition = { event: "Product Viewed", within: "1h" };
/** Who viewed and went away: from five minutes on, for ten minutes. */
const GONE: Condition = {
  all: [{ event: "Product Viewed", within: "15m" }, { not: { event: "Product Viewed", within: "5m" } }],
};
const viewed = (more: object = {}) => track("Product Viewed", {}, more);
const brief = (log: LogLine[]) => log.map(({ segment, change, cause, at }) => [segment, change, cause, at / MINUTE_MS]);

describe("time", () => {
  const story = async (jobs: (scene: Scene) => Promise<unknown>) => {
    const scene = await createScene({ recent: RECENT, gone: GONE });
    await scene.receive(0, viewed());
    await jobs(scene);
    return scene;
  };
  const LOG = [
    ["gone", "enter", "time", 5],
    ["gone", "exit", "time", 15],
    ["recent", "enter", "event", 0],
    ["recent", "exit", "time", 60],
  ];

  it("is told as of when it was, however late the cron trigger comes", async () => {
    const inTime = await story(async ({ wake }) => {
      for (let minute = 1; minute <= 70; minute++) await wake(minute * MINUTE_MS);
    });
    const late = await story(async ({ wake }) => {
      for (let minute = 1; minute <= 70; minute += 10) await wake(minute * MINUTE_MS);
    });
    expect(brief(await inTime.log())).toEqual(LOG);
    expect(await late.log()).toEqual(await inTime.log());
    expect(await late.memberships()).toEqual(await inTime.memberships());
  });

  it("tells an enter and the exit that came between two runs, and counts both in their hours", async () => {
    const scene = await story(({ wake }) => wake(70 * MINUTE_MS));
    expect(brief(await scene.log())).toEqual(LOG);
    expect(await scene.memberships()).toEqual([]);
    const hours = await scene.site.rows(
      "SELECT segment_key AS key, entered, exited, members FROM segment_hours WHERE site_id = ?1 ORDER BY key, hour",
    );
    expect(hours).toEqual([
      { key: "gone", entered: 1, exited: 1, members: 0 },
      { key: "recent", entered: 1, exited: 0, members: 1 },
      { key: "recent", entered: 0, exited: 1, members: 0 },
    ]);
  });

  it("goes before an event that comes while it is overdue", async () => {
    const scene = await story(({ receive }) => receive(20 * MINUTE_MS, viewed()));
    await scene.wake(26 * MINUTE_MS);
    expect(brief(await scene.log())).toEqual([
      ["gone", "enter", "time", 5],
      ["gone", "exit", "time", 15],
      ["gone", "enter", "time", 25],
      ["recent", "enter", "event", 0],
    ]);
    expect(await scene.memberships()).toMatchObject([
      { segment: "gone", since: 25 * MINUTE_MS, decided: 25 * MINUTE_MS },
      { segment: "recent", since: 0, decided: 0 },
    ]);
  });

  it("goes before a union, too: the memberships of each are since when they were", async () => {
    const scene = await story(({ receive }) => receive(MINUTE_MS, viewed({ anonymousId: "a2" })));
    await scene.receive(7 * MINUTE_MS, { type: "identify", userId: "u", anonymousId: "a1", messageId: "i1" });
    await scene.receive(8 * MINUTE_MS, { type: "identify", userId: "u", anonymousId: "a2", messageId: "i2" });
    const gone = (await scene.log()).filter(({ segment }) => segment === "gone");
    expect(gone.map(({ who, change, cause, at }) => [who, change, cause, at / MINUTE_MS])).toEqual([
      ["anonymousId:a1", "enter", "time", 5],
      ["anonymousId:a2", "enter", "time", 6],
      ["anonymousId:a2", "exit", "identity", 8],
    ]);
    expect(await scene.memberships()).toMatchObject([
      { who: "anonymousId:a1", segment: "gone", since: 5 * MINUTE_MS, decided: 5 * MINUTE_MS },
      { who: "anonymousId:a1", segment: "recent", since: 0, decided: 0 },
    ]);
  });

  it("is told by a reading as it is, though nobody has written it yet", async () => {
    const scene = await createScene({ recent: RECENT, gone: GONE });
    await scene.receive(0, viewed());
    forget();
    expect(await scene.read("anonymousId:a1", 7 * MINUTE_MS)).toEqual({
      recent: [0, HOUR_MS],
      gone: [5 * MINUTE_MS, 15 * MINUTE_MS],
    });
    expect(await scene.memberships()).toHaveLength(1);
  });
});

describe("a change of rules", () => {
  it("holds from its publish on, though the backfill comes in the night", async () => {
    const scene = await createScene({ recent: RECENT });
    await scene.receive(0, viewed(), viewed({ anonymousId: "a2" }));
    await scene.publish(10 * MINUTE_MS, { recent: { event: "Product Viewed", within: "2h" } });
    await scene.publish(20 * MINUTE_MS, { recent: { not: { event: "Product Viewed", within: "2h" } } });
    await scene.receive(30 * MINUTE_MS, track("Other", {}, { anonymousId: "a2" }));
    await scene.backfill(9 * HOUR_MS);
    await scene.wake(9 * HOUR_MS);
    expect(await scene.log()).toEqual(
      ["anonymousId:a1", "anonymousId:a2"].flatMap((who) => [
        { who, segment: "recent", change: "enter", cause: "event", at: 0 },
        { who, segment: "recent", change: "exit", cause: "rule", at: 20 * MINUTE_MS },
        { who, segment: "recent", change: "enter", cause: "time", at: 120 * MINUTE_MS },
      ]),
    );
    expect(await scene.memberships()).toMatchObject([{ since: 2 * HOUR_MS }, { since: 2 * HOUR_MS }]);
  });

  it("comes before the event that comes before the backfill", async () => {
    const scene = await createScene({ recent: { event: "Nothing" } });
    await scene.receive(0, viewed());
    await scene.publish(10 * MINUTE_MS, { recent: RECENT });
    await scene.receive(20 * MINUTE_MS, viewed());
    expect(brief(await scene.log())).toEqual([["recent", "enter", "rule", 10]]);
    expect(await scene.backfill(30 * MINUTE_MS)).toEqual({ decided: 0, changed: 0 });
  });

  it("decides what was overdue before it: the old rules are gone", async () => {
    const scene = await createScene({ recent: RECENT, gone: GONE });
    await scene.receive(0, viewed());
    await scene.publish(10 * MINUTE_MS, { recent: { event: "Nothing" } });
    await scene.wake(20 * MINUTE_MS);
    expect(brief(await scene.log())).toEqual([
      ["gone", "enter", "rule", 10],
      ["gone", "exit", "time", 15],
      ["recent", "enter", "event", 0],
      ["recent", "exit", "rule", 10],
    ]);
  });

  it("of which no instant is known holds from now on", async () => {
    const scene = await createScene({ recent: { event: "Nothing" } });
    await scene.receive(0, viewed());
    await scene.publish(10 * MINUTE_MS, { recent: RECENT });
    await scene.site.rows("UPDATE sites SET rules_at = 0 WHERE id = ?1"); // as the migration leaves it
    await env.KV.put(`manifest:${scene.site.id}`, JSON.stringify({ siteId: scene.site.id, version: 2 }));
    forget();
    await scene.backfill(20 * MINUTE_MS);
    expect(brief(await scene.log())).toEqual([["recent", "enter", "rule", 20]]);
  });
});

describe("catchUp", () => {
  const rule: Condition = { event: "A", within: "1m" };

  /** In and out by turns, minute by minute. */
  function personOf(profile: Partial<ProfileRow>, times: number): Person {
    const events = Array.from({ length: times }, (_, n) => ({
      type: "track" as const,
      event: "A",
      timestamp: 2 * n * MINUTE_MS,
      properties: {},
    }));
    const row: ProfileRow = {
      ...{ id: "p", stableId: "s", firstSeen: 0, lastSeen: 0, version: 1, mergedInto: null },
      ...{ decisions: {}, wakesAt: 0, manifestVersion: 1 },
      ...profile,
    };
    return {
      profile: row,
      group: { nodes: [], profileIds: new Set(["p"]) },
      carried: { ...row.decisions },
      ...{ traits: {}, traitSources: new Map(), consent: undefined, standing: undefined },
      events,
    };
  }
  const live = buildLiveSite({
    ...{ siteId: "s", version: 5, publishedAt: 0, rules: { version: 3, at: 7 }, blocks: [] },
    settings: { timeZone: "UTC", consentDefault: "full", origins: [] },
    segments: [
      { key: "a", name: "A", kind: "dynamic", condition: rule, visibility: "private", version: 2, createdAt: 0 },
    ],
  });

  it("leaves who is up to date as they are", () => {
    const person = personOf({ wakesAt: 11, manifestVersion: 3 }, 1);
    const { profile } = person;
    expect(catchUp(person, live, 10)).toEqual([]);
    expect(person.profile).toBe(profile);
    expect(person.standing).toBeUndefined();
  });

  it("decides nobody as of before they were seen last", () => {
    const person = personOf({ lastSeen: 9, decisions: { b: [1, null] } }, 1);
    expect(catchUp(person, live, 10)).toMatchObject([
      { segmentKey: "b", change: "exit", cause: "rule", at: 9, since: null, segmentVersion: 0 },
      { segmentKey: "a", change: "enter", cause: "rule", at: 9, since: 9, segmentVersion: 2 },
    ]);
    expect(person.profile).toMatchObject({ version: 1, manifestVersion: 5, lastSeen: 9 });
  });

  it("jumps to the end where there are too many steps", () => {
    const person = personOf({ manifestVersion: 5 }, 500);
    const end = 999 * MINUTE_MS;
    const changes = catchUp(person, live, end);
    expect(changes.length).toBeGreaterThan(200);
    expect(changes.length).toBeLessThan(300);
    const inTurn = changes.slice(0, -1);
    expect(inTurn.map(({ change, at }) => [change, at])).toEqual(
      inTurn.map((_, index) => [index % 2 ? "exit" : "enter", index * MINUTE_MS]),
    );
    expect(changes.at(-1)).toMatchObject({ change: "exit", at: end });
    expect(person.profile.wakesAt).toBeNull();
    expect(person.profile.decisions).toEqual({});
  });
});

const CONDITIONS: Condition[] = [
  { event: "A" },
  { event: "A", within: "20s" },
  { event: "B", within: "30s", count: { gte: 2 } },
  { event: "A", sum: "x", within: "40s", gte: 5 },
  { event: "A", unless: { event: "B" }, after: "10s", within: "60s" },
  { not: { trait: "plan", eq: "pro" } },
  { all: [{ event: "A" }, { not: { event: "B", within: "20s" } }] },
  { all: [{ segment: "s0" }, { not: { event: "B", within: "25s" } }] },
  { not: { segment: "s0" } },
];

type Happening = { at: number } & ({ messages: object[] } | { rules: { [key: string]: Condition } });

function randomHappenings(random: Random): Happening[] {
  const who = () =>
    random.pick([
      { anonymousId: `a${random.below(4)}` },
      { userId: `u${random.below(2)}`, anonymousId: `a${random.below(4)}` },
    ]);
  let at = 0;
  return Array.from({ length: 25 }, () => {
    at += 1 + random.below(15 * SECOND_MS);
    if (random.chance(0.15)) return { at, rules: { [`s${random.below(3)}`]: random.pick(CONDITIONS.slice(0, 7)) } };
    const message = () =>
      random.chance(0.3)
        ? { ...track(""), ...who(), type: "identify", traits: { plan: random.pick(["pro", "free"]) } }
        : track(random.pick(["A", "B"]), { x: random.below(6) }, who());
    return { at, messages: Array.from({ length: 1 + random.below(3) }, message) };
  });
}

/** Lets it all happen, with a cron trigger that comes at each of the instants that `next` says after the one before. */
async function play(scene: Scene, happenings: Happening[], next: (after: number) => Promise<number>, isWarm: boolean) {
  let job = await next(0);
  const runUntil = async (at: number) => {
    for (; job < at; job = await next(job)) {
      await scene.backfill(job);
      await scene.wake(job);
    }
  };
  for (const happening of happenings) {
    await runUntil(happening.at);
    if (!isWarm) forget();
    if ("messages" in happening) {
      await scene.receive(happening.at, ...happening.messages);
    } else {
      // What is overdue at a change of rules is decided by the new ones: so that worlds can be compared, nothing is.
      await scene.backfill(happening.at);
      await scene.wake(happening.at);
      await scene.publish(happening.at, happening.rules);
    }
  }
  await runUntil(happenings.at(-1)!.at + 2 * MINUTE_MS);
  await scene.backfill(happenings.at(-1)!.at + 2 * MINUTE_MS);
  await scene.wake(happenings.at(-1)!.at + 2 * MINUTE_MS);
}

it.each([0, 1, 2, 3])(
  `of any events and rules the log and the memberships are the same, whenever the jobs come (seed ${SEED} + %i)`,
  async (offset) => {
    const random = createRandom(SEED + offset);
    const happenings = randomHappenings(random);
    const rules = {
      ...{ s0: CONDITIONS[random.below(7)]!, s1: CONDITIONS[random.below(7)]!, s2: CONDITIONS[random.below(7)]! },
      ...{ t0: CONDITIONS[7]!, t1: CONDITIONS[8]! },
    };
    const worlds: unknown[] = [];
    for (const pace of ["exact", "often", "seldom", "never"] as const) {
      const scene = await createScene(rules);
      const next = async (after: number) => {
        if (pace === "exact") return Math.max(after + 1, await scene.due());
        return after + { often: SECOND_MS, seldom: 20 * SECOND_MS + random.below(HOUR_MS / 10), never: Infinity }[pace];
      };
      await play(scene, happenings, next, pace === "often");
      worlds.push({ log: await scene.log(), memberships: await scene.memberships() });
    }
    const [first, ...others] = worlds as { log: LogLine[] }[];
    expect(first!.log.length).toBeGreaterThan(20);
    expect(new Set(first!.log.map(({ cause }) => cause))).toContain("time");
    for (const other of others) expect(other).toEqual(first);
  },
  60_000,
);
