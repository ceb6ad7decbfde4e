/** The site's own server, which the Worker stands before: asks it as the visitor asked, answers as it answered. */
import type { Env } from "../env.ts";
import { log } from "../log.ts";

/** Of one connection, not of the request: RFC 9110, section 7.6.1. */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
];
/** What makes an answer depend on what a cache has. */
const CONDITIONS = ["if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since"];
/** Encodings of a page that workerd can read. */
const READABLE = ["gzip", "br"];
/** Hosts that have asked already, as those of Via (RFC 9110, section 7.6.3), at which servers stop packing what they answer. */
const ASKED = "x-attune-via";
/** Where the origin leads to. What else names it, by its own name, is its own to mend: it is told what it is asked as. */
const LEADING = ["location", "content-location"];

/**
 * Asks the origin; a redirect is the visitor's to follow.
 *
 * @param isPage its answer may be filled: it is asked for whole, and in an encoding that can be read
 * @returns 502 where the origin cannot be reached
 */
export async function askOrigin(request: Request, env: Env, isPage: boolean): Promise<Response> {
  const headers = new Headers(request.headers);
  const url = new URL(request.url);
  for (const name of HOP_BY_HOP) headers.delete(name);
  const before = headers.get(ASKED)?.split(", ") ?? [];
  headers.append(ASKED, url.host);
  headers.set("x-forwarded-host", url.host);
  headers.set("x-forwarded-proto", url.protocol.slice(0, -1));
  const address = headers.get("cf-connecting-ip");
  if (address) headers.append("x-forwarded-for", address);
  if (isPage) {
    for (const name of CONDITIONS) headers.delete(name);
    const accepted = headers.get("accept-encoding") ?? "";
    headers.set("accept-encoding", READABLE.filter((name) => accepted.includes(name)).join(", ") || "identity");
  }
  const asked = new Request(request, { headers, redirect: "manual" });
  try {
    if (before.includes(url.host)) throw new Error("ORIGIN leads to the Worker itself");
    if (env.ORIGIN === "assets") return await env.ASSETS.fetch(asked);
    if (env.ORIGIN === "route") return await fetch(asked);
    const origin = new URL(env.ORIGIN!);
    return leadBack(await fetch(new Request(`${origin.origin}${url.pathname}${url.search}`, asked)), origin, url);
  } catch (error) {
    log("error", { origin: String(error) });
    return answerUnreachable();
  }
}

/** Where an answer leads to the origin by its own name, it leads to where the visitor has asked. */
function leadBack(answer: Response, origin: URL, url: URL): Response {
  let led = answer;
  for (const name of LEADING) {
    const value = answer.headers.get(name);
    // A path alone leads there as it is.
    const target = value && /^(https?:)?\/\//i.test(value) ? URL.parse(value, origin) : null;
    if (target?.host !== origin.host) continue;
    // To the same page by https alone: led back, it would be asked by http again, for ever.
    const isAsked = target.pathname + target.search === url.pathname + url.search;
    if (isAsked && target.protocol !== origin.protocol) continue;
    if (led === answer) led = new Response(answer.body, answer);
    led.headers.set(name, `${url.origin}${target.pathname}${target.search}${target.hash}`);
  }
  return led;
}

/** A page of our own: there is none of the site's. */
export function answerUnreachable(): Response {
  const title = "502 Bad Gateway";
  const html = `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1><p>The site does not answer. Please try again in a moment.</p></html>`;
  return new Response(html, {
    status: 502,
    headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
  });
}
