/**
 * Whatever requests do to the same people at once, from several isolates, in whatever order they get through to D1: it ends as if they
 * had come one after the other. Replay with ATTUNE_SEED, widen with ATTUNE_CASES.
 */
import { env } from "cloudflare:test";
import { beforeAll, expect, it } from "vitest";
import type { Env } from "../../../edge/env.ts";
import { createRandom, type Random } from "../../unit/shared/random.ts";
import { SEED } from "../../unit/shared/seed.ts";
import { bindings, createSite, type TestSite } from "../site.ts";
import { checkPeople, readPeople } from "./graph.ts";
import { type Fate, Gate, type Isolate, startIsolates } from "./isolates.ts";

const CASES = Number(process.env["ATTUNE_CASES"] ?? 200);
const ISOLATES = 3;
const LANES = 4;
const LOST = 0.05;
const SECOND = 1_000;
const SEGMENTS = [
  { key: "seen", condition: { event: "Seen", count: { gte: 2 } } },
  { key: "lately", condition: { event: "Seen", within: "3s" } },
  { key: "pro", condition: { trait: "plan", eq: "pro" } },
  { key: "not-pro", condition: { not: { trait: "plan", eq: "pro" } } },
];

interface Request {
  messages: Message[];
  source: "browser" | "server";
  receivedAt: number;
}

type Message = { [field: string]: unknown };

let isolates: Isolate[];
let raced: TestSite;
/** The same requests one after the other. */
let ordered: TestSite;

beforeAll(async () => {
  isolates = await startIsolates(ISOLATES + 1);
  [raced, ordered] = [await createSite({ segments: SEGMENTS }), await createSite({ segments: SEGMENTS })];
});

it("requests that link the same people end in the same people as one after the other", async () => {
  const start = Date.now();
  for (let i = 0; i < CASES; i++) {
    const random = createRandom(SEED + i);
    const part = `r${i}.`;
    const requests = drawRequests(random, part, start + i * 60 * SECOND);
    const committed = await race(random, part, requests);
    const arrivals = committed.toSorted((a, b) => a.at - b.at);
    const again: Arrival[] = [];
    const read = watchArrivals(ordered, part);
    for (const { request, at } of arrivals) {
      await send(isolates[ISOLATES]!, bindings, ordered, { ...request, receivedAt: at });
      again.push({ request, at: await read() });
    }

    const hint = `ATTUNE_SEED=${SEED + i} ATTUNE_CASES=1 ${JSON.stringify(arrivals)}`;
    const found = await readPeople(env.DB, raced.id, part, rank(arrivals, arrivals));
    expect(checkPeople(found), hint).toEqual([]);
    expect(found, hint).toEqual(await readPeople(env.DB, ordered.id, part, rank(again, arrivals)));
    expect(found.events.length, hint).toBe(countMessages(requests));
  }
}, 180_000);

/** A request that wrote something, and when it counts as received: later than what it found. */
interface Arrival {
  request: Request;
  at: number;
}

/** Sends all, some at a time. @returns what arrived, in the order in which D1 took it */
async function race(random: Random, part: string, requests: readonly Request[]): Promise<Arrival[]> {
  const gate = new Gate(random);
  const arrivals: Arrival[] = [];
  const read = watchArrivals(raced, part);
  const fate = (): Fate =>
    random.chance(LOST) ? random.pick(["lost on its way there", "lost on its way back"]) : "arrives";
  const waiting = [...requests];
  const lane = async () => {
    for (let request = waiting.shift(); request; request = waiting.shift()) {
      const own = request;
      const env = gate.open(fate, async () => {
        arrivals.push({ request: own, at: await read() });
      });
      // As clients do it: who hears nothing, or is asked to come again, sends the same once more.
      while (!(await isHeard(send(random.pick(isolates.slice(0, ISOLATES)), env, raced, own))));
    }
  };
  await gate.run(Promise.all(Array.from({ length: LANES }, lane)));
  return arrivals;
}

async function isHeard(answer: Promise<void>): Promise<boolean> {
  try {
    await answer;
    return true;
  } catch (error) {
    if (/connection lost|too many requests change/.test(String(error))) return false;
    throw error;
  }
}

/** @returns a function that tells, after each transaction, as of when it was received */
function watchArrivals(site: TestSite, part: string): () => Promise<number> {
  const known = new Set<string>();
  return async () => {
    const rows = await site.rows<{ name: string; at: number }>(
      `SELECT owner || ' ' || message_id AS name, received_at AS at FROM events WHERE site_id = ?1 AND instr(owner, ?2)
       UNION ALL
       SELECT identifier || ' ' || purpose || ' ' || at, received_at FROM consents WHERE site_id = ?1 AND instr(identifier, ?2)`,
      part,
    );
    const fresh = rows.filter(({ name }) => !known.has(name));
    for (const { name } of fresh) known.add(name);
    expect(new Set(fresh.map(({ at }) => at)).size).toBe(1);
    return fresh[0]!.at;
  };
}

/** The place of each arrival among `all`; those of one instant share it. */
function rank(arrivals: readonly Arrival[], all: readonly Arrival[]): Map<number, number> {
  return new Map(arrivals.map(({ at }, index) => [at, all.findIndex((other) => other.at === all[index]!.at)]));
}

async function send(isolate: Isolate, env: Env, site: TestSite, request: Request): Promise<void> {
  const live = await isolate.site.readSiteByWriteKey(bindings, { waitUntil: () => {} }, site.writeKey, Date.now());
  await isolate.batch.ingestMessages(env, live!, { ...request, envelope: {}, pointer: "/batch" });
}

/** A few messages of two users, three devices and two addresses, a second apart from request to request. */
function drawRequests(random: Random, part: string, start: number): Request[] {
  const named = (name: string) => part + name;
  const userId = () => named(random.pick(["u", "u", "u", "v"]));
  const anonymousId = () => named(random.pick(["a", "b", "c"]));
  const traits = () => ({
    ...(random.chance(0.5) && { plan: random.pick(["pro", "free", null]) }),
    ...(random.chance(0.4) && { email: `${named(random.pick(["x", "y"]))}@example.com` }),
  });
  const consent = () => ({
    consent: {
      categoryPreferences: random.pick([{ marketing: random.chance(0.5) }, { analytics: random.chance(0.8) }]),
    },
  });
  const kinds: (() => object)[] = [
    () => ({ type: "track", event: "Seen", anonymousId: anonymousId() }),
    () => ({ type: "track", event: "Seen", userId: userId(), anonymousId: anonymousId() }),
    () => ({ type: "identify", userId: userId(), anonymousId: anonymousId(), traits: traits() }),
    () => ({ type: "identify", userId: userId(), traits: traits() }),
    () => ({ type: "identify", anonymousId: anonymousId(), traits: traits() }),
    () => ({ type: "alias", userId: userId(), previousId: anonymousId() }),
    () => ({ type: "alias", anonymousId: anonymousId(), previousId: anonymousId() }),
  ];
  const sent: Message[] = [];
  const message = (at: number): Message => {
    if (sent.length && random.chance(0.1)) return random.pick(sent);
    const timestamp = new Date(at - random.below(5) * SECOND).toISOString();
    const context = random.chance(0.2) ? { context: consent() } : {};
    const drawn = { ...random.pick(kinds)(), timestamp, messageId: named(`m${sent.length}`), ...context };
    sent.push(drawn);
    return drawn;
  };
  return random
    .list(5, 9, () => 0)
    .map((_, index) => {
      const receivedAt = start + index * SECOND;
      const messages = random.list(1, 3, () => message(receivedAt));
      return { messages, source: random.pick(["browser", "server"]), receivedAt };
    });
}

/** Different ones that consent allows to be stored. */
function countMessages(requests: readonly Request[]): number {
  const isWithheld = ({ context }: Message) => JSON.stringify(context ?? {}).includes('"analytics":false');
  const messages = requests.flatMap(({ messages }) => messages);
  return new Set(messages.filter((message) => !isWithheld(message)).map(({ messageId }) => messageId)).size;
}
