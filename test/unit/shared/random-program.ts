/** Random programs: rules of every kind of leaf and operator, that refer to each other and share parts, with someone to ask them of. */
import type { Condition } from "../../../shared/condition.ts";
import type { Rule, Subject } from "../../../shared/engine/types.ts";
import { exactSum } from "./oracle-values.ts";
import {
  instantNear,
  NAMES,
  PATHS,
  type Random,
  randomSubject,
  SCALARS,
  SCENES,
  SEGMENTS,
  TEXTS,
  VERSIONS,
} from "./random.ts";

/** One program and several people to ask it of, all at one instant. */
export interface Draw {
  rules: Rule[];
  timeZone: string;
  now: number;
  subjects: Subject[];
}

/** Groups of kinds of leaf, so that a run can dwell on one of them. */
export const FOCUSES = ["facts", "counts", "aggregates", "patterns"] as const;
export type Focus = (typeof FOCUSES)[number];

const LENGTHS = ["90s", "30m", "30m", "1h", "1h", "2h", "6h", "24h", "2d", "1w"];
const TYPES = ["string", "number", "boolean", "null", "array", "object"];
const ORDERINGS = ["gt", "gte", "lt", "lte"];

type Json = { [key: string]: unknown };

/** A program of up to four rules, in any order, with three in four leaves of the focus. Every condition is one that can be saved. */
export function randomProgram(random: Random, focus: Focus, people: number): Draw {
  const [timeZone, start] = random.pick(SCENES);
  const now = Date.parse(start) + random.pick([0, 0, 0, 1, -1]);
  const subjects = random.list(people, people, () => randomSubject(random, now));
  const sums = subjects.flatMap(({ events }) => sumsOf(random, events));
  const keys = Array.from({ length: random.pick([1, 1, 2, 3, 4]) }, (_, i) => `r${i}`);
  const leaves: Condition[] = [];
  const rules = keys.map((key, i): Rule => {
    // A rule refers to none that refers to it.
    const segments = [...SEGMENTS, "nowhere", ...keys.slice(0, i), ...keys.slice(0, i)];
    return { key, condition: randomCondition(random, { focus, now, segments, sums, leaves }) };
  });
  return { rules: random.shuffle(rules), timeZone, now, subjects };
}

/** Sums of some of the numbers, exact and as they come, to compare with. */
function sumsOf(random: Random, events: readonly { properties: Json }[]): number[] {
  const numbers = events.map(({ properties }) => properties["q"]).filter(Number.isFinite) as number[];
  const some = random.chance(0.5) ? numbers : numbers.slice(random.below(numbers.length + 1));
  return [exactSum(some), some.reduce((sum, number) => sum + number, 0)];
}

interface Pool {
  focus: Focus;
  now: number;
  segments: readonly string[];
  sums: readonly number[];
  /** All leaves so far: some come again. */
  leaves: Condition[];
}

function randomCondition(random: Random, { focus, now, segments, sums, leaves }: Pool): Condition {
  const length = () => random.pick(LENGTHS);
  const iso = () => new Date(instantNear(random, now)).toISOString();
  const own = () => ({ trait: random.pick(PATHS) });
  const operand = (list: readonly unknown[] = SCALARS) => (random.chance(0.12) ? own() : random.pick(list));

  const numbers = (most: number, extra: readonly number[] = []): Json => {
    const number = () => {
      if (random.chance(0.05)) return { trait: "q" };
      if (extra.length && random.chance(0.5)) return random.pick(extra);
      return random.below(most + 1) + random.pick([0, 0, 0, 0.5]);
    };
    const result: Json = {};
    do {
      const key = random.pick(["eq", "ne", "in", "nin", "gt", "gte", "gte", "lt", "lte"]);
      result[key] = key === "in" || key === "nin" ? random.list(0, 3, number) : number();
    } while (random.chance(0.2));
    return result;
  };

  const texts = (depth: number): Json => {
    const key = random.pick(["eq", "ne", "in", ...ORDERINGS, "contains", "startsWith", "endsWith", "like", "lower"]);
    if (key === "lower") return depth < 2 ? { lower: texts(depth + 1) } : { eq: "red" };
    const text = () => (key !== "like" && random.chance(0.1) ? own() : random.pick([...TEXTS, "0", "1,2", "false"]));
    return { [key]: key === "in" ? random.list(0, 3, text) : text() };
  };

  /** @param dated with the operators whose names a window has, too. */
  const operators = (dated = true, depth = 0): Json => {
    const result: Json = {};
    do {
      const key = random.pick([
        ..."eq ne in nin gt gte lt lte exists contains startsWith endsWith like".split(" "),
        ..."isA size number text lower version".split(" "),
        ...(dated ? ["before", "after", "within", "within"] : []),
        ...(dated && depth < 2 ? ["where"] : []),
        ...(depth < 2 ? ["any", "all", "none"] : []),
      ]);
      result[key] = operandOf(key, depth);
    } while (random.chance(0.25));
    return result;
  };
  const operandOf = (key: string, depth: number): unknown => {
    if (key === "in" || key === "nin") return random.list(0, 3, () => operand());
    if (key === "exists") return random.chance(0.5);
    if (key === "like") return random.pick(["re*", "*d*", "*", "r*d", "*-22*Z", "red", "*e*e*", ""]);
    if (key === "within") return length();
    if (key === "before" || key === "after") return random.chance(0.2) ? own() : iso();
    if (key === "any" || key === "all") return operators(true, depth + 1);
    if (key === "none") return random.list(1, 2, () => operators(true, depth + 1));
    if (key === "where") return { [random.pick(["p", "q", "r", "0"])]: operators(true, depth + 1) };
    if (key === "isA") return random.pick([...TYPES, random.some(TYPES).concat("null")]);
    if (key === "size" || key === "number") return numbers(3);
    if (key === "text" || key === "lower") return texts(depth);
    if (key === "version")
      return Object.fromEntries(
        random.list(1, 2, () => [
          random.pick(["eq", "ne", ...ORDERINGS]),
          random.chance(0.1) ? own() : random.pick(VERSIONS),
        ]),
      );
    if (ORDERINGS.includes(key)) return random.pick([random.below(4), iso(), own()]);
    return operand(key === "startsWith" || key === "endsWith" ? TEXTS : SCALARS);
  };

  const selector = (): Json => ({
    ...(random.chance(0.92) ? { event: random.pick(NAMES) } : { type: random.pick(["track", "page", "screen"]) }),
    ...(random.chance(0.05) && { type: "page" }),
    ...(random.chance(0.2) && {
      where: Object.fromEntries(
        random.list(1, random.pick([1, 1, 2]), () => [
          random.pick(PATHS.filter((path) => path !== "__proto__")),
          operators(random.chance(0.4)),
        ]),
      ),
    }),
  });

  const within = (share = 0.7) => (random.chance(share) ? { within: length() } : {});
  const between = (): [string, string] => {
    const from = random.below(4);
    return [["0s", "30m", "1h", "2h"][from]!, ["30m", "1h", "2h", "24h"][from + random.below(4 - from)]!];
  };
  const bounds = (): Json => {
    const [early, late] = [iso(), iso()].sort() as [string, string];
    if (early === late) return { after: early };
    return random.pick([{ after: early }, { before: late }, { after: early, before: late }]);
  };
  const windowOf = (): Json => ({
    ...(random.chance(0.15) && bounds()),
    ...random.pick([within, within, within, within, () => ({ between: between() }), () => ({})])(1),
  });

  const clock = (hours = 24) =>
    `${String(random.below(hours)).padStart(2, "0")}:${random.pick(["00", "15", "30", "45"])}`;
  const time = (): Json => {
    const zone = random.pick([
      undefined,
      "site",
      "visitor",
      random.pick(SCENES.filter(([name]) => name !== "Mars/Olympus"))[0],
    ]);
    const days = random.some(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
    const part = {
      ...(random.chance(0.4) && days.length && { weekday: days }),
      ...(random.chance(0.6) && { from: clock() }),
      ...(random.chance(0.6) && { to: random.pick([clock(), clock(4), "24:00"]) }),
    };
    return { ...(Object.keys(part).length ? part : { from: clock(4) }), ...(zone && { zone }) };
  };

  const KINDS: { readonly [focus in Focus]: readonly (() => Json)[] } = {
    facts: [
      () => ({ trait: random.pick(PATHS), ...operators() }),
      () => ({ trait: random.pick([...PATHS, "d"]), ...operators() }),
      () => ({ context: random.pick(PATHS), ...operators() }),
      () => ({ segment: random.pick(segments) }),
      () => ({ sample: { seed: random.pick(["x", "y"]), from: random.pick([0, 0.2]), to: random.pick([0.5, 1]) } }),
      () => ({ time: time() }),
      () => ({ time: time() }),
      () => ({
        date: { trait: random.pick(["d", "d", "d", "p"]) },
        within: random.pick(["12h", "1d", "3d", "7d", "-1d", "-12h", "-7d", "30d", "-400d"]),
        ...(random.chance(0.4) && { anniversary: random.chance(0.9) }),
      }),
    ],
    counts: [
      () => ({ ...selector(), ...windowOf(), ...(random.chance(0.8) && { count: numbers(4) }) }),
      () => ({ ...selector(), ...windowOf(), ...(random.chance(0.8) && { count: numbers(4) }) }),
      () => ({ ...selector(), ...windowOf(), days: numbers(2) }),
      () => ({
        ...selector(),
        ...windowOf(),
        recency: Object.fromEntries(random.list(1, 2, () => [random.pick(ORDERINGS), random.pick([...LENGTHS, "0s"])])),
      }),
    ],
    aggregates: [
      () => ({ ...selector(), ...windowOf(), sum: "q", ...numbers(8, sums) }),
      () => ({
        ...selector(),
        ...windowOf(),
        [random.pick(["sum", "avg", "min", "max"])]: random.pick(["q", "p"]),
        ...numbers(8, sums),
      }),
      () => ({ ...selector(), ...windowOf(), distinct: random.pick(PATHS), ...numbers(3) }),
      () => ({
        ...selector(),
        ...windowOf(),
        [random.pick(["first", "last"])]: random.pick(PATHS),
        ...operators(false),
      }),
    ],
    patterns: [
      () => ({ sequence: random.list(2, 3, selector), ...(random.chance(0.6) && { gap: length() }), ...within() }),
      () => ({
        ...selector(),
        unless: { ...selector(), ...(random.chance(0.4) && { same: random.list(1, 2, () => random.pick(PATHS)) }) },
        after: random.pick(["0s", "90s", "30m", "1h"]),
        ...(random.chance(0.7) && { within: random.pick(["2h", "6h", "24h", "2d"]) }),
      }),
      () => ({
        ratio: [selector(), selector()],
        ...windowOf(),
        ...(random.chance(0.5) && { min: random.below(3) }),
        ...numbers(2),
      }),
    ],
  };

  const leaf = (): Condition => {
    if (segments.length > SEGMENTS.length + 1 && random.chance(0.15)) return { segment: random.pick(segments) };
    if (leaves.length && random.chance(0.1)) {
      const entries = random.shuffle(Object.entries(random.pick(leaves)));
      const again = Object.fromEntries(entries) as Condition;
      if (!("segment" in again)) return again;
    }
    const kinds = KINDS[random.chance(0.75) ? focus : random.pick(FOCUSES)];
    const made = random.pick(kinds)() as Condition;
    leaves.push(made);
    return made;
  };

  const tree = (depth: number): Condition => {
    const kind = random.below(depth === 0 ? 8 : depth < 3 ? 10 : 100);
    const children = () => random.list(random.chance(0.1) ? 0 : 1, 3, () => tree(depth + 1));
    if (kind === 0) return { all: children() };
    if (kind === 1) return { any: children() };
    return kind === 2 ? { not: tree(depth + 1) } : leaf();
  };
  return tree(0);
}
