/** A card as it is painted for one person, at one moment: its texts rendered, its prices written, its countdown counted. */
import {
  CARD_DAYS,
  CARD_PRODUCTS,
  type Card,
  type CardPart,
  type PaintedCard,
  type PaintedPart,
  type PaintedProduct,
  type Theme,
} from "../../shared/card.ts";
import { offsetOf, wallToInstant } from "../../shared/engine/zone.ts";
import type { JsonObject } from "../../shared/event.ts";
import type { Variant } from "../../shared/manifest.ts";
import { NOBODY, scopeOf, type Viewer } from "../blocks/decide.ts";
import { moneyFormat } from "../blocks/liquid/money.ts";
import type { LiveSite } from "../manifest/live.ts";
import type { LiveText } from "../manifest/template.ts";
import type { Given, Recipient } from "./give.ts";
import { textOf } from "./texts.ts";

const THEME: Theme = { background: "#ffffff", text: "#1a1a1a", accent: "#0b57d0" };
const MINUTE_MS = 60_000;

/** A card that somebody is given; null: what is given has none. */
export interface GivenCard {
  card: Card;
  /** What stands there when images are not shown. */
  alt(): Promise<string>;
  /** Nothing that is painted of it changes with time. */
  isStill: boolean;
  paint(isDark: boolean): Promise<PaintedCard>;
  /** Of each painted part the index of the card's that it is made of. */
  origins(): Promise<number[]>;
}

/** What a card is made of, and for whom. */
type CardAsked = Pick<Given, "variant" | "block" | "decision"> & { recipient: Pick<Recipient, "view"> };

export function cardOf(
  { variant, block, decision, recipient }: CardAsked,
  live: LiveSite,
  now: number,
): GivenCard | null {
  const source = variant?.source;
  const card = source?.image;
  if (!source || !card) return null;
  const sources = [card.alt, ...card.parts.flatMap(textsOf)];
  const texts = sources.map((text) => textOf(source, text, live));
  const isPersonal =
    texts.some(({ variables }) => variables.personal) || card.parts.some(({ type }) => type === "products");
  const view = async () => (isPersonal ? recipient.view() : NOBODY);
  // What holds for one showing does not end with it for whoever counts down.
  const until = decision.until === now && block ? block.to : decision.until;
  const paintParts = async () => {
    const end = until !== null && Number.isFinite(until) ? until : null;
    const painter = new Painter(source, await view(), live, now, end);
    return card.parts.map((part) => painter.paint(part));
  };
  return {
    card,
    alt: async () => writerOf(source, await view(), live, now)(card.alt).trim(),
    isStill: !texts.some(({ variables }) => variables.timed) && !card.parts.some(({ type }) => type === "countdown"),
    paint: async (isDark) => {
      const theme = (isDark ? card.dark : undefined) ?? card.theme ?? THEME;
      return { width: card.width, height: card.height, theme, parts: (await paintParts()).flat() };
    },
    origins: async () => (await paintParts()).flatMap((parts, index) => parts.map(() => index)),
  };
}

function textsOf(part: CardPart): string[] {
  if (part.type === "text") return [part.text];
  if (part.type === "image") return [part.src];
  if (part.type === "price") return [part.amount, part.was ?? ""];
  return part.type === "countdown" ? [part.to ?? "", part.over ?? ""] : [];
}

type Write = (source: string) => string;

function writerOf(variant: Variant, viewer: Viewer, live: LiveSite, now: number): Write {
  return (source) => {
    const text: LiveText = textOf(variant, source, live);
    return text.render(scopeOf(viewer, undefined, text), now).text ?? "";
  };
}

/** What cannot be said of a part leaves it out: a card is never half a sentence. */
class Painter {
  readonly #write: Write;
  readonly #scope: JsonObject;
  readonly #now: number;
  readonly #until: number | null;
  readonly #timeZone: string;

  constructor(variant: Variant, viewer: Viewer, live: LiveSite, now: number, until: number | null) {
    this.#write = writerOf(variant, viewer, live, now);
    const everything = {
      variables: {
        personal: true,
        timed: false,
        traits: null,
        segments: [],
        cart: true,
        recommendations: true,
        context: false,
      },
    };
    this.#scope = { ...scopeOf(viewer, undefined, everything) };
    this.#now = now;
    this.#until = until;
    this.#timeZone = live.manifest.settings.timeZone;
  }

  paint(part: CardPart): PaintedPart[] {
    switch (part.type) {
      case "text": {
        const text = this.#write(part.text).trim();
        return text ? [{ ...part, text }] : [];
      }
      case "image": {
        const src = checkPicture(this.#write(part.src));
        return src ? [{ ...part, src }] : [];
      }
      case "price":
        return this.#price(part);
      case "countdown":
        return this.#countdown(part);
      case "products": {
        const products = this.#products(part);
        return products.length ? [{ type: "products", products }] : [];
      }
    }
  }

  #price({ amount, was, currency, locale, align }: CardPart & { type: "price" }): PaintedPart[] {
    const price = writePrice(this.#write(amount), currency, locale);
    const before = was === undefined ? null : writePrice(this.#write(was), currency, locale);
    return price
      ? [{ type: "price", price, ...(before && before !== price && { was: before }), ...(align && { align }) }]
      : [];
  }

  /** Minutes that are begun count, so that what stands there is over when its time is, and never later. */
  #countdown({ to, over, locale, align }: CardPart & { type: "countdown" }): PaintedPart[] {
    const end = to === undefined ? this.#until : readTime(this.#write(to).trim(), this.#timeZone);
    if (end === null || !Number.isFinite(end)) return [];
    const minutes = Math.ceil((end - this.#now) / MINUTE_MS);
    if (minutes <= 0) return this.paint({ type: "text", text: over ?? "", ...(align && { align }) });
    const hours = Math.floor(minutes / 60);
    const left = { days: Math.floor(hours / 24), hours: hours % 24, minutes: minutes % 60 };
    // Where nothing ends, 9999-12-31 may stand for it.
    if (left.days > CARD_DAYS) return [];
    return [{ type: "countdown", ...left, ...(locale !== undefined && { locale }), ...(align && { align }) }];
  }

  #products({ items, most, currency, locale }: CardPart & { type: "products" }): PaintedProduct[] {
    const list = readPath(this.#scope, items);
    if (!Array.isArray(list)) return [];
    return list.slice(0, Math.min(most ?? CARD_PRODUCTS, CARD_PRODUCTS)).flatMap((item: unknown) => {
      const name = own(item, "name");
      if (typeof name !== "string" || !name.trim()) return [];
      const price = writePrice(own(item, "price"), currency, locale);
      const image = checkPicture(own(item, "image_url"));
      return [{ name: name.trim(), ...(price && { price }), ...(image && { image }) }];
    });
  }
}

/** A time without a zone is one of the site's clock, as in schedules. NaN for what is no time. */
function readTime(text: string, timeZone: string): number {
  const [, day, time = "T00:00"] = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?$/.exec(text) ?? [];
  if (!day) return Date.parse(text);
  return wallToInstant(Date.parse(`${day}${time}Z`), offsetOf(timeZone) ?? (() => 0));
}

/** From Armenian to Mongolian, from CJK on: digits and signs such as ฿ and ￥ that the press has no type for. */
const UNDRAWN = /[\u0530-\u18af\u2e80-\uffff]/;

/** Null for what is no number. Whatever the locale, with digits and a currency that are drawn. */
function writePrice(amount: unknown, currency: string, locale = "en"): string | null {
  const number = typeof amount === "string" && amount.trim() !== "" ? Number(amount) : amount;
  if (typeof number !== "number" || !Number.isFinite(number)) return null;
  const latin = new Intl.Locale(locale, { numberingSystem: "latn" }).toString();
  const price = moneyFormat(currency, latin).format(number);
  return UNDRAWN.test(price) ? moneyFormat(currency, latin, "code").format(number) : price;
}

function checkPicture(src: unknown): string | null {
  const text = typeof src === "string" ? src.trim() : "";
  return URL.canParse(text) && new URL(text).protocol === "https:" ? new URL(text).href : null;
}

/** `cart.items[0].related` */
function readPath(scope: unknown, path: string): unknown {
  return path.split(/[.[\]]+/).reduce<unknown>((value, name) => (name ? own(value, name) : value), scope);
}

function own(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as JsonObject)[name]
    : undefined;
}
