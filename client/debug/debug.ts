/** The lazy part, `attune.debug.js`: what developers ask, which the script itself does not need to know. */
import type { Consent, ConsentMode } from "../../shared/consent.ts";
import type { Attune } from "../runtime/api.ts";
import type { Visit } from "../runtime/visit.ts";
import { createOverlay, type Overlay } from "./overlay.ts";

export { explainAll } from "./explain.ts";
export { readStored } from "./stored.ts";

/** A page may hold more than one Attune. */
const overlays = new Map<string, Overlay>();

/**
 * Opens the panel. The first call in a page that was loaded anew brings back what the tab had of it, and no more: the script makes that one.
 */
export function debug(
  attune: Attune,
  visit: () => Visit | undefined,
  mode: () => ConsentMode | undefined,
  purposes: () => Consent,
  endpoint: string,
): void {
  const { key } = attune;
  const inside = { attune, visit, mode, purposes, endpoint, name: `attune.${key}` };
  const overlay = overlays.get(key);
  if (overlay) overlay.open();
  else
    overlays.set(
      key,
      createOverlay(inside, () => overlays.delete(key)),
    );
}
