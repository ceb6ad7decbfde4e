/** The leaves that the browser has: everything but the calendar. */
import { eventLeaf } from "./event.ts";
import { contextLeaf, sampleLeaf, segmentLeaf, traitLeaf } from "./fact.ts";
import { ratioLeaf, sequenceLeaf, unlessLeaf } from "./pattern.ts";
import type { Leaves } from "./run.ts";

/** What the browser's script decides with. */
export const browserLeaves: Leaves = {
  trait: traitLeaf,
  context: contextLeaf,
  segment: segmentLeaf,
  sample: sampleLeaf,
  sequence: sequenceLeaf,
  ratio: ratioLeaf,
  unless: unlessLeaf,
  event: eventLeaf,
  type: eventLeaf,
};
