/** Values inside `style="…"` and the attributes of drawings that CSS reads: what they may say there, so that none loads anything or sets more than its property. */
import { escapeHtml } from "./html.ts";
import type { Run } from "./run.ts";
import { toText } from "./values.ts";

/** `style`, and attributes of SVG that may name a picture. */
export const STYLE_ATTRIBUTES = new Set([
  ...["style", "fill", "stroke", "filter", "mask", "clip-path", "cursor"],
  ...["marker", "marker-start", "marker-mid", "marker-end"],
]);

/** What a value stands for in a style. */
export type StylePlace = "value" | "url";

/** As much of an attribute is looked at before a value. */
const LOOKED_AT = 2_000;
/** Words, numbers, lengths, colours: no address, no other function, no end of the declaration. */
const PLAIN = /^(?:[-\w\s#%.,+]|[^\0-\x7f]|(?:rgb|hsl)a?\([-\w\s%.,/+]*\))*$/i;
const ENDS_URL = /[\0-\x20"'();<>\\`{}\x7f]/g;

/** @returns null where a value would be a whole declaration, or the name of a property */
export function placeInStyle(source: string, start: number, end: number, attribute: string): StylePlace | null {
  const written = source.slice(Math.max(start, end - LOOKED_AT), end).replace(/\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}/g, "");
  if (/url\([^)]*$/i.test(written)) return "url";
  const isNamed = attribute !== "style" || /:[^;]*$/.test(written);
  return isNamed ? "value" : null;
}

/** Of a value that is more than words, numbers and colours nothing is written. */
export function toStyleValue(run: Run, value: unknown): string {
  const text = toText(run, value);
  return PLAIN.test(text) ? text : "";
}

/** Inside of the author's `url(…)`, whatever its quotes: what would end it is encoded. */
export function toStyleUrl(run: Run, value: unknown): string {
  return escapeHtml(toText(run, value).replace(ENDS_URL, encode));
}

function encode(char: string): string {
  return `%${char.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`;
}
