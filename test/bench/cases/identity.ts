/**
 * A mixed clickstream in which people say now and then who they are, in batches out of order over several connections: how fast,
 * what of D1 it takes, and whether the people that come out of it are those of an independent union-find over the same messages.
 */

import { createRandom } from "../../unit/shared/random.ts";
import { readClicks } from "../clicks.ts";
import { buildMessages, drawClicks, type Message } from "../identity/crowd.ts";
import { buildLanes, type KeyOf } from "../identity/lanes.ts";
import { listComponents, pairOf, unite } from "../identity/witness.ts";
import { createSite, type Site } from "../site.ts";
import type { Usage } from "../workers/count.ts";
import { type Case, JSON_HEADERS, type Setting } from "./case.ts";

const CONNECTIONS = 8;
const BATCH = 20;
const SEED = 4;
const DRAWN_SESSIONS = { quick: 500, whole: 4_000 };
/** Of the stream, sent once more into a site of its own with D1 counted. */
const COUNTED_SESSIONS = { quick: 300, whole: 1_500 };
const BUSY_MS = 50;

const WAYS: [name: string, keyOf: KeyOf][] = [
  [`${BATCH} of anybody a request`, () => ""],
  ["a device's own a request", ({ anonymousId, userId }) => anonymousId ?? userId!],
];

interface Sent {
  seconds: number;
  cpuSeconds: number;
  requests: number;
  refused: number;
  trips: number;
  statements: number;
  rowsRead: number;
  rowsWritten: number;
}

export const identity: Case = {
  name: "identity",
  needsWorkerd: true,
  async run(setting) {
    const pace = setting.quick ? "quick" : "whole";
    const sessions = setting.clicks === undefined ? drawClicks(DRAWN_SESSIONS[pace], SEED) : readClicks(setting.clicks);
    const messages = buildMessages(sessions, SEED);
    const counted = buildMessages(new Map([...sessions].slice(0, COUNTED_SESSIONS[pace])), SEED);
    const rows: (string | number)[][] = [];
    const notes: string[] = [];
    let differing = 0;
    for (const [name, keyOf] of WAYS) {
      const how = { most: BATCH, keyOf, random: createRandom(SEED) };
      const site = await createSite(setting.bench.product);
      const lanes = buildLanes(messages, { ...how, connections: CONNECTIONS });
      const sent = await send(setting, site, lanes, setting.bench.product);
      const compared = await compare(setting, site, lanes.flat(2));
      differing += compared.differing;
      const few = buildLanes(counted, { ...how, connections: 1 });
      const usage = await send(setting, await createSite(setting.bench.product), few, setting.bench.counted);
      rows.push([
        name,
        messages.length / sent.seconds,
        (sent.cpuSeconds * 1e6) / messages.length,
        messages.length / sent.requests,
        usage.trips / usage.requests,
        usage.statements / counted.length,
        usage.rowsRead / counted.length,
        usage.rowsWritten / counted.length,
      ]);
      notes.push(`${name}: ${compared.says}; ${sent.refused} requests were asked to come again`);
    }
    return {
      title: `${messages.length.toLocaleString("en-US")} messages of ${sessions.size.toLocaleString("en-US")} devices, ${CONNECTIONS} connections`,
      columns: [
        "",
        "events/s",
        "CPU µs/event",
        "events/request",
        "D1 trips/request",
        "D1 statements/event",
        "rows read/event",
        "rows written/event",
      ],
      rows,
      notes,
      goals: [
        {
          name: "profiles, conflicts and events that differ from a union-find over the same messages",
          value: differing,
          unit: "",
          floor: 0,
          atMost: true,
        },
      ],
    };
  },
};

/** Each lane is a connection: its batches one after the other, again where it is asked to. */
async function send({ bench }: Setting, site: Site, lanes: Message[][][], url: string): Promise<Sent> {
  const sent: Sent = {
    seconds: 0,
    cpuSeconds: 0,
    requests: 0,
    refused: 0,
    trips: 0,
    statements: 0,
    rowsRead: 0,
    rowsWritten: 0,
  };
  const cpuBefore = bench.cpuSeconds();
  const startedAt = performance.now();
  await Promise.all(
    lanes.map(async (batches) => {
      for (const batch of batches) await sendBatch(JSON.stringify({ writeKey: site.writeKey, batch }), batch.length);
    }),
  );
  sent.seconds = (performance.now() - startedAt) / 1_000;
  sent.cpuSeconds = (bench.cpuSeconds() ?? Number.NaN) - (cpuBefore ?? Number.NaN);
  return sent;

  async function sendBatch(body: string, events: number): Promise<void> {
    for (;;) {
      const response = await fetch(`${url}/v1/batch`, { method: "POST", headers: JSON_HEADERS, body });
      const text = await response.text();
      count(response.headers.get("x-bench"));
      if (response.status === 503) {
        sent.refused++;
        await new Promise((resolve) => setTimeout(resolve, BUSY_MS));
        continue;
      }
      if (!response.ok || JSON.parse(text).accepted !== events)
        throw new Error(`/v1/batch answered ${response.status}: ${text}`);
      sent.requests++;
      return;
    }
  }

  function count(header: string | null): void {
    if (header === null) return;
    const { calls, rowsRead, rowsWritten } = JSON.parse(header) as Usage;
    sent.trips += calls.length;
    sent.statements += calls.reduce((sum, { statements }) => sum + statements.length, 0);
    sent.rowsRead += rowsRead;
    sent.rowsWritten += rowsWritten;
  }
}

/**
 * People, conflicts and events as stored, beside what the witness makes of the messages as they were sent. Only people whom more
 * than one user claims depend on the order; theirs were sent by one connection, one after the other.
 */
async function compare(
  { bench }: Setting,
  site: Site,
  messages: Message[],
): Promise<{ differing: number; says: string }> {
  const db = await bench.mf.getD1Database("DB", "product");
  const read = async <T>(sql: string) => (await db.prepare(sql).bind(site.id).all<T>()).results;
  const nodes = await read<{ identifier: string; profile: string }>(
    "SELECT identifier, profile_id AS profile FROM identifiers WHERE site_id = ?1",
  );
  const profiles = await read<{ id: string }>("SELECT id FROM profiles WHERE site_id = ?1 AND merged_into IS NULL");
  const refused = await read<{ a: string; b: string }>("SELECT a, b FROM conflicts WHERE site_id = ?1");
  const [events] = await read<{ n: number }>("SELECT count(*) AS n FROM events WHERE site_id = ?1");

  const expected = unite(messages);
  const people = new Set(listComponents(expected.componentOf));
  const found = new Set(listComponents(new Map(nodes.map(({ identifier, profile }) => [identifier, profile]))));
  const conflicts = new Set(refused.map(({ a, b }) => pairOf(a, b)));
  const standing = new Set(nodes.map(({ profile }) => profile));
  const differing =
    people.symmetricDifference(found).size +
    expected.conflicts.symmetricDifference(conflicts).size +
    standing.symmetricDifference(new Set(profiles.map(({ id }) => id))).size +
    Math.abs(events!.n - messages.length);
  const number = (n: number) => n.toLocaleString("en-US");
  const says = `${number(profiles.length)} profiles of ${number(nodes.length)} identifiers, union-find ${number(people.size)} of ${number(expected.componentOf.size)}; ${number(conflicts.size)} conflicts, union-find ${number(expected.conflicts.size)}; ${number(events!.n)} events`;
  return { differing, says };
}
