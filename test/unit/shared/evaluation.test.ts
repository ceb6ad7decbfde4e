/** Answers that go on from event to event against those that begin anew. Replay with ATTUNE_SEED, widen with ATTUNE_CASES. */
import { expect, it } from "vitest";
import { createEvaluator } from "../../../shared/engine/evaluation.ts";
import type { HistoryEvent } from "../../../shared/event.ts";
import { mergeEvents } from "../../../shared/history.ts";
import { oracle } from "./oracle.ts";
import { CASES } from "./oracle-cases.ts";
import { createRandom, instantNear, randomEvents } from "./random.ts";
import { FOCUSES, randomProgram } from "./random-program.ts";
import { SEED } from "./seed.ts";

const WALKS = Math.ceil(CASES / 50);
const STEPS = 6;
const MINUTE = 60_000;
const NOW = Date.parse("2026-11-22T10:00:00Z");

const track = (event: string, timestamp: unknown) =>
  ({ type: "track", event, timestamp, properties: {} }) as HistoryEvent;

it(`says after any events and at any time what a fresh evaluation says (seed ${SEED})`, { timeout: 3_600_000 }, () => {
  const seen = { same: 0, spared: 0, decided: 0, late: 0, future: 0 };
  for (let i = 0; i < WALKS; i++) {
    const random = createRandom(SEED + i);
    const { rules, timeZone, subjects, ...draw } = randomProgram(random, FOCUSES[(SEED + i) % FOCUSES.length]!, 1);
    const evaluator = createEvaluator(rules, { timeZone });
    const isTimed = ({ timestamp }: HistoryEvent) => Number.isFinite(timestamp);
    let subject = { ...subjects[0]!, events: subjects[0]!.events.filter(isTimed) };
    let { now } = draw;
    const evaluation = evaluator.start(subject, now);
    for (let step = 0; step < STEPS; step++) {
      const until = evaluation.answers.find((answer) => answer.until !== null)?.until ?? now;
      now = random.pick([now, now + random.below(90) * MINUTE, until, until - 1, instantNear(random, now)]);
      const last = subject.events.at(-1)?.timestamp ?? 0;
      const newer = random.chance(0.6) ? Math.max(now, last + 1) : now;
      const added = random.chance(0.8) ? randomEvents(random, newer, 2).filter(isTimed) : [];
      const fitting = random.chance(0.6) ? added.filter(({ timestamp }) => timestamp > last) : added;
      subject = { ...subject, events: [...mergeEvents(subject.events, fitting)] };
      const decided = evaluation.add(fitting, now);

      const show = () =>
        `ATTUNE_SEED=${SEED + i} ATTUNE_CASES=50, step ${step} ${JSON.stringify({ rules, timeZone, subject, fitting, now })}`;
      const fresh = evaluator.evaluate(subject, now);
      rules.forEach(({ condition }, at) => {
        const [kept, anew] = [evaluation.answers[at]!, fresh[at]!];
        const value = oracle(condition, { rules, timeZone, subject }, now);
        if (kept.value !== value || anew.value !== value)
          expect([kept.value, anew.value], show()).toEqual([value, value]);
        // Decided earlier, it may have looked less far ahead; never farther.
        const isSound = (kept.until ?? Infinity) > now && (kept.until ?? Infinity) <= (anew.until ?? Infinity);
        if (!isSound) expect(kept, show()).toEqual(anew);
        if (kept.until === anew.until) seen.same++;
      });
      seen.decided += decided.length;
      seen.spared += rules.length - decided.length;
      if (fitting.some(({ timestamp }) => timestamp <= last)) seen.late++;
      if (fitting.some(({ timestamp }) => timestamp > now)) seen.future++;
    }
  }
  expect(seen.same / (seen.decided + seen.spared)).toBeGreaterThan(0.99);
  // Both ways are taken: rules that no event touches are left alone, late events and coming ones are among the others.
  if (WALKS > 100) for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(WALKS / 10);
  console.log(`seed ${SEED}: ${WALKS} walks of ${STEPS} steps`, seen);
});

it("counts late events right beside what has no time", () => {
  const rules = [{ key: "recent", condition: { event: "A", within: "1h", count: { eq: 2 } } as const }];
  const evaluation = createEvaluator(rules, { timeZone: "UTC" }).start(
    { traits: {}, events: [track("A", NOW - 10), track("A", Number.NaN)] },
    NOW,
  );
  for (const late of [track("A", NOW - 240 * MINUTE), track("A", "2026"), null as never]) {
    evaluation.add([late], NOW);
    expect(evaluation.answers[0]!.value).toBe(false);
  }
  evaluation.add([track("A", NOW - 20)], NOW);
  expect(evaluation.answers[0]!.value).toBe(true);
});

it("answers at a time that is none", () => {
  const circle = ["a", "b"].map((key, i) => ({ key, condition: { segment: "ba"[i]! } }));
  const evaluation = createEvaluator(circle, { timeZone: "UTC" }).start({ traits: {}, events: null as never }, NOW);
  evaluation.add([], Number.NaN);
  expect(evaluation.answers).toEqual(Array(2).fill({ value: "unknown", until: null }));
});

it("decides what refers to a rule again when an event touches that, over any distance", () => {
  const chain = Array.from({ length: 50 }, (_, i) => ({ key: `r${i}`, condition: { segment: `r${i + 1}` } }));
  const rules = [
    ...chain,
    { key: "r50", condition: { not: { type: "page" } } as const },
    { key: "other", condition: { event: "A" } },
  ];
  const evaluation = createEvaluator(rules, { timeZone: "UTC" }).start({ traits: {}, events: [] }, NOW);
  expect(evaluation.add([track("B", NOW)], NOW)).toEqual([]);
  expect(evaluation.add([{ ...track("B", NOW + 1), type: "page" }], NOW + 1)).toHaveLength(51);
  expect(evaluation.answers.map(({ value }) => value)).toEqual(Array(52).fill(false));
});

it("takes in 200,000 events at once", () => {
  const rules = [{ key: "many", condition: { event: "A", count: { eq: 200_000 } } as const }];
  const evaluation = createEvaluator(rules, { timeZone: "UTC" }).start({ traits: {}, events: [] }, NOW);
  evaluation.add(
    Array.from({ length: 200_000 }, (_, i) => track("A", NOW - 200_000 + i)),
    NOW,
  );
  expect(evaluation.answers).toEqual([{ value: true, until: null }]);
});
