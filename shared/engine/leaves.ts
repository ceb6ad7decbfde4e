/** The leaves that the browser's script has. What it lacks is unknown there, and asked of the edge. */
import { MEASURES, measured } from "./event.ts";
import { contextLeaf, segmentLeaf, traitLeaf } from "./fact.ts";
import type { Leaves } from "./run.ts";
import { unlessLeaf } from "./unless.ts";

/** What the browser decides with. */
export const browserLeaves: Leaves = {
  trait: traitLeaf,
  context: contextLeaf,
  segment: segmentLeaf,
  unless: unlessLeaf,
  ...Object.fromEntries(Object.entries(MEASURES).map(([key, measure]) => [key, measured(measure)])),
};
