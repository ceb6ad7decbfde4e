/**
 * Times rule engines beside each other: round after round each contestant in turn, each time in a process of its own, so
 * that none meets code that V8 has shaped for another.
 */
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "../rounds.ts";

/**
 * Compiles rules once; then a subject → the sum of the numbers of the rules that are true, the first being 1: a witness of
 * all answers, for next to nothing.
 */
export type Build<Rule, Subject> = (rules: Rule[]) => Answer<Subject> | Promise<Answer<Subject>>;
export type Answer<Subject> = (subject: Subject, now: number) => number;
export type Contestants<Rule, Subject> = { [name: string]: Build<Rule, Subject> };

/** When the first call asks. */
export const NOW = Date.parse("2026-11-22T10:00:00.000Z");

const FULL = { rounds: 5, roundMs: 150, warmMs: 200 };
const QUICK = { rounds: 2, roundMs: 80, warmMs: 120 };
/** So that a process starts in half the time. */
const COMPILE_CACHE = join(tmpdir(), "attune-bench-compile-cache");

/** What a process is asked to do. */
export interface Heat {
  /** A field of `heats.ts`. */
  field: string;
  contestant: string;
  rules: number;
  /** Events of a subject. */
  events: number;
  warmMs: number;
  roundMs: number;
}

/** What a process answers. */
interface Time {
  /** Of CPU, of one call for all rules. */
  nanos: number;
  /** Witnesses of all subjects. */
  sums: number[];
}

export interface Raced {
  name: string;
  /** Nanoseconds of CPU of one call for all rules: the median of the rounds. */
  nanos: number;
  /** The same of each round, in order. */
  rounds: number[];
  /** What it answered of each subject. */
  sums: number[];
}

/** @throws Error when two contestants do not answer alike. */
export function race(
  contestants: readonly string[],
  heat: Pick<Heat, "field" | "rules" | "events">,
  quick: boolean,
): Raced[] {
  const { rounds, ...pace } = quick ? QUICK : FULL;
  const times = contestants.map(() => [] as number[]);
  let expected: Time["sums"] | undefined;
  for (let round = 0; round < rounds; round++) {
    for (const [index, contestant] of contestants.entries()) {
      const { nanos, sums } = run({ ...heat, ...pace, contestant });
      expected ??= sums;
      const differs = sums.findIndex((sum, subject) => sum !== expected![subject]);
      if (differs >= 0) throw new Error(`${contestant} and ${contestants[0]} differ on subject ${differs}`);
      times[index]!.push(nanos);
    }
  }
  return contestants.map((name, index) => ({
    name,
    nanos: median(times[index]!),
    rounds: times[index]!,
    sums: expected!,
  }));
}

/** How it was measured, for a note. */
export function describeRace(quick: boolean): string {
  const { rounds, warmMs, roundMs } = quick ? QUICK : FULL;
  return `all answer alike; CPU of the thread, medians of ${rounds} rounds, in each a process of its own: ${warmMs} ms to warm up, ${roundMs} ms timed`;
}

/** How many times as long as the other the one takes: the median of the rounds' own ratios. */
export function timesAsLong(one: Raced, other: Raced): number {
  return median(one.rounds.map((nanos, round) => nanos / other.rounds[round]!));
}

function run(heat: Heat): Time {
  const script = fileURLToPath(new URL("heats.ts", import.meta.url));
  const env = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE };
  return JSON.parse(execFileSync(process.execPath, [script, JSON.stringify(heat)], { encoding: "utf8", env })) as Time;
}

/** The sum that a contestant answers with. */
export function sumOfTrue<T>(items: readonly T[], isTrue: (item: T) => boolean): number {
  let sum = 0;
  for (let index = 0; index < items.length; index++) if (isTrue(items[index]!)) sum += index + 1;
  return sum;
}
