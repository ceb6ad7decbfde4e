/** Where and on what a message came about, as the Segment spec names it. */
import type { JsonObject } from "../../shared/event.ts";

declare const __ATTUNE_VERSION__: string;
export const VERSION = __ATTUNE_VERSION__;

export function buildPage(): JsonObject {
  const { title, referrer } = document;
  const { pathname, href, search } = location;
  return { path: pathname, url: href, title, referrer, search };
}

export function buildContext(): JsonObject {
  const campaign: { [name: string]: string } = {};
  for (const [key, value] of new URLSearchParams(location.search)) {
    if (key.startsWith("utm_")) campaign[key.slice(4).replace("campaign", "name")] = value;
  }
  return {
    page: buildPage(),
    // Segment's form: absent where there is no campaign.
    ...(campaign["source"] && { campaign }),
    locale: navigator.language,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    screen: { width: screen.width, height: screen.height, density: devicePixelRatio },
    library: { name: "attune", version: VERSION },
  };
}
