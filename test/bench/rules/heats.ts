/** The process that `race` starts for one contestant: builds, asks about each subject once, warms up, and times. */
import { median } from "../rounds.ts";
import { type Contestants, type Heat, NOW } from "./race.ts";
import { TRAIT_CONTESTANTS } from "./trait-contestants.ts";
import { buildProfiles, buildTraitRules } from "./traits.ts";
import { UPDATE_CONTESTANTS } from "./update-contestants.ts";
import { WINDOW_CONTESTANTS } from "./window-contestants.ts";
import { buildPeople, buildWindowRules } from "./windows.ts";

interface Field {
  contestants: Contestants<never, never>;
  rules(count: number): unknown[];
  subjects(events: number): unknown[];
}

const FIELDS: { [name: string]: Field } = {
  traits: { contestants: TRAIT_CONTESTANTS, rules: buildTraitRules, subjects: () => buildProfiles(64) },
  windows: {
    contestants: WINDOW_CONTESTANTS,
    rules: buildWindowRules,
    subjects: (events) => buildPeople(8, events),
  },
  // So many people that their histories hardly grow while it is timed.
  updates: {
    contestants: UPDATE_CONTESTANTS,
    rules: buildWindowRules,
    subjects: (events) => buildPeople(64, events),
  },
};
/** So long that collecting garbage is part of each. */
const SAMPLE_MS = 10;
const SECOND_MS = 1_000;

const heat = JSON.parse(process.argv[2]!) as Heat;
const field = FIELDS[heat.field]!;
const answer = await field.contestants[heat.contestant]!(field.rules(heat.rules) as never[]);
const subjects = field.subjects(heat.events) as never[];
const sums = subjects.map((subject) => answer(subject, NOW));
let next = 0;
time(heat.warmMs);
process.stdout.write(JSON.stringify({ nanos: time(heat.roundMs), sums }));

/**
 * Nanoseconds of a call, subjects in turn and each call a second later: the median of samples. All time is CPU of this
 * process, garbage collection included: what others do on the machine hardly changes it.
 */
function time(durationMs: number): number {
  const samples: number[] = [];
  for (const startedAt = cpuMicros(); cpuMicros() - startedAt < durationMs * 1_000; ) {
    const first = next;
    const before = cpuMicros();
    for (const sampledAt = performance.now(); performance.now() - sampledAt < SAMPLE_MS; next++)
      answer(subjects[next % subjects.length]!, NOW + next * SECOND_MS);
    samples.push(((cpuMicros() - before) * 1_000) / (next - first));
  }
  return median(samples);
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
