/** What of a card nobody would see: the press lays it out, with what is typical in place of Liquid. */
import type { Card, CardPart, PaintedCard, PaintedPart } from "../../../shared/card.ts";
import type { JsonObject } from "../../../shared/event.ts";
import type { CardFault } from "../../../shared/press.ts";
import { answerWithin, patienceOf } from "../../deadline.ts";
import type { Env } from "../../env.ts";
import type { Finding } from "../../segments/lint/finding.ts";
import { checkText, type Moment } from "../liquid.ts";
import { showTypical } from "./samples.ts";

/** Whoever saves does not wait longer for hints. */
const PRESS_MS = 1_000;
const THEME = { background: "#ffffff", text: "#000000", accent: "#000000" };
/** Of a part, the field in which its words stand. */
const FIELDS = { text: "text", image: "src", price: "amount", countdown: "to", products: "items" } as const;

/** As it is laid out for somebody like most. */
export async function lintCard(
  card: Card,
  env: Env,
  site: JsonObject,
  moment: Moment,
  pointer: string,
): Promise<Finding[]> {
  const write = (source: string) => {
    const checked = checkText(source);
    return "errors" in checked ? "" : showTypical(checked.template, site, moment).trim();
  };
  const { width, height } = card;
  const painted = { width, height, theme: THEME, parts: card.parts.map((part) => paintTypical(part, write)) };
  const origins = card.parts.map((_, index) => index);
  return findCardFaults(env, painted, card, origins, pointer);
}

/**
 * @param origins of each painted part the index of the card's that it is made of
 * @returns none where there is no press, or it does not answer in time
 */
export async function findCardFaults(
  env: Env,
  painted: PaintedCard,
  card: Card,
  origins: readonly number[],
  pointer: string,
): Promise<Finding[]> {
  if (!env.PRESS) return [];
  const answer = await answerWithin(patienceOf(env, PRESS_MS), env.PRESS.findFaults(painted)).catch(() => null);
  if (!answer || "error" in answer) return [];
  return answer.faults.map((fault): Finding => {
    const index = origins[fault.part]!;
    const part = card.parts[index]!;
    const field = part.type === "countdown" && painted.parts[fault.part]!.type === "text" ? "over" : FIELDS[part.type];
    const place = `${pointer}/parts/${index}${field in part ? `/${field}` : ""}`;
    const code = fault.what === "undrawn" ? "undrawn-text" : "cut-text";
    return { code, severity: "warning", pointer: place, detail: phrase(fault) };
  });
}

function phrase(fault: CardFault): string {
  if (fault.what === "outside")
    return "There is not room enough for this on the card, below what stands above it: make the card higher, or its parts fewer or smaller.";
  if (fault.what === "cut")
    return `This text ends in an ellipsis: about ${fault.fits} characters fit. Shorten it, make it smaller, or the card higher.`;
  return `The image's fonts have no ${fault.characters}: it is left out. They draw Latin, Greek, Cyrillic and Vietnamese; write it in the HTML or the subject.`;
}

/** One for each: what is about time or money has the size that it usually has. */
function paintTypical(part: CardPart, write: (source: string) => string): PaintedPart {
  switch (part.type) {
    case "text":
      return { ...part, text: write(part.text) };
    case "image":
      return { ...part, src: "" };
    case "price":
      return { type: "price", price: "€1,234.50" };
    case "countdown":
      return { type: "countdown", days: 2, hours: 12, minutes: 30 };
    case "products":
      return { type: "products", products: [{ name: "Linen shirt" }] };
  }
}
