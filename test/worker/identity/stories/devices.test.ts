/** Stories of devices: of one person, or shared. Each ends with everybody as the shop knows them. */
import { describe, expect, it } from "vitest";
import { buys, happened, identify, openShop, views } from "./shop.ts";

const tablet = { anonymousId: "tablet" };
const phone = { anonymousId: "phone" };
const laptop = { anonymousId: "laptop" };

describe("one person", () => {
  it("looks around, and then logs in: all that was done before is theirs", async () => {
    const shop = await openShop();
    await shop.browser("09:00", views("tent", laptop));
    await shop.browser("09:05", views("stove", laptop));
    await shop.browser("09:10", identify({ userId: "ann", ...laptop }, { plan: "pro" }));
    await shop.browser("09:15", buys("tent", { userId: "ann", ...laptop }));
    expect(await shop.people()).toEqual([
      {
        ids: ["anonymousId:laptop", "userId:ann"],
        eldest: "anonymousId:laptop",
        traits: { plan: "pro" },
        segments: { looking: "09:05", pro: "09:10", buyer: "09:15" },
        did: "tent, stove, bought tent",
      },
    ]);
    expect(await shop.conflicts()).toEqual([]);
  });

  it("logs out and in again: what the browser does between them, under a new name, is theirs afterwards", async () => {
    const shop = await openShop();
    await shop.browser("09:00", identify({ userId: "ann", anonymousId: "laptop-1" }));
    await shop.browser("09:05", views("tent", { userId: "ann", anonymousId: "laptop-1" }));
    await shop.browser("10:00", views("stove", { anonymousId: "laptop-2" }));
    const loggedOut = await shop.people();
    expect(loggedOut.map(({ ids, did }) => [ids, did])).toEqual([
      [["anonymousId:laptop-1", "userId:ann"], "tent"],
      [["anonymousId:laptop-2"], "stove"],
    ]);
    await shop.browser("11:00", identify({ userId: "ann", anonymousId: "laptop-2" }));
    expect(await shop.people()).toEqual([
      {
        ids: ["anonymousId:laptop-1", "anonymousId:laptop-2", "userId:ann"],
        eldest: "anonymousId:laptop-1",
        traits: {},
        segments: { looking: "11:00" },
        did: "tent, stove",
      },
    ]);
    expect(await shop.conflicts()).toEqual([]);
  });

  it("has two tabs that send at once", async () => {
    const shop = await openShop();
    await Promise.all([
      shop.browser("09:00", views("tent", laptop)),
      shop.browser("09:00", views("stove", laptop)),
      shop.browser("09:00", identify({ userId: "ann", ...laptop }, { plan: "pro" })),
      shop.browser("09:00", views("rope", { userId: "ann", ...laptop })),
    ]);
    const [ann, ...others] = await shop.people();
    expect(others).toEqual([]);
    expect(ann).toMatchObject({
      ids: ["anonymousId:laptop", "userId:ann"],
      traits: { plan: "pro" },
      segments: { looking: "09:00", pro: "09:00" },
    });
    expect(ann!.did.split(", ").sort()).toEqual(["rope", "stove", "tent"]);
    expect(await shop.conflicts()).toEqual([]);
  });

  it("has two devices, which nobody knows to be one person's until both have logged in", async () => {
    const shop = await openShop();
    await shop.browser("09:00", views("tent", phone));
    await shop.browser("10:00", views("stove", laptop));
    await shop.browser("10:05", identify({ userId: "ann", ...laptop }));
    expect(await shop.people()).toEqual([
      {
        ids: ["anonymousId:laptop", "userId:ann"],
        eldest: "anonymousId:laptop",
        traits: {},
        segments: {},
        did: "stove",
      },
      { ids: ["anonymousId:phone"], eldest: "anonymousId:phone", traits: {}, segments: {}, did: "tent" },
    ]);
    await shop.browser("12:00", identify({ userId: "ann", ...phone }));
    expect(await shop.people()).toEqual([
      {
        ids: ["anonymousId:laptop", "anonymousId:phone", "userId:ann"],
        eldest: "anonymousId:phone",
        traits: {},
        segments: { looking: "12:00" },
        did: "tent, stove",
      },
    ]);
    expect(await shop.conflicts()).toEqual([]);
  });

  it("was offline: what they did before they logged in comes after it, and takes its place in time", async () => {
    const shop = await openShop();
    await shop.browser("10:00", identify({ userId: "ann", ...phone }, { plan: "pro" }));
    await shop.browser("10:05", views("rope", { userId: "ann", ...phone }));
    await shop.browser("11:00", happened("08:30", views("tent", phone)));
    await shop.browser("11:05", happened("08:20", identify(phone, { plan: "free", size: "M" })));
    expect(await shop.people()).toEqual([
      {
        ids: ["anonymousId:phone", "userId:ann"],
        eldest: "anonymousId:phone",
        traits: { plan: "pro", size: "M" },
        segments: { pro: "10:00", looking: "11:00" },
        did: "tent, rope",
      },
    ]);
    expect(await shop.conflicts()).toEqual([]);
  });
});

describe("two people", () => {
  it("share a tablet in turns: it stays with whom it was first, and what each does logged in is their own", async () => {
    const shop = await openShop();
    await shop.browser("09:00", views("tent", tablet));
    await shop.browser("09:05", identify({ userId: "ann", ...tablet }, { plan: "pro" }));
    await shop.browser("09:10", views("stove", { userId: "ann", ...tablet }));
    await shop.browser("10:00", identify({ userId: "bob", ...tablet }, { plan: "free" }));
    await shop.browser("10:05", views("rope", { userId: "bob", ...tablet }));
    await shop.browser("11:00", identify({ userId: "ann", ...tablet }));
    await shop.browser("11:05", buys("stove", { userId: "ann", ...tablet }));
    await shop.browser("12:00", views("boat", { userId: "bob", ...tablet }));
    expect(await shop.people()).toEqual([
      {
        ids: ["anonymousId:tablet", "userId:ann"],
        eldest: "anonymousId:tablet",
        traits: { plan: "pro" },
        segments: { pro: "09:05", looking: "09:10", buyer: "11:05" },
        did: "tent, stove, bought stove",
      },
      {
        ids: ["userId:bob"],
        eldest: "userId:bob",
        traits: { plan: "free" },
        segments: { looking: "12:00" },
        did: "rope, boat",
      },
    ]);
    expect(await shop.conflicts()).toEqual(["userId:bob ≠ anonymousId:tablet"]);
  });
});

describe("a server and a browser", () => {
  it("speak of one user at once: one person, and of the same instant the server's word counts", async () => {
    const shop = await openShop();
    await Promise.all([
      shop.browser("09:00", identify({ userId: "ann", ...laptop }, { plan: "free", theme: "dark" })),
      shop.server("09:00", identify({ userId: "ann" }, { plan: "pro" })),
    ]);
    const [ann, ...others] = await shop.people();
    expect(others).toEqual([]);
    expect(ann).toMatchObject({
      ids: ["anonymousId:laptop", "userId:ann"],
      traits: { plan: "pro", theme: "dark" },
      segments: { pro: "09:00" },
    });
    expect(await shop.conflicts()).toEqual([]);
  });
});

describe("consent", () => {
  it("that is withdrawn on one device is withdrawn by the person, everywhere, until they say otherwise", async () => {
    const shop = await openShop();
    const ann = { userId: "ann" };
    await shop.browser("09:00", views("tent", laptop), views("stove", laptop));
    await shop.browser("09:05", identify({ ...ann, ...laptop }, { plan: "pro" }));
    await shop.browser("09:10", identify({ ...ann, ...phone }));
    await shop.consent("10:00", phone, { analytics: false });
    const known = {
      ids: ["anonymousId:laptop", "anonymousId:phone", "userId:ann"],
      eldest: "anonymousId:laptop",
      traits: { plan: "pro" },
      did: "tent, stove",
    };
    expect(await shop.people()).toEqual([{ ...known, segments: { pro: "09:05" } }]);
    await shop.consent("11:00", laptop, { analytics: true });
    expect(await shop.people()).toEqual([{ ...known, segments: { pro: "09:05", looking: "11:00" } }]);
  });
});
