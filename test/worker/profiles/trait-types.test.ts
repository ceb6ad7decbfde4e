import { expect, it } from "vitest";
import { TYPES_PER_SOURCE } from "../../../edge/db/trait-types.ts";
import type { IngestEvent } from "../../../edge/ingest/parse.ts";
import { markNoticed, noticeTypes, typeOf } from "../../../edge/profiles/trait-types.ts";

const said = (traits: object, messageId = "m") => ({ traits, messageId }) as IngestEvent;

it.each([
  ["2024-01-01", "string"],
  [-0, "number"],
  [false, "boolean"],
  [[], "array"],
  [{}, "object"],
  [null, null],
  [undefined, null],
  [Number.POSITIVE_INFINITY, null],
])("the type of %j is %s", (value, type) => {
  expect(typeOf(value)).toBe(type);
});

it("notices each type of each trait once, of every site and source, when it is written", () => {
  const events = [said({ plan: "a", x: null }, "1"), said({ plan: "b", age: 1 }, "2"), said({ plan: 3 }, "3")];
  const rows = noticeTypes("one", "server", events);
  expect(rows).toEqual([
    { trait: "plan", type: "string", messageId: "1" },
    { trait: "age", type: "number", messageId: "2" },
    { trait: "plan", type: "number", messageId: "3" },
  ]);
  expect(noticeTypes("one", "server", events)).toEqual(rows);
  markNoticed("one", "server", rows);
  expect(noticeTypes("one", "server", events)).toEqual([]);
  expect(noticeTypes("one", "browser", events)).toEqual(rows);
  expect(noticeTypes("two", "server", events)).toEqual(rows);
  expect(noticeTypes("one", "server", [said({ age: "1" })])).toHaveLength(1);
});

it("does not notice what cannot be a name", () => {
  const traits = JSON.parse('{"":1,"\\ud800":1,"a\\u0000":1,"__proto__":1,"constructor":1}');
  const rows = noticeTypes("names", "server", [said({ ...traits, ["x".repeat(257)]: 1 })]);
  expect(rows.map(({ trait }) => trait)).toEqual(["__proto__", "constructor"]);
});

it("remembers no more than there is room for, and forgets whole sites", () => {
  const many = Object.fromEntries(Array.from({ length: TYPES_PER_SOURCE + 50 }, (_, i) => [`t${i}`, i]));
  const rows = noticeTypes("flooded", "browser", [said(many)]);
  expect(rows).toHaveLength(TYPES_PER_SOURCE);
  markNoticed("flooded", "browser", rows);
  expect(noticeTypes("flooded", "browser", [said({ another: 1 })])).toEqual([]);
  expect(noticeTypes("flooded", "server", [said({ another: 1 })])).toHaveLength(1);
  for (let i = 0; i < 40; i++) markNoticed(`site${i}`, "server", [{ trait: "t", type: "string", messageId: "m" }]);
  expect(noticeTypes("flooded", "browser", [said({ another: 1 })])).toHaveLength(1);
  expect(noticeTypes("site39", "server", [said({ t: "x" })])).toEqual([]);
});
