/** Which visit there is, if any: begins one when consent allows it, ends it at once when it does not any more. */
import type { ConsentMode } from "../../shared/consent.ts";
import type { PublicManifest } from "../../shared/manifest.ts";
import { purgeStore, type State } from "./store.ts";
import type { Visit } from "./visit.ts";

type Work = (visit: Visit) => void;

/**
 * @param start begins a visit under a mode, going on with the state of the one before.
 * @returns `visit`: the present one. `run`: now, or as soon as it is known who the visitor is; false: never, consent is
 * off. `turn`: consent may have changed.
 */
export function createRuntime(
  name: string,
  chosen: () => ConsentMode | undefined,
  fetchManifest: () => Promise<PublicManifest | undefined>,
  start: (
    mode: ConsentMode,
    manifest: Promise<PublicManifest | undefined>,
    carried: Partial<State>,
    begin: (visit: Visit) => void,
    signal: AbortSignal,
  ) => Promise<void>,
  report: (error: unknown) => void,
): [visit: () => Visit | undefined, run: (work: Work) => boolean, turn: () => void] {
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

  const settle = async (): Promise<void> => {
    const choice = chosen();
    const manifest = choice === "off" ? undefined : fetchManifest();
    const mode = choice ?? (await manifest)?.consentDefault;
    if (!mode) return addEventListener("online", turn, { once: true });
    if (mode === active) return visit?.decide();
    const carried = { ...visit?.state };
    active = mode;
    visit = undefined;
    scope.abort();
    scope = new AbortController();
    purgeStore(name, mode);
    if (mode !== "off") return start(mode, manifest!, carried, begin, scope.signal);
    held = [];
  };
  const turn = () => {
    settle().catch(report);
  };

  return [
    () => visit,
    (work) => {
      if (visit) attempt(work, visit);
      else if (active !== "off") held.push(work);
      return active !== "off";
    },
    turn,
  ];
}
