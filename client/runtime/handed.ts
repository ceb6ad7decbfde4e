/** What the edge has decided for a page that it filled: the page's end says it. */
import type { ConsentMode } from "../../shared/consent.ts";
import type { DecideAnswer, HandedOver } from "../../shared/wire.ts";
import type { State } from "./store.ts";
import { holds } from "./timer.ts";

/** Once, if it was decided for this device, or for somebody new, and is not of a page that the browser has kept. */
export function takeHanded(mode: ConsentMode, { anonymousId, wiped }: State): (DecideAnswer & HandedOver) | undefined {
  try {
    const script = document.querySelector("script[data-attune]")!;
    script.remove();
    const handed = JSON.parse(script.textContent!);
    if (mode === "full" && (wiped || handed.anonymousId === anonymousId) && holds(handed.until)) return handed;
  } catch {
    // None, or not all of it.
  }
}
