/** Which visit there is, if any: begins one when consent allows it, ends it at once when it does not any more. */
import type { Consent, ConsentMode } from "../../shared/consent.ts";
import type { JsonObject } from "../../shared/event.ts";
import type { PublicManifest } from "../../shared/manifest.ts";
import type { Emit } from "./emitter.ts";
import { fetchManifest } from "./manifest.ts";
import { purgeStore } from "./store.ts";
import { startVisit, type Visit } from "./visit.ts";

type Work = (visit: Visit) => void;

/**
 * @returns `visit`: the present one. `run`: now, or as soon as it is known who the visitor is; false: never, consent is
 * off. `turn`: consent may have changed.
 */
export function createRuntime(
  name: string,
  endpoint: string,
  key: string,
  chosen: () => ConsentMode | undefined,
  purposes: () => Consent,
  context: () => JsonObject,
  track: (event: string, properties: JsonObject) => void,
  view: (referrer?: string) => void,
  emit: Emit,
): [visit: () => Visit | undefined, run: (work: Work) => boolean, turn: () => void] {
  let held: Work[] = [];
  let visit: Visit | undefined;
  let active: ConsentMode | undefined;
  let scope = new AbortController();
  let manifest: Promise<PublicManifest | undefined> | undefined;

  const report = (error: unknown) => emit("error", { error });
  const readManifest = () => {
    manifest ??= fetchManifest(endpoint, key).catch((error) => {
      manifest = undefined;
      report(error);
      return undefined;
    });
    return manifest;
  };

  const settle = async (): Promise<void> => {
    const mode = chosen() ?? (await readManifest())?.consentDefault;
    if (!mode) return addEventListener("online", turn, { once: true });
    if (mode === active) return visit?.decide();
    const carried = { ...visit?.state };
    active = mode;
    visit = undefined;
    scope.abort();
    scope = new AbortController();
    purgeStore(name, mode);
    if (mode !== "off") {
      const begin = (begun: Visit) => {
        visit = begun;
        for (const work of held.splice(0)) work(begun);
      };
      const { signal } = scope;
      const known = readManifest();
      return startVisit(name, endpoint, key, mode, purposes, context, track, view, known, carried, begin, emit, signal);
    }
    held = [];
  };
  const turn = () => {
    settle().catch(report);
  };

  return [
    () => visit,
    (work) => {
      if (visit) work(visit);
      else if (active === "off") return false;
      else held.push(work);
      return true;
    },
    turn,
  ];
}
