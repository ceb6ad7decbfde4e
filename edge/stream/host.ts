/** Which requests are the site's own server's, where the Worker stands before it. */
import type { Env } from "../env.ts";

/** What the script asks: on a host of the site's, nothing else is Attune's but the script's own files. */
const SCRIPT = /^\/a\/(?:decide|batch|consent|manifest\/[^/]+)$/;
/** On a host that is both. */
const OWN = /^\/(?:(?:a|v1|e|api|problems|preview)(?:\/|$)|healthz$)/;

/** @param url that was asked for */
export function isForOrigin({ ORIGIN, ORIGIN_HOSTS }: Env, url: string): boolean {
  if (!ORIGIN) return false;
  const { hostname, pathname } = new URL(url);
  if (!ORIGIN_HOSTS) return !OWN.test(pathname);
  return (
    ORIGIN_HOSTS.toLowerCase()
      .split(/[\s,]+/)
      .includes(hostname) && !SCRIPT.test(pathname)
  );
}
