/** A page of 30 kB whose slots are filled while it streams, against a Worker that looks for slots and passes it through. */
import { createRenderSite, seedVisitors } from "../render/site.ts";
import { type Contestant, type Measured, measure, ratioOf } from "../rounds.ts";
import { type Alone, type Bench, startAlone, startBench } from "../workerd.ts";
import type { Case } from "./case.ts";

const FULL = { rounds: 7, roundMs: 1_000, warmMs: 1_500 };
const QUICK = { rounds: 3, roundMs: 500, warmMs: 500 };
/** As workers/origin.ts has them → how they are printed. */
const PAGES = { 1: "one slot", 3: "three slots" };
const VISITORS = 200;
/** The Worker is told its site before there is one. */
const KEYS = { writeKey: "pk_demo", secretKey: "sk_demo" };
const HEADERS = { accept: "text/html", "accept-language": "en-GB", "sec-fetch-dest": "document" };
const DAY_MS = 86_400_000;

export const renderStream: Case = {
  name: "render-stream",
  // It has one of its own, that stands before a shop's server.
  needsWorkerd: false,
  async run({ quick }) {
    const pace = quick ? QUICK : FULL;
    const origin = await startAlone("test/bench/workers/origin.ts");
    try {
      const bench = await startBench({ vars: { ORIGIN: origin.url, ORIGIN_KEY: KEYS.writeKey } });
      try {
        const results = await measurePages(origin, bench, pace);
        return {
          title: "A page whose slots are filled while it streams, requests/s",
          columns: ["", "per second", "× passed through", "first byte ms", "p50 ms", "p99 ms", "CPU µs"],
          rows: results.flatMap(({ title, measured }) =>
            measured.map((result) => [
              `${title}: ${result.name}`,
              result.perSecond,
              ratioOf(result, measured[1]!),
              result.firstByte,
              result.p50,
              result.p99,
              result.cpuMicros ?? Number.NaN,
            ]),
          ),
          notes: [
            `${results.map(({ title, bytes }) => `${title} ${bytes.join(" → ")} bytes`).join(", ")} (a stranger's, a visitor's)`,
            `CPU is that of the Workers' workerd: the shop's server has another. ${VISITORS} visitors in turn, read from D1 each time`,
          ],
          goals: [],
        };
      } finally {
        await bench.stop();
      }
    } finally {
      await origin.stop();
    }
  },
};

async function measurePages(origin: Alone, bench: Bench, pace: typeof FULL) {
  const site = await createRenderSite(bench.product, KEYS);
  const day = Math.floor(Date.now() / DAY_MS);
  const cookies = (await seedVisitors(bench.product, site, VISITORS)).map(
    (id) => `__Host-attune.${site.id}=${id}.${day}`,
  );
  const results: { title: string; bytes: number[]; measured: Measured[] }[] = [];
  for (const [page, title] of Object.entries(PAGES)) {
    const get = (name: string, url: string, path: string, turns = [{}]): Contestant => ({
      name,
      url,
      request: { method: "GET", path, headers: HEADERS, turns },
      units: 1,
    });
    const bytes = [
      await readPage(`${origin.url}/${page}`, 0),
      await readPage(`${bench.product}/${page}`, Number(page)),
      await readPage(`${bench.product}/${page}`, Number(page), cookies[0]),
    ];
    const measured = await measure(
      bench,
      [
        get("the shop's own server", origin.url, `/${page}`),
        get("passed through", bench.bare, `/through/${page}`),
        get("filled for strangers", bench.product, `/${page}`),
        get(
          "filled for visitors",
          bench.product,
          `/${page}`,
          cookies.map((cookie) => ({ headers: { ...HEADERS, cookie } })),
        ),
      ],
      pace,
    );
    results.push({ title, bytes, measured });
  }
  return results;
}

/** @returns its bytes @throws Error where other than so many slots are filled */
async function readPage(url: string, slots: number, cookie?: string): Promise<number> {
  const html = await (await fetch(url, { headers: { ...HEADERS, ...(cookie && { cookie }) } })).text();
  const filled = html.split("<template data-attune=").length - 1;
  if (filled !== slots)
    throw new Error(`${url} has ${filled} slots filled in place of ${slots}: ${html.slice(0, 2_000)}`);
  if (cookie && slots === 3 && !html.includes("Trail Runner")) throw new Error(`${url} does not know the visitor`);
  return Buffer.byteLength(html);
}
