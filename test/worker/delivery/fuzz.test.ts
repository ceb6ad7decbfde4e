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
const wild = fc.object({ key: fc.constantFrom(...names), values: [anything] });
/** Fit to be looked at further, nearly always. */
const mostly = <T>(fit: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 29, arbitrary: fit as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: anything });
const time = fc.date({ noInvalidDate: true, min: new Date(0) }).map((date) => date.toISOString());

const message = fc.record(
  {
    type: fc.constantFrom("track", "page", "screen", "identify", "alias", "group"),
    messageId: mostly(fc.uuid()),
    anonymousId: mostly(fc.constantFrom("x", "y")),
    userId: mostly(fc.constantFrom("u", "v")),
    previousId: mostly(fc.constantFrom("x", "u")),
    groupId: mostly(fc.constant("g")),
    event: mostly(fc.constant("E")),
    name: mostly(fc.constantFrom(...names)),
    timestamp: mostly(time),
    sentAt: mostly(time),
    seq: fc.oneof(fc.nat(), anything),
    properties: mostly(wild),
    traits: mostly(wild),
    context: mostly(wild),
  },
  { requiredKeys: ["type", "anonymousId", "event", "previousId", "groupId"] },
);
const messages = fc.array(fc.oneof({ weight: 9, arbitrary: message }, { weight: 1, arbitrary: anything }), {
  maxLength: 8,
});

const ID = "0e5a1c52-8a52-4a3e-9a4f-3f7f3f3a0c11";
/** What a device says of itself, in a request from the Worker's own origin with a cookie that is as wild. */
const device = {
  anonymousId: mostly(fc.constantFrom("x", "y", ID)),
  mode: fc.oneof(fc.constantFrom("full", "full", "off", "memory"), anything),
  wiped: fc.oneof(fc.constant(true), anything),
};
const cookie = fc.oneof(
  fc.constantFrom(`${ID}.20000`, ID, `${ID}.`, "; =;=", '"'),
  fc.string({ unit: "grapheme-ascii" }),
);
const own = (value: string) => ({ origin: "https://edge.example", cookie: `__Host-attune.${site.id}=${value}` });

const RUNS = 150;
const TIMEOUT_MS = 60_000;
/** Sends what is made, and sees to it that not all of it is refused at the door. */
async function send(path: string, body: fc.Arbitrary<object>): Promise<void> {
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(body, cookie, async (said, kept) => {
      const response = await site.post(path, said, own(kept));
      expect([200, 400]).toContain(response.status);
      if (response.ok) answered++;
      await response.text();
    }),
    { numRuns: RUNS },
  );
  expect(answered).toBeGreaterThan(RUNS / 2);
}

it("never answers a 5xx to a batch, whatever is in it, and accounts for every message", {
  timeout: TIMEOUT_MS,
}, async () => {
  let stored = 0;
  await fc.assert(
    fc.asyncProperty(messages, anything, fc.record(device), cookie, async (batch, more, said, kept) => {
      const response = await site.post("/v1/batch", { batch, sentAt: more, context: more, ...said }, own(kept));
      expect(response.status).toBe(200);
      const answer = (await response.json()) as { accepted: number; rejected: unknown[] };
      const sent = JSON.parse(JSON.stringify({ batch })).batch.length;
      expect(answer.accepted + answer.rejected.length).toBe(sent);
      stored += answer.accepted;
    }),
    { numRuns: RUNS },
  );
  expect(stored).toBeGreaterThan(RUNS);
});

it("never answers a 5xx to a decision, whatever is asked", { timeout: TIMEOUT_MS }, async () => {
  const slots = fc.array(fc.oneof(fc.constantFrom("s", "nowhere", ...names), anything));
  const variants = fc.dictionary(fc.constantFrom("s", ...names), fc.constantFrom("v", ...names));
  await send(
    "/a/decide",
    fc.record(
      {
        ...device,
        userId: mostly(fc.constantFrom("u", "v", null, ...names)),
        token: anything,
        slots: mostly(slots),
        context: mostly(wild),
        local: mostly(fc.record({ segments: fc.array(fc.constantFrom("any", "trait", ...names)) })),
        variants: mostly(variants),
        events: mostly(messages),
      },
      { requiredKeys: ["anonymousId", "mode", "wiped"] },
    ),
  );
});

it("never answers a 5xx to a word of consent, whatever is said", { timeout: TIMEOUT_MS }, async () => {
  const purposes = fc.dictionary(
    fc.constantFrom("necessary", "analytics", "personalization", "marketing"),
    fc.boolean(),
  );
  await send(
    "/a/consent",
    fc.record(
      {
        ...device,
        userId: mostly(fc.constantFrom("u", "v", null, ...names)),
        purposes: mostly(purposes),
        at: mostly(time),
        source: mostly(fc.constantFrom(...names)),
      },
      { requiredKeys: ["anonymousId", "mode", "wiped", "purposes"] },
    ),
  );
});
