/** What tests of consent share. */
import type { Page } from "playwright-core";
import { until } from "./stage.ts";

export const HERO = '<attune-block name="hero"><p>Fallback</p></attune-block>';

export const ready = (page: Page) =>
  until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");

/** Two of these and one is interested. */
export const views = (page: Page) =>
  page.evaluate(() => {
    attune.track("Product Viewed", { category: "shoes" });
    attune.track("Product Viewed", { category: "shoes" });
  });

/** Everything the page can have left on the device, and said to other tabs from now on. */
export const left = (page: Page) =>
  page.evaluate(async () => ({
    databases: (await indexedDB.databases()).map(({ name }) => name),
    local: Object.keys(localStorage),
    session: Object.keys(sessionStorage),
    cookies: document.cookie,
    caches: await caches.keys(),
    locks: (await navigator.locks.query()).held!.map(({ name }) => name),
    workers: (await navigator.serviceWorker.getRegistrations()).length,
  }));
export const NOTHING = { databases: [], local: [], session: [], cookies: "", caches: [], locks: [], workers: 0 };
