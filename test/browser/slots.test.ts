/** Slots: filled from the edge, never hidden for long, never in the way, counted when they are seen. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, inject, it } from "vitest";
import { openStage, type Stage, until, watched } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
beforeEach(() => {
  for (const name of Object.keys(stage.headers)) delete stage.headers[name];
});
afterAll(() => stage?.close());

const HERO = '<attune-block name="hero"><p>Fallback</p></attune-block>';
const ready = (page: Page) => until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
const exposures = (page: Page) =>
  page.evaluate(() =>
    heard.filter(({ detail }) => detail.event === "Attune Exposure").map(({ detail }) => detail.properties),
  );

it("fills elements of both forms with one request that also delivers the waiting events", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.context.newPage();
  const parsed = page.waitForEvent("domcontentloaded");
  await page.route(/attune\.js$/, async (route) => {
    await parsed;
    await route.continue();
  });
  await visitor.open(
    `${HERO}<div data-attune-slot="hero">Fallback</div><attune-block name="none">Stays</attune-block>`,
    "",
    page,
  );
  await page.waitForSelector("attune-block p.all");
  expect(await page.locator("[data-attune-slot] p.all").count()).toBe(1);
  expect(await page.locator("attune-block[name=none]").textContent()).toBe("Stays");
  const asked = visitor.sent.filter(({ path }) => path === "/a/decide");
  expect(asked).toHaveLength(1);
  expect(asked[0]?.messages.map(({ type }) => type)).toEqual(["page"]);
  expect(new Set(asked[0]?.body["slots"] as string[])).toEqual(new Set(["hero", "none"]));
  const decisions = await page.evaluate(() => attune.decisions());
  expect(decisions["hero"]).toMatchObject({ block: "hero", variant: "all", reason: "targeted", until: null });
  expect(decisions["none"]).toMatchObject({ block: null, reason: "no-block" });
  expect(await page.locator("attune-block[name=hero]").getAttribute("data-attune-decision")).toBe(
    decisions["hero"]?.id,
  );
});

it("changes at once when the visitor enters a segment that the slot depends on, and says why", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(HERO);
  await page.waitForSelector("p.all");
  await page.evaluate(() => {
    attune.track("Product Viewed", { category: "shoes" });
    attune.track("Product Viewed", { category: "shoes" });
  });
  await page.waitForSelector("p.shoes");
  const change = await page.evaluate(() => heard.find(({ type }) => type === "segments")?.detail);
  expect(change).toMatchObject({ entered: ["interested"], exited: [] });
  expect(Date.parse(change.segments.interested)).toBeGreaterThan(Date.now());
  const whys = await page.evaluate(() => attune.explain());
  expect(whys).toContainEqual(
    expect.objectContaining({ key: "interested", value: true, says: expect.stringMatching(/Product Viewed/) }),
  );
});

it("shows on the next page at once what was decided on the last one, before the Worker answers", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(HERO);
  await page.waitForSelector("p.all");
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
  expect(await page.evaluate(() => attune.decisions()["hero"]?.variant)).toBe("all");
  answer();
});

it("hides a slot for 300 ms at most, and fills it when the answer comes later", async () => {
  const visitor = await stage.visitor();
  let answer = () => {};
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await visitor.context.route(/\/a\/decide$/, async (route) => {
    await held;
    await route.continue();
  });
  const page = await visitor.context.newPage();
  // Time passes only where the test says so.
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 60_000);
  await visitor.open(HERO, "", page);
  const isHidden = () =>
    page.evaluate(() => document.querySelector<HTMLElement>("attune-block")!.style.visibility === "hidden");
  await until(async () => {
    await page.clock.runFor(1);
    return isHidden();
  }, "the hiding");
  await page.clock.runFor(298);
  expect(await isHidden()).toBe(true);
  await page.clock.runFor(2);
  expect(await isHidden()).toBe(false);
  expect(await page.locator("attune-block").textContent()).toBe("Fallback");
  answer();
  await until(async () => {
    await page.clock.runFor(500);
    return page.locator("p.all").count();
  }, "the answer");
});

it("counts what goes along with a question to what a flush waits for", async () => {
  const visitor = await stage.visitor();
  let answer = () => {};
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await visitor.context.route(/\/a\/decide$/, async (route) => {
    await held;
    await route.continue();
  });
  const page = await visitor.open(HERO);
  await until(() => visitor.sent.length, "the question");
  await page.evaluate(() => {
    attune.flush().then(() => heard.push({ type: "flushed", detail: {} }));
  });
  await page.evaluate(() => attune.explain());
  answer();
  const order = await until(async () => {
    const types = await page.evaluate(() => heard.map(({ type }) => type));
    return types.includes("flushed") && types.filter((type) => /ack|flushed/.test(type));
  }, "the flush");
  expect(order).toEqual(["ack", "flushed"]);
});

it("leaves the fallback where the Worker cannot be reached", async () => {
  const visitor = await stage.visitor();
  await visitor.context.route(/\/a\//, (route) => route.abort());
  const page = await visitor.open(HERO, 'data-consent="full"');
  await ready(page);
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "error")), "the error");
  await page.waitForFunction(() => document.querySelector<HTMLElement>("attune-block")!.style.visibility === "");
  expect(await page.locator("attune-block").textContent()).toBe("Fallback");
});

it("shows nothing of somebody who has gone, without network, too", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(HERO);
  await page.waitForSelector("p.all");
  const other = await visitor.open(HERO);
  await other.waitForSelector("p.all");
  await visitor.context.setOffline(true);
  await page.evaluate(() => attune.reset());
  for (const it of [page, other])
    await it.waitForFunction(() => document.querySelector("attune-block")!.textContent === "Fallback");
});

it("finds slots that come later", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  await ready(page);
  await page.evaluate((html) => {
    document.body.insertAdjacentHTML("beforeend", html);
  }, HERO);
  await page.waitForSelector("attune-block p.all");
});

it("counts an exposure once, after a second in view, and not while it is out of view", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(
    `<div style="height: 3000px">Far above</div>${HERO.replace("<p>", '<p style="height:40px">')}`,
  );
  await page.waitForSelector("attune-block p.all");
  const decision = (await page.evaluate(() => attune.decisions()["hero"]))!;
  await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve)));
  await page.clock.install();
  expect(await exposures(page)).toEqual([]);
  await page.locator("attune-block").scrollIntoViewIfNeeded();
  await until(async () => {
    await page.clock.runFor(500);
    return (await exposures(page)).length > 0;
  }, "the exposure");
  await page.evaluate(() => scrollTo(0, 0));
  await page.locator("attune-block").scrollIntoViewIfNeeded();
  await page.clock.runFor(5_000);
  expect(await exposures(page)).toEqual([
    { decision: decision.id, slot: "hero", block: "hero", variant: "all", reason: "targeted" },
  ]);
});

it("records a click on a link inside a slot with its decision", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(HERO);
  await page.waitForSelector("p.all");
  await watched(page);
  await page.click("attune-block a");
  const clicks = await page.evaluate(() =>
    heard.filter(({ detail }) => detail.event === "Attune Click").map(({ detail }) => detail.properties),
  );
  expect(clicks).toEqual([expect.objectContaining({ slot: "hero", variant: "all", href: `${stage.shopUrl}/#sale` })]);
});

it.each([
  ["under a strict policy with Trusted Types", true],
  ["without any policy", false],
])("works %s, and runs nothing that arrives", async (_, strict) => {
  const visitor = await stage.visitor();
  if (strict) {
    stage.headers["content-security-policy"] = [
      "default-src 'none'",
      "script-src 'nonce-stub' 'nonce-tag'",
      `connect-src ${inject("workerUrl")}`,
      "require-trusted-types-for 'script'",
      "trusted-types attune",
    ].join("; ");
  }
  await visitor.context.route(/\/a\/decide$/, async (route) => {
    const response = await route.fetch();
    const answer = await response.json();
    answer.slots.hero.html =
      '<p class=safe>Safe</p><script>window.ran = 1</script><img src=x onerror="window.ran = 2"><a href=" java\tscript:window.ran=3">x</a><iframe srcdoc="<script>parent.ran=4</script>"></iframe><svg><animate onbegin="window.ran=5" attributeName=x dur=1s /></svg>';
    await route.fulfill({ response, json: answer });
  });
  const page = await visitor.context.newPage();
  const violations: string[] = [];
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      Object.assign(window, { violated: `${event.violatedDirective} ${event.blockedURI} ${event.sample}` });
    });
  });
  page.on("pageerror", (error) => violations.push(String(error)));
  await visitor.open(HERO, "", page);
  await page.waitForSelector("p.safe");
  expect(await page.evaluate(() => document.querySelector("attune-block")!.innerHTML)).not.toMatch(
    /onerror|javascript:|srcdoc|onbegin/i,
  );
  expect(await page.evaluate(() => (window as unknown as { ran?: number }).ran)).toBeUndefined();
  expect(violations).toEqual([]);
  expect(await page.evaluate(() => (window as unknown as { violated?: string }).violated ?? "")).not.toMatch(
    /trusted-types|style-src|connect-src/,
  );
});
