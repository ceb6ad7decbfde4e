/** What pages mark to be tracked, and what they keep to themselves. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, type Stage, until, type Visitor } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

interface Tracked {
  event: string;
  properties: object;
}

const tracked = (page: Page): Promise<Tracked[]> =>
  page.evaluate(() =>
    heard
      .filter(({ type, detail }) => type === "event" && detail.type === "track" && detail.event !== "Heard")
      .map(({ detail: { event, properties } }) => ({ event, properties })),
  );
/** A page with one more marked element: the part that hears clicks is loaded for it, and there when that one's is heard. */
const open = async (visitor: Visitor, html: string) => {
  const page = await visitor.open(`${html}<button id="heard" data-attune-track="Heard">Heard</button>`);
  await until(
    () =>
      page.evaluate(() => {
        document.querySelector<HTMLElement>("#heard")!.click();
        return heard.some(({ detail }) => detail.event === "Heard");
      }),
    "the part that hears clicks",
  );
  return page;
};

it("tracks clicks on and in what is marked, with its properties, whatever the page stops or adds later", async () => {
  const visitor = await stage.visitor();
  const page = await open(
    visitor,
    `<div data-attune-track="Outer Clicked" id="outer" style="padding:9px">
       <button data-attune-track="Plan Chosen" data-attune-prop-plan-name="Pro" data-attune-prop-product_id="p1" data-attune-prop-n="2" data-other="x">
         <b id="child">Choose</b> <svg width="20" height="20"><rect id="rect" width="20" height="20"/></svg>
       </button>
     </div>
     <svg width="20" height="20"><rect id="marked" width="20" height="20" data-attune-track="Shape Clicked"/></svg>
     <button id="nameless" data-attune-track>None</button><p id="plain">Nothing</p>
     <script>document.addEventListener("click", (event) => { event.stopImmediatePropagation(); event.preventDefault(); }, true)</script>`,
  );
  for (const id of ["child", "rect", "marked", "nameless", "plain"]) await page.click(`#${id}`);
  await page.click("#outer", { position: { x: 2, y: 2 } });
  await page.evaluate(() => {
    const later = document.createElement("button");
    later.id = "later";
    later.dataset["attuneTrack"] = "Late Clicked";
    later.textContent = "Later";
    document.body.append(later);
  });
  await page.focus("#later");
  await page.keyboard.press("Enter");
  const plan = { event: "Plan Chosen", properties: { planName: "Pro", product_id: "p1", n: "2" } };
  expect(await tracked(page)).toEqual([
    plan,
    plan,
    { event: "Shape Clicked", properties: {} },
    { event: "Outer Clicked", properties: {} },
    { event: "Late Clicked", properties: {} },
  ]);
});

it("tracks a form when it is submitted, not the clicks in it, and never what was typed", async () => {
  const visitor = await stage.visitor();
  const page = await open(
    visitor,
    `<form id="form" data-attune-track="Letter Ordered" data-attune-prop-place="footer" onsubmit="return false">
       <input id="mail" name="dataset2" type="email" value="secret@example.com"><input type="password" value="secret2">
       <textarea>secret3</textarea><button>Order</button>
     </form>`,
  );
  await page.click("#mail");
  await page.click("button");
  await page.focus("#mail");
  await page.keyboard.press("Enter");
  await page.fill("#mail", "no address");
  await page.click("button");
  const order = { event: "Letter Ordered", properties: { place: "footer" } };
  expect(await tracked(page)).toEqual([order, order]);
  await page.evaluate(() => attune.flush());
  expect(JSON.stringify([visitor.sent, await page.evaluate(() => heard)])).not.toContain("secret");
});

it("counts the click on a label once", async () => {
  const visitor = await stage.visitor();
  const page = await open(
    visitor,
    `<label data-attune-track="Size Chosen"><span id="text">Large</span> <input type="radio" id="radio"></label>
     <div data-attune-track="Card Clicked"><label for="far" id="near">Here</label></div><input type="checkbox" id="far">`,
  );
  for (const id of ["text", "radio", "near"]) await page.click(`#${id}`);
  expect((await tracked(page)).map(({ event }) => event)).toEqual(["Size Chosen", "Size Chosen", "Card Clicked"]);
});

it("hears what happens in open shadow roots, forms included", async () => {
  const visitor = await stage.visitor();
  const page = await open(visitor, `<div data-attune-prop-no="outside"><x-card></x-card></div>`);
  await page.evaluate(() => {
    const root = document.querySelector("x-card")!.attachShadow({ mode: "open" });
    root.innerHTML = `<button id="in" data-attune-track="Inside Clicked" data-attune-prop-where="shadow"><i>In</i></button>
      <form data-attune-track="Inside Submitted" onsubmit="return false"><button id="send">Send</button></form><x-inner></x-inner>`;
    root.querySelector("x-inner")!.attachShadow({
      mode: "open",
    }).innerHTML = `<form data-attune-track="Innermost Submitted" onsubmit="return false"><button id="deep">Send</button></form>`;
  });
  for (const id of ["in", "send", "deep", "send"]) await page.click(`#${id}`);
  expect(await tracked(page)).toEqual([
    { event: "Inside Clicked", properties: { where: "shadow" } },
    { event: "Inside Submitted", properties: {} },
    { event: "Innermost Submitted", properties: {} },
    { event: "Inside Submitted", properties: {} },
  ]);
});

it("captures nothing in what is to be ignored, not the click in a slot either", async () => {
  const visitor = await stage.visitor();
  const page = await open(
    visitor,
    `<button id="self" data-attune-track="A" data-attune-ignore>A</button>
     <div data-attune-ignore>
       <button id="inside" data-attune-track="B">B</button><x-card></x-card>
       <form data-attune-track="C" onsubmit="return false"><button id="form">C</button></form>
       <attune-block name="hero"><p>Fallback</p></attune-block>
     </div>
     <button id="end" data-attune-track="End">End</button>`,
  );
  await page.evaluate(() => {
    document
      .querySelector("x-card")!
      .attachShadow({ mode: "open" }).innerHTML = `<button id="shadow" data-attune-track="D">D</button>`;
  });
  await page.waitForSelector("attune-block .all a");
  for (const id of ["self", "inside", "shadow", "form", "end"]) await page.click(`#${id}`);
  await page.click("attune-block a");
  const names = (await tracked(page)).map(({ event }) => event);
  expect(names.filter((name) => name !== "Attune Exposure")).toEqual(["End"]);
});

it("does not lose the click on a link that leads away", async () => {
  const visitor = await stage.visitor();
  const page = await open(visitor, `<a id="away" href="/away" data-attune-track="Link Followed">Away</a>`);
  const id = (await page.evaluate(() => attune.anonymousId()))!;
  await page.click("#away");
  await page.waitForURL("**/away");
  const events = await until(async () => {
    await page.evaluate(() => attune.flush());
    const events = (await visitor.stored(id)).filter(({ event }) => event === "Link Followed");
    return events.length > 0 && events;
  }, "the click in D1");
  expect(events).toHaveLength(1);
});
