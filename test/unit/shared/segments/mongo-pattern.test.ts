/** Patterns that are read as texts to look for, against the patterns themselves. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { readPattern } from "../../../../edge/segments/mongo/pattern.ts";
import type { TextOperators } from "../../../../shared/condition.ts";
import { compile } from "../../../../shared/engine/compile.ts";
import { fullLanguage } from "../../../../shared/engine/language-edge.ts";

/** Some letters whose other case is a surprise, and what ends a line. */
const LETTERS = ["a", "A", "b", "k", "K", "\u212a", "i", "I", "\u0130", "\u0131", "s", "\u017f", "\n", "/", "-", "."];

const text = fc.array(fc.constantFrom(...LETTERS), { maxLength: 5 }).map((letters) => letters.join(""));
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...LETTERS, "\\.", "\\-", "\\/", "\\\\", "[aK]", "[.b]", "(?:a|i)") },
  { weight: 2, arbitrary: fc.constantFrom("^", "$", "|", "(", ")", "?", "??", ".*", ".*?") },
  {
    weight: 1,
    arbitrary: fc.constantFrom("*", "+", "{1}", "[^a]", "[a-k]", "\\d", "\\b", "\\1", "(?=a)", "(?<x>", "]", "}", "["),
  },
);
const pattern = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(""));

function finds(operators: readonly TextOperators[], value: string): boolean {
  const rules = operators.map((text, i) => ({ key: `${i}`, condition: { trait: "x", text } }));
  const answers = compile(rules, { timeZone: "UTC" }, fullLanguage).evaluate({ traits: { x: value }, events: [] }, 0);
  return answers.some((answer) => answer.value === true);
}

it.each([false, true])("finds what the pattern finds (ignoring case: %s)", { timeout: 120_000 }, (ignoreCase) => {
  let read = 0;
  fc.assert(
    fc.property(pattern, fc.array(text, { minLength: 12, maxLength: 12 }), (source, values) => {
      const operators = readPattern(source, ignoreCase);
      if (!operators) return;
      read++;
      const regex = new RegExp(source, ignoreCase ? "i" : "");
      for (const value of values)
        expect(finds(operators, value), JSON.stringify([value, operators])).toBe(regex.test(value));
    }),
    { numRuns: 20_000 },
  );
  expect(read).toBeGreaterThan(1_000);
});

it.each([
  ["^/(shop|sale)", [{ startsWith: "/shop" }, { startsWith: "/sale" }]],
  ["colou?r", [{ contains: "colour" }, { contains: "color" }]],
  [".*\\.pdf$", [{ endsWith: ".pdf" }]],
  ["^[NB]L$", [{ eq: "NL" }, { eq: "BL" }]],
  ["^$", [{ eq: "" }]],
  ["", [{ contains: "" }]],
  ["a{2}", undefined],
  ["\\d+", undefined],
  ["^a.*z$", undefined],
  ["a(.*b)", undefined],
  ["a|(b", undefined],
])("reads %s", (source, operators) => {
  expect(readPattern(source, false)).toEqual(operators);
});

it("reads in lower case only what has no surprise there", () => {
  expect(readPattern("(Mobile|tablet)$", true)).toEqual([
    { lower: { endsWith: "mobile" } },
    { lower: { endsWith: "tablet" } },
  ]);
  for (const source of ["Kindle", "wi", "^fi", "é", "\u212a"])
    expect(readPattern(source, true), source).toBeUndefined();
  expect(readPattern("wi$", true)).toEqual([{ lower: { endsWith: "wi" } }]);
});
