/** A card → PNG. */
import { Resvg } from "@cf-wasm/resvg";
import type { PaintedCard } from "../../shared/card.ts";
import type { Painted } from "../../shared/press.ts";
import { CardError, readCard } from "./card.ts";
import { draw } from "./draw.ts";
import { logFailure } from "./failure.ts";
import { fetchPictures } from "./picture.ts";

/**
 * @param scale pixels of the image for one of the card
 * @returns never a rejection: what is wrong with the card, or that it could not be drawn, as `error`
 */
export async function paint(card: unknown, scale: unknown): Promise<Painted | { error: string }> {
  try {
    if (scale !== 1 && scale !== 2) throw new CardError("scale is neither 1 nor 2");
    const read = readCard(card);
    const urls = new Set(listPictures(read));
    const pictures = await fetchPictures(urls);
    const svg = await draw(read, pictures);
    return { png: await rasterize(svg, scale), missing: urls.size - pictures.size };
  } catch (error) {
    if (error instanceof CardError) return { error: error.message };
    logFailure("paint", error);
    return { error: "the card could not be drawn" };
  }
}

const listPictures = ({ parts }: PaintedCard): string[] =>
  parts.flatMap((part) => {
    if (part.type === "image") return [part.src];
    if (part.type === "products") return part.products.flatMap(({ image }) => image ?? []);
    return [];
  });

async function rasterize(svg: string, scale: number): Promise<ArrayBuffer> {
  const drawing = await Resvg.async(svg, { fitTo: { mode: "zoom", value: scale }, font: { loadSystemFonts: false } });
  // What failed to render cannot be freed either.
  const image = drawing.render();
  const png = image.asPng();
  image.free();
  drawing.free();
  return png.buffer as ArrayBuffer;
}
