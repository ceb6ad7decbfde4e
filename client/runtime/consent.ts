/** What the visitor has allowed. The choice itself is the one thing kept without consent: it says no, too. */
import type { Consent, ConsentMode, Purpose } from "../../shared/consent.ts";
import { isMode } from "./options.ts";

interface Choice {
  mode: ConsentMode;
  /** Left out: all of them, or with `off` none. */
  purposes?: Consent;
}

/**
 * @param preset what the tag says of visitors who have not chosen.
 * @returns `mode`: undefined while nobody has said anything, the site's setting holds then. `choose`: takes a mode, or
 * purposes; one that is left out stays as it was said before, or is not granted. `recall`: another tab may have chosen.
 */
export function createConsent(
  name: string,
  preset: ConsentMode | undefined,
): [mode: () => ConsentMode | undefined, purposes: () => Consent, choose: (said: unknown) => void, recall: () => void] {
  let choice: Choice | undefined;

  const recall = () => {
    try {
      choice = JSON.parse(localStorage[name]);
    } catch {
      // Nothing chosen, or storage is closed to us: the choice of this page holds.
    }
  };
  const mode = () => choice?.mode ?? preset;
  const purposes = () => {
    const all = mode() !== "off";
    const said = choice?.purposes ?? { analytics: all, personalization: all, marketing: all };
    // https://w3c.github.io/gpc/: do not sell or share.
    const refused = (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl && { marketing: false };
    return { necessary: true, ...said, ...refused };
  };
  const choose = (said: unknown) => {
    try {
      if (isMode(said)) choice = { mode: said };
      else if (typeof said === "object") {
        const { analytics, personalization, marketing } = { ...choice?.purposes, ...(said as Consent) };
        choice = {
          mode: mode() === "session" ? "session" : "full",
          purposes: { analytics, personalization, marketing } as Consent,
        };
        // Nothing but what is necessary.
        if (grantedOf(purposes()).length < 2) choice.mode = "off";
      }
      localStorage[name] = JSON.stringify(choice);
    } catch {
      // As above.
    }
  };

  recall();
  return [mode, purposes, choose, recall];
}

export const grantedOf = (consent: Consent): Purpose[] =>
  (Object.keys(consent) as Purpose[]).filter((purpose) => consent[purpose]);
