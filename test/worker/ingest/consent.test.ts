import { describe, expect, it } from "vitest";
import type { DecideAnswer } from "../../../shared/wire.ts";
import { createSite, type TestSite, track } from "../site.ts";

const purposes = (choice: object) => ({ consent: { categoryPreferences: choice } });
const HELLO = {
  slot: "hello",
  variants: [
    { key: "vip", audience: { trait: "plan", eq: "vip" }, template: "Hi {{ customer.name | default: 'you' }}" },
  ],
  fallback: "Hello {{ customer.name | default: 'you' }}",
};

async function consentOf(site: TestSite): Promise<object> {
  const [row] = await site.rows<{ consent: string }>("SELECT consent FROM identifiers WHERE site_id = ?1");
  const stored = JSON.parse(row!.consent) as { [purpose: string]: [boolean, number] };
  return Object.fromEntries(Object.entries(stored).map(([purpose, [granted]]) => [purpose, granted]));
}

async function decide(site: TestSite, question: object): Promise<DecideAnswer> {
  return (await site.post("/a/decide", { anonymousId: "a1", slots: ["hello"], ...question })).json();
}

const vip = () => ({
  type: "identify",
  anonymousId: "a1",
  userId: "u1",
  messageId: "i",
  traits: { plan: "vip", name: "Ann" },
});

describe("consent", () => {
  it("is kept of a message that is not", async () => {
    const site = await createSite();
    const answer = await site.batch([track("E", {}, { context: purposes({ analytics: false, marketing: false }) })]);
    expect(answer).toMatchObject({ accepted: 0, rejected: [{ problem: { type: "/problems#consent-withheld" } }] });
    expect(await site.rows("SELECT 1 FROM events WHERE site_id = ?1")).toEqual([]);
    expect(await consentOf(site)).toEqual({ analytics: false, marketing: false });
  });

  it("of the envelope holds for messages with a context of their own", async () => {
    const site = await createSite();
    const answer = await site.batch([track("E", {}, { context: { locale: "en" } })], {
      context: purposes({ analytics: false }),
    });
    expect(answer).toMatchObject({ accepted: 0, rejected: [{ index: 0 }] });
  });

  it("is the last word by time, in whatever order words arrive", async () => {
    const said: [granted: boolean, at: string][] = [
      [false, "2026-01-01T00:00:01.000Z"],
      [true, "2026-01-01T00:00:05.000Z"],
      [false, "2026-01-01T00:00:10.000Z"],
    ];
    for (const order of [
      [0, 1, 2],
      [0, 2, 1],
      [2, 1, 0],
      [1, 2, 0],
    ]) {
      const site = await createSite();
      for (const index of order) {
        const [marketing, at] = said[index]!;
        await site.post("/v1/consent", { anonymousId: "a1", purposes: { marketing }, at });
      }
      expect(await consentOf(site)).toEqual({ marketing: false });
    }
  });

  it("that is sent again after a newer one is no news of the person", async () => {
    const site = await createSite();
    const word = (analytics: boolean, timestamp: string) =>
      site.batch([track("E", {}, { timestamp, messageId: timestamp, context: purposes({ analytics }) })]);
    await word(false, "2026-01-01T00:00:01.000Z");
    await word(true, "2026-01-01T00:00:05.000Z");
    const read = () => site.rows("SELECT last_seen FROM profiles WHERE site_id = ?1");
    const before = await read();
    await word(false, "2026-01-01T00:00:01.000Z");
    expect(await read()).toEqual(before);
  });

  it("for nobody is refused", async () => {
    const site = await createSite();
    expect((await site.post("/v1/consent", { anonymousId: "null", purposes: { marketing: false } })).status).toBe(400);
  });

  it("that a request withdraws counts for its answer, token or not", async () => {
    const site = await createSite({ blocks: [HELLO] });
    const { token, slots } = await decide(site, { events: [vip()] });
    expect(slots["hello"]!.html).toBe("Hi Ann");
    for (const more of [{}, { token }]) {
      const answer = await decide(site, { ...more, context: purposes({ personalization: false }) });
      expect(answer.slots["hello"]).toMatchObject({ html: "Hello you", decision: { reason: "no-consent" } });
    }
  });

  it("is not assumed of strangers where the site does not", async () => {
    const site = await createSite({
      settings: { consentDefault: "off" },
      segments: [{ key: "keen", condition: { event: "E" } }],
      blocks: [
        {
          slot: "hello",
          variants: [{ key: "keen", audience: { segment: "keen" }, template: "Keen" }],
          fallback: "All",
        },
      ],
    });
    const local = { segments: ["keen"] };
    expect((await decide(site, { local })).slots["hello"]!.html).toBe("All");
    const allowed = await decide(site, { local, context: purposes({ personalization: true }) });
    expect(allowed.slots["hello"]!.html).toBe("Keen");
    expect(allowed.slots["hello"]!.decision.until).not.toBeNull();
  });
});

describe("a token", () => {
  it("is no key to another user of the same device", async () => {
    const site = await createSite({ blocks: [HELLO] });
    const { token } = await decide(site, { events: [vip()] });
    const answer = await decide(site, { token, userId: "u2" });
    expect(answer.slots["hello"]!.html).toBe("Hello you");
  });

  it("that is far too long counts as none", async () => {
    const site = await createSite({ blocks: [HELLO] });
    const response = await site.post("/a/decide", {
      anonymousId: "a1",
      slots: Array(60).fill("hello"),
      token: "x".repeat(20_000),
    });
    expect(response.status).toBe(200);
  });
});

it("does not let a browser into a known user's profile by an address alone", async () => {
  const site = await createSite({ settings: { origins: ["*"] } });
  await site.batch([{ type: "identify", userId: "ann", messageId: "1", traits: { email: "ann@x.example" } }]);
  const origin = { origin: "https://shop.example" };
  const guess = { type: "identify", anonymousId: "stranger", messageId: "2", traits: { email: "ann@x.example" } };
  await site.post("/v1/batch", { batch: [guess] }, origin);
  const profiles = await site.rows("SELECT DISTINCT profile_id FROM identifiers WHERE site_id = ?1");
  expect(profiles).toHaveLength(2);
  expect(await site.rows("SELECT b FROM conflicts WHERE site_id = ?1")).toEqual([{ b: "email:ann@x.example" }]);
  await site.post("/v1/batch", { batch: [{ ...guess, messageId: "3", userId: "ann", anonymousId: "laptop" }] }, origin);
  const laptop = await site.rows(
    "SELECT 1 FROM identifiers a JOIN identifiers b ON a.profile_id = b.profile_id AND a.site_id = b.site_id WHERE a.site_id = ?1 AND a.identifier = 'anonymousId:laptop' AND b.identifier = 'userId:ann'",
  );
  expect(laptop).toHaveLength(1);
});
