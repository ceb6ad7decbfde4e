/** Lays out the parts of a card, one below the other, and draws it as SVG. What does not fit ends in an ellipsis or at the card's edge. */
import { satori } from "@cf-wasm/satori";
import type { PaintedCard, PaintedPart } from "../../shared/card.ts";
import { box, type Drawn, type Ground, layGround } from "./boxes.ts";
import { TYPE } from "./fonts.ts";
import { countdownHeight, drawCountdown, drawPicture, drawPrice, pictureLeast, priceHeight } from "./parts.ts";
import type { Picture } from "./picture.ts";
import { drawProducts, gridLeast } from "./products.ts";
import { drawText, measureTexts, textLeast } from "./text.ts";

/** A part that has something to show, and where it comes to stand. */
export interface Laid {
  part: PaintedPart;
  drawn: Drawn;
  /** Of a text: those that it would fill, and those that it has room for. */
  lines?: { filled: number; shown: number };
}

/** The parts in their order, the ground that they stand on, and what room is left; below 0 they are higher than the card. */
export async function layOut(card: PaintedCard, pictures: ReadonlyMap<string, Picture>) {
  const ground = layGround(card, pictures);
  const parts = card.parts.filter(isShown);
  const texts = parts.filter((part) => part.type === "text");
  const lines = await measureTexts(texts, ground);
  const drawPart = (part: PaintedPart, room: number): Drawn =>
    part.type === "text" ? drawText(part, lines.get(part)!, room, ground) : drawOther(part, room, ground);

  let rest =
    parts.reduce((rest, part) => rest - leastHeight(part, ground), ground.height) - (parts.length - 1) * ground.gap;
  const laid = new Map<PaintedPart, Laid>();
  // Of what is left when each has the least that it needs, the texts take first, then pictures and products.
  for (const part of [...texts, ...parts.filter((part) => part.type !== "text")]) {
    const least = leastHeight(part, ground);
    const one = drawPart(part, least + Math.max(rest, 0));
    rest -= one.height - least;
    const filled = part.type === "text" ? lines.get(part)! : 0;
    laid.set(part, { part, drawn: one, ...(filled && { lines: { filled, shown: Math.round(one.height / least) } }) });
  }
  return { ground, rest, laid: parts.map((part) => laid.get(part)!) };
}

export async function draw(card: PaintedCard, pictures: ReadonlyMap<string, Picture>): Promise<string> {
  const { width, height, theme } = card;
  const { ground, rest, laid } = await layOut(card, pictures);
  const root = box(
    {
      width,
      height,
      flexDirection: "column",
      justifyContent: rest < 0 ? "flex-start" : "center",
      gap: ground.gap,
      padding: ground.padding,
      backgroundColor: theme.background,
      fontFamily: TYPE.family,
    },
    ...listVisible(laid, ground).map(({ drawn }) => drawn.node),
  );
  return satori(root, { ...TYPE.options, width, height });
}

/** What has nothing to show takes no room: a text may be there for some people only. */
function isShown(part: PaintedPart): boolean {
  if (part.type === "text") return part.text !== "";
  if (part.type === "price") return part.price !== "";
  return part.type !== "products" || part.products.length > 0;
}

/** Those that begin on the card: resvg breaks off at what is cut to nothing. */
function listVisible(laid: Laid[], { height, gap }: Ground): Laid[] {
  let top = 0;
  return laid.filter(({ drawn }) => {
    const isVisible = top < height;
    top += drawn.height + gap;
    return isVisible;
  });
}

function leastHeight(part: PaintedPart, ground: Ground): number {
  switch (part.type) {
    case "text":
      return textLeast(part, ground);
    case "image":
      return pictureLeast(part, ground);
    case "price":
      return priceHeight(ground);
    case "countdown":
      return countdownHeight(ground);
    case "products":
      return gridLeast(ground);
  }
}

function drawOther(part: Exclude<PaintedPart, { type: "text" }>, room: number, ground: Ground): Drawn {
  switch (part.type) {
    case "image":
      return drawPicture(part, room, ground);
    case "price":
      return drawPrice(part, ground);
    case "countdown":
      return drawCountdown(part, ground);
    case "products":
      return drawProducts(part.products, room, ground);
  }
}
