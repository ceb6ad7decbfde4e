/**
 * What of the language browsers have. A kind of leaf that they lack is unknown there, and asked of the edge. A part of a leaf
 * – an operator in a `where`, a window's `between`, an operand that is a trait – is not missed: `lackingIn` keeps such leaves away.
 */
import { measured } from "./event.ts";
import { baseLanguage } from "./language-base.ts";
import type { Language } from "./run.ts";
import { measureSum } from "./sum.ts";
import { unlessLeaf } from "./unless.ts";

/** What the browser decides with. A kind that is put here is shipped to it, by `analyze`. */
export const browserLanguage: Language = {
  ...baseLanguage,
  leaves: { ...baseLanguage.leaves, unless: unlessLeaf, sum: measured(measureSum) },
};
