/** Where and on what a message came about, as the Segment spec names it. */
import type { JsonObject } from "../../shared/event.ts";

declare const __ATTUNE_VERSION__: string;
export const VERSION = __ATTUNE_VERSION__;

export function buildPage(): JsonObject {
  const { pathname, href, search } = location;
  return { path: pathname, url: href, title: document.title, referrer: document.referrer, search };
}

/** `utm_*` of the page's address: `{source, medium, name, term, content}`; undefined where there is none. */
function buildCampaign(): JsonObject | undefined {
  const campaign: JsonObject = {};
  for (const [key, value] of new URLSearchParams(location.search)) {
    const name = /^utm_(\w+)$/.exec(key)?.[1];
    if (name && name !== "__proto__") campaign[name === "campaign" ? "name" : name] = value;
  }
  return Object.keys(campaign).length ? campaign : undefined;
}

export function buildContext(): JsonObject {
  const campaign = buildCampaign();
  return {
    page: buildPage(),
    ...(campaign && { campaign }),
    locale: navigator.language,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    screen: { width: screen.width, height: screen.height, density: devicePixelRatio },
    library: { name: "attune", version: VERSION },
  };
}
