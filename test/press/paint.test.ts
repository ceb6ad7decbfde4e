import { exports } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { PaintedCard, PaintedPart } from "../../shared/card.ts";
import type { Press } from "../../shared/press.ts";
import { type Image, readPng } from "./png.ts";

const press = (exports as unknown as { default: Press }).default;
const light = { background: "#ffffff", text: "#1d2433", accent: "#c2410c" };
const dark = { background: "#14161c", text: "#f1f3f7", accent: "#fbbf24" };
const RED = "#ff0000";
const GREEN = "#00a000";
/** What a picture's room looks like without it: the light background with a tenth of its text. */
const EMPTY = "#e8e9eb";

const cardOf = (...parts: PaintedPart[]): PaintedCard => ({ width: 600, height: 200, theme: light, parts });
const picture = (path: string): PaintedPart => ({ type: "image", src: `https://pictures.example/${path}` });

async function paint(card: PaintedCard, scale: 1 | 2 = 1): Promise<Image> {
  const painted = await press.paint(card, scale);
  if ("error" in painted) throw new Error(painted.error);
  return readPng(painted.png);
}

/** The box around all pixels of a colour; undefined where there are none. */
function find(image: Image, isMeant: (color: string) => boolean) {
  let box: { left: number; top: number; right: number; bottom: number } | undefined;
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < image.width; x++) {
      if (!isMeant(image.at(x, y))) continue;
      box ??= { left: x, top: y, right: x, bottom: y };
      box = { left: Math.min(box.left, x), top: box.top, right: Math.max(box.right, x), bottom: y };
    }
  }
  return box;
}

const findInk = (image: Image, ground = light.background) => find(image, (color) => color !== ground);

test.each([1, 2] as const)(
  "a card at %i× is that many times its size, opaque, in its theme's colours",
  async (scale) => {
    const card = { ...cardOf({ type: "text", text: "Hello Robin" }, { type: "price", price: "€12" }), theme: dark };
    const image = await paint(card, scale);
    expect([image.width, image.height]).toEqual([600 * scale, 200 * scale]);
    const colors = new Set<string>();
    for (let y = 0; y < image.height; y++) for (let x = 0; x < image.width; x++) colors.add(image.at(x, y));
    for (const color of Object.values(dark)) expect(colors).toContain(color);
  },
);

test("a card that is equal is the same image", async () => {
  const card = cardOf({ type: "text", text: "Hello" }, picture("red.png"));
  const [first, second] = [await press.paint(card, 2), await press.paint(structuredClone(card), 2)];
  expect(first).toEqual(second);
});
