/** What a browser test knows of a visitor's device: the script's own database, and what it holds. */
import type { Page } from "playwright-core";
import type { Message } from "../../shared/event.ts";
import { type StoredEvent, until, type Visitor } from "./stage.ts";

export const ready = (page: Page) =>
  until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");

export const idOf = async (page: Page) => (await page.evaluate(() => attune.anonymousId()))!;

/** Messages of the outbox, oldest first; undefined where the database is not there, or not ours. */
export const readOutbox = (page: Page, writeKey: string): Promise<Message[] | undefined> =>
  page.evaluate(
    (name) =>
      new Promise<Message[] | undefined>((resolve) => {
        const request = indexedDB.open(name);
        request.onupgradeneeded = () => request.transaction!.abort();
        request.onerror = () => resolve(undefined);
        request.onsuccess = () => {
          const db = request.result;
          if (!db.objectStoreNames.contains("messages")) return resolve(undefined);
          const rows = db.transaction("messages").objectStore("messages").getAll();
          rows.onsuccess = () => {
            db.close();
            resolve(rows.result);
          };
        };
      }),
    `attune.${writeKey}`,
  );

/** A message is acked before it is deleted. */
export const emptied = (page: Page, writeKey: string) =>
  until(async () => (await readOutbox(page, writeKey))?.length === 0, "the outbox to be empty");

/** The visitor's events in D1, as soon as those of these names are among them. */
export const arrived = (visitor: Visitor, anonymousId: string, ...names: string[]): Promise<StoredEvent[]> =>
  until(async () => {
    const events = await visitor.stored(anonymousId);
    return names.every((name) => events.some(({ event }) => event === name)) && events;
  }, `${names} in D1`);

/** Refuses the first batch that carries the event. @returns when each batch came that carries it, epoch milliseconds. */
export async function refuseFirst(
  { context }: Visitor,
  event: string,
  status: number,
  retryAfter?: () => string,
): Promise<number[]> {
  const times: number[] = [];
  await context.route(/\/a\/batch$/, (route) => {
    if (!route.request().postData()!.includes(event)) return route.continue();
    times.push(Date.now());
    if (times.length > 1) return route.continue();
    const headers = {
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "retry-after",
      ...(retryAfter && { "retry-after": retryAfter() }),
    };
    return route.fulfill({ status, json: { title: "Not now" }, headers });
  });
  return times;
}

export const heardOf = (page: Page, type: string): Promise<unknown[]> =>
  page.evaluate((type) => heard.filter((it) => it.type === type).map(({ detail }) => detail), type);
