/** The whole language: the browser's part, and what is not worth its bytes there. */
import { dateLeaf, timeLeaf } from "./calendar.ts";
import { givenSegmentLeaf, sampleLeaf } from "./fact.ts";
import { flatten } from "./flat.ts";
import { browserLanguage } from "./language.ts";
import { MEASURES } from "./measures.ts";
import { ALL_CHECKS, readerOf, specialTest } from "./operators-edge.ts";
import { ratioLeaf, sequenceLeaf } from "./pattern.ts";
import { kindOf, type Language } from "./run.ts";
import { judged } from "./threshold.ts";
import { unlessLeaf } from "./unless-edge.ts";
import { spanOf } from "./window-edge.ts";

/** What the Worker decides with. */
export const fullLanguage: Language = {
  kindOf,
  leaves: {
    ...browserLanguage.leaves,
    ...Object.fromEntries(Object.entries(MEASURES).map(([key, measure]) => [key, judged(measure)])),
    unless: unlessLeaf,
    segment: givenSegmentLeaf,
    sample: sampleLeaf,
    sequence: sequenceLeaf,
    ratio: ratioLeaf,
    time: timeLeaf,
    date: dateLeaf,
  },
  checks: ALL_CHECKS,
  test: specialTest,
  read: readerOf,
  span: spanOf,
  flatten,
};
