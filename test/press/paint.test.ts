import { describe, expect, test } from "vitest";
import type { PaintedCard, PaintedPart } from "../../shared/card.ts";
import { type Image, readPng } from "./png.ts";
import { press } from "./press.ts";

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

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Around all pixels of such a colour; undefined where there are none. */
function find(image: Image, isMeant: (color: string) => boolean): Box | undefined {
  let box: Box | undefined;
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < image.width; x++) {
      if (!isMeant(image.at(x, y))) continue;
      box ??= { left: x, top: y, right: x, bottom: y };
      box = { left: Math.min(box.left, x), top: box.top, right: Math.max(box.right, x), bottom: y };
    }
  }
  return box;
}

const findColor = (image: Image, color: string) => find(image, (found) => found === color);
const findInk = (image: Image) => find(image, (color) => color !== light.background)!;

test.each([1, 2] as const)(
  "a card at %i× has that many pixels for one, is opaque, and of its theme's colours",
  async (scale) => {
    const card = { ...cardOf({ type: "text", text: "Hello Robin" }, { type: "price", price: "€12" }), theme: dark };
    const image = await paint(card, scale);
    expect([image.width, image.height]).toEqual([600 * scale, 200 * scale]);
    for (const color of Object.values(dark)) expect(findColor(image, color)).toBeDefined();
    expect(find(image, () => true)).toEqual({ left: 0, top: 0, right: 600 * scale - 1, bottom: 200 * scale - 1 });
  },
);

test("equal cards are equal images", async () => {
  const card = cardOf({ type: "text", text: "Hello" }, picture("red.png"));
  const hashes = [];
  for (let times = 0; times < 2; times++) {
    const painted = await press.paint(structuredClone(card), 2);
    hashes.push("png" in painted && String(new Uint8Array(await crypto.subtle.digest("SHA-256", painted.png))));
  }
  expect(hashes[0]).toBeTruthy();
  expect(hashes[1]).toBe(hashes[0]);
});

describe("text", () => {
  test("stands where it is aligned", async () => {
    const at = async (align: "left" | "center" | "right") =>
      findInk(await paint(cardOf({ type: "text", text: "Hello", align })));
    const [left, center, right] = [await at("left"), await at("center"), await at("right")];
    expect(left.left).toBeLessThan(30);
    expect(Math.abs(center.left + center.right - 600)).toBeLessThan(10);
    expect(right.right).toBeGreaterThan(570);
  });

  test("does not say where a price and a countdown stand that say so themselves", async () => {
    const text: PaintedPart = { type: "text", text: "Hello" };
    const countdown = { type: "countdown", days: 1, hours: 2, minutes: 3 } as const;
    for (const part of [{ type: "price", price: "€12" } as const, countdown]) {
      const at = async (align?: "left" | "center" | "right") =>
        findColor(await paint(cardOf(text, { ...part, ...(align && { align }) })), light.accent)!;
      const [own, left, center, right] = [await at(), await at("left"), await at("center"), await at("right")];
      expect(own).toEqual(left);
      expect(left.left).toBeLessThan(40);
      expect(Math.abs(center.left + center.right - 600)).toBeLessThan(12);
      expect(right.right).toBeGreaterThan(560);
    }
  });

  test("that is empty takes no room, as no price and no products do", async () => {
    const shown: PaintedPart = { type: "text", text: "Hello" };
    const empty: PaintedPart[] = [
      { type: "text", text: " " },
      { type: "price", price: "" },
      { type: "products", products: [] },
    ];
    expect(findInk(await paint(cardOf(...empty, shown)))).toEqual(findInk(await paint(cardOf(shown))));
  });

  test("wraps, and ends before the card does", async () => {
    const text = "Die Donaudampfschifffahrtsgesellschaftskapitänsmützenausverkaufseröffnung ".repeat(12);
    for (const card of [
      cardOf({ type: "text", text }),
      { ...cardOf({ type: "text", text, bold: true }), width: 120 },
    ]) {
      const ink = findInk(await paint(card));
      expect(ink.right).toBeLessThan(card.width);
      expect(ink.right).toBeGreaterThan(card.width * 0.7);
      expect(ink.bottom).toBeLessThan(190);
    }
  });

  test("leaves what stands below its room", async () => {
    const image = await paint(cardOf({ type: "text", text: "long ".repeat(190) }, { type: "price", price: "€12" }));
    expect(findColor(image, light.accent)!.bottom).toBeLessThan(190);
  });

  test("of Greek, Cyrillic, Polish, Turkish and Vietnamese is drawn, each its own shapes", async () => {
    const widths = new Set<number>();
    for (const text of ["Καλημέρα", "Здравствуй", "Żółć gęślą", "İğdır ışığı", "Việt Nam ơi"]) {
      const { left, right } = findInk(await paint(cardOf({ type: "text", text })));
      expect(right - left).toBeGreaterThan(40);
      widths.add(right - left);
    }
    expect(widths.size).toBe(5);
  });

  test("of what the fonts do not have is left out", async () => {
    const inkOf = async (text: string) => findInk(await paint(cardOf({ type: "text", text })));
    const plain = await inkOf("Sale ends");
    for (const text of [
      "🔥 Sale ends",
      "Sale ends 日本語",
      "\u202eSale\u200b ends\u2066",
      "Sale\n\t ends ❤️",
      "👨‍👩‍👧‍👦Sale ends\ud800",
    ]) {
      expect(await inkOf(text)).toEqual(plain);
    }
  });
});

describe("parts", () => {
  test("a countdown has a box for days, hours and minutes, labelled in its language", async () => {
    const count = async (locale?: string) => {
      const part = { type: "countdown" as const, days: 2, hours: 1, minutes: 37, ...(locale && { locale }) };
      return paint(cardOf(part));
    };
    const image = await count();
    const row = Array.from({ length: 600 }, (_, x) => image.at(x, 72) === light.accent);
    expect(row.filter((isBox, x) => isBox && !row[x - 1])).toHaveLength(3);
    const labels = async (locale: string) => [...(await paintRow(await count(locale)))].join();
    expect(await labels("de-DE")).not.toBe(await labels("en"));
    for (const locale of ["no such language", "ar", "hi"]) expect(await labels(locale)).toBe(await labels("en"));
  });

  test("a former price is struck through beside the price", async () => {
    const image = await paint(cardOf({ type: "price", price: "€129.00", was: "€159.00" }));
    const now = findColor(image, light.accent)!;
    const rows = Array.from({ length: 200 }, (_, y) => {
      let longest = 0;
      for (let x = now.right + 4, run = 0; x < 600; x++) {
        run = image.at(x, y) === light.background ? 0 : run + 1;
        longest = Math.max(longest, run);
      }
      return longest;
    });
    expect(Math.max(...rows)).toBeGreaterThan(50);
  });

  test.each([1, 2, 3, 4])("%i products are that many tiles of equal size", async (count) => {
    const products = Array.from({ length: count }, (_, index) => ({
      name: "A name that is long enough for its tile and then some",
      price: "€12.00",
      image: `https://pictures.example/red.png?${index}`,
    }));
    const image = await paint(cardOf({ type: "products", products }));
    const y = findColor(image, RED)!.top + 10;
    const row = Array.from({ length: 600 }, (_, x) => image.at(x, y) === RED);
    const starts = row.flatMap((isRed, x) => (isRed && !row[x - 1] ? [x] : []));
    const ends = row.flatMap((isRed, x) => (isRed && !row[x + 1] ? [x] : []));
    expect(starts).toHaveLength(count);
    for (const index of starts.keys()) {
      expect(Math.abs(ends[index]! - starts[index]! - (ends[0]! - starts[0]!))).toBeLessThanOrEqual(1);
    }
    expect(ends.at(-1)).toBeLessThan(580);
  });

  test("a picture alone is the whole card; beside others it has their padding", async () => {
    const alone = findColor(await paint(cardOf(picture("large-red.png"))), RED);
    expect(alone).toEqual({ left: 0, top: 0, right: 599, bottom: 199 });
    const beside = findColor(await paint(cardOf(picture("large-red.png"), { type: "price", price: "€1" })), RED)!;
    expect(beside.left).toBe(20);
    expect(beside.bottom).toBeLessThan(160);
  });

  test("a picture has the size that is asked for", async () => {
    const image = await paint(
      cardOf(
        { type: "image", src: "https://pictures.example/wide-green.png", width: 100, height: 50 },
        { type: "text", text: "x" },
      ),
    );
    const { left, right, top, bottom } = findColor(image, GREEN)!;
    expect([right - left + 1, bottom - top + 1]).toEqual([100, 50]);
  });
});

describe("pictures", () => {
  const sized = (src: string): PaintedPart => ({ type: "image", src, width: 100, height: 100 });
  const look = async (src: string) => {
    const image = await paint(cardOf(sized(src), { type: "text", text: "x" }));
    return [RED, EMPTY].find((color) => findColor(image, color));
  };

  test.each(["red.png", "moved"])("%s is fetched", async (path) => {
    expect(await look(`https://pictures.example/${path}`)).toBe(RED);
  });

  test.each([
    ["not there", "https://pictures.example/missing"],
    ["larger than 1 MB", "https://pictures.example/large"],
    ["of too many pixels", "https://pictures.example/bomb"],
    ["cut short", "https://pictures.example/cut"],
    ["no picture", "https://pictures.example/page"],
    ["too slow", "https://pictures.example/slow"],
    ["never sent to its end", "https://pictures.example/endless"],
    ["behind redirects without an end", "https://pictures.example/for-ever"],
    ["behind a redirect to http", "https://pictures.example/to-http"],
    ["behind a redirect to an address", "https://pictures.example/to-private"],
    ["of http", "http://pictures.example/red.png"],
    ["of a local host", "https://localhost/red.png"],
    ["of a host without a domain", "https://intranet/red.png"],
    ["of an internal host", "https://db.internal/red.png"],
    ["of an address", "https://127.0.0.1/red.png"],
    ["of an address as a number", "https://2130706433/red.png"],
    ["of an IPv6 address", "https://[::1]/red.png"],
    ["of another port", "https://pictures.example:8443/red.png"],
    ["with a password", "https://user:secret@pictures.example/red.png"],
    ["no URL", "red.png"],
    ["a data URL", "data:image/png;base64,iVBORw0KGgo="],
    ["too long a URL", `https://pictures.example/red.png?${"x".repeat(3_000)}`],
  ])("what is %s leaves its room", async (_, src) => {
    expect(await look(src)).toBe(EMPTY);
  });

  test("whose data is broken do not keep the card from being painted", async () => {
    const image = await paint(cardOf(sized("https://pictures.example/broken.png"), { type: "price", price: "€12" }));
    expect(findColor(image, light.accent)).toBeDefined();
  });

  test("that could not be had are counted, each once", async () => {
    const parts = ["red.png", "missing", "missing", "page"].map((path) => sized(`https://pictures.example/${path}`));
    expect(await press.paint(cardOf(...parts), 1)).toMatchObject({ missing: 2 });
    expect(await press.paint(cardOf(parts[0]!), 1)).toMatchObject({ missing: 0 });
  });

  test("are five at most; an equal one counts once", async () => {
    const parts = [0, 1, 2, 3, 4, 4, 5].map((index) => sized(`https://pictures.example/red.png?${index}`));
    const image = await paint({ ...cardOf(...parts), width: 200, height: 900 });
    const column = Array.from({ length: 900 }, (_, y) => image.at(70, y));
    const count = (color: string) => column.filter((at, y) => at === color && column[y - 1] !== color).length;
    expect([count(RED), count(EMPTY)]).toEqual([6, 1]);
  });
});

describe("a card that is none is an error, not an exception", () => {
  const part = { type: "text", text: "x" };
  test.each<[string, unknown, string]>([
    ["nothing", undefined, "the card is not an object"],
    ["a string", "card", "the card is not an object"],
    ["too wide", { ...cardOf(), width: 1_201 }, "width is not a number from 40 to 1200"],
    ["too low", { ...cardOf(), height: 39 }, "height is not a number from 40 to 1200"],
    ["without a height", { ...cardOf(), height: Number.NaN }, "height is not a number"],
    ["without parts", { ...cardOf(), parts: null }, "parts is not a list"],
    ["of too many parts", { ...cardOf(), parts: Array(13).fill(part) }, "parts has more than 12 items"],
    ["of an unknown part", { ...cardOf(), parts: [{ type: "video" }] }, "parts/0/type is none that is known"],
    ["with a colour that is CSS", { ...cardOf(), theme: { ...light, text: "red" } }, "theme/text is not a colour"],
    ["with a part's colour that is none", { ...cardOf(), parts: [{ ...part, color: "#fff" }] }, "parts/0/color"],
    ["with a text that is none", { ...cardOf(), parts: [part, { type: "text", text: 1 }] }, "parts/1/text"],
    ["with an unknown alignment", { ...cardOf(), parts: [{ ...part, align: "top" }] }, "parts/0/align"],
    ["with too large a type", { ...cardOf(), parts: [{ ...part, size: 201 }] }, "parts/0/size"],
    ["with a picture of no size", { ...cardOf(), parts: [{ type: "image", src: "", width: 0 }] }, "parts/0/width"],
    ["with a price that is a number", { ...cardOf(), parts: [{ type: "price", price: 12 }] }, "parts/0/price"],
    [
      "with less than no time",
      { ...cardOf(), parts: [{ type: "countdown", days: -1, hours: 0, minutes: 0 }] },
      "parts/0/days",
    ],
    [
      "of five products",
      { ...cardOf(), parts: [{ type: "products", products: Array(5).fill({ name: "x" }) }] },
      "more than 4",
    ],
    [
      "of a product that is none",
      { ...cardOf(), parts: [{ type: "products", products: [null] }] },
      "parts/0/products/0",
    ],
  ])("%s", async (_, card, message) => {
    expect(await press.paint(card as PaintedCard, 1)).toEqual({ error: expect.stringContaining(message) });
  });

  test("nor at another scale", async () => {
    expect(await press.paint(cardOf(), 3 as 2)).toEqual({ error: "scale is neither 1 nor 2" });
  });
});

test("a card of any size with any parts is painted", async () => {
  let seed = 7;
  const next = (below: number) => {
    seed = (seed * 48_271) % 0x7fffffff;
    return seed % below;
  };
  const pick = <T>(...list: T[]): T => list[next(list.length)]!;
  const text = () =>
    pick(
      "",
      "W",
      "i",
      "€1.299.999,00",
      "Ǆ".repeat(40),
      "—".repeat(30),
      "a b ".repeat(100),
      "Kapitänsmützen".repeat(9),
      "\u00ad-\u00a0",
    );
  const parts = (): PaintedPart =>
    pick<PaintedPart>(
      {
        type: "text",
        text: text(),
        size: pick(6, 16, 40, 200),
        bold: pick(true, false),
        align: pick("left", "center", "right"),
      },
      { type: "price", price: text(), was: text() },
      { type: "countdown", days: pick(0, 7, 99_999), hours: 3, minutes: 59, locale: pick("en", "de", "", "ar", "x") },
      { type: "products", products: Array.from({ length: next(5) }, () => ({ name: text(), price: text() })) },
      { type: "image", src: "", width: pick(1, 100, 1_200), height: pick(1, 100, 1_200) },
      { type: "image", src: "" },
    );
  for (let round = 0; round < 40; round++) {
    const [width, height] = [pick(40, 41, 90, 320, 1_200), pick(40, 43, 120, 600)];
    const card = { width, height, theme: light, parts: Array.from({ length: next(13) }, parts) };
    const painted = await press.paint(card, 1);
    expect("png" in painted || JSON.stringify({ painted, card })).toBe(true);
  }
});

/** The labels of a countdown: below its numbers. */
function* paintRow(image: Image): Iterable<string> {
  for (let y = 108; y < 124; y++) for (let x = 0; x < 600; x++) yield image.at(x, y);
}
