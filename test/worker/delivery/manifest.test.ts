/** `GET /v1/manifest/:writeKey`: the bytes that every visitor of a site downloads. */
import { exports } from "cloudflare:workers";
import { expect, it } from "vitest";
import { browserLanguage } from "../../../client/runtime/rules.ts";
import { compile } from "../../../shared/engine/compile.ts";
import type { PublicManifest } from "../../../shared/manifest.ts";
import { createSite, type TestSegment } from "../site.ts";

const SEGMENTS = 50;
const CONSENT = ["analytics", "personalization"] as const;

/** Public ones that a browser can decide, that it cannot, and that lean on private ones; and as many private ones. */
const segments: TestSegment[] = Array.from({ length: SEGMENTS }, (_, i): TestSegment[] => [
  { key: `private-${i}`, visibility: "private", condition: { trait: `secret-${i}`, eq: `hidden ${i}` } },
  [
    { key: `viewed-${i}`, condition: { type: "track", event: "Viewed", where: { id: { eq: i } }, within: "30d" } },
    { key: `sampled-${i}`, condition: { sample: { seed: `seed-${i}`, from: 0, to: 0.1 } } },
    { key: `leaning-${i}`, condition: { any: [{ segment: `private-${i - 3}` }, { event: "Viewed" }] } },
    { key: `leaning-twice-${i}`, condition: { not: { segment: `leaning-${i - 1}` } } },
    { key: `pair-${i}`, condition: { all: [{ segment: `viewed-${i - 4}` }, { event: "Viewed", count: { gte: 2 } }] } },
  ][i % 5] as TestSegment,
]).flat();

it("holds of 50 public and 50 private segments what a browser can decide, and not a word of the others", async () => {
  const site = await createSite({
    segments,
    blocks: [
      { slot: "hero", variants: [{ key: "v", audience: { segment: "private-1" }, template: "<p>Only you</p>" }] },
    ],
  });
  const response = await exports.default.fetch(`https://edge.example/v1/manifest/${site.writeKey}`);
  const text = await response.text();
  const manifest = JSON.parse(text) as PublicManifest;

  expect(text).not.toMatch(/private|secret|hidden|sampled|seed|leaning|hero|Only you|visibility|name|track/);
  expect(manifest.partial).toBe(true);
  expect(manifest.segments.map(({ key }) => key)).toEqual(
    segments
      .map(({ key }) => key)
      .filter((key) => /^(viewed|pair)-/.test(key))
      .sort(),
  );
  // Every byte beyond keys and conditions is the same for all sites.
  const rules = JSON.stringify(manifest.segments).length;
  expect(text.length - rules).toBeLessThan(100);

  // Nothing that was shipped is unknown there.
  const events = [{ type: "track" as const, event: "Viewed", timestamp: 0, properties: { id: 0 } }];
  const subject = { traits: {}, events, consent: CONSENT };
  const answers = compile(manifest.segments, manifest, browserLanguage).evaluate(subject, 1);
  expect(answers.map(({ value }) => value)).toEqual(manifest.segments.map(({ key }) => key === "viewed-0"));
});

it("does not say that the edge has more to tell where it has not", async () => {
  const site = await createSite({
    segments: [{ key: "seen", condition: { event: "Viewed" } }],
    settings: { consentRegion: "everywhere" },
  });
  const response = await exports.default.fetch(`https://edge.example/v1/manifest/${site.writeKey}`);
  expect(await response.json()).toEqual({
    version: 1,
    timeZone: "UTC",
    consentDefault: "full",
    segments: [{ key: "seen", condition: { event: "Viewed" } }],
  });
});
