/** The golden vectors `test/cases/conditions.json`, made ready to run: times in the file are ISO 8601, in the engine milliseconds. */
import type { Condition } from "../../../shared/condition.ts";
import { compile } from "../../../shared/engine/compile.ts";
import { explain } from "../../../shared/engine/explain.ts";
import type { Language } from "../../../shared/engine/run.ts";
import type { Answer, Rule, Subject, Truth } from "../../../shared/engine/types.ts";
import file from "../../cases/conditions.json";

/** One row: a condition asked of a subject at an instant, and the answer. */
export interface Row {
  name: string;
  condition: Condition;
  subject: {
    id?: string;
    traits: { [key: string]: unknown };
    events: { type: string; event: string; timestamp: string; properties: { [key: string]: unknown } }[];
    context?: { [key: string]: unknown };
    segments?: { [key: string]: { value: Truth; until: string | null } };
    consent?: string[];
  };
  now: string;
  value: Truth;
  until: string | null;
  /** Part of the sentence that explains the answer. */
  says?: string;
  /** UTC where it is left out. */
  timeZone?: string;
  /** Other rules of the same program. */
  rules?: Rule[];
}

export const rows = (file as unknown as { rows: Row[] }).rows;

/** The row's person as the engine takes one. */
export function subjectOf({ subject }: Row): Subject {
  const segments = Object.entries(subject.segments ?? {}).map(([key, { value, until }]) => [
    key,
    { value, until: until === null ? null : Date.parse(until) },
  ]);
  return {
    ...subject,
    events: subject.events.map((event) => ({ ...event, timestamp: Date.parse(event.timestamp) })),
    segments: Object.fromEntries(segments),
  } as Subject;
}

/** What the engine answers to a row, in the form of the file. */
export function answer(row: Row, language: Language): { value: Truth; until: string | null; says: string } {
  const options = { timeZone: row.timeZone ?? "UTC", language };
  const rules = [...(row.rules ?? []), { key: "asked", condition: row.condition }];
  const now = Date.parse(row.now);
  const { value, until } = compile(rules, options, language).evaluate(subjectOf(row), now).at(-1) as Answer;
  const why = explain(row.condition, subjectOf(row), now, { ...options, rules: row.rules ?? [] });
  if (why.value !== value || why.until !== until) throw new Error(`explain and compile differ on: ${row.name}`);
  return { value, until: until === null ? null : new Date(until).toISOString(), says: why.says };
}
