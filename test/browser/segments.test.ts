/** Segments in the page: decided here at each event and when time alone changes them, or asked of the edge and kept. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { openStage, type Stage, until, type Visitor } from "./stage.ts";

/** As users have it; playwright turns it off. */
const BACK_FORWARD_CACHE = "--disable-back-forward-cache";
const MINUTE_MS = 60_000;
const HERO = '<attune-block name="hero"><p>Fallback</p></attune-block>';

let stage: Stage;
/** Has segments that only the edge can decide. */
let partial: Stage;
beforeAll(async () => {
  [stage, partial] = await Promise.all([openStage([BACK_FORWARD_CACHE]), openStage()]);
  const segments = [
    { key: "hidden", visibility: "private", condition: { event: "Hint", within: "8s" } },
    { key: "paced", visibility: "public", condition: { event: "Pace", recency: { gte: "2s" } } },
    { key: "leaning", visibility: "public", condition: { all: [{ segment: "hidden" }, { event: "Hint" }] } },
    {
      key: "open-cart",
      visibility: "public",
      condition: { all: [{ event: "Cart Viewed" }, { event: "Order Completed", count: { eq: 0 } }] },
    },
    { key: "left", visibility: "public", condition: { event: "Added", unless: { event: "Paid" }, after: "1s" } },
    { key: "pro", visibility: "private", condition: { trait: "plan", eq: "pro" } },
  ];
  for (const segment of segments) {
    await partial.api("POST", "/api/segments", { ...segment, name: segment.key, kind: "dynamic", status: "active" });
  }
  await stage.api("POST", "/api/segments", {
    key: "long",
    name: "Long",
    kind: "dynamic",
    visibility: "public",
    status: "active",
    condition: { event: "Long Ago", within: "700d" },
  });
  await stage.api("POST", "/api/blocks", {
    key: "greeting",
    slot: "greeting",
    variants: [
      { key: "here", audience: { segment: "active" }, template: "<p class=here>Here</p>" },
      { key: "gone", audience: null, template: "<p class=gone>Gone</p>" },
    ],
  });
  await stage.api("POST", "/api/blocks/greeting/publish");
});
afterAll(async () => {
  await stage?.close();
  await partial?.close();
});

const ready = (page: Page) => until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
const keysOf = (page: Page) => page.evaluate(() => Object.keys(attune.segments()).sort());
/** What the listeners of `segments` heard so far. */
const reports = (page: Page): Promise<{ entered: string[]; exited: string[] }[]> =>
  page.evaluate(() =>
    heard
      .filter(({ type }) => type === "segments")
      .map(({ detail: { entered, exited } }) => ({ entered: entered.sort(), exited: exited.sort() })),
  );
const inside = (page: Page, key: string) => until(async () => (await keysOf(page)).includes(key), key);
const entry = (page: Page, key: string) =>
  until(async () => (await reports(page)).some(({ entered }) => entered.includes(key)), `${key} to be entered`);
const exit = (page: Page, key: string) =>
  until(async () => (await reports(page)).some(({ exited }) => exited.includes(key)), `${key} to be left`);
/** Somebody who is `active` for two seconds from now on, as soon as the page knows the rules. @returns until when. */
const ping = (page: Page) =>
  until(
    () =>
      page.evaluate(() => {
        attune.track("Ping");
        return attune.segments()["active"] ?? undefined;
      }),
    "the rules",
  );
/** Goes on until the other tab has heard of one in time. */
const pingFor = (other: Page, page: Page) =>
  until(async () => {
    await track(page, "Ping");
    return (await reports(other)).some(({ entered }) => entered.includes("active"));
  }, "the other tab");
const asked = ({ sent }: Visitor) => sent.filter(({ path }) => path === "/a/decide").length;
const track = (page: Page, event: string, properties?: object) =>
  page.evaluate(([event, properties]) => attune.track(event, properties), [event, properties] as const);
/** Resolves when the edge has it. */
const send = async (page: Page, event: string, properties?: object) => {
  await track(page, event, properties);
  await page.evaluate(() => attune.flush());
};

describe("a rule that needs more than the script has", () => {
  const asksForRules = (visitor: Visitor) => {
    let asked = 0;
    visitor.context.on("request", (request) => {
      if (request.url().endsWith("/attune.rules.js")) asked++;
    });
    return () => asked;
  };

  it("is decided in the page all the same, and costs other sites nothing", async () => {
    const visitor = await partial.visitor();
    const asked = asksForRules(visitor);
    const page = await visitor.open();
    await ready(page);
    await until(asked, "the part");
    await visitor.context.setOffline(true);
    await track(page, "Added");
    await entry(page, "left");
    await track(page, "Paid");
    await exit(page, "left");

    const other = await stage.visitor();
    const never = asksForRules(other);
    const plain = await other.open();
    await ready(plain);
    await ping(plain);
    expect(never()).toBe(0);
  });

  it("leaves all others as they are where the part cannot be loaded", async () => {
    const visitor = await partial.visitor();
    await visitor.context.route(/attune\.rules\.js$/, (route) => route.abort());
    const page = await visitor.open();
    await until(() => page.evaluate(() => heard.some(({ type }) => type === "error")), "the error");
    await visitor.context.setOffline(true);
    await track(page, "Cart Viewed");
    await entry(page, "open-cart");
  });
});

describe("decided in the page", () => {
  it("enters at the event and leaves when the window has passed, while the Worker is out of reach", async () => {
    const visitor = await stage.visitor();
    const page = await visitor.open();
    await ready(page);
    await page.evaluate(() => attune.flush());
    await visitor.context.setOffline(true);
    const left = await ping(page);
    await exit(page, "active");
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(left));
    expect(await reports(page)).toEqual([
      { entered: ["active"], exited: [] },
      { entered: [], exited: ["active"] },
    ]);
  });

  it("remembers on the next page what was seen on the last one, and reports only what changed", async () => {
    const visitor = await stage.visitor();
    const page = await visitor.open();
    await ready(page);
    await send(page, "Product Viewed", { category: "shoes" });
    await page.reload();
    await ready(page);
    await track(page, "Product Viewed", { category: "shoes" });
    await entry(page, "interested");
    await page.reload();
    await ready(page);
    expect(await keysOf(page)).toEqual(["interested"]);
    expect(await reports(page)).toEqual([]);
  });

  it("changes in one tab with what happens in the other, without network", async () => {
    const visitor = await stage.visitor();
    const one = await visitor.open();
    await ready(one);
    const two = await visitor.open();
    await ready(two);
    await visitor.context.setOffline(true);
    await track(one, "Product Viewed", { category: "shoes" });
    await track(two, "Product Viewed", { category: "shoes" });
    await entry(one, "interested");
    await entry(two, "interested");
    await pingFor(one, two);
    await exit(one, "active");
  });

  it("counts what two tabs see at the same time, in both", async () => {
    const visitor = await stage.visitor();
    const one = await visitor.open();
    const two = await visitor.open();
    await Promise.all([ready(one), ready(two)]);
    await visitor.context.setOffline(true);
    const at = Date.now() + 500;
    const see = (page: Page) =>
      page.evaluate((at) => {
        while (Date.now() < at);
        attune.track("Product Viewed", { category: "shoes" });
      }, at);
    await Promise.all([see(one), see(two)]);
    await Promise.all([inside(one, "interested"), inside(two, "interested")]);
    await visitor.context.setOffline(false);
    await Promise.all([one.reload(), two.close()]);
    await ready(one);
    expect(await keysOf(one)).toEqual(["interested"]);
  });

  it("gives the slot back when the visitor leaves by time alone", async () => {
    const visitor = await stage.visitor();
    const page = await visitor.open('<attune-block name="greeting"></attune-block>');
    await page.waitForSelector("p.gone");
    // The answer may come when the two seconds are over.
    await until(async () => {
      await track(page, "Ping");
      return page.waitForSelector("p.here", { timeout: 3_000 }).catch(() => false);
    }, "the greeting");
    await page.waitForSelector("p.gone");
  });
});

describe("time", () => {
  /** A visitor who is `interested` for a day, on a page whose clock the test moves. */
  const interested = async () => {
    const visitor = await stage.visitor();
    const page = await visitor.context.newPage();
    await page.clock.install();
    await visitor.open("", "", page);
    await ready(page);
    await visitor.context.setOffline(true);
    await track(page, "Product Viewed", { category: "shoes" });
    await track(page, "Product Viewed", { category: "shoes" });
    await entry(page, "interested");
    // From here on, time passes only where the test says so.
    await page.clock.pauseAt((await page.evaluate(() => Date.now())) + MINUTE_MS / 2);
    return page;
  };
  const tomorrow = (page: Page) => page.evaluate(() => Date.now() + 86_400_001);

  it("passes while the lid is closed: late timers find what is overdue", async () => {
    const page = await interested();
    await page.clock.fastForward("24:00:01");
    await exit(page, "interested");
  });

  it("passes while timers stand still: a page that is seen again decides at once", async () => {
    const page = await interested();
    await page.clock.setSystemTime(await tomorrow(page));
    expect(await reports(page)).toHaveLength(1);
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange", { bubbles: true })));
    expect((await reports(page)).at(-1)).toEqual({ entered: [], exited: ["interested"] });
  });

  it("passes while timers stand still: a page that nobody touches notices within a minute", async () => {
    const page = await interested();
    await page.clock.setSystemTime(await tomorrow(page));
    expect(await reports(page)).toHaveLength(1);
    await page.clock.runFor(MINUTE_MS);
    expect((await reports(page)).at(-1)).toEqual({ entered: [], exited: ["interested"] });
  });

  it("may be set back: what has not happened yet does not count, and counts again when it is time", async () => {
    const page = await interested();
    const now = await page.evaluate(() => Date.now());
    await page.clock.setSystemTime(now - 2 * MINUTE_MS);
    await track(page, "Ping");
    await exit(page, "interested");
    expect(await keysOf(page)).toEqual(["active"]);
    await page.clock.runFor(3 * MINUTE_MS);
    expect(await keysOf(page)).toEqual(["interested"]);
  });

  it("goes on in a page that was frozen", async () => {
    const visitor = await stage.visitor();
    const page = await visitor.open();
    await ready(page);
    const session = await visitor.context.newCDPSession(page);
    const left = await ping(page);
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    await until(() => Date.now() > Date.parse(left), "the end");
    await session.send("Page.setWebLifecycleState", { state: "active" });
    await exit(page, "active");
  });

  it("never asks for a timer longer than there are", async () => {
    const visitor = await stage.visitor();
    await visitor.context.addInitScript(() => {
      const delays: number[] = [];
      const { setTimeout } = window;
      Object.assign(window, {
        delays,
        setTimeout: (work: () => void, delay: number, ...args: unknown[]) => {
          delays.push(delay);
          return setTimeout(work, delay, ...args);
        },
      });
    });
    const page = await visitor.open();
    await ready(page);
    await track(page, "Long Ago");
    await entry(page, "long");
    const delays = await page.evaluate(() => (window as unknown as { delays: number[] }).delays);
    expect(Math.max(...delays)).toBeGreaterThan(0);
    expect(Math.max(...delays)).toBeLessThan(2 ** 31);
  });
});

describe("the back/forward cache", () => {
  const shows = (page: Page) =>
    page.evaluate(() => (window as unknown as { shows?: boolean[] }).shows?.filter((persisted) => persisted).length);
  /** Goes back to a page that was kept; playwright's own `goBack` waits for a load that never comes. */
  const back = async (page: Page) => {
    await page.evaluate(() => history.back());
    await until(() => shows(page).catch(() => undefined), "the page as it was left");
  };
  const open = async (visitor: Visitor) => {
    await visitor.context.addInitScript(() => {
      const shows: boolean[] = [];
      Object.assign(window, { shows });
      addEventListener("pageshow", ({ persisted }) => shows.push(persisted));
    });
    const page = await visitor.open();
    await ready(page);
    return page;
  };

  it("keeps the page although the next one tells of an event, which counts on the way back; the return is a view", async () => {
    const visitor = await stage.visitor();
    const page = await open(visitor);
    await send(page, "Product Viewed", { category: "shoes" });
    await page.goto(`${stage.shopUrl}/next`);
    await ready(page);
    await send(page, "Product Viewed", { category: "shoes" });
    await entry(page, "interested");
    await back(page);
    await entry(page, "interested");
    const views = await until(async () => {
      const found = await page.evaluate(() => heard.filter(({ detail }) => detail.type === "page"));
      return found.length > 1 && found.map(({ detail }) => detail.properties.path);
    }, "the view");
    expect(views).toEqual(["/", "/"]);
    // What happens in other tabs from now on is heard again.
    const other = await visitor.open();
    await ready(other);
    await pingFor(page, other);
  });

  it("shows on the way back at once what ended meanwhile", async () => {
    const visitor = await stage.visitor();
    const page = await open(visitor);
    const left = await ping(page);
    await page.evaluate(() => attune.flush());
    await page.goto(`${inject("workerUrl")}/healthz`);
    await until(() => Date.now() > Date.parse(left), "the end");
    await back(page);
    expect(await keysOf(page)).toEqual([]);
    await exit(page, "active");
  });

  it("does not mix up people: who left meanwhile has left here, too", async () => {
    const visitor = await stage.visitor();
    const page = await open(visitor);
    await page.evaluate(() => {
      attune.identify("ada");
      return attune.flush();
    });
    const before = await page.evaluate(() => attune.anonymousId());
    await page.goto(`${stage.shopUrl}/next`);
    await ready(page);
    const after = await page.evaluate(() => {
      attune.reset();
      return attune.anonymousId();
    });
    await back(page);
    await until(() => page.evaluate((id) => attune.anonymousId() === id, after), "the other person");
    expect(after).not.toBe(before);
    expect(await page.evaluate(() => attune.userId())).toBeUndefined();
  });
});

describe("a page that is rendered before it is wanted", () => {
  it("does nothing until it is shown", async () => {
    const visitor = await stage.visitor();
    await visitor.context.addInitScript(() => {
      Object.defineProperty(document, "prerendering", { value: true, configurable: true });
    });
    const page = await visitor.open(HERO);
    await page.waitForFunction(() => "version" in attune);
    await track(page, "Product Viewed", { category: "shoes" });
    await track(page, "Product Viewed", { category: "shoes" });
    expect(await keysOf(page)).toEqual([]);
    expect(visitor.sent).toEqual([]);
    await page.evaluate(() => {
      Object.defineProperty(document, "prerendering", { value: false });
      document.dispatchEvent(new Event("prerenderingchange"));
    });
    await entry(page, "interested");
    await page.waitForSelector("p.shoes");
  });
});

describe("decided at the edge", () => {
  it("is asked for on pages without a slot, kept until it ends, and asked for again then, once", async () => {
    const visitor = await partial.visitor();
    const page = await visitor.open();
    await ready(page);
    await send(page, "Hint");
    await page.reload();
    await inside(page, "hidden");
    const kept = (await page.evaluate(() => attune.segments()))["hidden"];
    expect(Date.parse(kept!)).toBeGreaterThan(Date.now());
    const before = asked(visitor);
    await exit(page, "hidden");
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(kept!));
    await until(() => asked(visitor) > before, "the question");
    await page.evaluate(() => attune.flush());
    expect(asked(visitor)).toBe(before + 1);
    expect(await keysOf(page)).not.toContain("hidden");
  });

  it("is not shipped where it leans on what is private, and never guessed", async () => {
    const visitor = await partial.visitor();
    const manifest = await (await fetch(`${inject("workerUrl")}/a/manifest/${partial.writeKey}`)).text();
    expect(manifest).not.toMatch(/hidden|leaning|paced|pro/);
    const page = await visitor.open();
    await ready(page);
    await track(page, "Hint");
    expect(await keysOf(page)).not.toContain("leaning");
    await page.evaluate(() => attune.flush());
    await page.reload();
    await inside(page, "leaning");
    expect((await keysOf(page)).filter((key) => key !== "active")).toEqual(["hidden", "leaning"]);
  });

  it("is there at once on the next page, before the edge answers, and is no news", async () => {
    const visitor = await partial.visitor();
    const page = await visitor.open();
    await ready(page);
    await page.evaluate(() => attune.identify("known", { plan: "pro" }));
    await entry(page, "pro");
    await visitor.context.route(/\/a\/decide$/, (route) => route.abort());
    await page.reload();
    await ready(page);
    expect(await keysOf(page)).toEqual(["pro"]);
    expect(await reports(page)).toEqual([]);
  });

  it("ends by time without network; entries that were due are learnt when it is back, without any event", async () => {
    const visitor = await partial.visitor();
    const page = await visitor.open();
    await ready(page);
    await send(page, "Hint");
    await send(page, "Pace");
    await page.reload();
    await inside(page, "hidden");
    await visitor.context.setOffline(true);
    await exit(page, "hidden");
    expect(await keysOf(page)).not.toContain("hidden");
    await visitor.context.setOffline(false);
    await inside(page, "paced");
  });

  it("is asked for again after failures, not at once, and as the edge says", async () => {
    const visitor = await partial.visitor();
    const times: number[] = [];
    await visitor.context.route(/\/a\/decide$/, async (route) => {
      times.push(Date.now());
      if (times.length > 2) return route.continue();
      const headers = { "access-control-allow-origin": "*", "access-control-expose-headers": "retry-after" };
      await route.fulfill({ status: 503, json: { title: "Not now" }, headers: { ...headers, "retry-after": "1" } });
    });
    const page = await visitor.open(HERO);
    await page.waitForSelector("p.all");
    expect(times.length).toBeGreaterThanOrEqual(3);
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(900);
    expect(times[2]! - times[1]!).toBeGreaterThanOrEqual(900);
  });

  it("corrects what is decided here: it knows of what happened elsewhere", async () => {
    const visitor = await partial.visitor();
    const page = await visitor.open();
    await ready(page);
    await track(page, "Cart Viewed");
    await entry(page, "open-cart");
    await page.evaluate(() => attune.flush());
    const order = {
      type: "track",
      event: "Order Completed",
      anonymousId: await page.evaluate(() => attune.anonymousId()),
    };
    const response = await fetch(`${inject("workerUrl")}/v1/batch`, {
      method: "POST",
      body: JSON.stringify({ writeKey: partial.writeKey, batch: [{ ...order, messageId: crypto.randomUUID() }] }),
    });
    expect(await response.json()).toMatchObject({ accepted: 1 });
    await page.reload();
    await exit(page, "open-cart");
    // Nor does the next page say so until the edge has answered.
    await visitor.context.route(/\/a\/decide$/, (route) => route.abort());
    await page.reload();
    await ready(page);
    expect(await keysOf(page)).toEqual([]);
    expect(await reports(page)).toEqual([]);
  });

  it("is shared by two tabs: what one is told, the other knows", async () => {
    const visitor = await partial.visitor();
    const one = await visitor.open();
    await ready(one);
    const two = await visitor.open();
    await ready(two);
    await two.route(/\/a\/decide$/, (route) => route.abort());
    await one.evaluate(() => attune.identify("shared", { plan: "pro" }));
    await entry(one, "pro");
    await entry(two, "pro");
  });

  it("is forgotten and asked for anew when what may be used for it changes", async () => {
    const visitor = await partial.visitor();
    const page = await visitor.open();
    await ready(page);
    await page.evaluate(() => attune.identify("careful", { plan: "pro" }));
    await entry(page, "pro");
    await page.evaluate(() => attune.consent({ analytics: true, personalization: false }));
    await exit(page, "pro");
    await page.evaluate(() => attune.consent({ personalization: true }));
    await inside(page, "pro");
  });
});
