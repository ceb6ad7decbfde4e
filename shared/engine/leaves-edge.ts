/** All the leaves of the language: the browser's, and those that are not worth their bytes there. */
import { dateLeaf, measureDays, timeLeaf } from "./calendar.ts";
import { measured } from "./event.ts";
import { sampleLeaf } from "./fact.ts";
import { browserLeaves } from "./leaves.ts";
import { ratioLeaf, sequenceLeaf } from "./pattern.ts";
import type { Leaves } from "./run.ts";

/** What the Worker decides with. */
export const allLeaves: Leaves = {
  ...browserLeaves,
  sample: sampleLeaf,
  sequence: sequenceLeaf,
  ratio: ratioLeaf,
  days: measured(measureDays),
  time: timeLeaf,
  date: dateLeaf,
};
