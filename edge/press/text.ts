/** Texts of a card: how many lines each fills, and as many of them as it has room for. */
import { type SatoriNode, satori } from "@cf-wasm/satori";
import type { PaintedPart } from "../../shared/card.ts";
import { box, type Drawn, type Ground, type Lines, lineHeight, words } from "./boxes.ts";
import { TYPE } from "./fonts.ts";

type TextPart = Extract<PaintedPart, { type: "text" }>;

export const textLeast = (text: TextPart, ground: Ground): number => lineOf(sizeOf(text, ground));

/** @param lines that it fills @param room what the card has left for it */
export function drawText(text: TextPart, lines: number, room: number, ground: Ground): Drawn {
  const line = textLeast(text, ground);
  const shown = Math.max(Math.min(lines, Math.floor(room / line + 0.01)), 1);
  return { height: shown * line, node: words(text.text, { ...styleOf(text, ground), lines: shown }) };
}

/** Lines that each fills at the width of the card: laid out once without a limit. */
export async function measureTexts(texts: TextPart[], ground: Ground): Promise<Map<TextPart, number>> {
  const lines = new Map(texts.map((text) => [text, 1]));
  // No character is wider than its size, or hardly any.
  const unsure = texts.filter((text) => text.text.length * sizeOf(text, ground) > ground.width);
  if (unsure.length === 0) return lines;
  const heights: number[] = [];
  const onNodeDetected = ({ textContent, height }: SatoriNode) => {
    if (textContent !== undefined) heights.push(height);
  };
  const { width } = ground;
  const nodes = unsure.map((text) => words(text.text, styleOf(text, ground)));
  await satori(box({ width, flexDirection: "column", fontFamily: TYPE.family }, ...nodes), {
    ...TYPE.options,
    width,
    onNodeDetected,
  });
  unsure.forEach((text, index) => {
    lines.set(text, Math.round(heights[index]! / textLeast(text, ground)));
  });
  return lines;
}

const sizeOf = ({ size, bold }: TextPart, { unit }: Ground): number => size ?? (bold ? 26 : 16) * unit;
const lineOf = (size: number): number => size * lineHeight(size);

function styleOf(text: TextPart, ground: Ground): Lines {
  const { bold, align } = text;
  const color = text.color ?? ground.theme.text;
  return { width: ground.width, size: sizeOf(text, ground), color, ...(bold && { bold }), ...(align && { align }) };
}
