/** What is said of each variant is what was decided: for random slots, people, consents and times. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideSlots } from "../../../edge/blocks/decide.ts";
import { explainDecision, explainVariants, type VariantWhy } from "../../../edge/blocks/explain.ts";
import { buildLiveSite } from "../../../edge/manifest/live.ts";
import { buildAsking } from "../../../edge/preview/preview.ts";
import type { Condition } from "../../../shared/condition.ts";
import type { Decision } from "../../../shared/decision.ts";
import type { Subject } from "../../../shared/engine/types.ts";
import type { HistoryEvent } from "../../../shared/event.ts";
import type { Manifest, ManifestBlock } from "../../../shared/manifest.ts";

const HOUR_MS = 3_600_000;
const T = Date.parse("2026-06-01T12:00:00Z");
const VIEWED: Condition = { event: "Viewed", within: "24h", count: { gte: 2 } };
const SEGMENTS: { [key: string]: Condition } = { pros: { trait: "plan", eq: "pro" }, viewers: VIEWED };

function decide(blocks: ManifestBlock[], subject: Subject, now = T) {
  const settings = { timeZone: "Europe/Berlin", consentDefault: "full" as const, origins: [] };
  const manifest: Manifest = {
    ...{ siteId: "s1", name: "Shop", version: 1, publishedAt: T, rules: { version: 1, at: T } },
    settings,
    segments: Object.entries(SEGMENTS).map(([key, condition]) => ({
      ...{ key, name: key, kind: "dynamic" as const, condition, visibility: "private" as const, version: 1 },
    })),
    blocks,
  };
  const live = buildLiveSite(manifest);
  const slot = live.slots.get("hero")!;
  const asking = buildAsking(live, subject, slot.segmentKeys, now);
  const answer = decideSlots(live, ["hero"], asking.viewer, subject.context, now)["hero"]!;
  return {
    decision: answer.decision,
    why: explainVariants(slot, answer, asking),
    says: explainDecision(answer, asking),
  };
}

const happened = (event: string, hoursAgo: number, properties = {}): HistoryEvent => ({
  ...{ type: "track", event, timestamp: T - hoursAgo * HOUR_MS, properties },
});

const audience = fc.constantFrom<Condition | null>(
  null,
  { trait: "plan", eq: "pro" },
  { segment: "pros" },
  { segment: "viewers" },
  { segment: "gone" },
  { not: { segment: "viewers" } },
  VIEWED,
  { all: [{ trait: "plan", exists: true }, { segment: "viewers" }] },
  { any: [{ segment: "pros" }, VIEWED] },
);
const wall = fc.constantFrom("2026-05-31T00:00", "2026-06-01T13:00", "2026-06-01T15:00", "2026-06-03T00:00");
const block = fc.record({
  audiences: fc.array(audience, { maxLength: 3 }),
  fallback: fc.constantFrom(null, "fallback"),
  schedule: fc.option(
    fc.record({ from: wall, to: wall }, { requiredKeys: [] }).filter(({ from = "", to = "9" }) => from < to),
    { nil: undefined },
  ),
  cap: fc.option(fc.record({ times: fc.integer({ min: 1, max: 2 }), within: fc.constantFrom("6h", "7d") }), {
    nil: undefined,
  }),
  priority: fc.integer({ min: 0, max: 1 }),
});
const slot = fc.array(block, { minLength: 1, maxLength: 3 }).map((blocks) =>
  blocks.map(
    ({ audiences, schedule, cap, ...rest }, index): ManifestBlock => ({
      ...rest,
      ...(schedule && { schedule: schedule as { from?: string; to?: string } }),
      ...(cap && { cap }),
      ...{ key: `b${index}`, slot: "hero", version: 1 },
      variants: audiences.map((audience, index) => ({ key: `v${index}`, audience, template: "{{ customer.plan }}" })),
    }),
  ),
);
const event = fc.oneof(
  fc.integer({ min: 0, max: 40 }).map((hours) => happened("Viewed", hours)),
  fc
    .tuple(fc.integer({ min: 0, max: 40 }), fc.constantFrom("b0", "b1"))
    .map(([hours, block]) => happened("Attune Exposure", hours, { block })),
);
const subject: fc.Arbitrary<Subject> = fc
  .record({
    traits: fc.constantFrom({}, { plan: "pro" }, { plan: "free" }),
    events: fc.array(event, { maxLength: 5 }),
    consent: fc.constantFrom(undefined, [], ["analytics"], ["personalization"], ["analytics", "personalization"]),
  })
  .map(({ traits, events, consent }) => ({
    ...{ id: "x", traits, events: events.sort((a, b) => a.timestamp - b.timestamp) },
    ...(consent && { consent: consent as Subject["consent"] & object }),
  }));

const nameOf = ({ block, variant }: Pick<VariantWhy | Decision, "block" | "variant">) => `${block}/${variant}`;
const find = (rows: VariantWhy[], { block, variant }: VariantWhy) =>
  rows.find((row) => row.block === block && row.variant === variant)!;

describe("of any slot and anybody", () => {
  const holds = (check: (blocks: ManifestBlock[], subject: Subject, answer: ReturnType<typeof decide>) => void) =>
    fc.assert(
      fc.property(slot, subject, (blocks, subject) => check(blocks, subject, decide(blocks, subject))),
      { numRuns: 300 },
    );

  it("the one that is decided is the only one that is chosen, and those before it were asked in vain", () => {
    holds((_, __, { decision, why }) => {
      const chosen = why.filter(({ reason }) => reason === "chosen");
      expect(chosen.map(nameOf)).toEqual(decision.variant === null ? [] : [nameOf(decision)]);
      const at = why.findIndex(({ reason }) => reason === "chosen");
      why.forEach(({ reason, value, says }, index) => {
        expect(says).toMatch(/^(Shown|Not shown|Not asked): .+\.$/);
        const isBefore = at < 0 || index < at;
        const expected = index === at ? [true] : isBefore ? [false, "unknown"] : ["not-asked"];
        expect(reason === "schedule" ? ["not-asked"] : expected).toContain(value);
        if (reason !== "schedule") expect(reason === "earlier-variant").toBe(!isBefore && index !== at);
      });
    });
  });

  it("who is not in time is so until the time that is told, and no longer", () => {
    holds((blocks, subject, { why }) => {
      for (const row of why.filter(({ reason, until }) => reason === "schedule" && until !== null)) {
        expect(find(decide(blocks, subject, row.until! - 1).why, row).reason).toBe("schedule");
        expect(find(decide(blocks, subject, row.until!).why, row).reason).not.toBe("schedule");
      }
    });
  });

  it("without exposures no cap keeps anything back, and with consent nothing is unknown for want of it", () => {
    holds((blocks, subject, { why }) => {
      const events = subject.events.filter(({ event }) => event !== "Attune Exposure");
      const { consent: _, ...allowing } = subject;
      for (const row of why) {
        if (row.reason === "cap") expect(find(decide(blocks, { ...subject, events }).why, row).reason).not.toBe("cap");
        if (row.reason === "consent") {
          expect(subject.consent).toBeDefined();
          expect(find(decide(blocks, allowing).why, row).reason).not.toBe("consent");
        }
      }
    });
  });

  it("the first of those that were not asked and hold by themselves is next, once the chosen one is gone", () => {
    holds((blocks, subject, { decision, why }) => {
      if (decision.variant === null) return;
      const next = why.find((row) => row.reason === "earlier-variant" && (row.why?.value ?? true) === true);
      const without = blocks.map((block) => ({
        ...block,
        variants: block.variants.filter(({ key }) => nameOf({ block: block.key, variant: key }) !== nameOf(decision)),
      }));
      const after = decide(without, subject).decision;
      // A membership that is not known is none: what its trace leaves open may hold.
      if (next && !why.some((row) => row.why?.value === "unknown")) expect(nameOf(after)).toBe(nameOf(next));
    });
  });

  it("what is told of each variant stays so until the first of the times that are told", () => {
    holds((blocks, subject, { why }) => {
      const until = Math.min(...why.map(({ until }) => until ?? Infinity));
      if (until === Infinity) return;
      expect(until).toBeGreaterThan(T);
      // Which of the two says no may change while both do.
      const told = (rows: VariantWhy[]) =>
        rows.map(({ value, reason }) => [value, reason === "cap" ? "audience" : reason]);
      expect(told(decide(blocks, subject, until - 1).why)).toEqual(told(why));
    });
  });

  it("nothing changes by time alone before the decision's until", () => {
    holds((blocks, subject, { decision }) => {
      const { until } = decision;
      if (until === null || until <= T) return;
      for (const at of [T + 1, Math.floor((T + until) / 2), until - 1])
        expect(nameOf(decide(blocks, subject, at).decision)).toBe(nameOf(decision));
    });
  });
});

describe("the sentence", () => {
  const one = (variants: ManifestBlock["variants"], changes: Partial<ManifestBlock> = {}): ManifestBlock => ({
    ...{ key: "b", slot: "hero", variants, fallback: null, version: 1 },
    ...changes,
  });
  const variant = (key: string, audience: Condition | null, template = key) => ({ key, audience, template });
  const saysOf = (blocks: ManifestBlock[], subject: Partial<Subject> = {}) => {
    const { why, says } = decide(blocks, { traits: {}, events: [], ...subject });
    return [says, ...why.map((row) => row.says)];
  };

  it("names what was found of a trait, and what was found of a segment's rule", () => {
    const blocks = [one([variant("pro", { trait: "plan", eq: "pro" }), variant("seen", { segment: "viewers" })])];
    expect(saysOf(blocks, { traits: { plan: "free" }, events: [happened("Viewed", 1)] })).toEqual([
      "No variant is for this person now: the page's own content stays.",
      'Not shown: plan is "pro": no (it is "free").',
      expect.stringMatching(
        /^Not shown: is in the segment "viewers": no; "viewers" means: did "Viewed" at least 2 times in the last 24 hours: no \(1 time so far, 1 more needed/,
      ),
    ]);
  });

  it("says until when a cap keeps a block back, and of a capped one how often it was shown", () => {
    const blocks = [one([variant("a", null)], { cap: { times: 2, within: "7d" } })];
    const seen = (...hours: number[]) => ({
      events: hours.map((it) => happened("Attune Exposure", it, { block: "b" })),
    });
    expect(saysOf(blocks, seen(30, 5))[1]).toBe(
      "Not shown: it was shown 2 times in the last 7 days, and its cap allows 2 times, until Sun 7 Jun 2026 08:00.",
    );
    expect(saysOf(blocks, seen(5))[1]).toBe(
      "Shown: it is for everyone; it was shown 1 time in the last 7 days, and its cap allows 2 times.",
    );
    expect(saysOf(blocks, { ...seen(5), consent: ["personalization"] })[1]).toBe(
      "Not shown: it is for everyone; how often it was shown is not known without consent for analytics.",
    );
    const pros = [one([variant("a", { trait: "plan", eq: "pro" })], { cap: { times: 2, within: "7d" } })];
    expect(saysOf(pros, seen(5))[1]).toBe('Not shown: plan is "pro": no (not known).');
    expect(saysOf(blocks, seen(5))[0]).toBe('"a" of "b" is shown, at most 2 times in 7 days.');
  });

  it("says when a time begins and ended, on the site's clock", () => {
    const blocks = [
      one([variant("a", null)], { key: "soon", schedule: { from: "2026-06-02T09:00" } }),
      one([variant("a", null)], { key: "over", schedule: { to: "2026-06-01T09:00" } }),
    ];
    expect(saysOf(blocks)).toEqual([
      "No block of this slot is in its time: the page's own content stays, at least until Tue 2 Jun 2026 09:00 if nothing new happens.",
      "Not asked: its time ended on Mon 1 Jun 2026 09:00.",
      "Not asked: its time begins on Tue 2 Jun 2026 09:00.",
    ]);
  });

  it("tells a want of consent from a no, and an unknown membership from none", () => {
    const blocks = [
      one([variant("pro", { trait: "plan", eq: "pro" }), variant("new", { not: { segment: "viewers" } })]),
    ];
    const nobody = { traits: { plan: "pro" }, events: [] };
    const { why: nothing } = decide(blocks, { ...nobody, consent: [] });
    expect(nothing.map(({ value, reason }) => [value, reason])).toEqual([
      ["unknown", "consent"],
      ["unknown", "consent"],
    ]);
    expect(nothing[0]!.says).toContain("not allowed: it needs consent for personalization");
    const viewersOnly = [
      one([variant("seen", { segment: "viewers" }), variant("new", { not: { segment: "viewers" } })]),
    ];
    const { why } = decide(viewersOnly, { ...nobody, consent: ["personalization"] });
    expect(why.map(({ value, reason }) => [value, reason])).toEqual([
      [false, "consent"],
      [true, "chosen"],
    ]);
    expect(why[1]!.says).toMatch(/a membership that is not known counts as none, so: yes\.$/);
  });

  it("says of the others that they were not asked, and what they would have answered", () => {
    const blocks = [one([variant("all", null), variant("pro", { trait: "plan", eq: "pro" })])];
    expect(saysOf(blocks)).toEqual([
      '"all" of "b" is shown.',
      "Shown: it is for everyone.",
      'Not asked: "all" of "b" comes before it; by itself: plan is "pro": no (not known).',
    ]);
  });

  it("says why a chosen template cannot be rendered", () => {
    const endless = "{% for i in (1..99999999) %}a{% endfor %}";
    const { why, says, decision } = decide([one([variant("a", null, endless)])], { traits: {}, events: [] });
    expect(decision).toMatchObject({ reason: "error", variant: null });
    expect(why).toMatchObject([{ reason: "error", value: true }]);
    expect([says, why[0]!.says]).toEqual([
      expect.stringMatching(/^"a" of "b" cannot be rendered \(.+\): the page's own content stays\.$/),
      expect.stringMatching(/^Chosen, but it cannot be rendered: .+\.$/),
    ]);
  });
});
