import fc from "fast-check";
import { expect, it } from "vitest";
import { REFUSALS } from "../../../../edge/segments/mongo/refusals.ts";
import { fromMongo } from "../../../../edge/segments/mongo.ts";
import { checkCondition } from "../../../../edge/segments/schema.ts";
import type { Condition } from "../../../../shared/condition.ts";

it.each<[unknown, Condition]>([
  [{}, { all: [] }],
  [{ plan: { $eq: "pro" } }, { trait: "plan", eq: "pro" }],
  [{ plan: "pro" }, { trait: "plan", text: { eq: "pro" } }],
  [
    { plan: null },
    {
      any: [
        { trait: "plan", eq: null },
        { trait: "plan", exists: false },
      ],
    },
  ],
  [
    { visits: 0 },
    {
      any: [
        { trait: "visits", number: { eq: 0 } },
        { trait: "visits", exists: false },
      ],
    },
  ],
  [{ "user.vip": true }, { trait: "user.vip", exists: true, nin: [null, false, 0, ""] }],
  [{ age: { $gte: 18, $lt: 30 } }, { trait: "age", number: { gte: 18, lt: 30 } }],
  [{ name: { $gt: "a", $lt: "n" } }, { trait: "name", isA: ["string", "array", "object"], text: { gt: "a", lt: "n" } }],
  [
    { n: { $gt: "5" } },
    {
      any: [
        { trait: "n", isA: ["string", "array", "object"], text: { gt: "5" } },
        { trait: "n", isA: ["number", "boolean", "null"], number: { gt: 5 } },
      ],
    },
  ],
  [{ email: { $exists: true } }, { trait: "email", exists: true, ne: null }],
  [
    { country: { $nin: ["NL", "BE"] } },
    {
      not: {
        any: [
          { trait: "country", in: ["NL", "BE"] },
          { trait: "country", any: { in: ["NL", "BE"] } },
        ],
      },
    },
  ],
  [
    { country: { $ini: ["nl", 5] } },
    {
      any: [
        { trait: "country", lower: { in: ["nl"] } },
        { trait: "country", any: { lower: { in: ["nl"] } } },
        { trait: "country", in: [5] },
        { trait: "country", any: { in: [5] } },
      ],
    },
  ],
  [{ app: { $vgte: "2.1.0" } }, { trait: "app", version: { gte: "2.1.0" } }],
  [{ app: { $vlt: "2.1.0" } }, { not: { trait: "app", version: { gte: "2.1.0" } } }],
  [{ email: { $regex: "@example\\.com$" } }, { trait: "email", text: { endsWith: "@example.com" } }],
  [
    { path: { $regex: "^/s(hop|ale)/?$" } },
    { any: ["/shop/", "/shop", "/sale/", "/sale"].map((eq) => ({ trait: "path", text: { eq } })) },
  ],
  [{ agent: { $regexi: "Bot" } }, { trait: "agent", text: { lower: { contains: "bot" } } }],
  [{ tags: { $size: { $gte: 2, $nin: [3] } } }, { trait: "tags", size: { gte: 2, nin: [3] } }],
  [
    { tags: [1, ["a"]] },
    { trait: "tags", size: { eq: 2 }, where: { 0: { eq: 1 }, 1: { size: { eq: 1 }, where: { 0: { eq: "a" } } } } },
  ],
  [
    { tags: { $all: ["a", true] } },
    {
      all: [
        { trait: "tags", any: { text: { eq: "a" } } },
        { trait: "tags", any: { nin: [null, false, 0, ""] } },
      ],
    },
  ],
  [{ tags: { $elemMatch: { $lt: 5, $ne: 2 } } }, { trait: "tags", any: { nin: [null], number: { lt: 5 }, ne: 2 } }],
  [
    { items: { $elemMatch: { sku: { $eq: "x" }, price: { $gt: 10 } } } },
    { trait: "items", any: { where: { sku: { eq: "x" }, price: { number: { gt: 10 } } } } },
  ],
  [
    { tags: { $elemMatch: { $nin: ["a"] } } },
    { trait: "tags", any: { nin: [null], none: [{ in: ["a"] }, { any: { in: ["a"] } }] } },
  ],
  [
    { items: { $elemMatch: { sku: { $in: ["x"] }, price: { $not: { $gt: 10 } } } } },
    {
      any: [
        {
          trait: "items",
          any: { where: { sku: { in: ["x"] } }, none: [{ where: { price: { number: { gt: 10 } } } }] },
        },
        {
          trait: "items",
          any: { where: { sku: { any: { in: ["x"] } } }, none: [{ where: { price: { number: { gt: 10 } } } }] },
        },
      ],
    },
  ],
  [{ $or: [] }, { all: [] }],
  [{ $nor: [] }, { not: { all: [] } }],
  [
    { $not: { a: { $eq: 1 } }, $or: [{ b: { $eq: 2 } }, { $and: [{ c: { $eq: 3 } }, { d: { $eq: 4 } }] }] },
    {
      all: [
        { not: { trait: "a", eq: 1 } },
        {
          any: [
            { trait: "b", eq: 2 },
            {
              all: [
                { trait: "c", eq: 3 },
                { trait: "d", eq: 4 },
              ],
            },
          ],
        },
      ],
    },
  ],
])("imports %j", (mongo, condition) => {
  expect(fromMongo(mongo)).toEqual({ condition });
});

it("takes the values of saved groups, in both of their forms", () => {
  const savedGroups = { staff: ["u1", 2], testers: { type: "list", values: ["u3"] } };
  const isIn = (list: (string | number)[]): Condition => ({
    any: [
      { trait: "id", in: list },
      { trait: "id", any: { in: list } },
    ],
  });
  expect(fromMongo({ id: { $inGroup: "staff" } }, { savedGroups })).toEqual({ condition: isIn(["u1", 2]) });
  expect(fromMongo({ id: { $notInGroup: "testers" } }, { savedGroups })).toEqual({ condition: { not: isIn(["u3"]) } });
});

const deep = (levels: number) => {
  let mongo: unknown = { a: 1 };
  for (let i = 0; i < levels; i++) mongo = { $not: mongo };
  return mongo;
};

const REFUSED: [unknown, string, keyof typeof REFUSALS][] = [
  [null, "", "condition"],
  [[], "", "condition"],
  [{ $and: [1] }, "/$and/0", "condition"],
  [{ $or: { a: 1 } }, "/$or", "list"],
  [{ $where: "sleep(1)" }, "/$where", "operator"],
  [{ a: { $regex: "x", $options: "i" } }, "/a/$options", "operator"],
  [{ a: { toString: 1 } }, "/a", "object"],
  [{ a: { $constructor: 1 } }, "/a/$constructor", "operator"],
  [{ a: [1, { b: 1 }] }, "/a", "object"],
  [{ a: { $gt: 1, b: 2 } }, "/a", "object"],
  [{ "a/b": { $in: "x" } }, "/a~1b/$in", "operand"],
  [{ a: { $gt: null } }, "/a/$gt", "operand"],
  [{ a: { $lt: "Infinity" } }, "/a/$lt", "operand"],
  [{ a: { $eq: {} } }, "/a/$eq", "operand"],
  [{ a: { $size: { $gt: "1" } } }, "/a/$size", "operand"],
  [{ a: { $type: "int" } }, "/a/$type", "operand"],
  [{ a: { $veq: "" } }, "/a/$veq", "operand"],
  [{ "a..b": 1 }, "/a..b", "path"],
  [{ "": 1 }, "/", "path"],
  [{ toString: 1 }, "/toString", "path"],
  [{ "user.map": 1 }, "/user.map", "path"],
  [{ a: { $elemMatch: { filter: 1 } } }, "/a/$elemMatch/filter", "path"],
  [JSON.parse('{"a":{"$elemMatch":{"__proto__":1}}}'), "/a/$elemMatch/__proto__", "path"],
  [{ a: { $regex: "^(a+)+$" } }, "/a/$regex", "pattern"],
  [{ a: { $regex: "a.*b" } }, "/a/$regex", "pattern"],
  [{ a: { $regex: "(a|b" } }, "/a/$regex", "pattern"],
  [{ a: { $regex: "[ab][ab][ab][ab][ab][ab]" } }, "/a/$regex", "pattern"],
  [{ a: { $regex: 5 } }, "/a/$regex", "pattern"],
  [{ a: { $regexi: "ok" } }, "/a/$regexi", "caseless"],
  [{ a: { $regexi: "^Wi" } }, "/a/$regexi", "caseless"],
  [{ a: { $inGroup: "nobody" } }, "/a/$inGroup", "group"],
  [{ a: { $inGroup: "constructor" } }, "/a/$inGroup", "group"],
  [{ $savedGroup: { id: "x" } }, "/$savedGroup", "saved-group"],
  [deep(15), "", "limit"],
];

it.each(REFUSED)("refuses %j", (mongo, pointer, code) => {
  expect(fromMongo(mongo)).toEqual({ errors: [{ pointer, code, detail: expect.stringContaining(REFUSALS[code]) }] });
});

it.each<[string, unknown, string]>([
  ["deep", deep(5_000), "/$not".repeat(37)],
  ["wide", { $and: Array(400).fill({ a: { $eq: 1 } }) }, "/$and/300/a"],
  ["split up", { $or: Array(200).fill({ a: 0 }) }, ""],
  ["a long list of elements", { a: { $alli: Array(400).fill("x") } }, "/a/$alli"],
  ["a long list to be equal to", { a: Array(400).fill("x") }, "/a"],
  ["a long list of values", { a: { $in: Array(40_000).fill(1) } }, ""],
])("refuses what is too much: %s", (_, mongo, pointer) => {
  const { errors } = fromMongo(mongo);
  expect(errors).toMatchObject([{ pointer, code: "limit" }]);
});

it("has no reason to refuse that is never given", () => {
  expect(new Set(REFUSED.map(([, , code]) => code))).toEqual(new Set(Object.keys(REFUSALS)));
});

it("does not grow with the combinations of alternatives", () => {
  const some = { $in: ["a"], $ini: ["b"] };
  const fields = Object.fromEntries(Array.from("abcdefghijklmnopqrstuvwxyz", (key) => [key, some]));
  const nested = (levels: number): object => (levels ? { ...some, $not: nested(levels - 1) } : some);
  for (const mongo of [fields, nested(6)]) {
    const { condition } = fromMongo({ list: { $elemMatch: mongo } });
    expect(JSON.stringify(condition).length).toBeLessThan(20 * JSON.stringify(mongo).length);
  }
});

it("names all that is wrong, but not without end", () => {
  const { errors } = fromMongo({ a: { $gt: null }, $or: [{ b: { $foo: 1 } }, { c: {} }] });
  expect(errors?.map(({ pointer }) => pointer)).toEqual(["/a/$gt", "/$or/0/b/$foo", "/$or/1/c"]);
  const endless = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`$${i}`, i]));
  expect(fromMongo(endless).errors).toHaveLength(100);
});

it("refuses a group that is too long to be a condition", () => {
  const savedGroups = { all: Array.from({ length: 50_000 }, (_, i) => `user-${i}`) };
  const { errors } = fromMongo({ id: { $inGroup: "all" } }, { savedGroups });
  expect(errors).toEqual([{ pointer: "/id/$inGroup", code: "limit", detail: REFUSALS.limit }]);
});

it("refuses a group that is asked for so often that it is too long", () => {
  const savedGroups = { some: Array.from({ length: 2_000 }, (_, i) => `user-${i}`) };
  const asked = (times: number) => ({ $or: Array(times).fill({ id: { $inGroup: "some" } }) });
  expect(fromMongo(asked(1), { savedGroups }).errors).toBeUndefined();
  const { errors } = fromMongo(asked(4), { savedGroups });
  expect(errors).toEqual([{ pointer: "/$or/2/id/$inGroup", code: "limit", detail: REFUSALS.limit }, expect.anything()]);
});

const operator = fc.constantFrom(
  "$eq",
  "$gt",
  "$in",
  "$not",
  "$size",
  "$elemMatch",
  "$all",
  "$regex",
  "$and",
  "$or",
  "$not",
  "$vgt",
  "$type",
  "__proto__",
  "a",
  "",
);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 5 },
    fc.jsonValue({ maxDepth: 1 }),
    fc.array(tie("json"), { maxLength: 3 }),
    fc
      .array(fc.tuple(operator, tie("json")), { maxLength: 3 })
      .map((entries) =>
        JSON.parse(`{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join()}}`),
      ),
  ),
}));

it("answers whatever it is given, and what it answers can be saved", { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(json, json, (mongo, savedGroups) => {
      const { condition, errors } = fromMongo(mongo, { savedGroups });
      if (errors) expect(errors.length).toBeGreaterThan(0);
      else expect(checkCondition(condition)).toEqual({ condition });
    }),
    { numRuns: 5_000 },
  );
});
