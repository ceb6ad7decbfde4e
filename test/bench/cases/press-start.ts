/** What the press would cost the hot Worker, were it in it: bytes, and time until the first answer. */
import { median } from "../rounds.ts";
import { EMPTY, ship, timeStarts } from "../shipped.ts";
import type { Case } from "./case.ts";

const PRESS = "edge/press/wrangler.toml";
const HOT_BYTES = 1_000_000;

export const pressStart: Case = {
  name: "press-start",
  needsWorkerd: false,
  async run({ quick }) {
    const workers = {
      "an empty Worker": EMPTY,
      "the Worker": await ship("wrangler.toml"),
      "the press": await ship(PRESS),
      "the Worker with the press in it": await ship(PRESS, "test/bench/workers/together.ts"),
    };
    const rounds = quick ? 7 : 21;
    const times = await timeStarts(Object.values(workers), rounds);
    const [empty] = times as [number[]];
    return {
      title: "Workers as they are deployed",
      columns: ["", "bytes", "bytes gzip", "ms to the first answer", "more than empty"],
      rows: Object.entries(workers).map(([name, { bytes, gzipBytes }], index) => [
        name,
        bytes,
        gzipBytes,
        median(times[index]!),
        median(times[index]!.map((ms, round) => ms - empty[round]!)),
      ]),
      notes: [
        `from the start of the process workerd to the answer of a path that neither storage nor the API is needed for; medians of ${rounds} alternating starts`,
      ],
      goals: [
        {
          name: "the Worker",
          value: workers["the Worker"].gzipBytes,
          unit: "bytes gzip",
          floor: HOT_BYTES,
          atMost: true,
        },
      ],
    };
  },
};
