/** What of a card its reader would not see: texts that are cut, parts that have no room, characters without a shape. */
import type { PaintedPart } from "../../shared/card.ts";
import type { CardFault } from "../../shared/press.ts";
import { CardError, readCard } from "./card.ts";
import { layOut } from "./draw.ts";
import { logFailure } from "./failure.ts";
import { listUndrawn } from "./fonts.ts";

/** More characters would help nobody. */
const CHARACTERS = 10;

/** @returns never a rejection: what is wrong with the card as `error` */
export async function findFaults(given: unknown): Promise<{ faults: CardFault[] } | { error: string }> {
  try {
    const card = readCard(given);
    const { ground, laid } = await layOut(card, new Map());
    const faults: CardFault[] = [];
    let top = 0;
    for (const { part, drawn, lines } of laid) {
      const index = card.parts.indexOf(part);
      const { length } = part.type === "text" ? part.text : "";
      // A half pixel is nobody's fault.
      if (top + drawn.height > ground.height + 0.5) faults.push({ part: index, what: "outside" });
      else if (lines && lines.shown < lines.filled)
        faults.push({ part: index, what: "cut", fits: Math.floor((length * lines.shown) / lines.filled) });
      top += drawn.height + ground.gap;
    }
    return { faults: [...faults, ...(given as { parts: PaintedPart[] }).parts.flatMap(findUndrawn)] };
  } catch (error) {
    if (error instanceof CardError) return { error: error.message };
    logFailure("findFaults", error);
    return { error: "the card could not be laid out" };
  }
}

/** As it was given: what is read has none of them any more. */
function findUndrawn(given: PaintedPart, part: number): CardFault[] {
  const undrawn = listUndrawn(textsOf(given).join(" ")).slice(0, CHARACTERS);
  return undrawn.length ? [{ part, what: "undrawn", characters: undrawn.join("") }] : [];
}

function textsOf(part: PaintedPart): string[] {
  if (part.type === "text") return [part.text];
  if (part.type === "price") return [part.price, part.was ?? ""];
  return part.type === "products" ? part.products.flatMap(({ name, price = "" }) => [name, price]) : [];
}
