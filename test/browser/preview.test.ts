/** Shared previews in a browser: nothing in what is shown runs, and the page is for everybody's eyes and keys. */
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, type Stage, until } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  await stage.api("POST", "/api/blocks", {
    ...{ key: "offer", slot: "offer", schedule: { from: "2026-01-01T00:00", to: "2026-03-01T00:00" } },
    variants: [
      {
        key: "pro",
        audience: { trait: "plan", eq: "pro" },
        template: "<p class=pro>For {{ customer.name | default: 'you' }}</p>",
      },
      {
        key: "all",
        audience: null,
        template: '<p class=all>For all <a href="https://elsewhere.example/">sale</a></p>',
      },
    ],
  });
  const theme = { background: "#101614", text: "#e8eeea", accent: "#6ee7a8" };
  const parts = [{ type: "text", text: "20 % off, {{ customer.name }}", size: 28, bold: true }];
  const image = { width: 600, height: 120, dark: theme, alt: "20 % off", parts };
  const variants = [{ key: "all", audience: null, template: "<p>20 % off</p>", image }];
  await stage.api("POST", "/api/blocks", { key: "card", slot: "card", variants });
});
afterAll(() => stage?.close());

const NOW = "2026-02-01T12:00:00Z";

async function share(more: object = {}): Promise<string> {
  const asked = { block: "offer", slot: "offer", now: NOW, profile: {}, ...more };
  return (await stage.api<{ url: string }>("POST", "/api/blocks/preview/links", asked)).url;
}

async function newPage(options: BrowserContextOptions = {}): Promise<Page> {
  return (await stage.browser.newContext(options)).newPage();
}

/** What ran, as it says so itself. */
function listen(page: Page): Set<string> {
  const ran = new Set<string>();
  page.on("console", (message) => {
    const [, name] = /^ran (.+)$/.exec(message.text()) ?? [];
    if (name) ran.add(name);
  });
  page.on("dialog", (dialog) => {
    ran.add(dialog.message());
    void dialog.dismiss();
  });
  return ran;
}

const PAYLOADS: { readonly [name: string]: string } = {
  script: "<script>RUN</script>",
  "error handler": '<img src="x:" onerror="RUN">',
  "load handler": '<svg onload="RUN"></svg>',
  "load handler of a style": '<style onload="RUN"></style>',
  "toggle handler": '<details open ontoggle="RUN">x</details>',
  animation: '<svg><animate onbegin="RUN" attributeName="x" dur="1s"/></svg>',
  focus: '<input autofocus onfocus="RUN">',
  "frame with a document": '<iframe srcdoc="<script>RUN</script>"></iframe>',
  "frame with a link": '<iframe src="javascript:RUN"></iframe>',
  module: '<script type="module">RUN</script>',
  video: '<video><source onerror="RUN"></video>',
};
const payloads = Object.entries(PAYLOADS)
  .map(([name, html]) => html.replace("RUN", `console.log('ran ${name}')`))
  .join("\n");
/** Would lead the frame or the page away. */
const LEADS_AWAY =
  '<meta http-equiv="refresh" content="0;url=https://elsewhere.example/"><base href="https://elsewhere.example/">';

it("shows values of a person as text, in what is rendered and in what is said", async () => {
  const page = await newPage();
  const ran = listen(page);
  await page.goto(await share({ profile: { traits: { plan: "pro", name: payloads } } }));
  const text = await page.frameLocator("iframe").locator("p.pro").textContent();
  expect(text).toBe(`For ${payloads}`);
  await page.goto(await share({ profile: { traits: { plan: payloads } } }));
  expect(await page.locator("li").first().textContent()).toContain("<script>");
  expect(await page.locator("main script, main img, main svg, main input[autofocus]").count()).toBe(0);
  expect([...ran]).toEqual([]);
});

/** The page at a URL, showing this in place of what it shows; of its two locks, only one where that is asked for. */
async function openHostile(page: Page, url: string, html: string, lock?: "sandbox" | "policy"): Promise<void> {
  await page.route(url, async (route) => {
    const response = await route.fetch();
    const escaped = html.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
    const body = (await response.text()).replace('srcdoc="', `srcdoc="${escaped}`);
    const { "content-security-policy": policy = "", ...headers } = response.headers();
    await route.fulfill({
      ...{ response, headers: lock === "sandbox" ? headers : { ...headers, "content-security-policy": policy } },
      body: lock === "policy" ? body.replace("<iframe sandbox", "<iframe") : body,
    });
  });
  await page.goto(url);
  await page.frameLocator("iframe").locator("p.end").waitFor();
}

const END = "<p class=end>the end</p>";

it.each([
  ["both locks", undefined],
  ["the sandbox alone", "sandbox"],
  ["the policy alone", "policy"],
] as const)("runs nothing of what is shown, whatever that is, by %s", async (_, lock) => {
  const page = await newPage();
  const ran = listen(page);
  await openHostile(page, await share(), payloads + END, lock);
  await page.locator(".widths").getByText("Tablet").click();
  expect([...ran]).toEqual([]);
});

it("runs all of it without the two", async () => {
  const page = await newPage();
  const ran = listen(page);
  await page.setContent(payloads);
  await until(() => ran.size >= Object.keys(PAYLOADS).length - 1, "all of it");
});

it("is not led away by what is shown, and neither is the frame", async () => {
  const page = await newPage();
  const asked: string[] = [];
  page.context().on("request", (request) => asked.push(request.url()));
  const url = await share();
  await openHostile(page, url, LEADS_AWAY + END);
  const frame = page.frameLocator("iframe");
  await frame.getByRole("link", { name: "sale" }).click();
  await page.locator(".widths").getByText("Tablet").click();
  await frame.locator("p.end").waitFor();
  expect(page.url()).toBe(url);
  expect(page.context().pages()).toHaveLength(1);
  expect(asked.filter((it) => it.includes("elsewhere"))).toEqual([]);
});

it.each([390, 1280])("shows the whole of it in a window of %i pixels, unless a device is asked for", async (width) => {
  const page = await newPage({ viewport: { width, height: 900 } });
  await page.goto(await share());
  const stage = await page.locator(".stage").evaluate(({ clientWidth, scrollWidth }) => [clientWidth, scrollWidth]);
  expect(stage[1]).toBe(stage[0]);
  const tops = await page
    .locator(".widths label")
    .evaluateAll((all) => all.map((it) => it.getBoundingClientRect().top));
  expect(new Set(tops).size).toBe(1);
  await page.goto(await share({ device: "desktop" }));
  expect((await page.locator("iframe").boundingBox())!.width).toBe(1280);
});

it("is used by keys alone: another time, variant, person, device, another width", async () => {
  const page = await newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(await share({ device: "mobile" }));
  const frame = page.locator("iframe");
  const isWide = (width: number) =>
    until(async () => (await frame.boundingBox())!.width === width, `a width of ${width}`);
  await isWide(390);
  await page.getByRole("button", { name: "Show" }).focus();
  await page.keyboard.press("Tab");
  const window = await page.locator(".stage").evaluate((stage) => stage.clientWidth - 32);
  for (const width of [820, 1280, window, 390]) {
    await page.keyboard.press("ArrowRight");
    await isWide(width);
  }
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.className)).toBe("stage");

  await page.getByLabel(/^Time/).fill("2026-03-01T00:00");
  await page.keyboard.press("Enter");
  await page.getByText("The page’s own content stays.").waitFor();
  expect(await page.locator("li").first().textContent()).toContain("its time ended on Sun 1 Mar 2026 00:00");
  await page.getByRole("combobox", { name: /^Shown/ }).selectOption("pro");
  await page.getByLabel("Person").selectOption("Somebody of whom nothing is known");
  await page.getByLabel("Device").selectOption("Tablet");
  await page.getByRole("button", { name: "Show" }).press("Enter");
  await page.frameLocator("iframe").getByText("For you").waitFor();
  await isWide(820);
  expect(await page.getByRole("combobox", { name: /^Shown/ }).inputValue()).toBe("offer/pro");
  expect(await page.getByLabel(/^Time/).inputValue()).toBe("2026-03-01T00:00");
  // Nothing of it is live.
  expect(await page.getByLabel("Version").locator("option").allTextContents()).toEqual(["Draft"]);
});

it("shows a card as it is painted, no wider than the window", async () => {
  const page = await newPage({ viewport: { width: 360, height: 740 } });
  await page.goto(await share({ block: "card", slot: undefined, profile: { traits: { name: "Ada" } } }));
  const images = page.locator("main img");
  const sizes = await images.evaluateAll((all) =>
    Promise.all(all.map((it) => (it as HTMLImageElement).decode().then(() => (it as HTMLImageElement).naturalWidth))),
  );
  expect(sizes).toEqual([600, 600]);
  expect(await images.first().getAttribute("alt")).toBe("20 % off");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
});

/** Contrast of text with what is behind it, WCAG 2.2. */
const contrasts = (page: Page) =>
  page.evaluate(() => {
    const luminance = (color: string) => {
      const [r, g, b] = color
        .match(/[\d.]+/g)!
        .map(Number)
        .slice(0, 3)
        .map((c) => c / 255)
        .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
    };
    const behind = (element: Element | null): string => {
      const color = element ? getComputedStyle(element).backgroundColor : "rgb(255, 255, 255)";
      return color === "rgba(0, 0, 0, 0)" ? behind(element!.parentElement) : color;
    };
    const told = [...document.querySelectorAll("h1, h2, h3, p, b, label, legend, .mark, button, select, input")];
    return told.map((element) => {
      const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))].sort((a, b) => b - a);
      return [element.outerHTML.slice(0, 80), (a! + 0.05) / (b! + 0.05)] as const;
    });
  });

it.each(["light", "dark"] as const)("is legible on a phone, %s", async (colorScheme) => {
  const page = await newPage({ colorScheme, viewport: { width: 360, height: 740 } });
  for (const url of [await share({ consent: [] }), await share({ profile: { traits: { plan: "pro" } } })]) {
    await page.goto(url);
    for (const [element, contrast] of await contrasts(page)) expect(contrast, element).toBeGreaterThanOrEqual(4.5);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    expect(await page.evaluate(() => document.querySelectorAll("h1").length)).toBe(1);
  }
});
