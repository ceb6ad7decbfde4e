/** Pages that the Worker has filled on their way: what a visitor sees, and what the script does with them. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "./stage.ts";
import { HERO, openStreamStage, type StreamStage, type StreamVisitor } from "./stream-stage.ts";

let stage: StreamStage;
beforeAll(async () => {
  stage = await openStreamStage();
});
afterAll(() => stage?.close());
beforeEach(() => {
  stage.body = HERO;
  stage.headers = {};
});

const questions = ({ asked }: StreamVisitor) => asked.filter(({ path }) => path === "/a/decide");
/** Views two shoes, and leaves when the Worker has them. */
async function look({ page }: StreamVisitor): Promise<void> {
  await page.evaluate(() => {
    attune.track("Product Viewed", { category: "shoes" });
    attune.track("Product Viewed", { category: "shoes" });
  });
  await page.waitForSelector("p.shoes");
  await page.evaluate(() => attune.flush());
}

describe("somebody new", () => {
  it("sees what was decided before the script comes; it asks nothing, and tells of the page and of what was seen, once", async () => {
    const visitor = await stage.visitor();
    const { page } = visitor;
    await visitor.open((page) =>
      page.evaluate(() => {
        const shown = document.querySelector("p.all")!;
        (shown as HTMLElement & { kept?: boolean }).kept = true;
        if (getComputedStyle(shown).visibility !== "visible") throw new Error("hidden");
      }),
    );
    await until(
      () => page.evaluate(() => heard.some(({ detail }) => detail?.event === "Attune Exposure")),
      "the exposure",
    );
    await page.evaluate(() => attune.flush());
    const [isKept, children, decision, slots] = await page.evaluate(() => {
      const block = document.querySelector("attune-block")!;
      return [
        (block.querySelector("p.all") as HTMLElement & { kept?: boolean }).kept,
        [...block.children].map(({ className }) => className),
        block.getAttribute("data-attune-decision"),
        heard.filter(({ type }) => type === "slot").map(({ detail }) => detail.decision.id),
      ];
    });
    expect([isKept, children, slots]).toEqual([true, ["all"], [decision]]);
    expect(questions(visitor)).toEqual([]);
    const messages = visitor.asked.flatMap(
      ({ body }) => body["batch"] as { type: string; event?: string; properties: object }[],
    );
    expect(messages.map(({ type, event }) => event ?? type)).toEqual(["page", "Attune Exposure"]);
    expect(messages[1]!.properties).toMatchObject({ decision, slot: "hero", variant: "all", reason: "targeted" });
  });
});

describe("somebody known", () => {
  it("sees at once what was decided for the events of before, and nothing is asked", async () => {
    const visitor = await stage.visitor();
    await visitor.open();
    await look(visitor);
    visitor.asked.length = 0;
    await visitor.open((page) =>
      page.evaluate(() => {
        if (!document.querySelector("p.shoes")) throw new Error("not the one of the visitor");
      }),
    );
    await visitor.page.evaluate(() => attune.flush());
    expect(await visitor.page.evaluate(() => Object.keys(attune.segments()))).toEqual(["interested"]);
    expect(await visitor.page.locator("attune-block > *").count()).toBe(1);
    expect(questions(visitor)).toEqual([]);
  });

  it("is asked for where events of before may not have come in time", async () => {
    const visitor = await stage.visitor();
    await visitor.open();
    await visitor.context.route("**/a/*", (route) => route.abort());
    await visitor.page.evaluate(() => {
      attune.track("Product Viewed", { category: "shoes" });
      attune.track("Product Viewed", { category: "shoes" });
    });
    await until(() => visitor.page.evaluate(() => "interested" in attune.segments()), "the segment");
    await visitor.context.unroute("**/a/*");
    await visitor.open();
    await visitor.page.waitForSelector("p.shoes");
    expect(questions(visitor).length).toBeGreaterThan(0);
  });

  it("gets the page's own content back where consent is withdrawn", async () => {
    const visitor = await stage.visitor();
    await visitor.open();
    await look(visitor);
    await visitor.open();
    await visitor.page.evaluate(() => attune.consent("off"));
    await visitor.page.waitForSelector("p.plain");
    expect(await visitor.page.locator("attune-block > *").count()).toBe(1);
    await until(async () => !(await visitor.context.cookies()).length, "no cookie");
    await visitor.page.goto(stage.url);
    expect(await visitor.page.locator("p.shoes").count()).toBe(0);
  });

  it("is nobody to who uses the device after a reset: the page's own content is shown until the edge has answered", async () => {
    const visitor = await stage.visitor();
    await visitor.open();
    await look(visitor);
    const [cookie] = await visitor.context.cookies();
    await visitor.page.evaluate(() => {
      attune.reset();
      return attune.flush();
    });
    // The last answer that may set one.
    await visitor.page.waitForSelector("p.all");
    await until(async () => (await visitor.context.cookies())[0]!.value !== cookie!.value, "another cookie");
    await visitor.context.addCookies([cookie!]);
    visitor.asked.length = 0;
    await visitor.open((page) =>
      page.evaluate(() => {
        if (!document.querySelector("p.shoes")) throw new Error("not of the cookie's");
      }),
    );
    await visitor.page.waitForSelector("p.all");
    expect(questions(visitor)).not.toEqual([]);
    const shown = await visitor.page.evaluate(() =>
      heard.filter(({ type }) => type === "slot").map(({ detail }) => detail.html),
    );
    // Once more, where the edge was asked once more.
    expect(new Set(shown)).toEqual(new Set(['<p class="all">Welcome</p>']));
  });

  it("is known again after the device was wiped: nothing flickers, and the id comes back", async () => {
    const visitor = await stage.visitor();
    await visitor.open();
    await look(visitor);
    const id = await visitor.page.evaluate(() => attune.anonymousId());
    await visitor.page.evaluate(async () => {
      attune.consent = () => {};
      for (const { name } of await indexedDB.databases()) indexedDB.deleteDatabase(name!);
    });
    await visitor.page.goto(`${stage.url}/attune.js`);
    await visitor.page.evaluate(() => localStorage.clear());
    visitor.asked.length = 0;
    await visitor.open((page) =>
      page.evaluate(() => {
        (document.querySelector("p.shoes") as HTMLElement & { kept?: boolean }).kept = true;
      }),
    );
    await visitor.page.evaluate(() => attune.flush());
    await until(() => visitor.page.evaluate((id) => attune.anonymousId() === id, id), "the id");
    const isKept = await visitor.page.evaluate(
      () => (document.querySelector("p.shoes") as HTMLElement & { kept?: boolean }).kept,
    );
    expect([isKept, questions(visitor)]).toEqual([true, []]);
  });
});

it("fills what the edge has left to the script from what it was told, and asks only for what the edge did not see", async () => {
  stage.body = `${HERO}<p data-attune-slot="line">Plain</p>`;
  const visitor = await stage.visitor();
  await visitor.open();
  await visitor.page.waitForSelector("p > b");
  expect(questions(visitor)).toEqual([]);

  stage.body = `${HERO}<script nonce="stub">document.body.insertAdjacentHTML("beforeend", '<div data-attune-slot="line">Plain</div>')</script>`;
  await visitor.open();
  await visitor.page.waitForSelector("div > b");
  expect(questions(visitor).map(({ body }) => body["slots"])).toEqual([["hero", "line"]]);
});

it("is asked for once more where a device is another than it says to servers", async () => {
  const visitor = await stage.visitor({
    userAgent:
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
    hasTouch: true,
    isMobile: true,
    viewport: { width: 820, height: 1180 },
    screen: { width: 820, height: 1180 },
  });
  await visitor.open();
  await until(() => questions(visitor).length > 0, "a question");
  expect(questions(visitor).map(({ body }) => body["context"])).toEqual([
    expect.objectContaining({ device: { type: "tablet" } }),
  ]);
  await visitor.page.waitForSelector("p.all");
});

it("keeps the page's own scripts from waiting for it", async () => {
  stage.body = `${HERO}<script defer src="/page.js"></script>`;
  stage.script = 'document.title = "Ran"';
  const visitor = await stage.visitor();
  await visitor.open((page) => page.waitForFunction(() => document.title === "Ran"));
});

it("waits for the end of a page that comes slowly, and asks nothing", async () => {
  stage.body = `${HERO}<script src="/page.js"></script><footer>End</footer>`;
  stage.script = "";
  const visitor = await stage.visitor();
  const { page } = visitor;
  const hears = (type: string) =>
    page.evaluate((type) => (globalThis.heard as typeof heard | undefined)?.some((it) => it.type === type), type);
  await page.route("**/page.js", async (route) => {
    await until(() => hears("loaded"), "the script");
    await route.continue();
  });
  await page.goto(stage.url);
  await until(() => hears("ready"), "ready");
  await page.waitForSelector("attune-block[data-attune-decision] p.all");
  await page.evaluate(() => attune.flush());
  expect(questions(visitor)).toEqual([]);
});

it("fills again what the page overwrites, and asks nothing for it", async () => {
  const visitor = await stage.visitor();
  await visitor.open();
  await visitor.page.evaluate(() => document.querySelector("attune-block")!.replaceChildren("Overwritten"));
  await visitor.page.waitForSelector("p.all");
  expect(questions(visitor)).toEqual([]);
});

it("comes back from the back/forward cache as it was", async () => {
  const visitor = await stage.visitor();
  await visitor.open();
  await visitor.page.evaluate(() =>
    addEventListener("pageshow", ({ persisted }) => heard.push({ type: "back", detail: persisted })),
  );
  // A page that is just sending is not kept.
  await visitor.page.evaluate(() => attune.flush());
  await visitor.page.goto(`${stage.url}/other`);
  // Playwright's own waits for a load that never comes.
  await visitor.page.evaluate(() => history.back());
  const isBack = () =>
    visitor.page.evaluate(() => heard.some(({ type, detail }) => type === "back" && detail === true));
  await until(() => isBack().catch(() => false), "the page as it was left");
  expect(await visitor.page.locator("p.all").count()).toBe(1);
});

it("works under a strict policy, and causes no report", async () => {
  stage.headers["content-security-policy"] = [
    "default-src 'none'",
    "script-src 'nonce-stub' 'nonce-tag' 'strict-dynamic'",
    "connect-src 'self'",
    "style-src 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types attune",
  ].join("; ");
  const visitor = await stage.visitor();
  const said: string[] = [];
  visitor.page.on("console", (message) => /policy|Trusted/i.test(message.text()) && said.push(message.text()));
  await visitor.open();
  await visitor.page.waitForSelector("p.all");
  await visitor.page.evaluate(() => attune.flush());
  expect([said, questions(visitor)]).toEqual([[], []]);
});
