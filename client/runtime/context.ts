/** Where and on what a message came about, as the Segment spec names it. */
import type { Consent } from "../../shared/consent.ts";
import type { JsonObject } from "../../shared/event.ts";

declare const __ATTUNE_VERSION__: string;
export const VERSION = __ATTUNE_VERSION__;

type Zones = { Temporal?: { Now: { timeZoneId(): string } } };

/** The page that was viewed last, and whence it was come to: a document has one, however many ask. */
let here: string | undefined;
let referrer: string;

/** A fragment makes another page only where it is a route. */
export const readAddress = () => location.href.replace(/#(?![!/]).*/, "");

/** @param isView it is viewed now. */
export function buildPage(isView?: boolean): JsonObject {
  const address = readAddress();
  // The browser's own referrer stays that of the first page of a single-page app.
  const from = address === here ? referrer : (here ?? document.referrer);
  if (isView) [here, referrer] = [address, from];
  const { pathname, href, search } = location;
  return { path: pathname, url: href, title: document.title, referrer: from, search };
}

/** @param consent what the visitor has granted. */
export function buildContext(consent: Consent): JsonObject {
  const campaign: { [name: string]: string } = {};
  for (const [key, value] of new URLSearchParams(location.search)) {
    if (key.startsWith("utm_")) campaign[key.slice(4).replace("campaign", "name")] = value;
  }
  const { width, height } = screen;
  // By what it is pointed at with, and where Android's tablets begin.
  const isTouched = matchMedia("(pointer:coarse)").matches;
  const type = !isTouched ? "desktop" : width < 600 || height < 600 ? "mobile" : "tablet";
  return {
    page: buildPage(),
    // Segment's form: absent where there is no campaign.
    campaign: campaign["source"] && campaign,
    device: { type },
    locale: navigator.language,
    // Not before it is asked for: where there is no Temporal, the first look takes up to 80 ms.
    get timezone() {
      return (window as Zones).Temporal?.Now.timeZoneId() ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
    },
    screen: { width, height, innerWidth, innerHeight, density: devicePixelRatio },
    library: { name: "attune", version: VERSION },
    consent: { categoryPreferences: consent },
  };
}
