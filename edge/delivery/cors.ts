/** CORS for the public plane: only the site's own origins, and never with credentials. */
import type { LiveSite } from "../manifest/live.ts";
import { Problem } from "../problem.ts";

/**
 * Headers of an answer to a browser; none for callers that are no browser.
 *
 * @throws Problem `forbidden-origin`
 */
export function corsHeaders(request: Request, live: LiveSite): Record<string, string> {
  const origin = request.headers.get("origin");
  if (!origin) return {};
  if (origin !== new URL(request.url).origin && !live.allowsOrigin(origin))
    throw new Problem("forbidden-origin", `${origin} is not among the site's origins`);
  return { "access-control-allow-origin": origin, vary: "origin" };
}

/** A preflight carries no key, so it says what browsers may try; the request itself is checked. */
export function answerPreflight(request: Request): Response {
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-origin": request.headers.get("origin") ?? "*",
      "access-control-allow-methods": "GET, POST",
      "access-control-allow-headers": "content-type, authorization",
      "access-control-max-age": "86400",
      vary: "origin",
    },
  });
}
