/**
 * What of the language the browser's script has. A kind of leaf that it lacks is unknown there, and asked of the edge. A part of a leaf
 * – an operator in a `where`, a window's `between`, an operand that is a trait – is not missed: `lackingIn` keeps such leaves away.
 */
import { measureCount, measured } from "./event.ts";
import { contextLeaf, segmentLeaf, traitLeaf } from "./fact.ts";
import { CHECKS } from "./operators.ts";
import type { Language } from "./run.ts";
import { measureSum } from "./sum.ts";
import { unlessLeaf } from "./unless.ts";
import { lastOf } from "./window.ts";

/** What the browser decides with. A kind that is put here is shipped to it, by `analyze`, and costs every visitor its bytes. */
export const browserLanguage: Language = {
  // The first key: see `ship`.
  kindOf: (condition) => Object.keys(condition)[0],
  leaves: {
    trait: traitLeaf,
    context: contextLeaf,
    segment: segmentLeaf,
    unless: unlessLeaf,
    event: measured(measureCount),
    type: measured(measureCount),
    sum: measured(measureSum),
  },
  checks: CHECKS,
  span: lastOf,
};
