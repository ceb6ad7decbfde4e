/** Counts what random cases were made of, so that a suite can tell that it left nothing out. */
import type { Condition } from "../../../shared/condition.ts";
import { KINDS } from "../../../shared/engine/run.ts";

const OPERATORS =
  "eq ne in nin gt gte lt lte exists contains startsWith endsWith like before after within any all none where isA size number text lower version";
const WINDOWS = "within between after before gap same where min count type";
const ANSWERS = "true false unknown finite endless";

/** Words that were met, each with how often; `expected` are there from the start with 0. */
export function createCoverage(...expected: string[]) {
  const counts = new Map<string, number>();
  const count = (word: string) => counts.set(word, (counts.get(word) ?? 0) + 1);
  const words = [
    ...KINDS.map((kind) => `leaf ${kind}`),
    ..."all any not".split(" ").map((group) => `group ${group}`),
    ...OPERATORS.split(" ").map((operator) => `operator ${operator}`),
    ...WINDOWS.split(" ").map((key) => `key ${key}`),
    ...ANSWERS.split(" ").map((answer) => `answer ${answer}`),
    ...expected,
  ];
  for (const word of words) counts.set(word, 0);

  /** Counts the parts of a condition. */
  const visit = (condition: Condition): void => {
    const c = condition as { [key: string]: unknown };
    const group = ["all", "any", "not"].find((key) => Object.hasOwn(c, key));
    if (group && !Object.hasOwn(c, "trait") && !Object.hasOwn(c, "context") && !isAggregate(c)) {
      count(`group ${group}`);
      for (const child of [c[group]].flat()) visit(child as Condition);
      return;
    }
    count(`leaf ${KINDS.find((key) => Object.hasOwn(c, key))}`);
    look(c, Object.hasOwn(c, "trait") || Object.hasOwn(c, "context"));
  };
  const isAggregate = (c: object) => Object.hasOwn(c, "event") || Object.hasOwn(c, "type");

  /** Keys of a leaf name events and windows, unless it is one of a value; deeper down they are operators. */
  const look = (object: { [key: string]: unknown }, inOperators: boolean): void => {
    for (const [key, value] of Object.entries(object)) {
      if (!inOperators && WINDOWS.split(" ").includes(key)) count(`key ${key}`);
      else if (OPERATORS.split(" ").includes(key)) count(`operator ${key}`);
      if (typeof value !== "object" || value === null || key === "in" || key === "nin") continue;
      if (Object.hasOwn(value, "trait")) count("operand trait");
      else if (key === "where") for (const operators of Object.values(value)) look(operators, true);
      else if (key === "sequence" || key === "ratio") for (const selector of value as never[]) look(selector, false);
      else if (key === "none") for (const operators of value as never[]) look(operators, true);
      else if (!Array.isArray(value)) look(value as never, key !== "unless");
    }
  };

  return {
    count,
    visit,
    /** What was expected and never met. */
    missing: () => [...counts].flatMap(([word, times]) => (times ? [] : word)),
    /** One line a group: `operator  eq 812, ne 790 …`. */
    table: () => {
      const split = [...counts].map(([word, times]) => [...word.split(" "), times] as [string, string, number]);
      const groups = new Set(split.map(([group]) => group));
      const lineOf = (group: string) =>
        split.flatMap(([own, word, times]) => (own === group ? `${word} ${times}` : [])).join(", ");
      return [...groups].map((group) => `${group.padEnd(9)} ${lineOf(group)}`).join("\n");
    },
  };
}
