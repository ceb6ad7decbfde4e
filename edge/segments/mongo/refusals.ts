/** What is not imported, and what to do instead: the words of every error. */
import { CONDITION_BYTES, CONDITION_DEPTH, CONDITION_NODES } from "../../../shared/limits.ts";

/** Code → detail. */
export const REFUSALS = {
  condition: "A condition is an object of attributes, $and, $or, $nor and $not.",
  list: "It takes a list of conditions.",
  operator:
    "This operator is not known here. GrowthBook would match no one, and everyone under $not. $regexi, $ini, $nini and $alli ignore case; $and, $or and $nor stand outside of attributes.",
  operand:
    "The operator does not take this; GrowthBook would match no one, or by chance. $in and its like take a list of texts, numbers, true, false and null, $gt and its like a number or text, $vgt and its like a version as text, $size a number or operators with numbers, $type one of string, number, boolean, null, array, object.",
  object:
    'GrowthBook compares a whole object as text, with its keys in order. Ask for what is in it: {"address.city": "Lisbon"}.',
  path: "The name of an attribute is names with dots between them. Names that every JavaScript object or list has mean something else in GrowthBook: name the attribute otherwise.",
  pattern:
    "Only patterns that look for texts are imported: literals, (a|b), [ab], ?, ^ and $. Write the condition with startsWith, endsWith, contains or like.",
  caseless:
    "Ignoring case, patterns and lower case differ here: beyond ASCII, in k, and in an i that comes last. Write the spellings as alternatives of $regex, or the condition with lower.",
  group: "savedGroups has no such list. GrowthBook takes it for empty: give [] if that is meant.",
  "saved-group": 'Make the group a segment, import the rest, and put both into all: {"all":[{"segment":"…"}, …]}.',
  limit: `A condition has at most ${CONDITION_NODES} parts, ${CONDITION_DEPTH} levels and ${CONDITION_BYTES / 1024} KB. Take it apart into segments; a long list of people is a static one.`,
} as const;

export type Refusal = keyof typeof REFUSALS;

export interface ImportError {
  /** JSON Pointer (RFC 6901) into what was imported. */
  pointer: string;
  code: Refusal;
  detail: string;
}
