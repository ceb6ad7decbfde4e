import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TraitFacts, TraitRow } from "../../../edge/db/traits.ts";
import { applyTraits, foldTraits, groupFacts } from "../../../edge/profiles/traits.ts";
import { TRAITS_CHARACTERS, TRAITS_PER_IDENTIFIER } from "../../../shared/limits.ts";
import { SEED } from "../../unit/shared/seed.ts";
import { createSite } from "../site.ts";

const NAMES = ["plan", "city", "__proto__", "constructor", "toString", "a.b", "é"];

interface Saying {
  identifier: string;
  source: string;
  messageId: string;
  at: number;
  traits: { [trait: string]: unknown };
}

/** What a few identifiers and sources say, in few instants: ties are frequent. No message is said twice differently. */
const sayings: fc.Arbitrary<Saying[]> = fc
  .uniqueArray(
    fc.record({
      identifier: fc.constantFrom("userId:u", "anonymousId:a", "anonymousId:b"),
      source: fc.constantFrom("server", "import", "browser", "elsewhere"),
      messageId: fc.constantFrom("m1", "m2", "m3", "m4", "m5", "m6"),
      at: fc.integer({ min: 1, max: 4 }),
      pairs: fc.array(
        fc.tuple(fc.constantFrom(...NAMES), fc.oneof(fc.constant(null), fc.integer(), fc.jsonValue({ maxDepth: 2 }))),
        { maxLength: 4 },
      ),
    }),
    { maxLength: 12, selector: ({ identifier, messageId }) => `${identifier} ${messageId}` },
  )
  .map((list) => list.map(({ pairs, ...rest }) => ({ ...rest, traits: Object.fromEntries(pairs) })));

/** As ingest does: one row per identifier and source, message by message. */
function rowsOf(said: readonly Saying[]): TraitRow[] {
  const rows = new Map<string, TraitRow>();
  for (const { identifier, source, traits, at, messageId } of said) {
    const key = `${identifier} ${source}`;
    const row = rows.get(key) ?? { identifier, source, facts: {} };
    rows.set(key, row);
    row.facts = applyTraits(row.facts, traits, at, messageId).facts;
  }
  return [...rows.values()];
}

/** A source that the site does not know is the weakest. */
const SOURCES = ["server", "import", "browser"];
const RANKS = [...SOURCES, "elsewhere"];

/** The winner by its definition, over all that was ever said. */
function expectedOf(said: readonly Saying[], trait: string): Saying | undefined {
  const counts = (a: Saying, b: Saying) => {
    if (a.at !== b.at) return a.at > b.at;
    if (a.source !== b.source) return RANKS.indexOf(a.source) < RANKS.indexOf(b.source);
    if (a.messageId !== b.messageId) return a.messageId > b.messageId;
    return a.identifier > b.identifier;
  };
  return said
    .filter(({ traits }) => Object.hasOwn(traits, trait))
    .reduce<Saying | undefined>((best, one) => (best && counts(best, one) ? best : one), undefined);
}

describe("of what was said of a trait", () => {
  it("the newest counts, of the same instant the strongest source's, whatever came first, twice or in parts", () => {
    const property = fc.property(sayings, fc.infiniteStream(fc.nat()), (said, numbers) => {
      const draw = () => numbers.next().value!;
      const shuffled = [...said, ...said.filter(() => draw() % 3 === 0)]
        .map((one) => [draw(), one] as const)
        .sort(([a], [b]) => a - b)
        .map(([, one]) => one);
      const rows = rowsOf(shuffled).reverse();
      const folded = foldTraits(rows, SOURCES);
      expect(folded).toEqual(foldTraits(rowsOf(said), SOURCES));
      for (const trait of NAMES) {
        const expected = expectedOf(said, trait);
        const value = expected?.traits[trait] ?? null;
        expect(Object.hasOwn(folded.traits, trait)).toBe(value !== null);
        if (!expected || value === null) continue;
        const { identifier, source, at, messageId } = expected;
        expect(JSON.stringify(folded.traits[trait])).toBe(JSON.stringify(value));
        expect(folded.sources.get(trait)).toMatchObject({ identifier, source, at, messageId });
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 400 });
  });

  it("is the same when people are united in another order", () => {
    const property = fc.property(sayings, (said) => {
      const apart = (identifier: string) => rowsOf(said.filter((one) => one.identifier === identifier));
      const united = ["anonymousId:b", "userId:u", "anonymousId:a"].flatMap(apart);
      expect(groupFacts(united, SOURCES)).toEqual(groupFacts(rowsOf(said), SOURCES));
    });
    fc.assert(property, { seed: SEED, numRuns: 200 });
  });

  it("an older value does not come back from behind what unset it", () => {
    const facts = [
      { traits: { plan: null }, at: 2 },
      { traits: { plan: "old" }, at: 1 },
    ].reduce<TraitFacts>((facts, { traits, at }, i) => applyTraits(facts, traits, at, `m${i}`).facts, {});
    const row = { identifier: "userId:u", source: "server", facts };
    expect(foldTraits([row], SOURCES).traits).toEqual({});
    expect(
      foldTraits([row, { identifier: "anonymousId:a", source: "browser", facts: { plan: ["new", 3, "m"] } }], SOURCES)
        .traits,
    ).toEqual({ plan: "new" });
  });

  it("goes by another order of sources where a site has one", () => {
    const rows: TraitRow[] = ["server", "browser"].map((source) => ({
      identifier: "userId:u",
      source,
      facts: { plan: [source, 1, "m"] },
    }));
    expect(foldTraits(rows, SOURCES).traits).toEqual({ plan: "server" });
    expect(foldTraits(rows, ["browser", "server"]).traits).toEqual({ plan: "browser" });
    expect(foldTraits(rows, ["browser"]).traits).toEqual({ plan: "browser" });
  });
});

it.each([
  [["server", "import", "browser"], "server"],
  [["browser", "import", "server"], "browser"],
] as const)("goes by the site's own order of sources, %j, in what it decides", async (sources, expected) => {
  const condition = { trait: "plan", eq: expected };
  const site = await createSite({
    segments: [{ key: "expected", condition }],
    settings: { identity: { sources: [...sources] } },
  });
  const timestamp = new Date(Date.now() - 1_000).toISOString();
  const message = (plan: string) => ({ type: "identify", userId: "u", messageId: plan, timestamp, traits: { plan } });
  await site.post("/v1/batch", { batch: [message("server")] });
  await site.post("/v1/batch", { batch: [message("browser")] }, { origin: "https://shop.example" });
  expect(await site.rows("SELECT segment_key FROM memberships WHERE site_id = ?1")).toHaveLength(1);
});

describe("the traits of one identifier", () => {
  const many = (from: number, count: number, value: unknown = 1) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`t${from + i}`, value]));

  it("stay as they are where there is no room, and what is known can still change", () => {
    const { facts } = applyTraits({}, many(0, TRAITS_PER_IDENTIFIER), 1, "a");
    const next = applyTraits(facts, { ...many(400, 200), new: 1, t0: "changed" }, 2, "b");
    expect(Object.keys(next.facts)).toEqual(Object.keys(facts));
    expect(next.leftOut).toEqual({ unnamed: [], full: [...Object.keys(many(500, 100)), "new"] });
    expect(next.facts["t0"]).toEqual(["changed", 2, "b"]);
    expect(next.facts["t499"]).toEqual([1, 2, "b"]);
  });

  it("make room where some of them are unset, the longest unset first", () => {
    const { facts } = applyTraits({}, many(0, TRAITS_PER_IDENTIFIER), 1, "a");
    const second = applyTraits(facts, { t7: null }, 2, "b").facts;
    const unset = applyTraits(second, { t3: null }, 3, "c").facts;
    const one = applyTraits(unset, { new: 1 }, 4, "d");
    expect(one.leftOut.full).toEqual([]);
    expect(Object.keys(one.facts)).not.toContain("t7");
    expect(one.facts["t3"]).toEqual([null, 3, "c"]);
    const two = applyTraits(one.facts, { newer: 1, newest: 1 }, 5, "e");
    expect(two.leftOut.full).toEqual(["newest"]);
    expect(Object.keys(two.facts)).toHaveLength(TRAITS_PER_IDENTIFIER);
  });

  it("take at most so many characters, whatever is in them", () => {
    const property = fc.property(
      fc.array(fc.tuple(fc.string({ maxLength: 20 }), fc.constantFrom(1, 40, 4_000, 20_000, 40_000)), {
        maxLength: 30,
      }),
      (pairs) => {
        let facts: TraitFacts = {};
        pairs.forEach(([name, size], i) => {
          const before = facts;
          const applied = applyTraits(facts, { [name]: "é\n".repeat(size / 2) }, i, `m${i}`);
          facts = applied.facts;
          expect(JSON.stringify(facts).length).toBeLessThanOrEqual(TRAITS_CHARACTERS + 2);
          if (applied.leftOut.full.length) expect(facts).toEqual(before);
        });
      },
    );
    fc.assert(property, { seed: SEED, numRuns: 100 });
  });

  it("have names that every store gives back as they were", () => {
    const { facts, leftOut } = applyTraits(
      {},
      { "": 1, "\ud800": 1, "a\u0000": 1, ["x".repeat(257)]: 1, " ": 1, "💥": 1, ["__proto__"]: 1 },
      1,
      "m",
    );
    expect(Object.keys(facts)).toEqual([" ", "💥", "__proto__"]);
    expect(leftOut.unnamed).toEqual(["", "\ud800", "a\u0000", "x".repeat(257)]);
    expect(Object.getPrototypeOf(facts)).toBe(Object.prototype);
  });

  it("are what is read again: an endless number unsets, as its message says once it is stored", () => {
    const traits = JSON.parse('{"endless":1e999,"list":[-1e999,-0],"large":1e300}');
    const { facts } = applyTraits({}, traits, 1, "m");
    expect(facts).toEqual({ endless: [null, 1, "m"], list: [[null, 0], 1, "m"], large: [1e300, 1, "m"] });
    expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
  });

  it("are the very same where nothing new is said", () => {
    const { facts } = applyTraits({}, { plan: "pro" }, 2, "b");
    expect(applyTraits(facts, { plan: "old" }, 1, "c").facts).toBe(facts);
    expect(applyTraits(facts, { plan: "pro" }, 2, "b").facts).toBe(facts);
    expect(applyTraits(facts, {}, 3, "d").facts).toBe(facts);
  });
});
