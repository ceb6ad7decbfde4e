/** Purposes a person grants or withdraws, and how a set of them travels on a message. */
import type { JsonObject } from "./event.ts";

export const PURPOSES = ["necessary", "analytics", "personalization", "marketing"] as const;
export type Purpose = (typeof PURPOSES)[number];

/** What a person said, per purpose; a purpose that is missing was never asked about. */
export type Consent = Partial<Record<Purpose, boolean>>;

/** `off`: nothing leaves or stays. `memory`: this page only. `session`: this tab. `full`: kept on the device. */
export const CONSENT_MODES = ["off", "memory", "session", "full"] as const;
export type ConsentMode = (typeof CONSENT_MODES)[number];

/**
 * Reads the consent that a message carries in `context.consent.categoryPreferences`, as Segment's consent
 * management writes it. Anything malformed is left out.
 */
export function readConsent(context: JsonObject | undefined): Consent {
  const consent: Consent = {};
  const preferences = ownObject(ownObject(context, "consent"), "categoryPreferences");
  if (!preferences) return consent;
  for (const purpose of PURPOSES) {
    if (!Object.hasOwn(preferences, purpose)) continue;
    const value = preferences[purpose];
    if (typeof value === "boolean") consent[purpose] = value;
  }
  return consent;
}

function ownObject(value: JsonObject | undefined, key: string): JsonObject | undefined {
  if (!value || !Object.hasOwn(value, key)) return undefined;
  const child = value[key];
  return typeof child === "object" && child !== null && !Array.isArray(child) ? (child as JsonObject) : undefined;
}
