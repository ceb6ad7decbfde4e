/** `GET /v1/manifest/:writeKey`: what the browser needs to decide by itself. */
import type { Env } from "../env.ts";
import { readSiteByWriteKey } from "../manifest/read.ts";
import { Problem } from "../problem.ts";

export async function answerManifest(
  request: Request,
  env: Env,
  context: ExecutionContext,
  writeKey: string,
): Promise<Response> {
  const live = await readSiteByWriteKey(env, context, writeKey, Date.now());
  if (!live) throw new Problem("unauthorized", "the write key is unknown or revoked");
  const { body, etag } = live.publicManifest;
  const headers = {
    "access-control-allow-origin": "*",
    "cache-control": "public, max-age=10, stale-while-revalidate=86400",
    "content-type": "application/json",
    etag,
  };
  const known = request.headers.get("if-none-match");
  return known === etag || known === `W/${etag}`
    ? new Response(null, { status: 304, headers })
    : new Response(body, { headers });
}
