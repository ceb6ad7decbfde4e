/** Makes keys and ids. */
import type { Key, KeyKind } from "../db/keys.ts";
import { hashKey } from "../manifest/read.ts";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SECRET_LENGTH = 32;
const WRITE_LENGTH = 20;

/** A key as it is shown once, its hash, and what is stored with the hash. */
export async function buildKey(
  kind: KeyKind,
  now: number,
  given?: string,
): Promise<{ secret: string; hash: string; row: Pick<Key, "id" | "kind" | "hint" | "createdAt"> }> {
  const secret = given ?? (kind === "write" ? `pk_${randomText(WRITE_LENGTH)}` : `sk_${randomText(SECRET_LENGTH)}`);
  const hint = kind === "write" ? secret : secret.slice(-4);
  return { secret, hash: await hashKey(secret), row: { id: newId("key", now), kind, hint, createdAt: now } };
}

/** Ids sort by the time they were made. */
export function newId(kind: string, now: number): string {
  return `${kind}_${now.toString(36).padStart(9, "0")}${randomText(8).toLowerCase()}`;
}

function randomText(length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      // 248 = 4 × 62: what lies above would make some characters likelier than others.
      if (byte < 248 && text.length < length) text += ALPHABET[byte % 62];
    }
  }
  return text;
}
