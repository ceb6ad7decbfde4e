/** The golden vectors in Node. */
import { expect, it } from "vitest";
import { createEvaluator } from "../../../shared/engine/evaluation.ts";
import { fullLanguage } from "../../../shared/engine/language-edge.ts";
import { emptyHistory, extendHistory, needsOf, readHistory } from "../../../shared/history.ts";
import { answer, rows, subjectOf } from "./vectors.ts";

it.each(rows.map((row) => [row.name, row] as const))("%s", (_, row) => {
  const { says, ...result } = answer(row, fullLanguage);
  expect(result).toEqual({ value: row.value, until: row.until });
  if (row.says) expect(says).toContain(row.says);
});

it.each(rows.map((row) => [row.name, row] as const))("%s, as the edge decides it from what is stored", (_, row) => {
  const rules = [...(row.rules ?? []), { key: "asked", condition: row.condition }];
  const needs = needsOf(rules.map(({ condition }) => condition));
  const subject = subjectOf(row);
  const history = extendHistory(emptyHistory(needs.shape), subject.events, needs);
  const events = readHistory([JSON.parse(JSON.stringify(history))]);
  const evaluator = createEvaluator(rules, { timeZone: row.timeZone ?? "UTC" });
  const { value, until } = evaluator.evaluate({ ...subject, events }, Date.parse(row.now)).at(-1)!;
  expect({ value, until: until === null ? null : new Date(until).toISOString() }).toEqual({
    value: row.value,
    until: row.until,
  });
});

it("names each row once", () => {
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
});
