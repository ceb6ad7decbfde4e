/** What a browser test knows of a visitor's device: the script's own database, and what it holds. */
import type { Page } from "playwright-core";
import type { Message } from "../../shared/event.ts";
import { until } from "./stage.ts";

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

export const heardOf = (page: Page, type: string): Promise<unknown[]> =>
  page.evaluate((type) => heard.filter((it) => it.type === type).map(({ detail }) => detail), type);
