/** The card of what is tried, as the recipient of an e-mail would see it: painted each time, and kept nowhere. */
import type { PaintedCard } from "../../shared/card.ts";
import { findCardFaults } from "../blocks/checks/card.ts";
import { answerWithin, patienceOf } from "../deadline.ts";
import { PAINT_MS } from "../email/image.ts";
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import type { Finding } from "../segments/lint/finding.ts";
import type { BlockPreview } from "./preview.ts";

export interface PreviewImage {
  alt: string;
  /** CSS pixels. */
  width: number;
  height: number;
  /** Data URLs of PNGs at 1×; `dark` where the card has a theme for it. */
  png: string;
  dark?: string;
  /** Pictures that could not be had: their rooms are empty. */
  missing: number;
}

/** @returns null where there is no card, no press, or it cannot be painted */
export async function paintPreview(env: Env, { shown }: BlockPreview): Promise<PreviewImage | null> {
  const given = "card" in shown ? shown.card : null;
  if (!env.PRESS || !given) return null;
  const { width, height, dark: theme } = given.card;
  const paint = async (isDark: boolean) => paintNow(env, await given.paint(isDark));
  const [light, dark] = await Promise.all([paint(false), theme ? paint(true) : null]);
  if (!light) return null;
  const { png, missing } = light;
  return { alt: await given.alt(), width, height, png, ...(dark && { dark: dark.png }), missing };
}

/** What of its texts is not seen; pointers lead into the card. */
export async function lintPreview(env: Env, { shown }: BlockPreview): Promise<Finding[]> {
  const given = "card" in shown ? shown.card : null;
  return given ? findCardFaults(env, await given.paint(false), given.card, await given.origins(), "") : [];
}

async function paintNow(env: Env, card: PaintedCard): Promise<{ png: string; missing: number } | null> {
  const answer = await answerWithin(patienceOf(env, PAINT_MS), env.PRESS!.paint(card, 1)).catch(() => null);
  if (answer && "png" in answer)
    return { png: `data:image/png;base64,${new Uint8Array(answer.png).toBase64()}`, missing: answer.missing };
  // What it says of a card may hold what stands on it.
  log("warn", { route: "preview", error: answer ? "the press refuses" : "the press does not answer" });
  return null;
}
