/** Who asks: `Authorization: Bearer sk_…` of a site, or the administrator's token. */
import { createMiddleware } from "hono/factory";
import { readKey } from "../../db/keys.ts";
import type { Env } from "../../env.ts";
import { DEMO_SECRET_KEY, hashKey } from "../../manifest/read.ts";
import { Problem } from "../../problem.ts";
import type { ApiContext, ApiEnv } from "../app.ts";

const TOKEN_LENGTH = 200;
const WRITE_KEY = "This is a write key, for events: send one of the site's secret keys, sk_….";

export const auth = createMiddleware<ApiEnv>(async (c, next) => {
  const token = bearerOf(c);
  if (!token) throw new Problem("unauthorized", "Send Authorization: Bearer with a site's secret key.");
  if (await isAdmin(c.env, token)) {
    c.set("siteId", null);
    c.set("actor", "admin");
  } else {
    const key = await readSecretKey(c.env, token);
    if (!key) throw new Problem("unauthorized", token.startsWith("pk_") ? WRITE_KEY : "The key is unknown or revoked.");
    c.set("siteId", key.siteId);
    c.set("actor", `key:${key.id}`);
  }
  await next();
});

/** The bearer token as sent; never log or echo it. */
export function bearerOf(c: ApiContext): string | null {
  const token = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
  return token && token.length <= TOKEN_LENGTH ? token : null;
}

async function isAdmin(env: Env, token: string): Promise<boolean> {
  // Hashes are compared, so that the time this takes says nothing about the token.
  return !!env.ATTUNE_ADMIN_TOKEN && (await hashKey(token)) === (await hashKey(env.ATTUNE_ADMIN_TOKEN));
}

async function readSecretKey(env: Env, token: string): ReturnType<typeof readKey> {
  if (!token.startsWith("sk_")) return null;
  if (token === DEMO_SECRET_KEY && env.ATTUNE_LOCAL !== "1") return null;
  return readKey(env.DB, await hashKey(token), "secret");
}
