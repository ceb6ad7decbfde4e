/** The golden vectors inside workerd: the same answers as in Node. */
import { expect, it } from "vitest";
import { fullLanguage } from "../../shared/engine/language-edge.ts";
import { answer, rows } from "../unit/shared/vectors.ts";

it.each(rows.map((row) => [row.name, row] as const))("%s", (_, row) => {
  const { says, ...result } = answer(row, fullLanguage);
  expect(result).toEqual({ value: row.value, until: row.until });
  if (row.says) expect(says).toContain(row.says);
});
