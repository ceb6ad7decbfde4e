import { expect, it } from "vitest";
import { isOverload } from "../../../edge/db/errors.ts";

it.each([
  "D1_ERROR: D1 DB is overloaded. Requests queued for too long.",
  "D1_ERROR: Network connection lost.",
  "D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.",
  "D1_ERROR: Too many API requests by single worker invocation.",
  "D1_ERROR: database is locked: SQLITE_BUSY",
])("%s means not now", (message) => {
  expect(isOverload(new Error(message))).toBe(true);
});

it.each([
  "D1_ERROR: malformed JSON: SQLITE_ERROR",
  "D1_ERROR: bad JSON path: 'stale': SQLITE_ERROR",
  "D1_ERROR: UNIQUE constraint failed: events.site_id",
  "D1_ERROR: the disk is full: SQLITE_CONSTRAINT",
])("%s means never, or not so", (message) => {
  expect(isOverload(new Error(message))).toBe(false);
});

it("anything else than an error is none of these", () => {
  expect(isOverload("D1 DB is overloaded")).toBe(false);
});
