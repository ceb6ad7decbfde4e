/**
 * What the visitor has allowed, and telling the Worker of it. The choice is the one thing kept without consent, for it
 * says no, too; with it, until the Worker has answered, whom it is about.
 */
import type { Consent, ConsentMode, Purpose } from "../../shared/consent.ts";
import type { PublicManifest } from "../../shared/manifest.ts";
import { emit, report } from "./emitter.ts";
import { fetchManifest } from "./manifest.ts";
import { isMode } from "./options.ts";
import { purgeStore, type State } from "./store.ts";
import type { Visit } from "./visit.ts";

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

type Work = (visit: Visit) => void;

/** As many calls wait for consent, later ones are dropped. */
const HELD_CALLS = 500;

/**
 * There is a visit while the visitor allows one: it begins, and ends at once, with what is chosen, here or in another tab.
 * Calls that are made before it is known what is allowed wait in memory, and are lost with the page: nothing may be kept of
 * somebody who has not allowed it.
 * @param preset what the site says of visitors who have not chosen; undefined: its manifest will.
 * @param start begins a visit under a mode, going on with the state of the one before.
 * @returns `visit`: the present one. `run`: now, or as soon as it is known who the visitor is. `mode`: undefined while nobody has said anything. `purposes` that are granted now. `choose`: takes a mode, or
 * purposes; one that is left out stays as it is, under `memory` it is not granted. `mark`: whom the Worker may know from
 * now on. `settle`: to be called once,
 * when what was chosen by then has been told.
 */
export function createConsent(
  name: string,
  endpoint: string,
  writeKey: string,
  preset: ConsentMode | undefined,
  start: (
    mode: ConsentMode,
    manifest: Promise<PublicManifest | undefined>,
    carried: Partial<State>,
    begin: (visit: Visit) => void,
    signal: AbortSignal,
  ) => Promise<void>,
): [
  visit: () => Visit | undefined,
  run: (work: Work) => void,
  mode: () => ConsentMode | undefined,
  purposes: () => Consent,
  choose: (said: unknown) => void,
  mark: (who: Who) => void,
  settle: () => void,
] {
  let choice: Choice = {};
  /** Of a session: each tab has its own. */
  let own: Who | undefined;
  /** All that is allowed, as text. */
  let terms: string | undefined;
  let active: ConsentMode | undefined;
  let visit: Visit | undefined;
  let held: Work[] = [];
  let scope = new AbortController();

  const read = () => {
    try {
      choice = Object(JSON.parse(localStorage[name]));
    } catch {
      // Storage is closed to us, or nothing chosen: the choice of this page holds.
    }
  };
  const keep = (next: Choice) => {
    try {
      choice = next;
      localStorage[name] = JSON.stringify(choice);
    } catch {
      // As above.
    }
  };
  const mode = () => choice.mode ?? preset;
  const purposes = () => ({
    necessary: true,
    ...(choice.purposes ?? (mode() && all(mode() !== "off"))),
    // https://w3c.github.io/gpc/: do not sell or share.
    ...((navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl && { marketing: false }),
  });
  /** What the Worker may do: of a page that keeps all to itself, nothing. */
  const shared = () => (mode() === "memory" ? all(false) : purposes());

  const drain = () => {
    while (visit && held[0]) {
      try {
        held.shift()!(visit);
      } catch (error) {
        report(error);
      }
    }
  };

  const settle = async () => {
    read();
    if ((document as { prerendering?: boolean }).prerendering) return;
    try {
      const manifest = mode() ? undefined : fetchManifest(endpoint, writeKey);
      if (manifest) preset ??= (await manifest)?.consentDefault;
      const now = mode();
      const before = terms;
      terms = JSON.stringify([now, purposes()]);
      if (now && terms !== before) {
        if (now === active) visit?.decide();
        else {
          const carried = { ...visit?.state };
          active = now;
          visit = undefined;
          scope.abort();
          scope = new AbortController();
          purgeStore(name, now);
          if (now === "off") held = [];
          else
            start(
              now,
              manifest ?? fetchManifest(endpoint, writeKey),
              carried,
              (begun) => {
                visit = begun;
                drain();
              },
              scope.signal,
            ).catch(report);
        }
        emit("consent", { mode: now, purposes: purposes() });
      }
      const { who, at, ...told } = choice;
      if (!at) return;
      const body = JSON.stringify({ writeKey, ...who, mode: now, purposes: shared(), at, sentAt: new Date() });
      // Only the Worker's own words count, not a captive portal's page.
      const { success } = await (await fetch(`${endpoint}/consent`, { method: "POST", body, keepalive: true })).json();
      if (!success || choice.at !== at) return;
      keep(told);
      visit?.decide();
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
    () => visit,
    (work) => {
      if (active !== "off" && held.length < HELD_CALLS) held.push(work);
      drain();
    },
    mode,
    purposes,
    (said) => {
      try {
        if (Object(said) !== said && !isMode(said)) throw `No consent mode: ${said}`;
        read();
        const { analytics, personalization, marketing } = { ...shared(), ...(said as Consent) };
        const purposes = {
          analytics: analytics === true,
          personalization: personalization === true,
          marketing: marketing === true,
        };
        const kept = mode() === "session" ? "session" : "full";
        const next: Choice = isMode(said)
          ? { mode: said }
          : // Nothing but what is necessary.
            { mode: grantedOf(purposes)[0] ? kept : "off", purposes };
        const { who = own, at, ...before } = choice;
        // Consent managers say the same on each page.
        if (JSON.stringify(next) === JSON.stringify(before)) return;
        keep({ ...next, who, at: who && new Date().toISOString() });
        // Whoever comes after a withdrawal is somebody else.
        own = undefined;
        settle();
      } catch (error) {
        report(error);
      }
    },
    ({ anonymousId, userId }) => {
      own = { anonymousId, userId };
      if (mode() === "full") keep({ ...choice, who: own });
    },
    settle,
  ];
}

export const grantedOf = (consent: Consent): Purpose[] =>
  (Object.keys(consent) as Purpose[]).filter((purpose) => consent[purpose]);
