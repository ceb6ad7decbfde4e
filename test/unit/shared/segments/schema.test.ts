import { expect, it } from "vitest";
import { checkCondition, conditionJsonSchema, conditionSchema } from "../../../../edge/segments/schema.ts";
import { CONDITION_NODES } from "../../../../shared/limits.ts";
import { rows } from "../vectors.ts";

it("accepts every golden vector, as the value itself", () => {
  for (const { condition, name } of rows) {
    // The vector of a prototype name is refused when it is saved.
    if (JSON.stringify(condition).includes('"x":{}')) continue;
    const checked = checkCondition(condition);
    expect(checked, name).toEqual({ condition });
    expect(checked.condition).toBe(condition);
    expect(conditionSchema.safeParse(condition).success, name).toBe(true);
  }
});

it.each([
  [
    {
      all: [
        { trait: "a", eq: 1 },
        { trait: "age", greater: 5 },
      ],
    },
    "/all/1/greater",
    "key",
    'did you mean "gt"?',
  ],
  [{ trait: "age" }, "", "value", "at least one operator"],
  [{ trait: "a", gt: "tall" }, "/gt", "value", "an ISO date"],
  [{ trait: "a", gt: true }, "/gt", "type", "a number"],
  [{ trait: "a..b", eq: 1 }, "/trait", "value", "dots between"],
  [{ trait: "v", version: { gte: 2 } }, "/version/gte", "type", 'a version such as "2.1.0"'],
  [{ trait: "v", semver: { gte: "2" } }, "/semver", "key", 'did you mean "version"?'],
  [{ trait: "v", version: {} }, "/version", "value", "at least one operator: eq, ne, gt"],
  [{ trait: "a", none: { eq: 1 } }, "/none", "type", "a list"],
  [{ trait: "a", none: [] }, "/none", "limit", "at least 1"],
  [{ trait: "a", isA: "text" }, "/isA", "type", "one of string, number, boolean, null, array, object"],
  [{ trait: "a", size: { gte: "2" } }, "/size/gte", "type", "a number"],
  [{ trait: "a", text: { equals: "x" } }, "/text/equals", "key", 'did you mean "eq"?'],
  [{ trait: "a", any: { where: { "b.": { eq: 1 } } } }, "/any/where/b.", "value", "dots between"],
  [{ event: "A", lower: { eq: "a" } }, "", "value", "operators go with"],
  [{ event: "A", where: { "a/b~c": { equals: 1 } } }, "/where/a~1b~0c/equals", "key", 'did you mean "eq"?'],
  [{ event: "A", within: "24hours" }, "/within", "value", "such as 90s, 48h or 30d"],
  [{ event: "A", within: "731d" }, "/within", "value", "at most 730 days"],
  [{ event: "A", within: "0s" }, "/within", "value", "longer than nothing"],
  [{ event: "A", sum: "x" }, "", "value", "operators go with"],
  [{ event: "A", gte: 2 }, "", "value", "a number of events is count"],
  [{ event: "A", count: { gte: 1 }, days: { gte: 1 } }, "", "value", "put several into all"],
  [{ event: "A", count: 2 }, "/count", "type", "an object"],
  [{ event: "A", between: ["30d", "7d"] }, "", "value", "from the nearer to the farther"],
  [{ type: "click" }, "/type", "one-of", "track, page"],
  [{ event: "A", unless: { event: "B" } }, "/after", "missing", "is missing"],
  [{ sequence: [{ event: "A" }] }, "/sequence", "limit", "at least 2"],
  [{ time: { zone: "Mars/Olympus", from: "18:00" } }, "/time/zone", "value", "IANA zone"],
  [{ time: { from: "6pm" } }, "/time/from", "value", "00:00 to 23:59"],
  [{ date: { trait: "d" }, within: "soon" }, "/within", "value", "looks back"],
  [{ sample: { seed: "x", from: 0.5, to: 0.5 } }, "/sample", "value", "from is below to"],
  [{ and: [] }, "", "key", 'did you mean "all"?'],
  [{ all: {} }, "/all", "type", "a list of conditions"],
  [{ all: [], any: [] }, "/any", "key", "stands alone"],
  [{ not: [] }, "/not", "type", "a condition is an object"],
  [null, "", "type", "a condition is an object"],
  [JSON.parse('{"event":"A","where":{"__proto__":{"eq":1}}}'), "/where/__proto__", "key", "not a name"],
  [{ all: Array(CONDITION_NODES).fill({ trait: "a", eq: 1 }) }, "", "limit", "at most 300"],
  [{ trait: "a", eq: "x".repeat(70_000) }, "", "limit", "at most 65536"],
  [nest(13), `${"/not".repeat(12)}`, "limit", "12 deep"],
] as const)("refuses %j", (condition, pointer, code, detail) => {
  const { errors } = checkCondition(condition, "/condition");
  expect(errors).toHaveLength(1);
  expect(errors![0]).toMatchObject({ pointer: `/condition${pointer}`, code });
  expect(errors![0]!.detail).toContain(detail);
});

it("refuses what is nested without end before looking at all of it", () => {
  const { errors } = checkCondition(nest(5_000), "/condition");
  expect(errors).toMatchObject([{ pointer: `/condition${"/not".repeat(37)}`, code: "limit" }]);
});

it("is published as JSON Schema", () => {
  const schema = conditionJsonSchema();
  expect(schema.$schema).toContain("2020-12");
  expect(JSON.stringify(schema)).toContain('"additionalProperties":false');
});

function nest(depth: number): unknown {
  let condition: unknown = { all: [] };
  for (let i = 1; i < depth; i++) condition = { not: condition };
  return condition;
}
