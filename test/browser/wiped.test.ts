/** A device that the browser has wiped, as Safari does after a week, is known again where the Worker is the site's own. */
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { CHROMIUM_FLAGS } from "./chromium.ts";
import { until } from "./stage.ts";

const workerUrl = inject("workerUrl");
const shop = `${workerUrl}/demo/`;

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: inject("chromium"), args: CHROMIUM_FLAGS });
});
afterAll(() => browser?.close());

const idOf = (page: Page) => page.evaluate(() => attune.anonymousId());

/** Looks at two products of one category, and waits until the Worker has it. */
async function look(page: Page): Promise<string> {
  await page.goto(shop);
  const id = await until(() => idOf(page), "the id");
  await page.evaluate(() => {
    for (const product_id of ["a", "b"]) attune.track("Product Viewed", { product_id, category: "jackets" });
    return attune.flush();
  });
  return id;
}

/** What a script can write is gone, what the server has set is not. */
async function wipe(page: Page): Promise<void> {
  await page.goto(`${workerUrl}/docs/LICENSE`);
  await page.evaluate(async () => {
    localStorage.clear();
    sessionStorage.clear();
    for (const { name } of await indexedDB.databases()) {
      await new Promise((resolve) => {
        indexedDB.deleteDatabase(name!).onsuccess = resolve;
      });
    }
  });
}

it("gets its id and its segments back", async () => {
  const page = await browser.newPage();
  const id = await look(page);
  await wipe(page);
  await page.goto(shop);
  await until(async () => (await idOf(page)) === id, "the id of before");
  await until(() => page.evaluate(() => "interested-jackets" in attune.segments()), "the segment");
  await page.reload();
  expect(await until(() => idOf(page), "the id")).toBe(id);
  await page.close();
});

it("is somebody else after a reset, also when it is wiped then", async () => {
  const page = await browser.newPage();
  const id = await look(page);
  const other = await page.evaluate(async () => {
    attune.reset();
    attune.track("Ping");
    await attune.flush();
    return attune.anonymousId();
  });
  expect(other).not.toBe(id);
  await wipe(page);
  await page.goto(shop);
  await until(async () => (await idOf(page)) === other, "the newer id");
  await page.close();
});

it("is not known again after consent was withdrawn", async () => {
  const page = await browser.newPage();
  const id = await look(page);
  const told = page.waitForResponse(/\/a\/consent$/);
  await page.evaluate(() => attune.consent("off"));
  await (await told).finished();
  expect((await page.context().cookies()).filter(({ name }) => name.includes("attune"))).toEqual([]);
  await wipe(page);
  await page.goto(shop);
  const now = await until(() => idOf(page), "an id");
  await page.evaluate(() => attune.flush());
  expect(now).not.toBe(id);
  expect(await idOf(page)).toBe(now);
  await page.close();
});
