/** One message that unites two people, as the events of both grow: pointers move, events do not. */
import { send } from "../rounds.ts";
import { createSite, type Site } from "../site.ts";
import type { Usage } from "../workers/count.ts";
import { type Case, JSON_HEADERS, type Setting } from "./case.ts";
import { clonePerson } from "./clone.ts";
import { fillPerson } from "./fill.ts";

const SIZES = [10, 100, 1_000, 10_000];
const PAIRS = 30;
/** Of them, united before the others, so that code is warm. */
const WARM = 10;
/** What is kept of a history ends at 1,000 events: from there on nothing grows. Below it a little is read for each. */
const FLAT = 1.5;

interface Probe {
  size: number;
  ms: number;
  cpuMs: number;
  trips: number;
  statements: number;
  rowsRead: number;
  rowsWritten: number;
}

export const link: Case = {
  name: "link",
  needsWorkerd: true,
  async run({ bench, pace, quick }) {
    const setting: Setting = { bench, pace, quick, site: await createSite(bench.product) };
    const probes: Probe[] = [];
    for (const size of quick ? SIZES.slice(0, 3) : SIZES) probes.push(await probe(setting, size));
    const whole = probes.find(({ size }) => size === 1_000)!;
    const last = probes.at(-1)!;
    const spread = (of: (probe: Probe) => number) => Math.max(...probes.map(of)) - Math.min(...probes.map(of));
    return {
      title: "POST /v1/batch with one alias that unites two people",
      columns: ["", "ms (median)", "CPU ms", "D1 trips", "D1 statements", "rows read", "rows written"],
      rows: probes.map(({ size, ms, cpuMs, trips, statements, rowsRead, rowsWritten }) => [
        `${size.toLocaleString("en-US")} events each`,
        ms,
        cpuMs,
        trips,
        statements,
        rowsRead,
        rowsWritten,
      ]),
      notes: [],
      goals: [
        {
          name: "D1 statements and rows written that grow with the events",
          value: spread(({ statements }) => statements) + spread(({ rowsWritten }) => rowsWritten),
          unit: "",
          floor: 0,
          atMost: true,
        },
        ...(last === whole
          ? []
          : [
              {
                name: `people of ${last.size.toLocaleString("en-US")} events / of 1,000`,
                value: last.ms / whole.ms,
                unit: "× the time",
                floor: FLAT,
                atMost: true,
              },
            ]),
      ],
    };
  },
};

async function probe(setting: Setting, size: number): Promise<Probe> {
  const { bench, site } = setting;
  const [one, other] = [`one-${size}`, `other-${size}`];
  for (const person of [one, other]) {
    await fillPerson(setting, person, size, (count, sent) =>
      JSON.stringify(views(setting.site, person, count, size - sent)),
    );
    await clonePerson(setting, person, 0, PAIRS);
  }
  const batch = [
    { type: "alias", anonymousId: `${one}-@@@@`, previousId: `${other}-@@@@`, messageId: "alias-##########" },
  ];
  const request = {
    method: "POST" as const,
    path: "/v1/batch",
    headers: JSON_HEADERS,
    body: JSON.stringify({ writeKey: site.writeKey, batch }),
    persons: PAIRS,
  };
  const how = { connections: 1, durationMs: 60_000 };
  const warm = { name: "warm-up", url: bench.product, request };
  await send(warm, { ...how, requests: WARM });
  const before = bench.cpuSeconds() ?? Number.NaN;
  const measured = await send({ ...warm, name: "link" }, { ...how, requests: PAIRS - WARM });
  const cpuMs = (((bench.cpuSeconds() ?? Number.NaN) - before) * 1_000) / measured.requests;

  // The two who are left: of the names without a number.
  const body = request.body.replaceAll("-@@@@", "").replace("##########", "counted");
  const response = await fetch(`${bench.counted}/v1/batch`, { method: "POST", headers: JSON_HEADERS, body });
  if (!response.ok) throw new Error(`/v1/batch answered ${response.status}: ${await response.text()}`);
  const usage = JSON.parse(response.headers.get("x-bench")!) as Usage;
  return {
    size,
    ms: measured.p50,
    cpuMs,
    trips: usage.calls.length,
    statements: usage.calls.reduce((sum, { statements }) => sum + statements.length, 0),
    rowsRead: usage.rowsRead,
    rowsWritten: usage.rowsWritten,
  };
}

/** A second apart, the last of all now: with ten of them the person is in the segments that they stay in. */
function views({ writeKey }: Site, person: string, count: number, left: number): object {
  const now = Date.now();
  const batch = Array.from({ length: count }, (_, index) => ({
    type: "track",
    event: "Product Viewed",
    properties: { product_id: `P${index % 20}`, category: "shoes", price: 10 },
    anonymousId: person,
    messageId: `${person}-${left - index}`,
    timestamp: new Date(now - (left - index) * 1_000).toISOString(),
  }));
  return { writeKey, batch };
}
