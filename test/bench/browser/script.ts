/** What a page pays for including a script: bytes, time to evaluate it, what it does afterwards, memory. */
import type { Browser } from "playwright-core";
import type { Case } from "../cases/case.ts";
import { median } from "../rounds.ts";
import { openTab, readHeap, readScriptMs, SLOW, settle, withChromium } from "./chromium.ts";
import { ADDRESS, bundlePeers, CALLS, readOurs, type Script } from "./contestants.ts";
import { buildPage, buildTag, inline, openShop, SLOT_ELEMENTS } from "./shop.ts";

const SEGMENTS = 20;
/** In which every script here does what it does by itself. */
const FIRST_MS = 1_500;
/** uniform context, whose licence keeps it from being installed here: as measured elsewhere in the same way. */
const UNIFORM = { brotliBytes: 9_592, evaluateMs: 11, slowEvaluateMs: 37, heapKb: 74 };

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
  samples: Sample[];
}

export const browserScript: Case = {
  name: "browser-script",
  needsWorkerd: true,
  async run({ bench, quick }) {
    const shop = await openShop(bench, SEGMENTS);
    const [ours, peers] = await Promise.all([readOurs(), bundlePeers()]);
    const enter = (script: Script, attributes = "", body = ""): Contestant => ({
      ...script,
      html: buildPage(buildHead(script.code, attributes), body),
      samples: [],
    });
    const nothing = enter({ name: "nothing", brotliBytes: 0, code: "" });
    // As the peers, which have no server here either.
    const alone = { ...ours, name: "attune, alone", code: `${ADDRESS}${ours.code};${CALLS}` };
    const inUse = { ...ours, name: `attune in use: ${SEGMENTS} segments, 2 slots`, code: ADDRESS + ours.code };
    const contestants = [
      nothing,
      enter(alone, buildTag(shop, "https://peer.example")),
      enter(inUse, buildTag(shop, bench.product), SLOT_ELEMENTS),
      ...peers.map((peer) => enter(peer)),
    ];
    let version = "";
    try {
      version = await withChromium(async (browser) => {
        await measureOnce(browser, shop, nothing);
        for (let round = 0; round < (quick ? 2 : 7); round++) {
          for (const one of contestants) one.samples.push(await measureOnce(browser, shop, one));
        }
        return browser.version();
      });
    } finally {
      await shop.close();
    }

    const [, own, used, ...others] = contestants as [Contestant, Contestant, Contestant, ...Contestant[]];
    const of = (pick: (sample: Sample) => number) => (contestant: Contestant) => median(contestant.samples.map(pick));
    const evaluate = of(({ evaluateMs }) => evaluateMs);
    const slowEvaluate = of(({ slowEvaluateMs }) => slowEvaluateMs);
    const script = of(({ slowScriptMs }) => slowScriptMs);
    const longTasks = of(({ slowLongMs }) => slowLongMs.length);
    const longMs = of(({ slowLongMs }) => slowLongMs.reduce((sum, ms) => sum + ms, 0));
    const heap = (contestant: Contestant) => of(({ heapKb }) => heapKb)(contestant) - of((s) => s.heapKb)(nothing);
    const ratio = (pick: (sample: Sample) => number, one: Contestant) =>
      median(one.samples.map((sample, round) => pick(sample) / pick(own.samples[round]!)));
    const [least] = [...others].sort((a, b) => a.brotliBytes - b.brotliBytes);
    const best = (value: (contestant: Contestant) => number) => Math.min(...others.map(value));
    const smaller = own.brotliBytes < Math.min(least!.brotliBytes, UNIFORM.brotliBytes);
    const slower = others.filter((one) => evaluate(one) <= evaluate(own) || slowEvaluate(one) <= slowEvaluate(own));
    return {
      title: `Scripts in an otherwise empty page, Chromium ${version}`,
      columns: [
        "",
        "brotli",
        "evaluate",
        `at ${SLOW} ×`,
        "× ours",
        "script ms in 1.5 s",
        "long tasks",
        "ms",
        "heap kB",
      ],
      rows: [
        ...[own, used, ...others].map((one) => [
          one.name,
          one.brotliBytes,
          evaluate(one),
          slowEvaluate(one),
          ratio(({ slowEvaluateMs }) => slowEvaluateMs, one),
          script(one),
          longTasks(one),
          longMs(one),
          heap(one),
        ]),
        [
          "uniform context, elsewhere",
          UNIFORM.brotliBytes,
          UNIFORM.evaluateMs,
          UNIFORM.slowEvaluateMs,
          "",
          "",
          0,
          0,
          UNIFORM.heapKb,
        ],
      ],
      notes: [
        `medians of ${own.samples.length} rounds in turn, each in a new browser context; ms; script, long tasks and heap at ${SLOW} × the processor's time`,
        "inline, without network but for attune in use; what a peer loads later is not counted in its bytes",
        `smaller than every one of them: ${smaller ? "yes" : "no"}; evaluated faster: ${slower.length ? `no, not than ${slower.map(({ name }) => name).join(", ")}` : "yes"}`,
      ],
      goals: [
        {
          name: "attune.js / the smallest of them",
          value: own.brotliBytes / Math.min(least!.brotliBytes, UNIFORM.brotliBytes),
          unit: "× its bytes",
          floor: 1,
          atMost: true,
        },
        {
          name: "evaluate in use / the fastest of them",
          value: evaluate(used) / best(evaluate),
          unit: "× its time",
          floor: 1,
          atMost: true,
        },
        {
          name: `the same at ${SLOW} ×`,
          value: slowEvaluate(used) / best(slowEvaluate),
          unit: "× its time",
          floor: 1,
          atMost: true,
        },
        { name: "evaluate in use", value: evaluate(used), unit: "ms", floor: UNIFORM.evaluateMs, atMost: true },
        {
          name: `the same at ${SLOW} ×`,
          value: slowEvaluate(used),
          unit: "ms",
          floor: UNIFORM.slowEvaluateMs,
          atMost: true,
        },
        { name: `long tasks in use at ${SLOW} ×`, value: longTasks(used), unit: "", floor: 0, atMost: true },
        { name: "heap, alone", value: heap(own), unit: "kB", floor: UNIFORM.heapKb, atMost: true },
      ],
    };
  },
};

const buildHead = (code: string, attributes: string): string =>
  inline(`longTasks=[];new PerformanceObserver(function(list){list.getEntries().forEach(function(entry){longTasks.push(entry.duration)})})
    .observe({type:"longtask",buffered:true});began=performance.now()`) +
  inline(code, attributes) +
  inline("ended=performance.now()");

async function measureOnce(
  browser: Browser,
  shop: { url: string; put(path: string, type: string, content: string): void },
  { html }: Contestant,
): Promise<Sample> {
  shop.put("/", "text/html", html);
  const quick = await openTab(browser);
  await quick.page.goto(shop.url);
  const evaluateMs = await quick.page.evaluate(() => ended - began);
  await quick.context.close();

  const { context, page, cdp } = await openTab(browser, SLOW);
  await page.goto(shop.url);
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
