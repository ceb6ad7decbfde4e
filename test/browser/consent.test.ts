/** Nothing is stored, sent or decided before it is allowed, and nothing stays when it is withdrawn. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, type Stage, until } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const HERO = '<attune-block name="hero"><p>Fallback</p></attune-block>';
const ready = (page: Page) => until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
const views = (page: Page) =>
  page.evaluate(() => {
    attune.track("Product Viewed", { category: "shoes" });
    attune.track("Product Viewed", { category: "shoes" });
  });

/** Everything the page can have left on the device. */
const left = (page: Page) =>
  page.evaluate(async () => ({
    databases: (await indexedDB.databases()).map(({ name }) => name),
    local: Object.keys(localStorage),
    session: Object.keys(sessionStorage),
    cookies: document.cookie,
  }));
const NOTHING = { databases: [], local: [], session: [], cookies: "" };

it("stores, sends and decides nothing with consent off", async () => {
  const visitor = await stage.visitor();
  const asked: string[] = [];
  visitor.context.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const page = await visitor.open(HERO, 'data-consent="off"');
  await page.waitForFunction(() => "version" in attune);
  await views(page);
  await page.evaluate(() => {
    attune.identify("nobody-knows");
    return attune.flush();
  });
  await page.goto("about:blank");
  await visitor.open(HERO, 'data-consent="off"', page);
  await page.waitForFunction(() => "version" in attune);
  expect(await left(page)).toEqual(NOTHING);
  expect(visitor.sent).toEqual([]);
  expect(asked.filter((path) => path.startsWith("/a/"))).toEqual([]);
  expect(await page.evaluate(() => [attune.segments(), attune.decisions(), attune.anonymousId()])).toEqual([
    {},
    {},
    undefined,
  ]);
  expect(await page.locator("attune-block").textContent()).toBe("Fallback");
});

it("decides in the page and keeps nothing with consent for memory", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(HERO, 'data-consent="memory"');
  await ready(page);
  await page.waitForFunction(() => heard.some(({ type }) => type === "event"));
  await views(page);
  await until(() => page.evaluate(() => "interested" in attune.segments()), "the segment");
  await page.evaluate(() => attune.flush());
  expect(await left(page)).toEqual(NOTHING);
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
  expect(await left(page)).toMatchObject({ databases: [], local: [], session: [`attune.${stage.writeKey}`] });
  await until(async () => (await visitor.stored(id)).length >= 2, "the events");
  const other = await visitor.open(HERO, 'data-consent="session"');
  await ready(other);
  expect(await other.evaluate(() => attune.anonymousId())).not.toBe(id);
});

it("purges at once when consent is withdrawn, says so on the next page too, and starts anew when it is given again", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(HERO);
  await page.waitForSelector("p.all");
  const before = (await page.evaluate(() => attune.anonymousId()))!;
  await page.evaluate(() => attune.consent("off"));
  expect(await page.locator("attune-block").textContent()).toBe("Fallback");
  expect(await page.evaluate(() => attune.anonymousId())).toBeUndefined();
  await until(async () => (await left(page)).databases.length === 0, "the database to go");
  // But what the withdrawal itself says.
  const sent = () => visitor.sent.filter(({ path }) => path !== "/a/consent").length;
  const count = sent();
  await views(page);
  await page.reload();
  await page.waitForFunction(() => "version" in attune);
  await page.evaluate(() => attune.flush());
  expect(sent()).toBe(count);
  expect(await left(page)).toEqual({ ...NOTHING, local: [`attune.${stage.writeKey}`] });

  await page.evaluate(() => attune.consent("full"));
  await page.waitForSelector("p.all");
  expect(await page.evaluate(() => attune.anonymousId())).not.toBe(before);
});

it("sends the purposes that were granted with each event, and never marketing under Global Privacy Control", async () => {
  const visitor = await stage.visitor();
  await visitor.context.addInitScript(() => {
    Object.defineProperty(navigator, "globalPrivacyControl", { value: true });
  });
  const page = await visitor.open("", 'data-consent="off"');
  await page.waitForFunction(() => "version" in attune);
  await page.evaluate(() => attune.consent({ analytics: true, personalization: false, marketing: true }));
  await ready(page);
  await page.evaluate(() => {
    attune.track("Granted");
    return attune.flush();
  });
  const message = visitor.sent.flatMap(({ messages }) => messages).find(({ event }) => event === "Granted");
  expect(message?.context?.["consent"]).toEqual({
    categoryPreferences: { necessary: true, analytics: true, personalization: false, marketing: false },
  });
  await page.evaluate(() => attune.consent({ analytics: false }));
  await until(async () => (await left(page)).databases.length === 0, "the database to go");
  expect(await page.evaluate(() => heard.filter(({ type }) => type === "consent").at(-1)?.detail.mode)).toBe("off");
});

it("ends in all tabs when it is withdrawn in one", async () => {
  const visitor = await stage.visitor();
  const one = await visitor.open(HERO);
  await ready(one);
  const two = await visitor.open(HERO);
  await two.waitForSelector("p.all");
  await one.evaluate(() => attune.consent("off"));
  await until(() => two.evaluate(() => attune.anonymousId() === undefined), "the other tab");
  expect(await two.locator("attune-block").textContent()).toBe("Fallback");
});

it("shows what the device keeps, and that it keeps nothing when consent is withdrawn", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(HERO, 'data-consent="full"');
  await ready(page);
  await page.evaluate(() => attune.flush());
  await page.route("**/a/**", (route) => route.abort());
  await views(page);
  const stored = () => page.evaluate(() => attune.stored());
  const kept = await until(async () => {
    const now = await stored();
    return now && now.outbox.length >= 2 && now;
  }, "two events wait");
  expect(kept!.outbox.map(({ event }) => event)).toEqual(["Product Viewed", "Product Viewed"]);
  expect(kept!.state["anonymousId"]).toBe(await page.evaluate(() => attune.anonymousId()));
  await page.evaluate(() => attune.consent("off"));
  await until(async () => (await stored()) === null, "nothing is kept");
});
