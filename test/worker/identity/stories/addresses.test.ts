/** Stories of accounts and addresses: found, changed, passed on. Each ends with everybody as the shop knows them. */
import { describe, expect, it } from "vitest";
import { happened, identify, openShop, views } from "./shop.ts";

const phone = { anonymousId: "phone" };
const laptop = { anonymousId: "laptop" };

describe("addresses", () => {
  it("are linked in a circle: account and device, device and address, address and account", async () => {
    const shop = await openShop();
    const address = { email: "ann@example.com" };
    await shop.browser("09:00", views("tent", laptop));
    await shop.browser("09:05", identify({ userId: "ann", ...laptop }));
    await shop.browser("09:10", identify(laptop, address));
    await shop.server("09:15", identify({ userId: "ann" }, address));
    expect(await shop.people()).toEqual([
      {
        ids: ["anonymousId:laptop", "email:ann@example.com", "userId:ann"],
        eldest: "anonymousId:laptop",
        traits: address,
        segments: {},
        did: "tent",
      },
    ]);
    expect(await shop.conflicts()).toEqual([]);
  });

  it("change: the old one still leads to the person, the new one is their trait, and word of the old that comes late changes nothing", async () => {
    const shop = await openShop();
    const ann = { userId: "ann" };
    await shop.server("09:00", identify(ann, { email: "ann@old.example" }));
    await shop.server("10:00", identify(ann, { email: " Ann@New.example" }));
    await shop.server("11:00", happened("09:30", identify(ann, { email: "ann@old.example" })));
    expect(await shop.people()).toEqual([
      {
        ids: ["email:ann@new.example", "email:ann@old.example", "userId:ann"],
        eldest: "email:ann@old.example",
        traits: { email: " Ann@New.example" },
        segments: {},
        did: "",
      },
    ]);
    expect(await shop.conflicts()).toEqual([]);
  });

  it("are given before an account: the newsletter's reader is the one who logs in with that address elsewhere", async () => {
    const shop = await openShop();
    const address = { email: "ann@example.com" };
    await shop.browser("09:00", views("tent", laptop));
    await shop.browser("09:05", identify(laptop, { ...address, newsletter: true }));
    await shop.browser("10:00", views("stove", phone));
    await shop.browser("10:05", identify({ userId: "ann", ...phone }, { ...address, name: "Ann" }));
    expect(await shop.people()).toEqual([
      {
        ids: ["anonymousId:laptop", "anonymousId:phone", "email:ann@example.com", "userId:ann"],
        eldest: "anonymousId:laptop",
        traits: { ...address, newsletter: true, name: "Ann" },
        segments: { looking: "10:05" },
        did: "tent, stove",
      },
    ]);
    expect(await shop.conflicts()).toEqual([]);
  });

  it("are in the customer database before the first visit: who logs in later finds what is known of them", async () => {
    const shop = await openShop();
    const row = { email: "ann@example.com", phone: "+31201234567", plan: "pro" };
    await shop.server("09:00", identify({ userId: "ann" }, row));
    await shop.browser("10:00", views("tent", laptop));
    await shop.browser("10:05", identify({ userId: "ann", ...laptop }));
    expect(await shop.people()).toEqual([
      {
        ids: ["anonymousId:laptop", "email:ann@example.com", "phone:+31201234567", "userId:ann"],
        eldest: "email:ann@example.com",
        traits: row,
        segments: { pro: "09:00" },
        did: "tent",
      },
    ]);
    expect(await shop.conflicts()).toEqual([]);
  });
});

describe("two people", () => {
  it("belong to one company: a group unites nobody", async () => {
    const shop = await openShop();
    const joins = (userId: string) => ({
      type: "group",
      userId,
      groupId: "acme",
      traits: { name: "Acme", plan: "pro" },
    });
    await shop.server("09:00", joins("ann"));
    await shop.server("09:05", joins("bob"));
    expect(await shop.people()).toEqual([
      { ids: ["userId:ann"], eldest: "userId:ann", traits: { groupId: "acme" }, segments: {}, did: "" },
      { ids: ["userId:bob"], eldest: "userId:bob", traits: { groupId: "acme" }, segments: {}, did: "" },
    ]);
    expect(await shop.conflicts()).toEqual([]);
  });

  it("have had one phone number, one after the other: it stays with the first, as a link; the second one's trait is their own", async () => {
    const shop = await openShop();
    await shop.server("09:00", identify({ userId: "ann" }, { phone: "+31 6 1234 5678" }));
    await shop.server("10:00", identify({ userId: "bob" }, { phone: "+31612345678" }));
    expect(await shop.people()).toEqual([
      {
        ids: ["phone:+31612345678", "userId:ann"],
        eldest: "phone:+31612345678",
        traits: { phone: "+31 6 1234 5678" },
        segments: {},
        did: "",
      },
      { ids: ["userId:bob"], eldest: "userId:bob", traits: { phone: "+31612345678" }, segments: {}, did: "" },
    ]);
    expect(await shop.conflicts()).toEqual(["userId:bob ≠ phone:+31612345678"]);
  });

  it("have had one address, one after the other: who types it into a page does not come to the first one's profile", async () => {
    const shop = await openShop();
    const info = { email: "info@acme.example" };
    await shop.server("09:00", identify({ userId: "ann" }, { ...info, plan: "pro" }));
    await shop.browser("10:00", views("tent", laptop));
    await shop.browser("10:05", identify(laptop, info));
    await shop.browser("10:10", identify({ userId: "bob", ...laptop }, info));
    expect(await shop.people()).toEqual([
      {
        ids: ["anonymousId:laptop", "userId:bob"],
        eldest: "anonymousId:laptop",
        traits: info,
        segments: {},
        did: "tent",
      },
      {
        ids: ["email:info@acme.example", "userId:ann"],
        eldest: "email:info@acme.example",
        traits: { ...info, plan: "pro" },
        segments: { pro: "09:00" },
        did: "",
      },
    ]);
    expect(await shop.conflicts()).toEqual([
      "anonymousId:laptop ≠ email:info@acme.example",
      "userId:bob ≠ email:info@acme.example",
    ]);
  });
});
