/** How long an event takes to be durable and to change what is decided, and how soon a returning visitor sees theirs. */
import type { Page } from "playwright-core";
import type { Attune } from "../../../client/runtime/api.ts";
import type { Case } from "../cases/case.ts";
import { openTab, withChromium } from "./chromium.ts";
import { ADDRESS, readOurs } from "./contestants.ts";
import { ALL_DECIDED, buildPage, buildTag, inline, openShop, SLOT_ELEMENTS } from "./shop.ts";

const SEGMENTS = 20;
const WARM_MS = 5;
const BURST = 20;

declare global {
  var attune: Attune;
  /** Hears when something put into the outbox is durable, and when the Worker is asked to decide. */
  var onDurable: () => void;
  var onAsked: () => void;
  /** Resolves when `begin` says so. @throws after 30 s */
  var hear: (begin: (resolve: () => void) => void) => Promise<void>;
  /** When each came first, in milliseconds since the script began. */
  var stations: { [station: string]: number };
}

export const browserEvent: Case = {
  name: "browser-event",
  needsWorkerd: true,
  async run({ bench, quick }) {
    const ours = await readOurs();
    const shop = await openShop(bench, ours, SEGMENTS);
    const script = inline(ADDRESS + ours.code, `${buildTag(shop, bench.product)} data-consent="full"`);
    shop.put("/", "text/html", buildPage(WATCH + script + inline("reach('script evaluated')"), SLOT_ELEMENTS));
    try {
      return await withChromium(async (browser) => {
        const { page } = await openTab(browser);
        await page.goto(shop.url);
        await page.waitForFunction(ALL_DECIDED);
        const single = await page.evaluate(trackEach, { count: quick ? 100 : 500, event: "Product Viewed" });
        const order = await page.evaluate(trackEach, { count: quick ? 20 : 100, event: "Order Completed" });
        const burst = await page.evaluate(trackTogether, { count: quick ? 10 : 50, events: BURST });
        const turns = await page.evaluate(turnEach, quick ? 20 : 200);
        const warm = await openAgain(page, quick ? 30 : 200);

        const row = (name: string, values: number[]) => [name, values.length, ...halfAndTail(values)];
        const station = (name: string) =>
          row(
            `  ${name}`,
            warm.map((stations) => stations[name] ?? Number.NaN),
          );
        return {
          title: `From an event to the disk and to the slot, ms at 1 × (${SEGMENTS} segments, 2 slots)`,
          columns: ["", "n", "p50", "p99"],
          rows: [
            row(
              "track() → it returns",
              single.map(({ returned }) => returned),
            ),
            row(
              "track() → durable in IndexedDB",
              single.map(({ durable }) => durable),
            ),
            row(
              "an order → durable, on the disk",
              order.map(({ durable }) => durable),
            ),
            row(`${BURST} at once → the last one durable`, burst),
            row(
              "track() → other segments",
              turns.map(({ decided }) => decided),
            ),
            row(
              "track() → the Worker is asked",
              turns.map(({ asked }) => asked),
            ),
            row(
              "track() → the slots show its answer",
              turns.map(({ shown }) => shown),
            ),
            ["a returning visitor, from the script's first instruction on", "", "", ""],
            ...Object.keys(warm[0]!).map(station),
          ],
          notes: ["one visitor in one page, the history growing with each event; the Worker on this machine"],
          goals: [
            {
              name: "slots of a returning visitor, p99",
              value: halfAndTail(warm.map((stations) => stations["slots show it"]!))[1],
              unit: "ms",
              floor: WARM_MS,
              atMost: true,
            },
          ],
        };
      });
    } finally {
      await shop.close();
    }
  },
};

function halfAndTail(values: number[]): [p50: number, p99: number] {
  const sorted = [...values].sort((a, b) => a - b);
  return [sorted[sorted.length >> 1]!, sorted[Math.floor(sorted.length * 0.99)]!];
}

/** Opens the page anew, so often. @throws Error where a slot shows what this visit asked for, not what was stored. */
async function openAgain(page: Page, count: number): Promise<{ [station: string]: number }[]> {
  const visits = [];
  for (let index = 0; index < count; index++) {
    await page.reload();
    await page.waitForFunction('"the Worker is asked" in stations');
    const { began = 0, ...reached } = await page.evaluate(() => stations);
    if (!(reached["slots show it"]! <= reached["the Worker is asked"]!)) throw new Error("Nothing stored was shown");
    const times = Object.entries(reached).map(([name, at]): [string, number] => [name, at - began]);
    visits.push(Object.fromEntries(times.sort(([, a], [, b]) => a - b)));
  }
  return visits;
}

// What follows runs in the page.

async function trackEach({ count, event }: { count: number; event: string }) {
  const times = [];
  for (let index = 0; index < count; index++) {
    const began = performance.now();
    let returned = 0;
    await hear((resolve) => {
      onDurable = resolve;
      attune.track(event, { product_id: `P${index}`, category: "shoes", price: 10 + index });
      returned = performance.now() - began;
    });
    times.push({ returned, durable: performance.now() - began });
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return times;
}

async function trackTogether({ count, events }: { count: number; events: number }) {
  const times = [];
  for (let index = 0; index < count; index++) {
    const began = performance.now();
    await hear((resolve) => {
      let left = events;
      onDurable = () => --left || resolve();
      for (let event = 0; event < events; event++) attune.track("Product Viewed", { product_id: `P${event}` });
    });
    times.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return times;
}

async function turnEach(count: number) {
  const times = [];
  for (let index = 0; index < count; index++) {
    const [amount, text] = index % 2 ? [-1, "for everybody"] : [1, "chosen for you"];
    const began = performance.now();
    let decided = 0;
    let asked = 0;
    onAsked = () => {
      asked ||= performance.now() - began;
    };
    const forget: (() => void)[] = [];
    await hear((resolve) => {
      let left = document.querySelectorAll("attune-block").length;
      forget.push(
        attune.on("segments", () => {
          decided ||= performance.now() - began;
        }),
        attune.on("slot", ({ html }) => void (html?.includes(text) && --left === 0 && resolve())),
      );
      attune.track("Product Viewed", { amount });
    });
    times.push({ decided, asked, shown: performance.now() - began });
    for (const end of forget) end();
  }
  return times;
}

/** Before the script: notes what it does, and leaves it as it is. */
const WATCH = inline(`
stations={};onDurable=onAsked=function(){};
function hear(begin){return new Promise(function(resolve,reject){setTimeout(reject,3e4,Error("Waited in vain"));begin(resolve)})}
function reach(station){if(!(station in stations))stations[station]=performance.now()}
function wrap(object,method,note){var own=object[method];object[method]=function(){var result=own.apply(this,arguments);note(this,result,arguments);return result}}
["put","add"].forEach(function(method){wrap(IDBObjectStore.prototype,method,function(store){
  if(store.name==="messages")store.transaction.addEventListener("complete",function(){onDurable()})})});
["get","getAll","openCursor"].forEach(function(method){wrap(IDBObjectStore.prototype,method,function(store,request){
  if(store.name==="state")request.addEventListener("success",function(){reach("state is read")})})});
wrap(IDBFactory.prototype,"open",function(factory,request){request.addEventListener("success",function(){reach("database is open")})});
wrap(window,"fetch",function(page,answer,args){if(/decide/.test(args[0])){onAsked();reach("the Worker is asked")}});
attune=[["on","slot",function(){reach("slots show it")}]];
reach("began")`);
