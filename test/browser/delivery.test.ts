/** No message is lost: over reloads, without network, while the Worker fails, and when the page goes. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { arrived, emptied, idOf, readOutbox, ready, refuseFirst } from "./device.ts";
import { openStage, type Stage, until } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

/** Messages of the outbox on this device. */
const kept = async (page: Page, key: string) => (await readOutbox(page, key))?.length;

it("sends a batch when the visitor pauses, as text/plain, and forgets what was acked", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  const request = page.waitForRequest(/\/a\/batch$/);
  await ready(page);
  await page.evaluate(() => attune.track("Quiet"));
  expect((await request).headers()["content-type"]).toMatch(/^text\/plain/);
  await arrived(visitor, await idOf(page), "Quiet");
  await emptied(page, stage.writeKey);
  expect(await page.evaluate(() => heard.some(({ type }) => type === "ack"))).toBe(true);
  expect(visitor.sent[0]?.body).toMatchObject({
    writeKey: stage.writeKey,
    sentAt: expect.stringMatching(/^\d{4}-.*Z$/),
  });
});

it("keeps events over a reload while the Worker cannot be reached, and sends them once afterwards", async () => {
  const visitor = await stage.visitor();
  await visitor.context.route(/\/a\/batch$/, (route) => route.abort());
  const page = await visitor.open();
  await ready(page);
  await page.evaluate(() => {
    for (let i = 0; i < 30; i++) attune.track("Kept", { i });
    return attune.flush();
  });
  const id = await idOf(page);
  expect(await kept(page, stage.writeKey)).toBe(31);
  await page.reload();
  await ready(page);
  expect(await idOf(page)).toBe(id);
  await visitor.context.unrouteAll();
  await page.evaluate(() => attune.flush());
  const stored = await until(async () => {
    const events = (await visitor.stored(id)).filter(({ event }) => event === "Kept");
    return events.length >= 30 && events;
  });
  expect(new Set(stored.map(({ messageId }) => messageId)).size).toBe(30);
  await emptied(page, stage.writeKey);
});

it("waits offline and sends when the network is back, without being asked", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  await ready(page);
  await page.evaluate(() => attune.flush());
  await visitor.context.setOffline(true);
  await page.evaluate(() => {
    attune.track("Offline");
    return attune.flush();
  });
  const id = await idOf(page);
  expect((await visitor.stored(id)).map(({ event }) => event)).not.toContain("Offline");
  await visitor.context.setOffline(false);
  await arrived(visitor, id, "Offline");
});

it.each([500, 429, 408, 503])("keeps and repeats with the same message ids what was answered %i", async (status) => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  await ready(page);
  await refuseFirst(visitor, "Repeated", status);
  await page.evaluate(() => {
    attune.track("Repeated");
    return attune.flush();
  });
  await arrived(visitor, await idOf(page), "Repeated");
  const [first, second] = visitor.sent.filter(({ messages }) => messages.some(({ event }) => event === "Repeated"));
  expect(second?.messages.map(({ messageId }) => messageId)).toEqual(first?.messages.map(({ messageId }) => messageId));
});

it("minds Retry-After", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  await ready(page);
  const times = await refuseFirst(visitor, "Patient", 429, () => "2");
  await page.evaluate(() => {
    attune.track("Patient");
    return attune.flush();
  });
  await until(() => times.length > 1, "the second request");
  expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(1_900);
});

it("drops and reports what is refused for good, the refused event of a batch alone", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  await ready(page);
  const id = await idOf(page);
  await page.evaluate(() => {
    attune.track("x".repeat(300));
    attune.track("Good");
    return attune.flush();
  });
  expect((await arrived(visitor, id, "Good")).map(({ event }) => event)).not.toContain("x".repeat(300));
  await emptied(page, stage.writeKey);
  const refused = await page.evaluate(() =>
    heard.filter(({ type }) => type === "rejected").map(({ detail }) => detail),
  );
  expect(refused).toHaveLength(1);
  expect(refused[0]).toMatchObject({ message: { event: "x".repeat(300) }, problem: { status: 400 } });

  await visitor.context.route(/\/a\/batch$/, (route) =>
    route.fulfill({ status: 403, json: { title: "No", status: 403 }, headers: { "access-control-allow-origin": "*" } }),
  );
  await page.evaluate(() => {
    attune.track("Forbidden");
    return attune.flush();
  });
  await emptied(page, stage.writeKey);
  expect(await page.evaluate(() => heard.filter(({ type }) => type === "rejected").length)).toBe(2);
});

it("keeps what a broken 200 answers", async () => {
  const visitor = await stage.visitor();
  await visitor.context.route(/\/a\/batch$/, (route) =>
    route.fulfill({ status: 200, body: "<html>hotel wifi</html>", headers: { "access-control-allow-origin": "*" } }),
  );
  const page = await visitor.open();
  await ready(page);
  await page.evaluate(() => {
    attune.track("Captive");
    return attune.flush();
  });
  expect(await kept(page, stage.writeKey)).toBe(2);
});

it("sends what waits when the page goes", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  await ready(page);
  const id = await idOf(page);
  await page.evaluate(() => attune.track("Parting"));
  // Or sent already, where it takes long to look.
  await until(
    async () =>
      [...((await readOutbox(page, stage.writeKey)) ?? []), ...(await visitor.stored(id))].some(
        ({ event }) => event === "Parting",
      ),
    "the message to be durable",
  );
  await page.goto("about:blank");
  await arrived(visitor, id, "Parting");
});

it("keeps what was tracked right before the page went, and sends it from the next one", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  await ready(page);
  const id = await idOf(page);
  await page.evaluate(() => attune.flush());
  await visitor.context.route(/\/a\/batch$/, (route) => route.abort());
  await page.evaluate(() => {
    attune.track("Last Moment");
    location.assign("/next");
  });
  await page.waitForURL(/next$/);
  await ready(page);
  await visitor.context.unrouteAll();
  await page.evaluate(() => attune.flush());
  expect((await arrived(visitor, id, "Last Moment")).filter(({ event }) => event === "Last Moment")).toHaveLength(1);
});

it("shares one visitor and one outbox between two tabs, and sends nothing twice", async () => {
  const visitor = await stage.visitor();
  const one = await visitor.open();
  await ready(one);
  const two = await visitor.open();
  await ready(two);
  const id = await idOf(one);
  expect(await idOf(two)).toBe(id);
  await Promise.all(
    [one, two].map((page) =>
      page.evaluate(() => {
        for (let i = 0; i < 25; i++) attune.track("Tabbed", { i });
        return attune.flush();
      }),
    ),
  );
  await emptied(one, stage.writeKey);
  expect((await visitor.stored(id)).filter(({ event }) => event === "Tabbed")).toHaveLength(50);
  const sent = visitor.sent.flatMap(({ messages }) => messages.map(({ messageId }) => messageId));
  expect(sent.length).toBe(new Set(sent).size);

  await one.evaluate(() => attune.identify("tabs-user"));
  await until(() => two.evaluate(() => attune.userId() === "tabs-user"), "the other tab");
});

const FAULTS: [name: string, fault: () => void][] = [
  [
    "storage that is closed",
    () => {
      for (const store of ["indexedDB", "localStorage", "sessionStorage"]) {
        Object.defineProperty(window, store, {
          get() {
            throw new DOMException("closed", "SecurityError");
          },
        });
      }
    },
  ],
  [
    "a database that never opens",
    () => {
      IDBFactory.prototype.open = () => ({}) as IDBOpenDBRequest;
    },
  ],
  [
    "a full disk",
    () => {
      IDBObjectStore.prototype.put = () => {
        throw new DOMException("full", "QuotaExceededError");
      };
    },
  ],
];

it.each(FAULTS)("goes on in memory with %s", async (_, fault) => {
  const visitor = await stage.visitor();
  await visitor.context.addInitScript(fault);
  const page = await visitor.open();
  await ready(page);
  await page.evaluate(() => {
    attune.track("From memory");
    return attune.flush();
  });
  await arrived(visitor, await idOf(page), "From memory");
  expect(await page.evaluate(() => heard.some(({ type }) => type === "error"))).toBe(true);
});
