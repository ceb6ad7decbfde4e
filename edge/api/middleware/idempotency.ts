/**
 * `Idempotency-Key`, as Stripe does it: the first answer is kept 24 hours and given again to the same request; 409 while the
 * first is under way; 422 for another request under the same key. Kept answers are encrypted with the caller's own secret:
 * some hold a key that is shown once.
 */
import { createMiddleware } from "hono/factory";
import { dropIdempotencyKey, keepIdempotencyAnswer, type Sealed, takeIdempotencyKey } from "../../db/idempotency.ts";
import { hashKey } from "../../manifest/read.ts";
import { Problem } from "../../problem.ts";
import type { ApiEnv } from "../app.ts";
import { bearerOf } from "./auth.ts";

const KEPT_MS = 24 * 3_600_000;
/** A request that has not ended by then never will. */
const ABANDONED_MS = 60_000;
const KEY_LENGTH = 255;
/** Answers in which people are, not only configuration: an erasure takes them. */
const OF_PEOPLE = /^\/api\/links\b|\/preview$/;
const KEPT_HEADERS = ["content-type", "etag", "location"];

export const idempotency = createMiddleware<ApiEnv>(async (c, next) => {
  const key = c.req.header("idempotency-key");
  const { method } = c.req;
  if (key === undefined || method === "GET" || method === "HEAD") return next();
  if (key === "" || key.length > KEY_LENGTH) {
    throw new Problem("invalid-request", `Idempotency-Key has 1 to ${KEY_LENGTH} characters.`);
  }
  const { DB } = c.env;
  const now = c.get("now");
  const scope = c.get("siteId") ?? "";
  const fingerprint = await hashKey(
    [
      method,
      c.req.path + new URL(c.req.url).search,
      c.req.header("if-match") ?? "",
      await c.req.raw.clone().text(),
    ].join("\n"),
  );
  const times = { now, expired: now - KEPT_MS, abandoned: now - ABANDONED_MS };
  const known = await takeIdempotencyKey(DB, scope, key, fingerprint, times);
  if (known) {
    if (known.fingerprint !== fingerprint) throw new Problem("idempotency-mismatch");
    if (known.status === null) {
      throw new Problem("conflict", "The first request with this Idempotency-Key is still under way.", {
        retryAfterSeconds: 1,
      });
    }
    if (known.sealed === null)
      throw new Problem("conflict", "This was done; its answer is not kept any more, since somebody was erased.");
    const kept = await open(bearerOf(c)!, known.sealed);
    if (!kept) throw new Problem("idempotency-mismatch", "The Idempotency-Key was used with another secret key.");
    const headers = new Headers(kept.headers);
    headers.set("idempotent-replayed", "true");
    return new Response(kept.body || null, { status: known.status, headers });
  }
  await next();
  // Errors have become responses by now: what failed on our side is not kept, so that it can be tried again.
  const { res } = c;
  if (res.status >= 500) return dropIdempotencyKey(DB, scope, key);
  const headers = KEPT_HEADERS.flatMap((name) => {
    const value = res.headers.get(name);
    return value === null ? [] : [[name, value] as [string, string]];
  });
  const sealed = await seal(bearerOf(c)!, { headers, body: await res.clone().text() });
  await keepIdempotencyAnswer(DB, scope, key, { status: res.status, sealed, isOfPeople: OF_PEOPLE.test(c.req.path) });
});

interface Kept {
  headers: [string, string][];
  body: string;
}

async function seal(secret: string, kept: Kept): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const bytes = new TextEncoder().encode(JSON.stringify(kept));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await importKey(secret), bytes);
  return [iv.toBase64(), new Uint8Array(sealed).toBase64()];
}

async function open(secret: string, [iv, sealed]: Sealed): Promise<Kept | null> {
  try {
    const bytes = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv: Uint8Array.fromBase64(iv) },
      await importKey(secret),
      Uint8Array.fromBase64(sealed),
    );
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

/** Not the hash that the table of keys holds: whoever reads the database cannot derive it. */
async function importKey(secret: string): Promise<CryptoKey> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`idempotency\n${secret}`));
  return crypto.subtle.importKey("raw", digest, "AES-GCM", false, ["encrypt", "decrypt"]);
}
