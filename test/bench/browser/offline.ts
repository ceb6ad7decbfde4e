/** Three tabs of a visitor who is offline for long, and then is not: how soon all of it has arrived, each event once. */
import type { BrowserContext, Page } from "playwright-core";
import type { Case, Setting } from "../cases/case.ts";
import { withChromium } from "./chromium.ts";
import { readOurs } from "./contestants.ts";
import { buildPage, buildTag, openShop } from "./shop.ts";

const SEGMENTS = 20;
const TABS = 3;
const EVENT = "Product Viewed";
const DRAINED_S = 60;
const LOOK_MS = 50;
/** What has not arrived by then is lost. */
const PATIENCE_S = 150;

export const browserOffline: Case = {
  name: "browser-offline",
  needsWorkerd: true,
  async run({ bench, quick }) {
    const events = quick ? 900 : 5_000;
    const shop = await openShop(bench, await readOurs(), SEGMENTS);
    const script = `<script async src="/attune.js" ${buildTag(shop, bench.product)}></script>`;
    shop.put("/", "text/html", buildPage(script));
    try {
      return await withChromium(async (browser) => {
        const context = await browser.newContext();
        const pages: Page[] = [];
        for (let tab = 0; tab < TABS; tab++) {
          const page = await context.newPage();
          await page.goto(shop.url);
          await page.waitForFunction(() => Object.hasOwn(attune, "version") && attune.anonymousId());
          await page.evaluate(() => attune.flush());
          pages.push(page);
        }
        const sent = countSent(context);

        await context.setOffline(true);
        const shares = pages.map((_, tab) => Math.floor((events + tab) / TABS));
        const began = performance.now();
        await Promise.all(
          pages.map((page, tab) => page.evaluate(trackMany, { tab, count: shares[tab]!, event: EVENT })),
        );
        const capturedS = (performance.now() - began) / 1_000;

        const online = performance.now();
        await context.setOffline(false);
        let drainedS = 0;
        while ((await countStored(bench, shop.siteId)).distinct < events && drainedS < PATIENCE_S) {
          await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
          drainedS = (performance.now() - online) / 1_000;
        }
        // Whatever else there may be to send.
        for (const page of pages) await page.evaluate(() => attune.flush());
        const { all, distinct } = await countStored(bench, shop.siteId);
        const [lost, twice] = [events - distinct, all - distinct];
        const again = [...sent.values()].filter((times) => times > 1).length;
        return {
          title: `Offline: ${events.toLocaleString("en-US")} events in ${TABS} tabs, then online`,
          columns: ["", "value"],
          rows: [
            ["seconds to capture them, offline", capturedS],
            ["seconds until all are in D1", drainedS],
            ["events a second meanwhile", distinct / drainedS],
            ["lost", lost],
            ["stored twice", twice],
            ["answered more than once", again],
          ],
          notes: ["offline as long as capturing takes, not an hour: what ages meanwhile is not measured here"],
          goals: [
            { name: "lost after being offline", value: lost, unit: "events", floor: 0, atMost: true },
            { name: "stored twice", value: twice, unit: "events", floor: 0, atMost: true },
            { name: "drained", value: drainedS, unit: "s", floor: DRAINED_S, atMost: true },
          ],
        };
      });
    } finally {
      await shop.close();
    }
  },
};

/** @returns by message id, how often it was sent and answered with success. */
function countSent(context: BrowserContext): Map<string, number> {
  const sent = new Map<string, number>();
  context.on("response", (response) => {
    const request = response.request();
    if (request.method() !== "POST" || !response.ok()) return;
    const { batch = [], events = batch } = JSON.parse(request.postData() ?? "{}");
    for (const { messageId } of events) sent.set(messageId, (sent.get(messageId) ?? 0) + 1);
  });
  return sent;
}

async function countStored({ mf }: Setting["bench"], siteId: string): Promise<{ all: number; distinct: number }> {
  const db = await mf.getD1Database("DB", "product");
  const row = await db
    .prepare(
      `SELECT count(*) AS "all", count(DISTINCT body ->> '$.properties.number') AS "distinct"
       FROM events WHERE site_id = ?1 AND name = ?2`,
    )
    .bind(siteId, EVENT)
    .first<{ all: number; distinct: number }>();
  return row!;
}

/** In the page: a pause now and then, as a page that lives has them. */
async function trackMany({ tab, count, event }: { tab: number; count: number; event: string }) {
  for (let index = 0; index < count; index++) {
    attune.track(event, { number: `${tab}-${index}`, category: "shoes", price: 10 });
    if (index % 20 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
}
