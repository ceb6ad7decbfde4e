/** An identifier is the same one wherever it is given, and a site's own kinds are kinds like any other. */
import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { type Client, type Json, newSite, problemOf } from "../api/client.ts";

let site: Client;

const send = (path: string, body: object) =>
  exports.default.fetch(`https://edge.example${path}`, {
    method: "POST",
    body: JSON.stringify({ writeKey: site.writeKey, ...body }),
  });

beforeAll(async () => {
  const kinds = ["userId", "loyalty_card", "email", "phone", "anonymousId"].map((kind) => ({
    kind,
    limit: kind === "userId" ? 1 : 5,
  }));
  const blocked = [{ kind: "anonymousId", pattern: "kiosk-*" }];
  site = await newSite({ identity: { kinds, blocked, phoneRegion: "DE" } });
  await send("/v1/identify", {
    userId: "ann",
    traits: { email: "Ann@Bücher.example", phone: "030 123456" },
    context: { externalIds: [{ type: "loyalty_card", id: "L-7", collection: "users", encoding: "none" }] },
  });
});

describe("somebody", () => {
  it.each([
    ["userId=ann"],
    ["email=ann@b%C3%BCcher.example"],
    ["email=ANN@xn--bcher-kva.example"],
    ["phone=030%20123456"],
    ["phone=%2B4930123456"],
    ["kind=phone&value=(030)%20123456"],
    ["kind=loyalty_card&value=L-7"],
  ])("is found by %s", async (query) => {
    const { identifiers } = await site.get(`/api/profiles?${query}`);
    expect(identifiers.map(({ kind, value }: Json) => `${kind}:${value}`).sort()).toEqual([
      "email:ann@xn--bcher-kva.example",
      "loyalty_card:L-7",
      "phone:+4930123456",
      "userId:ann",
    ]);
  });

  it("is put on a list by any of them", async () => {
    await site.post("/api/segments", { key: "club", name: "Club", kind: "static", status: "active" });
    const path = "/api/segments/club/members?mode=";
    for (const identifier of [{ loyalty_card: "L-7" }, { phone: "030 123456" }, { email: "ann@BÜCHER.example" }]) {
      expect(await site.post(`${path}add`, { identifiers: [identifier] })).toMatchObject({ matched: 1, added: 1 });
      expect(await site.post(`${path}remove`, { identifiers: [identifier] })).toMatchObject({ matched: 1, removed: 1 });
    }
    for (const csv of ["Loyalty Card;Name\nL-7;Ann", "telefon\n030/123456", "e-mail\nann@bücher.example"]) {
      const answer = async (mode: string) =>
        (await site.send("POST", `${path}${mode}`, csv, { "content-type": "text/csv" })).json();
      expect(await answer("add")).toMatchObject({ matched: 1, added: 1 });
      expect(await answer("remove")).toMatchObject({ matched: 1, removed: 1 });
    }
    const identifiers = [{ userId: "ann" }, { shoe_size: "42" }];
    const problem = await problemOf(site.send("POST", `${path}add`, { identifiers }), "invalid-request");
    expect(problem.errors).toMatchObject([{ pointer: "/identifiers/1/shoe_size", code: "kind" }]);
  });

  it("gets an e-mail by any of them", async () => {
    const recipients = [{ loyalty_card: "L-7" }, { email: "ann@bücher.example" }, { phone: "030 123456" }];
    expect(await site.post("/api/email/tokens", { send: "news", recipients })).toHaveLength(3);
    const wrong = [...recipients, { shoe_size: "42" }, { email: "ann" }];
    const answer: Json[] = await site.post("/api/email/tokens", { send: "news", recipients: wrong });
    expect(answer.map(({ token, error }) => error?.pointer ?? typeof token)).toEqual([
      ...["string", "string", "string"],
      ...["/recipients/3/shoe_size", "/recipients/4/email"],
    ]);
  });
});

describe("a blocked device", () => {
  it("is nobody: it is decided for without being stored, and cannot consent", async () => {
    const answer = await send("/v1/decide", { anonymousId: "kiosk-1", slots: [], events: [] });
    expect(await answer.json()).toMatchObject({ token: null, stableId: "" });
    const consent = await send("/v1/consent", { anonymousId: "kiosk-1", purposes: { marketing: true } });
    expect(consent.status).toBe(400);
    await problemOf(site.send("GET", "/api/profiles?anonymousId=kiosk-1"), "invalid-request");
  });

  it("costs no message that names somebody else, too", async () => {
    const batch = [{ type: "track", event: "Seen", userId: "bob", anonymousId: "kiosk-1" }];
    expect(await (await send("/v1/batch", { batch })).json()).toMatchObject({ accepted: 1, rejected: [] });
    const { identifiers } = await site.get("/api/profiles?userId=bob");
    expect(identifiers).toMatchObject([{ kind: "userId", value: "bob" }]);
  });
});
