/** GET /api/profiles by an identifier, as the site grows to a million of them: the same, or something scans. */
import { median } from "../rounds.ts";
import { createSite } from "../site.ts";
import type { Usage } from "../workers/count.ts";
import type { Case, Setting } from "./case.ts";
import { clonePerson } from "./clone.ts";
import { fillPerson } from "./fill.ts";

const SIZES = [10_000, 100_000, 1_000_000];
const PROBES = 200;
const WARM = 50;
/** A larger one may cost this much more: noise of a shared machine included. */
const FLAT = 1.5;
const PERSON = "looked-up";

interface Probe {
  size: number;
  ms: number;
  cpuMs: number;
  rowsRead: number;
}

export const lookup: Case = {
  name: "lookup",
  needsWorkerd: true,
  async run({ bench, pace, quick }) {
    const setting: Setting = { bench, pace, quick, site: await createSite(bench.product) };
    await fillPerson(setting, PERSON, 1);
    const probes: Probe[] = [];
    let present = 1;
    for (const size of quick ? SIZES.slice(0, 2) : SIZES) {
      await clonePerson(setting, PERSON, present, size);
      present = size;
      probes.push(await probe(setting, size));
    }
    const [first, last] = [probes[0]!, probes.at(-1)!];
    return {
      title: "GET /api/profiles?anonymousId=…, one at a time, as a site grows",
      columns: ["", "ms (median)", "CPU ms", "rows read"],
      rows: probes.map(({ size, ms, cpuMs, rowsRead }) => [
        `${size.toLocaleString("en-US")} identifiers`,
        ms,
        cpuMs,
        rowsRead,
      ]),
      notes: [],
      goals: [
        {
          name: "rows read, more than in the smallest site",
          value: last.rowsRead - first.rowsRead,
          unit: "",
          floor: 0,
          atMost: true,
        },
        {
          name: `site of ${last.size.toLocaleString("en-US")} / of ${first.size.toLocaleString("en-US")}`,
          value: last.ms / first.ms,
          unit: "× the time",
          floor: FLAT,
          atMost: true,
        },
      ],
    };
  },
};

async function probe({ bench, site }: Setting, size: number): Promise<Probe> {
  const headers = { authorization: `Bearer ${site.secretKey}` };
  const ask = async (url: string, turn: number) => {
    // Far apart, so that no two are neighbours in the index.
    const number = 1 + ((turn * 7_919) % (size - 1));
    const response = await fetch(`${url}/api/profiles?anonymousId=${PERSON}-${String(number).padStart(4, "0")}`, {
      headers,
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`/api/profiles answered ${response.status}: ${text}`);
    return response;
  };
  for (let turn = 0; turn < WARM; turn++) await ask(bench.product, PROBES + turn);
  const times: number[] = [];
  const before = bench.cpuSeconds() ?? Number.NaN;
  for (let turn = 0; turn < PROBES; turn++) {
    const startedAt = performance.now();
    await ask(bench.product, turn);
    times.push(performance.now() - startedAt);
  }
  const cpuMs = (((bench.cpuSeconds() ?? Number.NaN) - before) * 1_000) / PROBES;
  // Twice: the first of an isolate also reads the site.
  await ask(bench.counted, 0);
  const usage = JSON.parse((await ask(bench.counted, 1)).headers.get("x-bench")!) as Usage;
  return { size, ms: median(times), cpuMs, rowsRead: usage.rowsRead };
}
