/** Identifiers: how a kind and a value become one name, and what a site may say of kinds. */

/** "kind:value", normalized. A kind has no colon. */
export type Identifier = string;

/** One of `IDENTIFIER_KINDS`, or one that the site adds: `isKind`. */
export type IdentifierKind = string;

/** Kinds that Attune knows, in priority order: the strongest names a person, the weakest a device. */
export const IDENTIFIER_KINDS = ["userId", "email", "phone", "anonymousId"] as const;

/** Within which time a limit counts. */
export const WINDOWS = ["ever", "hour", "day", "week", "month", "year"] as const;
export type Window = (typeof WINDOWS)[number];

/** How many identifiers of a kind one profile may hold, or, with a window, may gain within it. */
export interface KindRule {
  kind: IdentifierKind;
  limit: number;
  /** Rolling: a month has 30 days, a year 365. */
  window: Window;
}

/** Values that never identify anybody. */
export interface BlockedValue {
  /** Absent: of every kind. */
  kind?: IdentifierKind | undefined;
  /** The value, in any case; `*` stands for any characters. */
  pattern: string;
}

/** Who says something. */
export const SOURCES = ["server", "import", "browser"] as const;
export type Source = (typeof SOURCES)[number];

/** Who is who: how a site has it. */
export interface IdentityRules {
  /** In priority order; userId is the first, its limit 1. Identifiers of other kinds are ignored. */
  kinds: KindRule[];
  blocked: BlockedValue[];
  /** The strongest first: whose word counts where two say something of the same time. */
  sources: Source[];
  /** ISO 3166 code of the country in which phone numbers without `+` are dialled; null: such numbers identify nobody. */
  phoneRegion: string | null;
}

/** What a site says of it; the rest is as on a new site. */
export type IdentitySettings = { [K in keyof IdentityRules]?: IdentityRules[K] | undefined };

const KINDS: KindRule[] = [
  { kind: "userId", limit: 1, window: "ever" },
  { kind: "email", limit: 5, window: "ever" },
  { kind: "phone", limit: 5, window: "ever" },
  { kind: "anonymousId", limit: 50, window: "ever" },
];
/** What people write where they have nothing. */
const BLOCKED: BlockedValue[] = ["anonymous", "guest", "n/a", "none", "unknown", "test@*"].map((pattern) => ({
  pattern,
}));

/** Adds what a site leaves out. */
export function completeRules(settings: IdentitySettings = {}): IdentityRules {
  const { kinds = KINDS, blocked = BLOCKED, sources = [...SOURCES], phoneRegion = null } = settings;
  return { kinds, blocked, sources, phoneRegion };
}

const KIND = /^[a-zA-Z][a-zA-Z0-9_.-]{0,63}$/;

export function isKind(text: string): boolean {
  return KIND.test(text);
}

/** What programs write where they have nothing: zeroes and dashes, and the names of nothing. */
const NOTHING = /^(?:[0-]*|-1|null|undefined|nan|\[object object\])$/i;

/** True for a value that is nobody's on any site. */
export function isNothing(value: string): boolean {
  return NOTHING.test(value);
}

/** Control characters and halves of surrogate pairs: no store gives them back as they were. */
const UNSTORABLE = /[\p{Cc}\p{Cs}]/u;

/** True for a text that every store gives back as it was. */
export function isStorable(text: string): boolean {
  return !UNSTORABLE.test(text);
}

/** Splits "kind:value". */
export function splitIdentifier(identifier: Identifier): { kind: IdentifierKind; value: string } {
  const colon = identifier.indexOf(":");
  return { kind: identifier.slice(0, colon), value: identifier.slice(colon + 1) };
}
