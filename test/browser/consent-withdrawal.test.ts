/** What a withdrawal ends: everything, in every tab, at once; and the Worker hears of it whatever happens to the page. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { HERO, left, NOTHING, ready, views } from "./consent.ts";
import { openStage, type Stage, until, type Visitor } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage(["--disable-back-forward-cache"]);
});
afterAll(() => stage?.close());

const idOf = async (page: Page) => (await page.evaluate(() => attune.anonymousId()))!;
const gone = (page: Page) => until(async () => (await left(page)).databases.length === 0, "the database to go");
/** All that is left of a withdrawal that the Worker knows of: the choice. */
const choiceOnly = (page: Page) =>
  until(async () => {
    const choice = await page.evaluate((name) => localStorage[name], `attune.${stage.writeKey}`);
    const now = await left(page);
    // What was being sent is just being given up.
    return choice === '{"mode":"off"}' && !now.databases.length && !now.locks.length && now;
  }, "the Worker to know");
/** Without waiting for a load, which a page that was kept never has. */
async function back(page: Page): Promise<void> {
  await page.evaluate(() => history.back());
  await page.waitForURL(`${stage.shopUrl}/`, { waitUntil: "commit" });
}
const NO = () => ({ ...NOTHING, local: [`attune.${stage.writeKey}`] });
const statements = ({ sent }: Visitor) => sent.filter(({ path }) => path === "/a/consent").map(({ body }) => body);
const others = ({ sent }: Visitor) => sent.filter(({ path }) => path !== "/a/consent");
/** What went to the Worker after it was told, but for telling it again. */
const since = ({ sent }: Visitor) => {
  const told = sent.findIndex(({ path }) => path === "/a/consent");
  expect(told).toBeGreaterThanOrEqual(0);
  return sent.slice(told).filter(({ path }) => path !== "/a/consent");
};
async function isWithdrawn(anonymousId: string): Promise<boolean> {
  const { consent } = await stage.api<{ consent: { [purpose: string]: { granted: boolean } } }>(
    "GET",
    `/api/profiles?anonymousId=${anonymousId}`,
  );
  return !consent["analytics"]!.granted && !consent["personalization"]!.granted && !consent["marketing"]!.granted;
}

it("purges at once, says so on the next page too, and starts anew when it is given again", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(HERO);
  await page.waitForSelector("p.all");
  const before = await idOf(page);
  await page.evaluate(() => attune.consent("off"));
  expect(await page.locator("attune-block").textContent()).toBe("Fallback");
  expect(await idOf(page)).toBeUndefined();
  await gone(page);
  const count = others(visitor).length;
  await views(page);
  await page.reload();
  await page.waitForFunction(() => "version" in attune);
  await page.evaluate(() => attune.flush());
  expect(await choiceOnly(page)).toEqual(NO());
  expect(others(visitor)).toHaveLength(count);
  expect(await isWithdrawn(before)).toBe(true);

  await page.evaluate(() => attune.consent("full"));
  await page.waitForSelector("p.all");
  const after = await idOf(page);
  expect(after).not.toBe(before);
  expect(await isWithdrawn(before)).toBe(true);

  // In one page, too: who comes after is somebody else.
  await page.evaluate(() => attune.flush());
  await page.evaluate(() => attune.consent("off"));
  expect(await choiceOnly(page)).toEqual(NO());
  await page.evaluate(() => attune.consent("full"));
  await page.waitForSelector("p.all");
  expect([before, after]).not.toContain(await idOf(page));
  await until(() => page.evaluate(() => attune.flush().then(() => true)), "the rest");
  expect(statements(visitor).map(({ anonymousId }) => anonymousId)).toEqual(expect.arrayContaining([before, after]));
  expect(statements(visitor).every(({ mode }) => mode === "off")).toBe(true);
});

it("sends nothing that waited, not even what was being sent", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(HERO);
  await page.waitForSelector("p.all");
  await page.evaluate(() => attune.flush());
  // What waits is being read when consent is withdrawn.
  await page.evaluate(() => {
    const { getAll } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.getAll = function (...rest) {
      if (this.name === "messages") attune.consent("off");
      return getAll.apply(this, rest);
    };
    attune.track("Waits");
    return attune.flush();
  });
  await views(page);
  await page.evaluate(() => attune.flush());
  await choiceOnly(page);
  await page.goto("about:blank");
  expect(since(visitor)).toEqual([]);
});

it("ends in all tabs, which hold up nothing", async () => {
  const visitor = await stage.visitor();
  const one = await visitor.open(HERO);
  await ready(one);
  const two = await visitor.open(HERO);
  await two.waitForSelector("p.all");
  await one.evaluate(() => attune.consent("off"));
  await until(() => two.evaluate(() => attune.anonymousId() === undefined), "the other tab");
  expect(await two.locator("attune-block").textContent()).toBe("Fallback");
  await gone(one);
  const count = others(visitor).length;
  await views(two);
  await two.evaluate(() => attune.flush());
  expect(others(visitor)).toHaveLength(count);
  expect(await choiceOnly(two)).toEqual(NO());
});

it("ends the session of each tab", async () => {
  const visitor = await stage.visitor();
  const one = await visitor.open(HERO, 'data-consent="session"');
  const two = await visitor.open(HERO, 'data-consent="session"');
  for (const page of [one, two]) await page.waitForSelector("p.all");
  const id = await idOf(one);
  await one.evaluate(() => attune.consent("off"));
  await until(() => two.evaluate(() => attune.anonymousId() === undefined), "the other tab");
  for (const page of [one, two]) expect(await choiceOnly(page)).toEqual(NO());
  expect(await isWithdrawn(id)).toBe(true);
});

it("ends the session of a tab that slept in the back/forward cache", async () => {
  const visitor = await stage.visitor();
  const one = await visitor.open(HERO, 'data-consent="session"');
  await one.waitForSelector("p.all");
  await one.evaluate(() => {
    Object.assign(window, { slept: true });
    // A page that is just sending is not kept.
    return attune.flush();
  });
  await one.goto(`${stage.shopUrl}/other`);
  const two = await visitor.open(HERO, 'data-consent="session"');
  await ready(two);
  await two.evaluate(() => attune.consent("off"));
  await back(one);
  expect(await one.evaluate(() => "slept" in window)).toBe(true);
  await until(() => one.evaluate(() => attune.anonymousId() === undefined), "the tab that slept");
  expect(await left(one)).toMatchObject({ session: [], databases: [] });
  expect(await one.locator("attune-block").textContent()).toBe("Fallback");
});

it("is not held up by a tab that sleeps with the database open", async () => {
  const visitor = await stage.visitor();
  const one = await visitor.open(HERO);
  await one.waitForSelector("p.all");
  await one.goto(`${stage.shopUrl}/other`);
  const two = await visitor.open(HERO);
  await two.waitForSelector("p.all");
  await two.evaluate(() => attune.consent("off"));
  await gone(two);
  await back(one);
  await one.waitForFunction(() => "version" in attune && attune.anonymousId() === undefined);
  expect((await left(one)).databases).toEqual([]);
});

for (const mode of ["full", "session"])
  it(`counts in a visit that is only starting (${mode}), for whoever was here before`, async () => {
    const visitor = await stage.visitor();
    const page = await visitor.open(HERO, `data-consent="${mode}"`);
    await page.waitForSelector("p.all");
    await page.evaluate(() => attune.flush());
    const id = await idOf(page);
    const count = others(visitor).length;
    const first = `${HERO}<script nonce="first">attune.consent("off");attune.track("Early")</script>`;
    await visitor.open(first, `data-consent="${mode}"`, page);
    await page.waitForFunction(() => "version" in attune);
    expect(await choiceOnly(page)).toEqual(NO());
    // The page before may have said its last.
    const later = others(visitor).slice(count);
    expect(later.filter(({ path }) => path !== "/a/batch")).toEqual([]);
    const names = later.flatMap(({ messages }) => messages.map(({ type, event }) => event ?? type));
    expect(names).not.toContain("Early");
    expect(names).not.toContain("page");
    expect(await page.evaluate(() => heard.map(({ type }) => type))).not.toContain("ready");
    if (mode === "full") expect(await isWithdrawn(id)).toBe(true);
  });

it("leaves nothing of a first visit that had not begun", async () => {
  for (const mode of ["full", "session", "memory"]) {
    const visitor = await stage.visitor();
    const page = await visitor.open("", `data-consent="off"`);
    await page.waitForFunction(() => "version" in attune);
    await page.evaluate((mode) => {
      attune.consent(mode as "full");
      attune.track("Early");
      attune.consent("off");
    }, mode);
    expect(await choiceOnly(page)).toEqual(NO());
    expect(others(visitor)).toEqual([]);
  }
});

it("is told by the next page where the Worker was out of reach, at the time at which it was said", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(HERO);
  await page.waitForSelector("p.all");
  await page.evaluate(() => attune.flush());
  const id = await idOf(page);
  // A portal's page, an overload, nothing at all.
  const answers = [{ body: "<p>Log in" }, { status: 503, json: { title: "Overloaded" } }, undefined];
  await page.route("**/a/consent", (route) => {
    const reply = answers.shift();
    return reply ? route.fulfill(reply) : route.abort();
  });
  await page.evaluate(() => attune.consent("off"));
  await gone(page);
  for (const round of [1, 2, 3]) {
    await until(() => statements(visitor).length === round, "the attempt");
    if (round < 3) await page.reload();
  }
  expect(await isWithdrawn(id)).toBe(false);
  await page.unroute("**/a/consent");
  await page.reload();
  expect(await choiceOnly(page)).toEqual(NO());
  expect(await isWithdrawn(id)).toBe(true);
  const [first, ...again] = statements(visitor);
  expect(again).toHaveLength(3);
  for (const { anonymousId, at, purposes } of again)
    expect({ anonymousId, at, purposes }).toEqual({ anonymousId: id, at: first!["at"], purposes: first!["purposes"] });
});

it("is told when the browser is online again", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(HERO);
  await page.waitForSelector("p.all");
  await page.evaluate(() => attune.flush());
  const id = await idOf(page);
  await visitor.context.setOffline(true);
  await page.evaluate(() => {
    heard.length = 0;
    attune.consent("off");
  });
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "error")), "the failure");
  await visitor.context.setOffline(false);
  expect(await choiceOnly(page)).toEqual(NO());
  expect(await isWithdrawn(id)).toBe(true);
});

it("is told though the page goes", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(HERO);
  await page.waitForSelector("p.all");
  await page.evaluate(() => attune.flush());
  const id = await idOf(page);
  await page.evaluate(() => {
    attune.consent("off");
    location.href = "about:blank";
  });
  await until(() => isWithdrawn(id), "the Worker to know");
});

it("shows what the device keeps, and that it keeps nothing when consent is withdrawn", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(HERO, 'data-consent="full"');
  await ready(page);
  await page.route("**/a/**", (route) => route.abort());
  await views(page);
  const stored = () => page.evaluate(() => attune.stored());
  const kept = await until(async () => {
    const now = await stored();
    return now?.outbox.filter(({ event }) => event === "Product Viewed").length === 2 && now;
  }, "two events wait");
  expect(kept!.state["anonymousId"]).toBe(await idOf(page));
  await page.evaluate(() => attune.consent("off"));
  await gone(page);
  expect(await stored()).toBeNull();
});
