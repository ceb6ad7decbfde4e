/**
 * An unmerge gives what a world would hold in which the link never was. Both worlds see the same at the same instants; in one of
 * them the pair was ruled out before anything happened. Whatever is stored is compared, but for ids that are drawn at random.
 */
import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import type { ConsentStatement } from "../../../edge/db/consents.ts";
import { linkId } from "../../../edge/db/links.ts";
import { linkIdentifiers } from "../../../edge/identity/link.ts";
import { unlink } from "../../../edge/identity/unlink.ts";
import { ingest, StaleSite } from "../../../edge/ingest/ingest.ts";
import { parseEvent } from "../../../edge/ingest/parse.ts";
import type { LiveSite } from "../../../edge/manifest/live.ts";
import { publish } from "../../../edge/manifest/publish.ts";
import { readSite, renewSite } from "../../../edge/manifest/read.ts";
import { backfillSite } from "../../../edge/profiles/backfill.ts";
import { readProfileView } from "../../../edge/profiles/read.ts";
import { wakeDueProfiles } from "../../../edge/profiles/wake.ts";
import { applyList } from "../../../edge/segments/upload.ts";
import type { Condition } from "../../../shared/condition.ts";
import type { Identifier, Source } from "../../../shared/identifier.ts";
import { createRandom, type Random } from "../../unit/shared/random.ts";
import { SEED } from "../../unit/shared/seed.ts";
import { bindings, createSite, type TestSite } from "../site.ts";

const CASES = Number(process.env["ATTUNE_CASES"] ?? 12);
const STEPS = 60;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const plenty = () => ({ deadline: Number.POSITIVE_INFINITY, statements: 10_000 });

const RULES: readonly Condition[] = [
  { event: "A", count: { gte: 2 } },
  { event: "A", within: "3d", count: { gte: 2 } },
  { event: "B", within: "6h" },
  { event: "A", unless: { event: "B" }, after: "1d", within: "10d" },
  {
    all: [
      { trait: "plan", eq: "pro" },
      { event: "A", within: "2d" },
    ],
  },
  { not: { event: "B", within: "1d" } },
  { trait: "score", gte: 2 },
  { event: "A", within: "30d", sum: "n", gte: 5 },
  { segment: "vip" },
] as Condition[];

const DEVICES = ["d0", "d1", "d2", "d3", "d4"];
const USERS = ["u0", "u1", "u2"];
const EMAILS = ["a@x.example", "b@x.example", "c@x.example"];

type Step =
  | { kind: "ingest"; now: number; source: Source; messages: Record<string, unknown>[] }
  | { kind: "consent"; now: number; statement: Omit<ConsentStatement, "policyVersion"> }
  | { kind: "list"; now: number; mode: "add" | "remove" | "replace"; identifiers: Identifier[] }
  | { kind: "link"; now: number; a: Identifier; b: Identifier }
  | { kind: "rule"; now: number; key: string; condition: Condition }
  | { kind: "policy"; now: number; emails: number; devices: number }
  | { kind: "wake"; now: number };

let count = 0;

function messageOf(random: Random, now: number): Record<string, unknown> {
  const at = random.chance(0.3) ? now - random.below(4 * DAY) : now;
  const base = { messageId: `m${++count}`, timestamp: new Date(at).toISOString() };
  const device = { anonymousId: random.pick(DEVICES) };
  const traits = {
    ...(random.chance(0.5) && { plan: random.pick(["pro", "free", null]) }),
    ...(random.chance(0.5) && { score: random.below(4) }),
    ...(random.chance(0.4) && { email: random.pick(EMAILS) }),
  };
  const properties = { n: random.below(4) };
  switch (random.below(8)) {
    case 0:
    case 1:
      return { ...base, ...device, type: "identify", userId: random.pick(USERS), traits };
    case 2:
      return { ...base, ...device, type: "identify", traits };
    case 3:
      return { ...base, type: "alias", userId: random.pick(USERS), previousId: random.pick([...DEVICES, ...USERS]) };
    case 4:
      return { ...base, type: "track", event: random.pick(["A", "B"]), userId: random.pick(USERS), properties };
    default:
      return { ...base, ...device, type: "track", event: random.pick(["A", "A", "B"]), properties };
  }
}

function buildSteps(random: Random, from: number, steps: number): Step[] {
  let now = from;
  const identifiers = [
    ...DEVICES.map((id) => `anonymousId:${id}`),
    ...USERS.map((id) => `userId:${id}`),
    ...EMAILS.map((id) => `email:${id}`),
  ];
  return Array.from({ length: steps }, (): Step => {
    now += 1_000 + random.below(random.chance(0.2) ? 3 * DAY : 10 * MINUTE);
    const kind = random.below(20);
    if (kind === 0) return { kind: "rule", now, key: `s${random.below(4)}`, condition: random.pick(RULES) };
    if (kind === 1) {
      const mode = random.pick(["add", "add", "remove", "replace"] as const);
      return { kind: "list", now, mode, identifiers: random.list(1, 3, () => random.pick(identifiers)) };
    }
    if (kind === 2) return { kind: "link", now, a: random.pick(identifiers), b: random.pick(identifiers) };
    if (kind === 3) {
      const granted = random.chance(0.5);
      const statement = {
        identifier: random.pick(identifiers),
        purpose: "analytics",
        granted,
        at: now,
        source: "banner",
      };
      return { kind: "consent", now, statement: statement as Omit<ConsentStatement, "policyVersion"> };
    }
    if (kind === 4 && random.chance(0.4))
      return { kind: "policy", now, emails: 1 + random.below(3), devices: 1 + random.below(4) };
    if (kind < 7) return { kind: "wake", now };
    const source = random.pick(["browser", "server", "server", "import"] as const);
    return { kind: "ingest", now, source, messages: random.list(1, 3, () => messageOf(random, now)) };
  });
}

async function openSite(from: number): Promise<TestSite> {
  const site = await createSite();
  const insert = env.DB.prepare(
    `INSERT INTO segments (site_id, key, name, kind, condition, visibility, status, version, created_at, updated_at)
     VALUES (?1, ?2, ?2, ?3, ?4, 'public', 'active', 1, 0, 0)`,
  );
  await env.DB.batch([
    insert.bind(site.id, "vip", "static", null),
    ...[0, 1, 2, 3].map((n) => insert.bind(site.id, `s${n}`, "dynamic", JSON.stringify(RULES[n]))),
  ]);
  await publish(bindings, site.id, from);
  return site;
}

async function liveOf(site: TestSite, now: number): Promise<LiveSite> {
  return (await readSite(bindings, site.id, now))!;
}

async function ingestAt(site: TestSite, now: number, input: object): Promise<void> {
  for (let live = await liveOf(site, now); ; ) {
    try {
      return void (await ingest(env.DB, live, { events: [], source: "server", receivedAt: now, ...input }));
    } catch (error) {
      if (!(error instanceof StaleSite)) throw error;
      live = (await renewSite(bindings, site.id, now))!;
    }
  }
}

/** @returns whether it did anything: a link by hand may be refused */
async function take(site: TestSite, step: Step): Promise<boolean> {
  const { now } = step;
  switch (step.kind) {
    case "ingest": {
      const { identity } = await liveOf(site, now);
      const defaults = { sentAt: null, context: undefined, newId: () => "", identity };
      const events = step.messages.map((message, place) => parseEvent(message, now, defaults, place));
      await ingestAt(site, now, { events, source: step.source });
      return true;
    }
    case "consent":
      await ingestAt(site, now, { consents: [{ ...step.statement, policyVersion: null }] });
      return true;
    case "list": {
      const rows = await site.rows<{ identifier: string; profile_id: string }>(
        "SELECT identifier, profile_id FROM identifiers WHERE site_id = ?1 AND identifier IN (SELECT value FROM json_each(?2))",
        JSON.stringify(step.identifiers),
      );
      const named = new Map(rows.map((row) => [row.identifier, row.profile_id]));
      await applyList(bindings, site.id, { key: "vip", createdAt: 0 }, named, step.mode, () => now, plenty());
      return true;
    }
    case "link": {
      const made = await linkIdentifiers(bindings, site.id, { a: step.a, b: step.b, actor: "key:k", now });
      return !("refused" in made);
    }
    case "rule":
      // The cron trigger comes each minute: what time changes by the old rules is decided before the new ones are there.
      await wakeDueProfiles(bindings, () => now, plenty());
      await env.DB.prepare("UPDATE segments SET condition = ?3, version = version + 1 WHERE site_id = ?1 AND key = ?2")
        .bind(site.id, step.key, JSON.stringify(step.condition))
        .run();
      await publish(bindings, site.id, now);
      await backfillSite(bindings, site.id, () => now, plenty());
      return true;
    case "policy": {
      await wakeDueProfiles(bindings, () => now, plenty());
      const week = { window: "week" } as const;
      const kinds = [
        { kind: "userId", limit: 1, window: "ever" },
        { kind: "email", limit: step.emails, ...(step.devices % 2 ? week : { window: "ever" }) },
        { kind: "anonymousId", limit: step.devices, window: "ever" },
      ];
      await env.DB.prepare("UPDATE sites SET settings = json_set(settings, '$.identity', json(?2)) WHERE id = ?1")
        .bind(site.id, JSON.stringify({ kinds }))
        .run();
      await publish(bindings, site.id, now);
      return true;
    }
    case "wake":
      await wakeDueProfiles(bindings, () => now, plenty());
      return true;
  }
}

/** All that is stored of people, with profiles named by their eldest identifier; but for the log, of which what came `since`. */
async function dump(site: TestSite, now: number, since: number, but: ReadonlySet<string>): Promise<unknown> {
  await wakeDueProfiles(bindings, () => now, plenty());
  const nodes = await site.rows<Record<string, string>>(
    "SELECT identifier, profile_id, birth_id, first_seen, consent FROM identifiers WHERE site_id = ?1 ORDER BY identifier",
  );
  const nameOf = new Map(nodes.map(({ birth_id, identifier }) => [birth_id, identifier]));
  const rename = <T extends object>(rows: readonly T[]) =>
    rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([column, value]) => [column, nameOf.get(value as string) ?? value])),
    );
  const live = await liveOf(site, now);
  const ids = new Set(nodes.map(({ profile_id }) => profile_id!));
  const views = await Promise.all([...ids].map((id) => readProfileView(env.DB, live, { id }, now)));
  return {
    nodes: rename(nodes),
    links: await site
      .rows<{ id: string }>(
        "SELECT id, a, b, evidence, message_id, at, actor FROM links WHERE site_id = ?1 AND removed_at IS NULL ORDER BY id",
      )
      .then((rows) => rows.filter(({ id }) => !but.has(id))),
    conflicts: await site.rows("SELECT id, a, b, reason, message_id, at FROM conflicts WHERE site_id = ?1 ORDER BY id"),
    profiles: rename(
      await site.rows(
        `SELECT p.id, p.stable_id, p.first_seen, p.last_seen, p.decisions, p.wakes_at FROM profiles AS p
         JOIN identifiers AS i ON i.site_id = p.site_id AND i.birth_id = p.id
         WHERE p.site_id = ?1 AND p.merged_into IS NULL ORDER BY i.identifier`,
      ),
    ),
    memberships: rename(
      await site.rows(
        `SELECT m.segment_key, m.profile_id, m.since FROM memberships AS m
         JOIN identifiers AS i ON i.site_id = m.site_id AND i.birth_id = m.profile_id
         WHERE m.site_id = ?1 ORDER BY m.segment_key, i.identifier`,
      ),
    ),
    traits: await site.rows(
      "SELECT identifier, source, body FROM traits WHERE site_id = ?1 ORDER BY identifier, source",
    ),
    events: await site.rows("SELECT owner, message_id, at, received_at FROM events WHERE site_id = ?1"),
    log: rename(
      await site.rows(
        `SELECT l.profile_id, l.segment_key, l.change, l.cause, l.at FROM membership_log AS l
         JOIN identifiers AS i ON i.site_id = l.site_id AND i.birth_id = l.profile_id
         WHERE l.site_id = ?1 AND l.at > ?2 ORDER BY l.at, i.identifier, l.segment_key, l.change`,
        since,
      ),
    ),
    views: views
      .map((view) => ({
        stableId: view!.stableId,
        identifiers: view!.identifiers,
        traits: view!.traits,
        sources: [...view!.traitSources].sort(),
        segments: view!.segments,
        firstSeen: view!.firstSeen,
        lastSeen: view!.lastSeen,
        history: view!.history,
      }))
      .sort((a, b) => (a.stableId < b.stableId ? -1 : 1)),
  };
}

async function pairOf(site: TestSite, random: Random): Promise<string | null> {
  const links = await site.rows<{ id: string }>(
    "SELECT id FROM links WHERE site_id = ?1 AND removed_at IS NULL ORDER BY a, b",
  );
  return links.length ? random.pick(links).id : null;
}

it(
  `gives back a world without the links, ${CASES} times at random`,
  async () => {
    const seen = { unlinked: 0, fallen: 0, made: 0, parted: 0 };
    for (let round = 0; round < CASES; round++) {
      const hint = `ATTUNE_SEED=${SEED + round} ATTUNE_CASES=1`;
      const random = createRandom(SEED + round);
      const start = Date.now() + 1_000;
      const steps = buildSteps(random, start, STEPS);
      const end = steps.at(-1)!.now + 2_000;
      const merged = await openSite(start);
      const happened: Step[] = [];
      const gone = new Set<string>();
      let parting = 0;
      for (const [place, step] of steps.entries()) {
        const isOther = step.kind !== "link" || !gone.has(linkId(step.a, step.b));
        if (isOther && (await take(merged, step))) happened.push(step);
        if (place !== STEPS / 2 && place !== STEPS / 2 + 15) continue;
        const left = await pairOf(merged, random);
        if (!left) continue;
        parting = step.now + 500;
        const done = await unlink(bindings, merged.id, { linkId: left, actor: "key:k", now: parting });
        if ("refused" in done) throw new Error(`${hint}: ${done.refused}`);
        gone.add(left);
        seen.unlinked++;
        seen.fallen += done.links.fallen.length - 1;
        seen.made += done.links.made.length;
        seen.parted += done.after.length - done.before.length;
      }

      const apart = await openSite(start);
      for (const id of gone) await rule(apart, id);
      let isParted = false;
      for (const step of happened) {
        if (!isParted && step.now > parting && parting) {
          isParted = true;
          await wakeDueProfiles(bindings, () => parting, plenty());
        }
        if (step.kind !== "link" || !gone.has(linkId(step.a, step.b))) await takeAgain(apart, step);
      }
      expect(await dump(merged, end, parting, gone), hint).toEqual(await dump(apart, end, parting, gone));
    }
    if (CASES < 10) return;
    // Else nothing was tried.
    for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(0);
  },
  60_000 + CASES * 20_000,
);

/** The pair is never linked: as if somebody had removed it before it ever was. */
async function rule(site: TestSite, id: string): Promise<void> {
  await env.DB.prepare(
    "INSERT INTO links (id, site_id, a, b, evidence, actor, at, removed_at) VALUES (?2, ?1, '', '', 'manual', '', 0, 0)",
  )
    .bind(site.id, id)
    .run();
}

/** A link that could be made there is made here whatever else is different. */
async function takeAgain(site: TestSite, step: Step): Promise<void> {
  if (step.kind !== "link") return void (await take(site, step));
  const { a, b, now } = step;
  await ingestAt(site, now, { links: [{ a, b }], actor: "key:k" });
}
