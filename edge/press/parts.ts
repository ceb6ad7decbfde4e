/** The parts of a card but its texts and products: how high each is, and what it looks like. */
import type { VNode } from "@cf-wasm/satori";
import type { PaintedPart } from "../../shared/card.ts";
import { box, type Drawn, frame, type Ground, lineHeight, row, type Style, tint, words } from "./boxes.ts";
import { inkOn, mix } from "./color.ts";
import { listUndrawn } from "./fonts.ts";

type Part<Type> = Extract<PaintedPart, { type: Type }>;

/** Width by height where neither the author nor the picture says it. */
const PICTURE_RATIO = 16 / 9;
/** A picture that need not be of one height is at least that high, times the unit. */
const PICTURE_LEAST = 40;
const PRICE = 30;
const WAS = 18;
/** A bold digit of Inter's is that wide, in parts of its size. */
const LETTER_WIDTH = 0.65;
/** Inter's descent: what is under the line that its letters stand on, in parts of its size. */
const DESCENT = 0.24;
const COUNTDOWN_HEIGHT = 64;

export const pictureLeast = ({ height }: Part<"image">, ground: Ground): number =>
  Math.min(height ?? PICTURE_LEAST * ground.unit, ground.height);
export const priceHeight = ({ unit }: Ground): number => PRICE * unit * lineHeight(PRICE);
export const countdownHeight = ({ unit }: Ground): number => COUNTDOWN_HEIGHT * unit;

/** @param room what the card has left for it: a picture whose height follows from its width gets lower, and is cut */
export function drawPicture(part: Part<"image">, room: number, ground: Ground): Drawn {
  const picture = ground.pictures.get(part.src);
  const ratio = picture ? picture.width / picture.height : PICTURE_RATIO;
  const width = Math.min(part.width ?? (part.height ? part.height * ratio : ground.width), ground.width);
  const height = Math.min(part.height ?? (ground.padding ? width / ratio : room), room);
  const radius = ground.padding ? Math.round(Math.min(10 * ground.unit, height / 6)) : 0;
  const under = ground.theme.background;
  const node = frame(part.src, { width, height, radius, isWhole: false, under }, ground);
  return { height, node: row(ground.align, {}, node) };
}

export function drawPrice(part: Part<"price">, ground: Ground): Drawn {
  const { theme } = ground;
  const { price, was, align = ground.align } = part;
  const height = priceHeight(ground);
  // Smaller where they are too long for the card.
  const letters = price.length * PRICE + (was?.length ?? 0) * WAS + PRICE;
  const unit = Math.min(ground.unit, ground.width / (letters * LETTER_WIDTH));
  const style = { height, alignItems: "flex-end", gap: 10 * unit, lineHeight: lineHeight(PRICE) };
  const now = line(price, { fontSize: PRICE * unit, fontWeight: 700, letterSpacing: "-0.02em", color: theme.accent });
  if (!was) return { height, node: row(align, style, now) };
  const before = line(was, {
    fontSize: WAS * unit,
    color: tint(theme, 0.6),
    textDecoration: "line-through",
    marginBottom: (PRICE - WAS) * unit * DESCENT,
  });
  return { height, node: row(align, style, now, before) };
}

const line = (text: string, style: Style): VNode => ({
  type: "div",
  props: { style: { display: "block", whiteSpace: "nowrap", flexShrink: 0, ...style }, children: text },
});

export function drawCountdown(part: Part<"countdown">, ground: Ground): Drawn {
  const { theme, unit } = ground;
  const { align = ground.align } = part;
  const gap = 8 * unit;
  const width = Math.min(76 * unit, (ground.width - 2 * gap) / 3);
  const height = countdownHeight(ground);
  const ink = inkOn(theme.accent);
  const style = {
    width,
    height,
    flexDirection: "column",
    justifyContent: "center",
    borderRadius: 10 * unit,
    backgroundColor: theme.accent,
  };
  const counts = (["day", "hour", "minute"] as const).map((name) => {
    const count = part[`${name}s`];
    const label = { size: Math.min(12 * unit, width / 6), color: mix(theme.accent, ink, 0.85) };
    return box(
      style,
      words(String(count), { width, size: 26 * unit, lines: 1, color: ink, bold: true, align: "center" }),
      words(labelOf(name, count, part.locale), { width, ...label, lines: 1, align: "center" }),
    );
  });
  return { height, node: row(align, { height, gap }, ...counts) };
}

/** As the language calls that many of them; in English where it is written in what the font has not. */
function labelOf(unit: "day" | "hour" | "minute", count: number, locale = "en"): string {
  const format = (locale: string) => new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" });
  let parts: Intl.NumberFormatPart[];
  try {
    parts = format(locale).formatToParts(count);
  } catch {
    parts = format("en").formatToParts(count); // no such language
  }
  const label = parts.find(({ type }) => type === "unit")?.value ?? unit;
  return listUndrawn(label).length ? labelOf(unit, count) : label;
}
