/** A Chromium that reaches nothing but this machine, and what it tells of a page. */
import { type Browser, type BrowserContext, type CDPSession, chromium, type Page } from "playwright-core";
import { CHROMIUM_FLAGS, findOrInstallChromium } from "../../browser/chromium.ts";

/** What a slow phone is, against a desktop. */
export const SLOW = 4;
export async function withChromium<T>(use: (browser: Browser) => Promise<T>): Promise<T> {
  const browser = await chromium.launch({
    executablePath: findOrInstallChromium(),
    args: [
      ...CHROMIUM_FLAGS,
      "--disable-dev-shm-usage",
      "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
    ],
  });
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}

export interface Tab {
  context: BrowserContext;
  page: Page;
  cdp: CDPSession;
}

/** @param slowdown of the page's processor. */
export async function openTab(browser: Browser, slowdown = 1): Promise<Tab> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send("Performance.enable");
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: slowdown });
  return { context, page, cdp };
}

/** Resolves when the page is that old: nothing of its beginning is left. */
export const settle = (page: Page, ageMs: number): Promise<void> =>
  page.evaluate((age) => new Promise((resolve) => setTimeout(resolve, age - performance.now())), ageMs);

/** Milliseconds that JavaScript has run in the page. */
export const readScriptMs = async (cdp: CDPSession): Promise<number> => (await readMetric(cdp, "ScriptDuration")) * 1e3;

/** Bytes on the page's heap that something still refers to. */
export async function readHeap(cdp: CDPSession): Promise<number> {
  await cdp.send("HeapProfiler.collectGarbage");
  return readMetric(cdp, "JSHeapUsedSize");
}

async function readMetric(cdp: CDPSession, wanted: string): Promise<number> {
  const { metrics } = await cdp.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === wanted)!.value;
}
