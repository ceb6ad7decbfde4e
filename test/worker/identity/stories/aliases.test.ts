/** Stories of aliases, and of all that is told again. Each ends with everybody as the shop knows them. */
import { describe, expect, it } from "vitest";
import { buys, happened, identify, openShop, views } from "./shop.ts";

const tablet = { anonymousId: "tablet" };
const phone = { anonymousId: "phone" };

describe("an alias", () => {
  it("that comes before identify leads what was done to the person", async () => {
    const shop = await openShop();
    await shop.browser("09:00", views("tent", phone));
    await shop.server("09:05", { type: "alias", userId: "ann", previousId: "phone" });
    await shop.server("09:10", identify({ userId: "ann" }, { plan: "pro" }));
    expect(await shop.people()).toEqual([
      {
        ids: ["anonymousId:phone", "userId:ann"],
        eldest: "anonymousId:phone",
        traits: { plan: "pro" },
        segments: { pro: "09:10" },
        did: "tent",
      },
    ]);
    expect(await shop.conflicts()).toEqual([]);
  });

  it("of an id that nobody has heard of yet names a device: what comes of it later is the person's", async () => {
    const shop = await openShop();
    await shop.server("09:00", { type: "alias", userId: "ann", previousId: "old-cookie" });
    await shop.browser("10:00", views("tent", { anonymousId: "old-cookie" }));
    expect(await shop.people()).toEqual([
      {
        ids: ["anonymousId:old-cookie", "userId:ann"],
        eldest: "anonymousId:old-cookie",
        traits: {},
        segments: {},
        did: "tent",
      },
    ]);
    expect(await shop.conflicts()).toEqual([]);
  });

  it("of one account for another leaves two people", async () => {
    const shop = await openShop();
    await shop.server("09:00", identify({ userId: "ann" }, { plan: "pro" }));
    await shop.server("10:00", { type: "alias", userId: "ann-2", previousId: "ann" });
    expect(await shop.people()).toEqual([
      { ids: ["userId:ann"], eldest: "userId:ann", traits: { plan: "pro" }, segments: { pro: "09:00" }, did: "" },
      { ids: ["userId:ann-2"], eldest: "userId:ann-2", traits: {}, segments: {}, did: "" },
    ]);
    expect(await shop.conflicts()).toEqual(["userId:ann-2 ≠ userId:ann"]);
  });

  it("that comes back to where it began changes nothing", async () => {
    const shop = await openShop();
    const alias = (to: string, from: string) => ({ type: "alias", anonymousId: to, previousId: from });
    await shop.server("09:00", views("tent", { anonymousId: "a" }));
    await shop.server("09:05", alias("b", "a"));
    await shop.server("09:10", alias("c", "b"));
    await shop.server("09:15", alias("a", "c"), alias("a", "a"), alias("a", "b"));
    expect(await shop.people()).toEqual([
      {
        ids: ["anonymousId:a", "anonymousId:b", "anonymousId:c"],
        eldest: "anonymousId:a",
        traits: {},
        segments: {},
        did: "tent",
      },
    ]);
    expect(await shop.conflicts()).toEqual([]);
  });
});

describe("whatever is sent again", () => {
  it("in whatever order, each message alone, changes nothing", async () => {
    const shop = await openShop();
    const address = { email: "ann@example.com" };
    await shop.browser("09:00", views("tent", tablet), views("stove", tablet));
    await shop.browser("09:05", identify({ userId: "ann", ...tablet }, { ...address, plan: "pro" }));
    await shop.browser("10:00", identify({ userId: "bob", ...tablet }, { ...address, plan: "free" }));
    await shop.browser("10:05", buys("rope", { userId: "bob", ...tablet }));
    await shop.server("11:00", { type: "alias", userId: "ann", previousId: "old-cookie" });
    await shop.server("11:05", happened("08:10", identify({ userId: "ann" }, { plan: "free" })));
    const [people, conflicts] = [await shop.people(), await shop.conflicts()];
    expect(people.map(({ ids }) => ids)).toEqual([
      ["anonymousId:old-cookie", "anonymousId:tablet", "email:ann@example.com", "userId:ann"],
      ["userId:bob"],
    ]);
    expect(conflicts).toEqual(["userId:bob ≠ anonymousId:tablet", "userId:bob ≠ email:ann@example.com"]);
    await shop.resend("12:00", (requests) => requests.toReversed());
    await shop.resend("12:05", (requests) => [...requests, ...requests]);
    expect([await shop.people(), await shop.conflicts()]).toEqual([people, conflicts]);
  });
});
