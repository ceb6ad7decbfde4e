/** Measures several things in turn, round after round, so that a busy moment of the machine hits all of them alike. */
import { type LoadResult, type RequestTemplate, runLoad } from "./load.ts";
import type { Bench } from "./workerd.ts";

const CONNECTIONS = 16;

export interface Contestant {
  name: string;
  url: string;
  request: RequestTemplate;
  /** What one request counts as: 20 for a batch of 20 events. Refused requests count nothing. */
  units: number;
  connections?: number;
  /** Requests that are asked to come again (429, 503) are reported instead of ending the run. */
  mayRefuse?: boolean;
}

export interface Measured {
  name: string;
  /** Medians over the rounds. */
  perSecond: number;
  p50: number;
  p99: number;
  /** Milliseconds until an answer began. */
  firstByte: number;
  /** CPU of workerd per unit: what a busy machine does not change. */
  cpuMicros: number | undefined;
  /** Share of the requests that were asked to come again. */
  refused: number;
  /** Units per second of each round, in order. */
  rounds: number[];
}

export interface Pace {
  rounds: number;
  roundMs: number;
  warmMs: number;
}

interface Sample {
  perSecond: number;
  p50: number;
  p99: number;
  firstByte: number;
  refused: number;
  cpu: number | undefined;
}

/** Unique over the whole run of the program: messageIds are made of it. */
let serial = 1;

/** @throws Error when any answer is not a success: a fast refusal is no result. */
export async function measure(
  bench: Pick<Bench, "cpuSeconds">,
  contestants: readonly Contestant[],
  pace: Pace,
): Promise<Measured[]> {
  for (const contestant of contestants) await load(contestant, pace.warmMs);
  const samples = contestants.map(() => [] as Sample[]);
  for (let round = 0; round < pace.rounds; round++) {
    for (const [index, contestant] of contestants.entries()) {
      const before = bench.cpuSeconds();
      const result = await load(contestant, pace.roundMs);
      const after = bench.cpuSeconds();
      const units = (result.requests - result.refusals) * contestant.units;
      samples[index]!.push({
        perSecond: units / result.seconds,
        p50: result.p50,
        p99: result.p99,
        firstByte: result.firstByte,
        refused: result.refusals / result.requests,
        cpu: before === undefined || after === undefined ? undefined : ((after - before) * 1e6) / units,
      });
    }
  }
  return contestants.map(({ name }, index) => {
    const own = samples[index]!;
    const cpu = own.map((sample) => sample.cpu).filter((value) => value !== undefined);
    return {
      name,
      perSecond: median(own.map((sample) => sample.perSecond)),
      p50: median(own.map((sample) => sample.p50)),
      p99: median(own.map((sample) => sample.p99)),
      firstByte: median(own.map((sample) => sample.firstByte)),
      cpuMicros: cpu.length > 0 ? median(cpu) : undefined,
      refused: median(own.map((sample) => sample.refused)),
      rounds: own.map((sample) => sample.perSecond),
    };
  });
}

async function load(contestant: Contestant, durationMs: number) {
  return send(contestant, { connections: contestant.connections ?? CONNECTIONS, durationMs });
}

/** One burst of requests; `measure` is for comparing. @throws Error when any answer is not a success. */
export async function send(
  { name, url, request, mayRefuse = false }: Omit<Contestant, "units">,
  how: { connections: number; durationMs: number; requests?: number },
): Promise<LoadResult> {
  const result = await runLoad({ url, request, ...how, serial });
  serial = result.serial;
  if (result.failures > (mayRefuse ? result.refusals : 0))
    throw new Error(`${name}: ${result.failures} of ${result.requests} failed: ${result.failure ?? "503"}`);
  return result;
}

/** Median of the rounds' own ratios: each compares two neighbours in time. */
export function ratioOf(one: Measured, other: Measured): number {
  return median(one.rounds.map((value, round) => value / other.rounds[round]!));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
