/** The panel of `attune.debug()`: what it shows, what it pretends, and that the page and the visitor are none the wiser. */
import { brotliCompressSync } from "node:zlib";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { openStage, type Stage, until, type Visitor } from "./stage.ts";

const BUDGET_BYTES = 20 * 1_024;
const HERO = '<attune-block name="hero"><p>Fallback</p></attune-block>';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  for (const segment of [
    { key: "hidden", visibility: "private", condition: { event: "Hint", within: "1h" } },
    { key: "reader", visibility: "public", condition: { all: [{ event: "Read" }, { trait: "plan", eq: "pro" }] } },
  ])
    await stage.api("POST", "/api/segments", { ...segment, name: segment.key, kind: "dynamic", status: "active" });
  await stage.api("POST", "/api/blocks", {
    key: "offer",
    slot: "offer",
    variants: [
      { key: "secret", audience: { segment: "hidden" }, template: "<p class=secret>Secret</p>" },
      { key: "usual", audience: null, template: "<p class=usual>Usual</p>" },
    ],
  });
  await stage.api("POST", "/api/blocks/offer/publish");
});
beforeEach(() => {
  for (const name of Object.keys(stage.headers)) delete stage.headers[name];
});
afterAll(() => stage?.close());

const ready = (page: Page) => until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
const panel = (page: Page) => page.locator("attune-debug .panel");
const tab = (page: Page, name: string) => page.locator("attune-debug").getByRole("tab", { name });
const segment = (page: Page, key: string) => page.locator(`attune-debug [data-segment="${key}"]`);
/** What of the visitor is kept, and what page and edge were told. */
const traces = (page: Page) =>
  page.evaluate(async () => {
    const { outbox, state } = (await attune.stored())!;
    return { outbox, state, segments: attune.segments(), decisions: attune.decisions() };
  });

async function open(visitor: Visitor, html = HERO): Promise<Page> {
  const page = await visitor.open(html);
  await ready(page);
  if (html.includes("hero")) await page.waitForSelector("p.all");
  await show(page);
  return page;
}
async function show(page: Page, name = "Segments"): Promise<void> {
  if (!(await panel(page).count())) await page.evaluate(() => attune.debug());
  await tab(page, name).click();
}

it("is loaded when it is asked for, and weighs less than 20 kB", async () => {
  const visitor = await stage.visitor();
  const loaded: string[] = [];
  visitor.context.on("request", (request) => loaded.push(new URL(request.url()).pathname));
  const page = await visitor.open(HERO);
  await page.waitForSelector("p.all");
  expect(loaded).not.toContain("/attune.debug.js");
  await show(page);
  const script = await (await fetch(`${inject("workerUrl")}/attune.debug.js`)).arrayBuffer();
  expect(brotliCompressSync(new Uint8Array(script)).length).toBeLessThan(BUDGET_BYTES);
});

describe("the page", () => {
  it("stays as it is while the panel is open, and keeps no trace when Escape has closed it", async () => {
    const visitor = await stage.visitor();
    const page = await visitor.open(
      `<style>* { position: static !important; margin: 40px !important; font-size: 50px } attune-debug { display: none !important }</style><button id=before>Before</button>${HERO}<div style="height: 3000px"></div>`,
    );
    await page.waitForSelector("p.all");
    await page.locator("#before").focus();
    const measure = () =>
      page.evaluate(() => {
        const { scrollWidth, scrollHeight } = document.documentElement;
        return [scrollWidth, scrollHeight, ...Object.values(document.body.getBoundingClientRect().toJSON())];
      });
    const html = () => page.evaluate(() => document.documentElement.outerHTML);
    const [size, source] = [await measure(), await html()];
    await show(page);
    expect(await panel(page).isVisible()).toBe(true);
    expect((await panel(page).boundingBox())?.x).toBeGreaterThan(700);
    expect(await panel(page).evaluate((element) => getComputedStyle(element).fontSize)).toBe("13px");
    expect(await measure()).toEqual(size);
    await page.evaluate(() => scrollTo(0, 900));
    expect((await panel(page).boundingBox())?.y).toBe(12);
    await page.evaluate(() => scrollTo(0, 0));
    expect(await page.evaluate(() => Object.keys(sessionStorage))).toEqual([`attune.${stage.writeKey}.debug`]);

    await page.keyboard.press("Escape");
    expect(await html()).toBe(source);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("before");
    expect(await page.evaluate(() => Object.keys(sessionStorage))).toEqual([]);
    await page.evaluate(() => attune.track("Ping"));
    expect(await page.locator("attune-debug").count()).toBe(0);
  });

  it("hears nothing of what is typed and clicked in the panel, which the keyboard alone can use", async () => {
    const visitor = await stage.visitor();
    const page = await open(visitor);
    await page.evaluate(() => {
      const types: string[] = [];
      Object.assign(window, { types });
      for (const type of ["keydown", "keyup", "click", "input", "pointerdown"])
        addEventListener(type, ({ type }) => types.push(type));
    });
    await page.keyboard.press("ArrowRight");
    expect(await tab(page, "Slots").getAttribute("aria-selected")).toBe("true");
    await page.keyboard.press("End");
    expect(await tab(page, "Simulate").getAttribute("aria-selected")).toBe("true");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Tab");
    expect(await page.locator("attune-debug .part").evaluate((part) => part.matches(":focus"))).toBe(true);
    await page.keyboard.press("Tab");
    await page.keyboard.type("act");
    await until(async () => (await page.locator("attune-debug [data-segment]").count()) === 1, "the filter");
    expect(await segment(page, "active").count()).toBe(1);
    await page.locator("attune-debug").getByRole("button", { name: "Other side" }).click();
    await until(async () => (await panel(page).boundingBox())!.x < 100, "the other side");
    expect(await page.evaluate(() => (window as unknown as { types: string[] }).types)).toEqual([]);
  });

  it.each([["light"], ["dark"]] as const)(
    "has a panel that can be read in %s, on a phone, too",
    async (colorScheme) => {
      const visitor = await stage.visitor();
      const page = await open(visitor);
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width: 360, height: 640 });
      const [back, ink] = await panel(page).evaluate((element) => {
        const { backgroundColor, color } = getComputedStyle(element);
        return [backgroundColor, color].map((text) => Number(/\d+/.exec(text)![0]));
      });
      expect(back! > 200 && ink! < 50).toBe(colorScheme === "light");
      expect(back! < 50 && ink! > 200).toBe(colorScheme === "dark");
      const box = await until(async () => {
        const { x, y, width, height } = (await panel(page).boundingBox())!;
        return width === 360 && { x, bottom: y + height };
      }, "the panel to fit");
      expect(box).toEqual({ x: 0, bottom: 640 });
      for (const name of ["Segments", "Slots", "Profile", "Outbox", "Consent", "Timeline", "Simulate"]) {
        await tab(page, name).click();
        const part = page.locator("attune-debug .part");
        expect(await part.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(0);
      }
    },
  );

  it("may have the strictest policy: the panel asks for no exception but its own file", async () => {
    stage.headers["content-security-policy"] = [
      "default-src 'none'",
      `script-src 'nonce-stub' 'nonce-tag' ${inject("workerUrl")}`,
      `connect-src ${inject("workerUrl")}`,
      "style-src 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types attune",
    ].join("; ");
    const visitor = await stage.visitor();
    const problems: string[] = [];
    visitor.context.on("weberror", (error) => problems.push(`${error.error()}`));
    const page = await visitor.open(HERO);
    await page.waitForSelector("p.all");
    // The slot's own style of before it was filled is not the panel's.
    await page.evaluate(() =>
      addEventListener("securitypolicyviolation", ({ violatedDirective }) =>
        heard.push({ type: "violation", detail: violatedDirective }),
      ),
    );
    await show(page, "Simulate");
    expect(await panel(page).evaluate((element) => getComputedStyle(element).position)).toBe("absolute");
    await segment(page, "interested").getByRole("button", { name: "In" }).click();
    await page.waitForSelector("p.shoes");
    await tab(page, "Slots").click();
    // It shows for a moment only.
    await until(async () => {
      await page.locator("attune-debug").getByRole("button", { name: "Show slot hero" }).click();
      return page.locator("attune-debug .outline").isVisible();
    }, "the outline");
    expect(problems).toEqual([]);
    expect(await page.evaluate(() => heard.filter(({ type }) => ["violation", "error"].includes(type)))).toEqual([]);
  });
});

it("shows what the page's own code throws, whatever it is, and nothing throws into the page", async () => {
  const visitor = await stage.visitor();
  const problems: string[] = [];
  visitor.context.on("weberror", (error) => problems.push(`${error.error()}`));
  const page = await open(visitor, "");
  await page.evaluate(() => {
    attune.on("event", () => {
      const circle: { message: string; self?: object } = { message: "<b>It goes round</b>" };
      throw Object.assign(circle, { self: circle, big: 1n });
    });
    attune.track("Ping");
  });
  await tab(page, "Timeline").click();
  const notes = page.locator("attune-debug .timeline > li");
  await until(async () => (await notes.allTextContents()).some((text) => text.includes("<b>It goes round</b>")), "it");
  await page.evaluate(() => attune.track("Pong"));
  await until(async () => (await notes.allTextContents()).some((text) => text.includes("Captured Pong")), "the next");
  expect(problems).toEqual([]);
});

describe("shows", () => {
  it("who the visitor is, and copies it", async () => {
    const visitor = await stage.visitor();
    await visitor.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const page = await open(visitor);
    await page.evaluate(() => {
      attune.identify("ada", { name: "Ada", address: { city: "London" } });
      return attune.flush();
    });
    await tab(page, "Profile").click();
    const ids = await page.evaluate(async () => [attune.anonymousId()!, (await attune.stored())!.state["stableId"]]);
    const facts = page.locator("attune-debug dl");
    await facts.getByText("London").waitFor();
    const text = (await panel(page).textContent())!;
    for (const value of [...ids, "ada", "address.city", "timezone"]) expect(text).toContain(value);
    const copy = page.getByRole("button", { name: "Copy anonymousId" });
    // It says so for a moment only.
    await until(async () => {
      await copy.click();
      return (await copy.textContent()) === "Copied";
    }, "the word");
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(ids[0]);
  });

  it("segments with since, a countdown and why, as they change; and those that only the edge knows", async () => {
    const visitor = await stage.visitor();
    const page = await open(visitor);
    await segment(page, "interested").getByText("0 times so far").first().waitFor();
    expect(await segment(page, "interested").textContent()).toContain("out");
    await page.evaluate(() => {
      for (let i = 0; i < 2; i++) attune.track("Product Viewed", { category: "shoes" });
      attune.track("Hint");
      attune.track("Read");
    });
    await segment(page, "interested")
      .getByText(/since \d\d:\d\d:\d\d/)
      .waitFor();
    const left = segment(page, "interested").locator("time");
    const before = await left.textContent();
    expect(before).toMatch(/^2[34]:\d\d:\d\d$/);
    await until(async () => (await left.textContent()) !== before, "the countdown");
    await segment(page, "interested").locator("summary").first().click();
    await segment(page, "interested").getByText('did "Product Viewed" where category is "shoes"').waitFor();
    // What is open stays open while time goes on.
    const again = await left.textContent();
    await until(async () => (await left.textContent()) !== again, "a second");
    expect(await segment(page, "interested").locator(".tree").isVisible()).toBe(true);

    await segment(page, "reader").locator("summary").click();
    const marks = segment(page, "reader").locator(".tree .tree > li > .mark");
    await marks.nth(1).waitFor();
    expect(await marks.evaluateAll((all) => all.map(({ dataset }) => dataset["value"]))).toEqual(["true", "false"]);

    await segment(page, "hidden").getByText("the edge").waitFor();
    expect(await segment(page, "hidden").locator("time").textContent()).toMatch(/^59:\d\d$|^1:00:00$/);
    await page.locator("attune-debug").getByRole("searchbox").fill("in shoes");
    await until(async () => (await page.locator("attune-debug [data-segment]").count()) === 1, "what fits");
  });

  it("each slot with its decision, and where it is in the page", async () => {
    const visitor = await stage.visitor();
    const page = await open(visitor, `<div style="height:3000px"></div>${HERO}<div data-attune-slot="none">Own</div>`);
    await tab(page, "Slots").click();
    const slot = (name: string) => page.locator(`attune-debug [data-slot="${name}"]`);
    await slot("hero").getByText("targeted: its audience holds").waitFor();
    const { id } = (await page.evaluate(() => attune.decisions()["hero"]))!;
    await slot("hero").locator("summary").click();
    for (const text of [id, '"variant": "all"', '"until": null', "of HTML"])
      expect(await slot("hero").textContent()).toContain(text);
    expect(await slot("none").textContent()).toContain("no-block");
    expect(await slot("none").textContent()).toContain("the page’s own content");
    await until(async () => {
      await slot("hero").getByRole("button", { name: "Show" }).click();
      return page.evaluate(() => {
        const outline = document.querySelector("attune-debug")!.shadowRoot!.querySelector(".outline")!;
        const [around, element] = [outline, document.querySelector("attune-block")!].map((it) =>
          it.getBoundingClientRect(),
        );
        return element!.top < innerHeight && Math.abs(around!.top - element!.top) < 1 && around!.height > 0;
      });
    }, "the outline");
    // Somebody else has taken the place.
    await page.evaluate(() => document.querySelector("attune-block")!.removeAttribute("data-attune-decision"));
    await slot("hero").getByText("decided, but not shown").waitFor();
  });

  it("what waits to be sent, other tabs' messages included, and what became of it", async () => {
    const visitor = await stage.visitor();
    const page = await open(visitor, "");
    await tab(page, "Outbox").click();
    await page.evaluate(() => attune.flush());
    await page.getByText("Everything is acked.").waitFor();
    await visitor.context.setOffline(true);
    const other = await visitor.context.newPage();
    await other.goto("about:blank");
    await page.evaluate(() => {
      attune.track("Kept");
      attune.track("");
    });
    const events = page.locator("attune-debug [data-state]");
    await page.getByText("1 message without an ack").waitFor();
    expect(await events.first().textContent()).toContain("event is no text");
    expect(await events.nth(1).textContent()).toMatch(/Kept.*waiting/);
    await visitor.context.setOffline(false);
    await page.locator("attune-debug").getByRole("button", { name: "Flush" }).click();
    await until(async () => /Kept.*acked/.test((await events.nth(1).textContent())!), "the ack");
    await page.getByText("Everything is acked.").waitFor();
    // The Worker's own words, of what it refuses.
    await visitor.context.route(/\/a\/batch$/, (route) => {
      const { batch } = JSON.parse(route.request().postData()!);
      batch[0].type = "nonsense";
      return route.continue({ postData: JSON.stringify({ ...JSON.parse(route.request().postData()!), batch }) });
    });
    await page.evaluate(() => {
      attune.track("Odd");
      return attune.flush();
    });
    await until(async () => /Odd.*refused/.test((await events.first().textContent())!), "the refusal");
    expect(await events.first().locator("small").textContent()).toMatch(/\w+ \w+/);
  });

  it("consent: where the choice came from, and changes it", async () => {
    const visitor = await stage.visitor();
    const page = await open(visitor);
    await tab(page, "Consent").click();
    await page.getByText("the site’s default").waitFor();
    await page.getByRole("group", { name: "marketing" }).getByRole("button", { name: "Denied" }).click();
    const said = await until(
      () =>
        page.evaluate(() => heard.find(({ type, detail }) => type === "consent" && !detail.purposes.marketing)?.detail),
      "the choice",
    );
    expect(said).toMatchObject({ mode: "full", purposes: { marketing: false, analytics: true } });
    await page.getByText("made on this device").waitFor();
    await page.getByRole("group", { name: "Mode" }).getByRole("button", { name: "Off" }).click();
    await until(() => page.evaluate(() => attune.anonymousId() === undefined), "nobody");
    await page.getByText("Nothing is kept, sent or decided.").waitFor();
    await tab(page, "Profile").click();
    await page.getByText("Consent is off").waitFor();
    await tab(page, "Timeline").click();
    await page.getByText("Consent is off now").waitFor();
  });

  it("what was heard, newest first", async () => {
    const visitor = await stage.visitor();
    const page = await open(visitor);
    await tab(page, "Timeline").click();
    await page.evaluate(() => attune.track("Ping"));
    const notes = page.locator("attune-debug .timeline li");
    await notes.filter({ hasText: "Entered active" }).waitFor();
    await notes.filter({ hasText: "Left active" }).waitFor();
    const texts = await notes.allTextContents();
    const at = (text: string) => texts.findIndex((note) => note.includes(text));
    expect(at("Left active")).toBeLessThan(at("Entered active"));
    expect(at("Entered active")).toBeLessThan(at("The visit is there"));
    await notes.filter({ hasText: "Captured Ping" }).locator("summary").click();
    expect(await notes.filter({ hasText: "Captured Ping" }).textContent()).toContain('"messageId"');
  });
});

describe("simulates, in this tab alone,", () => {
  it("a segment: slots follow, over reloads, until it is reset; nothing is recorded, kept or told", async () => {
    const visitor = await stage.visitor();
    await visitor.context.clock.install();
    const page = await open(visitor);
    // The site's configuration has come.
    await segment(page, "interested").waitFor();
    await page.evaluate(() => attune.flush());
    // The true decision has been seen: from now on only the simulation could be.
    await page.clock.runFor(3_000);
    await until(
      () => page.evaluate(() => heard.some(({ detail }) => detail.event === "Attune Exposure")),
      "the exposure",
    );
    await page.evaluate(() => attune.flush());
    await tab(page, "Simulate").click();
    const [before, sent] = [await traces(page), visitor.sent.length];
    await segment(page, "interested").getByRole("button", { name: "In" }).click();
    await page.waitForSelector("p.shoes");
    await panel(page).getByText("Simulating in interested").waitFor();
    await tab(page, "Segments").click();
    await segment(page, "interested").getByText("really out · set by you").waitFor();
    await page.clock.runFor(3_000);
    await page.evaluate(() => {
      const slot = document.querySelector("attune-block")!;
      slot.innerHTML += '<a href="#there" data-attune-track="Clicked">there</a>';
      slot.querySelector("a")!.click();
    });
    expect(await traces(page)).toEqual(before);
    // One, and another for the address that the link leads to: of a stranger, with nothing to keep.
    await until(() => visitor.sent.length >= sent + 2, "the question about #there");
    for (const { path, body } of visitor.sent.slice(sent)) {
      expect(path).toBe("/a/decide");
      expect(Object.keys(body).sort()).toEqual(["context", "local", "slots", "variants", "writeKey"]);
      expect(body["local"]).toEqual({ segments: ["interested"] });
    }

    // The next page of the tab, and no other tab.
    const other = await visitor.open(HERO);
    await other.waitForSelector("p.all");
    expect(await other.locator("attune-debug").count()).toBe(0);
    await page.reload();
    await page.waitForSelector("p.shoes");
    await page.keyboard.press("Escape");
    await page.locator("attune-debug .panel .part").focus();
    await page.keyboard.press("Escape");
    await page.locator("attune-debug .badge").getByText("in interested").waitFor();
    await page.reload();
    await page.waitForSelector("p.shoes");
    await page.locator("attune-debug .badge").waitFor();
    expect(await panel(page).count()).toBe(0);
    await page.clock.runFor(3_000);
    expect(await page.evaluate(() => heard.filter(({ detail }) => /Attune|Clicked/.test(detail.event)))).toEqual([]);
    expect(Object.keys(await page.evaluate(() => attune.segments()))).toEqual([]);

    await page.locator("attune-debug .badge").getByRole("button", { name: "Reset" }).click();
    await page.waitForSelector("p.all");
    expect(await page.locator("attune-debug").count()).toBe(0);
    expect(await page.evaluate(() => Object.keys(sessionStorage))).toEqual([]);
    // Another may be on its way.
    await until(
      () =>
        page.evaluate(() => {
          const block = document.querySelector<HTMLElement>("attune-block")!;
          return block.dataset["attuneDecision"] === attune.decisions()["hero"]!.id;
        }),
      "the true decision",
    );
    expect(await page.locator("[data-attune-ignore]").count()).toBe(0);
  });

  it("an instant: the same engine on the same history; what is decided meanwhile is not shown but kept", async () => {
    const visitor = await stage.visitor();
    const page = await open(visitor);
    await page.evaluate(() => {
      for (let i = 0; i < 2; i++) attune.track("Product Viewed", { category: "shoes" });
    });
    await page.waitForSelector("p.shoes");
    await tab(page, "Simulate").click();
    const clock = page.getByRole("group", { name: "Clock" });
    await clock.getByRole("button", { name: "+1 h" }).click();
    await tab(page, "Segments").click();
    await until(
      async () => /^22:|^23:00:00/.test((await segment(page, "interested").locator("time").textContent())!),
      "an hour less",
    );
    await tab(page, "Simulate").click();
    await clock.getByRole("button", { name: "+1 d" }).click();
    await page.waitForSelector("p.all");
    expect(Object.keys(await page.evaluate(() => attune.segments()))).toContain("interested");
    // A decision of another person comes: it is true, and not what was asked to be shown.
    await page.evaluate(() => attune.identify("grace"));
    await until(async () => (await traces(page)).decisions["hero"]?.variant === "shoes", "the true decision");
    await until(() => page.evaluate(() => heard.filter(({ type }) => type === "slot").length > 2), "the true slot");
    expect(await page.locator("p.all").count()).toBe(1);
    await clock.getByRole("button", { name: "Now" }).click();
    await page.waitForSelector("p.shoes");
    // On a day that one types.
    const tomorrow = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 19);
    await page.locator("attune-debug input[type=datetime-local]").fill(tomorrow);
    await page.locator("attune-debug input[type=datetime-local]").blur();
    await page.waitForSelector("p.all");
  });

  it("a variant that anybody could get, and says so of one that nobody can choose", async () => {
    const visitor = await stage.visitor();
    const page = await open(visitor, `${HERO}<attune-block name="offer"></attune-block>`);
    await page.waitForSelector("p.usual");
    await tab(page, "Simulate").click();
    const field = (slot: string) => page.locator(`attune-debug [data-slot="${slot}"] input`);
    await field("hero").fill("shoes");
    await field("hero").press("Enter");
    await page.waitForSelector("p.shoes");
    await page.getByText("shows shoes (simulated)").waitFor();
    await field("offer").fill("secret");
    await field("offer").press("Enter");
    await page.getByText("no “secret” that a stranger could get: usual is shown").waitFor();
    expect(await page.locator("p.secret").count()).toBe(0);
    expect((await page.evaluate(() => attune.decisions()["hero"]))?.variant).toBe("all");
    await panel(page).getByRole("button", { name: "Reset" }).click();
    await page.waitForSelector("p.all");
    expect(await field("hero").inputValue()).toBe("");
  });

  it("says so when the Worker cannot be reached, and leaves the page as it is", async () => {
    const visitor = await stage.visitor();
    const page = await open(visitor);
    await tab(page, "Simulate").click();
    await visitor.context.route(/\/a\/decide$/, (route) => route.abort());
    await segment(page, "interested").getByRole("button", { name: "In" }).click();
    await page.getByRole("alert").getByText("The Worker gave no answer").waitFor();
    expect(await page.locator("p.all").count()).toBe(1);
  });
});
