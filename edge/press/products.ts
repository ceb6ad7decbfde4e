/** A grid of products: tiles of equal size, beside each other while each is wide enough to read. */
import type { VNode } from "@cf-wasm/satori";
import type { PaintedProduct } from "../../shared/card.ts";
import { box, type Drawn, frame, type Ground, lineHeight, tint, words } from "./boxes.ts";

/** Tiles are at least this wide, and the grid this high, where the card has room, times the unit. */
const TILE_WIDTH = 104;
const GRID_HEIGHT = 96;
const NAME = 15;
const NAME_HEIGHT = NAME * lineHeight(NAME);
const PRICE = 16;

export const gridLeast = ({ unit }: Ground): number => GRID_HEIGHT * unit;

/** @param room what the card has left for it */
export function drawProducts(products: PaintedProduct[], room: number, ground: Ground): Drawn {
  const { width, unit, gap } = ground;
  const columns = countColumns(products.length, Math.floor((width + gap) / (TILE_WIDTH * unit + gap)));
  const rows = Math.ceil(products.length / columns);
  const tileWidth = (width - gap * (columns - 1)) / columns;
  // A tile is at most half as high again as it is wide: the rest stays the card's.
  const tileHeight = Math.max(Math.min((room - gap * (rows - 1)) / rows, tileWidth * 1.5), 1);
  const draw = tileWidth > tileHeight * 1.6 ? drawWide : drawHigh;
  const tiles = products.map((product) => draw(product, tileWidth, tileHeight, ground));
  const height = rows * tileHeight + (rows - 1) * gap;
  return { height, node: box({ width, height, flexWrap: "wrap", gap }, ...tiles) };
}

/** As many as fit, in rows of equal length where that can be. */
function countColumns(count: number, fitting: number): number {
  const columns = Math.max(Math.min(count, fitting), 1);
  return Math.ceil(count / Math.ceil(count / columns)) || 1;
}

function drawHigh(product: PaintedProduct, width: number, height: number, ground: Ground): VNode {
  const { unit } = ground;
  const inset = 8 * unit;
  const room = { width: width - 2 * inset, height: height - 2 * inset - priceHeight(product, unit) };
  // The picture before the second line of the name, and no picture before one that shows nothing.
  const lines = room.height - 2 * NAME_HEIGHT * unit >= 72 * unit ? 2 : 1;
  const pictureHeight = room.height - lines * NAME_HEIGHT * unit - inset / 2;
  const picture = pictureHeight >= 24 * unit ? [portray(product, room.width, pictureHeight, ground)] : [];
  const caption = box({ flexDirection: "column" }, ...describe(product, room.width, lines, ground));
  return box(
    { ...tile(width, height, ground), flexDirection: "column", padding: inset, gap: inset / 2 },
    ...picture,
    caption,
  );
}

function drawWide(product: PaintedProduct, width: number, height: number, ground: Ground): VNode {
  const { unit } = ground;
  const inset = 8 * unit;
  const side = Math.max(height - 2 * inset, 1);
  const rest = width - side - 3.5 * inset;
  const lines = Math.floor((side - priceHeight(product, unit)) / (NAME_HEIGHT * unit));
  const caption = describe(product, rest, Math.max(Math.min(lines, 3), 1), ground);
  return box(
    { ...tile(width, height, ground), alignItems: "center", padding: inset, gap: 1.5 * inset },
    portray(product, side, side, ground),
    box({ width: rest, flexDirection: "column" }, ...caption),
  );
}

/** Whole, where filling the room would cut much of it away: what is sold is seen. */
function portray({ image }: PaintedProduct, width: number, height: number, ground: Ground): VNode {
  const picture = image === undefined ? undefined : ground.pictures.get(image);
  const ratio = picture ? picture.width / picture.height / (width / height) : 1;
  const isWhole = Math.max(ratio, 1 / ratio) > 1.35;
  return frame(image, { width, height, radius: 6 * ground.unit, isWhole, under: "#ffffff" }, ground);
}

function describe({ name, price }: PaintedProduct, width: number, lines: number, { theme, unit }: Ground): VNode[] {
  const title = words(name, { width, size: NAME * unit, lines, color: theme.text });
  if (!price) return [title];
  return [title, words(price, { width, size: PRICE * unit, lines: 1, color: theme.accent, bold: true })];
}

const priceHeight = ({ price }: PaintedProduct, unit: number): number => (price ? PRICE * unit * lineHeight(PRICE) : 0);

const tile = (width: number, height: number, { theme, unit }: Ground) => ({
  width,
  height,
  borderRadius: 10 * unit,
  backgroundColor: tint(theme, 0.05),
});
