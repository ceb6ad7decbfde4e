/** POST /v1/batch with 20 events of one person against a bare handler that does one D1 insert per request. */
import { type Contestant, type Measured, measure, ratioOf } from "../rounds.ts";
import { buildBatch } from "../site.ts";
import type { Usage } from "../workers/count.ts";
import { type Case, JSON_HEADERS, type Setting } from "./case.ts";

const EVENTS = 20;
const PERSONS = 1_000;

export const ingest: Case = {
  name: "ingest",
  needsWorkerd: true,
  async run(setting) {
    const { bench, site, pace } = setting;
    const row = {
      profile_id: "p@@@@",
      type: "Product Viewed",
      ts: Date.now(),
      props: { product_id: "P##########", category: "shoes", price: 12.5 },
    };
    const bareInsert: Contestant = {
      name: "bare, one insert a request",
      url: bench.bare,
      request: { method: "POST", path: "/insert", headers: JSON_HEADERS, body: JSON.stringify(row), persons: PERSONS },
      units: 1,
    };
    const results = await measure(
      bench,
      [
        bareInsert,
        { ...bareInsert, name: "bare, one insert a request, one connection", connections: 1 },
        {
          name: `bare, ${EVENTS} rows in one insert`,
          url: bench.bare,
          request: {
            method: "POST",
            path: "/inserts",
            headers: JSON_HEADERS,
            body: JSON.stringify(Array(EVENTS).fill(row)),
            persons: PERSONS,
          },
          units: EVENTS,
        },
        contestant(setting, `batch of ${EVENTS}, ${PERSONS} people in turn`, "ingest-@@@@"),
        // As one browser does it, and as nobody should: sixteen at once that all change the same person.
        { ...contestant(setting, `batch of ${EVENTS}, one person, one connection`, "ingest-one"), connections: 1 },
        { ...contestant(setting, `batch of ${EVENTS}, one person, 16 connections`, "ingest-same"), mayRefuse: true },
      ],
      pace,
    );
    const [bare, bareAlone, , many, one, same] = results as [
      Measured,
      Measured,
      Measured,
      Measured,
      Measured,
      Measured,
    ];
    const usage = {
      "a known person": await count(setting, "ingest-0001"),
      "somebody new": await count(setting, "ingest-somebody-new"),
      "a resend": await count(setting, "ingest-0001", "0000000001"),
    };
    return {
      title: `POST /v1/batch, ${EVENTS} events of one person, events/s`,
      columns: ["", "events/s", "× bare", "p50 ms", "p99 ms", "CPU µs/event", "× bare by CPU", "refused"],
      rows: results.map((result) => [
        result.name,
        result.perSecond,
        ratioOf(result, bare),
        result.p50,
        result.p99,
        result.cpuMicros ?? Number.NaN,
        (bare.cpuMicros ?? Number.NaN) / (result.cpuMicros ?? Number.NaN),
        result.refused === 0 ? "" : `${(result.refused * 100).toFixed(1)} %`,
      ]),
      notes: [
        `request ${buildBatch(site.writeKey, "ingest-same", EVENTS).length.toLocaleString("en-US")} bytes`,
        ...Object.entries(usage).map(([who, used]) => describe(who, used)),
      ],
      goals: [
        { name: "ingest, 1,000 people", value: ratioOf(many, bare), unit: "× bare insert", floor: 6, aim: 9 },
        {
          name: "ingest, one person, one connection",
          value: ratioOf(one, bareAlone),
          unit: "× bare insert on one connection",
          floor: 6,
          aim: 9,
        },
        {
          name: "ingest, one person, 16 connections",
          value: ratioOf(same, bare),
          unit: "× bare insert",
          floor: 6,
          aim: 9,
        },
        {
          name: "D1 round trips of a batch",
          value: usage["a known person"].calls.length,
          unit: "",
          floor: 2,
          atMost: true,
        },
      ],
    };
  },

  profiled: async (setting) => contestant(setting, "ingest", "ingest-@@@@"),
};

function contestant({ bench, site }: Setting, name: string, person: string): Contestant {
  const body = buildBatch(site.writeKey, person, EVENTS);
  return {
    name,
    url: bench.product,
    request: { method: "POST", path: "/v1/batch", headers: JSON_HEADERS, body, persons: PERSONS },
    units: EVENTS,
  };
}

async function count({ bench, site }: Setting, person: string, serial?: string): Promise<Usage> {
  let usage: Usage | undefined;
  for (const time of [1, 2]) {
    // Twice: the first of an isolate also reads the site. A resend is the same batch again; others are new.
    const id = serial ?? String(Date.now() * 10 + time).slice(-10);
    const body = buildBatch(site.writeKey, person + (person.endsWith("new") ? time : ""), EVENTS).replaceAll(
      "##########",
      id,
    );
    const response = await fetch(`${bench.counted}/v1/batch`, { method: "POST", headers: JSON_HEADERS, body });
    if (!response.ok) throw new Error(`/v1/batch answered ${response.status}: ${await response.text()}`);
    usage = JSON.parse(response.headers.get("x-bench")!) as Usage;
  }
  return usage!;
}

function describe(who: string, { calls, rowsRead, rowsWritten }: Usage): string {
  const trips = calls.map(({ method, statements, ms }) => `${method} of ${statements.length} in ${ms} ms`).join(", ");
  return `${who}: ${calls.length} D1 round trips (${trips}), ${rowsRead} rows read, ${rowsWritten} written = ${(rowsWritten / EVENTS).toFixed(2)} an event`;
}
