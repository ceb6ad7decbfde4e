/** Paints cards, each once: what is the same is kept in this isolate, then in this location, under a name that tells nothing. */
import type { PaintedCard } from "../../shared/card.ts";
import { answerWithin, patienceOf } from "../deadline.ts";
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { sealName } from "../tokens.ts";

/** Whoever shows an e-mail waits for its images for a few seconds. */
export const PAINT_MS = 4_000;
const MEMORY_BYTES = 4 * 1024 * 1024;
/** A location keeps an image so long at most. */
const KEPT_SECONDS = 24 * 60 * 60;

/** One transparent pixel: what stands where there is no image. */
export const BLANK = Uint8Array.fromBase64(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR42mNgAAIAAAUAAen63NgAAAAASUVORK5CYII=",
);

/** The hottest, by name: the newest last. Each shows what its name is made of, and nothing else. */
const painted = new Map<string, ArrayBuffer>();
let bytes = 0;

export interface Picture {
  png: ArrayBuffer;
  /** False where a picture on it could not be had: the next time it may be another. */
  isWhole: boolean;
}

/** @returns null where it cannot be painted */
export async function paintCard(
  env: Env,
  context: ExecutionContext,
  origin: string,
  card: PaintedCard,
  scale: 1 | 2,
): Promise<Picture | null> {
  const name = await sealName(env, JSON.stringify([scale, card]));
  const known = painted.get(name);
  if (known) {
    painted.delete(name);
    painted.set(name, known);
    return { png: known, isWhole: true };
  }
  // Below /e/, where nobody is answered by this cache but through here.
  const key = `${origin}/e/cards/${name}`;
  const kept = await caches.default.match(key).catch(() => undefined);
  const picture = kept ? { png: await kept.arrayBuffer(), isWhole: true } : await paint(env, card, scale);
  if (!picture?.isWhole) return picture;
  remember(name, picture.png);
  if (!kept) {
    const headers = { "content-type": "image/png", "cache-control": `public, max-age=${KEPT_SECONDS}` };
    context.waitUntil(caches.default.put(key, new Response(picture.png, { headers })).catch(() => {}));
  }
  return picture;
}

async function paint(env: Env, card: PaintedCard, scale: 1 | 2): Promise<Picture | null> {
  if (!env.PRESS) return null;
  const answer = await answerWithin(patienceOf(env, PAINT_MS), env.PRESS.paint(card, scale));
  if (answer && "png" in answer) return { png: answer.png, isWhole: answer.missing === 0 };
  // What it says of a card may hold what stands on it.
  log("warn", { route: "/e/:token/:slot.png", error: answer ? "the press refuses" : "the press takes too long" });
  return null;
}

function remember(name: string, png: ArrayBuffer): void {
  // Two may have painted it at once.
  if (painted.has(name) || png.byteLength > MEMORY_BYTES / 8) return;
  painted.set(name, png);
  bytes += png.byteLength;
  for (const [oldest, { byteLength }] of painted) {
    if (bytes <= MEMORY_BYTES) break;
    painted.delete(oldest);
    bytes -= byteLength;
  }
}
