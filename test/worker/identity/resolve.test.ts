import { describe, expect, it } from "vitest";
import { createSite, type TestSite, track } from "../site.ts";

const BUYER = { key: "buyer", condition: { event: "Order Completed", count: { gte: 2 } } };

async function profileOf(site: TestSite, identifier: string): Promise<string | undefined> {
  const [row] = await site.rows<{ profile_id: string }>(
    "SELECT profile_id FROM identifiers WHERE site_id = ?1 AND identifier = ?2",
    identifier,
  );
  return row?.profile_id;
}

async function membersOf(site: TestSite): Promise<string[]> {
  return (await site.rows<{ profile_id: string }>("SELECT profile_id FROM memberships WHERE site_id = ?1")).map(
    (row) => row.profile_id,
  );
}

const identify = (userId: string, anonymousId: string, traits: object = {}) => ({
  type: "identify",
  userId,
  anonymousId,
  traits,
  messageId: crypto.randomUUID(),
});

describe("identity", () => {
  it("unites a visitor with the person they log in as, and counts what both did", async () => {
    const site = await createSite({ segments: [BUYER] });
    await site.batch([track("Order Completed", {}, { anonymousId: "phone" })]);
    const first = await profileOf(site, "anonymousId:phone");
    await site.batch([track("Order Completed", {}, { anonymousId: undefined, userId: "ann" })]);
    expect(await membersOf(site)).toEqual([]);
    await site.batch([identify("ann", "phone", { email: " Ann@Example.com " })]);
    expect(await profileOf(site, "userId:ann")).toBe(first);
    expect(await profileOf(site, "email:ann@example.com")).toBe(first);
    expect(await membersOf(site)).toEqual([first]);
    const events = await site.rows("SELECT DISTINCT owner FROM events WHERE site_id = ?1 ORDER BY owner");
    expect(events).toEqual([{ owner: "anonymousId:phone" }, { owner: "userId:ann" }]);
    const links = await site.rows("SELECT a, b, evidence FROM links WHERE site_id = ?1 ORDER BY b");
    expect(links).toEqual([
      { a: "userId:ann", b: "anonymousId:phone", evidence: "identify" },
      { a: "userId:ann", b: "email:ann@example.com", evidence: "identify" },
    ]);
    const rows = await site.rows("SELECT cause, change FROM membership_log WHERE site_id = ?1");
    expect(rows).toEqual([{ cause: "identity", change: "enter" }]);
  });

  it("keeps two users of a shared device apart", async () => {
    const site = await createSite({ segments: [BUYER] });
    await site.batch([identify("ann", "tablet", { name: "Ann" })]);
    await site.batch([
      identify("bob", "tablet", { name: "Bob" }),
      track("Order Completed", {}, { userId: "bob", anonymousId: "tablet" }),
    ]);
    expect(await profileOf(site, "userId:ann")).not.toBe(await profileOf(site, "userId:bob"));
    expect(await profileOf(site, "anonymousId:tablet")).toBe(await profileOf(site, "userId:ann"));
    const conflicts = await site.rows<{ a: string; b: string; reason: string }>(
      "SELECT a, b, reason FROM conflicts WHERE site_id = ?1",
    );
    expect(conflicts).toEqual([
      { a: "userId:bob", b: "anonymousId:tablet", reason: "a profile holds at most 1 of kind userId" },
    ]);
  });

  it("links an alias to what the person was known as", async () => {
    const site = await createSite();
    await site.batch([track("Seen", {}, { anonymousId: "old" })]);
    await site.batch([{ type: "alias", previousId: "old", userId: "new", messageId: "al" }]);
    expect(await profileOf(site, "userId:new")).toBe(await profileOf(site, "anonymousId:old"));
  });

  it("forms one profile whatever the order in which racing requests link it", async () => {
    const site = await createSite({ segments: [BUYER] });
    const messages = [
      ...["a", "b", "c", "d"].map((device) => identify("zoe", device)),
      ...["a", "b", "c", "d"].map((device) => track("Order Completed", {}, { anonymousId: device })),
    ];
    await Promise.all(
      messages.map(async (message) => {
        while ((await site.post("/v1/batch", { batch: [message] })).status === 503);
      }),
    );
    const profiles = await site.rows("SELECT DISTINCT profile_id FROM identifiers WHERE site_id = ?1");
    expect(profiles).toHaveLength(1);
    expect(await site.rows("SELECT id FROM profiles WHERE site_id = ?1 AND merged_into IS NULL")).toHaveLength(1);
    expect(await membersOf(site)).toEqual([await profileOf(site, "userId:zoe")]);
    const [count] = await site.rows<{ n: number }>("SELECT count(*) AS n FROM events WHERE site_id = ?1");
    expect(count!.n).toBe(8);
  });
});
