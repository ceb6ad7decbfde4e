/** What a page calls, and what of it arrives in D1. */
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { arrived } from "./device.ts";
import { openStage, type Stage, until } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const names = (messages: { event?: string; type: string }[]) => messages.map(({ event, type }) => event ?? type);

it("keeps the calls that were made before the script arrived, in order, with the time of the call", async () => {
  const visitor = await stage.visitor();
  const before = Date.now();
  const page = await visitor.open(
    `<script>attune.identify("ada-${before}", { plan: "pro" }); attune.track("First"); attune.track("Second", { n: 2 });</script>`,
  );
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
  await page.evaluate(() => attune.flush());
  const id = (await page.evaluate(() => attune.anonymousId()))!;
  const stored = await until(async () => {
    const events = await visitor.stored(id);
    return events.length >= 4 && events;
  });
  expect(names(stored).sort()).toEqual(["First", "Second", "identify", "page"]);
  const captured = await page.evaluate(() => heard.filter(({ type }) => type === "event").map(({ detail }) => detail));
  expect(names(captured)).toEqual(["identify", "First", "Second", "page"]);
  expect(Date.parse(captured[1].timestamp)).toBeGreaterThanOrEqual(before);
  expect(captured[1].userId).toBe(`ada-${before}`);
});

it("records the page, where the visitor came from and on what", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.context.newPage();
  await visitor.open("", "", page);
  await page.goto(`${stage.shopUrl}/sale?utm_source=letter&utm_campaign=may&q=1#top`);
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "event")), "the page event");
  const [message] = await page.evaluate(() => heard.filter(({ type }) => type === "event").map(({ detail }) => detail));
  expect(message).toMatchObject({
    type: "page",
    properties: { path: "/sale", title: "Shop", search: "?utm_source=letter&utm_campaign=may&q=1" },
    context: {
      campaign: { source: "letter", name: "may" },
      locale: "en-US",
      library: { name: "attune" },
      consent: { categoryPreferences: { necessary: true, analytics: true, personalization: true, marketing: true } },
    },
  });
});

it("records a page view for each step inside a single-page app, with its own title, and none for a fragment", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
  await page.evaluate(() => {
    history.pushState({}, "", "#part");
    history.pushState({}, "", "/hats");
    queueMicrotask(() => {
      document.title = "Hats";
    });
  });
  const views = await until(async () => {
    const found = await page.evaluate(() =>
      heard.filter(({ detail }) => detail.type === "page").map(({ detail }) => detail),
    );
    return found.length > 1 && found;
  });
  expect(views).toHaveLength(2);
  expect(views[1].properties).toMatchObject({ path: "/hats", title: "Hats" });
});

it("does nothing when it is included twice", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
  const same = await page.evaluate(async () => {
    const first = attune;
    const tag = document.createElement("script");
    for (const { name, value } of document.querySelector("script[src]")!.attributes) tag.setAttribute(name, value);
    const loaded = new Promise((resolve) => tag.addEventListener("load", resolve));
    document.head.append(tag);
    await loaded;
    attune.track("Once");
    await attune.flush();
    return attune === first;
  });
  expect(same).toBe(true);
  const id = (await page.evaluate(() => attune.anonymousId()))!;
  expect(names(await arrived(visitor, id, "Once")).sort()).toEqual(["Once", "page"]);
});

it("cleans hostile properties, refuses what cannot be cleaned, and never throws into the page", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  const thrown: string[] = [];
  page.on("pageerror", (error) => thrown.push(String(error)));
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
  await page.evaluate(() => {
    const cycle: { [name: string]: unknown } = { name: "cycle" };
    cycle["self"] = cycle;
    const date = new Date(0);
    attune.track("Odd", {
      cycle,
      big: 10n,
      call() {},
      symbol: Symbol("x"),
      node: document.body,
      date,
      nan: Number.NaN,
      list: [1, undefined, () => 1],
      get broken(): number {
        throw new Error("no");
      },
      ["__proto__"]: 1,
      own: JSON.parse('{"__proto__": {"polluted": true}, "fine": 1}'),
    });
    attune.track("Huge", { text: "x".repeat(40_000) });
    attune.track("Deep", { deep: JSON.parse(`${"[".repeat(500)}${"]".repeat(500)}`) });
    const invent: object = new Proxy(
      {},
      {
        ownKeys: () => ["a", "b"],
        get: () => invent,
        getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
      },
    );
    attune.track("Endless", { invent });
    const { proxy: revoked, revoke } = Proxy.revocable({}, {});
    revoke();
    const matched = "ab".match(/(?<first>a)/);
    attune.track("Odder", {
      revoked,
      matched,
      map: new Map([[1, 2]]),
      set: new Set([1]),
      bytes: new Uint8Array(100_000_000),
      view: new DataView(new ArrayBuffer(1)),
      throws: {
        toJSON() {
          throw new Error("no");
        },
      },
      says: { toJSON: () => ({ inner: 1n }) },
      holes: Object.assign([], { 1: 1 }),
      shared: [date, date],
    });
    attune.track("Many", { list: Array(40_000).fill(0) });
    attune.track("Sparse", { list: Array(4_000_000_000) });
    attune.track("Numbered", Object.fromEntries(Array(40_000).entries()));
    attune.track("Revoked", revoked);
    attune.page("Revoked", revoked);
    attune.page("Throwing", {
      get broken(): number {
        throw new Error("no");
      },
      fine: 1,
    });
    attune.identify("odd", revoked, revoked);
    attune.track(
      "Refusing",
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error("no keys");
          },
        },
      ),
    );
    const call = attune.track as unknown as (...args: unknown[]) => void;
    call();
    call({});
    call(Symbol("event"));
    (attune.identify as unknown as (...args: unknown[]) => void)({}, 5);
    (attune.on as unknown as (...args: unknown[]) => void)("event", 5);
    (attune.push as unknown as (...args: unknown[]) => void)(["no such method"], 7, null);
    attune.track("Last");
  });
  await page.evaluate(() => attune.flush());
  const id = (await page.evaluate(() => attune.anonymousId()))!;
  const stored = await arrived(visitor, id, "Last");
  expect(stored.find(({ event }) => event === "Odd")?.properties).toEqual({
    cycle: { name: "cycle" },
    big: "10",
    date: "1970-01-01T00:00:00.000Z",
    nan: null,
    list: [1, null, null],
    own: { fine: 1 },
  });
  expect(stored.find(({ event }) => event === "Odder")?.properties).toEqual({
    matched: ["a", "a"],
    says: { inner: "1" },
    holes: [null, 1],
    shared: ["1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z"],
  });
  expect(stored.find(({ name }) => name === "Throwing")?.properties).toMatchObject({
    name: "Throwing",
    path: "/",
    fine: 1,
  });
  const refused = await page.evaluate(() =>
    heard.filter(({ type }) => type === "rejected").map(({ detail }) => detail),
  );
  expect(refused.map(({ message }) => message.event ?? message.type)).toEqual(
    expect.arrayContaining(["Huge", "Many", "Sparse", "Numbered", "Revoked", "track", "track", "track"]),
  );
  expect(refused.filter(({ message }) => message.event === "Many")).toMatchObject([
    { problem: { title: "too large" } },
  ]);
  expect(thrown).toEqual([]);
});

it("starts a new anonymous id when another user logs in on the device, and on reset", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
  const ids = await page.evaluate(() => {
    const ids = [attune.anonymousId()];
    const note = () => ids.push(attune.anonymousId());
    attune.identify("grace");
    note();
    attune.identify("grace", { plan: "pro" });
    note();
    attune.identify("linus");
    note();
    attune.reset();
    note();
    return { ids, user: attune.userId() };
  });
  const [first, grace, again, linus, nobody] = ids.ids;
  expect(grace).toBe(first);
  expect(again).toBe(first);
  expect(linus).not.toBe(first);
  expect(nobody).not.toBe(linus);
  expect(ids.user).toBeUndefined();
});

it("refuses objects where names belong, and says so", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
  const refused = await page.evaluate(() => {
    attune.identify({ plan: "gold" } as never);
    attune.page({ a: 1 } as never);
    attune.track({ event: "Bought" } as never);
    return heard
      .filter(({ type }) => type === "rejected")
      .map(({ detail }) => [detail.message.type, detail.problem.title]);
  });
  expect(refused).toEqual([
    ["identify", "userId is no text"],
    ["page", "name is no text"],
    ["track", "event is no text"],
  ]);
});

it("says in the console what is wrong with a tag that cannot work", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open("", "data-other");
  const lines: string[] = [];
  page.on("console", (message) => lines.push(message.text()));
  await page.evaluate(
    (src) => {
      const script = document.createElement("script");
      document.head.append(Object.assign(script, { type: "module", src: `${src}#module` }));
      document.head.append(Object.assign(document.createElement("script"), { src: `${src}#keyless` }));
    },
    `${inject("workerUrl")}/attune.js`,
  );
  await until(() => lines.length > 1, "two lines");
  expect(lines).toEqual(Array(2).fill("attune.js: no data-key, or a module"));
});

it("sends arrays as arrays where the page has taught its own to be text, as old versions of Prototype.js do", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(
    "<script>Array.prototype.toJSON = function () { return '[' + this.join() + ']' }</script>",
    `data-consent="session"`,
  );
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
  await page.evaluate(() => {
    attune.track("Listed", { list: [1, { of: ["a"] }], when: new Date(0) });
    return attune.flush();
  });
  const id = (await page.evaluate(() => attune.anonymousId()))!;
  const stored = await arrived(visitor, id, "Listed");
  expect(stored.find(({ event }) => event === "Listed")?.properties).toEqual({
    list: [1, { of: ["a"] }],
    when: "1970-01-01T00:00:00.000Z",
  });
  // What the tab keeps is read again.
  await page.reload();
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
  expect(await page.evaluate(() => attune.anonymousId())).toBe(id);
});

it("leaves the page alone where it has broken TextEncoder, and says what was refused; a broken JSON is not used", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  const thrown: string[] = [];
  page.on("pageerror", (error) => thrown.push(String(error)));
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
  const told = await page.evaluate(() => {
    const before = { JSON, TextEncoder };
    const broken = () => {
      throw new Error("no");
    };
    Object.assign(window, { TextEncoder: broken });
    attune.track("Uncounted", { n: 1 });
    Object.assign(window, { ...before, JSON: { parse: broken, stringify: broken } });
    attune.track("Counted", { n: 1 });
    Object.assign(window, before);
    return heard
      .filter(({ detail }) => (detail.message ?? detail).type === "track")
      .map(({ type, detail }) => [type, (detail.message ?? detail).event]);
  });
  expect(told).toEqual([
    ["rejected", "Uncounted"],
    ["event", "Counted"],
  ]);
  expect(thrown).toEqual([]);
});
