/** Cards as they come in: what of a variant an e-mail shows as an image. Whether their texts are Liquid is seen where the block is checked. */
import * as z from "zod";
import { CARD_PARTS, CARD_PIXELS, CARD_PRODUCTS } from "../../shared/card.ts";

const TEXT_LENGTH = 2_000;
const ALT_LENGTH = 500;
const PATH_LENGTH = 200;
const FONT_PIXELS = { least: 6, most: 200 };

const TextSchema = z.string().min(1).max(TEXT_LENGTH).openapi({ description: "Liquid, of plain text." });
const ColorSchema = z
  .string()
  .regex(/^#[0-9a-fA-F]{6}$/, "A colour is #rrggbb.")
  .openapi({ example: "#1a1a1a" });
const PictureSide = z.int().min(1).max(CARD_PIXELS.most).openapi({
  description: "CSS pixels; what is left out follows from the picture.",
});
const CurrencySchema = z
  .string()
  .regex(/^[A-Z]{3}$/, "A currency is three capital letters (ISO 4217).")
  .openapi({ example: "EUR" });
const AlignSchema = z.enum(["left", "center", "right"]).openapi({
  description: "Left out: a text stands left, everything else where the first text does.",
});
const LocaleSchema = z
  .string()
  .max(35)
  .refine(isLocale, "A locale is a language tag such as de or en-GB.")
  .openapi({ description: "Left out: en.", example: "de" });

const ThemeSchema = z
  .strictObject({
    background: ColorSchema,
    text: ColorSchema,
    accent: ColorSchema.openapi({ description: "Prices, countdowns, borders." }),
  })
  .openapi("CardTheme");

const PartSchema = z
  .discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("text"),
      text: TextSchema,
      size: z.number().min(FONT_PIXELS.least).max(FONT_PIXELS.most).optional().openapi({
        description: "CSS pixels.",
      }),
      bold: z.boolean().optional(),
      color: ColorSchema.optional(),
      align: AlignSchema.optional(),
    }),
    z.strictObject({
      type: z.literal("image"),
      src: TextSchema.openapi({
        description: "Liquid that makes the https URL of a PNG or JPEG; nothing personal in it.",
      }),
      width: PictureSide.optional(),
      height: PictureSide.optional(),
    }),
    z.strictObject({
      type: z.literal("price"),
      amount: TextSchema.openapi({ description: "Liquid that makes a number, in units of the currency." }),
      was: TextSchema.optional().openapi({ description: "What it cost before; Liquid that makes a number." }),
      currency: CurrencySchema,
      locale: LocaleSchema.optional(),
      align: AlignSchema.optional(),
    }),
    z.strictObject({
      type: z.literal("countdown"),
      to: TextSchema.optional().openapi({
        description:
          "Liquid that makes an ISO 8601 time; without a zone, of the site's. Left out: until when the decision holds.",
      }),
      over: TextSchema.optional().openapi({ description: "Stands there afterwards." }),
      locale: LocaleSchema.optional(),
      align: AlignSchema.optional(),
    }),
    z.strictObject({
      type: z.literal("products"),
      items: z
        .string()
        .max(PATH_LENGTH)
        .regex(/^[a-zA-Z_]\w*(?:\.\w+|\[\d+\])*$/, "A path of names, such as cart.items.")
        .openapi({
          description: "Path to a list of objects with name, price, image_url and url.",
          example: "cart.items",
        }),
      most: z.int().min(1).max(CARD_PRODUCTS).optional(),
      currency: CurrencySchema,
      locale: LocaleSchema.optional(),
    }),
  ])
  .openapi("CardPart");

const Side = z.int().min(CARD_PIXELS.least).max(CARD_PIXELS.most);

export const CardSchema = z
  .strictObject({
    width: Side.openapi({ description: "CSS pixels, drawn at 1× and 2×." }),
    height: Side,
    theme: ThemeSchema.optional(),
    dark: ThemeSchema.optional().openapi({ description: "For readers whose mail is dark; left out: the same." }),
    alt: z.string().max(ALT_LENGTH).openapi({ description: "Stands there where images are not shown; Liquid." }),
    parts: z.array(PartSchema).min(1).max(CARD_PARTS).openapi({ description: "A column, from the top." }),
  })
  .openapi("Card", {
    example: {
      width: 600,
      height: 200,
      alt: "20 % off, until Sunday",
      parts: [
        { type: "text", text: "20 % off, {{ customer.first_name | default: 'you' }}", size: 28, bold: true },
        { type: "countdown", to: "2026-12-01T00:00:00Z", over: "It is over." },
      ],
    },
  });

function isLocale(text: string): boolean {
  try {
    return Intl.getCanonicalLocales(text).length === 1;
  } catch {
    return false;
  }
}
