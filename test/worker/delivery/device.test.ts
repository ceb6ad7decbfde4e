/** The device's id in a cookie: who gets one, who gets it back, and who never does. */
import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { DecideAnswer, IngestAnswer } from "../../../shared/wire.ts";
import { ingest, newSite } from "../api/client.ts";
import { createSite, type TestSite, track } from "../site.ts";

const OWN = { origin: "https://edge.example", "sec-fetch-site": "same-origin" };
const DAY_MS = 86_400_000;
const today = () => Math.floor(Date.now() / DAY_MS);

let site: TestSite;
let name: string;
beforeAll(async () => {
  site = await createSite({
    segments: [{ key: "runner", condition: { event: "Ran" } }],
    blocks: [
      {
        slot: "hero",
        variants: [{ key: "runner", audience: { segment: "runner" }, template: "Run" }],
        fallback: "Hello",
      },
    ],
    settings: { origins: ["https://shop.example"] },
  });
  name = `__Host-attune.${site.id}`;
});

interface Answered<A> {
  answer: A;
  set: string | null;
}

async function ask<A = DecideAnswer>(
  path: string,
  body: object,
  headers: Record<string, string> = OWN,
): Promise<Answered<A>> {
  const response = await site.post(path, body, headers);
  expect(response.status).toBe(200);
  expect(response.headers.get("access-control-allow-credentials")).toBeNull();
  return { answer: await response.json(), set: response.headers.get("set-cookie") };
}
const decide = (body: object, headers?: Record<string, string>) =>
  ask("/a/decide", { slots: ["hero"], mode: "full", ...body }, headers);
const cookieOf = (id: string, day = today(), of = name) => ({ ...OWN, cookie: `first=1; ${of}=${id}.${day}; last=2` });
const newId = () => crypto.randomUUID();
const ownersOf = async (...ids: string[]) => {
  const rows = await site.rows<{ owner: string }>(
    "SELECT owner FROM events WHERE site_id = ?1 AND owner IN (SELECT value FROM json_each(?2)) ORDER BY owner",
    JSON.stringify(ids.map((id) => `anonymousId:${id}`)),
  );
  return rows.map(({ owner }) => owner.slice("anonymousId:".length));
};

describe("a cookie", () => {
  it("is set for a device that may be remembered: for the site alone, out of the reach of scripts, for 400 days", async () => {
    const anonymousId = newId();
    const { set } = await decide({ anonymousId });
    expect(set).toBe(`${name}=${anonymousId}.${today()}; Max-Age=34560000; Path=/; Secure; HttpOnly; SameSite=Lax`);
    const inBatch = await ask("/a/batch", { mode: "full", anonymousId, batch: [] });
    expect(inBatch.set).toBe(set);
  });

  it("is set again when it is another's or old, not with each answer", async () => {
    const anonymousId = newId();
    const sets = async (headers: Record<string, string>) => (await decide({ anonymousId }, headers)).set !== null;
    expect(await sets(cookieOf(anonymousId))).toBe(false);
    expect(await sets(cookieOf(anonymousId, today() - 29))).toBe(false);
    expect(await sets(cookieOf(anonymousId, today() - 30))).toBe(true);
    // A clock that was wrong when it was set.
    expect(await sets(cookieOf(anonymousId, today() + 400))).toBe(true);
    expect(await sets(cookieOf(newId()))).toBe(true);
    expect(await sets({ ...OWN, cookie: `${name}=garbage` })).toBe(true);
  });

  it("is answered with a token's answer as with any other", async () => {
    const anonymousId = newId();
    const first = await decide({ anonymousId, events: [track("Ran", {}, { anonymousId })] }, cookieOf(anonymousId));
    const again = await decide({ anonymousId, token: first.answer.token });
    expect(again.answer.token).toBe(first.answer.token);
    expect(again.set).toContain(anonymousId);
  });

  it.each([
    ["the site's other origin", { origin: "https://shop.example" }],
    ["a page that the browser says is of another site", { ...OWN, "sec-fetch-site": "cross-site" }],
    ["another host of the site", { ...OWN, "sec-fetch-site": "same-site" }],
    ["a server", {}],
  ])("is neither set nor read for %s", async (_name, headers) => {
    const [before, anonymousId] = [newId(), newId()];
    const cookie = cookieOf(before).cookie;
    const { answer, set } = await decide({ anonymousId, wiped: true }, { ...headers, cookie });
    expect(set).toBeNull();
    expect(answer).not.toHaveProperty("anonymousId");
  });

  it.each(["off", "memory", "session"])(
    "is not set under the mode %s, and one that is there is deleted",
    async (mode) => {
      const anonymousId = newId();
      const gone = `${name}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax`;
      // Withdrawn: another answer may be bringing it.
      expect((await decide({ anonymousId, mode })).set).toBe(mode === "off" ? gone : null);
      expect((await decide({ anonymousId, mode }, cookieOf(anonymousId))).set).toBe(gone);
      expect((await decide({ anonymousId, mode }, { ...OWN, cookie: `${name}=garbage` })).set).toBe(gone);
    },
  );

  it.each([undefined, null, "FULL", "toString", 1, {}])("is left alone where the mode is %j", async (mode) => {
    const anonymousId = newId();
    expect((await decide({ anonymousId, mode })).set).toBeNull();
    expect((await decide({ anonymousId, mode, wiped: true }, cookieOf(newId()))).set).toBeNull();
  });

  it.each(["1-2-3-4", "4294967295-0-17-99"])("holds an id as the script makes it: %s", async (anonymousId) => {
    const response = await site.post("/a/decide", { anonymousId, mode: "full" }, OWN);
    expect(response.headers.get("set-cookie")).toContain(`=${anonymousId}.`);
  });

  it.each(["visitor", "a".repeat(64), `${crypto.randomUUID()}; Domain=example`, `${crypto.randomUUID()}\r\nX: y`, ""])(
    "holds no id that the script would not make: %j",
    async (anonymousId) => {
      const response = await site.post("/a/decide", { anonymousId, mode: "full" }, OWN);
      expect(response.headers.get("set-cookie")).toBeNull();
    },
  );
});

describe("a device that was wiped", () => {
  it("gets its id back, with what is known of it, and what it sends along is its own", async () => {
    const [before, born] = [newId(), newId()];
    await site.batch([track("Ran", {}, { anonymousId: before })]);
    const { answer, set } = await decide(
      { anonymousId: born, wiped: true, events: [track("Opened", {}, { anonymousId: born })] },
      cookieOf(before),
    );
    expect(answer).toMatchObject({ anonymousId: before, accepted: 1, segments: { runner: null } });
    expect(answer.slots["hero"]!.html).toBe("Run");
    expect(set).toBeNull();
    expect(await ownersOf(before, born)).toEqual([before, before]);
    const again = await decide({ anonymousId: before, token: answer.token }, cookieOf(before));
    expect(again.answer).not.toHaveProperty("anonymousId");
    expect(again.answer.token).toBe(answer.token);
  });

  it("gets it back as often as it asks, and stores what it sends again once", async () => {
    const [before, born] = [newId(), newId()];
    const events = [track("Opened", {}, { anonymousId: born })];
    for (const path of ["/a/decide", "/a/batch", "/a/decide"]) {
      const body = { anonymousId: born, wiped: true, mode: "full", events, batch: events };
      const { answer } = await ask<IngestAnswer>(path, body, cookieOf(before));
      expect(answer).toMatchObject({ anonymousId: before, accepted: 1 });
    }
    expect(await ownersOf(before, born)).toEqual([before]);
  });

  it("is not linked with a device that never was", async () => {
    const [before, born] = [newId(), newId()];
    const userId = `u-${born}`;
    const alias = { type: "alias", messageId: newId(), anonymousId: born, previousId: born, userId };
    await decide({ anonymousId: born, wiped: true, events: [alias] }, cookieOf(before));
    const names = await site.rows<{ identifier: string }>(
      "SELECT identifier FROM identifiers WHERE site_id = ?1 AND identifier IN (SELECT value FROM json_each(?2))",
      JSON.stringify([`anonymousId:${before}`, `anonymousId:${born}`, `userId:${userId}`]),
    );
    expect(names.map(({ identifier }) => identifier).sort()).toEqual([`anonymousId:${before}`, `userId:${userId}`]);
  });

  it("leaves messages of others as they are", async () => {
    const [before, born, other] = [newId(), newId(), newId()];
    const events = [track("Opened", {}, { anonymousId: other }), 7, null, track("Opened", {}, { anonymousId: born })];
    const { answer } = await decide({ anonymousId: born, wiped: true, events }, cookieOf(before));
    expect(answer.accepted).toBe(2);
    expect(await ownersOf(before, born, other)).toEqual([before, other].sort());
  });

  it("keeps its new id where there is no cookie, and has one from then on", async () => {
    const born = newId();
    const { answer, set } = await decide({ anonymousId: born, wiped: true });
    expect(answer).not.toHaveProperty("anonymousId");
    expect(set).toContain(born);
  });

  it.each([
    ["of another site", (id: string) => `__Host-attune.other=${id}.${today()}`],
    ["of the same name below", (id: string) => `x${name}=${id}.${today()}`],
    ["that is no id", () => `${name}=visitor.${today()}`],
    ["that is cut off", (id: string) => `${name}=${id}`],
    ["that goes on", (id: string) => `${name}=${id}.${today()}.x`],
  ])("is given nothing by a cookie %s", async (_name, cookie) => {
    const born = newId();
    const { answer } = await decide({ anonymousId: born, wiped: true }, { ...OWN, cookie: cookie(newId()) });
    expect(answer).not.toHaveProperty("anonymousId");
  });

  it.each([
    { wiped: undefined },
    { wiped: "true" },
    { wiped: 1 },
    { mode: "session" },
    { mode: undefined },
    { anonymousId: undefined },
  ])("is not assumed to be one where it says %j", async (said) => {
    const { answer } = await decide({ anonymousId: newId(), wiped: true, ...said }, cookieOf(newId()));
    expect(answer).not.toHaveProperty("anonymousId");
  });

  it("is another device after a reset: the cookie is that one's", async () => {
    const [before, next] = [newId(), newId()];
    const { answer, set } = await decide({ anonymousId: next }, cookieOf(before));
    expect(answer).not.toHaveProperty("anonymousId");
    expect(set).toContain(`${name}=${next}.`);
  });
});

describe("consent", () => {
  const NONE = { analytics: false, personalization: false, marketing: false };
  const say = (body: object, headers: Record<string, string>) => site.post("/a/consent", body, headers);

  it("deletes the cookie when all of it is withdrawn, and only then", async () => {
    const anonymousId = newId();
    const cookie = cookieOf(anonymousId);
    const all = await say({ anonymousId, purposes: { necessary: true, ...NONE } }, cookie);
    expect(all.headers.get("set-cookie")).toContain("Max-Age=0");
    for (const purposes of [{ ...NONE, marketing: true }, { analytics: false }, {}, { ...NONE, analytics: true }]) {
      expect((await say({ anonymousId, purposes }, cookie)).headers.get("set-cookie")).toBeNull();
    }
    // Another answer may be bringing it at this moment.
    expect((await say({ anonymousId, purposes: NONE }, OWN)).headers.get("set-cookie")).toContain("Max-Age=0");
    const elsewhere = { ...cookie, origin: "https://shop.example" };
    expect((await say({ anonymousId, purposes: NONE }, elsewhere)).headers.get("set-cookie")).toBeNull();
  });

  it("deletes the cookie when nothing is to stay on the device any more", async () => {
    const anonymousId = newId();
    const purposes = { analytics: true, personalization: true, marketing: true };
    const response = await say({ anonymousId, purposes, mode: "session" }, cookieOf(anonymousId));
    expect(response.headers.get("set-cookie")).toContain("Max-Age=0");
  });

  it("deletes the cookie of somebody who was erased, too", async () => {
    const client = await newSite();
    const anonymousId = newId();
    await ingest(client, [track("Ran", {}, { anonymousId })]);
    expect((await client.send("DELETE", `/api/profiles?anonymousId=${anonymousId}`)).ok).toBe(true);
    const response = await exports.default.fetch("https://edge.example/a/consent", {
      method: "POST",
      headers: cookieOf(anonymousId, today(), `__Host-attune.${client.siteId}`),
      body: JSON.stringify({ writeKey: client.writeKey, anonymousId, purposes: NONE, at: Date.now() - DAY_MS }),
    });
    expect(response.status).toBe(410);
    expect(response.headers.get("set-cookie")).toContain("Max-Age=0");
  });
});
