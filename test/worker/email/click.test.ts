/** Where clicks lead, and what is kept of people who open and click. */
import { beforeEach, describe, expect, it } from "vitest";
import { checkLink, homeOf } from "../../../edge/email/link.ts";
import { ask } from "../delivery/worker.ts";
import { bindings } from "../site.ts";
import { openShop, PERSON, pressing, type Shop } from "./shop.ts";

let shop: Shop;
let ann: string;
beforeEach(async () => {
  shop = await openShop();
  ann = await shop.know("ann", { host: ".evil.example", path: "shoes" });
});

const link = (to: string, more: object = {}) =>
  shop.block("hero", { variants: [{ key: "a", audience: null, template: "<p>Hi</p>", link: to, ...more }] });
const click = async (token: string, headers: Record<string, string> = PERSON) => shop.get(token, "hero/click", headers);
const targetOf = async (token: string) => {
  const response = await click(token);
  expect(response.headers.get("referrer-policy")).toBe("no-referrer");
  return response.status === 302 ? response.headers.get("location") : response.status;
};

describe("a click", () => {
  it("leads where the decision said, whatever is published since", async () => {
    await link("https://brand.example/{{ site.id }}?from=mail");
    const token = await shop.tokenOf(ann);
    const target = `https://brand.example/${shop.id}?from=mail`;
    expect(await targetOf(token)).toBe(target);
    await shop.block("hero", { variants: [], version: 2 });
    expect(await targetOf(token)).toBe(target);
    expect((await click(token)).headers.get("cache-control")).toBe("private, no-cache, max-age=0");
  });

  it.each([
    ["another host that a value makes", "https://brand.example{{ customer.host }}/"],
    ["a host that is a value", "https://{{ customer.path }}.example/"],
    ["a user before another host", "https://brand.example@evil.example/"],
    ["no https", "http://brand.example/"],
    ["a script", "javascript:alert(1)"],
    ["a path alone", "/shoes"],
    ["nothing", ""],
    ["a template that fails", "https://brand.example/{{ 'x' | nofilter }}"],
  ])("does not lead to %s, but to the shop", async (_name, to) => {
    await link(to);
    expect(await targetOf(await shop.tokenOf(ann))).toBe("https://shop.example/");
  });

  it("takes no address from whoever asks", async () => {
    await link("https://brand.example/");
    const response = await ask(
      bindings,
      `/e/${await shop.tokenOf(ann)}/hero/click?to=https://evil.example/&url=//evil.example`,
      { headers: PERSON },
    );
    expect(response.headers.get("location")).toBe("https://brand.example/");
  });

  it("leads to the shop without a link, to nowhere without a shop", async () => {
    await shop.block("hero", { fallback: "<p>Hi</p>" });
    expect(await targetOf(await shop.tokenOf(ann))).toBe("https://shop.example/");
    expect(await targetOf(await shop.tokenOf(ann, { expiresAt: 1 }))).toBe("https://shop.example/");
    const local = await openShop({ settings: { origins: ["*", "http://localhost:3000"] } });
    await local.block("hero", { fallback: "<p>Hi</p>" });
    for (const token of [await local.tokenOf(await local.know("bob")), "forged", `${await shop.tokenOf(ann)}x`]) {
      const response = await local.get(token, "hero/click", PERSON);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain("not valid any more");
    }
  });
});

describe("a link", () => {
  it.each<[link: string, written: string[], expected: string | null]>([
    ["https://a.example/x", ["https://a.example/{{ y }}"], "https://a.example/x"],
    ["https://a.example:8443/x", ["https://a.example/"], null],
    ["https://a.example:8443/x", ["https://a.example:8443/"], "https://a.example:8443/x"],
    ["https://A.Example/x", ["https://a.example/"], "https://a.example/x"],
    [
      " https://b.example/ ",
      ["{% if x %}https://a.example/{% else %}https://b.example/{% endif %}"],
      "https://b.example/",
    ],
    ["https://a.example.evil.example/", ["https://a.example"], null],
    ["https://a.example\\@evil.example/", ["https://a.example/"], "https://a.example/@evil.example/"],
    ["https://user@a.example/", ["https://a.example/"], null],
    ["https://evil.example/https://a.example/", ["https://a.example/"], null],
    ["https://shop.example/x", [], "https://shop.example/x"],
    ["https://a.shop.example/x", [], null],
    ["ftp://shop.example/", [], null],
    ["https://", [], null],
  ])("%s, where %o is written", (link, written, expected) => {
    expect(checkLink(link, written, ["*", "https://shop.example"])).toBe(expected);
  });

  it("home is the first origin that is https", () => {
    expect(homeOf(["*", "http://localhost", "https://shop.example", "https://other.example"])).toBe(
      "https://shop.example/",
    );
    expect(homeOf(["*"])).toBeNull();
  });
});

describe("what is kept of it", () => {
  const IMAGE = { width: 600, height: 200, alt: "Hi", parts: [] };
  const SCANNER = { "user-agent": "Proofpoint URL Defense" };
  const PROXY = { "user-agent": "Mozilla/5.0" };
  type Row = { owner: string; message_id: string; body: string };
  const eventsOf = async () =>
    (await shop.rows<Row>("SELECT owner, message_id, body FROM events WHERE site_id = ?1 ORDER BY message_id"))
      .map(({ owner, message_id: id, body }) => ({
        owner,
        id,
        ...(JSON.parse(body) as { event: string; properties: object }),
      }))
      .filter(({ event }) => event);

  beforeEach(() => link("https://brand.example/", { image: IMAGE }));
  const open = async (token: string, headers: Record<string, string>) =>
    shop.get(token, "hero.png", headers, pressing().env);

  it("of a person is an opening and an exposure, a click, and each once", async () => {
    const token = await shop.tokenOf(ann);
    for (let time = 0; time < 2; time++) {
      await open(token, PERSON);
      await click(token);
    }
    const { decision } = await (await shop.get(token, "hero.json")).json<{ decision: { id: string } }>();
    const shown = {
      decision: decision.id,
      slot: "hero",
      block: "hero",
      variant: "a",
      reason: "targeted",
      send: "spring",
      channel: "email",
    };
    const email = { email_id: "spring", channel: "email" };
    expect(await eventsOf()).toMatchObject([
      {
        owner: "userId:ann",
        event: "Email Link Clicked",
        properties: { ...shown, ...email, link_url: "https://brand.example/" },
      },
      { owner: "userId:ann", event: "Attune Exposure", properties: shown },
      { owner: "userId:ann", event: "Email Opened", properties: { ...email, send: "spring" } },
    ]);
    await open(await shop.tokenOf(ann, { send: "autumn" }), PERSON);
    expect(await eventsOf()).toHaveLength(5);
  });

  it("of proxies, scanners, senders and strangers is nothing", async () => {
    const token = await shop.tokenOf(ann);
    for (const headers of [SCANNER, PROXY, {}, { "user-agent": "Braze Sender Version 1" }]) {
      await open(token, headers);
      expect((await click(token, headers)).headers.get("location")).toBe("https://brand.example/");
    }
    await ask({ ...bindings, ...pressing().env }, `/e/${token}/hero/click`, { method: "HEAD", headers: PERSON });
    for (const headers of [PERSON]) await shop.get(token, "hero", headers);
    for (const other of ["", "p_stranger"]) await click(await shop.tokenOf(other));
    expect(await eventsOf()).toEqual([]);
  });

  it("of somebody who does not allow analytics is nothing", async () => {
    await shop.post("/v1/consent", {
      writeKey: shop.writeKey,
      userId: "ann",
      ...{
        purposes: { analytics: false },
        proof: { at: new Date().toISOString(), policyVersion: "1", source: "test" },
      },
    });
    await shop.batch([
      {
        type: "track",
        event: "No",
        userId: "ann",
        messageId: "no",
        context: { consent: { categoryPreferences: { analytics: false } } },
      },
    ]);
    const token = await shop.tokenOf(ann);
    await open(token, PERSON);
    expect((await click(token)).headers.get("location")).toBe("https://brand.example/");
    expect(await eventsOf()).toEqual([]);
  });

  it("counts for the cap of the block", async () => {
    await shop.block("capped", {
      variants: [{ key: "a", audience: null, template: "", image: IMAGE }],
      cap: { times: 1, within: "7d" },
      fallback: "<p>Seen</p>",
    });
    const token = await shop.tokenOf(ann);
    await shop.get(token, "capped.png", PERSON, pressing().env);
    expect(await (await shop.get(await shop.tokenOf(ann, { send: "autumn" }), "capped")).text()).toBe("<p>Seen</p>");
    expect(await (await shop.get(token, "capped")).text()).toContain("<img");
  });
});
