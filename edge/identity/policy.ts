/** A site's identity settings, made ready: which kinds there are, what they may hold, and what a given value is called. */
import {
  type BlockedValue,
  completeRules,
  type Identifier,
  type IdentifierKind,
  type IdentitySettings,
  isNothing,
  isStorable,
  type KindRule,
  type Source,
  type Window,
} from "../../shared/identifier.ts";
import { IDENTIFIER_LENGTH } from "../../shared/limits.ts";
import { normalizeEmail, normalizePhone } from "./normalize.ts";

export interface KindPolicy extends KindRule {
  /** How long a window is; infinite for `ever`. */
  windowMs: number;
}

/** Why a value is no identifier. */
export type IdentifierRefusal = "kind" | "empty" | "too-long" | "blocked" | "malformed";

export type CheckedIdentifier = { identifier: Identifier } | { refused: IdentifierRefusal };

export interface IdentityPolicy {
  /** By name, in priority order. */
  kinds: ReadonlyMap<IdentifierKind, KindPolicy>;
  /** True where any limit counts within a time: then it must be known when identifiers were linked. */
  hasWindows: boolean;
  /** The strongest first. */
  sources: readonly Source[];
  /** The identifier that a value of a kind is, normalized, or why it is none. Takes whatever a sender gives. */
  check(kind: IdentifierKind, value: unknown): CheckedIdentifier;
  /** The same for who only asks for somebody. */
  identifierOf(kind: IdentifierKind, value: unknown): Identifier | null;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WINDOW_MS: { readonly [window in Window]: number } = {
  ever: Number.POSITIVE_INFINITY,
  hour: HOUR_MS,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 30 * DAY_MS,
  year: 365 * DAY_MS,
};

export function buildPolicy(settings?: IdentitySettings): IdentityPolicy {
  const { kinds: rules, blocked, sources, phoneRegion } = completeRules(settings);
  const kinds = new Map(
    rules.map((rule): [IdentifierKind, KindPolicy] => [rule.kind, { ...rule, windowMs: WINDOW_MS[rule.window] }]),
  );
  const isBlocked = buildBlockList(blocked);

  const normalize = (kind: IdentifierKind, text: string): string | null => {
    if (kind === "email") return normalizeEmail(text);
    if (kind === "phone") return normalizePhone(text, phoneRegion);
    return text.trim();
  };

  const check = (kind: IdentifierKind, value: unknown): CheckedIdentifier => {
    if (!kinds.has(kind)) return { refused: "kind" };
    if (value === undefined || value === null) return { refused: "empty" };
    if (typeof value !== "string" && typeof value !== "number") return { refused: "malformed" };
    const given = String(value);
    const text = given.trim();
    if (!text) return { refused: "empty" };
    if (text.length > IDENTIFIER_LENGTH) return { refused: "too-long" };
    if (isNothing(text) || isBlocked(kind, text)) return { refused: "blocked" };
    const normal = normalize(kind, given);
    if (normal === null || !isStorable(normal)) return { refused: "malformed" };
    if (normal !== text && isBlocked(kind, normal)) return { refused: "blocked" };
    return { identifier: `${kind}:${normal}` };
  };

  return {
    kinds,
    hasWindows: rules.some(({ window }) => window !== "ever"),
    sources,
    check,
    identifierOf(kind, value) {
      const checked = check(kind, value);
      return "identifier" in checked ? checked.identifier : null;
    },
  };
}

/** For whoever named one that is none. */
export function phraseKinds({ kinds }: IdentityPolicy): string {
  return [...kinds.keys()].join(", ");
}

/** For whoever named somebody by what is no identifier. */
export function phraseRefusal(identity: IdentityPolicy, kind: IdentifierKind, refused: IdentifierRefusal): string {
  if (refused === "kind") return `The site has no such kind of identifier: ${phraseKinds(identity)}.`;
  return `This ${kind} identifies nobody: it is ${refused}.`;
}

/** Tells blocked values: whole ones by a look-up, those with `*` one after the other. */
function buildBlockList(blocked: readonly BlockedValue[]): (kind: IdentifierKind, value: string) => boolean {
  const whole = new Set<string>();
  const wild: { kind: IdentifierKind | undefined; parts: string[] }[] = [];
  for (const { kind, pattern } of blocked) {
    const parts = pattern.toLowerCase().split("*");
    // A kind has no blank.
    if (parts.length === 1) whole.add(`${kind ?? ""} ${parts[0]}`);
    else wild.push({ kind, parts });
  }
  return (kind, value) => {
    const text = value.toLowerCase();
    if (whole.has(` ${text}`) || whole.has(`${kind} ${text}`)) return true;
    return wild.some((it) => (it.kind === undefined || it.kind === kind) && matchesParts(it.parts, text));
  };
}

/** What stands between the stars, each where it is found first: nothing is ever tried again. */
function matchesParts(parts: readonly string[], text: string): boolean {
  const first = parts[0]!;
  const last = parts.at(-1)!;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
