import { expect, it } from "vitest";
import { findPath } from "../../../edge/identity/path.ts";

const links = ["ab", "cb", "cd", "ad", "de", "xy"].map((name) => ({ a: name[0]!, b: name[1]!, name }));
const pathOf = (from: string, to: string) => findPath(links, from, to)?.map(({ name }) => name);

it.each<[from: string, to: string, path: string[] | undefined]>([
  ["a", "b", ["ab"]],
  ["b", "a", ["ab"]],
  ["b", "e", ["ab", "ad", "de"]],
  ["c", "e", ["cd", "de"]],
  ["a", "a", []],
  ["a", "x", undefined],
  ["a", "nobody", undefined],
])("the fewest links from %s to %s are %j", (from, to, path) => {
  expect(pathOf(from, to)).toEqual(path);
});
