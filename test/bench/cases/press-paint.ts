/** What an image of 600 × 200 costs the press, asked by its binding. */
import { median } from "../rounds.ts";
import { type Shipped, ship } from "../shipped.ts";
import { type Alone, startAlone } from "../workerd.ts";
import type { Case } from "./case.ts";

const FULL = { starts: 3, rounds: 7, times: 20 };
const QUICK = { starts: 1, rounds: 3, times: 10 };
/** As workers/press.ts names them → as they are printed. */
const PARTS = { words: "two texts, a price, a countdown", products: "four products with their pictures" };
const SCALES = [1, 2];

export const pressPaint: Case = {
  name: "press-paint",
  needsWorkerd: false,
  async run({ quick }) {
    const pace = quick ? QUICK : FULL;
    const press = await ship("edge/press/wrangler.toml");
    const images = Object.entries(PARTS).flatMap(([parts, title]) =>
      SCALES.map((scale) => ({ path: `${parts}/${scale}`, title: `${title}, ${scale}×` })),
    );
    const rows: (string | number)[][] = [];
    for (const { path, title } of images) {
      const first: Painted[] = [];
      for (let start = 0; start < pace.starts; start++)
        first.push(await withPress(press, (worker) => paint(worker, path, 1)));
      const warm = await withPress(press, async (worker) => {
        await paint(worker, path, pace.times);
        const rounds: Painted[] = [];
        for (let round = 0; round < pace.rounds; round++) rounds.push(await paint(worker, path, pace.times));
        return rounds;
      });
      const of = (painted: Painted[], what: keyof Painted) => median(painted.map((one) => one[what]));
      rows.push([title, of(warm, "cpu"), of(warm, "wall"), of(first, "cpu"), of(first, "wall"), warm[0]!.bytes]);
    }
    return {
      title: "An image of 600 × 200 by the press",
      columns: ["", "CPU ms", "ms", "CPU ms of the first", "ms of the first", "bytes"],
      rows,
      notes: [
        `medians of ${pace.rounds} rounds of ${pace.times}, no two images the same; the first in each of ${pace.starts} workerd that had painted none; pictures at once`,
      ],
      goals: [],
    };
  },
};

interface Painted {
  /** Milliseconds of an image: workerd's CPU, and as the clock says. */
  cpu: number;
  wall: number;
  bytes: number;
}

async function withPress<T>(press: Shipped, work: (worker: Alone) => Promise<T>): Promise<T> {
  const worker = await startAlone("test/bench/workers/press.ts", { PRESS: press });
  try {
    return await work(worker);
  } finally {
    await worker.stop();
  }
}

async function paint(worker: Alone, path: string, times: number): Promise<Painted> {
  const cpuBefore = worker.cpuSeconds() ?? Number.NaN;
  const startedAt = performance.now();
  const response = await fetch(`${worker.url}/${path}/${times}`);
  const text = await response.text();
  const wall = (performance.now() - startedAt) / times;
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
  const cpu = (((worker.cpuSeconds() ?? Number.NaN) - cpuBefore) * 1e3) / times;
  return { cpu, wall, ...(JSON.parse(text) as { bytes: number }) };
}
