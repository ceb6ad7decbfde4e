/** Segments decided in the page: at each event and when time alone changes them, without network. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, type Stage, until } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

it("enters at the event and leaves when the window has passed, while the Worker is out of reach", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
  await page.evaluate(() => attune.flush());
  await visitor.context.setOffline(true);
  const entered = await page.evaluate(() => {
    attune.track("Ping");
    return attune.segments();
  });
  expect(Object.keys(entered)).toEqual(["active"]);
  await until(() => page.evaluate(() => heard.filter(({ type }) => type === "segments").length > 1), "the exit");
  const [, exit] = await page.evaluate(() =>
    heard.filter(({ type }) => type === "segments").map(({ detail }) => detail),
  );
  expect(exit).toMatchObject({ entered: [], exited: ["active"], segments: {} });
  expect(Math.abs(Date.now() - Date.parse(entered["active"]!))).toBeLessThan(1_500);
});

it("remembers on the next page what was seen on the last one, and reports only what changed", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
  await page.evaluate(() => attune.track("Product Viewed", { category: "shoes" }));
  await page.evaluate(() => attune.flush());
  await page.reload();
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
  await page.evaluate(() => attune.track("Product Viewed", { category: "shoes" }));
  await until(() => page.evaluate(() => "interested" in attune.segments()), "the segment");
  await page.reload();
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
  expect(await page.evaluate(() => Object.keys(attune.segments()))).toEqual(["interested"]);
  expect(await page.evaluate(() => heard.filter(({ type }) => type === "segments"))).toEqual([]);
});
