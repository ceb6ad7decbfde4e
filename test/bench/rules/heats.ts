/** The process that `race` starts for one contestant: builds, asks about each subject once, warms up, and times. */
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
  updates: {
    contestants: UPDATE_CONTESTANTS,
    rules: buildWindowRules,
    subjects: (events) => buildPeople(16, events),
  },
};
/** How often it looks at the CPU's clock, which is slow to read. */
const LOOK_MS = 5;
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
 * Nanoseconds of a call, subjects in turn and each call a second later. All time is CPU of this thread: what others do on
 * the machine, and V8's compiler beside, hardly changes it.
 */
function time(durationMs: number): number {
  const first = next;
  const startedAt = cpuMicros();
  let took = 0;
  for (; took < durationMs * 1_000; took = cpuMicros() - startedAt)
    for (const lookedAt = performance.now(); performance.now() - lookedAt < LOOK_MS; next++)
      answer(subjects[next % subjects.length]!, NOW + next * SECOND_MS);
  return (took * 1_000) / (next - first);
}

/** As the system counts it: in steps of up to some milliseconds. */
function cpuMicros(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
