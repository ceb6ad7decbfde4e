/** The texts of variants: links and the words of cards, parsed once. */
import type { Variant } from "../../shared/manifest.ts";
import type { LiveSite } from "../manifest/live.ts";
import { LiveText, type TemplateSite } from "../manifest/template.ts";

const texts = new WeakMap<Variant, Map<string, LiveText>>();

export function textOf(variant: Variant, source: string, live: LiveSite): LiveText {
  const known = texts.get(variant) ?? new Map<string, LiveText>();
  texts.set(variant, known);
  const text = known.get(source) ?? new LiveText(source, siteOf(live));
  known.set(source, text);
  return text;
}

export function siteOf({ manifest }: LiveSite): TemplateSite {
  return { id: manifest.siteId, name: manifest.name ?? "", timeZone: manifest.settings.timeZone };
}
