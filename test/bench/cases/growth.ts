/** What an ingest costs as one profile and as the whole site grow: the same, or something scans. */
import { send } from "../rounds.ts";
import { buildBatch, createSite } from "../site.ts";
import type { Usage } from "../workers/count.ts";
import { type Case, JSON_HEADERS, type Setting } from "./case.ts";
import { clonePerson } from "./clone.ts";
import { fillPerson } from "./fill.ts";

const PROFILE_SIZES = [0, 100, 1_000, 10_000];
const SITE_SIZES = [1_000, 10_000, 100_000, 1_000_000];
/** Events of each person of the growing site. */
const EVENTS_A_PERSON = 50;
const PROBES = 60;
/** Profiles of a size that take turns, so that probing hardly makes them larger. */
const PROBED = 20;
/** A larger one may cost this much more: noise of a shared machine included. */
const FLAT = 1.5;

interface Probe {
  events: number;
  ms: number;
  cpuMs: number;
  rowsRead: number;
  rowsWritten: number;
}

export const growth: Case = {
  name: "growth",
  needsWorkerd: true,
  async run({ bench, pace, quick }) {
    // A site of its own, so that it starts empty; the rows of the others are around it all the same.
    const setting: Setting = { bench, pace, quick, site: await createSite(bench.product) };
    const site: Probe[] = [];
    for (const size of quick ? SITE_SIZES.slice(0, 3) : SITE_SIZES) site.push(await probeSite(setting, size));
    const profile: Probe[] = [];
    for (const size of PROFILE_SIZES) profile.push(await probeProfile(setting, size));

    const row = (name: string) => (probe: Probe) => [
      `${name} of ${probe.events.toLocaleString("en-US")} events`,
      probe.ms,
      probe.cpuMs,
      probe.rowsRead,
      probe.rowsWritten,
    ];
    const growthOf = (probes: Probe[]) => probes.at(-1)!.ms / probes[1]!.ms;
    return {
      title: "POST /v1/batch with 20 events, one at a time, as data grows",
      columns: ["", "ms (median)", "CPU ms", "rows read", "rows written"],
      rows: [...site.map(row("site")), ...profile.map(row("profile"))],
      notes: ["the profiles are measured in the site at its largest"],
      goals: [
        {
          name: "profile of 10,000 events / of 100",
          value: growthOf(profile),
          unit: "× the time",
          floor: FLAT,
          atMost: true,
        },
        {
          name: `site of ${site.at(-1)!.events.toLocaleString("en-US")} events / of ${site[1]!.events.toLocaleString("en-US")}`,
          value: growthOf(site),
          unit: "× the time",
          floor: FLAT,
          atMost: true,
        },
      ],
    };
  },
};

async function probeProfile(setting: Setting, size: number): Promise<Probe> {
  const person = `grown-${size}`;
  if (size === 0) return probe(setting, `${person}-##########`, size);
  await fillPerson(setting, person, size);
  await clonePerson(setting, person, 0, PROBED);
  return probe(setting, `${person}-@@@@`, size);
}

async function probeSite(setting: Setting, size: number): Promise<Probe> {
  const present = await countEvents(setting);
  const template = `crowd-${size}`;
  await fillPerson(setting, template, EVENTS_A_PERSON);
  await clonePerson(
    setting,
    template,
    PROBED,
    PROBED + Math.max(0, Math.ceil((size - present) / EVENTS_A_PERSON) - PROBED - 2),
  );
  await fillPerson(setting, `${template}-probed`, EVENTS_A_PERSON);
  await clonePerson(setting, `${template}-probed`, 0, PROBED);
  return probe(setting, `${template}-probed-@@@@`, await countEvents(setting));
}

async function countEvents({ bench, site }: Setting): Promise<number> {
  const db = await bench.mf.getD1Database("DB", "product");
  const row = await db
    .prepare("SELECT count(*) AS n FROM events WHERE site_id = ?1")
    .bind(site.id)
    .first<{ n: number }>();
  return row!.n;
}

async function probe({ bench, site }: Setting, person: string, events: number): Promise<Probe> {
  const request = {
    method: "POST" as const,
    path: "/v1/batch",
    headers: JSON_HEADERS,
    body: buildBatch(site.writeKey, person),
    persons: PROBED,
  };
  const how = { connections: 1, durationMs: 30_000, requests: PROBES };
  await send({ name: `warm-up of ${person}`, url: bench.product, request }, { ...how, requests: PROBED });
  const before = bench.cpuSeconds();
  const result = await send({ name: person, url: bench.product, request }, how);
  const after = bench.cpuSeconds();
  const response = await fetch(`${bench.counted}/v1/batch`, {
    method: "POST",
    headers: JSON_HEADERS,
    body: request.body.replaceAll("##########", `count-${events}`).replaceAll("@@@@", "0001"),
  });
  const usage = JSON.parse(response.headers.get("x-bench") ?? "{}") as Usage;
  return {
    events,
    ms: result.p50,
    cpuMs: before === undefined || after === undefined ? Number.NaN : ((after - before) * 1_000) / result.requests,
    rowsRead: usage.rowsRead,
    rowsWritten: usage.rowsWritten,
  };
}
