/** The outbox is bounded, and what goes first is what matters least. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Message } from "../../shared/event.ts";
import { heardOf, readOutbox, ready } from "./device.ts";
import { openStage, type Stage, until } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

it("drops page views before orders and who somebody is when there are 10,000, and says so", async () => {
  const visitor = await stage.visitor();
  await visitor.context.route(/\/a\/batch$/, (route) => route.abort());
  const page = await visitor.open();
  await ready(page);
  await page.evaluate(() => attune.flush());
  // As if the Worker had been out of reach for long.
  await page.evaluate(
    (name) =>
      new Promise((resolve) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => {
          const transaction = request.result.transaction("messages", "readwrite");
          const store = transaction.objectStore("messages");
          const precious = [
            { type: "identify" },
            { type: "alias" },
            { type: "group" },
            { type: "track", event: "Order Completed" },
            { type: "track", event: "Order Refunded" },
          ];
          for (let i = 0; i < 9_998; i++) store.put({ messageId: `m${i}`, ...(precious[i] ?? { type: "page" }) });
          transaction.oncomplete = resolve;
        };
      }),
    `attune.${stage.writeKey}`,
  );
  await page.evaluate(() => attune.track("The Last Straw"));
  await until(async () => (await heardOf(page, "rejected")).length >= 1_000, "the messages that are dropped");

  const kept = await until(async () => {
    const now = (await readOutbox(page, stage.writeKey))!;
    return now.length === 9_000 && now;
  }, "9,000 to be kept");
  expect(kept.slice(0, 6).map(({ messageId }) => messageId)).toEqual(["m0", "m1", "m2", "m3", "m4", "m1004"]);
  expect(kept.at(-1)).toMatchObject({ event: "The Last Straw", seq: 10_000 });
  const rejected = (await heardOf(page, "rejected")) as { message: Message; problem: { title: string } }[];
  expect(rejected).toHaveLength(1_000);
  expect(rejected.every(({ problem }) => problem.title === "The outbox is full")).toBe(true);
  expect(rejected.slice(1).map(({ message }) => message.messageId)).toEqual(
    Array.from({ length: 999 }, (_, i) => `m${i + 5}`),
  );
});

it("is bounded in a session, too, where it is in memory", async () => {
  const visitor = await stage.visitor();
  await visitor.context.route(/\/a\/batch$/, (route) => route.abort());
  const page = await visitor.open("", 'data-consent="session"');
  await ready(page);
  await page.evaluate(() => {
    attune.identify("who");
    for (let i = 2; i < 10_000; i++) attune.track("Tick", { i });
  });
  await until(async () => (await heardOf(page, "rejected")).length >= 1_000, "the messages that are dropped");
  const rejected = (await heardOf(page, "rejected")) as { message: Message }[];
  expect(rejected).toHaveLength(1_000);
  expect(rejected.some(({ message }) => message.type === "identify")).toBe(false);
  expect(rejected.at(-1)?.message.properties).toEqual({ i: 1_000 });
});
