/** `GET /v1/manifest/:writeKey`: what the browser needs to decide by itself, and what it may assume where the visitor is. */
import type { Env } from "../env.ts";
import { readSiteByWriteKey } from "../manifest/read.ts";
import { Problem } from "../problem.ts";
import { asksFirst } from "./place.ts";

export async function answerManifest(
  request: Request,
  env: Env,
  context: ExecutionContext,
  writeKey: string,
): Promise<Response> {
  const live = await readSiteByWriteKey(env, context, writeKey, Date.now());
  if (!live) throw new Problem("unauthorized", "the write key is unknown or revoked");
  // A local start is no place: what the developer's site says holds.
  const isStrict = env.ATTUNE_LOCAL !== "1" && asksFirst(request.cf);
  const { body, etag } = isStrict ? live.strictManifest : live.publicManifest;
  const headers = {
    "access-control-allow-origin": "*",
    // Of this place: no shared cache may hand it on, and who travels is told anew within the hour.
    "cache-control": "private, max-age=10, stale-while-revalidate=3600",
    "content-type": "application/json",
    etag,
  };
  const known = request.headers.get("if-none-match");
  return known === etag || known === `W/${etag}`
    ? new Response(null, { status: 304, headers })
    : new Response(body, { headers });
}
