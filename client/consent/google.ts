/**
 * Google Consent Mode v2, as a consent manager writes it for gtag.js: what visitors allow there, they allow here.
 * https://developers.google.com/tag-platform/security/guides/consent
 */
import type { Consent } from "../../shared/consent.ts";
import { hearLayer } from "../adapters/layer.ts";
import { pageAttune, type Target } from "../adapters/target.ts";

/** Signal → granted. */
export type Signals = { [signal: string]: boolean };

const MARKETING = ["ad_storage", "ad_user_data", "ad_personalization"];

/** `personalization`: the signals that stand for it; the first that was said counts. A signal that was not said is no yes. */
export function toPurposes(
  signals: Signals,
  personalization: readonly string[] = ["personalization_storage", "functionality_storage"],
): Consent {
  const signal = personalization.find((name) => Object.hasOwn(signals, name));
  return {
    analytics: signals["analytics_storage"] === true,
    personalization: signal !== undefined && signals[signal] === true,
    marketing: MARKETING.every((name) => signals[name] === true),
  };
}

/**
 * Takes each `gtag("consent", "update", …)`, those of before included. A `default` is nobody's choice: alone it changes
 * nothing, Attune's own default holds and there is nothing to wait for (`wait_for_update`); it counts for the signals that
 * an update leaves out. Which `region` a visitor is in is not known here: what is denied to any region is denied, what is
 * granted to some is not granted by that.
 * @param options `layer`: name of the layer. `personalization`: the signals that stand for it.
 */
export function connectConsentMode(
  attune: Target = pageAttune,
  { layer = "dataLayer", personalization }: { layer?: string; personalization?: readonly string[] } = {},
): void {
  const page = globalThis as unknown as { [name: string]: unknown[] };
  page[layer] ??= [];
  const entries = page[layer];
  const defaults: Signals = {};
  const updates: Signals = {};
  let waiting = false;

  const read = (entry: unknown) => {
    if (Object.prototype.toString.call(entry) !== "[object Arguments]") return;
    const [command, name, said] = entry as [unknown, unknown, { [signal: string]: unknown } | undefined];
    if (command !== "consent" || !said) return;
    for (const [signal, value] of Object.entries(said)) {
      if (value !== "granted" && value !== "denied") continue;
      const granted = value === "granted";
      if (name === "update") updates[signal] = granted;
      else if (name === "default" && !(granted && said["region"]))
        defaults[signal] = granted && (defaults[signal] ?? true);
    }
    if (name !== "update" || waiting) return;
    waiting = true;
    // Some managers say signal by signal: half of it would withdraw what the other half grants.
    queueMicrotask(() => {
      waiting = false;
      attune.push(["consent", toPurposes({ ...defaults, ...updates }, personalization)]);
    });
  };
  hearLayer(entries, read);
}
