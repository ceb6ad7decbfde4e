/** The golden vectors in Node. */
import { expect, it } from "vitest";
import { fullLanguage } from "../../../shared/engine/language-edge.ts";
import { answer, rows } from "./vectors.ts";

it.each(rows.map((row) => [row.name, row] as const))("%s", (_, row) => {
  const { says, ...result } = answer(row, fullLanguage);
  expect(result).toEqual({ value: row.value, until: row.until });
  if (row.says) expect(says).toContain(row.says);
});

it("names each row once", () => {
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
});
