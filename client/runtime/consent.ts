/**
 * What the visitor has allowed, and telling the Worker of it. The choice is the one thing kept without consent, for it
 * says no, too; with it, until the Worker has answered, whom it is about.
 */
import type { Consent, ConsentMode, Purpose } from "../../shared/consent.ts";
import type { PublicManifest } from "../../shared/manifest.ts";
import { emit, report } from "./emitter.ts";
import { isMode } from "./options.ts";

interface Who {
  anonymousId: string;
  userId: string | undefined;
}

interface Choice {
  /** Left out: nobody has chosen. */
  mode?: ConsentMode;
  /** Left out: all of them, or with `off` none. */
  purposes?: Consent | undefined;
  /** Whom the Worker knows this device as. */
  who?: Who | undefined;
  /** When it was made, where the Worker has not answered yet. */
  at?: string | undefined;
}

const all = (granted: boolean): Consent => ({ analytics: granted, personalization: granted, marketing: granted });

/**
 * @param preset what the site says of visitors who have not chosen; undefined: its manifest will.
 * @param dnt whether Do Not Track counts as a choice against everything.
 * @param change takes what is allowed from now on, and hears it again when the Worker knows.
 * @returns `mode`: undefined while nobody has said anything. `purposes` that are granted now. `choose`: takes a mode, or purposes; one that is left out stays as it is,
 * under `memory` it is not granted. `mark`: whom the Worker may know from now on. `settle`: to be called once.
 */
export function createConsent(
  name: string,
  endpoint: string,
  writeKey: string,
  preset: ConsentMode | undefined,
  dnt: unknown,
  fetchManifest: () => Promise<PublicManifest | undefined>,
  change: (mode: ConsentMode, manifest?: Promise<PublicManifest | undefined>) => void,
): [
  mode: () => ConsentMode | undefined,
  purposes: () => Consent,
  choose: (said: unknown) => void,
  mark: (who: Who) => void,
  settle: () => void,
] {
  const { doNotTrack, globalPrivacyControl } = navigator as { doNotTrack?: string; globalPrivacyControl?: boolean };
  let choice: Choice = (dnt ?? false) !== false && doNotTrack === "1" ? { mode: "off" } : {};
  /** Of a session: each tab has its own. */
  let own: Who | undefined;
  /** All that is allowed, as text. */
  let terms: string | undefined;

  const keep = (changes: Choice) => {
    try {
      choice = { ...choice, ...changes };
      localStorage[name] = JSON.stringify(choice);
    } catch {
      // Storage is closed to us: the choice of this page holds.
    }
  };
  const mode = () => choice.mode ?? preset;
  const purposes = () => ({
    necessary: true,
    ...(choice.purposes ?? (mode() && all(mode() !== "off"))),
    // https://w3c.github.io/gpc/: do not sell or share.
    ...(globalPrivacyControl && { marketing: false }),
  });
  /** What the Worker may do: of a page that keeps all to itself, nothing. */
  const shared = () => (mode() === "memory" ? all(false) : purposes());

  const settle = async () => {
    try {
      choice = Object(JSON.parse(localStorage[name]));
    } catch {
      // As above, or nothing chosen.
    }
    if ((document as { prerendering?: boolean }).prerendering) return;
    const manifest = mode() ? undefined : fetchManifest();
    if (manifest) preset ??= (await manifest)?.consentDefault;
    const now = mode();
    const before = terms;
    terms = JSON.stringify([now, purposes()]);
    if (now && terms !== before) {
      change(now, manifest);
      emit("consent", { mode: now, purposes: purposes() });
    }
    const { who, at } = choice;
    if (!at) return;
    const body = JSON.stringify({ writeKey, ...who, mode: mode(), purposes: shared(), at, sentAt: new Date() });
    try {
      // Only the Worker's own words count, not a captive portal's page.
      const { success } = await (await fetch(`${endpoint}/consent`, { method: "POST", body, keepalive: true })).json();
      if (!success || choice.at !== at) return;
      keep({ at: undefined, who: undefined });
      change(mode()!);
    } catch (error) {
      report(error);
    }
  };

  addEventListener("storage", ({ key }) => key === name && settle());
  // Another tab may have chosen while this page slept.
  addEventListener("pageshow", ({ persisted }) => persisted && settle());
  addEventListener("online", settle);
  document.addEventListener("prerenderingchange", settle);

  return [
    mode,
    purposes,
    (said) => {
      const next: Choice = { mode: mode() === "session" ? "session" : "full" };
      try {
        if (isMode(said)) next.mode = said;
        else {
          const { analytics, personalization, marketing } = { ...shared(), ...(said as Consent) };
          next.purposes = {
            analytics: analytics === true,
            personalization: personalization === true,
            marketing: marketing === true,
          };
          // Nothing but what is necessary.
          if (!grantedOf(next.purposes)[0]) next.mode = "off";
        }
        const { who = own, at, ...before } = choice;
        // Consent managers say the same on each page.
        if (JSON.stringify(next) === JSON.stringify(before)) return;
        choice = next;
        keep({ who, at: who && new Date().toISOString() });
        // Whoever comes after a withdrawal is somebody else.
        own = undefined;
        settle();
      } catch (error) {
        report(error);
      }
    },
    ({ anonymousId, userId }) => {
      own = { anonymousId, userId };
      if (mode() === "full") keep({ who: own });
    },
    settle,
  ];
}

export const grantedOf = (consent: Consent): Purpose[] =>
  (Object.keys(consent) as Purpose[]).filter((purpose) => consent[purpose]);
