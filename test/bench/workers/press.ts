/** Asks the press for images, as the Worker does: by its binding. */
import { AutoRouter, error, type IRequest } from "itty-router";
import type { PaintedCard, PaintedPart } from "../../../shared/card.ts";

interface Env {
  PRESS: { paint(card: PaintedCard, scale: 1 | 2): Promise<{ png: ArrayBuffer } | { error: string }> };
}

/** Not two of them are the same: what was painted before is of no use. */
const PARTS: { [name: string]: (serial: number) => PaintedPart[] } = {
  words: (serial) => [
    { type: "text", text: `Only for you, number ${serial}`, size: 28, bold: true },
    { type: "text", text: "What you left in your cart is still there, and costs less until tonight." },
    { type: "price", price: "€ 89.00", was: "€ 129.00" },
    { type: "countdown", days: 0, hours: 5, minutes: serial % 60 },
  ],
  products: (serial) => [
    {
      type: "products",
      products: Array.from({ length: 4 }, (_, index) => ({
        name: `Trail Runner X${serial + index}`,
        price: `€ ${89 + index}.00`,
        image: `https://cdn.example/i/${serial % 8}-${index}.png`,
      })),
    },
  ],
};

const router = AutoRouter();
let serial = 0;

/** So many, one after the other; the size of the last is answered. */
router.get("/:parts/:scale/:times", async ({ params }: IRequest, env: Env) => {
  const parts = PARTS[params["parts"]!];
  if (!parts) return error(404);
  let bytes = 0;
  for (let time = 0; time < Number(params["times"]); time++) {
    const card: PaintedCard = {
      width: 600,
      height: 200,
      theme: { background: "#ffffff", text: "#222222", accent: "#b3261e" },
      parts: parts(serial++),
    };
    const painted = await env.PRESS.paint(card, Number(params["scale"]) as 1 | 2);
    if ("error" in painted) return error(500, painted.error);
    bytes = painted.png.byteLength;
  }
  return Response.json({ bytes });
});

export default { fetch: router.fetch };
