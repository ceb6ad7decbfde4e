/**
 * Whatever requests do to the same people at once, from several isolates, in whatever order they get through to D1: it ends as if they
 * had come one after the other. Replay with ATTUNE_SEED, widen with ATTUNE_CASES.
 */
import { env } from "cloudflare:test";
import { beforeAll, expect, it } from "vitest";
import { wakeDueProfiles } from "../../../edge/profiles/wake.ts";
import { createRandom, type Random } from "../../unit/shared/random.ts";
import { SEED } from "../../unit/shared/seed.ts";
import { bindings, createSite, type TestSite } from "../site.ts";
import { checkPeople, readPeople, standing } from "./graph.ts";
import { type Fate, Gate, type Isolate, startIsolates } from "./isolates.ts";
import { countMessages, drawRequests, type Request, send } from "./requests.ts";

const CASES = Number(process.env["ATTUNE_CASES"] ?? 150);
const ISOLATES = 3;
const LANES = 4;
const LOST = 0.05;
const CASE_MS = 60_000;
const SEGMENTS = [
  { key: "seen", condition: { event: "Seen", count: { gte: 2 } } },
  { key: "lately", condition: { event: "Seen", within: "3s" } },
  { key: "pro", condition: { trait: "plan", eq: "pro" } },
  { key: "not-pro", condition: { not: { trait: "plan", eq: "pro" } } },
];

/** A request that wrote something, and when it counts as received: later than what it found. */
interface Arrival {
  request: Request;
  at: number;
}

let isolates: Isolate[];
let raced: TestSite;
/** The same requests one after the other. */
let ordered: TestSite;
const opened = Date.now();

beforeAll(async () => {
  isolates = await startIsolates(ISOLATES + 1);
  [raced, ordered] = [await createSite({ segments: SEGMENTS }), await createSite({ segments: SEGMENTS })];
});

it("requests that link the same people end in the same people as one after the other", async () => {
  for (let i = 0; i < CASES; i++) {
    const { arrivals, again, requests, part, hint } = await runBoth(i);
    const found = await readPeople(env.DB, raced.id, part, rank(arrivals, arrivals));
    expect(checkPeople(found), hint).toEqual([]);
    expect(found, hint).toEqual(await readPeople(env.DB, ordered.id, part, rank(again, arrivals)));
    expect(found.events.length, hint).toBe(countMessages(requests));
  }
}, 180_000);

it("links that are removed meanwhile leave what is left when they are removed after all else", async () => {
  for (let i = 0; i < CASES / 3; i++) {
    const { arrivals, again, isSame, requests, part, hint, end } = await runBoth(CASES + i, { calm: 4, removals: 3 });
    if (!isSame) continue;
    await wakeDueProfiles(bindings, () => end, { deadline: Number.POSITIVE_INFINITY, statements: 10_000 });
    const found = await readPeople(env.DB, raced.id, part, rank(arrivals, arrivals));
    expect(checkPeople(found), hint).toEqual([]);
    const expected = await readPeople(env.DB, ordered.id, part, rank(again, arrivals));
    expect(standing(found), hint).toEqual(standing(expected));
    expect(found.events.length, hint).toBe(countMessages(requests));
  }
}, 180_000);

/**
 * Requests at once in one site; in the other what arrived of them, in its order, and then the removals. `isSame`: each of them found
 * its link there, too. A message that was received before, but written after a removal, can have been in the way of it.
 */
async function runBoth(i: number, { calm = 0, removals = 0 } = {}) {
  const random = createRandom(SEED + i);
  const part = `r${i}.`;
  const start = opened + i * CASE_MS;
  const requests = drawRequests(random, part, start, { calm, removals });
  const arrivals = (await race(random, part, requests, calm)).sort((a, b) => a.at - b.at);
  const hint = `ATTUNE_SEED=${SEED + i} ATTUNE_CASES=1 ${JSON.stringify(arrivals)}`;
  const again: Arrival[] = [];
  let isSame = true;
  const read = watchArrivals(ordered, part);
  for (const { request, at } of arrivals) {
    const receivedAt = Number.isFinite(at) ? at : request.receivedAt;
    isSame &&= await send(isolates[ISOLATES]!, bindings, ordered, { ...request, receivedAt });
    again.push({ request, at: await read(request) });
  }
  return { requests, arrivals, again, isSame, part, hint, end: start + CASE_MS - 1 };
}

/** Sends the first, which are `calm`, one at a time, then all others at once. @returns what arrived, in the order in which D1 took it */
async function race(random: Random, part: string, requests: readonly Request[], calm: number): Promise<Arrival[]> {
  const gate = new Gate(random);
  const arrivals: Arrival[] = [];
  const read = watchArrivals(raced, part);
  const fate = (): Fate =>
    random.chance(LOST) ? random.pick(["lost on its way there", "lost on its way back"]) : "arrives";
  const waiting = [...requests];
  const lane = async (left: number) => {
    while (waiting.length > left) {
      const request = waiting.shift()!;
      const env = gate.open(fate, async () => {
        arrivals.push({ request, at: await read(request) });
      });
      // As clients do it: who hears nothing, or is asked to come again, sends the same once more.
      while (!(await isHeard(send(random.pick(isolates.slice(0, ISOLATES)), env, raced, request))));
    }
  };
  await gate.run(lane(requests.length - calm));
  await gate.run(Promise.all(Array.from({ length: LANES }, () => lane(0))));
  return arrivals;
}

async function isHeard(answer: Promise<unknown>): Promise<boolean> {
  try {
    await answer;
    return true;
  } catch (error) {
    if (/connection lost|too many requests change/.test(String(error))) return false;
    throw error;
  }
}

/** @returns a function that tells, after each transaction, as of when it was received; never of a removal, which is of no time */
function watchArrivals(site: TestSite, part: string): (request: Request) => Promise<number> {
  const known = new Set<string>();
  return async (request) => {
    const rows = await site.rows<{ name: string; at: number }>(
      `SELECT owner || ' ' || message_id AS name, received_at AS at FROM events WHERE site_id = ?1 AND instr(owner, ?2)
       UNION ALL
       SELECT identifier || ' ' || purpose || ' ' || at, received_at FROM consents WHERE site_id = ?1 AND instr(identifier, ?2)`,
      part,
    );
    const fresh = rows.filter(({ name }) => !known.has(name));
    for (const { name } of fresh) known.add(name);
    if ("unlink" in request) return Number.POSITIVE_INFINITY;
    expect(new Set(fresh.map(({ at }) => at)).size).toBe(1);
    return fresh[0]!.at;
  };
}

/** The place of each arrival among `all`; those of one instant share it. */
function rank(arrivals: readonly Arrival[], all: readonly Arrival[]): Map<number, number> {
  return new Map(arrivals.map(({ at }, index) => [at, all.findIndex((other) => other.at === all[index]!.at)]));
}
