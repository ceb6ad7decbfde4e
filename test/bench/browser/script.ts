/** What a page pays for including a script: bytes, time to evaluate it, what it does afterwards, memory. */
import type { Browser } from "playwright-core";
import type { Case } from "../cases/case.ts";
import type { CaseResult } from "../report.ts";
import { median } from "../rounds.ts";
import { openTab, readHeap, readScriptMs, SLOW, settle, withChromium } from "./chromium.ts";
import { ADDRESS, bundlePeers, CALLS, readOurs, type Script } from "./contestants.ts";
import { ALL_DECIDED, buildPage, buildTag, inline, openShop, SLOT_ELEMENTS } from "./shop.ts";

const SEGMENTS = 20;
/** In which every script here does what it does by itself. */
const FIRST_MS = 1_500;
/** uniform context, whose licence keeps it from being installed here: as measured elsewhere in the same way. */
const UNIFORM = { brotliBytes: 9_592, ms: 11, slowMs: 37, heapKb: 74 };

declare global {
  /** When the script began and ended, and what held up the page for longer than 50 ms. */
  var began: number;
  var ended: number;
  var longTasks: number[];
}

interface Sample {
  evaluateMs: number;
  slowEvaluateMs: number;
  slowScriptMs: number;
  slowLongMs: number[];
  heapKb: number;
}

interface Contestant extends Script {
  html: string;
  /** What to wait for, lest something be measured that does not work. */
  works: string;
  samples: Sample[];
}

export const browserScript: Case = {
  name: "browser-script",
  needsWorkerd: true,
  async run({ bench, quick }) {
    const [ours, peers] = await Promise.all([readOurs(), bundlePeers()]);
    const shop = await openShop(bench, ours, SEGMENTS);
    const enter = (script: Script, attributes = "", body = "", works = "true"): Contestant => ({
      ...script,
      works,
      html: buildPage(buildHead(script.code, attributes), body),
      samples: [],
    });
    const nothing = enter({ name: "nothing", brotliBytes: 0, code: "" });
    // As the peers, which have no server here either.
    const alone = { ...ours, name: "attune, alone", code: `${ADDRESS}${ours.code};${CALLS}` };
    const inUse = {
      name: `attune in use: ${SEGMENTS} segments, 2 slots`,
      code: ADDRESS + ours.code,
      brotliBytes: ours.brotliBytes + ours.rulesBytes,
    };
    const contestants = [
      nothing,
      enter(alone, `${buildTag(shop, "https://peer.example")} data-consent="full"`, "", "attune.anonymousId()"),
      enter(inUse, buildTag(shop, bench.product), SLOT_ELEMENTS, ALL_DECIDED),
      ...peers.map((peer) => enter(peer)),
    ];
    let version = "";
    try {
      version = await withChromium(async (browser) => {
        await measureOnce(browser, shop, nothing);
        for (let round = 0; round < (quick ? 1 : 7); round++) {
          for (const one of contestants) one.samples.push(await measureOnce(browser, shop, one));
        }
        return browser.version();
      });
    } finally {
      await shop.close();
    }

    return compare(contestants, version);
  },
};

function compare(contestants: Contestant[], version: string): CaseResult {
  const [nothing, own, used, ...others] = contestants as [Contestant, Contestant, Contestant, ...Contestant[]];
  const of = (pick: (sample: Sample) => number) => (contestant: Contestant) => median(contestant.samples.map(pick));
  const evaluate = of(({ evaluateMs }) => evaluateMs);
  const slowEvaluate = of(({ slowEvaluateMs }) => slowEvaluateMs);
  const script = of(({ slowScriptMs }) => slowScriptMs);
  const longTasks = of(({ slowLongMs }) => slowLongMs.length);
  const longMs = of(({ slowLongMs }) => slowLongMs.reduce((sum, ms) => sum + ms, 0));
  const allHeap = of(({ heapKb }) => heapKb);
  const heap = (one: Contestant) => allHeap(one) - allHeap(nothing);
  const ratio = (one: Contestant) =>
    median(one.samples.map(({ slowEvaluateMs }, round) => slowEvaluateMs / own.samples[round]!.slowEvaluateMs));

  const smallest = Math.min(UNIFORM.brotliBytes, ...others.map(({ brotliBytes }) => brotliBytes));
  /** Ours at its worst, and whom it does not beat. */
  const worst = (value: (one: Contestant) => number) => Math.max(value(own), value(used));
  const faster = others.filter((one) => [evaluate, slowEvaluate].some((value) => value(one) <= worst(value)));
  const goal = (name: string, value: number, unit: string, floor: number) => ({
    name,
    value,
    unit,
    floor,
    atMost: true,
  });
  const beat = (name: string, value: (one: Contestant) => number) =>
    goal(`${name} / of the best`, worst(value) / Math.min(...others.map(value)), "×", 1);
  return {
    title: `Scripts in an otherwise empty page, Chromium ${version}`,
    columns: ["", "brotli", "evaluate", `at ${SLOW} ×`, "× ours", "script", "long tasks", "of ms", "heap kB"],
    rows: [
      ...contestants.map((one) => [
        one.name,
        one.brotliBytes,
        evaluate(one),
        slowEvaluate(one),
        ratio(one),
        script(one),
        longTasks(one),
        longMs(one),
        heap(one),
      ]),
      ["uniform context, elsewhere", UNIFORM.brotliBytes, UNIFORM.ms, UNIFORM.slowMs, "", "", 0, 0, UNIFORM.heapKb],
    ],
    notes: [
      `medians of ${own.samples.length} rounds in turn, each in a new browser context; script (all of JavaScript), long tasks and heap: of the first ${FIRST_MS} ms at ${SLOW} ×`,
      "inline, without network but for attune in use; what is loaded later is counted in the bytes of attune in use only",
      `smaller than each of them: ${own.brotliBytes < smallest ? "yes" : "no"}; faster: ${faster.length ? `no, not than ${faster.map(({ name }) => name).join(", ")}` : "yes"}`,
    ],
    goals: [
      goal("bytes / of the smallest", own.brotliBytes / smallest, "×", 1),
      beat("evaluate", evaluate),
      beat(`evaluate at ${SLOW} ×`, slowEvaluate),
      goal("evaluate", worst(evaluate), "ms", UNIFORM.ms),
      goal(`evaluate at ${SLOW} ×`, worst(slowEvaluate), "ms", UNIFORM.slowMs),
      goal(`long tasks at ${SLOW} ×`, worst(longTasks), "", 0),
      beat("heap", heap),
      goal("heap", worst(heap), "kB", UNIFORM.heapKb),
    ],
  };
}

const buildHead = (code: string, attributes: string): string =>
  inline(`longTasks=[];new PerformanceObserver(function(list){list.getEntries().forEach(function(entry){longTasks.push(entry.duration)})})
    .observe({type:"longtask",buffered:true});began=performance.now()`) +
  inline(code, attributes) +
  inline("ended=performance.now()");

async function measureOnce(
  browser: Browser,
  shop: { url: string; put(path: string, type: string, content: string): void },
  { html, works }: Contestant,
): Promise<Sample> {
  shop.put("/", "text/html", html);
  const quick = await openTab(browser);
  await quick.page.goto(shop.url);
  const evaluateMs = await quick.page.evaluate(() => ended - began);
  await quick.context.close();

  const { context, page, cdp } = await openTab(browser, SLOW);
  await page.goto(shop.url);
  await page.waitForFunction(works);
  await settle(page, FIRST_MS);
  const { slowEvaluateMs, slowLongMs } = await page.evaluate(() => ({
    slowEvaluateMs: ended - began,
    slowLongMs: longTasks,
  }));
  const slowScriptMs = await readScriptMs(cdp);
  const heapKb = (await readHeap(cdp)) / 1_024;
  await context.close();
  return { evaluateMs, slowEvaluateMs, slowScriptMs, slowLongMs, heapKb };
}
