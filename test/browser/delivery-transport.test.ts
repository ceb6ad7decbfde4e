/** What the network, the Worker and the platform may do to a message on its way. */
import { chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { CHROMIUM_FLAGS } from "./chromium.ts";
import { arrived, heardOf, idOf, readOutbox, ready, refuseFirst } from "./device.ts";
import { openStage, type Stage, until } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

it("waits until the date that Retry-After names", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  await ready(page);
  // Whole seconds: at least two.
  const times = await refuseFirst(visitor, "Patient", 503, () => new Date(Date.now() + 3_000).toUTCString());
  await page.evaluate(() => {
    attune.track("Patient");
    return attune.flush();
  });
  await until(() => times.length > 1, "the second request");
  expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(1_900);
});

it("sends at once what is told to wait, when it is asked to", async () => {
  const visitor = await stage.visitor();
  let isOpen = false;
  await visitor.context.route(/\/a\/batch$/, (route) => {
    if (isOpen) return route.continue();
    const headers = {
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "retry-after",
      "retry-after": "3600",
    };
    return route.fulfill({ status: 429, json: { title: "Slow down" }, headers });
  });
  const page = await visitor.open();
  await ready(page);
  await page.evaluate(() => attune.flush());
  expect(await readOutbox(page, stage.writeKey)).toHaveLength(1);
  const { length } = visitor.sent;
  isOpen = true;
  // Neither what comes nor the page that is hidden breaks the silence.
  await page.evaluate(() => {
    attune.track("Later");
    dispatchEvent(new Event("visibilitychange"));
  });
  await page.evaluate(() => attune.flush());
  expect(visitor.sent.slice(length).map(({ messages }) => messages.length)).toEqual([2]);
});

it("gives up a request for slots that hangs, and asks again", async () => {
  const visitor = await stage.visitor();
  let hanging = 0;
  await visitor.context.route(/\/a\/decide$/, (route) => (hanging++ ? route.continue() : undefined));
  const page = await visitor.open("<attune-block name=hero>Fallback</attune-block>");
  await page.getByText("Welcome").waitFor();
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "ack")), "the ack");
});

it("keeps what the Worker had no time to store, and sends it again", async () => {
  const visitor = await stage.visitor();
  await visitor.context.route(/\/a\/decide$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), accepted: 0, pending: true } });
  });
  let look = () => {};
  const looked = new Promise<void>((resolve) => {
    look = resolve;
  });
  await visitor.context.route(/\/a\/batch$/, async (route) => {
    await looked;
    await route.continue();
  });
  const page = await visitor.open("<attune-block name=hero>Fallback</attune-block>");
  await page.getByText("Welcome").waitFor();
  const [kept] = (await readOutbox(page, stage.writeKey))!;
  expect(kept).toMatchObject({ type: "page" });
  look();
  const acked = await until(
    () => page.evaluate(() => heard.find(({ type }) => type === "ack")?.detail.messageIds),
    "the second answer",
  );
  expect(acked).toContain(kept!.messageId);
  const carried = visitor.sent.filter(({ messages }) =>
    messages.some(({ messageId }) => messageId === kept!.messageId),
  );
  expect(carried.map(({ path }) => path)).toEqual(["/a/decide", "/a/batch"]);
});

it("keeps what the browser does not let it send any more when the page goes", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  await ready(page);
  const id = await idOf(page);
  await page.evaluate(() => attune.flush());
  // Never answered: they hold the 64 KiB that such requests share.
  await visitor.context.route("**/hog", () => undefined);
  await page.evaluate(() => {
    fetch("/hog", { method: "POST", body: "x".repeat(60_000), keepalive: true }).catch(() => {});
    for (let i = 0; i < 10; i++) attune.track("Squeezed", { text: "x".repeat(2_000) });
  });
  await until(async () => (await readOutbox(page, stage.writeKey))?.length === 10, "the messages to be durable");
  await page.evaluate(() => dispatchEvent(new Event("visibilitychange")));
  await until(async () => (await heardOf(page, "error")).length > 0, "the refusal");
  expect(await readOutbox(page, stage.writeKey)).toHaveLength(10);
  const next = await visitor.open("", "", page);
  await ready(next);
  await next.evaluate(() => attune.flush());
  await until(
    async () => (await visitor.stored(id)).filter(({ event }) => event === "Squeezed").length === 10,
    "the events in D1",
  );
});

it("sends what a page says in its last moment at once, and once only", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  await ready(page);
  const id = await idOf(page);
  await page.evaluate(() => attune.flush());
  await page.evaluate(() => addEventListener("pagehide", () => attune.track("Gone")));
  await page.goto("about:blank");
  await arrived(visitor, id, "Gone");
  const next = await visitor.open("", "", page);
  await ready(next);
  await next.evaluate(() => attune.flush());
  expect((await visitor.stored(id)).filter(({ event }) => event === "Gone")).toHaveLength(1);
  // Its copy in the database takes no number: none is missing.
  const numbers = visitor.sent.flatMap(({ messages }) => messages.map(({ seq }) => seq));
  expect(numbers.filter(Number.isInteger)).toEqual([1, 2]);
});

it("tells what the Worker did not take of a message that it took", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  await ready(page);
  await page.evaluate(() => {
    attune.identify("u1", { plan: "gold", ["x".repeat(300)]: 1 });
    return attune.flush();
  });
  type Ack = { warnings?: { messageId: string; pointer: string }[] };
  const warnings = await until(async () => {
    const all = ((await heardOf(page, "ack")) as Ack[]).flatMap(({ warnings = [] }) => warnings);
    return all.length > 0 && all;
  }, "the ack");
  const identify = visitor.sent.flatMap(({ messages }) => messages).find(({ type }) => type === "identify");
  expect(warnings).toContainEqual(
    expect.objectContaining({ messageId: identify?.messageId, pointer: expect.any(String), code: expect.any(String) }),
  );
});

it("works on plain http, where there are neither locks nor random ids, in turns", { timeout: 120_000 }, async () => {
  const visitor = await stage.visitor();
  await visitor.open();
  const browser = await chromium.launch({
    executablePath: inject("chromium"),
    args: [...CHROMIUM_FLAGS, "--host-resolver-rules=MAP shop.test 127.0.0.1"],
  });
  try {
    const context = await browser.newContext();
    const sent: string[] = [];
    context.on("request", (request) => {
      if (/\/a\/batch$/.test(request.url()))
        sent.push(...JSON.parse(request.postData()!).batch.map(({ messageId }: { messageId: string }) => messageId));
    });
    const pages = [await context.newPage(), await context.newPage()];
    const errors: Error[] = [];
    for (const page of pages) {
      page.on("pageerror", (error) => errors.push(error));
      await page.goto(stage.shopUrl.replace("localhost", "shop.test"));
      await ready(page);
      await page.evaluate(() => attune.flush());
    }
    expect(await pages[0]!.evaluate(() => [isSecureContext, "locks" in navigator])).toEqual([false, false]);
    const [one, two] = pages as [Page, Page];
    let release: (() => void) | undefined;
    await context.route(/\/a\/batch$/, async (route) => {
      if (!release) await new Promise<void>((resolve) => (release = resolve));
      return route.continue();
    });
    const track = (page: Page) =>
      page.evaluate(() => {
        for (let i = 0; i < 5; i++) attune.track("Plain", { i });
        return attune.flush();
      });
    const first = track(one);
    await until(() => release, "the first request");
    await until(() => two.evaluate(() => Object.keys(localStorage).some((key) => key.endsWith(".lock"))), "the mark");
    const second = track(two);
    const theirs = await until(
      () =>
        two.evaluate(() => {
          const ids = heard.filter(({ detail }) => detail.event === "Plain").map(({ detail }) => detail.messageId);
          return ids.length === 5 && ids;
        }),
      "the events",
    );
    // Whoever did not wait would have read before us, and sent.
    await readOutbox(two, stage.writeKey);
    const early = sent.filter((id) => theirs.includes(id));
    release!();
    await Promise.all([first, second]);
    expect(early).toEqual([]);
    const id = await idOf(pages[1]!);
    expect(await idOf(pages[0]!)).toBe(id);
    await until(
      async () => (await visitor.stored(id)).filter(({ event }) => event === "Plain").length === 10,
      "the events in D1",
    );
    expect(errors).toEqual([]);
  } finally {
    await browser.close();
  }
});

it("throws nothing into a sandboxed page, and goes on in memory", async () => {
  const visitor = await stage.visitor();
  stage.headers["content-security-policy"] = "sandbox allow-scripts";
  try {
    const page = await visitor.context.newPage();
    const errors: Error[] = [];
    page.on("pageerror", (error) => errors.push(error));
    await visitor.open("", "", page);
    await ready(page);
    await page.evaluate(() => {
      attune.track("Boxed");
      return attune.flush();
    });
    await arrived(visitor, await idOf(page), "Boxed");
    expect(errors).toEqual([]);
  } finally {
    delete stage.headers["content-security-policy"];
  }
});
