/** The lazy part, `attune.debug.js`: what developers ask, which the script itself does not need to know. */
import type { Consent, ConsentMode } from "../../shared/consent.ts";
import type { Attune } from "../runtime/api.ts";
import type { Visit } from "../runtime/visit.ts";
import { type Explanation, explainAll } from "./explain.ts";
import { createOverlay, type Overlay } from "./overlay.ts";
import { readStored, type Stored } from "./stored.ts";

/** A page may hold more than one Attune. */
const overlays = new Map<string, Overlay>();

type Ask<Answer> = (
  attune: Attune,
  visit: () => Visit | undefined,
  mode: () => ConsentMode | undefined,
  purposes: () => Consent,
  endpoint: string,
) => Answer;

/** Of nobody, and before the site's configuration is there, nothing. */
export const explain: Ask<Explanation[]> = (_, visit) => {
  const it = visit();
  return it?.state.manifest ? explainAll(it.state.manifest, it.subject(), Date.now()) : [];
};

export const stored: Ask<Promise<Stored | null>> = ({ key }) => readStored(`attune.${key}`);

/**
 * Opens the panel. The first call in a page that was loaded anew brings back what the tab had of it, and no more: the script makes that one.
 */
export const debug: Ask<void> = (attune, visit, mode, purposes, endpoint) => {
  const { key } = attune;
  const inside = { attune, visit, mode, purposes, endpoint, name: `attune.${key}` };
  const overlay = overlays.get(key);
  if (overlay) overlay.open();
  else
    overlays.set(
      key,
      createOverlay(inside, () => overlays.delete(key)),
    );
};
