/** Blocks of one slot that keep each other from being shown, and times and caps at which nothing is. */
import type { Condition } from "../../../shared/condition.ts";
import { durationMs } from "../../../shared/engine/value.ts";
import type { ManifestBlock } from "../../../shared/manifest.ts";
import { boundsOf, compareBlocks } from "../../manifest/slot.ts";
import type { Finding } from "../../segments/lint/finding.ts";
import { buildRefute, isNotTrue, isTrue, type Refute } from "../../segments/lint/refute.ts";

/** Whoever sees a block sees it for a second before that counts. */
const EXPOSURE_MS = 1_000;
const EVERYONE: Condition = { all: [] };

/**
 * @param others what else is live in its slot
 * @param now epoch milliseconds
 */
export function lintOrder(
  block: ManifestBlock,
  others: readonly ManifestBlock[],
  timeZone: string,
  now: number,
): Finding[] {
  const refutes = buildRefute(now);
  const own = timeOf(block);
  return [
    ...(own.to <= now
      ? [finding("never-on", "warning", "/schedule/to", "Its time is over: nobody gets it any more. Move the end.")]
      : []),
    ...lintCap(block),
    ...others.flatMap((other): Finding[] => {
      const time = timeOf(other);
      const from = Math.max(now, own.from, time.from);
      if (from >= Math.min(own.to, time.to)) return [];
      const isFirst = compareBlocks(block, other) < 0;
      const [first, second] = isFirst ? [block, other] : [other, block];
      const hidden =
        hides(first, second, refutes) && phraseHidden(isFirst, other, covers(timeOf(first), timeOf(second)));
      if (hidden) return [hidden];
      if ((block.priority ?? 0) !== (other.priority ?? 0)) return [];
      const detail = `The block "${other.key}" of this slot has the same priority: "${first.key}" comes first, by its key. Give one of them another.`;
      return [finding("same-priority", "hint", "/priority", detail)];
    }),
  ];

  function timeOf({ schedule = {} }: ManifestBlock): Time {
    return boundsOf(schedule, timeZone);
  }

  function covers(first: Time, second: Time): boolean {
    return first.from <= Math.max(now, second.from) && first.to >= second.to;
  }
}

interface Time {
  from: number;
  to: number;
}

/** Whoever gets a variant of the second gets one of the first before it. */
function hides(first: ManifestBlock, second: ManifestBlock, refutes: Refute): boolean {
  if (first.cap || !first.variants.length || !second.variants.length) return false;
  const missed = first.variants.map(({ audience }) => isNotTrue(audience ?? EVERYONE));
  return second.variants.every(({ audience }) => refutes(isTrue(audience ?? EVERYONE), ...missed));
}

/** What hides for a while, as a sale does, is mostly meant to. */
function phraseHidden(isFirst: boolean, { key }: ManifestBlock, isAlways: boolean): Finding {
  const when = isAlways ? "" : `, while both are in their time`;
  const detail = isFirst
    ? `Nobody gets the block "${key}" of this slot${when}: this one comes first and takes all whom it is for. Narrow this one's audiences, or lower its priority.`
    : `Nobody gets this block${when}: "${key}" comes first in this slot and takes all whom it is for. Raise its priority, or narrow the audiences of "${key}".`;
  return finding("hidden-block", isAlways ? "warning" : "hint", "/priority", detail);
}

function lintCap({ cap }: ManifestBlock): Finding[] {
  if (!cap || cap.times * EXPOSURE_MS <= durationMs(cap.within)) return [];
  const detail = `Nobody sees it ${cap.times} times in ${cap.within}, so the cap is never reached: it is seen for a second before that counts. Allow fewer, or within longer.`;
  return [finding("cap-unreachable", "warning", "/cap", detail)];
}

function finding(code: Finding["code"], severity: Finding["severity"], pointer: string, detail: string): Finding {
  return { code, severity, pointer, detail };
}
