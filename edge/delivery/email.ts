/**
 * `GET /e/:token/:slot`: a slot's HTML for the person of an e-mail token, made for fetchers that take an error for
 * content: always 200, with the block's fallback for a token that is expired or whose person is gone, and with
 * nothing for one that is forged.
 */
import { decideFromToken, decideSlots, isTokenOnly, NOBODY, type SlotAnswer } from "../blocks/decide.ts";
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import type { LiveSite } from "../manifest/live.ts";
import { readSite } from "../manifest/read.ts";
import { readProfileView } from "../profiles/read.ts";
import { readSnapshot, viewerOfSnapshot } from "../profiles/snapshot.ts";
import { type EmailToken, verifyToken } from "../tokens.ts";
import { viewerOf } from "./viewer.ts";

/** Fetchers of e-mail services cache at least this long whatever they are told. */
const MAX_AGE_SECONDS = 300;

export async function answerEmail(env: Env, context: ExecutionContext, token: string, slot: string): Promise<Response> {
  const now = Date.now();
  try {
    const said = await verifyToken(env, "email", token);
    const live = said && (await readSite(env, said.siteId, now, context));
    if (!said || !live) return html("", 0);
    const answer = await decideSlot(env, live, said, slot, now);
    const until = answer.decision.until;
    const seconds = until === null ? MAX_AGE_SECONDS : Math.floor((until - now) / 1000);
    return html(answer.html ?? "", Math.max(0, Math.min(seconds, MAX_AGE_SECONDS)));
  } catch (error) {
    log("error", { route: "/e/:token/:slot", error: String(error) });
    return html("", 0);
  }
}

async function decideSlot(env: Env, live: LiveSite, said: EmailToken, slot: string, now: number): Promise<SlotAnswer> {
  const id = said.birthId ?? said.profileId;
  const isKnown = id !== "" && now < said.expiresAt;
  const snapshot = isKnown && isTokenOnly(live, [slot]) ? await readSnapshot(env, live, said.profileId, now) : null;
  const decided = snapshot?.ids.includes(id)
    ? decideFromToken(live, [slot], viewerOfSnapshot(snapshot), undefined, now)
    : null;
  if (decided) return decided[slot]!;
  const profile = isKnown ? await readProfileView(env.DB, live, { id }, now) : null;
  const viewer = profile ? viewerOf(profile.person) : NOBODY;
  return decideSlots(live, [slot], viewer, undefined, now)[slot]!;
}

/** Personal, so never in a shared cache. */
function html(body: string, maxAge: number): Response {
  return new Response(body, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": maxAge > 0 ? `private, max-age=${maxAge}` : "private, no-cache, max-age=0",
      "x-robots-tag": "noindex",
      "referrer-policy": "no-referrer",
    },
  });
}
