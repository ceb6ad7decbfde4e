import { describe, expect, it } from "vitest";
import { completeRules, isKind, isNothing, isStorable, splitIdentifier } from "../../../shared/identifier.ts";

describe("a kind", () => {
  it.each(["userId", "loyalty_card", "ios.idfa", "a", "x".repeat(64), "constructor"])("may be called %s", (name) => {
    expect(isKind(name)).toBe(true);
  });

  it.each(["", "9lives", "a:b", "a b", "naïve", "__proto__", "x".repeat(65), "a\n"])("may not be called %j", (name) => {
    expect(isKind(name)).toBe(false);
  });
});

it.each([
  "",
  "0",
  "0000",
  "--",
  "00000000-0000-0000-0000-000000000000",
  "-1",
  "NULL",
  "undefined",
  "NaN",
  "[object Object]",
])("%j is nobody's value on any site", (value) => {
  expect(isNothing(value)).toBe(true);
});

it.each(["10", "guest", "nullam", "-1x", "1"])("%j may be somebody's value", (value) => {
  expect(isNothing(value)).toBe(false);
});

it("tells what no store gives back as it was", () => {
  expect(isStorable("Zoë 😀")).toBe(true);
  expect(isStorable("a\u0000b")).toBe(false);
  expect(isStorable("\ud83d")).toBe(false);
});

it("splits an identifier at its first colon", () => {
  expect(splitIdentifier("crm:a:b")).toEqual({ kind: "crm", value: "a:b" });
});

it("completes what a site says with what holds on a new one", () => {
  const rules = completeRules();
  expect(rules.kinds.map(({ kind, limit, window }) => [kind, limit, window])).toEqual([
    ["userId", 1, "ever"],
    ["email", 5, "ever"],
    ["phone", 5, "ever"],
    ["anonymousId", 50, "ever"],
  ]);
  expect(completeRules({ phoneRegion: "DE" })).toEqual({ ...rules, phoneRegion: "DE" });
  expect(completeRules({ blocked: [] }).blocked).toEqual([]);
});
