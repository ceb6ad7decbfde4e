import { expect, it } from "vitest";
import { bucket, stableIdOf } from "../../../shared/hash.ts";

const ids = Array.from({ length: 20_000 }, (_, i) => `user-${i}`);

it("is the same forever", () => {
  expect(stableIdOf("")).toBe("1gbxjzm0nk017s");
  expect(stableIdOf("anonymous-1")).toBe("1rsvaq70rhwd4k");
  expect(stableIdOf("Zoë 🦊")).toBe("1f92t890zism8s");
  expect(bucket("experiment", "user-1")).toBe(0.5759110525551784);
});

it("makes short ids of one length that do not collide", () => {
  const made = new Set(ids.map(stableIdOf));
  expect(made.size).toBe(ids.length);
  for (const id of made) expect(id).toMatch(/^[0-9a-z]{14}$/);
});

it("hashes UTF-8, with lone surrogates as the replacement character", () => {
  expect(stableIdOf("\ud800")).toBe(stableIdOf("\ufffd"));
  expect(new Set(["\u00e9", "e\u0301", "\ud83e\udd8a", "\u20ac"].map(stableIdOf)).size).toBe(4);
});

it("spreads people evenly", () => {
  const counts = countBy(100, (id) => bucket("seed", id));
  expect(chiSquare(counts, ids.length / 100)).toBeLessThan(160);
});

it("draws independently for two seeds, also alike ones", () => {
  for (const [a, b] of [
    ["a", "b"],
    ["experiment-1", "experiment-2"],
    ["x", "xx"],
  ] as const) {
    const cells = new Array(100).fill(0);
    for (const id of ids) cells[Math.floor(bucket(a, id) * 10) * 10 + Math.floor(bucket(b, id) * 10)]++;
    expect(chiSquare(cells, ids.length / 100)).toBeLessThan(160);
  }
});

it("mixes every bit of the input into every bit of the id", () => {
  const flips = new Array(32).fill(0);
  for (const id of ids.slice(0, 2_000)) {
    const last = id.charCodeAt(id.length - 1);
    const other = id.slice(0, -1) + String.fromCharCode(last ^ 1);
    const difference = Math.floor(bucket("s", id) * 2 ** 32) ^ Math.floor(bucket("s", other) * 2 ** 32);
    for (let bit = 0; bit < 32; bit++) flips[bit] += (difference >>> bit) & 1;
  }
  for (const count of flips) expect(Math.abs(count / 2_000 - 0.5)).toBeLessThan(0.06);
});

function countBy(bins: number, draw: (id: string) => number): number[] {
  const counts = new Array(bins).fill(0);
  for (const id of ids) counts[Math.floor(draw(id) * bins)]++;
  return counts;
}

const chiSquare = (counts: number[], expected: number) =>
  counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
