import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { createSite, type TestSite } from "../site.ts";

let site: TestSite;
beforeAll(async () => {
  site = await createSite({
    segments: [
      { key: "any", condition: { event: "E", where: { "a.b": { gte: 1 } }, within: "1h" } },
      { key: "trait", condition: { trait: "t", contains: "x" } },
    ],
    blocks: [
      {
        slot: "s",
        variants: [{ key: "v", audience: { segment: "any" }, template: "{{ customer.t | default: 'x' }}" }],
      },
    ],
  });
});

const names = [
  "__proto__",
  "constructor",
  "toString",
  "email",
  "userId",
  "a",
  "b",
  "t",
  "within",
  "\u0000",
  "💥",
  "\ud800",
];
const anything = fc.anything({
  key: fc.constantFrom(...names),
  maxDepth: 3,
  values: [
    fc.string({ unit: "binary" }),
    fc.double(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom(...names),
  ],
});
const message = fc.record(
  {
    type: fc.constantFrom("track", "page", "screen", "identify", "alias", "group"),
    messageId: fc.oneof(fc.uuid(), anything),
    anonymousId: fc.oneof(fc.constantFrom("x", "y"), anything),
    userId: fc.oneof(fc.constantFrom("u", "v"), anything),
    previousId: fc.oneof(fc.constantFrom("x", "u"), anything),
    groupId: anything,
    event: fc.oneof(fc.constant("E"), anything),
    name: anything,
    timestamp: fc.oneof(
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      anything,
    ),
    sentAt: anything,
    properties: fc.oneof(fc.object({ key: fc.constantFrom(...names) }), anything),
    traits: fc.oneof(fc.object({ key: fc.constantFrom(...names) }), anything),
    context: anything,
  },
  { requiredKeys: ["type"] },
);

it("never answers a 5xx to a batch, whatever is in it, and accounts for every message", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(message, anything), { maxLength: 8 }), anything, async (batch, more) => {
      const response = await site.post("/v1/batch", { batch, sentAt: more, context: more });
      expect(response.status).toBe(200);
      const answer = (await response.json()) as { accepted: number; rejected: unknown[] };
      const sent = JSON.parse(JSON.stringify({ batch })).batch.length;
      expect(answer.accepted + answer.rejected.length).toBe(sent);
    }),
    { numRuns: 250 },
  );
});

it("never answers a 5xx to a decision, whatever is asked", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        anonymousId: fc.oneof(fc.constantFrom("x", "y"), anything),
        userId: anything,
        token: anything,
        slots: fc.oneof(fc.constant(["s", "nowhere"]), anything),
        context: anything,
        local: anything,
        events: fc.oneof(fc.array(message, { maxLength: 3 }), anything),
      }),
      async (question) => {
        const response = await site.post("/a/decide", question);
        expect([200, 400]).toContain(response.status);
        await response.text();
      },
    ),
    { numRuns: 250 },
  );
});
