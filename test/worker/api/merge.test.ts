import { describe, expect, it } from "vitest";
import { type Client, ingest, type Json, newSite, problemOf } from "./client.ts";

const user = (value: string) => ({ kind: "userId", value });
const device = (value: string) => ({ kind: "anonymousId", value });
const email = (value: string) => ({ kind: "email", value });

let count = 0;
const message = (more: object) => ({ messageId: `m${++count}`, ...more });
const identify = (anonymousId: string, userId: string, traits: object = {}) =>
  message({ type: "identify", anonymousId, userId, traits });
const view = (anonymousId: string, event = "Viewed") => message({ type: "track", event, anonymousId });

/** Somebody known by name and, on a device that nobody has named, somebody who looks around. */
async function twoPeople(): Promise<Client> {
  const site = await newSite();
  await site.post("/api/segments", {
    key: "viewers",
    name: "Viewers",
    condition: { event: "Viewed", within: "24h", count: { gte: 3 } },
    status: "active",
  });
  const variants = [{ key: "keen", audience: { segment: "viewers" }, template: "Hi {{ customer.name }}" }];
  await site.post("/api/blocks", { key: "hero", slot: "hero", variants, fallback: "Hi" });
  await site.post("/api/blocks/hero/publish");
  await ingest(site, [identify("laptop", "ada", { name: "Ada", plan: "pro" }), view("laptop")]);
  await ingest(site, [view("phone"), view("phone")]);
  return site;
}

const pair = { a: user("ada"), b: device("phone") };
const readProfile = (site: Client, query: string): Promise<Json> => site.get(`/api/profiles?${query}`);

/** All that is told of somebody, but for when they were last seen. */
async function storyOf(site: Client, query: string): Promise<Json> {
  const { lastSeen, ...profile } = await readProfile(site, `${query}&provenance=1`);
  const links = await site.get(`/api/profiles/${profile.id}/links`);
  const events = await site.get(`/api/profiles/${profile.id}/events`);
  return { profile, links, events };
}

describe("a link by hand", () => {
  it("makes two profiles one, and says what that changes for each of them", async () => {
    const site = await twoPeople();
    const [ada, phone] = [await readProfile(site, "userId=ada"), await readProfile(site, "anonymousId=phone")];
    const merge = await site.post("/api/links", pair);
    expect(merge).toMatchObject({
      done: true,
      before: [{ id: ada.id, stableId: ada.stableId }, { id: phone.id }],
      after: [{ id: ada.id, stableId: ada.stableId }],
      links: { made: [{ id: merge.link, ...pair, evidence: "manual" }], fallen: [] },
      conflicts: { made: [], solved: [] },
    });
    expect(merge.after[0].identifiers).toHaveLength(3);
    const entered = {
      segment: "viewers",
      before: null,
      after: { since: expect.any(String), until: expect.any(String) },
    };
    const slots = [
      { slot: "hero", before: { variant: null, reason: "fallback" }, after: { variant: "keen", reason: "targeted" } },
    ];
    expect(merge.changes).toEqual([
      { from: ada.id, to: ada.id, traits: [], segments: [entered], slots },
      {
        from: phone.id,
        to: ada.id,
        traits: ["name", "plan"].map((trait) => ({
          trait,
          before: null,
          after: { value: ada.traits[trait], identifier: user("ada"), source: "server", at: expect.any(String) },
        })),
        segments: [entered],
        slots,
      },
    ]);
    const united = await readProfile(site, "anonymousId=phone");
    expect(united).toMatchObject({ id: ada.id, segments: [{ key: "viewers" }], traits: { name: "Ada" } });
    expect((await site.get(`/api/profiles/${phone.id}/links`)).data).toContainEqual(
      expect.objectContaining({ id: merge.link, evidence: "manual", actor: expect.stringMatching(/^key:./) }),
    );
  });

  it("changes nothing as a dry run, and then exactly what that said", async () => {
    const site = await twoPeople();
    const [ada, phone] = [await storyOf(site, "userId=ada"), await storyOf(site, "anonymousId=phone")];
    const preview = await site.post("/api/links/preview", pair);
    expect(preview.done).toBe(false);
    expect(await storyOf(site, "userId=ada")).toEqual(ada);
    expect(await storyOf(site, "anonymousId=phone")).toEqual(phone);
    const merge = await site.post("/api/links", pair);
    const timeless = (value: unknown) => JSON.parse(JSON.stringify(value).replace(/"\d{4}-\d\d-\d\dT[^"]*"/g, "0"));
    expect(timeless({ ...merge, done: false })).toEqual(timeless(preview));
  });

  it("is told once however often it is asked for under one Idempotency-Key", async () => {
    const site = await twoPeople();
    const ask = () => site.send("POST", "/api/links", pair, { "idempotency-key": "once" });
    const first = await ask();
    const second = await ask();
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.headers.get("idempotent-replayed")).toBe("true");
    expect(await second.json()).toEqual(await first.json());
  });

  it("of two who are one already is refused with the links that make them so", async () => {
    const site = await twoPeople();
    await ingest(site, [identify("tablet", "ada")]);
    const asked = { a: device("laptop"), b: device("tablet") };
    const problem = await problemOf(site.send("POST", "/api/links", asked), "conflict");
    expect(problem.detail).toContain((await readProfile(site, "userId=ada")).id);
    expect(problem.errors).toHaveLength(2);
    const same = { a: user("ada"), b: user("ada") };
    expect((await problemOf(site.send("POST", "/api/links", same), "conflict")).errors).toBeUndefined();
  });

  it("that breaks a limit is refused, saying which limit and what both sides hold", async () => {
    const site = await twoPeople();
    await ingest(site, [identify("other", "ben")]);
    for (const path of ["/api/links", "/api/links/preview"]) {
      const problem = await problemOf(site.send("POST", path, { a: user("ada"), b: user("ben") }), "conflict");
      expect(problem.detail).toContain("userId");
      expect(problem.errors).toEqual([
        {
          pointer: "/a",
          code: "limit",
          detail: expect.stringMatching(/^Profile \w+ holds 1 anonymousId, 1 userId\.$/),
        },
        {
          pointer: "/b",
          code: "limit",
          detail: expect.stringMatching(/^Profile \w+ holds 1 anonymousId, 1 userId\.$/),
        },
      ]);
    }
    expect((await readProfile(site, "userId=ben")).identifiers).toHaveLength(2);
  });

  it.each<[string, object, string, string[]]>([
    ["somebody nobody knows", { a: user("ada"), b: user("zoe") }, "not-found", ["/b"]],
    ["two whom nobody knows", { a: user("yan"), b: user("zoe") }, "not-found", ["/a", "/b"]],
    ["what identifies nobody", { a: user("ada"), b: email("nonsense") }, "invalid-request", ["/b/value"]],
    ["a kind that there is not", { a: { kind: "vat", value: "1" }, b: user("ada") }, "invalid-request", ["/a/kind"]],
    ["one alone", { a: user("ada") }, "invalid-request", ["/b"]],
    ["more than two", { ...pair, c: user("c") }, "invalid-request", ["/c"]],
    ["what has another form", { a: { userId: "ada" }, b: user("ada") }, "invalid-request", ["/a/kind"]],
  ])("to %s is refused where it is wrong", async (_what, body, slug, pointers) => {
    const site = await twoPeople();
    const problem = await problemOf(site.send("POST", "/api/links", body), slug);
    expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(expect.arrayContaining(pointers));
  });

  it("to somebody of another site finds nobody", async () => {
    const [one, two] = [await twoPeople(), await newSite()];
    await ingest(two, [view("tablet")]);
    await problemOf(one.send("POST", "/api/links", { a: user("ada"), b: device("tablet") }), "not-found");
  });
});

describe("the removal of a link", () => {
  it("gives both profiles back as they were, and says so before and after", async () => {
    const site = await twoPeople();
    const stories = [await storyOf(site, "userId=ada"), await storyOf(site, "anonymousId=phone")];
    const { link } = await site.post("/api/links", pair);
    const preview = await site.post("/api/links/preview", { remove: link });
    expect(preview).toMatchObject({
      link,
      done: false,
      parted: true,
      path: [],
      before: [{ id: stories[0].profile.id }],
      after: [{ id: stories[0].profile.id }, { id: stories[1].profile.id }],
      links: { made: [], fallen: [{ id: link }] },
    });
    expect(preview.changes.map(({ from, to }: Json) => [from, to])).toEqual([
      [stories[0].profile.id, stories[0].profile.id],
      [stories[0].profile.id, stories[1].profile.id],
    ]);
    expect(preview.changes[1]).toMatchObject({
      traits: [{ trait: "name", before: { value: "Ada" }, after: null }, { trait: "plan" }],
      segments: [{ segment: "viewers", after: null }],
      slots: [{ slot: "hero", after: { variant: null, reason: "fallback" } }],
    });
    const response = await site.send("DELETE", `/api/links/${link}`, undefined, { "idempotency-key": "part" });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ ...preview, done: true });
    expect([await storyOf(site, "userId=ada"), await storyOf(site, "anonymousId=phone")]).toEqual(stories);
    for (const { profile } of stories)
      expect(await site.get(`/api/profiles/${profile.id}`)).toMatchObject({ id: profile.id });
  });

  it("stays in the links of both as removed, and does not come back by hearing of it", async () => {
    const site = await twoPeople();
    await ingest(site, [identify("phone", "ada")]);
    const { id } = await readProfile(site, "userId=ada");
    const { data } = await site.get(`/api/profiles/${id}/links`);
    const link = data.find(({ b }: Json) => b.value === "phone");
    await site.send("DELETE", `/api/links/${link.id}`);
    await ingest(site, [identify("phone", "ada")]);
    for (const query of ["userId=ada", "anonymousId=phone"]) {
      const profile = await readProfile(site, query);
      const removed = await site.get(`/api/profiles/${profile.id}/links?removed=1`);
      expect(removed.data).toContainEqual({ ...link, removedAt: expect.any(String) });
      expect((await site.get(`/api/profiles/${profile.id}/links`)).data).not.toContainEqual(
        expect.objectContaining({ id: link.id }),
      );
    }
    await site.post("/api/links", pair);
    expect((await readProfile(site, "anonymousId=phone")).id).toBe(id);
  });

  it("parts nobody where other links lead from one to the other, and says which", async () => {
    const site = await newSite();
    const traits = { email: "ada@shop.example" };
    await ingest(site, [view("laptop"), identify("laptop", "ada", traits)]);
    await ingest(site, [message({ type: "identify", anonymousId: "laptop", traits })]);
    const { id } = await readProfile(site, "userId=ada");
    const { data } = await site.get(`/api/profiles/${id}/links`);
    const link = data.find(({ a, b }: Json) => a.kind === "userId" && b.kind === "anonymousId");
    const before = (await readProfile(site, "userId=ada")).identifiers;
    const response = await site.send("DELETE", `/api/links/${link.id}`);
    const answer = await response.json<Json>();
    expect(answer).toMatchObject({
      parted: false,
      before: [{ id }],
      after: [{ id }],
      changes: [{ traits: [], segments: [] }],
    });
    expect(answer.path.map(({ a, b }: Json) => [a.kind, b.kind])).toEqual([
      ["userId", "email"],
      ["anonymousId", "email"],
    ]);
    expect((await readProfile(site, "userId=ada")).identifiers).toEqual(before);
  });

  it("makes what was refused because of it alone", async () => {
    const site = await twoPeople();
    await site.post("/api/links", pair);
    await ingest(site, [identify("phone", "ben")]);
    const { data } = await site.get("/api/conflicts");
    expect(data).toMatchObject([{ a: user("ben"), b: device("phone"), possible: false }]);
    const link = (await site.get(`/api/profiles/${(await readProfile(site, "userId=ada")).id}/links`)).data.find(
      ({ evidence }: Json) => evidence === "manual",
    );
    const answer = await (await site.send("DELETE", `/api/links/${link.id}`)).json<Json>();
    expect(answer).toMatchObject({
      parted: true,
      links: { made: [{ a: user("ben"), b: device("phone") }], fallen: [{ id: link.id }] },
      conflicts: { made: [], solved: [{ id: data[0].id }] },
    });
    expect(await site.get("/api/conflicts")).toEqual({ data: [], next: null });
    expect((await readProfile(site, "userId=ben")).id).toBe((await readProfile(site, "anonymousId=phone")).id);
  });

  it("is refused of a link that is gone, and of one that never was", async () => {
    const site = await twoPeople();
    const { link } = await site.post("/api/links", pair);
    await site.send("DELETE", `/api/links/${link}`);
    for (const ask of [
      site.send("DELETE", `/api/links/${link}`),
      site.send("POST", "/api/links/preview", { remove: link }),
    ]) {
      expect((await problemOf(ask, "conflict")).detail).toMatch(/was removed at 20/);
    }
    await problemOf(site.send("DELETE", "/api/links/never"), "not-found");
    await problemOf(site.send("POST", "/api/links/preview", { remove: "never" }), "not-found");
    const other = await newSite();
    await problemOf(other.send("DELETE", `/api/links/${link}`), "not-found");
  });

  it.each<[string, object]>([
    ["nothing", {}],
    ["half a pair", { a: user("a") }],
    ["both", { ...pair, remove: "x" }],
    ["what is no id", { remove: 7 }],
  ])("or a link is not previewed of %s", async (_what, body) => {
    const site = await newSite();
    await problemOf(site.send("POST", "/api/links/preview", body), "invalid-request");
  });

  it("leaves each profile with the log of its own segments", async () => {
    const site = await twoPeople();
    const [ada, phone] = [await readProfile(site, "userId=ada"), await readProfile(site, "anonymousId=phone")];
    const { link } = await site.post("/api/links", pair);
    await ingest(site, [view("phone"), view("phone")]);
    await site.send("DELETE", `/api/links/${link}`);
    const logOf = async (id: string) =>
      (await site.get(`/api/profiles/${id}/log`)).data.map(({ segment, change, cause, profile }: Json) => [
        `${change} ${segment}`,
        cause,
        profile,
      ]);
    expect(await logOf(ada.id)).toEqual([
      ["exit viewers", "identity", ada.id],
      ["enter viewers", "identity", ada.id],
    ]);
    expect(await logOf(phone.id)).toEqual([["enter viewers", "identity", phone.id]]);
    expect((await readProfile(site, "anonymousId=phone")).segments).toMatchObject([{ key: "viewers" }]);
  });
});
