/**
 * Whether HTML may be written into a page while it streams. There a parser reads it that knows nothing of where it ends, and runs
 * what is in it: so only what stays within its place, whatever stands around it, and holds nothing that the script would take out
 * (client/runtime/html.ts). All other HTML is the script's to insert.
 */

/** Names of the elements in it, in lower case. */
export type Elements = ReadonlySet<string>;

const words = (text: string) => new Set(text.split(" "));

/** Text, and what ends it: the usual first. */
const TOKEN =
  /[^<\0]*(?:<\/([a-z][^\s/>\0]*)\s*>|<([a-z][^\s/>\0]*)((?:\s+[^\s"'<>/=\0]+(?:\s*=\s*(?:"[^"\0]*"|'[^'\0]*'|[^\s"'=<>`\0]+))?)*)\s*(\/?)>|<(?![a-z/!?])|<!--(?!-?>)(?:(?!--!?>)[^\0])*-->|$)/giy;
const ATTRIBUTE = /([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g;
/** Without any of it no attribute can do harm: most tags are looked at once. */
const SUSPECT = /(?:^|[\s"'])(?:on|srcdoc)|j\s*a\s*v\s*a\s*s\s*c|&|[^\s -~]/i;

export const VOID = words("area br col hr img input link source track wbr");
/** Run something, lead elsewhere, are parsed in ways of their own, or are of the page as a whole. */
const REFUSED = words(
  "script base meta object embed param applet html head body frame frameset template noscript noembed noframes xmp plaintext title math image isindex nobr foreignobject",
);
/** Hold text alone: up to their end tag nothing is a tag. */
const RAW = words("style textarea iframe");
/** Not inside themselves: the parser ends the outer one. */
const UNNESTED = words("a button form");
const HEADING = /^h[1-6]$/;
/** Go with one of these around them; without, the parser looks for one in the page. */
const PARENTS: { [name: string]: string[] } = {
  ...of("li", "ul", "ol", "menu"),
  ...of("dt dd", "dl"),
  ...of("option optgroup", "select", "datalist"),
  ...of("rb rt rtc rp", "ruby"),
  ...of("caption colgroup col tbody thead tfoot tr td th", "table"),
};
const IN_SELECT = words("option optgroup hr");
const IN_SVG = words(
  "svg g path circle ellipse line polyline polygon rect text tspan defs use symbol marker mask pattern clippath lineargradient radialgradient stop filter fegaussianblur feoffset feblend fecolormatrix feflood fecomposite femerge femergenode animate animatetransform",
);
/** End an open `<p>`. */
export const BLOCKS = words(
  "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr li dd dt listing main menu nav ol p pre search section summary table ul",
);

function of(names: string, ...parents: string[]): { [name: string]: string[] } {
  return Object.fromEntries(names.split(" ").map((name) => [name, parents]));
}

/** The elements of HTML that may be written into a stream; null where it may not. */
export function readPlain(html: string): Elements | null {
  const names = new Set<string>();
  const open: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < html.length) {
    const token = TOKEN.exec(html);
    if (!token) return null;
    const [, ended, began, attributes, slash] = token;
    if (ended !== undefined) {
      if (open.pop() !== ended.toLowerCase()) return null;
    } else if (began !== undefined) {
      const name = began.toLowerCase();
      const isDrawing = open.includes("svg");
      if (!fits(name, open, isDrawing) || !isHarmless(attributes!)) return null;
      names.add(name);
      if (VOID.has(name) || (isDrawing && slash)) continue;
      if (slash) return null;
      if (RAW.has(name)) {
        const end = html.indexOf("<", TOKEN.lastIndex);
        if (end < 0) return null;
        TOKEN.lastIndex = end;
      }
      open.push(name);
    }
  }
  return open.length ? null : names;
}

/** Whether such HTML stays in its place there: `around` are the elements that hold it, of those that matter. */
export function staysWithin(around: Elements, elements: Elements): boolean {
  for (const name of UNNESTED) if (around.has(name) && elements.has(name)) return false;
  return !around.has("p") || ![...elements].some((name) => BLOCKS.has(name));
}

/** Elements that matter around a slot. */
export const AROUND = ["p", ...UNNESTED];

function fits(name: string, open: readonly string[], isDrawing: boolean): boolean {
  if (isDrawing) return IN_SVG.has(name);
  if (REFUSED.has(name) || (open.includes("select") && !IN_SELECT.has(name))) return false;
  if (UNNESTED.has(name) && open.includes(name)) return false;
  if (HEADING.test(name) && open.some((outer) => HEADING.test(outer))) return false;
  return PARENTS[name]?.some((parent) => open.includes(parent)) ?? true;
}

function isHarmless(attributes: string): boolean {
  if (!SUSPECT.test(attributes)) return true;
  for (const [, name, double, single, bare] of attributes.matchAll(ATTRIBUTE)) {
    const value = decode(double ?? single ?? bare ?? "");
    if (/^(on|srcdoc)|javascript:/i.test(name + value)) return false;
  }
  return true;
}

/** What a value says that is seen as an address: blanks and what is not ASCII do not count. */
function decode(value: string): string {
  return value
    .replace(/&#(?:x([\da-f]+)|(\d+));?/gi, (_, hex, decimal) =>
      toText(hex ? Number.parseInt(hex, 16) : Number(decimal)),
    )
    .replace(/&colon;/g, ":")
    .replace(/&[a-z\d]+;?/gi, "")
    .replace(/[^!-~]/g, "");
}

function toText(code: number): string {
  return code < 0x80 ? String.fromCharCode(code) : "";
}
