/** What is said of a slot holds until it says: whatever its blocks' schedules, priorities, caps and audiences. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { decideSlots, NOBODY, type Viewer } from "../../../edge/blocks/decide.ts";
import { buildLiveSite } from "../../../edge/manifest/live.ts";
import type { Condition } from "../../../shared/condition.ts";
import type { HistoryEvent } from "../../../shared/event.ts";
import type { Manifest, ManifestBlock } from "../../../shared/manifest.ts";
import { SEED } from "../../unit/shared/seed.ts";

const HOUR_MS = 3_600_000;
const T = Date.parse("2026-03-29T00:00:00Z");
const SPAN_HOURS = 96;

const wall = fc
  .integer({ min: 0, max: SPAN_HOURS * 4 })
  .map((n) => new Date(T + n * 900_000).toISOString().slice(0, 16));
const schedule = fc
  .tuple(fc.option(wall, { nil: undefined }), fc.option(wall, { nil: undefined }))
  .map(([from, to]) => ({ ...(from && { from }), ...(to && { to }) }));
const audience: fc.Arbitrary<Condition | null> = fc.oneof(
  fc.constant(null),
  fc.record({ event: fc.constantFrom("A", "B"), within: fc.constantFrom("1h", "6h", "2d") }),
  fc.record({ trait: fc.constant("plan"), eq: fc.constantFrom("pro", "free") }),
  fc.constant({ time: { from: "09:00", to: "17:00" } }),
);
const block = fc.record({
  variants: fc.array(audience, { minLength: 1, maxLength: 3 }),
  schedule,
  priority: fc.integer({ min: -1, max: 1 }),
  cap: fc.option(fc.record({ times: fc.integer({ min: 1, max: 3 }), within: fc.constantFrom("2h", "1d") }), {
    nil: undefined,
  }),
  fallback: fc.option(fc.constant("fallback"), { nil: null }),
});
const event = fc.tuple(
  fc.constantFrom("A", "B", "Attune Exposure"),
  fc.integer({ min: -48, max: SPAN_HOURS }),
  fc.nat(3),
);

it("holds in each instant before its until", { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(
      fc.array(block, { minLength: 1, maxLength: 4 }),
      fc.array(event, { maxLength: 8 }),
      fc.constantFrom("UTC", "Europe/Berlin", "America/St_Johns"),
      fc.integer({ min: 0, max: SPAN_HOURS * HOUR_MS }),
      fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 4, maxLength: 4 }),
      (blocks, events, timeZone, after, parts) => {
        const now = T + after;
        const live = buildLiveSite(manifestOf(blocks, timeZone));
        const history = events
          .map(
            ([event, hour, block]): HistoryEvent => ({
              ...{ type: "track", event, timestamp: T + hour * HOUR_MS, properties: { block: `b${block}` } },
            }),
          )
          .filter(({ timestamp }) => timestamp <= now)
          .sort((a, b) => a.timestamp - b.timestamp);
        const viewer: Viewer = { ...NOBODY, events: history, traits: { plan: "pro" } };
        const ask = (at: number) => {
          const { decision, until, html } = decideSlots(live, ["hero"], viewer, undefined, at)["hero"]!;
          return { said: [decision.block, decision.variant, decision.reason, html], until };
        };
        const first = ask(now);
        const until = first.until ?? now + 400 * 24 * HOUR_MS;
        expect(until).toBeGreaterThan(now);
        for (const at of [...parts.map((part) => now + Math.floor(part * (until - now))), until - 1])
          expect(ask(at).said).toEqual(first.said);
      },
    ),
    { seed: SEED, numRuns: Number(process.env["ATTUNE_CASES"] ?? 300) },
  );
});

function manifestOf(
  blocks: {
    variants: (Condition | null)[];
    schedule: object;
    priority: number;
    cap?: ManifestBlock["cap"];
    fallback: string | null;
  }[],
  timeZone: string,
): Manifest {
  return {
    ...{ siteId: "s1", version: 1, publishedAt: T, rules: { version: 1, at: T }, segments: [] },
    settings: { timeZone, consentDefault: "full", origins: [] },
    blocks: blocks.map(({ variants, cap, ...rest }, index) => ({
      key: `b${index}`,
      slot: "hero",
      version: 1,
      ...rest,
      ...(cap && { cap }),
      variants: variants.map((audience, index) => ({ key: `v${index}`, audience, template: `v${index}` })),
    })),
  };
}
