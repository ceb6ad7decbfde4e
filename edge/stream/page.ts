/**
 * Fills the slots of a page while it streams: what the page has there is kept in a `<template>`, what was decided stands behind it.
 * Knows HTML, and nobody's data: what to show, and what to tell the script at the end, comes from outside. Nothing that goes wrong
 * here changes more than a slot.
 */
import { log } from "../log.ts";
import { guardParser } from "./guard.ts";
import { buildFacade } from "./hydrate.ts";
import { AROUND, type Elements, staysWithin } from "./plain.ts";

export interface Content {
  /** Of the decision. */
  id: string;
  html: string;
  elements: Elements;
}

const SLOTS = ["attune-block[name]", "[data-attune-slot]"];
const XHTML = "http://www.w3.org/1999/xhtml";
/** Around a slot, in what no browser shows or the parser rearranges. */
const INERT = ["template", "select"];
/** Elements whose end the parser may find elsewhere, or whose content it takes as text, or sorts: the script's to fill. */
const LEFT = new Set(
  "html head body p li dt dd rb rt rtc rp option optgroup select datalist caption colgroup tbody thead tfoot tr td th table template script style textarea title iframe noscript noembed noframes xmp plaintext object h1 h2 h3 h4 h5 h6".split(
    " ",
  ),
);
/** Without these, others could keep the page, or take it for what it was before. */
const STALE_HEADERS =
  "accept-ranges age cdn-cache-control cloudflare-cdn-cache-control content-digest content-encoding content-length content-md5 digest etag expires last-modified repr-digest surrogate-control".split(
    " ",
  );

/** True of a page that may be filled: a whole HTML document that can be read and may be changed. */
export function isFillable({ status, headers }: Response): boolean {
  const says = (name: string) => headers.get(name)?.toLowerCase() ?? "";
  return (
    status === 200 &&
    /^\s*text\/html\s*(;|$)/.test(says("content-type")) &&
    isReadable(says("content-type")) &&
    /^\s*(identity|gzip|br)?\s*$/.test(says("content-encoding")) &&
    !says("cache-control").includes("no-transform") &&
    !says("content-disposition").includes("attachment")
  );
}

/** What the parser takes for a charset; HTML that does not name one is taken as UTF-8, whose markup is that of most. */
function isReadable(type: string): boolean {
  const label = charsetOf(type);
  try {
    return label === undefined || !/^(utf-16|iso-2022-jp|replacement)/.test(new TextDecoder(label).encoding);
  } catch {
    return false;
  }
}

function charsetOf(type: string): string | undefined {
  return /charset\s*=\s*"?([^\s";]*)/i.exec(type)?.[1];
}

/**
 * @param page is fillable
 * @param decide what a slot shows; null: what the page has. Asked once for each name, when it comes by.
 * @param handOver what the script is told where the page ends: JSON; null: nothing
 */
export function fillPage(
  page: Response,
  decide: (slot: string) => Promise<Content | null>,
  handOver: () => string | null,
): Response {
  const isUtf8 = /^utf-?8$/i.test(charsetOf(page.headers.get("content-type")!) ?? "");
  // What the page says of itself comes too late to be known here.
  const write = (html: string) => (isUtf8 ? html : toAscii(html));
  /** What is to stand at the end of the slot that is being filled; empty outside of one. */
  let closing = "";
  let around = new Set<string>();
  let policy = page.headers.get("content-security-policy") ?? "";
  const reported = page.headers.get("content-security-policy-report-only") ?? "";
  let facade: string | undefined;

  const rewriter = new HTMLRewriter()
    .on('meta[http-equiv="content-security-policy" i]', {
      element(element) {
        policy += `,${element.getAttribute("content")?.replace(/&(#39|#x27|apos);/gi, "'")}`;
      },
    })
    .on('script[async][data-key][src*="attune"]', {
      element(element) {
        // The script is to find the page's end; `defer` would have the page's own wait for it.
        element.setAttribute("data-end", "");
      },
    })
    .onDocument({
      end(end) {
        if (guarded.isBypassed()) return;
        const told = handOver();
        const script = told && `<script type="application/json" data-attune>${escapeJson(told)}</script>`;
        end.append(write(closing) + (script ?? ""), { html: true });
      },
    });
  for (const name of [...AROUND, ...INERT])
    rewriter.on(SLOTS.map((slot) => `${name} ${slot}`).join(), {
      element() {
        around.add(name);
      },
    });
  rewriter.on(SLOTS.join(), { element: fill });

  const guarded = guardParser(page, rewriter);
  return new Response(guarded.body, { status: page.status, statusText: page.statusText, headers: privately(page) });

  async function fill(element: Element): Promise<void> {
    const held = around;
    around = new Set();
    try {
      const slot = element.getAttribute("data-attune-slot") || element.getAttribute("name");
      // What is inside a slot that is filled is only kept; entities are not decoded here.
      if (closing || INERT.some((name) => held.has(name)) || !slot || slot.includes("&")) return;
      // Also where it is the script's to fill: it then need not ask.
      const content = await decide(slot);
      if (!content || LEFT.has(element.tagName) || element.namespaceURI !== XHTML) return;
      if (AROUND.includes(element.tagName)) held.add(element.tagName);
      if (!staysWithin(held, content.elements)) return;
      // It throws where there is no end: before anything is changed.
      element.onEndTag((tag) => {
        tag.before(write(closing), { html: true });
        closing = "";
      });
      facade ??= buildFacade(policy, reported);
      closing = `</template>${facade}${content.html}`;
      element.prepend(`<template data-attune="${content.id}">`, { html: true });
    } catch (error) {
      log("error", { slot: String(error) });
    }
  }
}

/** The headers of a page as those of one visitor's own. */
export function privately(page: Response): Headers {
  const headers = new Headers(page.headers);
  for (const name of STALE_HEADERS) headers.delete(name);
  // Not `no-store`, unless the origin says so: a browser could not keep the page for its way back.
  headers.set(
    "cache-control",
    headers.get("cache-control")?.includes("no-store") ? "private, no-store" : "private, no-cache",
  );
  if (headers.get("vary") !== "*") headers.append("vary", "cookie");
  return headers;
}

/** The same in characters that every charset of the web has; not inside a `<style>`. */
function toAscii(html: string): string {
  return html.replace(/[\u{80}-\u{10ffff}]/gu, (character) => `&#${character.codePointAt(0)};`);
}

/** In the same characters, of which none ends a script element or begins a comment. */
function escapeJson(json: string): string {
  return json
    .replaceAll("<", "\\u003c")
    .replace(/[\x80-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
