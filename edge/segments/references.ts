/** Which rules look at which segments: nothing refers to what is not there, nothing refers to itself, nothing used is taken away. */
import type { Condition } from "../../shared/condition.ts";
import { analyze } from "../../shared/engine/analyze.ts";
import type { Block, BlockVersion } from "../db/blocks.ts";
import type { Segment } from "../db/segments.ts";
import type { ProblemError } from "../problem.ts";

/**
 * What is wrong with a condition's references, given all other segments of the site.
 *
 * @param self key of the segment whose condition it is; null for an audience
 * @param live true where it is, or is about to be, decided for visitors: then only active segments may be referred to
 */
export function checkReferences(
  condition: Condition,
  others: readonly Segment[],
  { self, live, pointer }: { self: string | null; live: boolean; pointer: string },
): ProblemError[] {
  const byKey = new Map(others.map((segment) => [segment.key, segment]));
  return analyze(condition).segments.flatMap((key) => {
    if (key === self) return [{ pointer, code: "cycle", detail: `${key} refers to itself.` }];
    const segment = byKey.get(key);
    if (!segment) return [{ pointer, code: "unknown-segment", detail: `There is no segment ${key}.` }];
    if (live && segment.status !== "active") {
      return [{ pointer, code: "inactive-segment", detail: `The segment ${key} is not active.` }];
    }
    const way = self === null ? null : findWay(key, self, byKey);
    return way ? [{ pointer, code: "cycle", detail: `${[self, ...way].join(" → ")} goes round in a circle.` }] : [];
  });
}

/** The keys on the way from one segment to another, both included; null without a way. */
function findWay(
  from: string,
  to: string,
  byKey: ReadonlyMap<string, Segment>,
  seen = new Set<string>(),
): string[] | null {
  if (from === to) return [to];
  if (seen.has(from)) return null;
  seen.add(from);
  const condition = byKey.get(from)?.condition;
  if (!condition) return null;
  for (const next of analyze(condition).segments) {
    const way = findWay(next, to, byKey, seen);
    if (way) return [from, ...way];
  }
  return null;
}

/** Names of the segments and blocks that look at a segment. */
export function findUsers(
  key: string,
  segments: readonly Segment[],
  blocks: readonly (Block | BlockVersion)[],
): string[] {
  const looksAt = (condition: Condition | null) => condition !== null && analyze(condition).segments.includes(key);
  const users = [
    ...segments.filter((segment) => looksAt(segment.condition)).map((segment) => `segment ${segment.key}`),
    ...blocks
      .filter(({ variants }) => variants.some(({ audience }) => looksAt(audience)))
      .map((block) => `block ${block.key}`),
  ];
  return [...new Set(users)];
}
