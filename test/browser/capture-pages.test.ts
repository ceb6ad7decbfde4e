/** Page views by themselves, what was searched for, and on what the visitor sees the page. */
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Message } from "../../shared/event.ts";
import { openStage, type Stage, until, type Visitor } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  await stage.api("POST", "/api/segments", {
    key: "searcher",
    name: "Searcher",
    kind: "dynamic",
    visibility: "public",
    status: "active",
    condition: { event: "Products Searched", where: { query: { contains: "hat" } } },
  });
});
afterAll(() => stage?.close());

const captured = (page: Page): Promise<Message[]> =>
  page.evaluate(() => heard.filter(({ type }) => type === "event").map(({ detail }) => detail));
const views = async (page: Page, count: number) =>
  until(async () => {
    const found = (await captured(page).catch(() => [])).filter(({ type }) => type === "page");
    return found.length >= count && found;
  }, `page view ${count}`);
const paths = (messages: Message[]) =>
  messages.map(({ properties }) => (properties!["url"] as string).slice(stage.shopUrl.length));
/** One step of an app; resolves when it has been viewed. */
const step = async (page: Page, work: () => void) => {
  const before = (await captured(page)).filter(({ type }) => type === "page").length;
  await page.evaluate(work);
  await views(page, before + 1);
};

describe.each([
  ["with the Navigation API", true],
  ["without it", false],
])("in a single-page app, %s", (_, navigates) => {
  const open = async () => {
    const visitor = await stage.visitor();
    if (!navigates) {
      await visitor.context.addInitScript(() => Object.defineProperty(window, "navigation", { value: undefined }));
    }
    const page = await visitor.open();
    await views(page, 1);
    return page;
  };

  it("views each address once, and whence it was come to; a plain fragment is no other page", async () => {
    const page = await open();
    await step(page, () => history.pushState({}, "", "/hats"));
    await step(page, () => history.replaceState({}, "", "/hats?size=l"));
    await page.evaluate(() => {
      location.hash = "part";
    });
    await step(page, () => {
      location.hash = "#/route";
    });
    await step(page, () => history.go(-2));
    // On the way to somewhere else.
    await step(page, () => {
      history.pushState({}, "", "/redirect");
      attune.track("Redirected");
      history.replaceState({}, "", "/target");
    });
    const found = await views(page, 6);
    expect(paths(found)).toEqual(["/", "/hats", "/hats?size=l", "/hats?size=l#/route", "/hats?size=l", "/target"]);
    expect(found.map(({ properties }) => (properties!["referrer"] as string).replace(stage.shopUrl, ""))).toEqual([
      "",
      "/",
      "/hats",
      "/hats?size=l",
      "/hats?size=l#/route",
      "/hats?size=l",
    ]);
    // Whatever is captured there says so, too.
    await page.evaluate(() => attune.track("Ping"));
    expect((await captured(page)).at(-1)!.context!["page"]).toEqual(found.at(-1)!.properties);
  });
});

it("views a prerendered page when it is shown, as of then, and says nothing before", async () => {
  const visitor = await stage.visitor();
  // Chromium prerenders nothing for playwright: the page is told what one is told that is.
  await visitor.context.addInitScript(() => {
    let prerendering = true;
    Object.defineProperty(document, "prerendering", { get: () => prerendering });
    Object.assign(window, {
      show() {
        prerendering = false;
        document.dispatchEvent(new Event("prerenderingchange"));
        return Date.now();
      },
    });
  });
  const page = await visitor.open(`<script>attune.track("Early")</script>`);
  await page.waitForFunction(() => "version" in attune);
  expect(await captured(page)).toEqual([]);
  expect(visitor.sent).toEqual([]);
  const shownAt = await page.evaluate(() => (window as unknown as { show(): number }).show());
  const [view, ...more] = await views(page, 1);
  expect(more).toEqual([]);
  expect(Date.parse(view!.timestamp!)).toBeGreaterThanOrEqual(shownAt);
  const [early] = await captured(page);
  expect(early!.event).toBe("Early");
});

it("is left to a site that says so: no page is viewed but by its own call", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open("", `data-pages="off"`);
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
  await page.evaluate(() => history.pushState({}, "", "/hats"));
  // Longer than a title is waited for.
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 600)));
  await page.evaluate(() => attune.page("Hats"));
  const [view, ...more] = await views(page, 1);
  expect(more).toEqual([]);
  expect(view).toMatchObject({ name: "Hats", properties: { path: "/hats" } });
});

describe("site search", () => {
  const searches = async (visitor: Visitor, path: string, tag?: string) => {
    const page = await visitor.open("", tag);
    await page.goto(stage.shopUrl + path);
    await views(page, 1);
    const found = async () =>
      (await captured(page)).filter(({ event }) => event === "Products Searched").map(({ properties }) => properties);
    return { page, found };
  };

  it("is told of pages whose address says what was searched for", async () => {
    const visitor = await stage.visitor();
    const { page, found } = await searches(visitor, "/find?page=2&keyword=no&q=r%C3%B6d+hatt");
    expect(await found()).toEqual([{ query: "röd hatt" }]);
    await step(page, () => history.pushState({}, "", "/find?q="));
    await step(page, () => history.pushState({}, "", "/find?search=cap"));
    expect(await found()).toEqual([{ query: "röd hatt" }, { query: "cap" }]);
  });

  it("is by other parameters where the tag names them, and none where it names none", async () => {
    const visitor = await stage.visitor();
    const named = await searches(visitor, "/find?q=no&term=cap", `data-search="text,term"`);
    expect(await named.found()).toEqual([{ query: "cap" }]);
    const none = await searches(visitor, "/find?q=no", `data-search=""`);
    expect(await none.found()).toEqual([]);
  });

  it("is seen by rules in the page at once", async () => {
    const visitor = await stage.visitor();
    const { page } = await searches(visitor, "/find?q=hats");
    await until(() => page.evaluate(() => "searcher" in attune.segments()), "the segment");
  });
});

describe("the context", () => {
  const contextOf = async (options: BrowserContextOptions) => {
    const visitor = await stage.visitor();
    await visitor.open();
    const context = await stage.browser.newContext(options);
    const page = await context.newPage();
    await page.goto(`${stage.shopUrl}/?utm_source=letter&utm_medium=email&utm_campaign=may&utm_content=top`);
    const [view] = await views(page, 1);
    await step(page, () => history.pushState({}, "", "/hats"));
    const [, next] = await views(page, 2);
    await context.close();
    return [view!.context!, next!.context!];
  };

  it("names campaign, device, screen, window, language and time zone; the campaign is of its page alone", async () => {
    const [first, next] = await contextOf({
      viewport: { width: 1000, height: 700 },
      screen: { width: 1920, height: 1080 },
      locale: "sv-SE",
      timezoneId: "Asia/Tokyo",
    });
    expect(first).toMatchObject({
      campaign: { source: "letter", medium: "email", name: "may", content: "top" },
      device: { type: "desktop" },
      screen: { width: 1920, height: 1080, innerWidth: 1000, innerHeight: 700, density: 1 },
      locale: "sv-SE",
      timezone: "Asia/Tokyo",
    });
    expect(next).not.toHaveProperty("campaign");
  });

  it.each([
    ["mobile", { width: 412, height: 915 }],
    ["mobile", { width: 915, height: 412 }],
    ["tablet", { width: 1024, height: 768 }],
  ])("tells a %s of %o", async (type, viewport) => {
    const [context] = await contextOf({ viewport, screen: viewport, hasTouch: true, isMobile: true });
    expect(context!["device"]).toEqual({ type });
  });
});
