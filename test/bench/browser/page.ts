/** What a shop's page loses with the script: layout shift, largest contentful paint, tasks that are too long. */
import type { Browser, Page } from "playwright-core";
import type { Case } from "../cases/case.ts";
import { median } from "../rounds.ts";
import { openTab, SLOW, settle, withChromium } from "./chromium.ts";
import { readOurs } from "./contestants.ts";
import { buildPicture } from "./picture.ts";
import { ALL_DECIDED, buildContent, buildPage, buildTag, openShop, type Shop, SLOT_ELEMENTS } from "./shop.ts";
import { readOurTasks } from "./trace.ts";

const SEGMENTS = 20;
const LONG_MS = 50;
const FIRST_MS = 1_000;

interface Seen {
  shift: number;
  paintMs: number;
}

/** With and without the script, in one round. */
type Pair = [withIt: Seen, without: Seen];

declare global {
  var seen: Seen;
}

const SPEEDS = [1, SLOW];
const VISITS = ["first visit", "second visit"];

export const browserPage: Case = {
  name: "browser-page",
  needsWorkerd: true,
  async run({ bench, quick }) {
    const shop = await openShop(bench, await readOurs(), SEGMENTS);
    const script = `<script async src="/attune.js" ${buildTag(shop, bench.product)}></script>`;
    shop.put("/hero.png", "image/png", buildPicture(1_200, 500));
    shop.put("/with", "text/html", buildPage(WATCH + script, BODY));
    shop.put("/without", "text/html", buildPage(WATCH, BODY));
    const pairs = SPEEDS.map(() => VISITS.map(() => [] as Pair[]));
    /** Of each visit, a list a round. */
    const tasks = VISITS.map(() => [] as number[][]);
    try {
      await withChromium(async (browser) => {
        for (let round = 0; round < (quick ? 1 : 7); round++) {
          for (const [speed, slowdown] of SPEEDS.entries()) {
            const withIt = await visitTwice(browser, shop, "/with", slowdown);
            const without = await visitTwice(browser, shop, "/without", slowdown);
            for (const visit of VISITS.keys()) pairs[speed]![visit]!.push([withIt[visit]!, without[visit]!]);
          }
          const traced = await traceTwice(browser, shop);
          for (const visit of VISITS.keys()) tasks[visit]!.push(traced[visit]!.sort((a, b) => b - a));
        }
      });
    } finally {
      await shop.close();
    }

    const all = pairs.flat();
    const shiftOf = (some: Pair[]) => Math.max(...some.map(([one, other]) => one.shift - other.shift));
    const lossOf = (some: Pair[]) => median(some.map(([one, other]) => one.paintMs - other.paintMs));
    /** The longest task, the second longest, … of a visit. */
    const taskMs = (visit: number, place: number) => median(tasks[visit]!.map((some) => some[place] ?? 0));
    return {
      title: "A shop's page with the script and without: hero image, text, two slots",
      columns: ["", "LCP with, ms", "without", "ΔLCP", "ΔCLS", "longest task with our code, ms"],
      rows: SPEEDS.flatMap((slowdown, speed) =>
        VISITS.map((name, visit) => {
          const some = pairs[speed]![visit]!;
          return [
            `${name}, ${slowdown} ×`,
            median(some.map(([{ paintMs }]) => paintMs)),
            median(some.map(([, { paintMs }]) => paintMs)),
            lossOf(some),
            shiftOf(some),
            slowdown === SLOW ? taskMs(visit, 0) : "",
          ];
        }),
      ),
      notes: [
        `medians of ${all[0]!.length} rounds, with and without in turn; CLS the worst of all; the image comes from this machine`,
        `of traces at ${SLOW} ×, the longest tasks of the page in which a function of attune.js ran, whatever else ran in them, each the median of the rounds: ${VISITS.map(
          (name, visit) => `${name} ${[0, 1, 2, 3].map((place) => Math.round(taskMs(visit, place))).join(", ")} ms`,
        ).join("; ")}`,
      ],
      goals: [
        { name: "ΔCLS", value: Math.max(...all.map(shiftOf)), unit: "", floor: 0, atMost: true },
        { name: "ΔLCP", value: Math.max(...all.map(lossOf)), unit: "ms", floor: 50, atMost: true },
        {
          name: `longest task at ${SLOW} ×`,
          value: Math.max(...VISITS.map((_, visit) => taskMs(visit, 0))),
          unit: "ms",
          floor: LONG_MS,
          atMost: true,
        },
      ],
    };
  },
};

/** A visitor who is new to the shop, and then comes again. */
async function visitTwice(browser: Browser, shop: Shop, path: string, slowdown: number): Promise<Seen[]> {
  const { context, page } = await openTab(browser, slowdown);
  const seen: Seen[] = [];
  for (const _ of VISITS) {
    await open(page, shop, path);
    seen.push(await page.evaluate(() => globalThis.seen));
  }
  await context.close();
  return seen;
}

/** Milliseconds of each task that ran our code, of both visits. */
async function traceTwice(browser: Browser, shop: Shop): Promise<number[][]> {
  const { context, page } = await openTab(browser, SLOW);
  const tasks: number[][] = [];
  for (const _ of VISITS) {
    await browser.startTracing(page, { categories: ["devtools.timeline", "disabled-by-default-devtools.timeline"] });
    await open(page, shop, "/with");
    tasks.push(readOurTasks(await browser.stopTracing(), "/attune.js"));
  }
  await context.close();
  return tasks;
}

/** @throws where the script is there and does not do its work: then nothing was measured. */
async function open(page: Page, shop: Shop, path: string): Promise<void> {
  await page.goto(shop.url + path);
  if (path === "/with") await page.waitForFunction(ALL_DECIDED);
  await settle(page, FIRST_MS);
}

const WATCH = `<style>body{margin:0;font:16px/1.5 sans-serif}img{display:block;width:100%;height:auto}</style><script>
seen={shift:0,paintMs:0};
new PerformanceObserver(list=>{for(const entry of list.getEntries())if(!entry.hadRecentInput)seen.shift+=entry.value}).observe({type:"layout-shift",buffered:true});
new PerformanceObserver(list=>{for(const entry of list.getEntries())seen.paintMs=entry.startTime}).observe({type:"largest-contentful-paint",buffered:true})
</script>`;

const BODY = `<header><h1>A shop</h1></header><img src="/hero.png" width="1200" height="500" alt="">${SLOT_ELEMENTS}
<main>${Array.from({ length: 40 }, (_, index) => buildContent("shelf", `shelf ${index}`)).join("")}</main>`;
