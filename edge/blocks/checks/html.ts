/** What of a template's HTML a browser would not be given, what would act on its own there, and images that say nothing. */
import type { Finding } from "../../segments/lint/finding.ts";
import { type Attribute, type Element, readElements } from "../liquid/attributes.ts";

/** What `client/runtime/html.ts` takes out. */
const DROPPED_ELEMENTS = new Set(["script", "base", "meta", "object", "embed"]);
const DROPPED_ATTRIBUTE = /^(?:on|srcdoc)|javascript:/i;
/** MJML's image becomes one. */
const IMAGES = new Set(["img", "mj-image"]);
/** More would help nobody. */
const FOUND = 20;

/**
 * @param source Liquid over HTML or MJML: branches are read one after the other, a value stands for something
 * @param origins of the site: a form may be sent there
 */
export function lintHtml(source: string, origins: readonly string[], pointer: string): Finding[] {
  const found: Finding[] = [];
  const say = (code: Finding["code"], severity: Finding["severity"], at: number, detail: string) =>
    found.push({ code, severity, pointer, detail: `${detail.replace("@", placeOf(source, at))}` });
  for (const element of readElements(hideLiquid(source))) {
    if (found.length >= FOUND) break;
    const { name, start, attributes } = element;
    if (DROPPED_ELEMENTS.has(name))
      say("dropped-html", "warning", start, `The page is not given <${name}> (@): take it out of the block.`);
    for (const attribute of attributes) {
      if (isDropped(attribute))
        say("dropped-html", "warning", attribute.start, `The page is not given ${attribute.name} (@): take it out.`);
    }
    if (name === "iframe") {
      const detail = "What an <iframe> (@) loads acts on its own in the page, and e-mails do not show it. Show a link.";
      say("foreign-html", "warning", start, detail);
    }
    const elsewhere = name === "form" && findElsewhere(element, origins);
    if (elsewhere)
      say("foreign-html", "warning", start, `This form (@) sends what visitors write to ${elsewhere}. Is it meant to?`);
    if (IMAGES.has(name) && !attributes.some(({ name, value }) => name === "alt" && value.trim()))
      say("no-alt", "warning", start, `This image (@) says nothing where it is not seen: give it alt="…".`);
  }
  return found;
}

const LIQUID = /\{%-?\s*comment\b[\s\S]*?(?:\{%-?\s*endcomment\s*-?%\}|$)|\{%[\s\S]*?(?:%\}|$)|\{\{[\s\S]*?(?:\}\}|$)/g;

/** What the author wrote as HTML, everything else as long as it was: tags are blank, values are `_`. */
export function hideLiquid(source: string): string {
  return source.replace(LIQUID, (liquid) => liquid.replace(/[^\n]/g, liquid.startsWith("{{") ? "_" : " "));
}

/** What the author wrote as HTML. */
export function dropLiquid(source: string): string {
  return source.replace(LIQUID, "");
}

/** `line 2, column 5`, both from 1. */
export function placeOf(source: string, at: number): string {
  const before = source.slice(0, at).split("\n");
  return `line ${before.length}, column ${before.at(-1)!.length + 1}`;
}

function isDropped({ name, value }: Attribute): boolean {
  // Browsers ignore blanks and control characters in a scheme.
  return DROPPED_ATTRIBUTE.test(name + value.replace(/[^!-~]/g, ""));
}

/** The origin that is not the site's to which a form is sent, as far as it is written out. */
function findElsewhere({ attributes }: Element, origins: readonly string[]): string | undefined {
  const action = attributes.find(({ name }) => name === "action")?.value.trim();
  const origin = action && /^(?:https?:)?\/\/[^/?#]+/i.exec(action)?.[0].toLowerCase();
  return origin && !origins.some((own) => own.toLowerCase().endsWith(origin)) ? origin : undefined;
}
