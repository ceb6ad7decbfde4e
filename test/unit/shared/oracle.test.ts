/** The engine against the oracle, on random cases. Replay with ATTUNE_SEED, widen with ATTUNE_CASES. */
import { expect, it } from "vitest";
import { checkCondition } from "../../../edge/segments/schema.ts";
import { compile } from "../../../shared/engine/compile.ts";
import { explain } from "../../../shared/engine/explain.ts";
import { fullLanguage } from "../../../shared/engine/language-edge.ts";
import { emptyHistory, extendHistory, needsOf, readHistory } from "../../../shared/history.ts";
import { changesOf, oracle } from "./oracle.ts";
import { createRandom, NOW, randomCondition, randomSubject } from "./random.ts";

const SEED = Number(process.env["ATTUNE_SEED"] ?? Math.floor(performance.timeOrigin) % 2 ** 31);
const CASES = Number(process.env["ATTUNE_CASES"] ?? 20_000);
const OPTIONS = { timeZone: "UTC", language: fullLanguage };

it(`agrees with the oracle in value, and its until is sound and mostly exact (seed ${SEED})`, {
  timeout: 300_000,
}, () => {
  let finite = 0;
  let exact = 0;
  for (let i = 0; i < CASES; i++) {
    const random = createRandom(SEED + i);
    const condition = randomCondition(random);
    const subject = randomSubject(random);
    const program = compile([{ key: "rule", condition }], OPTIONS, fullLanguage);
    const [answer] = program.evaluate(subject, NOW);
    const show = `ATTUNE_SEED=${SEED + i} ATTUNE_CASES=1 ${JSON.stringify({ condition, subject })}`;

    expect(answer!.value, show).toBe(oracle(condition, subject, NOW));
    expect(checkCondition(condition).errors, show).toBeUndefined();

    const changes = changesOf(condition, subject, NOW);
    const change = changes.find((instant) => oracle(condition, subject, instant) !== answer!.value) ?? null;
    const until = answer!.until ?? Infinity;
    expect(until, show).toBeGreaterThan(NOW);
    expect(until, `unsound: ${show}`).toBeLessThanOrEqual(change ?? Infinity);
    if (answer!.until !== null) {
      finite++;
      if (answer!.until === change) exact++;
    }

    if (i % 10) continue;
    const why = explain(condition, subject, NOW, OPTIONS);
    expect({ value: why.value, until: why.until }, show).toEqual(answer);
    const needs = needsOf([condition]);
    const history = JSON.parse(JSON.stringify(extendHistory(emptyHistory(needs.shape), subject.events, needs)));
    const [again] = program.evaluate({ ...subject, events: readHistory([history]) }, NOW);
    expect(again, `from its history: ${show}`).toEqual(answer);
  }
  console.log(`seed ${SEED}: ${CASES} cases, ${finite} finite, ${((100 * exact) / finite).toFixed(1)} % of them exact`);
  if (finite > 100) expect(exact / finite).toBeGreaterThan(0.9);
});
