/** Nothing is stored, sent or decided before it is allowed, by mode and by purpose, and signals of the browser count. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Purpose } from "../../shared/consent.ts";
import { HERO, left, NOTHING, ready, views } from "./consent.ts";
import { openStage, type Stage, until, type Visitor } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const loaded = (page: Page) => page.waitForFunction(() => "version" in attune);
const messages = ({ sent }: Visitor) => sent.flatMap(({ messages }) => messages);
/** Paths of all that goes to the Worker, but the script. */
function watch({ context }: Visitor): string[] {
  const asked: string[] = [];
  context.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith("/a/")) asked.push(pathname);
  });
  return asked;
}
const heardModes = (page: Page) =>
  page.evaluate(() => heard.filter(({ type }) => type === "consent").map(({ detail }) => detail.mode));
/** The site's answer for visitors who have not chosen. */
const answer = (page: Page, consentDefault: string) =>
  page.route("**/a/manifest/**", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), consentDefault } });
  });

it("stores, sends and decides nothing with consent off", async () => {
  const visitor = await stage.visitor();
  const asked = watch(visitor);
  const page = await visitor.open(HERO, 'data-consent="off"');
  await loaded(page);
  await views(page);
  await page.evaluate(() => {
    attune.identify("nobody-knows");
    return attune.flush();
  });
  await page.goto("about:blank");
  await visitor.open(HERO, 'data-consent="off"', page);
  await loaded(page);
  expect(await left(page)).toEqual(NOTHING);
  expect(asked).toEqual([]);
  expect(await page.evaluate(() => [attune.segments(), attune.decisions(), attune.anonymousId()])).toEqual([
    {},
    {},
    undefined,
  ]);
  expect(await page.locator("attune-block").textContent()).toBe("Fallback");
});

it("asks for the site's configuration, and does nothing else, while it is not known what is allowed", async () => {
  const visitor = await stage.visitor();
  const asked = watch(visitor);
  const page = await visitor.context.newPage();
  let reply = () => {};
  const held = new Promise<void>((resolve) => {
    reply = resolve;
  });
  await page.route("**/a/manifest/**", async (route) => {
    await held;
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), consentDefault: "off" } });
  });
  const [request] = await Promise.all([page.waitForRequest("**/a/manifest/**"), visitor.open(HERO, "", page)]);
  await views(page);
  expect(await left(page)).toEqual(NOTHING);
  expect(new URL(request.url()).pathname).toBe(`/a/manifest/${stage.writeKey}`);
  expect([new URL(request.url()).search, request.postData(), (await request.allHeaders())["cookie"]]).toEqual([
    "",
    null,
    undefined,
  ]);
  expect(await page.locator("attune-block").textContent()).toBe("Fallback");
  expect(await heardModes(page)).toEqual([]);
  reply();
  await until(async () => (await heardModes(page)).length, "the answer");
  expect(await heardModes(page)).toEqual(["off"]);
  await page.evaluate(() => attune.flush());
  expect(await left(page)).toEqual(NOTHING);
  expect(asked).toEqual([`/a/manifest/${stage.writeKey}`]);

  // What was called before is gone; it was nobody's to keep.
  await page.evaluate(() => attune.consent("full"));
  await ready(page);
  const [first] = await until(() => messages(visitor).length > 0 && messages(visitor), "the page view");
  expect(first!.type).toBe("page");
});

it("holds the calls of a first visit without network, a bounded number of them, and lets them through once it is allowed", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.context.newPage();
  await page.route("**/a/**", (route) => route.abort());
  await visitor.open("", "", page);
  await page.evaluate(() => {
    for (let i = 0; i < 700; i++) attune.track("Waited", { i });
  });
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "error")), "the failure");
  expect(await left(page)).toEqual(NOTHING);
  await page.unroute("**/a/**");
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await ready(page);
  const waited = () => page.evaluate(() => heard.filter(({ detail }) => detail.event === "Waited").length);
  await until(waited, "the calls");
  expect(await waited()).toBeLessThanOrEqual(500);
  await page.evaluate(() => attune.flush());
  const first = messages(visitor).find(({ event }) => event === "Waited");
  // Of what nobody had been asked yet, it says nothing.
  expect(first?.context?.["consent"]).toEqual({ categoryPreferences: { necessary: true } });
});

it("takes what it does not understand for no yes, and says so where it is called", async () => {
  const visitor = await stage.visitor();
  const asked = watch(visitor);
  const page = await visitor.open(HERO, 'data-consent="ful"');
  await loaded(page);
  await until(async () => (await heardModes(page)).length > 0, "the mode");
  expect(await heardModes(page)).toEqual(["off"]);
  expect(asked).toEqual([]);
  const told = await page.evaluate(() => {
    for (const said of ["Off", "denied", false, null, undefined]) attune.consent(said as never);
    return heard.filter(({ type }) => type === "error").map(({ detail }) => detail);
  });
  expect(told).toEqual(["Off", "denied", "false", "null", "undefined"].map((said) => `No consent mode: ${said}`));
  expect(await left(page)).toEqual(NOTHING);
});

it("decides in the page and keeps nothing with consent for memory", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(HERO, 'data-consent="memory"');
  await ready(page);
  await page.waitForFunction(() => heard.some(({ type }) => type === "event"));
  await views(page);
  await until(() => page.evaluate(() => "interested" in attune.segments()), "the segment");
  await page.evaluate(() => attune.flush());
  expect(await left(page)).toMatchObject({ databases: [], local: [], session: [], caches: [], cookies: "" });
  expect(visitor.sent).toEqual([]);
  expect(await page.locator("attune-block").textContent()).toBe("Fallback");
});

it("knows a visitor for as long as the tab with consent for the session", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(HERO, 'data-consent="session"');
  await ready(page);
  await page.waitForSelector("p.all");
  const id = (await page.evaluate(() => attune.anonymousId()))!;
  await page.reload();
  await ready(page);
  expect(await page.evaluate(() => attune.anonymousId())).toBe(id);
  await page.evaluate(() => attune.flush());
  expect(await left(page)).toMatchObject({ databases: [], local: [], session: [`attune.${stage.writeKey}/visit`] });
  await until(async () => (await visitor.stored(id)).length >= 2, "the events");
  const other = await visitor.open(HERO, 'data-consent="session"');
  await ready(other);
  expect(await other.evaluate(() => attune.anonymousId())).not.toBe(id);
});

it("says to listeners what holds, to late ones too", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.context.newPage();
  await answer(page, "memory");
  await visitor.open("", "", page);
  await ready(page);
  const late = await page.evaluate(() => new Promise((resolve) => attune.on("consent", resolve)));
  expect(late).toEqual({
    mode: "memory",
    purposes: { necessary: true, analytics: true, personalization: true, marketing: true },
  });
  await page.evaluate(() => attune.consent("off"));
  expect(await heardModes(page)).toEqual(["memory", "off"]);
});

const statement = (visitor: Visitor) => visitor.sent.filter(({ path }) => path === "/a/consent").at(-1)?.body;
const granted = async (anonymousId: string): Promise<{ [purpose in Purpose]?: boolean }> => {
  const { consent } = await stage.api<{ consent: { [purpose: string]: { granted: boolean } } }>(
    "GET",
    `/api/profiles?anonymousId=${anonymousId}`,
  );
  return Object.fromEntries(Object.entries(consent).map(([purpose, { granted }]) => [purpose, granted]));
};

it("captures no event, and keeps and sends none of before, without analytics", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(HERO);
  await page.waitForSelector("p.all");
  await page.evaluate(() => attune.flush());
  const id = (await page.evaluate(() => attune.anonymousId()))!;
  const isBatch = (url: URL) => /\/a\/(batch|decide)$/.test(url.pathname);
  await page.route(isBatch, (route) => route.abort());
  await views(page);
  await until(() => page.evaluate(() => "interested" in attune.segments()), "the segment");
  // What an earlier page could not send waits, too.
  await page.reload();
  await ready(page);
  await until(() => page.evaluate(async () => (await attune.stored())!.outbox.length >= 2), "the events to wait");
  await page.evaluate(() => attune.consent({ analytics: false }));
  await page.unroute(isBatch);
  await until(async () => (await granted(id))["analytics"] === false, "the Worker to know");
  expect(await granted(id)).toEqual({ necessary: true, analytics: false, personalization: true, marketing: true });
  const before = messages(visitor).length;
  await views(page);
  await page.evaluate(() => attune.identify("ann", { plan: "vip" }));
  await page.evaluate(() => attune.flush());
  await until(() => page.evaluate(async () => (await attune.stored())?.outbox.length === 0), "the outbox to be empty");
  expect(await page.evaluate(async () => (await attune.stored())?.state["events"])).toEqual([]);
  expect(await page.evaluate(() => "interested" in attune.segments())).toBe(false);
  // Who it is still counts, for what is personalized.
  expect(await page.evaluate(() => [attune.anonymousId(), attune.userId()])).toEqual([id, "ann"]);
  await page.reload();
  await page.waitForSelector("p.all");
  await page.evaluate(() => attune.flush());
  expect(messages(visitor)).toHaveLength(before);
  expect((await visitor.stored(id)).filter(({ event }) => event === "Product Viewed")).toEqual([]);
});

it("shows nothing that was decided for the visitor, and keeps none of it, without personalization", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(HERO);
  await ready(page);
  await page.evaluate(() => attune.identify("bob", { plan: "vip" }));
  await views(page);
  await page.waitForSelector("p.shoes");
  await page.route("**/a/decide", (route) => route.abort());
  await page.evaluate(() => attune.consent({ personalization: false }));
  expect(await page.locator("attune-block").textContent()).toBe("Fallback");
  const state = await until(() => page.evaluate(async () => (await attune.stored())?.state), "the state");
  expect(state).toMatchObject({ slots: {}, traits: {} });
  await page.unroute("**/a/decide");
  await page.reload();
  // What everybody gets.
  await page.waitForSelector("p.all");
  expect(statement(visitor)?.["purposes"]).toMatchObject({ analytics: true, personalization: false, marketing: true });
  await page.evaluate(() => attune.flush());
  const event = messages(visitor).at(-1)!;
  expect(event.context?.["consent"]).toMatchObject({
    categoryPreferences: { analytics: true, personalization: false },
  });
});

it("stays as it is for what is left out, takes nothing but true for a yes, and is off where nothing is granted", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open("", 'data-consent="off"');
  await loaded(page);
  const say = (choice: object) =>
    page.evaluate((choice) => {
      attune.consent(choice);
      const { mode, purposes } = heard.filter(({ type }) => type === "consent").at(-1)!.detail;
      return [mode, ...["analytics", "personalization", "marketing"].filter((purpose) => purposes[purpose])];
    }, choice);
  expect(await say({ analytics: "yes", marketing: 1 })).toEqual(["off"]);
  expect(await say({ analytics: true })).toEqual(["full", "analytics"]);
  expect(await say({ personalization: true, functional: true })).toEqual(["full", "analytics", "personalization"]);
  expect(await say({ analytics: false })).toEqual(["full", "personalization"]);
  expect(await say({ personalization: false })).toEqual(["off"]);
  const thrown = await page.evaluate(() => {
    try {
      attune.consent(
        Object.defineProperty({}, "analytics", { get: () => document.querySelector(">"), enumerable: true }),
      );
    } catch (error) {
      return error;
    }
    return heard.at(-1)!.type;
  });
  expect(thrown).toBe("error");
});

it("tells the Worker of a choice once, however often it is repeated", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open("");
  await ready(page);
  await page.evaluate(() => attune.flush());
  const choose = () =>
    page.evaluate(() => attune.consent({ analytics: true, personalization: true, marketing: false }));
  await choose();
  await choose();
  const told = () => visitor.sent.filter(({ path }) => path === "/a/consent").length;
  await until(
    () => page.evaluate((key) => !JSON.parse(localStorage[`attune.${key}`]).at, stage.writeKey),
    "the answer",
  );
  await page.reload();
  await ready(page);
  await choose();
  expect(told()).toBe(1);
});

it("never allows marketing under Global Privacy Control, and sends with each event what is granted", async () => {
  const visitor = await stage.visitor();
  await visitor.context.addInitScript(() => {
    Object.defineProperty(navigator, "globalPrivacyControl", { value: true });
  });
  const page = await visitor.open("", 'data-consent="off"');
  await loaded(page);
  await page.evaluate(() => attune.consent({ analytics: true, personalization: false, marketing: true }));
  await ready(page);
  await page.evaluate(() => {
    attune.track("Granted");
    return attune.flush();
  });
  const message = messages(visitor).find(({ event }) => event === "Granted");
  expect(message?.context?.["consent"]).toEqual({
    categoryPreferences: { necessary: true, analytics: true, personalization: false, marketing: false },
  });
  await page.evaluate(() => attune.consent({ analytics: false }));
  await until(async () => (await left(page)).databases.length === 0, "the database to go");
  const { purposes } = await until(() => statement(visitor), "the statement");
  expect(purposes).toMatchObject({ analytics: false, personalization: false, marketing: false });
});

it("takes Do Not Track for a no where the site says so, until the visitor chooses", async () => {
  const visitor = await stage.visitor();
  await visitor.context.addInitScript(() => {
    Object.defineProperty(navigator, "doNotTrack", { value: "1" });
  });
  const asked = watch(visitor);
  const page = await visitor.open(HERO, 'data-consent="full" data-dnt');
  await until(async () => (await heardModes(page)).length, "what holds");
  expect(await heardModes(page)).toEqual(["off"]);
  expect(await left(page)).toEqual(NOTHING);
  expect(asked).toEqual([]);
  await page.evaluate(() => attune.consent("full"));
  await ready(page);
  await page.reload();
  await ready(page);
  const other = await (await stage.visitor()).open(HERO, 'data-consent="full"');
  await ready(other);
});
