/** What is odd about a site's segments as a whole: too many, too alike, or of no use. Data for people who keep them in order. */
import { canonical } from "../../shared/engine/compile.ts";
import type { SegmentHour } from "../db/segment-hours.ts";
import type { Segment } from "../db/segments.ts";
import type { Population } from "./population.ts";

export const WARNING_CODES = [
  "too-many",
  "same-condition",
  "near-duplicate",
  "nearly-everybody",
  "empty",
  "dormant",
] as const;

export interface Warning {
  code: (typeof WARNING_CODES)[number];
  /** Keys of the segments that it is about. */
  segments: string[];
  /** What is the matter and what to do. */
  detail: string;
  /** What was measured, in the unit that `detail` names. */
  figure: number;
}

/** As many as people keep an overview of. */
const ACTIVE = 10;
/** Members in common, of all members of either. */
const OVERLAP = 0.9;
const EVERYBODY = 0.95;
const EMPTY_DAYS = 7;
const DORMANT_DAYS = 30;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Members of each segment, those with the smallest ids, that overlaps are found in. */
export const SKETCH = 256;

export interface Observed {
  /** The active ones. */
  segments: readonly Segment[];
  /** By key: how it stands and when it last changed; missing where nobody ever came in. */
  newest: ReadonlyMap<string, SegmentHour>;
  /** By key: ids of members, at most SKETCH, the smallest, ascending. */
  sketches: ReadonlyMap<string, readonly string[]>;
  /** SKETCH of the site's people. */
  population: Population;
}

/** In the order of WARNING_CODES. */
export function findWarnings({ segments, newest, sketches, population }: Observed, now: number): Warning[] {
  const sizeOf = ({ key }: Segment) => newest.get(key)?.members ?? 0;
  const daysSince = (at: number) => Math.floor((now - at) / DAY_MS);
  const inhabited = segments.filter((segment) => sizeOf(segment) > 0);
  return [...findTooMany(), ...findSame(), ...findAlike(), ...findEverybody(), ...findEmpty(), ...findDormant()];

  function isSame(a: Segment, b: Segment): boolean {
    return a.condition !== null && b.condition !== null && canonical(a.condition) === canonical(b.condition);
  }

  function findTooMany(): Warning[] {
    if (segments.length <= ACTIVE) return [];
    const detail = `${segments.length} segments are active: archive those that no block, e-mail or report uses, so that about ${ACTIVE} stay.`;
    return [{ code: "too-many", segments: segments.map(({ key }) => key), detail, figure: segments.length }];
  }

  function findSame(): Warning[] {
    const dynamic = segments.filter(({ condition }) => condition !== null);
    return [...Map.groupBy(dynamic, ({ condition }) => canonical(condition!)).values()]
      .filter((group) => group.length > 1)
      .map((group) => {
        const keys = group.map(({ key }) => key);
        const detail = `${keys.join(", ")} have the same condition: keep one and let what uses the others use it.`;
        return { code: "same-condition", segments: keys, detail, figure: keys.length };
      });
  }

  /** Each is compared with the largest of those that are like it. */
  function findAlike(): Warning[] {
    const warnings: Warning[] = [];
    const taken = new Set<Segment>();
    const bySize = inhabited.toSorted((a, b) => sizeOf(b) - sizeOf(a));
    bySize.forEach((large, index) => {
      if (taken.has(large)) return;
      const alike: string[] = [];
      let least = { overlap: 1, seen: 0 };
      for (const small of bySize.slice(index + 1)) {
        if (sizeOf(small) < OVERLAP * sizeOf(large)) break; // nor can any that is smaller
        if (taken.has(small) || isSame(small, large)) continue; // said already
        const compared = compareSketches(sketches.get(small.key) ?? [], sketches.get(large.key) ?? []);
        if (compared.overlap < OVERLAP) continue;
        taken.add(small);
        alike.push(small.key);
        if (compared.overlap <= least.overlap) least = compared;
      }
      if (!alike.length) return;
      const keys = alike.sort().join(", ");
      const detail = `${large.key} holds nearly the same people as ${keys}: ${percent(least.overlap)} or more, of ${least.seen} that were compared. Keep one, or tell them apart by stricter conditions.`;
      warnings.push({
        code: "near-duplicate",
        segments: [large.key, ...alike],
        detail,
        figure: round(least.overlap),
      });
    });
    return warnings;
  }

  function findEverybody(): Warning[] {
    return inhabited.flatMap((segment) => {
      const { overlap, seen } = compareSketches(sketches.get(segment.key) ?? [], population.ids);
      if (overlap < EVERYBODY) return [];
      const detail = `${segment.key} holds ${percent(overlap)} of all people, of ${seen} that were compared: leave it out where it is used, or make its condition stricter.`;
      return [{ code: "nearly-everybody", segments: [segment.key], detail, figure: round(overlap) }];
    });
  }

  function findEmpty(): Warning[] {
    return segments.flatMap((segment) => {
      const days = daysSince(Math.max(segment.updatedAt, newest.get(segment.key)?.hour ?? 0));
      if (sizeOf(segment) > 0 || days < EMPTY_DAYS) return [];
      const advice =
        segment.condition === null
          ? "upload its members, or archive it"
          : "check its condition with a preview, or archive it";
      return [
        {
          code: "empty",
          segments: [segment.key],
          detail: `${segment.key} has had nobody in it for ${days} days: ${advice}.`,
          figure: days,
        },
      ];
    });
  }

  /** A list changes only when somebody uploads: that it rests says nothing. */
  function findDormant(): Warning[] {
    return inhabited.flatMap((segment) => {
      const days = daysSince(Math.max(segment.updatedAt, newest.get(segment.key)!.hour));
      if (segment.condition === null || days < DORMANT_DAYS) return [];
      const detail = `Nobody has come into ${segment.key} or left it for ${days} days: if its events are no longer sent, mend or archive it.`;
      return [{ code: "dormant", segments: [segment.key], detail, figure: days }];
    });
  }
}

/**
 * Jaccard's index of two sets of random ids, by their smallest ones: exact for sets of fewer than SKETCH, else within about
 * 2 % at 0.9 (bottom-k sketches: Cohen and Kaplan, 2007).
 *
 * @returns the index, and of how many ids it was found
 */
export function compareSketches(a: readonly string[], b: readonly string[]): { overlap: number; seen: number } {
  // Beyond the last id of a full sketch nothing is known of its set.
  const ends = [a, b].filter(({ length }) => length >= SKETCH).map((ids) => ids.at(-1)!);
  const isKnown = (id: string) => ends.every((end) => id <= end);
  const one = new Set(a.filter(isKnown));
  const other = new Set(b.filter(isKnown));
  const seen = one.union(other).size;
  return { overlap: seen ? one.intersection(other).size / seen : 0, seen };
}

const round = (share: number) => Math.round(share * 100) / 100;
const percent = (share: number) => `${Math.round(share * 100)} %`;
