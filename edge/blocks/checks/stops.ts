/** What will be refused when it is published, and what the limits stop for whoever is led there. */
import type { JsonObject } from "../../../shared/event.ts";
import { cut, type Finding } from "../../segments/lint/finding.ts";
import { checkTemplate, checkText, endlessLoopsOf, type Moment } from "../liquid.ts";
import { trySamples } from "./samples.ts";
import type { BlockText } from "./texts.ts";

/** More would help nobody. */
const FOUND = 20;

/** @param text as it is published: where it is told of as an error, it will be refused */
export function lintStops(text: BlockText, site: JsonObject, moment: Moment): Finding[] {
  const { source, pointer, form } = text;
  const checked = form === "html" ? checkTemplate(source) : checkText(source);
  if ("errors" in checked) return [];
  const refused = trySamples([text], site, moment).map(({ code, detail }): Finding => {
    const said = `${cut(detail)} So it is not published.`;
    return { code: code === "render" ? "stops" : "unsafe-url", severity: "error", pointer, detail: said };
  });
  if (refused.length) return refused;
  const loops = endlessLoopsOf(checked.template).slice(0, FOUND);
  return loops.map(({ turns, line, column }): Finding => {
    const detail = `This loop (line ${line}, column ${column}) would turn ${turns.toLocaleString("en")} times: for whoever comes to it nothing of this is written. Loop over less.`;
    return { code: "stops", severity: "warning", pointer, detail };
  });
}
