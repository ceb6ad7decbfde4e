/** Whoever takes back personalization gets nothing personal any more, whichever way they are told. */
import { expect, it } from "vitest";
import { openShop, PERSON } from "../email/shop.ts";
import { track } from "../site.ts";

it("by an e-mail whose decision was kept", async () => {
  const shop = await openShop({ settings: { origins: ["https://shop.example"] } });
  const VIP = { trait: "plan", eq: "gold" };
  const variants = [{ key: "vip", audience: VIP, template: "<p>For VIPs</p>", link: "https://shop.example/vip" }];
  await shop.block("offer", { variants, fallback: "<p>Hello</p>" });
  const ann = await shop.tokenOf(await shop.know("ann", { plan: "gold" }));
  const bob = await shop.tokenOf(await shop.know("bob", { plan: "gold" }));
  const shown = (token: string) => shop.get(token, "offer", PERSON).then((response) => response.text());
  for (const token of [ann, bob]) expect(await shown(token)).toBe("<p>For VIPs</p>");
  // By her device: what it says holds for all of her.
  await shop.batch([track("E", {}, { anonymousId: "phone", userId: "ann" })]);
  const withdraw = (purpose: string) =>
    shop.post("/v1/consent", { anonymousId: "phone", purposes: { [purpose]: false } }).then(({ status }) => status);
  expect(await withdraw("marketing")).toBe(200);
  expect(await shown(ann)).toBe("<p>For VIPs</p>");
  expect(await withdraw("personalization")).toBe(200);
  expect(await shown(ann)).toBe("<p>Hello</p>");
  expect((await shop.get(ann, "offer/click", PERSON)).headers.get("location")).toBe("https://shop.example/");
  expect(await shown(bob)).toBe("<p>For VIPs</p>");
});
