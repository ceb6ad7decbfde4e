/**
 * IAB Transparency and Consent Framework 2.2: what visitors allow in a consent manager, they allow here. Only consent
 * counts; legitimate interest is nobody's yes.
 * https://github.com/InteractiveAdvertisingBureau/GDPR-Transparency-and-Consent-Framework (CMP API v2)
 */
import type { Consent } from "../../shared/consent.ts";
import { pageAttune, type Target } from "../adapters/target.ts";

/** As much of the API's `TCData` as is read. */
export interface TcData {
  eventStatus?: "tcloaded" | "cmpuishown" | "useractioncomplete";
  /** False: the rules do not hold for this visitor, and nobody is asked. */
  gdprApplies?: boolean;
  purpose?: { consents?: { [purpose: number]: boolean } };
}

type Api = (command: string, version: number, callback: (data: TcData | null, success: boolean) => void) => void;

/** Purpose of ours → those of the framework that it needs, each of them. */
const NEEDS: { [purpose in keyof Consent]: number[] } = {
  // Measure content; understand audiences; improve services.
  analytics: [8, 9, 10],
  // Profiles for content; select content by them.
  personalization: [5, 6],
  // Profiles for advertising; select advertising by them; measure advertising.
  marketing: [3, 4, 7],
};

/** Purpose 1, to store and read on the device, is needed for all of them. */
export function toPurposes({ purpose }: TcData): Consent {
  const isGranted = (ids: number[] = []) => [1, ...ids].every((id) => purpose?.consents?.[id] === true);
  return {
    analytics: isGranted(NEEDS.analytics),
    personalization: isGranted(NEEDS.personalization),
    marketing: isGranted(NEEDS.marketing),
  };
}

const LOOK_MS = 100;
const LOOKS = 100;

/**
 * Takes what is said when the manager has loaded and each time the visitor changes it; what it shows while it asks is no
 * answer. Where GDPR does not apply nothing is said, Attune's own default holds. A manager whose stub is not in the page
 * yet is waited for, ten seconds.
 */
export function connectTcf(attune: Target = pageAttune, looks = LOOKS): void {
  const { __tcfapi: api } = globalThis as { __tcfapi?: Api };
  if (typeof api !== "function") {
    if (looks) setTimeout(connectTcf, LOOK_MS, attune, looks - 1);
    return;
  }
  api("addEventListener", 2, (data, success) => {
    if (!success || !data || data.gdprApplies === false) return;
    if (data.eventStatus !== "tcloaded" && data.eventStatus !== "useractioncomplete") return;
    attune.push(["consent", toPurposes(data)]);
  });
}
