/** `variants` of `/decide`: the debug overlay shows what anybody could see, and nothing that only some may. */
import { beforeAll, expect, it } from "vitest";
import type { Condition } from "../../../shared/condition.ts";
import type { DecideAnswer } from "../../../shared/wire.ts";
import { createSite, type TestSite, track } from "../site.ts";

const audiences: { [variant: string]: Condition | null } = {
  all: null,
  public: { any: [{ segment: "runner" }, { not: { segment: "runner" } }] },
  context: { context: "page.path", eq: "/nowhere" },
  sampled: { sample: { seed: "x", from: 0, to: 0.0001 } },
  private: { segment: "vip" },
  without: { not: { segment: "vip" } },
  both: { any: [{ segment: "runner" }, { segment: "vip" }] },
  gone: { segment: "archived" },
  trait: { trait: "plan", eq: "gold" },
  event: { event: "Ran" },
};
const OPEN = ["all", "public", "context", "sampled"];
const CLOSED = ["private", "without", "both", "gone", "trait", "event"];

let site: TestSite;
beforeAll(async () => {
  site = await createSite({
    segments: [
      { key: "runner", condition: { event: "Ran" } },
      { key: "vip", condition: { trait: "plan", eq: "gold" }, visibility: "private" },
    ],
    blocks: [
      {
        slot: "hero",
        // First, so that what is simulated is never what would be shown anyway.
        variants: [
          { key: "first", audience: null, template: "first" },
          ...Object.entries(audiences).map(([key, audience]) => ({ key, audience, template: `for ${key}` })),
        ],
      },
      // Decided from a token alone.
      {
        slot: "banner",
        variants: [
          { key: "first", audience: null, template: "first" },
          { key: "sampled", audience: audiences["sampled"]!, template: "for sampled" },
        ],
      },
      { slot: "aside", variants: [{ key: "all", audience: null, template: "aside" }] },
    ],
  });
});

async function decide(body: object): Promise<DecideAnswer> {
  const response = await site.post("/a/decide", { slots: ["hero", "aside", "nowhere"], ...body });
  expect(response.status).toBe(200);
  return response.json();
}

it.each(OPEN)("shows %s, to whoever asks, and to be kept by nobody", async (variant) => {
  const asked = Date.now();
  const { slots, until } = await decide({ variants: { hero: variant } });
  const { html, decision } = slots["hero"]!;
  expect({ html, ...decision }).toMatchObject({ html: `for ${variant}`, block: "hero", variant, reason: "simulated" });
  expect(Date.parse(decision.until!)).toBeGreaterThanOrEqual(asked);
  expect(Date.parse(decision.until!)).toBeLessThanOrEqual(Date.now());
  expect(until).toBeNull();
  expect(slots["aside"]!.decision).toMatchObject({ variant: "all", reason: "targeted" });
});

it.each([...CLOSED, "unheard-of", "", "toString"])("does not show %j", async (variant) => {
  const { slots } = await decide({ variants: { hero: variant } });
  expect(slots["hero"]!.decision).toMatchObject({ variant: "first", reason: "targeted" });
});

it("does not know slots that the site has not", async () => {
  const { slots } = await decide({ variants: { nowhere: "all", ["__proto__"]: "all", constructor: "all" } });
  expect(slots["nowhere"]!.decision.reason).toBe("no-block");
  expect(slots["hero"]!.decision.variant).toBe("first");
});

it("shows it to somebody known as well, by a token and from storage, and writes nothing", async () => {
  const anonymousId = "walker";
  const { token } = await decide({ anonymousId, events: [track("Ran", {}, { anonymousId })] });
  const tables = ["events", "profiles", "identifiers", "memberships"];
  const rows = () => Promise.all(tables.map((table) => site.rows(`SELECT * FROM ${table} WHERE site_id = ?1`)));
  const before = await rows();
  for (const slot of ["banner", "hero"]) {
    const answer = await decide({ anonymousId, token, slots: [slot], variants: { [slot]: "sampled" } });
    expect(answer.slots[slot]!.decision).toMatchObject({ variant: "sampled", reason: "simulated" });
    expect(Object.keys(answer.segments)).toEqual(["runner"]);
    expect(answer.token === token).toBe(slot === "banner");
  }
  expect(await rows()).toEqual(before);
});

it("decides without ids for somebody in the segments that are said, of those that are public", async () => {
  const { segments, stableId, token } = await decide({ local: { segments: ["runner", "vip", "unheard-of"] } });
  expect(Object.keys(segments)).toEqual(["runner"]);
  expect({ stableId, token }).toEqual({ stableId: "", token: null });
});

it.each([{ hero: 1 }, { hero: null }, ["all"], "all", null])("says what is wrong with %j", async (variants) => {
  const response = await site.post("/a/decide", { variants });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ errors: [{ pointer: expect.stringMatching(/^\/variants/) }] });
});
