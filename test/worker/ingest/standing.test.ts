/** Decisions that go on from the ones before are those that a fresh look at everything stored would make. */
import { expect, it } from "vitest";
import { readSite } from "../../../edge/manifest/read.ts";
import { readProfileView } from "../../../edge/profiles/read.ts";
import { createRandom } from "../../unit/shared/random.ts";
import { bindings, createSite, track } from "../site.ts";

const MINUTE_MS = 60_000;
const STEPS = 120;

it("decides event by event as from all events at once: late ones, traits and second devices included", {
  timeout: 60_000,
}, async () => {
  const names = ["Product Viewed", "Product Added", "Order Completed"];
  const site = await createSite({
    segments: [
      ...names.flatMap((event) =>
        [1, 3, 8, 20].map((count) => ({
          key: `${event.toLowerCase().replace(" ", "-")}-${count}`,
          condition: { event, count: { gte: count }, within: "65m" },
        })),
      ),
      { key: "spent", condition: { event: "Order Completed", sum: "revenue", gte: 50, lt: 400, within: "125m" } },
      { key: "skus", condition: { event: "Product Viewed", distinct: "sku", gte: 4, within: "35m" } },
      { key: "abandoned", condition: { event: "Product Added", unless: { event: "Order Completed" }, after: "15m" } },
      { key: "pro", condition: { trait: "plan", eq: "pro" } },
      { key: "keen", condition: { all: [{ segment: "skus" }, { trait: "plan", eq: "pro" }] } },
      { key: "not-keen", condition: { not: { segment: "keen" } } },
    ],
  });
  const random = createRandom(20261122);
  const now = Date.now();
  const seen = new Set<string>();
  for (let step = 0; step < STEPS; step++) {
    // In order for the most part, ten minutes apart: no window ends while this runs.
    const tens = random.chance(0.2) ? random.below(15) : Math.floor(15 * (1 - step / STEPS));
    const timestamp = new Date(now - tens * 10 * MINUTE_MS);
    const properties = { sku: random.below(6), revenue: random.below(4000) / 100 };
    const who = step > 40 && random.chance(0.4) ? { anonymousId: "a2", userId: "u1" } : { anonymousId: "a1" };
    const messages: object[] = [track(random.pick(names), properties, { timestamp, ...who })];
    const isNamed = step > 20 && random.chance(0.3);
    const identify = { type: "identify", anonymousId: "a1", userId: "u1", messageId: `i${step}`, timestamp };
    if (isNamed) messages.push({ ...identify, traits: { plan: random.pick(["pro", "free"]) } });
    expect(await site.batch(messages)).toMatchObject({ accepted: messages.length });

    const live = await readSite(bindings, site.id, Date.now());
    const fresh = await readProfileView(bindings.DB, live!, { identifier: "anonymousId:a1" }, Date.now());
    const [row] = await site.rows<{ decisions: string }>(
      `SELECT decisions FROM profiles WHERE site_id = ?1 AND merged_into IS NULL AND id IN (
         SELECT profile_id FROM identifiers WHERE site_id = ?1 AND identifier = 'anonymousId:a1')`,
    );
    const stored = Object.entries(JSON.parse(row!.decisions) as { [key: string]: [number, number | null] });
    const sorted = (list: [string, number | null][]) => list.sort(([a], [b]) => (a < b ? -1 : 1));
    expect(sorted(stored.map(([key, [, until]]) => [key, until])), `step ${step}`).toEqual(
      sorted(fresh!.segments.map(({ key, until }) => [key, until])),
    );
    for (const [key] of stored) seen.add(key);
  }
  expect(seen.size).toBeGreaterThan(10);
});
