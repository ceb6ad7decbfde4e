/**
 * What of the language is in the browser's script. The rest of `browserLanguage` is loaded by pages whose site has a rule that needs it.
 */
import { measureCount, measured } from "./event.ts";
import { contextLeaf, segmentLeaf, traitLeaf } from "./fact.ts";
import { CHECKS } from "./operators.ts";
import type { Language } from "./run.ts";
import { lastOf } from "./window.ts";

/** A kind that is put here costs every visitor its bytes. */
export const baseLanguage: Language = {
  // The first key: see `ship`.
  kindOf: (condition) => Object.keys(condition)[0],
  leaves: {
    trait: traitLeaf,
    context: contextLeaf,
    segment: segmentLeaf,
    event: measured(measureCount),
    type: measured(measureCount),
  },
  checks: CHECKS,
  span: lastOf,
};
