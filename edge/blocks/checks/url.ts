/** Texts that make an address: written so that what they make is https, at a host that the author chose, with nothing of a person in it. */
import type { ProblemError } from "../../problem.ts";
import { type TextTemplate, variablesOf } from "../liquid.ts";
import { hideLiquid } from "./html.ts";

const HTTPS = "https://";
/** A host name, with a port if it has one. */
const HOST = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?::\d{1,5})?$/i;

/** What is wrong with it, if anything. That it begins with a value is fine: what that makes is seen when it is rendered. */
export function checkUrlText(template: TextTemplate, pointer: string): ProblemError[] {
  const { traits, segments } = variablesOf(template);
  const errors: ProblemError[] = [];
  const text = hideLiquid(template.source).trim();
  const detail = text === "" ? "It makes no address: write https://… or a value that is one." : findFault(text);
  if (detail) errors.push({ pointer, code: "unsafe-url", detail });
  if (traits === null || segments === null || traits.length + segments.length > 0) {
    const detail = "An address is seen by others: nothing of customer or segment may stand in it.";
    errors.push({ pointer, code: "personal-url", detail });
  }
  return errors;
}

/** @param text values as `_`, tags as blanks */
function findFault(text: string): string | undefined {
  if (/^__/.test(text)) return undefined;
  if (!text.toLowerCase().startsWith(HTTPS)) return `An address begins with ${HTTPS} and a host, or with a value.`;
  const host = text.slice(HTTPS.length).split(/[/?#\s]/)[0]!;
  if (/^_+$/.test(host) || HOST.test(host)) return undefined;
  return "The host of an address is written out up to a slash, or is one value.";
}
