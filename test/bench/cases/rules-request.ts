/** A request in workerd that decides 500 rules over the traits of a profile, against one that decides nothing. */
import { type Contestant, type Measured, measure, ratioOf } from "../rounds.ts";
import { startAlone } from "../workerd.ts";
import type { Case } from "./case.ts";

const FULL = { rounds: 7, roundMs: 800, warmMs: 1_500 };
const QUICK = { rounds: 3, roundMs: 500, warmMs: 500 };

export const rulesRequest: Case = {
  name: "rules-request",
  needsWorkerd: false,
  async run({ quick }) {
    const pace = quick ? QUICK : FULL;
    const worker = await startAlone("test/bench/workers/rules.ts");
    const contestant = (name: string, path: string): Contestant => ({
      name,
      url: worker.url,
      request: { method: "GET", path, headers: {} },
      units: 1,
    });
    const contestants = [contestant("decides nothing", "/empty"), contestant("decides 500 rules", "/decide")];
    const results = await measure(worker, contestants, pace).finally(worker.stop);
    const [empty, deciding] = results as [Measured, Measured];
    return {
      title: "A bare itty-router handler alone in workerd, 64 profiles in its memory in turn, requests/s",
      columns: ["", "per second", "× empty", "p50 ms", "p99 ms", "CPU µs", "× empty by CPU"],
      rows: results.map((result) => [
        result.name,
        result.perSecond,
        ratioOf(result, empty),
        result.p50,
        result.p99,
        result.cpuMicros ?? Number.NaN,
        (empty.cpuMicros ?? Number.NaN) / (result.cpuMicros ?? Number.NaN),
      ]),
      notes: [`${pace.rounds} rounds of ${pace.roundMs / 1_000} s`],
      goals: [
        { name: "a request that decides 500 rules", value: ratioOf(deciding, empty), unit: "× empty", floor: 0.65 },
      ],
    };
  },
};
