import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Api, callApi } from "../../cli/api.ts";
import { CHROMIUM_FLAGS } from "./chromium.ts";
import { until } from "./stage.ts";

/** The rule of the demo says one minute; the clock of the Worker is a real one. */
const ABANDONED_MS = 60_000;
const PATIENCE_MS = 15_000;

interface Profile {
  id: string;
  identifiers: { kind: string; value: string }[];
  traits: { [name: string]: unknown };
  segments: { key: string; since: string; until: string | null }[];
}
interface StoredEvent {
  messageId: string;
  type: string;
  event?: string;
  properties?: { [name: string]: unknown };
}

const api: Api = { url: inject("workerUrl"), token: "sk_demo" };
const shop = `${api.url}/demo/`;
let browser: Browser;

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: inject("chromium"), args: CHROMIUM_FLAGS });
});
afterAll(() => browser?.close());

async function visit(): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(shop);
  return page;
}

/** Waits for the visit to begin. */
async function anonymousIdOf(page: Page): Promise<string> {
  const handle = await page.waitForFunction(() => "version" in window.attune && window.attune.anonymousId());
  return handle.jsonValue() as Promise<string>;
}
const membershipsOf = (page: Page) => page.evaluate(() => Object.keys(window.attune.segments()).sort());
const slot = (page: Page, name: string) => page.locator(`attune-block[name="${name}"]`);

async function readProfile(anonymousId: string): Promise<Profile | null> {
  const path = `/api/profiles?anonymousId=${anonymousId}`;
  const { status, body } = await callApi<Profile>(api, "GET", path, undefined, [404]);
  return status === 200 ? body : null;
}

async function listEvents(anonymousId: string): Promise<StoredEvent[]> {
  const profile = await readProfile(anonymousId);
  if (!profile) return [];
  return (await callApi<{ data: StoredEvent[] }>(api, "GET", `/api/profiles/${profile.id}/events?limit=200`)).body.data;
}

/** What the panel lists as captured in this tab. */
const journalOf = (page: Page) =>
  page.evaluate(() => JSON.parse(sessionStorage.getItem("northbound.journal") ?? "{}").events as JournalEvent[]);
interface JournalEvent {
  id: string;
  name: string;
  state: string;
}

/** Looks at a product as people do: not gone before the script has come. */
async function look(page: Page, id: string): Promise<void> {
  await page.goto(`${shop}product?id=${id}`);
  await page.locator(".panel-event", { hasText: "Product Viewed" }).first().waitFor({ state: "attached" });
}

async function addToCart(page: Page, id: string): Promise<void> {
  await page.goto(`${shop}product?id=${id}`);
  await page.getByRole("button", { name: "Add to cart" }).click();
  await page.getByRole("status").getByText("In your cart").waitFor();
}

describe("the demo shop", () => {
  test("two views in a category make an interest, and the page changes at once", async () => {
    const page = await visit();
    await slot(page, "hero").getByText("than you planned").waitFor();

    await page.getByRole("navigation").getByRole("link", { name: "Jackets" }).click();
    await page.getByRole("link", { name: /Squall Shell/ }).click();
    await page.getByRole("heading", { name: "Squall Shell" }).waitFor();
    await slot(page, "product-note").getByText("Try it outside").waitFor();

    await page.getByRole("link", { name: /Ember Down/ }).click();
    await page.getByRole("heading", { name: "Ember Down" }).waitFor();
    await slot(page, "product-note").getByText("Layering today?").waitFor();
    expect(await membershipsOf(page)).toEqual(["interested-jackets"]);

    const line = page.locator('[data-segment="interested-jackets"]');
    await expect.poll(() => line.getAttribute("data-inside")).toBe("true");
    await expect.poll(() => line.locator("time").textContent()).toMatch(/^2[34]:\d\d:\d\d$/);
    await expect.poll(() => line.locator("small").textContent()).toContain("2 times so far");

    await page.goto(shop);
    await slot(page, "hero").getByRole("heading", { name: "Let the weather come." }).waitFor();
    await slot(page, "picks").getByRole("heading", { name: "Layers that go together" }).waitFor();

    const anonymousId = await anonymousIdOf(page);
    await page.evaluate(() => window.attune.flush());
    const profile = await readProfile(anonymousId);
    expect(profile?.segments).toEqual([
      { key: "interested-jackets", since: expect.any(String), until: expect.any(String) },
    ]);
    const viewed = (await listEvents(anonymousId)).filter(({ event }) => event === "Product Viewed");
    expect(viewed.map(({ properties }) => properties?.["product_id"]).sort()).toEqual(["ember-down", "squall-shell"]);
    await page.context().close();
  });

  test("a cart left for a minute, then an order of more than 500: banner, thanks and hero follow", {
    timeout: ABANDONED_MS + 60_000,
  }, async () => {
    const page = await visit();
    await slot(page, "hero").getByText("than you planned").waitFor();
    const anonymousId = await anonymousIdOf(page);
    const email = `${anonymousId.slice(0, 8)}@example.com`;

    await addToCart(page, "lark-tent");
    await addToCart(page, "tempo-road");
    await page.getByRole("link", { name: /^Cart/ }).click();
    await page
      .getByText("Free shipping over $100 and")
      .or(slot(page, "cart-banner").getByText("within 100 days"))
      .first()
      .waitFor();
    expect(await membershipsOf(page)).toEqual([]);

    // Nobody touches the page: the time that the decision holds ends by itself.
    await slot(page, "cart-banner")
      .getByText("Still thinking it over?")
      .waitFor({ timeout: ABANDONED_MS + PATIENCE_MS });
    expect(await membershipsOf(page)).toEqual(["cart-abandoner"]);
    expect((await readProfile(anonymousId))?.segments.map(({ key }) => key)).toEqual(["cart-abandoner"]);

    await page.getByRole("link", { name: "Check out" }).click();
    await page.getByLabel("Email").fill(email);
    await page.getByRole("button", { name: "Place the order" }).click();
    await page.getByRole("heading", { name: "Thank you, Robin." }).waitFor();
    await slot(page, "thanks").getByText("Welcome to the Summit Club").waitFor();
    await expect.poll(() => membershipsOf(page)).toEqual(["high-value"]);

    await page.getByRole("link", { name: "Keep looking around" }).click();
    await slot(page, "hero").getByRole("heading", { name: "Good to see you, Robin." }).waitFor();

    await page.evaluate(() => window.attune.flush());
    const profile = await readProfile(anonymousId);
    expect(profile?.segments.map(({ key }) => key)).toEqual(["high-value"]);
    expect(profile?.traits).toMatchObject({ firstName: "Robin", email });
    expect(profile?.identifiers).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: "anonymousId", value: anonymousId }),
        expect.objectContaining({ kind: "userId", value: email }),
      ]),
    );

    // Everything that was captured in the browser is in D1, once, and no line of the panel waits.
    const stored = await until(async () => {
      // What is seen meanwhile is captured, too: it need not wait for more.
      await page.evaluate(() => window.attune.flush());
      const journal = await journalOf(page);
      const ids = (await listEvents(anonymousId)).map(({ messageId }) => messageId);
      return journal.every(({ id, state }) => ids.includes(id) && /delivered|sent/.test(state)) && ids;
    }, "every event to be delivered");
    expect(new Set(stored).size).toBe(stored.length);
    const order = (await listEvents(anonymousId)).filter(({ event }) => event === "Order Completed");
    expect(order.map(({ properties }) => properties?.["revenue"])).toEqual([609]);
    await page.context().close();
  });

  test("the way back shows the page as it was left, with the cart and the journal as they are", async () => {
    const keeping = await chromium.launch({
      executablePath: inject("chromium"),
      args: CHROMIUM_FLAGS,
      ignoreDefaultArgs: ["--disable-back-forward-cache"],
    });
    const page = await keeping.newPage();
    await page.goto(shop);
    await anonymousIdOf(page);
    await page.evaluate(() => Object.assign(window, { left: true }));
    const back = () => page.evaluate(() => history.back());
    const wasKept = () => page.evaluate(() => "left" in window).catch(() => undefined);

    await look(page, "lark-tent");
    await back();
    await until(wasKept, "the page as it was left");
    await until(
      async () => (await journalOf(page)).some(({ name }) => name === "Product Viewed"),
      "what was seen on the other page",
    );
    await until(
      async () => (await journalOf(page)).filter(({ name }) => name === "Page home").length === 2,
      "the return in the journal",
    );

    await addToCart(page, "lark-tent");
    await back();
    await until(async () => (await wasKept()) === false, "the page anew");
    await page.getByRole("link", { name: "Cart 1" }).waitFor();
    await keeping.close();
  });

  test("search finds products, says so, and an unknown product is no error", async () => {
    const page = await visit();
    await page.getByRole("searchbox").fill("sleeping bag");
    await page.getByRole("searchbox").press("Enter");
    await page.waitForURL("**/search*"); // the home page shows some of the same products
    await page.getByRole("link", { name: /Hollow/ }).waitFor();
    await expect.poll(async () => (await journalOf(page)).map(({ name }) => name)).toContain("Products Searched");
    await page.goto(`${shop}product?id=constructor`);
    await page.getByRole("heading", { name: "We do not sell that" }).waitFor();
    await page.context().close();
  });

  test.each([320, 360])("on a phone %d pixels wide the search leaves the name of the shop alone", async (width) => {
    const page = await visit();
    await page.setViewportSize({ width, height: 740 });
    const boxes = [page.getByText("Northbound").first(), page.locator("#q"), page.locator(".cart-link")];
    const sides = await Promise.all(
      boxes.map((it) =>
        it.evaluate((element) => {
          const range = document.createRange();
          range.selectNodeContents(element);
          const { left, right } =
            element instanceof HTMLInputElement ? element.getBoundingClientRect() : range.getBoundingClientRect();
          return [left, right];
        }),
      ),
    );
    const edges = sides.flat();
    expect(edges).toEqual([...edges].sort((a, b) => a - b));
    expect(edges.at(-1)).toBeLessThanOrEqual(width);
  });

  test("start over: another visitor, of whom nothing is known", async () => {
    const page = await visit();
    await look(page, "lark-tent");
    await look(page, "hollow-bag");
    await expect.poll(() => membershipsOf(page)).toEqual(["interested-camping"]);
    const before = await anonymousIdOf(page);
    await page.getByRole("button", { name: "Start over as somebody new" }).click();
    await slot(page, "hero").getByText("than you planned").waitFor();
    expect(await anonymousIdOf(page)).not.toBe(before);
    expect(await membershipsOf(page)).toEqual([]);
    await page.context().close();
  });

  test("without the script the shop is whole: the page's own content stays", async () => {
    const context = await browser.newContext();
    await context.route("**/attune.js", (route) => route.abort());
    const page = await context.newPage();
    await page.goto(shop);
    await slot(page, "hero").getByText("than you planned").waitFor();
    await slot(page, "picks").getByText("Popular this week").waitFor();
    await addToCart(page, "spring-bottle");
    await context.close();
  });

  test("a public segment that a developer makes is in the panel, too", async () => {
    const segment = { key: "campers", name: "Campers", visibility: "public", status: "active" };
    const condition = { event: "Product Viewed", where: { category: { eq: "camping" } }, count: { gte: 3 } };
    await callApi(api, "POST", "/api/segments", { ...segment, condition });
    const page = await visit();
    const line = page.locator('[data-segment="campers"]');
    await expect
      .poll(
        async () => {
          await look(page, "lark-tent");
          return (await line.count()) === 1 && (await line.locator("small").textContent());
        },
        { timeout: PATIENCE_MS },
      )
      .toMatch(/time/);
    await page.context().close();
    await callApi(api, "DELETE", "/api/segments/campers");
  });
});

describe("the shop in the HTML stream", () => {
  const stream = `${shop}stream/`;

  test("comes filled, asks nothing for it, and leads to the other way and back", async () => {
    const page = await visit();
    await page.goto(stream);
    await anonymousIdOf(page);
    for (const id of ["ridgeline-trail", "tempo-road"]) {
      await page.goto(`${stream}product?id=${id}`);
      await anonymousIdOf(page);
      await page.evaluate(() => window.attune.flush());
    }
    await until(async () => (await membershipsOf(page)).includes("interested-shoes"), "the segment");

    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.click("a.brand");
    await page.waitForURL(stream);
    await anonymousIdOf(page);
    await page.evaluate(() => window.attune.flush());
    expect(await slot(page, "hero").locator(".hero-shoes").count()).toBe(1);
    expect(await slot(page, "hero").getAttribute("data-attune-decision")).not.toBe("");
    expect(asked).toContain("/a/batch");
    expect(asked).not.toContain("/a/decide");

    await page.locator(".panel-choice").getByText("The script").click();
    await page.waitForURL(shop);
    await slot(page, "hero").locator(".hero-shoes").waitFor();
    await page.locator(".panel-choice").getByText("The HTML stream").click();
    await page.waitForURL(stream);
    await page.context().close();
  });
});
