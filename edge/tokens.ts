/**
 * Signed tokens: what the edge lets a visitor or an e-mail carry for it. HMAC-SHA-256 over a purpose, so that a token
 * made for one use is void for another. A token holds no personal data: random ids, segment keys and times.
 */
import type { Purpose } from "../shared/consent.ts";
import type { Decisions } from "./db/profiles.ts";
import type { Env } from "./env.ts";

/** Proves who a visitor is to the edge, and lets most page views be decided without reading storage. */
export interface ProfileToken {
  siteId: string;
  anonymousId: string;
  /** Of the anonymousId; left out by tokens of before. */
  birthId?: string;
  profileId: string;
  stableId: string;
  /** Hash of the user whom the profile belongs to; null while that is nobody. */
  user: string | null;
  manifestVersion: number;
  segments: Decisions;
  /** When an answer may change by time alone; null = never. */
  wakesAt: number | null;
  /** Purposes granted; left out = all. */
  consent?: readonly Purpose[];
  issuedAt: number;
}

/** Names a recipient of one send. */
export interface EmailToken {
  siteId: string;
  /** Of the identifier that was named: it leads to the profile which that one is part of, whatever is united or parted. Left out by tokens of before. */
  birthId?: string;
  /** The profile as the token was made: where its snapshot is looked for. Empty for somebody unknown. */
  profileId: string;
  send: string;
  expiresAt: number;
}

/** Names a shared preview. */
export interface PreviewToken {
  siteId: string;
  id: string;
  expiresAt: number;
}

type Payloads = { profile: ProfileToken; email: EmailToken; preview: PreviewToken };
type Secrets = Pick<Env, "ATTUNE_SECRET" | "ATTUNE_SECRET_PREVIOUS">;

/** How long a profile token proves anything. */
export const PROFILE_TOKEN_MS = 24 * 60 * 60 * 1000;
/** For how long it stands in for a reading: other devices and servers may have changed the profile since. */
export const PROFILE_TOKEN_FRESH_MS = 5 * 60 * 1000;
/** An e-mail may be opened for this long. */
export const EMAIL_TOKEN_MS = 400 * 24 * 60 * 60 * 1000;

/** Keys by secret and purpose; importing one costs more than using it. */
const keys = new Map<string, Promise<CryptoKey>>();

/** Tokens that were found genuine here: a visitor sends the same one again and again. What they say is never changed. */
const verified = new Map<
  string,
  { purpose: keyof Payloads; secret: string; payload: Readonly<Payloads[keyof Payloads]> }
>();
const VERIFIED = 1_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const BASE64URL = { alphabet: "base64url", omitPadding: true } as const;

/** @throws Error where the Worker has no usable ATTUNE_SECRET: a fault of the deployment */
export async function signToken<P extends keyof Payloads>(
  env: Secrets,
  purpose: P,
  payload: Payloads[P],
): Promise<string> {
  const body = encoder.encode(JSON.stringify(payload)).toBase64(BASE64URL);
  const signature = await crypto.subtle.sign("HMAC", await keyOf(env.ATTUNE_SECRET, purpose), encoder.encode(body));
  return `${body}.${new Uint8Array(signature).toBase64(BASE64URL)}`;
}

/** What a token says, or null for one that is malformed, forged, for another purpose or signed by a secret long gone. */
export async function verifyToken<P extends keyof Payloads>(
  env: Secrets,
  purpose: P,
  token: string,
): Promise<Payloads[P] | null> {
  const known = verified.get(token);
  if (known?.purpose === purpose && [env.ATTUNE_SECRET, env.ATTUNE_SECRET_PREVIOUS].includes(known.secret))
    return known.payload as Payloads[P];
  const dot = token.indexOf(".");
  const body = token.slice(0, dot);
  const signature = decode(token.slice(dot + 1));
  if (dot < 1 || !signature) return null;
  const data = encoder.encode(body);
  for (const secret of [env.ATTUNE_SECRET, env.ATTUNE_SECRET_PREVIOUS]) {
    if (!secret || !(await crypto.subtle.verify("HMAC", await keyOf(secret, purpose), signature, data))) continue;
    const json = decode(body);
    if (!json) return null;
    const payload = JSON.parse(decoder.decode(json)) as Payloads[P];
    if (verified.size >= VERIFIED) verified.delete(verified.keys().next().value!);
    verified.set(token, { purpose, secret, payload });
    return payload;
  }
  return null;
}

/** A name for a text that tells nobody what it is: whoever lacks the secret cannot try likely ones. */
export async function sealName(env: Secrets, text: string): Promise<string> {
  const signature = await crypto.subtle.sign("HMAC", await keyOf(env.ATTUNE_SECRET, "name"), encoder.encode(text));
  return new Uint8Array(signature).toBase64(BASE64URL);
}

function keyOf(secret: string | undefined, purpose: keyof Payloads | "name"): Promise<CryptoKey> {
  if (!secret || secret.length < 32) throw new Error("ATTUNE_SECRET is missing or shorter than 32 characters");
  const name = `${purpose}:${secret}`;
  let key = keys.get(name);
  if (!key) {
    const material = encoder.encode(name);
    key = crypto.subtle.importKey("raw", material, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
    keys.set(name, key);
  }
  return key;
}

function decode(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
    // Blanks, padding and bits to spare would make many tokens of one.
    return bytes.toBase64(BASE64URL) === text ? bytes : null;
  } catch {
    return null;
  }
}
