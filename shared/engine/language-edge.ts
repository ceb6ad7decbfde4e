/** The whole language: the browser's part, and what is not worth its bytes there. */
import type { Condition } from "../condition.ts";
import { dateLeaf, timeLeaf } from "./calendar.ts";
import { givenSegmentLeaf, sampleLeaf } from "./fact.ts";
import { flatten } from "./flat.ts";
import { browserLanguage } from "./language.ts";
import { MEASURES } from "./measures.ts";
import { ALL_CHECKS, readerOf, specialTest } from "./operators-edge.ts";
import { ratioLeaf, sequenceLeaf } from "./pattern.ts";
import { childrenOf, ensure, kindOf, type Language, type Node, remember, type Scope } from "./run.ts";
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
  flatten: (condition, scope, build) =>
    flatten(condition, scope, build) ?? (childrenOf(condition) ? undefined : share(condition, scope, build)),
};

/** Equal leaves are asked once. */
function share(leaf: Condition, scope: Scope, build: () => Node): Node {
  const shared = ensure(scope.made, JSON.stringify(leaf), () => ({ node: build(), uses: 0 })) as {
    node: Node;
    uses: number;
  };
  if (shared.uses++ === 1) shared.node = remember(shared.node, scope);
  return (run) => shared.node(run);
}
