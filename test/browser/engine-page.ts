/** The engine as the script has it, to be asked from outside: what test/browser/engine.test.ts builds and loads. */
import { compile } from "../../shared/engine/compile.ts";
import { browserLanguage } from "../../shared/engine/language.ts";
import type { Answer, Rule, Subject } from "../../shared/engine/types.ts";

declare global {
  /** The answers of one program for each question, in order: that of its last rule. */
  var decideAll: (questions: readonly Question[]) => Answer[];
}

export interface Question {
  rules: Rule[];
  timeZone: string;
  subject: Subject;
  now: number;
}

globalThis.decideAll = (questions) =>
  questions.map(
    ({ rules, timeZone, subject, now }) => compile(rules, { timeZone }, browserLanguage).evaluate(subject, now).at(-1)!,
  );
