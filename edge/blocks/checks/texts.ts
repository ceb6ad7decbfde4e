/** Everything of a block that is Liquid, with its place: what is checked, tried and looked over one by one. */
import type { Card } from "../../../shared/card.ts";
import type { ManifestBlock } from "../../../shared/manifest.ts";

export interface BlockText {
  source: string;
  /** JSON Pointer into the block. */
  pointer: string;
  /** `url`: plain text that makes an https address; `list`: a path, which has no default. */
  form: "html" | "text" | "url" | "list";
}

/** Fields of a card's parts that are Liquid. */
const CARD_TEXTS = new Set(["text", "amount", "was", "to", "over"]);

export function textsOf({ variants, fallback }: Pick<ManifestBlock, "variants" | "fallback">): BlockText[] {
  const texts = variants.flatMap(({ template, link, image }, index): BlockText[] => {
    const pointer = `/variants/${index}`;
    return [
      { source: template, pointer: `${pointer}/template`, form: "html" },
      ...(link === undefined ? [] : [{ source: link, pointer: `${pointer}/link`, form: "url" } as const]),
      ...(image === undefined ? [] : textsOfCard(image, `${pointer}/image`)),
    ];
  });
  return fallback === null ? texts : [...texts, { source: fallback, pointer: "/fallback", form: "html" }];
}

function textsOfCard({ alt, parts }: Card, pointer: string): BlockText[] {
  const texts = parts.flatMap((part, index) =>
    Object.entries(part).flatMap(([name, value]): BlockText[] => {
      const place = `${pointer}/parts/${index}/${name}`;
      if (CARD_TEXTS.has(name)) return [{ source: String(value), pointer: place, form: "text" }];
      if (name === "src") return [{ source: String(value), pointer: place, form: "url" }];
      // A path to a list: what it looks at is what a value would.
      return name === "items" ? [{ source: `{{ ${value} }}`, pointer: place, form: "list" }] : [];
    }),
  );
  return [{ source: alt, pointer: `${pointer}/alt`, form: "text" }, ...texts];
}
