/** What an event, a decision and the page's memory cost as the history and the rules grow. */
import type { Browser } from "playwright-core";
import type { Case } from "../cases/case.ts";
import { median } from "../rounds.ts";
import type { Bench } from "../workerd.ts";
import { openTab, readHeap, withChromium } from "./chromium.ts";
import { ADDRESS, type Ours, readOurs } from "./contestants.ts";
import { buildPage, buildTag, inline, openShop } from "./shop.ts";

const SEGMENTS = [1, 20, 100];
const HISTORIES = [10, 100, 1_000];
const PROBES = 50;

declare global {
  /** Called when an event has been captured, and is to be decided upon. */
  var onCaptured: () => void;
}

interface Probe {
  segments: number;
  history: number;
  captureMs: number;
  decideMs: number;
  heapKb: number;
}

export const browserGrowth: Case = {
  name: "browser-growth",
  needsWorkerd: true,
  async run({ bench, quick }) {
    const ours = await readOurs();
    const probes = await withChromium(async (browser) => {
      const found: Probe[] = [];
      const histories = quick ? HISTORIES.slice(0, 2) : HISTORIES;
      for (const segments of SEGMENTS) found.push(...(await probe(browser, bench, ours, segments, histories)));
      return found;
    });
    return {
      title: "In the page, as history and rules grow",
      columns: ["", "capture, ms", "decide, ms", "heap kB"],
      rows: probes.map(({ segments, history, captureMs, decideMs, heapKb }) => [
        `${history.toLocaleString("en-US")} events, ${segments} segments`,
        captureMs,
        decideMs,
        heapKb,
      ]),
      notes: [
        "track() as it blocks the page at 1 ×: capture until the page hears `event`, decide until it returns, medians",
        "heap after a collection, of the whole page",
      ],
      goals: [],
    };
  },
};

/** One visitor whose history becomes longer. */
async function probe(
  browser: Browser,
  bench: Bench,
  ours: Ours,
  segments: number,
  histories: number[],
): Promise<Probe[]> {
  const shop = await openShop(bench, ours, segments);
  shop.put("/", "text/html", buildPage(LISTEN + inline(ADDRESS + ours.code, buildTag(shop, bench.product))));
  const { context, page, cdp } = await openTab(browser);
  try {
    await page.goto(shop.url);
    await page.waitForFunction(() => Object.hasOwn(attune, "version") && attune.anonymousId());
    const found: Probe[] = [];
    let held = 0;
    for (const history of histories) {
      await page.evaluate(trackMany, history - held);
      const times = await page.evaluate(trackMany, PROBES);
      held = history + PROBES;
      found.push({
        segments,
        history,
        captureMs: median(times.map(({ captured }) => captured)),
        decideMs: median(times.map(({ captured, returned }) => returned - captured)),
        heapKb: (await readHeap(cdp)) / 1_024,
      });
    }
    return found;
  } finally {
    await context.close();
    await shop.close();
  }
}

/** In the page: as a visitor does it who looks at one product after the other, each event a task of its own. */
async function trackMany(count: number) {
  const times = [];
  for (let index = 0; index < count; index++) {
    const began = performance.now();
    let captured = 0;
    onCaptured = () => {
      captured ||= performance.now() - began;
    };
    attune.track("Product Viewed", { product_id: `P${index % 50}`, category: "shoes", amount: 1 });
    times.push({ captured, returned: performance.now() - began });
    await new Promise((resolve) => setTimeout(resolve));
  }
  return times;
}

const LISTEN = inline('onCaptured=function(){};attune=[["on","event",function(){onCaptured()}]]');
