/**
 * `GET /e/:token/:slot`: a slot's HTML for the person of an e-mail token, made for fetchers that take an error for
 * content: always 200, and the block's fallback for a token that is unknown, forged or expired.
 */
import { decideSlots, NOBODY } from "../blocks/decide.ts";
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { readSite } from "../manifest/read.ts";
import { readProfileView } from "../profiles/read.ts";
import { verifyToken } from "../tokens.ts";
import { viewerOf } from "./viewer.ts";

/** Fetchers of e-mail services cache at least this long whatever they are told. */
const MAX_AGE_SECONDS = 300;

export async function answerEmail(env: Env, context: ExecutionContext, token: string, slot: string): Promise<Response> {
  const now = Date.now();
  try {
    const said = await verifyToken(env, "email", token);
    const live = said && (await readSite(env, said.siteId, now, context));
    if (!said || !live) return html("", 0);
    const profile = now < said.expiresAt ? await readProfileView(env.DB, live, { id: said.profileId }, now) : null;
    const viewer = profile ? viewerOf(profile.person) : NOBODY;
    const answer = decideSlots(live, [slot], viewer, undefined, now)[slot]!;
    const until = answer.decision.until;
    const seconds = until === null ? MAX_AGE_SECONDS : Math.floor((until - now) / 1000);
    return html(answer.html ?? "", Math.max(0, Math.min(seconds, MAX_AGE_SECONDS)));
  } catch (error) {
    log("error", { route: "/e/:token/:slot", error: String(error) });
    return html("", 0);
  }
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
