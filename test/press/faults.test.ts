import { expect, test } from "vitest";
import type { PaintedCard, PaintedPart } from "../../shared/card.ts";
import type { CardFault } from "../../shared/press.ts";
import { press } from "./press.ts";

const theme = { background: "#ffffff", text: "#1d2433", accent: "#c2410c" };
const price: PaintedPart = { type: "price", price: "€12" };

async function faultsOf(parts: PaintedPart[], size: Partial<PaintedCard> = {}): Promise<CardFault[]> {
  const answer = await press.findFaults({ width: 600, height: 200, theme, parts, ...size });
  if ("error" in answer) throw new Error(answer.error);
  return answer.faults;
}

test("a card that is seen as a whole has none", async () => {
  const countdown: PaintedPart = { type: "countdown", days: 1, hours: 2, minutes: 3 };
  expect(await faultsOf([{ type: "text", text: "20 % off, Żółć, Καλημέρα" }, price, countdown])).toEqual([]);
  expect(await faultsOf([{ type: "image", src: "https://pictures.example/red.png" }])).toEqual([]);
});

test("a text that is cut is told of, with about as many characters as fit", async () => {
  const text = "long words ".repeat(60);
  const [fault, ...others] = await faultsOf([price, { type: "text", text }]);
  expect(others).toEqual([]);
  expect(fault).toMatchObject({ part: 1, what: "cut" });
  const { fits } = fault as CardFault & { what: "cut" };
  expect(fits).toBeGreaterThan(100);
  expect(fits).toBeLessThan(text.length);
  expect(await faultsOf([price, { type: "text", text: text.slice(0, fits * 0.9) }])).toEqual([]);
});

test("parts that have no room are told of, those that show nothing are not", async () => {
  const empty: PaintedPart = { type: "text", text: " " };
  const parts = [empty, ...Array.from({ length: 6 }, () => price)];
  const faults = await faultsOf(parts);
  expect(faults.at(-1)).toEqual({ part: 6, what: "outside" });
  expect(faults.every(({ part, what }) => part > 2 && what === "outside")).toBe(true);
  expect(await faultsOf(parts, { height: 400 })).toEqual([]);
});

test("characters without a shape are told of, each once, joiners and marks are not", async () => {
  const products = [{ name: "シャツ" }, { name: "Hat" }];
  expect(
    await faultsOf([{ type: "text", text: "🔥🔥 Sale مرحبا\u200d\u202e" }, price, { type: "products", products }], {
      height: 300,
    }),
  ).toEqual([
    { part: 0, what: "undrawn", characters: "🔥مرحبا" },
    { part: 2, what: "undrawn", characters: "シャツ" },
  ]);
});

test("what is no card is an error, and no exception", async () => {
  for (const card of [null, {}, { width: 600, height: 200, theme, parts: [null] }])
    expect(await press.findFaults(card as unknown as PaintedCard)).toEqual({ error: expect.any(String) });
});
