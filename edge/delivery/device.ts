/**
 * The device's id in a first-party cookie, so that it can be given back after the browser has wiped what the script keeps
 * (Safari does after seven days). It stands only where the Worker answers under the site's own origin and consent allows it
 * to be kept, and is worth what the id in a body is, which is believed, too: it opens nothing that a request could not name.
 */
import { CONSENT_MODES, type ConsentMode } from "../../shared/consent.ts";
import type { JsonObject } from "../../shared/event.ts";
import { isObject } from "../ingest/parse.ts";

const DAY_MS = 86_400_000;
/** Browsers keep none longer. */
const KEPT_DAYS = 400;
/** A younger one is not set again. */
const RENEWED_DAYS = 30;
/** An id as the script makes it, or a UUID. */
const DEVICE = "\\d{1,10}(?:-\\d{1,10}){3}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const ID = new RegExp(`^(?:${DEVICE})$`);
const VALUE = new RegExp(`^(?<id>${DEVICE})\\.(?<day>\\d{1,6})$`);

/** The cookie of one site in a request from its own origin. */
export interface DeviceCookie {
  name: string;
  /** Undefined: there is none, or one that the edge did not make. */
  kept: { id: string; day: number } | undefined;
  /** There is one, whatever it says. */
  isThere: boolean;
}

/**
 * Reads the cookie of a site. Its name has the site in it, since several may share a host; its prefix keeps neighbours under
 * the same domain from setting it.
 *
 * @returns null where the request comes from another origin, or says of no origin: cookies are not its business
 */
export function readDeviceCookie(request: Request, siteId: string): DeviceCookie | null {
  const { headers } = request;
  if (headers.get("origin") !== new URL(request.url).origin) return null;
  if ((headers.get("sec-fetch-site") ?? "same-origin") !== "same-origin") return null;
  return readCookie(headers, siteId);
}

/** The same in a request for a page, which comes from anywhere: what is answered is seen by nobody but the site itself. */
export function readCookie(headers: Headers, siteId: string): DeviceCookie {
  const name = `__Host-attune.${siteId}`;
  const pairs = (headers.get("cookie") ?? "").split(/; */);
  const value = pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
  const { id, day } = value?.match(VALUE)?.groups ?? {};
  return { name, kept: id ? { id, day: Number(day) } : undefined, isThere: value !== undefined };
}

/**
 * Puts the id that a wiped device had before in place of its new one, in a request's body and its messages.
 *
 * @param body is changed
 * @returns the id; undefined where none is to be given back
 */
export function restoreDevice(body: JsonObject, messages: unknown, cookie: DeviceCookie | null): string | undefined {
  const { anonymousId: born, wiped, mode } = body;
  const id = cookie?.kept?.id;
  if (!id || id === born || typeof born !== "string" || wiped !== true || mode !== "full") return undefined;
  body["anonymousId"] = id;
  for (const message of Array.isArray(messages) ? messages : []) {
    if (!isObject(message)) continue;
    for (const field of ["anonymousId", "previousId"]) if (message[field] === born) message[field] = id;
  }
  return id;
}

/**
 * What becomes of the cookie after a request: made, renewed, made another device's (after a reset) under the mode `full`,
 * deleted under any other, under `off` even where none came: another answer may be bringing it. A request that says no mode, or no id as the script makes it, changes nothing.
 *
 * @returns the header to answer; none where all stays as it is
 */
export function keepDevice(
  cookie: DeviceCookie | null,
  { mode, anonymousId }: { mode?: unknown; anonymousId?: unknown },
  now: number,
): Record<string, string> {
  if (!cookie || !CONSENT_MODES.includes(mode as ConsentMode)) return {};
  const { name, kept, isThere } = cookie;
  if (mode !== "full") return isThere || mode === "off" ? { "set-cookie": format(name, "", 0) } : {};
  if (typeof anonymousId !== "string" || !ID.test(anonymousId)) return {};
  const day = Math.floor(now / DAY_MS);
  if (kept?.id === anonymousId && Math.abs(day - kept.day) < RENEWED_DAYS) return {};
  return { "set-cookie": format(name, `${anonymousId}.${day}`, KEPT_DAYS) };
}

function format(name: string, value: string, days: number): string {
  return `${name}=${value}; Max-Age=${days * 86_400}; Path=/; Secure; HttpOnly; SameSite=Lax`;
}
