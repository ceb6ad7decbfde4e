/**
 * A card: what an e-mail shows as an image that is drawn when it is opened. A column of parts on a ground of one colour,
 * written by an author with Liquid in its texts (`Card`), and as it is painted for one person (`PaintedCard`).
 */

/** Painted images are at least this wide and high, and at most that, in CSS pixels at 1×. */
export const CARD_PIXELS = { least: 40, most: 1_200 } as const;
export const CARD_PARTS = 12;
export const CARD_PRODUCTS = 4;
/** A countdown of more is left out. */
export const CARD_DAYS = 99_999;

/** Colours as CSS hex, `#rrggbb`. */
export interface Theme {
  background: string;
  text: string;
  /** Prices, countdowns, borders. */
  accent: string;
}

export type Align = "left" | "center" | "right";

interface TextStyle {
  /** CSS pixels. */
  size?: number;
  bold?: boolean;
  /** Left out: the theme's text. */
  color?: string;
  align?: Align;
}

interface Picture {
  /** CSS pixels; what is left out follows from the picture. */
  width?: number;
  height?: number;
}

/** Every text is Liquid. */
export type CardPart =
  | ({ type: "text"; text: string } & TextStyle)
  /** `src` makes the https URL of a PNG or JPEG. */
  | ({ type: "image"; src: string } & Picture)
  /** `amount` and `was` make numbers, in units of the currency. */
  | { type: "price"; amount: string; was?: string; currency: string; locale?: string; align?: Align }
  /** `to` makes an ISO 8601 time; left out: until when the decision holds. `over` stands there after it. */
  | { type: "countdown"; to?: string; over?: string; locale?: string; align?: Align }
  /** `items` is a path to a list of objects with `name`, `price`, `image_url` and `url` (Segment's names): the first `most` of them. */
  | { type: "products"; items: string; most?: number; currency: string; locale?: string };

export interface Card {
  width: number;
  height: number;
  theme?: Theme;
  /** For readers whose mail is dark; left out: the same, which is opaque and so legible there, too. */
  dark?: Theme;
  /** What stands there when images are not shown; Liquid. */
  alt: string;
  parts: CardPart[];
}

export interface PaintedProduct {
  name: string;
  price?: string;
  image?: string;
}

/** Nothing is left to be computed but pixels. Texts are plain text. What names no side stands where the first text does. */
export type PaintedPart =
  | ({ type: "text"; text: string } & TextStyle)
  | ({ type: "image"; src: string } & Picture)
  | { type: "price"; price: string; was?: string; align?: Align }
  | { type: "countdown"; days: number; hours: number; minutes: number; locale?: string; align?: Align }
  | { type: "products"; products: PaintedProduct[] };

/** Equal ones are equal images: its hash names them in caches. */
export interface PaintedCard {
  width: number;
  height: number;
  theme: Theme;
  parts: PaintedPart[];
}
