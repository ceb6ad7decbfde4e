/** Random rules over the sixteen traits of random profiles, in a form that is nobody's own, so that each engine gets its translation. */
import { createRandom } from "../../unit/shared/random.ts";

export type TraitRule =
  | { op: "all" | "any"; of: TraitRule[] }
  | { op: "not"; of: TraitRule }
  | { op: "eq"; trait: string; value: string | boolean }
  | { op: "ne"; trait: string; value: string }
  | { op: "in"; trait: string; value: string[] }
  | { op: "gt" | "gte" | "lt" | "lte"; trait: string; value: number }
  /** An element of the list. */
  | { op: "has"; trait: string; value: string };

export type Profile = {
  id: string;
  traits: { [trait: string]: string | number | boolean | string[] };
  events: [];
};

/** Trait → its values are below. */
const WHOLE_NUMBERS = { age: 80, orders: 25, sessions: 120, days_since_seen: 90 };
const NUMBERS: { [trait: string]: number } = { ...WHOLE_NUMBERS, lifetime_value: 2_000, cart_value: 400, score: 100 };
const WORDS: { [trait: string]: string[] } = {
  plan: ["free", "starter", "pro", "business", "enterprise"],
  country: ["de", "fr", "us", "gb", "it", "es", "pl", "nl", "se", "jp"],
  device: ["mobile", "desktop", "tablet"],
  source: ["google", "newsletter", "direct", "facebook", "partner", "bing"],
  city: ["berlin", "paris", "london", "rome", "warsaw"],
  language: ["de", "fr", "en", "it", "pl"],
};
const FLAGS = ["newsletter", "logged_in"];
const TAGS = "vip b2b sport outdoor kids home garden tech gift sale-hunter churn-risk returner".split(" ");

type Random = ReturnType<typeof createRandom>;

export function buildProfiles(count: number): Profile[] {
  const random = createRandom(1);
  return Array.from({ length: count }, (_, index) => ({
    id: `profile-${index}`,
    traits: {
      ...mapValues(NUMBERS, (limit, trait) =>
        Object.hasOwn(WHOLE_NUMBERS, trait) ? random.below(limit) : random.below(limit * 100) / 100,
      ),
      ...mapValues(WORDS, (words) => random.pick(words)),
      ...Object.fromEntries(FLAGS.map((trait) => [trait, random.chance(0.5)])),
      tags: TAGS.filter(() => random.chance(0.25)),
    },
    events: [],
  }));
}

export function buildTraitRules(count: number): TraitRule[] {
  const random = createRandom(2);
  const part = (): TraitRule => {
    if (random.chance(0.25)) return { op: "any", of: [leaf(random), leaf(random)] };
    return random.chance(0.1) ? { op: "not", of: leaf(random) } : leaf(random);
  };
  return Array.from({ length: count }, () => ({
    op: random.chance(0.85) ? "all" : "any",
    of: random.list(2, 4, part),
  }));
}

function leaf(random: Random): TraitRule {
  const words = random.pick(Object.keys(WORDS));
  const number = random.pick(Object.keys(NUMBERS));
  const kinds: [weight: number, make: () => TraitRule][] = [
    [
      35,
      () => ({
        op: random.pick(["gt", "gte", "lt", "lte"]),
        trait: number,
        value: Math.round(NUMBERS[number]! * (0.15 + random.below(70) / 100)),
      }),
    ],
    [20, () => ({ op: "eq", trait: words, value: random.pick(WORDS[words]!) })],
    [10, () => ({ op: "ne", trait: words, value: random.pick(WORDS[words]!) })],
    [17, () => ({ op: "in", trait: words, value: [...new Set(random.list(2, 4, () => random.pick(WORDS[words]!)))] })],
    [10, () => ({ op: "has", trait: "tags", value: random.pick(TAGS) })],
    [8, () => ({ op: "eq", trait: random.pick(FLAGS), value: random.chance(0.5) })],
  ];
  return random.pick(kinds.flatMap(([weight, make]) => Array(weight).fill(make) as (() => TraitRule)[]))();
}

function mapValues<V, R>(object: { [key: string]: V }, change: (value: V, key: string) => R): { [key: string]: R } {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value, key)]));
}
