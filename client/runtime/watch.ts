/** The lazy part `attune.watch.js`, for pages that show what was decided or have marked elements. */
import type { JsonObject } from "../../shared/event.ts";
import { watchElements } from "./elements.ts";
import { watchExposures } from "./exposure.ts";
import { reviewHanded } from "./review.ts";

/** @returns as `watchExposures`, and `reviewHanded`. */
export function watchPage(track: (event: string, properties: JsonObject) => void, signal: AbortSignal) {
  watchElements(track, signal);
  return [...watchExposures(track, signal), reviewHanded] as const;
}
