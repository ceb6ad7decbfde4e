/** All the leaves of the language: the browser's, and those that are not worth their bytes there. */
import { dateLeaf, timeLeaf } from "./calendar.ts";
import { measured } from "./event.ts";
import { sampleLeaf } from "./fact.ts";
import { browserLeaves } from "./leaves.ts";
import { MEASURES } from "./measures.ts";
import { ratioLeaf, sequenceLeaf } from "./pattern.ts";
import type { Leaves } from "./run.ts";

/** What the Worker decides with. */
export const allLeaves: Leaves = {
  ...browserLeaves,
  ...Object.fromEntries(Object.entries(MEASURES).map(([key, measure]) => [key, measured(measure)])),
  sample: sampleLeaf,
  sequence: sequenceLeaf,
  ratio: ratioLeaf,
  time: timeLeaf,
  date: dateLeaf,
};
