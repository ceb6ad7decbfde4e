/** What a page does with slots while they are filled: moves, renames, overwrites, nests them, types into them. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, type Stage, until, type Visitor } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  const templates = {
    aside: "<b>Aside</b>",
    nest: '<b>Nest</b> <attune-block name="aside">Empty</attune-block> <attune-block name="nest">Itself</attune-block>',
    letter: "<input name=email>",
  };
  for (const [key, template] of Object.entries(templates)) {
    await stage.api("POST", "/api/blocks", { key, slot: key, variants: [{ key: "all", audience: null, template }] });
    await stage.api("POST", `/api/blocks/${key}/publish`);
  }
});
afterAll(() => stage?.close());

const HERO = '<attune-block name="hero"><p>Fallback</p></attune-block>';
const details = (page: Page, type: string) =>
  page.evaluate((type) => heard.filter((one) => one.type === type).map(({ detail }) => detail), type);
const overwrites = async (page: Page) =>
  (await details(page, "error")).filter((said) => String(said).includes("overwrites"));
const frames = (page: Page) =>
  page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
const enter = (page: Page) =>
  page.evaluate(() => {
    attune.track("Product Viewed", { category: "shoes" });
    attune.track("Product Viewed", { category: "shoes" });
  });
const asked = (visitor: Visitor) =>
  visitor.sent.filter(({ path }) => path === "/a/decide").map(({ body }) => body["slots"]);
/** Answers are changed on their way. */
const answering = (visitor: Visitor, change: (slots: { [slot: string]: { html: string | null } }) => void) =>
  visitor.context.route(/\/a\/decide$/, async (route) => {
    const response = await route.fetch();
    const answer = await response.json();
    change(answer.slots);
    await route.fulfill({ response, json: answer });
  });

it("gives the page's own content back where the answer is: what the page has", async () => {
  const visitor = await stage.visitor();
  let isOwn = false;
  await answering(visitor, (slots) => {
    if (isOwn) slots["hero"]!.html = null;
  });
  const page = await visitor.open(HERO);
  await page.waitForSelector("p.all");
  isOwn = true;
  await enter(page);
  await page.locator("attune-block", { hasText: "Fallback" }).waitFor();
  expect(await page.locator("attune-block").innerHTML()).toBe("<p>Fallback</p>");
});

it("does not touch what shows the same as the answer", async () => {
  const visitor = await stage.visitor();
  await answering(visitor, (slots) => {
    slots["hero"]!.html = "<p class=all>Same</p>";
  });
  const page = await visitor.open(HERO);
  await page.waitForSelector("p.all");
  await page.evaluate(() => {
    Object.assign(window, { changes: 0 });
    new MutationObserver((records) => Object.assign(window, { changes: records.length })).observe(
      document.querySelector("attune-block")!,
      { childList: true, subtree: true },
    );
  });
  await enter(page);
  await until(() => page.evaluate(() => attune.decisions()["hero"]?.variant === "shoes"), "the second answer");
  await frames(page);
  expect(await page.evaluate(() => (window as unknown as { changes: number }).changes)).toBe(0);
});

it("leaves the page's own content alone where its policy refuses HTML, and says so", async () => {
  const visitor = await stage.visitor();
  stage.headers["content-security-policy"] = "require-trusted-types-for 'script'; trusted-types 'none'";
  const page = await visitor.open(`${HERO}<script nonce="own">own = document.querySelector("p")</script>`);
  delete stage.headers["content-security-policy"];
  const refusals = async () => (await details(page, "error")).filter((said) => /policy/i.test(String(said)));
  await until(async () => (await refusals()).length, "the refusal");
  await frames(page);
  expect(await page.evaluate(() => document.querySelector("attune-block p") === (window as { own?: Node }).own)).toBe(
    true,
  );
  await page.waitForFunction(() => document.querySelector<HTMLElement>("attune-block")!.style.visibility === "");
  expect(await refusals()).toHaveLength(1);
});

it("waits with a change while somebody types in the slot", async () => {
  const visitor = await stage.visitor();
  let isLate = false;
  await answering(visitor, (slots) => {
    slots["letter"]!.html = isLate ? "<p class=late>Later</p>" : "<input name=email>";
  });
  const page = await visitor.open('<attune-block name="letter"></attune-block>');
  await page.locator("input").pressSequentially("some");
  isLate = true;
  await enter(page);
  await until(() => page.evaluate(() => attune.decisions()["letter"]?.html?.includes("late")), "its answer");
  await page.keyboard.type("body");
  expect(await page.locator("input").inputValue()).toBe("somebody");
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await page.waitForSelector("p.late");
});

it("fills a slot that is named anew, moved, or taken out and put back, and asks only for names that it does not know", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(`${HERO}<section></section>`);
  await page.waitForSelector("p.all");
  await page.evaluate(() => document.querySelector("attune-block")!.setAttribute("name", "aside"));
  await page.locator("attune-block b").waitFor();
  await page.evaluate(() => document.querySelector("attune-block")!.setAttribute("name", "hero"));
  await page.waitForSelector("p.all");
  await page.evaluate(() => document.querySelector("section")!.append(document.querySelector("attune-block")!));
  await frames(page);
  expect(await page.locator("section attune-block").textContent()).toBe("Welcome sale");
  await page.evaluate(() => {
    const slot = document.querySelector("attune-block")!;
    slot.remove();
    requestAnimationFrame(() => requestAnimationFrame(() => document.body.append(slot, slot.cloneNode())));
  });
  await until(async () => (await page.locator("attune-block p.all").count()) === 2, "both");
  expect(asked(visitor)).toEqual([["hero"], ["aside"]]);
});

it("fills slots that the HTML of a block holds, but none inside itself", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open('<attune-block name="nest">Fallback</attune-block>');
  await page.locator("attune-block attune-block b").waitFor();
  await frames(page);
  await frames(page);
  expect(await page.locator("attune-block[name=nest]").first().textContent()).toBe("Nest Aside Itself");
  expect(await overwrites(page)).toEqual([]);
});

it("puts back what the page overwrites, a few times, then says so once and leaves it", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(HERO);
  const overwrite = () =>
    page.evaluate(() => {
      document.querySelector("attune-block")!.innerHTML = "<p>Mine</p>";
    });
  for (let times = 0; times < 5; times++) {
    await page.waitForSelector("p.all");
    await overwrite();
  }
  await page.waitForSelector("p.all");
  for (let times = 0; times < 10; times++) {
    await overwrite();
    await frames(page);
  }
  expect(await page.locator("attune-block").innerHTML()).toBe("<p>Mine</p>");
  expect(await overwrites(page)).toEqual([expect.stringContaining("hero")]);
});

it("does not ask again and again for what it cannot reach, and fills all slots when it can", async () => {
  const visitor = await stage.visitor();
  let fails = true;
  await visitor.context.route(/\/a\/decide$/, (route) =>
    fails ? route.fulfill({ status: 503, headers: { "retry-after": "1" }, json: {} }) : route.continue(),
  );
  const page = await visitor.open(HERO);
  await until(async () => (await details(page, "error")).length, "the failure");
  await page.evaluate(() =>
    document.body.insertAdjacentHTML("beforeend", '<attune-block name="aside">Fallback</attune-block>'),
  );
  await until(
    () => asked(visitor).some((slots) => (slots as string[]).includes("aside")),
    "the request for the new one",
  );
  fails = false;
  await page.waitForSelector("attune-block[name=hero] p.all");
  await page.waitForSelector("attune-block[name=aside] b");
});
