/** Imported conditions against GrowthBook's own evaluator: whatever is not refused means the same for any JSON. */
import { evalCondition } from "@growthbook/growthbook";
import fc from "fast-check";
import { expect, it } from "vitest";
import { OPERATORS } from "../../../../edge/segments/mongo/operators.ts";
import { fromMongo } from "../../../../edge/segments/mongo.ts";
import { compile } from "../../../../shared/engine/compile.ts";
import { fullLanguage } from "../../../../shared/engine/language-edge.ts";
import type { JsonObject } from "../../../../shared/event.ts";

const RUNS = Number(process.env["ATTUNE_CASES"] ?? 20_000);

const TEXTS = [
  "",
  " ",
  "a",
  "A",
  "ab",
  "b",
  "0",
  "1",
  "5",
  "05",
  " 5",
  "1e1",
  "10",
  "true",
  "null",
  "a,b",
  "x\ny",
  "-0",
];
const STRANGE = [
  "\u212a",
  "k",
  "\u0130",
  "i",
  "TI",
  "ti",
  "ſ",
  "ß",
  "Infinity",
  "[object Object]",
  "2026-01-01",
  "constructor",
];
const VERSIONS = [
  "1.0.0",
  "v1.0.0",
  "1.0.0-a",
  "1.0.0-a.2",
  "1.0.0-a.10",
  "1.0",
  "2",
  "10.0.0+b",
  "1-0-0",
  "100000.0.0",
  "v",
  "+",
  "1.0.0+\n",
];
const NUMBERS = [0, -0, 1, -1, 2, 5, 10, 0.5, 1e21, -7.25];

const text = fc.constantFrom(...TEXTS, ...STRANGE, ...VERSIONS);
const scalar = fc.oneof(text, fc.constantFrom(...NUMBERS), fc.constantFrom(true, false, null));
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    { weight: 5, arbitrary: scalar },
    { weight: 2, arbitrary: fc.array(tie("value"), { maxLength: 3 }) },
    {
      weight: 1,
      arbitrary: fc.dictionary(fc.constantFrom("a", "b", "c", "length", "0"), tie("value"), { maxKeys: 3 }),
    },
  ),
}));

const pattern = fc.oneof(
  fc
    .array(
      fc.constantFrom(
        "a",
        "b",
        "A",
        "5",
        "i",
        "k",
        ".",
        "\\.",
        "^",
        "$",
        "|",
        "(",
        ")",
        "(?:",
        "[ab]",
        "?",
        ".*",
        "*",
        "/",
        ",",
        "n",
      ),
      {
        maxLength: 6,
      },
    )
    .map((parts) => parts.join(""))
    // GrowthBook's cache takes the pattern "a/i" for an "a" that ignores case, if it has met that one.
    .filter((source) => !source.endsWith("/i")),
  fc.constantFrom(
    "^a",
    "b$",
    "^(a|b)$",
    "(a|b)",
    "nul",
    "true",
    "^object",
    "^$",
    "a?b",
    "^a.*",
    ".*b$",
    "ti",
    "t[iI]$",
    "^İ",
  ),
);
const version = fc.oneof(fc.constantFrom(...VERSIONS), fc.constantFrom(...NUMBERS), text);
const list = fc.array(scalar, { maxLength: 3 });
const size = fc.record(
  {
    $gt: fc.nat(3),
    $lte: fc.nat(3),
    $in: fc.array(fc.nat(3), { maxLength: 3 }),
    $nin: fc.array(fc.nat(3), { maxLength: 2 }),
  },
  { requiredKeys: [] },
);
const attribute = fc.constantFrom("a", "b", "a.b", "a.0", "b.length", "a.c.0", "c", "constructor", "b.map");
const GROUPS = { g: ["a", 5, "5"], h: { type: "list", values: ["b", 1] }, none: [] };

const { asked, condition } = fc.letrec<{ asked: unknown; operators: unknown; condition: object }>((tie) => ({
  asked: fc.oneof(
    { weight: 1, arbitrary: scalar },
    { weight: 1, arbitrary: list },
    { weight: 6, arbitrary: tie("operators") },
  ),
  operators: fc
    .array(
      fc.oneof(
        { maxDepth: 4, depthSize: "small" },
        fc.tuple(fc.constantFrom("$eq", "$ne"), scalar),
        fc.tuple(fc.constantFrom("$gt", "$gte", "$lt", "$lte"), scalar),
        fc.tuple(fc.constantFrom("$veq", "$vne", "$vgt", "$vgte", "$vlt", "$vlte"), version),
        fc.tuple(fc.constantFrom("$in", "$nin", "$ini", "$nini"), list),
        fc.tuple(fc.constantFrom("$inGroup", "$notInGroup"), fc.constantFrom("g", "h", "none", "missing", "toString")),
        fc.tuple(fc.constantFrom("$exists"), fc.boolean()),
        fc.tuple(fc.constantFrom("$type"), fc.constantFrom("string", "number", "boolean", "null", "array", "object")),
        fc.tuple(fc.constantFrom("$regex", "$regexi"), pattern),
        fc.tuple(fc.constantFrom("$size"), fc.oneof(fc.nat(3), size)),
        fc.tuple(fc.constantFrom("$not"), tie("asked")),
        fc.tuple(fc.constantFrom("$all", "$alli"), fc.array(tie("asked"), { maxLength: 2 })),
        fc.tuple(fc.constantFrom("$elemMatch"), fc.oneof(tie("operators"), tie("condition"))),
      ),
      { minLength: 1, maxLength: 2 },
    )
    .map((entries) => Object.fromEntries(entries)),
  condition: fc
    .array(
      fc.oneof(
        { maxDepth: 4, depthSize: "small" },
        { weight: 6, arbitrary: fc.tuple(attribute, tie("asked")) },
        {
          weight: 1,
          arbitrary: fc.tuple(fc.constantFrom("$and", "$or", "$nor"), fc.array(tie("condition"), { maxLength: 2 })),
        },
        { weight: 1, arbitrary: fc.tuple(fc.constantFrom("$not"), tie("condition")) },
      ),
      { minLength: 1, maxLength: 2 },
    )
    .map((entries) => Object.fromEntries(entries)),
}));

const attributes = fc.record({ a: value, b: value, c: value }, { requiredKeys: [] }).map(structuredClone);

it("means what GrowthBook means, whatever the attributes are", { timeout: 600_000 }, () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      fc.oneof(
        condition,
        asked.map((asked) => ({ a: asked })),
      ),
      fc.array(attributes, { minLength: 8, maxLength: 8 }),
      (mongo, people) => {
        const { condition } = fromMongo(mongo, { savedGroups: GROUPS });
        if (!condition) return;
        const operators = JSON.stringify(mongo).match(/\$\w+(?=":)/g) ?? [];
        const program = compile([{ key: "x", condition }], { timeZone: "UTC" }, fullLanguage);
        for (const traits of people as JsonObject[]) {
          const answer = program.evaluate({ traits, events: [] }, 0)[0]!.value;
          expect(answer, JSON.stringify([traits, condition])).toBe(
            evalCondition(traits, mongo as never, GROUPS as never),
          );
          for (const operator of operators) seen.add(`${operator} ${answer}`);
        }
      },
    ),
    { numRuns: RUNS },
  );
  const expected = [...Object.keys(OPERATORS), "$and", "$or", "$nor"].flatMap((name) => [
    `${name} true`,
    `${name} false`,
  ]);
  expect([...seen].sort()).toEqual(expected.sort());
});
