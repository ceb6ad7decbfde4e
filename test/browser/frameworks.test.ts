/** Pages that hydrate: whenever the script fills a slot, it shows what was decided, and the page goes on working. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildFrameworkPage, type Framework } from "./framework-page.ts";
import { openStage, type Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

/** What the page defines. */
type Hydrating = { hydrate(waits: boolean): void; arrive(): void; leave(): void };

const SVELTE_CHILDREN =
  "<u>Still</u>{#if count % 2}<b>Odd</b>{:else}<p>Own {count}</p>{/if}{#if count > 1}<i>More</i>{/if}";
const CHILDREN =
  'h("u", null, "Still"), count % 2 ? h("b", null, "Odd") : h("p", null, "Own " + count), count > 1 ? h("i", null, "More") : null';
const REACT_WARNING = /^A tree hydrated but some attributes/;

/** `said`: what the framework, in development, may say in the console or as an error that it has recovered from. */
const USES: [framework: Framework, use: string, slot: string, said?: RegExp][] = [
  ["react", "as recommended", `h("attune-block", { name: "hero", suppressHydrationWarning: true }, ${CHILDREN})`],
  ["react", "as it comes", `h("attune-block", { name: "hero" }, ${CHILDREN})`, REACT_WARNING],
  [
    "react",
    "with a text alone",
    'h("attune-block", { name: "hero" }, "Own " + count)',
    /^(A tree hydrated but some attributes|Error: Hydration failed because the server rendered text didn't match)/,
  ],
  ["vue", "as it comes", `h("attune-block", { name: "hero" }, [${CHILDREN}])`],
  ["vue", "with a text alone", 'h("attune-block", { name: "hero" }, "Own " + count)', /^Hydration completed but/],
  ["svelte", "as it comes", `<attune-block name="hero">${SVELTE_CHILDREN}</attune-block>`],
];

describe.each(USES)("%s, %s: a slot that is filled", (framework, _, slot, said = /^$/) => {
  let html: string;
  beforeAll(async () => {
    html = await buildFrameworkPage(stage.browser, framework, slot);
  });

  it.each(["before", "while", "after"])("%s the page hydrates", async (moment) => {
    const visitor = await stage.visitor();
    const page = await visitor.context.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    let answer = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    let isOwn = false;
    await visitor.context.route(/\/a\/decide$/, async (route) => {
      await held;
      const response = await route.fetch();
      const json = await response.json();
      if (isOwn) json.slots.hero.html = null;
      await route.fulfill({ response, json });
    });
    const filled = () => page.locator("attune-block p.all").waitFor();
    const call = (name: keyof Hydrating) =>
      page.evaluate(([name, waits]) => (window as unknown as Hydrating)[name](waits), [
        name,
        moment === "while",
      ] as const);

    if (moment === "before") answer();
    await visitor.open(html, "", page);
    if (moment === "before") await filled();
    await call("hydrate");
    answer();
    await filled();
    if (moment === "while") await call("arrive");
    await page.waitForFunction(isCounting);
    for (const count of [2, 3, 4]) {
      await page.evaluate(() => document.getElementById("count")!.click());
      await page.locator("#count", { hasText: `Count ${count}` }).waitFor();
      await filled();
    }
    expect(await page.locator("attune-block").textContent()).toBe("Welcome sale");
    // What the framework has changed meanwhile is there when the slot is its own again.
    isOwn = true;
    await page.evaluate(() => {
      attune.track("Product Viewed", { category: "shoes" });
      attune.track("Product Viewed", { category: "shoes" });
    });
    const shows = () => page.locator("attune-block", { hasText: /^(Own 4|StillOwn 4More)$/ }).waitFor();
    await shows();
    await page.evaluate(() => document.getElementById("toggle")!.click());
    await page.locator("attune-block").waitFor({ state: "detached" });
    await page.evaluate(() => document.getElementById("toggle")!.click());
    await shows();
    await call("leave");
    expect(await page.locator("#root").textContent()).toBe("");
    expect(errors.filter((error) => !said.test(error))).toEqual([]);
  });
});

/** True once the page answers a click: it has hydrated, and counted it. */
function isCounting(): boolean {
  const button = document.getElementById("count")!;
  if (button.textContent === "Count 0") button.click();
  return button.textContent === "Count 1";
}
