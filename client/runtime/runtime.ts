/** Which visit there is, if any: begins one when consent allows it, ends it at once when it does not any more. */
import type { ConsentMode } from "../../shared/consent.ts";
import type { PublicManifest } from "../../shared/manifest.ts";
import { report } from "./emitter.ts";
import { purgeStore, type State } from "./store.ts";
import type { Visit } from "./visit.ts";

type Work = (visit: Visit) => void;

/** As many calls wait for consent, later ones are dropped. */
const HELD_CALLS = 500;

/**
 * Calls that are made before it is known what is allowed wait in memory, and are lost with the page: nothing may be kept
 * of somebody who has not allowed it.
 * @param start begins a visit under a mode, going on with the state of the one before.
 * @returns `visit`: the present one. `run`: now, or as soon as it is known who the visitor is; false: never, consent is
 * off. `change`: what is allowed may be another now.
 */
export function createRuntime(
  name: string,
  fetchManifest: () => Promise<PublicManifest | undefined>,
  start: (
    mode: ConsentMode,
    manifest: Promise<PublicManifest | undefined>,
    carried: Partial<State>,
    begin: (visit: Visit) => void,
    signal: AbortSignal,
  ) => Promise<void>,
): [
  visit: () => Visit | undefined,
  run: (work: Work) => boolean,
  change: (mode: ConsentMode, manifest?: Promise<PublicManifest | undefined>) => void,
] {
  let held: Work[] = [];
  let visit: Visit | undefined;
  let active: ConsentMode | undefined;
  let scope = new AbortController();

  const attempt = (work: Work, visit: Visit) => {
    try {
      work(visit);
    } catch (error) {
      report(error);
    }
  };
  const begin = (begun: Visit) => {
    visit = begun;
    for (const work of held.splice(0)) attempt(work, begun);
  };

  return [
    () => visit,
    (work) => {
      if (visit) attempt(work, visit);
      else if (active !== "off" && held.length < HELD_CALLS) held.push(work);
      return active !== "off";
    },
    (mode, manifest) => {
      if (mode === active) return visit?.decide();
      const carried = { ...visit?.state };
      active = mode;
      visit = undefined;
      scope.abort();
      scope = new AbortController();
      purgeStore(name, mode);
      if (mode === "off") held = [];
      else start(mode, manifest ?? fetchManifest(), carried, begin, scope.signal).catch(report);
    },
  ];
}
