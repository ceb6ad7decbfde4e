import { describe, expect, it } from "vitest";
import { readCsv, readCsvObjects } from "../../../shared/csv.ts";

async function* inChunks(text: string, size: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const records = (text: string, size = Math.max(1, text.length)) => collect(readCsv(inChunks(text, size)));

describe("readCsv", () => {
  it.each<[string, string, string[][]]>([
    [
      "commas",
      "a,b\n1,2\n",
      [
        ["a", "b"],
        ["1", "2"],
      ],
    ],
    [
      "semicolons",
      "a;b\n1;2,5",
      [
        ["a", "b"],
        ["1", "2,5"],
      ],
    ],
    [
      "tabs",
      "a,x\tb\n1\t2\n",
      [
        ["a,x", "b"],
        ["1", "2"],
      ],
    ],
    ["the first line that has something", "\n\na;b", [[""], [""], ["a", "b"]]],
    [
      "line ends of Windows",
      'a,b\r\n1,"2"\r\n',
      [
        ["a", "b"],
        ["1", "2"],
      ],
    ],
    [
      "quotes",
      '"a ""b"", c",d\n"x\ny",z',
      [
        ['a "b", c', "d"],
        ["x\ny", "z"],
      ],
    ],
    ["a quote inside a field", 'a"b,"c"d\n', [['a"b', "cd"]]],
    ["empty lines and fields", "a,\n\n,b\n", [["a", ""], [""], ["", "b"]]],
    ["ragged rows", "a,b\n1\n1,2,3", [["a", "b"], ["1"], ["1", "2", "3"]]],
    ["nothing", "", []],
  ])("knows %s", async (_name, text, expected) => {
    expect(await records(text)).toEqual(expected);
  });

  it("reads the same whatever the chunks, after the first line", async () => {
    const text = 'aa,bb\r\n"x ""y""\n",2\n\n3,""\n';
    const whole = await records(text);
    for (let size = 7; size < text.length; size++) expect(await records(text, size)).toEqual(whole);
  });

  it("says when a quote is never closed, after what came before it", async () => {
    const seen: string[][] = [];
    const reading = (async () => {
      for await (const record of readCsv(inChunks('a\n1\n"2\n3\n', 100))) seen.push(record);
    })();
    await expect(reading).rejects.toThrow(SyntaxError);
    expect(seen).toEqual([["a"], ["1"]]);
    expect(await records('a\n"2"')).toEqual([["a"], ["2"]]);
  });
});

it("readCsvObjects names the fields and leaves out empty lines", async () => {
  expect(await collect(readCsvObjects(inChunks("\na,b\n\n1,2\n3\n", 100)))).toEqual([
    { a: "1", b: "2" },
    { a: "3", b: "" },
  ]);
});
