/** What comes through the binding, checked again: nothing behind this meets a card that it cannot draw. */
import {
  CARD_DAYS,
  CARD_PARTS,
  CARD_PIXELS,
  CARD_PRODUCTS,
  type PaintedCard,
  type PaintedPart,
  type PaintedProduct,
  type Theme,
} from "../../shared/card.ts";
import { keepDrawable } from "./fonts.ts";

/** Longer texts are cut: no card has room for them. */
const TEXT_LENGTH = 1_000;
const URL_LENGTH = 2_048;
const FONT_PIXELS = { least: 6, most: 200 };
const ALIGNS = ["left", "center", "right"] as const;

/** Its message says what of the card is wrong, without the card's texts. */
export class CardError extends Error {}

/** A card with nothing in it but what is known, its texts on one line. @throws {CardError} */
export function readCard(value: unknown): PaintedCard {
  const card = readObject(value, "the card");
  const parts = card["parts"];
  if (!Array.isArray(parts)) throw new CardError("parts is not a list");
  if (parts.length > CARD_PARTS) throw new CardError(`parts has more than ${CARD_PARTS} items`);
  return {
    width: readNumber(card["width"], "width", CARD_PIXELS.least, CARD_PIXELS.most),
    height: readNumber(card["height"], "height", CARD_PIXELS.least, CARD_PIXELS.most),
    theme: readTheme(card["theme"]),
    parts: parts.map((part, index) => readPart(part, `parts/${index}`)),
  };
}

function readTheme(value: unknown): Theme {
  const theme = readObject(value, "theme");
  const read = (name: keyof Theme) => readColor(theme[name], `theme/${name}`);
  return { background: read("background"), text: read("text"), accent: read("accent") };
}

function readPart(value: unknown, at: string): PaintedPart {
  const part = readObject(value, at);
  const optional = <T>(name: string, read: (value: unknown, at: string) => T): { [name: string]: T } =>
    part[name] === undefined ? {} : { [name]: read(part[name], `${at}/${name}`) };
  const pixels = (value: unknown, at: string) => readNumber(value, at, 1, CARD_PIXELS.most);
  const count = (name: string) => Math.floor(readNumber(part[name], `${at}/${name}`, 0, CARD_DAYS));
  const type = part["type"];
  switch (type) {
    case "text":
      return {
        type,
        text: readText(part["text"], `${at}/text`),
        ...optional("size", (value, at) => readNumber(value, at, FONT_PIXELS.least, FONT_PIXELS.most)),
        ...optional("bold", (value) => value === true),
        ...optional("color", readColor),
        ...optional("align", readAlign),
      };
    case "image":
      return {
        type,
        src: readUrl(part["src"], `${at}/src`),
        ...optional("width", pixels),
        ...optional("height", pixels),
      };
    case "price":
      return {
        type,
        price: readText(part["price"], `${at}/price`),
        ...optional("was", readText),
        ...optional("align", readAlign),
      };
    case "countdown":
      return {
        type,
        days: count("days"),
        hours: count("hours"),
        minutes: count("minutes"),
        ...optional("locale", readText),
        ...optional("align", readAlign),
      };
    case "products": {
      const products = part["products"];
      if (!Array.isArray(products)) throw new CardError(`${at}/products is not a list`);
      if (products.length > CARD_PRODUCTS) throw new CardError(`${at}/products has more than ${CARD_PRODUCTS} items`);
      return { type, products: products.map((product, index) => readProduct(product, `${at}/products/${index}`)) };
    }
    default:
      throw new CardError(`${at}/type is none that is known`);
  }
}

function readProduct(value: unknown, at: string): PaintedProduct {
  const product = readObject(value, at);
  return {
    name: readText(product["name"], `${at}/name`),
    ...(product["price"] !== undefined && { price: readText(product["price"], `${at}/price`) }),
    ...(product["image"] !== undefined && { image: readUrl(product["image"], `${at}/image`) }),
  };
}

function readObject(value: unknown, at: string): { [name: string]: unknown } {
  if (typeof value !== "object" || value === null) throw new CardError(`${at} is not an object`);
  return value as { [name: string]: unknown };
}

function readNumber(value: unknown, at: string, least: number, most: number): number {
  if (typeof value === "number" && value >= least && value <= most) return value;
  throw new CardError(`${at} is not a number from ${least} to ${most}`);
}

function readColor(value: unknown, at: string): string {
  if (typeof value === "string" && /^#[0-9a-f]{6}$/i.test(value)) return value;
  throw new CardError(`${at} is not a colour of the form #rrggbb`);
}

function readAlign(value: unknown, at: string): (typeof ALIGNS)[number] {
  const align = ALIGNS.find((align) => align === value);
  if (align) return align;
  throw new CardError(`${at} is none of ${ALIGNS.join(", ")}`);
}

/** A URL that cannot be fetched leaves its room empty: that is the fetching's business. */
function readUrl(value: unknown, at: string): string {
  if (typeof value !== "string") throw new CardError(`${at} is not a string`);
  return value.length > URL_LENGTH ? "" : value;
}

/** On one line, of characters that the fonts have; a space that does not break stays one. */
function readText(value: unknown, at: string): string {
  if (typeof value !== "string") throw new CardError(`${at} is not a string`);
  const line = value
    .slice(0, TEXT_LENGTH)
    .normalize()
    .replace(/[\u2007\u202f]/g, "\u00a0")
    .replace(/(?:\p{Cc}|[^\S\u00a0])+/gu, " ");
  return keepDrawable(line).trim();
}
