/** Which tag or filter was meant by one that there is not. */
import { nearest } from "../../segments/schema/nearest.ts";
import { FILTERS, TAGS } from "./dialect.ts";

/** Words that only stand inside other tags. */
const INNER_TAGS = ["else", "elsif", "when"];

/** @param message of liquidjs @returns a question to put behind it; nothing where it tells of something else, or nothing is near */
export function askMeant(message: string): string {
  const filter = /^undefined filter: (\w+)/.exec(message)?.[1];
  const tag = /^tag "(\w+)" not found/.exec(message)?.[1];
  const meant =
    (filter && nearest(filter, Object.keys(FILTERS))) ||
    (tag && nearest(tag, [...TAGS, ...INNER_TAGS, ...TAGS.map((name) => `end${name}`)]));
  return meant ? `. Is ${meant} meant?` : "";
}
