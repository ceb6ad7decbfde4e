/** What of a template's HTML a browser would not be given, what would act on its own there, and images that say nothing. */
import { cut, type Finding } from "../../segments/lint/finding.ts";
import { type Attribute, type Element, readElements } from "../liquid/attributes.ts";

/** What `client/runtime/html.ts` takes out. */
const DROPPED_ELEMENTS = new Set(["script", "base", "meta", "object", "embed"]);
const DOCUMENTS = new Set(["html", "mjml"]);
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
  for (const element of readElements(hideLiquid(source))) {
    if (found.length >= FOUND) break;
    found.push(...lintElement(element, origins, (at) => placeOf(source, at), pointer));
  }
  return found.slice(0, FOUND);
}

function lintElement(
  element: Element,
  origins: readonly string[],
  place: (at: number) => string,
  pointer: string,
): Finding[] {
  const { name, start, attributes } = element;
  const found: Finding[] = [];
  const say = (code: Finding["code"], severity: Finding["severity"], detail: string) =>
    found.push({ code, severity, pointer, detail });
  const here = `(${place(start)})`;
  if (DOCUMENTS.has(name)) {
    const detail = `A whole document ${here}: right for an e-mail, not for a slot of a page, whose own it would have to be. There, write what is in its body.`;
    say("foreign-html", "hint", detail);
  }
  if (DROPPED_ELEMENTS.has(name))
    say("dropped-html", "warning", `A page is not given <${name}> ${here}: take it out of the block.`);
  for (const attribute of attributes.filter(isDropped).slice(0, FOUND)) {
    const detail = `A page is not given ${cut(attribute.name)} (${place(attribute.start)}): take it out.`;
    say("dropped-html", "warning", detail);
  }
  if (name === "iframe") {
    const detail = `What an <iframe> ${here} loads acts on its own in the page, and e-mails do not show it. Show a link.`;
    say("foreign-html", "warning", detail);
  }
  const elsewhere = name === "form" && findElsewhere(element, origins);
  if (elsewhere) {
    const detail = `This form ${here} sends what visitors write to ${cut(elsewhere)}. Is it meant to?`;
    say("foreign-html", "warning", detail);
  }
  if (!IMAGES.has(name)) return found;
  const alt = attributes.find(({ name }) => name === "alt");
  if (!alt) say("no-alt", "warning", `This image ${here} says nothing where it is not seen: give it alt="…".`);
  else if (!alt.value.trim())
    say("no-alt", "hint", `This image ${here} says nothing where it is not seen: fine if it only decorates.`);
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
