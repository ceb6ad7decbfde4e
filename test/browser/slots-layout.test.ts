/** The page does not move: cumulative layout shift while slots are hidden, filled, filled from the last page. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { DecideAnswer } from "../../shared/wire.ts";
import { openStage, type Stage, until } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  await stage.api("POST", "/api/blocks", {
    key: "short",
    slot: "short",
    variants: [{ key: "all", audience: null, template: "<p class=all>Short</p>" }],
  });
  await stage.api("POST", "/api/blocks/short/publish");
});
afterAll(() => stage?.close());

/** Padding, margins and another height than what comes. */
const HTML = `<style>attune-block { display: block; padding: 20px }</style>
  <attune-block name="short"><p>One</p><p>Two</p></attune-block><attune-block name="none"><p>Own</p></attune-block><p>Below</p>`;
const shiftOf = (page: Page) =>
  page.evaluate(async () => {
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    return (window as unknown as { shift: number }).shift;
  });

it("moves nothing while it fills a slot, on the next page, and gives room back when the window changes", async () => {
  const visitor = await stage.visitor();
  await visitor.context.addInitScript(() => {
    Object.assign(window, { shift: 0 });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries())
        Object.assign(window, {
          shift: (window as unknown as { shift: number }).shift + (entry as unknown as { value: number }).value,
        });
    }).observe({ type: "layout-shift", buffered: true });
  });
  const page = await visitor.open(HTML);
  await page.waitForSelector("p.all");
  await until(() => page.evaluate(() => attune.decisions()["none"]), "the answer");
  expect(await shiftOf(page)).toBe(0);
  await page.evaluate(() => attune.flush());
  await visitor.context.route(/\/a\/decide$/, () => {});
  await page.reload();
  await page.waitForSelector("p.all");
  expect(await shiftOf(page)).toBe(0);
  const heights = () =>
    page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>("attune-block")].map(({ style }) => style.minHeight),
    );
  expect((await heights())[0]).toMatch(/px$/);
  await page.setViewportSize({ width: 500, height: 500 });
  await until(async () => (await heights()).every((height) => height === ""), "the room");
});

it("has the page laid out a few times, however many slots it fills", async () => {
  const visitor = await stage.visitor();
  const names = Array.from({ length: 40 }, (_, index) => `slot-${index}`);
  await visitor.context.route(/\/a\/decide$/, async (route) => {
    const response = await route.fetch();
    const answer: DecideAnswer = await response.json();
    for (const name of names)
      Object.assign(answer.slots[name]!, { html: `<p class=ours>${name}</p><p>More of it</p>` });
    await route.fulfill({ response, json: answer });
  });
  const page = await visitor.context.newPage();
  const cdp = await visitor.context.newCDPSession(page);
  await cdp.send("Performance.enable");
  const html = names.map((name) => `<attune-block name="${name}"><p>Own</p></attune-block>`).join("");
  await visitor.open(`<style>attune-block { display: block }</style>${html}`, "", page);
  await page.waitForFunction((count) => document.querySelectorAll(".ours").length === count, names.length);
  const { metrics } = await cdp.send("Performance.getMetrics");
  expect(metrics.find(({ name }) => name === "LayoutCount")!.value).toBeLessThan(names.length / 2);
});
