/** Makes what is saved live: one more version of the site, in KV for every location and in this isolate's memory at once. */

import { bumpSiteVersion } from "../db/sites.ts";
import type { Env } from "../env.ts";
import { Problem } from "../problem.ts";
import { readManifest } from "./build.ts";
import { buildLiveSite, type LiveSite } from "./live.ts";
import { rememberSite } from "./memory.ts";

/** KV takes one write a second per key: a publish right after another waits for its turn. */
const KV_RETRY_MS = 1_100;
const KV_ATTEMPTS = 3;

export function manifestKey(siteId: string): string {
  return `manifest:${siteId}`;
}

/** @throws Problem `not-found` without such a site; `overloaded` when KV does not take it (what was saved stays saved). */
export async function publish(env: Env, siteId: string, now: number): Promise<LiveSite> {
  const manifest = await readManifest(env.DB, siteId, bumpSiteVersion(env.DB, siteId), now);
  if (!manifest) throw new Problem("not-found");
  const live = buildLiveSite(manifest);
  rememberSite(live, now);
  await put(env.KV, manifestKey(siteId), JSON.stringify(manifest));
  return live;
}

async function put(kv: KVNamespace, key: string, value: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await kv.put(key, value);
    } catch {
      if (attempt === KV_ATTEMPTS)
        throw new Problem("overloaded", "Saved, but not published yet: try again.", { retryAfterSeconds: 2 });
      await scheduler.wait(KV_RETRY_MS);
    }
  }
}
