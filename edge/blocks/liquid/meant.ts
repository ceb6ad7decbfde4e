/** Which tag or filter was meant by one that there is not. */
import { nearest } from "../../segments/schema/nearest.ts";
import { FILTERS, TAGS } from "./dialect.ts";

/** Words that only stand inside other tags. */
const INNER_TAGS = ["else", "elsif", "when"];

/** Filters of Shopify, Klaviyo and Jekyll, and what does the same here. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ["money_with_currency", "money"],
  ["money_without_currency", "money"],
  ["format_date_string", "date"],
  ["date_to_string", "date"],
  ["jsonify", "json"],
  ["xml_escape", "escape"],
  ["lookup", 'customer["…"]'],
]);

/** @param message of liquidjs @returns a question to put behind it; nothing where it tells of something else, or nothing is near */
export function askMeant(message: string): string {
  const filter = /^undefined filter: (\w+)/.exec(message)?.[1];
  const tag = /^tag "(\w+)" not found/.exec(message)?.[1];
  // As Braze writes a trait.
  const trait = /^invalid value expression: "\$\{(\w+)/.exec(message)?.[1];
  const meant =
    (trait && `customer.${trait}`) ||
    (filter && (ELSEWHERE.get(filter) ?? nearest(filter, Object.keys(FILTERS)))) ||
    (tag && nearest(tag, [...TAGS, ...INNER_TAGS, ...TAGS.map((name) => `end${name}`)]));
  return meant ? `. Is ${meant} meant?` : "";
}
