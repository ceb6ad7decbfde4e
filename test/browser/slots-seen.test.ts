/** Who saw and who clicked: once per decision, and never what nobody could see. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, type Stage, until, watched } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  const templates = {
    form: '<form action="#sent"><input name=email><button>Send</button></form><form><input name=bare></form><button type=button>Other</button><p>Text</p>',
    tall: '<div style="height: 9000px">Tall</div>',
  };
  for (const [key, template] of Object.entries(templates)) {
    await stage.api("POST", "/api/blocks", { key, slot: key, variants: [{ key: "all", audience: null, template }] });
    await stage.api("POST", `/api/blocks/${key}/publish`);
  }
});
afterAll(() => stage?.close());

const HERO = '<attune-block name="hero"><p>Fallback</p></attune-block>';
const properties = (page: Page, event: string) =>
  page.evaluate(
    (event): { [name: string]: unknown }[] =>
      heard.filter(({ detail }) => detail.event === event).map(({ detail }) => detail.properties),
    event,
  );
/** Lets the page's clock run until there are so many, and five seconds more. */
async function exposures(page: Page, count: number) {
  await until(async () => {
    await page.clock.runFor(500);
    return (await properties(page, "Attune Exposure")).length >= count;
  }, `${count} exposures`);
  for (let seconds = 0; seconds < 5; seconds++) await page.clock.runFor(1_000);
  return properties(page, "Attune Exposure");
}

it("counts one decision once, in however many places and however often it is shown", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(`${HERO}${HERO}`);
  await until(async () => (await page.locator("p.all").count()) === 2, "both");
  await page.clock.install();
  expect(await exposures(page, 1)).toHaveLength(1);
  await page.evaluate(() =>
    document.querySelector("attune-block")!.replaceWith(document.querySelector("attune-block")!.cloneNode()),
  );
  await page.evaluate(() => {
    document.querySelectorAll("attune-block")[1]!.innerHTML = "<p>Mine</p>";
  });
  await until(async () => (await page.locator("p.all").count()) === 2, "both again");
  expect(await exposures(page, 1)).toHaveLength(1);
});

it("counts what was shown from the last page under the decision of this one", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(HERO);
  await page.waitForSelector("p.all");
  const ids = async () => (await properties(page, "Attune Exposure")).map(({ decision }) => decision);
  await until(async () => (await ids()).length, "the first exposure");
  const [first] = await ids();
  await page.evaluate(() => attune.flush());
  let answer = () => {};
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await visitor.context.route(/\/a\/decide$/, async (route) => {
    await held;
    await route.continue();
  });
  await page.reload();
  await page.waitForSelector("p.all");
  await page.clock.install();
  for (let seconds = 0; seconds < 3; seconds++) await page.clock.runFor(1_000);
  await page.click("attune-block a");
  expect(await ids()).toEqual([]);
  expect(await properties(page, "Attune Click")).toEqual([]);
  answer();
  await until(async () => {
    await page.clock.runFor(500);
    return page.evaluate((first) => attune.decisions()["hero"]?.id !== first, first);
  }, "the answer");
  const seen = await exposures(page, 1);
  expect(seen).toHaveLength(1);
  expect(seen[0]?.["decision"]).not.toBe(first);
});

it("counts what is many screens tall when half a screen of it was seen", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(
    '<div style="height: 900px">Above</div><attune-block name="tall" style="display: block"></attune-block>',
  );
  await page.waitForSelector("attune-block div");
  await page.clock.install();
  await page.evaluate(() => scrollTo(0, 400));
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  for (let seconds = 0; seconds < 3; seconds++) await page.clock.runFor(1_000);
  expect(await properties(page, "Attune Exposure")).toEqual([]);
  await page.evaluate(() => scrollTo(0, 4_000));
  expect(await exposures(page, 1)).toEqual([expect.objectContaining({ slot: "tall" })]);
});

it("counts nothing while the page is hidden, and what is seen when it comes back", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.context.newPage();
  await page.addInitScript(() => {
    Object.defineProperty(document, "hidden", {
      get: () => (window as unknown as { away: boolean }).away,
      configurable: true,
    });
    Object.assign(window, { away: true });
  });
  await page.clock.install();
  await visitor.open(HERO, "", page);
  await until(async () => {
    await page.clock.runFor(100);
    return page.locator("p.all").count();
  }, "the slot");
  for (let seconds = 0; seconds < 3; seconds++) await page.clock.runFor(1_000);
  expect(await properties(page, "Attune Exposure")).toEqual([]);
  await page.evaluate(() => Object.assign(window, { away: false }));
  expect(await exposures(page, 1)).toHaveLength(1);
});

it("tells neither of an empty slot, nor of anything below data-attune-ignore", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(
    `<attune-block name="none"><a href="#own">Own</a></attune-block><div data-attune-ignore>${HERO}</div><attune-block name="form"></attune-block>`,
  );
  await page.waitForSelector("p.all");
  await watched(page);
  await page.click("text=Own");
  await page.click("text=sale");
  await page.clock.install();
  expect(await exposures(page, 1)).toEqual([expect.objectContaining({ slot: "form" })]);
  expect(await properties(page, "Attune Click")).toEqual([]);
});

it.each<[string, string, (page: Page) => Promise<unknown>, string | undefined]>([
  ["a link twice", "hero", (page) => page.dblclick("attune-block a"), "#sale"],
  ["a link by the middle button", "hero", (page) => page.click("attune-block a", { button: "middle" }), "#sale"],
  ["a link by the keyboard", "hero", (page) => page.press("attune-block a", "Enter"), "#sale"],
  ["a button", "form", (page) => page.click("text=Other"), undefined],
  ["a form by its button", "form", (page) => page.click("text=Send"), undefined],
  ["a form by the keyboard", "form", (page) => page.press("input[name=bare]", "Enter"), undefined],
])("records a click on %s, once, with the exposure that it proves", async (_, name, act, href) => {
  const visitor = await stage.visitor();
  const page = await visitor.open(`<attune-block name="${name}"></attune-block>`);
  await page.waitForSelector("attune-block p");
  await watched(page);
  await page.evaluate(() => addEventListener("submit", (event) => event.preventDefault()));
  await page.clock.install();
  await page.click("attune-block a, attune-block button >> nth=0", { button: "right" });
  await page.click("attune-block p", { position: { x: 1, y: 1 } });
  expect(await properties(page, "Attune Click")).toEqual([]);
  await act(page);
  const [click, ...more] = await properties(page, "Attune Click");
  expect(more).toEqual([]);
  expect(click).toMatchObject({ slot: name, block: name, variant: "all", reason: "targeted" });
  expect(click?.["href"]).toBe(href && `${stage.shopUrl}/${href}`);
  expect(await exposures(page, 1)).toEqual([expect.objectContaining({ decision: click?.["decision"] })]);
});
