/** `GET /preview/:token`: a shared preview as a page, for people without a key. No script is on it, and none runs in what it shows. */
import { offsetOf, wallToInstant } from "../../shared/engine/zone.ts";
import { readPreview } from "../db/previews.ts";
import type { Env } from "../env.ts";
import { readSite } from "../manifest/read.ts";
import { Problem } from "../problem.ts";
import { verifyToken } from "../tokens.ts";
import { type Note, noteHtml, previewHtml } from "./html.ts";
import { paintPreview } from "./image.ts";
import { type BlockAsked, previewBlock } from "./preview.ts";

const TOKEN_CHARACTERS = 1_000;
const YEARS = { from: Date.UTC(1900, 0), to: Date.UTC(2200, 0) };

/** What is shown inherits it: blocks bring their own styles and pictures, and nothing that runs or frames. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; font-src https: data:; media-src https: data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const NOTES = {
  unknown: ["This link is not complete", "It was not made here, or part of it was lost on the way. Ask for it again."],
  expired: ["This preview has expired", "Whoever sent the link can make a new one."],
  revoked: ["This preview was taken back", "Whoever sent the link can make a new one."],
  person: ["The person of this preview is gone", "What was stored of them was deleted since the link was made."],
  block: ["There is nothing to show", "This version of the block does not exist, or not any more."],
} as const satisfies { [name: string]: Note };

export async function answerPreview(env: Env, url: string, token: string): Promise<Response> {
  const present = Date.now();
  const said = token.length <= TOKEN_CHARACTERS ? await verifyToken(env, "preview", token) : null;
  if (!said) return respond(404, noteHtml(NOTES.unknown));
  if (said.expiresAt <= present) return respond(410, noteHtml(NOTES.expired));
  const shared = await readPreview(env.DB, said.siteId, said.id, present);
  const live = shared && (await readSite(env, said.siteId, present));
  if (!live) return respond(410, noteHtml(NOTES.revoked));

  const { timeZone } = live.manifest.settings;
  const { request, expiresAt } = shared;
  const asked = { ...request, ...readQuery(new URL(url).searchParams, request, timeZone) };
  try {
    const preview = await previewBlock(env, said.siteId, asked, present);
    const image = await paintPreview(env, preview);
    return respond(200, previewHtml({ request, asked, preview, image, expiresAt }));
  } catch (error) {
    if (!(error instanceof Problem) || error.status >= 500) throw error;
    const isPersonGone = error.errors?.[0]?.pointer === "/profile";
    return respond(410, noteHtml(isPersonGone ? NOTES.person : NOTES.block));
  }
}

/** Another time, on the site's clock, and another version. What is neither is as if it were not said. */
function readQuery(query: URLSearchParams, request: BlockAsked, timeZone: string): Partial<BlockAsked> {
  const wall = Date.parse(`${query.get("now")}Z`);
  const isTime = wall >= YEARS.from && wall <= YEARS.to;
  const version = [request.version, "draft" as const, "live" as const].find((it) => `${it}` === query.get("version"));
  return {
    ...(isTime && { now: wallToInstant(wall, offsetOf(timeZone) ?? (() => 0)) }),
    ...(version !== undefined && { version }),
  };
}

async function respond(status: number, body: string | Promise<string>): Promise<Response> {
  return new Response(await body, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": POLICY,
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "x-robots-tag": "noindex, nofollow",
    },
  });
}
