/** Which rules look at which segments: nothing refers to what is not there, nothing refers to itself, nothing used is taken away. */
import type { Condition } from "../../shared/condition.ts";
import { analyze, findCycle, leavesOf, longestChain } from "../../shared/engine/analyze.ts";
import { SEGMENT_CHAIN } from "../../shared/limits.ts";
import type { Block, BlockVersion } from "../db/blocks.ts";
import type { Segment } from "../db/segments.ts";
import type { ProblemError } from "../problem.ts";
import { nearest } from "./schema/nearest.ts";

/**
 * What is wrong with a condition's references, each at its place, given all other segments of the site.
 *
 * @param self key of the segment whose condition it is; null for an audience
 * @param live true where it is, or is about to be, decided for visitors: then only active segments may be referred to
 * @param pointer of the condition in what was sent
 */
export function checkReferences(
  condition: Condition,
  others: readonly Segment[],
  { self, live, pointer }: { self: string | null; live: boolean; pointer: string },
): ProblemError[] {
  const byKey = new Map(others.map((segment) => [segment.key, segment]));
  const errors = leavesOf(condition, pointer).flatMap(({ leaf, pointer }): ProblemError[] => {
    if (!("segment" in leaf) || leaf.segment === self) return [];
    const key = leaf.segment;
    const segment = byKey.get(key);
    if (!segment) {
      const meant = nearest(key, [...byKey.keys()]);
      const detail = `There is no segment ${key}.${meant ? ` Is ${meant} meant?` : ""}`;
      return [{ pointer, code: "unknown-segment", detail }];
    }
    if (!live || segment.status === "active") return [];
    return [{ pointer, code: "inactive-segment", detail: `The segment ${key} is not active.` }];
  });
  if (self === null) return errors;
  const segments = [...others.filter(({ key }) => key !== self), { key: self, condition }];
  const cycle = findCycle(segments);
  if (cycle) errors.push({ pointer, code: "cycle", detail: `${cycle.join(" → ")} goes round in a circle.` });
  else if (longestChain(segments) > SEGMENT_CHAIN)
    errors.push({
      pointer,
      code: "limit",
      detail: `Segments refer to segments in a chain of more than ${SEGMENT_CHAIN}: say in one of them what others say.`,
    });
  return errors;
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
