/** Whom a message names: its own fields, traits that are addresses, and Segment's `context.externalIds`. */
import type { EventType, JsonObject } from "../../shared/event.ts";
import { type Identifier, type IdentifierKind, splitIdentifier } from "../../shared/identifier.ts";
import { EXTERNAL_IDS } from "../../shared/limits.ts";
import type { RefusedIdentifier } from "../identity/decision.ts";
import type { IdentityPolicy } from "../identity/policy.ts";

export interface Naming {
  type: EventType;
  userId?: unknown;
  anonymousId?: unknown;
  previousId?: unknown;
  traits?: unknown;
  context?: JsonObject | undefined;
}

export interface Names {
  /** userId, else anonymousId; null for a message of nobody. */
  owner: Identifier | null;
  /** All of them, the strongest kind first. */
  identifiers: Identifier[];
  /** `alias`: what `previousId` may be. */
  previous: Identifier[];
  /** Of kinds that the site has; nothing is said of values that are empty. */
  refused: RefusedIdentifier[];
}

/** What Segment calls Attune's own kinds. */
const SEGMENT_KINDS: ReadonlyMap<string, IdentifierKind> = new Map([
  ["user_id", "userId"],
  ["anonymous_id", "anonymousId"],
]);

export function readNames(message: Naming, policy: IdentityPolicy): Names {
  const found = new Set<Identifier>();
  const refused: RefusedIdentifier[] = [];
  const add = (kind: IdentifierKind, value: unknown) => {
    const checked = policy.check(kind, value);
    if ("identifier" in checked) found.add(checked.identifier);
    else if (checked.refused !== "kind" && checked.refused !== "empty") refused.push({ kind, reason: checked.refused });
  };
  add("userId", message.userId);
  add("anonymousId", message.anonymousId);
  if (message.type === "identify") {
    add("email", own(message.traits, "email"));
    add("phone", own(message.traits, "phone"));
  }
  for (const { kind, id } of externalIds(message.context)) add(kind, id);

  const identifiers = found.size > 1 ? inOrder(found, policy) : [...found];
  return {
    owner:
      identifiers.find((it) => it.startsWith("userId:")) ??
      identifiers.find((it) => it.startsWith("anonymousId:")) ??
      null,
    identifiers,
    previous: message.type === "alias" ? previousOf(message.previousId, policy) : [],
    refused,
  };
}

/** The strongest kind first. */
function inOrder(found: ReadonlySet<Identifier>, policy: IdentityPolicy): Identifier[] {
  const byKind = Map.groupBy(found, (identifier) => splitIdentifier(identifier).kind);
  return [...policy.kinds.keys()].flatMap((kind) => byKind.get(kind) ?? []);
}

/** An alias does not say of which kind it is. */
function previousOf(value: unknown, policy: IdentityPolicy): Identifier[] {
  return ["userId", "anonymousId"].flatMap((kind) => policy.identifierOf(kind, value) ?? []);
}

/** Those of people, in plain text: an account is shared, and what is encoded is not the identifier. */
function externalIds(context: JsonObject | undefined): { kind: IdentifierKind; id: unknown }[] {
  const list = own(context, "externalIds");
  if (!Array.isArray(list)) return [];
  return list.slice(0, EXTERNAL_IDS).flatMap((item: unknown) => {
    const type = own(item, "type");
    const isPlain = (own(item, "encoding") ?? "none") === "none";
    const isOfPerson = (own(item, "collection") ?? "users") === "users";
    if (typeof type !== "string" || !isPlain || !isOfPerson) return [];
    return [{ kind: SEGMENT_KINDS.get(type) ?? type, id: own(item, "id") }];
  });
}

function own(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as JsonObject)[key]
    : undefined;
}
