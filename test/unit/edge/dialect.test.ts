import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { FILTERS, TAGS } from "../../../edge/blocks/liquid/dialect.ts";

const readme = readFileSync(new URL("../../../edge/blocks/README.md", import.meta.url), "utf8");

/** Words that stand in a column of the tables under a heading. */
function wordsIn(heading: string, column: number): string[] {
  const [text] = readme.split(`\n## ${heading}\n`)[1]!.split("\n## ");
  const cells = text!.split("\n").map((line) => (line.startsWith("|") ? line.split("|")[column]! : ""));
  return [...cells.join().matchAll(/`([\w#]+)(?::[^`]*)?`/g)].map(([, word]) => word!);
}

it("the README lists the tags and filters that there are", () => {
  const inner = ["else", "elsif", "when"];
  expect(
    wordsIn("Tags", 1)
      .filter((word) => !inner.includes(word))
      .sort(),
  ).toEqual([...TAGS].sort());
  expect(wordsIn("Filters", 2).sort()).toEqual(Object.keys(FILTERS).sort());
});
