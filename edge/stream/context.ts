/** What a request for a page says of where and on what it is seen, by the names of client/runtime/context.ts. */
import type { JsonObject } from "../../shared/event.ts";

const TABLET = /iPad|Tablet|PlayBook|Silk(?!.*Mobile)|Android(?!.*Mobi)/i;
const MOBILE = /Mobi|iPhone|iPod|Android/i;

/** A title, a screen and what was looked at before are the browser's to say. */
export function readContext({ url, headers, cf }: Request): JsonObject {
  const { pathname, search, searchParams } = new URL(url);
  const locale = headers.get("accept-language")?.match(/^\s*([a-z\d-]+)/i)?.[1];
  const timezone = cf?.["timezone"];
  return {
    page: { path: pathname, url, referrer: headers.get("referer") ?? "", search },
    campaign: campaignOf(searchParams),
    device: { type: readDevice(headers) },
    ...(locale && { locale }),
    ...(typeof timezone === "string" && { timezone }),
  };
}

/** As far as a server is told: an iPad says that it is a Mac. The script sees more, and asks where it sees another. */
export function readDevice(headers: Headers): string {
  const agent = headers.get("user-agent") ?? "";
  if (TABLET.test(agent)) return "tablet";
  return headers.get("sec-ch-ua-mobile") === "?1" || MOBILE.test(agent) ? "mobile" : "desktop";
}

/** In Segment's form; undefined where there is none. */
function campaignOf(query: URLSearchParams): JsonObject | undefined {
  const campaign: JsonObject = {};
  for (const [key, value] of query) {
    if (key.startsWith("utm_")) campaign[key.slice(4).replace("campaign", "name")] = value;
  }
  return campaign["source"] ? campaign : undefined;
}
