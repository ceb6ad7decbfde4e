/** How long a page was looked at and how far: one event a page, whatever becomes of it. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Message } from "../../shared/event.ts";
import { openStage, type Stage, until, type Visitor } from "./stage.ts";

const LONG = '<div style="height:10000px">Long</div>';
const MINUTE_MS = 60_000;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage(["--disable-back-forward-cache"]);
});
afterAll(() => stage?.close());

/** Headless Chromium hides no tab: the page is told what a tab that is hidden is told. */
async function beAbleToHide(visitor: Visitor, hidden = false): Promise<void> {
  await visitor.context.addInitScript((initial) => {
    let hidden = initial;
    Object.defineProperty(document, "hidden", { get: () => hidden });
    Object.assign(window, {
      setHidden(value: boolean) {
        hidden = value;
        document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
      },
    });
  }, hidden);
}
const setHidden = (page: Page, hidden: boolean) =>
  page.evaluate((hidden) => (window as unknown as { setHidden(hidden: boolean): void }).setHidden(hidden), hidden);
/** Pages that are opened from now on think that so much more time has passed. */
const pass = (visitor: Visitor, ms: number) =>
  visitor.context.addInitScript((ms) => {
    const { now } = Date;
    Date.now = () => now() + ms;
  }, ms);

const captured = (page: Page, name: string): Promise<Message[]> =>
  page.evaluate(
    (name) =>
      heard
        .filter(({ type, detail }) => type === "event" && (detail.event ?? detail.type) === name)
        .map(({ detail }) => detail),
    name,
  );
const engagements = (page: Page) => captured(page, "Page Engagement");
const view = (page: Page, count = 1) =>
  until(
    // On the way to another page there is none to ask.
    async () => (await captured(page, "page").catch(() => [])).length >= count,
    `page view ${count}`,
  );
/** Time goes by while the page is looked at. */
const stay = (page: Page, ms: number) => page.evaluate((ms) => new Promise((resolve) => setTimeout(resolve, ms)), ms);
const go = (page: Page, path: string, title: string) =>
  page.evaluate(
    ([path, title]) => {
      history.pushState({}, "", path);
      document.title = title!;
    },
    [path, title],
  );
const anonymousId = async (page: Page) => (await page.evaluate(() => attune.anonymousId()))!;
const stored = async (visitor: Visitor, id: string) =>
  (await visitor.stored(id)).filter(({ event }) => event === "Page Engagement");

it("tells of each page of a single-page app, when it ends, with its own address and title", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  await view(page);
  await stay(page, 300);
  await go(page, "/hats", "Hats");
  expect(await engagements(page)).toHaveLength(1);
  await view(page, 2);
  await stay(page, 100);
  await go(page, "/caps", "Caps");
  const [shop, hats, ...more] = await engagements(page);
  expect(more).toEqual([]);
  expect(shop).toMatchObject({
    type: "track",
    properties: { depth: 100 },
    context: { page: { url: `${stage.shopUrl}/`, title: "Shop" }, library: { name: "attune" } },
  });
  expect(shop!.properties!["seconds"]).toBeGreaterThanOrEqual(0.3);
  expect(hats!.context!["page"]).toMatchObject({ path: "/hats", title: "Hats", referrer: `${stage.shopUrl}/` });
  expect(hats!.properties!["seconds"]).toBeGreaterThanOrEqual(0.1);
  // Nothing of the time before its view counts; to tenths.
  const [, viewed] = await captured(page, "page");
  const passed = (Date.parse(hats!.timestamp!) - Date.parse(viewed!.timestamp!)) / 1000;
  expect(hats!.properties!["seconds"]).toBeLessThan(passed + 0.1);
});

it("counts only the time in which the page is visible, and how deep it was scrolled at most", async () => {
  const visitor = await stage.visitor();
  await beAbleToHide(visitor);
  const page = await visitor.open(LONG);
  await view(page);
  const [seconds, depth] = await page.evaluate(async () => {
    const before = performance.now();
    scrollTo(0, 4000);
    await new Promise((resolve) => addEventListener("scroll", resolve, { once: true }));
    const depth = (100 * (4000 + innerHeight)) / document.documentElement.scrollHeight;
    scrollTo(0, 0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    return [(performance.now() - before) / 1000, depth];
  });
  await setHidden(page, true);
  await stay(page, 1_000);
  await setHidden(page, false);
  await go(page, "/next", "Next");
  const [message] = await engagements(page);
  expect(message!.properties!["depth"]).toBe(Math.round(depth!));
  expect(message!.properties!["seconds"]).toBeGreaterThanOrEqual(Math.floor(seconds! * 10) / 10);
  const views = await captured(page, "page");
  const passed = (Date.parse(message!.timestamp!) - Date.parse(views[0]!.timestamp!)) / 1000;
  expect(message!.properties!["seconds"]).toBeLessThan(passed - 0.9);
});

it("does not tell of a page that nobody has seen", async () => {
  const visitor = await stage.visitor();
  await beAbleToHide(visitor, true);
  const page = await visitor.open();
  await view(page);
  await stay(page, 100);
  await go(page, "/next", "Next");
  await view(page, 2);
  expect(await engagements(page)).toEqual([]);
});

it("is stored once when the page is left for another one", async () => {
  const visitor = await stage.visitor();
  await beAbleToHide(visitor);
  const page = await visitor.open();
  await view(page);
  // Hidden for a while before: what was kept then is replaced.
  await stay(page, 100);
  await setHidden(page, true);
  await setHidden(page, false);
  await page.goto(`${stage.shopUrl}/next`);
  await view(page);
  const id = await anonymousId(page);
  const [event, ...more] = await until(async () => {
    await page.evaluate(() => attune.flush());
    const events = await stored(visitor, id);
    return events.length > 0 && events;
  }, "the event in D1");
  expect(more).toEqual([]);
  expect(event!.properties["seconds"]).toBeGreaterThanOrEqual(0.1);
  expect(await engagements(page)).toEqual([]);
});

it("is not lost when a hidden page is killed: a later page records it, once", async () => {
  const visitor = await stage.visitor();
  await beAbleToHide(visitor);
  const killed = await visitor.open();
  await view(killed);
  const id = await anonymousId(killed);
  await stay(killed, 100);
  await setHidden(killed, true);
  await until(
    () =>
      killed.evaluate(async () =>
        Object.keys((await attune.stored())?.state ?? {}).some((name) => name.startsWith("page-")),
      ),
    "what is kept",
  );
  const session = await visitor.context.newCDPSession(killed);
  const crash = killed.waitForEvent("crash");
  session.send("Page.crash").catch(() => {});
  await crash;
  await killed.close();

  // It may only be hidden.
  const soon = await visitor.open();
  await view(soon);
  expect(await engagements(soon)).toEqual([]);
  await pass(visitor, 31 * MINUTE_MS);
  for (const path of ["/later", "/latest"]) {
    const page = await visitor.context.newPage();
    await page.goto(`${stage.shopUrl}${path}`);
    await view(page);
    expect(await engagements(page)).toHaveLength(path === "/later" ? 1 : 0);
    await page.evaluate(() => attune.flush());
  }
  const events = await until(async () => {
    const events = await stored(visitor, id);
    return events.length > 0 && events;
  }, "the event in D1");
  expect(events).toHaveLength(1);
});

it("starts anew, with a view, when somebody comes back after half an hour; what another page recorded meanwhile counts once", async () => {
  const visitor = await stage.visitor();
  await beAbleToHide(visitor);
  const page = await visitor.open();
  await view(page);
  const id = await anonymousId(page);
  await stay(page, 100);
  await setHidden(page, true);
  await pass(visitor, 31 * MINUTE_MS);
  const other = await visitor.context.newPage();
  await other.goto(`${stage.shopUrl}/other`);
  await until(async () => (await engagements(other)).length === 1, "the event in the other page");
  await page.evaluate((ms) => {
    const { now } = Date;
    Date.now = () => now() + ms;
  }, 31 * MINUTE_MS);
  await setHidden(page, false);
  await view(page, 2);
  const [again] = await engagements(page);
  expect(again!.messageId).toBe((await engagements(other))[0]!.messageId);
  await stay(page, 100);
  await go(page, "/next", "Next");
  expect(await engagements(page)).toHaveLength(2);
  const events = await until(async () => {
    await page.evaluate(() => attune.flush());
    const events = await stored(visitor, id);
    return events.length > 1 && events;
  }, "two events in D1");
  expect(events).toHaveLength(2);
});

it("begins again with each return from the back/forward cache", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  await view(page);
  await stay(page, 100);
  // A page that is just sending is not kept.
  await page.evaluate(() => attune.flush());
  await page.goto(`${stage.shopUrl}/next`);
  await view(page);
  await page.evaluate(() => history.back());
  await view(page, 2);
  await stay(page, 100);
  await go(page, "/hats", "Hats");
  const [first, second, ...more] = await engagements(page);
  expect(more).toEqual([]);
  expect(first!.messageId).not.toBe(second!.messageId);
  expect(second!.context!["page"]).toMatchObject({ path: "/" });
});

it("is neither kept nor told once analytics is not allowed any more", async () => {
  const visitor = await stage.visitor();
  await beAbleToHide(visitor);
  const page = await visitor.open();
  await view(page);
  await stay(page, 150);
  const kept = () => page.evaluate(() => Object.values({ ...localStorage }).some((entry) => entry.includes('"page-')));
  await setHidden(page, true);
  await until(kept, "the engagement so far");
  await page.evaluate(() => attune.consent({ analytics: false, personalization: true }));
  await until(async () => !(await kept()), "its end");
  await setHidden(page, false);
  await stay(page, 150);
  await setHidden(page, true);
  await stay(page, 50);
  expect(await kept()).toBe(false);
  expect(await engagements(page)).toEqual([]);
});

it("asks nothing of a page's layout while it goes", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(LONG);
  await view(page);
  // Two frames: the page has been laid out, and who hears of that has.
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  const asked = await page.evaluate(() => {
    const asked: string[] = [];
    for (const [owner, name] of [
      [window, "scrollY"],
      [Element.prototype, "scrollHeight"],
    ] as const) {
      const { get, ...rest } = Object.getOwnPropertyDescriptor(owner, name)!;
      Object.defineProperty(owner, name, {
        ...rest,
        get() {
          asked.push(name);
          return get!.call(this);
        },
      });
    }
    dispatchEvent(new PageTransitionEvent("pagehide"));
    return asked;
  });
  expect(asked).toEqual([]);
  const [{ properties }] = (await engagements(page)) as [Message];
  expect(properties!["depth"]).toBeGreaterThan(0);
  expect(properties!["depth"]).toBeLessThan(20);
});
