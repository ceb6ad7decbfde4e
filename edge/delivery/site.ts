/** Opens a site for a request of the public plane. */
import type { JsonObject } from "../../shared/event.ts";
import type { Env } from "../env.ts";
import type { LiveSite } from "../manifest/live.ts";
import { readSiteByWriteKey } from "../manifest/read.ts";
import { Problem } from "../problem.ts";
import { corsHeaders } from "./cors.ts";
import { readWriteKey } from "./request.ts";

/** @throws Problem `unauthorized` or `forbidden-origin` */
export async function openSite(
  request: Request,
  env: Env,
  context: ExecutionContext,
  body: JsonObject,
  now: number,
): Promise<{ live: LiveSite; headers: Record<string, string> }> {
  const writeKey = readWriteKey(request, body);
  if (!writeKey)
    throw new Problem(
      "unauthorized",
      "send the write key as the user of Basic authorization, or as `writeKey` in the body",
    );
  const live = await readSiteByWriteKey(env, context, writeKey, now);
  if (!live) throw new Problem("unauthorized", "the write key is unknown or revoked");
  return { live, headers: corsHeaders(request, live) };
}
