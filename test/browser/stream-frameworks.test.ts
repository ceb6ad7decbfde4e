/** Pages that hydrate, with a slot that was filled in the stream: before the script has come, and after. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildFrameworkPage, type Framework } from "./framework-page.ts";
import { until } from "./stage.ts";
import { openStreamStage, type StreamStage } from "./stream-stage.ts";

let stage: StreamStage;
beforeAll(async () => {
  stage = await openStreamStage();
});
afterAll(() => stage?.close());

type Hydrating = Window & { hydrate(waits: boolean): void };

const CHILDREN =
  'h("u", null, "Still"), count % 2 ? h("b", null, "Odd") : h("p", null, "Own " + count), count > 1 ? h("i", null, "More") : null';

/** `own`: what the page has in the slot after four clicks. Svelte asks the DOM behind every element's back: it keeps what does not change. */
const USES: [framework: Framework, use: string, slot: string, own: string][] = [
  [
    "react",
    "as recommended",
    `h("attune-block", { name: "hero", suppressHydrationWarning: true }, ${CHILDREN})`,
    "StillOwn 4More",
  ],
  ["vue", "as it comes", `h("attune-block", { name: "hero" }, [${CHILDREN}])`, "StillOwn 4More"],
  ["svelte", "with what does not change", '<attune-block name="hero"><u>Still</u></attune-block>', "Still"],
];

describe.each(USES)("%s, %s: a slot that was filled in the stream", (framework, _, slot, own) => {
  beforeAll(async () => {
    const page = await buildFrameworkPage(stage.browser, framework, slot);
    const at = page.indexOf("<script>");
    stage.body = `${page.slice(0, at)}<script src="/page.js"></script>`;
    stage.script = page.slice(at + "<script>".length, -"</script>".length);
  });

  it.each(["before", "after"])("%s the script has come", async (moment) => {
    const visitor = await stage.visitor();
    const { page } = visitor;
    const said: string[] = [];
    page.on("pageerror", (error) => said.push(String(error)));
    page.on("console", (message) => {
      if (/error|warning/.test(message.type())) said.push(message.text());
    });
    await visitor.open(async () => {
      await page.evaluate(keep);
      if (moment === "before") await hydrate(page, 2);
    });
    if (moment === "after") await hydrate(page, 2);
    await click(page, 4);
    await until(
      () => page.evaluate(() => heard.some(({ detail }) => detail?.event === "Attune Exposure")),
      "the exposure",
    );
    await page.evaluate(() => attune.flush());
    expect(await page.evaluate(isKept)).toBe(true);
    const events = visitor.asked.flatMap(({ body }) => body["batch"] as { type: string; event?: string }[]);
    expect(events.filter(({ event }) => event === "Attune Exposure")).toHaveLength(1);
    expect(visitor.asked.filter(({ path }) => path === "/a/decide")).toEqual([]);
    // What the framework has changed meanwhile is there when the slot is its own again.
    await page.evaluate(() => attune.consent("off"));
    await page.locator("attune-block", { hasText: new RegExp(`^${own}$`) }).waitFor();
    await click(page, 5);
    await page.locator("#toggle").click();
    await page.locator("attune-block").waitFor({ state: "detached" });
    expect(said).toEqual([]);
  });
});

async function hydrate(page: Page, clicks: number): Promise<void> {
  await page.evaluate(() => (window as unknown as Hydrating).hydrate(false));
  await page.waitForFunction(isCounting);
  await click(page, clicks);
}

/** True once the page answers a click: it has hydrated, and counted it. */
function isCounting(): boolean {
  const button = document.getElementById("count")!;
  if (button.textContent === "Count 0") button.click();
  return button.textContent === "Count 1";
}

/** Until the page has counted so many. */
async function click(page: Page, times: number): Promise<void> {
  for (let count = Number((await page.locator("#count").textContent())!.slice(6)) + 1; count <= times; count++) {
    await page.evaluate(() => document.getElementById("count")!.click());
    await page.locator("#count", { hasText: `Count ${count}` }).waitFor();
  }
}

type Marked = Element & { isFirst?: boolean };

function keep(): void {
  (document.querySelector("attune-block > p.all") as Marked).isFirst = true;
}

/** The same nodes as in the stream, and no others. */
function isKept(): boolean {
  const { children } = document.querySelector("attune-block")!;
  return children.length === 1 && (children[0] as Marked).isFirst === true;
}
