/** Names each request: the caller's `x-request-id` if it is a plain one, else a new one. Every answer carries it. */
import { createMiddleware } from "hono/factory";
import type { ApiEnv } from "../app.ts";

export const requestId = createMiddleware<ApiEnv>(async (c, next) => {
  const given = c.req.header("x-request-id");
  const id = given && /^[\w-]{1,64}$/.test(given) ? given : (c.req.header("cf-ray") ?? crypto.randomUUID());
  c.set("requestId", id);
  c.set("now", Date.now());
  c.set("siteId", null);
  await next();
  c.header("x-request-id", id);
  c.header("x-content-type-options", "nosniff");
  // Configuration and people: neither is for a cache.
  if (!c.res.headers.has("cache-control")) c.header("cache-control", "no-store");
});
