/** Stories of links that were wrong, and are removed. Each ends with everybody as if the link had never been. */
import { describe, expect, it } from "vitest";
import { buys, happened, identify, openShop, type Shop, views } from "./shop.ts";

const tablet = { anonymousId: "tablet" };
const phone = { anonymousId: "phone" };
const laptop = { anonymousId: "laptop" };

describe("a link in the middle of a chain", () => {
  it("is removed: each half keeps what it did, and is in segments since it would have been", async () => {
    const shop = await openShop();
    await shop.browser("09:00", views("tent", phone));
    await shop.browser("09:05", identify({ userId: "ann", ...phone }, { plan: "pro" }));
    await shop.browser("09:10", views("rope", laptop));
    await shop.browser("09:15", identify(laptop, { email: "family@example.com", newsletter: true }));
    await shop.server("09:20", { type: "alias", anonymousId: "laptop", previousId: "tablet" });
    await shop.server("10:00", identify({ userId: "ann" }, { email: "family@example.com" }));
    await shop.browser("10:30", views("stove", phone));
    await shop.browser("11:00", buys("rope", tablet));
    expect(await shop.people()).toEqual([
      {
        ids: [
          "anonymousId:laptop",
          "anonymousId:phone",
          "anonymousId:tablet",
          "email:family@example.com",
          "userId:ann",
        ],
        eldest: "anonymousId:phone",
        traits: { email: "family@example.com", newsletter: true, plan: "pro" },
        segments: { pro: "09:05", looking: "10:00", buyer: "11:00" },
        did: "tent, rope, stove, bought rope",
      },
    ]);
    await shop.unlink("12:00", "userId:ann", "email:family@example.com");
    expect(await shop.people()).toEqual([
      {
        ids: ["anonymousId:laptop", "anonymousId:tablet", "email:family@example.com"],
        eldest: "anonymousId:laptop",
        traits: { email: "family@example.com", newsletter: true },
        segments: { buyer: "11:00" },
        did: "rope, bought rope",
      },
      {
        ids: ["anonymousId:phone", "userId:ann"],
        eldest: "anonymousId:phone",
        traits: { email: "family@example.com", plan: "pro" },
        segments: { pro: "09:05", looking: "10:30" },
        did: "tent, stove",
      },
    ]);
    expect(await shop.conflicts()).toEqual([]);
  });
});

/** Ann logged in once on Bob's tablet, before he did. */
async function tellOfTheTablet(): Promise<Shop> {
  const shop = await openShop();
  await shop.browser("09:00", views("tent", tablet));
  await shop.browser("09:05", identify({ userId: "ann", ...tablet }, { plan: "pro" }));
  await shop.browser("10:00", identify({ userId: "bob", ...tablet }, { plan: "free" }));
  await shop.browser("10:05", views("rope", { userId: "bob", ...tablet }));
  await shop.browser("10:10", views("boat", tablet));
  expect(await shop.people()).toEqual([
    {
      ids: ["anonymousId:tablet", "userId:ann"],
      eldest: "anonymousId:tablet",
      traits: { plan: "pro" },
      segments: { pro: "09:05", looking: "10:10" },
      did: "tent, boat",
    },
    { ids: ["userId:bob"], eldest: "userId:bob", traits: { plan: "free" }, segments: {}, did: "rope" },
  ]);
  expect(await shop.conflicts()).toEqual(["userId:bob ≠ anonymousId:tablet"]);
  return shop;
}

describe("a shared tablet", () => {
  it("is parted from the one it was given to: it is the other's, with all that was done on it", async () => {
    const shop = await tellOfTheTablet();
    await shop.unlink("12:00", "userId:ann", "anonymousId:tablet");
    expect(await shop.people()).toEqual([
      {
        ids: ["anonymousId:tablet", "userId:bob"],
        eldest: "anonymousId:tablet",
        traits: { plan: "free" },
        segments: { looking: "10:05" },
        did: "tent, rope, boat",
      },
      { ids: ["userId:ann"], eldest: "userId:ann", traits: { plan: "pro" }, segments: { pro: "09:05" }, did: "" },
    ]);
    expect(await shop.conflicts()).toEqual([]);
  });

  it("stays parted: what comes late is whose it is now, and the removed link is not made again by hearing of it", async () => {
    const shop = await tellOfTheTablet();
    await shop.unlink("12:00", "userId:ann", "anonymousId:tablet");
    await shop.browser("13:00", happened("08:30", views("lamp", tablet)));
    await shop.browser("13:05", happened("09:30", views("map", { userId: "ann", ...tablet })));
    await shop.browser("13:10", identify({ userId: "ann", ...tablet }, { size: "M" }));
    await shop.resend("14:00", (requests) => requests.toReversed());
    expect(await shop.people()).toEqual([
      {
        ids: ["anonymousId:tablet", "userId:bob"],
        eldest: "anonymousId:tablet",
        traits: { plan: "free" },
        segments: { looking: "10:05" },
        did: "lamp, tent, rope, boat",
      },
      {
        ids: ["userId:ann"],
        eldest: "userId:ann",
        traits: { plan: "pro", size: "M" },
        segments: { pro: "09:05" },
        did: "map",
      },
    ]);
    expect(await shop.conflicts()).toEqual([]);
  });
});

describe("a link made by hand", () => {
  it("was a mistake: both are as before, with what they did since", async () => {
    const shop = await openShop();
    await shop.browser("09:00", views("tent", phone));
    await shop.browser("09:05", views("rope", laptop));
    await shop.link("10:00", "anonymousId:phone", "anonymousId:laptop");
    const [both, ...others] = await shop.people();
    expect(others).toEqual([]);
    expect(both).toMatchObject({ segments: { looking: "10:00" }, did: "tent, rope" });
    await shop.browser("10:30", identify({ userId: "ann", ...laptop }, { plan: "pro" }));
    await shop.browser("11:00", views("stove", phone));
    await shop.unlink("12:00", "anonymousId:phone", "anonymousId:laptop");
    expect(await shop.people()).toEqual([
      {
        ids: ["anonymousId:laptop", "userId:ann"],
        eldest: "anonymousId:laptop",
        traits: { plan: "pro" },
        segments: { pro: "10:30" },
        did: "rope",
      },
      {
        ids: ["anonymousId:phone"],
        eldest: "anonymousId:phone",
        traits: {},
        segments: { looking: "11:00" },
        did: "tent, stove",
      },
    ]);
    // Made once more, it holds again.
    await shop.link("13:00", "anonymousId:phone", "anonymousId:laptop");
    expect(await shop.people()).toEqual([
      {
        ids: ["anonymousId:laptop", "anonymousId:phone", "userId:ann"],
        eldest: "anonymousId:phone",
        traits: { plan: "pro" },
        segments: { looking: "11:00", pro: "10:30" },
        did: "tent, rope, stove",
      },
    ]);
  });
});
