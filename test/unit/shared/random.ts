/** Random conditions and subjects from a small vocabulary, so that they meet often; replayable by seed. */
import type { Condition } from "../../../shared/condition.ts";
import type { Purpose } from "../../../shared/consent.ts";
import type { Answer, Subject } from "../../../shared/engine/types.ts";
import type { HistoryEvent } from "../../../shared/event.ts";

/** Mulberry32. */
export function createRandom(seed: number) {
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(random() * limit);
  return {
    below,
    chance: (share: number) => random() < share,
    pick: <T>(list: readonly T[]): T => list[below(list.length)]!,
    list: <T>(least: number, most: number, make: () => T): T[] =>
      Array.from({ length: least + below(most - least + 1) }, make),
  };
}

type Random = ReturnType<typeof createRandom>;

export const NOW = Date.parse("2026-11-22T10:00:00.000Z");
const HOUR = 3_600_000;
const NAMES = ["A", "A", "B"];
const LENGTHS = ["30m", "1h", "2h", "6h", "24h", "2d"];
const TEXTS = ["red", "blue", "redder", "", "2026-11-22T08:00:00Z", "2026-11-22"];
const SCALARS = [...TEXTS, 0, 1, 2, 3, 10, true, false, null];
const PATHS = ["p", "q", "deep.r", "tags", "__proto__", "constructor"];

const instantNear = (random: Random) => NOW + (random.below(72) - 60) * (HOUR / 2) + random.pick([0, 0, 0, 1, -1, 777]);
const isoNear = (random: Random) => new Date(instantNear(random)).toISOString();

function bag(random: Random): { [key: string]: unknown } {
  const result: { [key: string]: unknown } = {};
  if (random.chance(0.7)) result["p"] = random.pick([...SCALARS, isoNear(random)]);
  if (random.chance(0.6)) result["q"] = random.below(5);
  if (random.chance(0.4)) result["deep"] = random.chance(0.8) ? { r: random.pick(SCALARS) } : random.pick(SCALARS);
  if (random.chance(0.4)) result["tags"] = random.list(0, 3, () => random.pick(SCALARS));
  return result;
}

export function randomSubject(random: Random): Subject {
  const events = random
    .list(
      0,
      9,
      (): HistoryEvent => ({
        type: random.chance(0.93) ? "track" : "page",
        event: random.pick(NAMES),
        timestamp: instantNear(random),
        properties: bag(random),
      }),
    )
    .sort((a, b) => a.timestamp - b.timestamp);
  const segments: { [key: string]: Answer } = {};
  for (const key of ["s", "t"]) {
    if (random.chance(0.7)) {
      segments[key] = {
        value: random.pick([true, false, "unknown"] as const),
        until: random.chance(0.5) ? null : NOW + (random.below(20) - 3) * HOUR,
      };
    }
  }
  const consent = random.pick<Purpose[] | undefined>([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    ["analytics"],
    ["personalization"],
    [],
  ]);
  return {
    ...(random.chance(0.8) && { id: `id-${random.below(50)}` }),
    traits: bag(random),
    context: bag(random),
    events,
    segments,
    ...(consent && { consent }),
  };
}

function operand(random: Random, pool: readonly unknown[] = SCALARS): unknown {
  return random.chance(0.12) ? { trait: random.pick(PATHS) } : random.pick(pool);
}

function numberOperators(random: Random, most = 4): { [key: string]: unknown } {
  const number = () => (random.chance(0.05) ? { trait: "q" } : random.below(most + 1) + random.pick([0, 0, 0, 0.5]));
  const result: { [key: string]: unknown } = {};
  do {
    const key = random.pick(["eq", "ne", "in", "nin", "gt", "gte", "gte", "lt", "lte"]);
    result[key] = key === "in" || key === "nin" ? random.list(0, 3, number) : number();
  } while (random.chance(0.2));
  return result;
}

function operators(random: Random, dated = true, depth = 0): { [key: string]: unknown } {
  const result: { [key: string]: unknown } = {};
  do {
    const key = random.pick([
      ..."eq ne in nin gt gte lt lte exists contains startsWith endsWith like".split(" "),
      ...(dated ? ["before", "after", "within", "within"] : []),
      ...(depth < 2 ? ["any", "all"] : []),
    ]);
    result[key] =
      key === "in" || key === "nin"
        ? random.list(0, 3, () => operand(random))
        : key === "exists"
          ? random.chance(0.5)
          : key === "like"
            ? random.pick(["re*", "*d*", "*", "r*d", "*-22*Z", "red"])
            : key === "within"
              ? random.pick(LENGTHS)
              : key === "before" || key === "after"
                ? isoNear(random)
                : key === "any" || key === "all"
                  ? operators(random, dated, depth + 1)
                  : ["gt", "gte", "lt", "lte"].includes(key)
                    ? random.pick([random.below(4), isoNear(random), { trait: "p" }])
                    : operand(random, key === "startsWith" || key === "endsWith" ? TEXTS : SCALARS);
  } while (random.chance(0.25));
  return result;
}

function selector(random: Random): { [key: string]: unknown } {
  return {
    ...(random.chance(0.92) ? { event: random.pick(NAMES) } : { type: random.pick(["track", "page"]) }),
    ...(random.chance(0.05) && { type: "page" }),
    ...(random.chance(0.3) && {
      where: { [random.pick(PATHS.filter((path) => path !== "__proto__"))]: operators(random, random.chance(0.2)) },
    }),
  };
}

function windowOf(random: Random): { [key: string]: unknown } {
  const kind = random.below(10);
  const bound = {
    ...(random.chance(0.2) && { [random.pick(["after", "before"])]: isoNear(random) }),
  };
  if (kind < 6) return { ...bound, within: random.pick(LENGTHS) };
  if (kind > 7) return bound;
  const near = random.below(LENGTHS.length - 1);
  return { ...bound, between: [LENGTHS[near]!, LENGTHS[near + 1 + random.below(LENGTHS.length - near - 1)]!] };
}

function leaf(random: Random): unknown {
  const within = () => (random.chance(0.7) ? { within: random.pick(LENGTHS) } : {});
  const kinds: (() => unknown)[] = [
    () => ({ trait: random.pick(PATHS), ...operators(random) }),
    () => ({ context: random.pick(PATHS), ...operators(random) }),
    () => ({ segment: random.pick(["s", "t", "u"]) }),
    () => ({ sample: { seed: "x", from: 0, to: 0.5 } }),
    () => ({ ...selector(random), ...windowOf(random), ...(random.chance(0.8) && { count: numberOperators(random) }) }),
    () => ({ ...selector(random), ...windowOf(random), days: numberOperators(random, 2) }),
    () => ({
      ...selector(random),
      ...windowOf(random),
      recency: { [random.pick(["gt", "gte", "lt", "lte"])]: random.pick(LENGTHS) },
    }),
    () => ({
      ...selector(random),
      ...windowOf(random),
      [random.pick(["sum", "avg", "min", "max"])]: "q",
      ...numberOperators(random, 8),
    }),
    () => ({ ...selector(random), ...windowOf(random), distinct: random.pick(PATHS), ...numberOperators(random, 3) }),
    () => ({
      ...selector(random),
      ...windowOf(random),
      [random.pick(["first", "last"])]: random.pick(PATHS),
      ...operators(random, false),
    }),
    () => ({
      sequence: random.list(2, 3, () => selector(random)),
      ...(random.chance(0.6) && { gap: random.pick(LENGTHS) }),
      ...within(),
    }),
    () => ({
      ...selector(random),
      unless: { ...selector(random), ...(random.chance(0.4) && { same: random.list(1, 2, () => random.pick(PATHS)) }) },
      after: random.pick(["0s", ...LENGTHS.slice(0, 3)]),
      ...(random.chance(0.7) && { within: random.pick(LENGTHS.slice(3)) }),
    }),
    () => ({
      ratio: [selector(random), selector(random)],
      ...windowOf(random),
      ...(random.chance(0.5) && { min: random.below(3) }),
      ...numberOperators(random, 2),
    }),
  ];
  const history = kinds.slice(4);
  return random.chance(0.8) ? random.pick(history)() : random.pick(kinds)();
}

export function randomCondition(random: Random, depth = 0): Condition {
  const kind = random.below(depth === 0 ? 6 : depth < 3 ? 9 : 100);
  const children = () => random.list(0, 3, () => randomCondition(random, depth + 1));
  const condition =
    kind === 0
      ? { all: children() }
      : kind === 1
        ? { any: children() }
        : kind === 2
          ? { not: randomCondition(random, depth + 1) }
          : leaf(random);
  return condition as Condition;
}
