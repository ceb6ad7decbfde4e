/** What must not change when a question is put another way: the engine against itself, on random programs. */
import { expect, it } from "vitest";
import type { Condition } from "../../../shared/condition.ts";
import { compile } from "../../../shared/engine/compile.ts";
import { fullLanguage } from "../../../shared/engine/language-edge.ts";
import type { Answer, Rule, Subject } from "../../../shared/engine/types.ts";
import type { HistoryEvent } from "../../../shared/event.ts";
import { CASES } from "./oracle-cases.ts";
import { createRandom, type Random } from "./random.ts";
import { type Draw, FOCUSES, randomProgram } from "./random-program.ts";
import { SEED } from "./seed.ts";

const PROGRAMS = Math.ceil(CASES / 200);

/** Runs the check on random programs of all focuses; what it throws is told with how to replay it. */
function always(name: string, check: (draw: Draw, random: Random) => void): void {
  it(`${name} (seed ${SEED})`, { timeout: 3_600_000 }, () => {
    for (let i = 0; i < PROGRAMS; i++) {
      const random = createRandom(SEED + i);
      const draw = randomProgram(random, FOCUSES[(SEED + i) % FOCUSES.length]!, 2);
      try {
        check(draw, random);
      } catch (error) {
        throw new Error(`ATTUNE_SEED=${SEED + i} ATTUNE_CASES=1 ${JSON.stringify(draw)}`, { cause: error });
      }
    }
  });
}

const answersOf = ({ rules, timeZone, now }: Draw, subject: Subject): Map<string, Answer> => {
  const program = compile(rules, { timeZone }, fullLanguage);
  const answers = program.evaluate(subject, now);
  return new Map(program.keys.map((key, i) => [key, answers[i]!]));
};

/** The same rules, each put another way. */
const rewrite = (draw: Draw, write: (condition: Condition) => Condition): Draw => ({
  ...draw,
  rules: draw.rules.map(({ key, condition }) => ({ key, condition: write(condition) })),
});

/** Rebuilds a condition from its leaves on. */
function rebuild(condition: Condition, write: (condition: Condition) => Condition): Condition {
  const c = condition as { all?: Condition[]; any?: Condition[]; not?: Condition };
  if ("trait" in c || "context" in c || "event" in c || "type" in c) return write(condition);
  if (c.all) return write({ all: c.all.map((child) => rebuild(child, write)) });
  if (c.any) return write({ any: c.any.map((child) => rebuild(child, write)) });
  return write(c.not ? { not: rebuild(c.not, write) } : condition);
}

/** Equal in every answer, `until` included. */
const expectSame = (draw: Draw, other: Draw) => {
  for (const subject of draw.subjects) expect(answersOf(other, subject)).toEqual(answersOf(draw, subject));
};

always("takes a double not, and a group of one, for what is in it", (draw, random) => {
  const wraps = [
    (one: Condition) => ({ not: { not: one } }),
    (one: Condition) => ({ all: [one] }),
    (one: Condition) => ({ any: [one] }),
    (one: Condition) => ({ all: [one, one] }),
    (one: Condition) => ({ any: [one, { any: [] }] }),
  ];
  expectSame(
    draw,
    rewrite(draw, (whole) => rebuild(whole, (one) => (random.chance(0.5) ? random.pick(wraps)(one) : one))),
  );
});

always("keeps De Morgan's laws", (draw) => {
  const swap = (condition: Condition): Condition => {
    const { all, any } = condition as { all?: Condition[]; any?: Condition[] };
    if ("trait" in condition || "context" in condition || "event" in condition || "type" in condition) return condition;
    if (all) return { not: { any: all.map((not) => ({ not })) } };
    return any ? { not: { all: any.map((not) => ({ not })) } } : condition;
  };
  expectSame(
    draw,
    rewrite(draw, (whole) => rebuild(whole, swap)),
  );
});

always("does not mind the order of rules, of parts, or of keys", (draw, random) => {
  const shuffle = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    // Lists of a leaf may be pairs and sequences, so only groups are mixed.
    if (Array.isArray(value)) return value.map(shuffle);
    return Object.fromEntries(random.shuffle(Object.entries(value)).map(([key, child]) => [key, shuffle(child)]));
  };
  const mix = (condition: Condition): Condition => {
    const { all, any } = condition as { all?: Condition[]; any?: Condition[] };
    if (Array.isArray(all)) return { all: random.shuffle(all) };
    return Array.isArray(any) ? { any: random.shuffle(any) } : (shuffle(condition) as Condition);
  };
  const other = rewrite(draw, (whole) => rebuild(whole, mix));
  expectSame(draw, { ...other, rules: random.shuffle(other.rules) });
});

always("decides many rules as each alone with those it refers to", (draw) => {
  const needed = (rule: Rule): Rule[] => {
    const keys = [...JSON.stringify(rule.condition).matchAll(/"segment":"(r\d)"/g)].map(([, key]) => key);
    return draw.rules.filter(({ key }) => keys.includes(key)).flatMap((other) => [other, ...needed(other)]);
  };
  for (const subject of draw.subjects) {
    const together = answersOf(draw, subject);
    for (const rule of draw.rules) {
      const rules = [...new Set([rule, ...needed(rule)])];
      expect(answersOf({ ...draw, rules }, subject).get(rule.key)).toEqual(together.get(rule.key));
    }
  }
});

always(
  "answers the same when asked again, whoever was asked about in between",
  ({ rules, timeZone, now, subjects }) => {
    const program = compile(rules, { timeZone }, fullLanguage);
    const first = subjects.map((subject) => program.evaluate(subject, now));
    for (const subject of subjects) program.evaluate(subject, now + 1);
    expect(subjects.map((subject) => program.evaluate(subject, now))).toEqual(first);
  },
);

always("does not mind events that no rule names, nor the order of those of one instant", (draw, random) => {
  const minds = /"(first|last)":/.test(JSON.stringify(draw.rules));
  const subjects = draw.subjects.map((subject) => {
    const strange = (timestamp: number): HistoryEvent => ({
      type: "alias",
      event: "A",
      timestamp,
      properties: { q: 9 },
    });
    const events = subject.events.flatMap((event) => (random.chance(0.3) ? [event, strange(event.timestamp)] : event));
    for (let i = 1; i < events.length && !minds; i++) {
      const [before, after] = [events[i - 1]!, events[i]!];
      if (before.timestamp === after.timestamp) events.splice(i - 1, 2, after, before);
    }
    return { ...subject, events };
  });
  draw.subjects.forEach((subject, i) => {
    expect(answersOf(draw, subjects[i]!)).toEqual(answersOf(draw, subject));
  });
});

always("without a purpose knows less, and nothing else", (draw) => {
  for (const { consent: _, ...subject } of draw.subjects) {
    const known = answersOf(draw, subject);
    for (const consent of [[], ["analytics"], ["personalization"]] as const) {
      for (const [key, { value }] of answersOf(draw, { ...subject, consent }))
        expect([known.get(key)!.value, "unknown"]).toContain(value);
    }
  }
});
