/** Identifiers: how a kind and a value become one normalized name, and which values never identify anybody. */
import { IDENTIFIER_LENGTH } from "./limits.ts";

/** "kind:value", normalized. A kind has no colon. */
export type Identifier = string;

/** Kinds in priority order: the strongest names a person, the weakest a device. */
export const IDENTIFIER_KINDS = ["userId", "email", "phone", "anonymousId"] as const;
export type IdentifierKind = (typeof IDENTIFIER_KINDS)[number];

/** How many identifiers of a kind one profile may hold. Two userIds never share a profile. */
export const KIND_LIMITS: Record<IdentifierKind, number> = { userId: 1, email: 5, phone: 5, anonymousId: 50 };

/** Placeholders that many senders write where they know nobody. */
const BLOCKED = /^(?:[0-]*|-1|null|undefined|none|anonymous|nan|unknown|guest|n\/a|\[object object\]|test@.*)$/i;

/** Control characters and halves of surrogate pairs: no store gives them back as they were. */
const UNSTORABLE = /[\p{Cc}\p{Cs}]/u;

/** True for a text that every store gives back as it was. */
export function isStorable(text: string): boolean {
  return !UNSTORABLE.test(text);
}

/**
 * Normalizes: e-mail addresses trimmed and lower-cased, phones in E.164, the rest trimmed.
 *
 * @returns null for a value that identifies nobody: empty, too long, malformed or on the block list.
 */
export function identifierOf(kind: IdentifierKind, value: unknown): Identifier | null {
  if (typeof value !== "string" && typeof value !== "number") return null;
  let text = String(value).trim();
  if (text.length > IDENTIFIER_LENGTH || BLOCKED.test(text) || !isStorable(text)) return null;
  if (kind === "email") {
    text = text.toLowerCase();
    if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text)) return null;
  }
  if (kind === "phone") {
    text = text.replace(/[\s().-]/g, "");
    if (!/^\+[1-9]\d{6,14}$/.test(text)) return null;
  }
  return `${kind}:${text}`;
}

/** Splits "kind:value". */
export function splitIdentifier(identifier: Identifier): { kind: IdentifierKind; value: string } {
  const colon = identifier.indexOf(":");
  return { kind: identifier.slice(0, colon) as IdentifierKind, value: identifier.slice(colon + 1) };
}
