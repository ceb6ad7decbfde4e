/** Makes URLs harmless whose scheme a browser would run, whatever way they were put together. */
import { type Attribute, readAttributes } from "./attributes.ts";
import { URL_ATTRIBUTES } from "./positions.ts";

const SAFE_SCHEMES = new Set(["http", "https", "mailto", "tel", "sms"]);
const SAFE_IMAGE = /^data:image\/(?:png|gif|jpeg|webp|avif)[;,]/i;
const NAMED: { [name: string]: string } = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  colon: ":",
  tab: "\t",
  newline: "\n",
};

/** `href="javascript:…"` becomes `href="#"`, in every attribute that a browser follows or loads. */
export function neutralizeUrls(html: string): string {
  let safe = "";
  let done = 0;
  for (const { start, end } of unsafeUrls(html)) {
    safe += `${html.slice(done, start)}"#"`;
    done = end;
  }
  return done === 0 ? html : safe + html.slice(done);
}

/** Where in the HTML unsafe URLs stand. */
export function findUnsafeUrls(html: string): number[] {
  return unsafeUrls(html).map(({ start }) => start);
}

function unsafeUrls(html: string): Attribute[] {
  return [...readAttributes(html)].filter(({ name, value }) => URL_ATTRIBUTES.has(name) && !isSafeValue(value));
}

/** Of an attribute's value as it is written. */
export function isSafeValue(value: string): boolean {
  return /^(?:https?:|[/?#])/i.test(value) || isSafeUrl(decodeEntities(value));
}

/** True for relative URLs and for schemes that run nothing; browsers skip control characters and spaces in schemes, so does this. */
export function isSafeUrl(url: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is being removed
  const bare = url.replace(/[\u0000-\u0020\u007f-\u009f]/g, "");
  const scheme = /^([^/?#:]*):/.exec(bare)?.[1]?.toLowerCase();
  return scheme === undefined || SAFE_SCHEMES.has(scheme) || SAFE_IMAGE.test(bare);
}

function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|([a-z]+));?/gi, (whole, decimal, hex, name) => {
    if (name) return NAMED[name.toLowerCase()] ?? whole;
    const code = decimal ? Number(decimal) : Number.parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "";
  });
}
