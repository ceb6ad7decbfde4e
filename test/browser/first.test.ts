import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, type Stage, until } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

it("smoke", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open('<attune-block name="hero"><p>Fallback</p></attune-block>');
  page.on("console", (m) => console.log("console", m.text()));
  page.on("pageerror", (e) => console.log("pageerror", e));
  await page.waitForSelector("p.all", { timeout: 5000 }).catch(async () => console.log(await page.content()));
  await page.evaluate(() => {
    attune.track("Product Viewed", { category: "shoes" });
    attune.track("Product Viewed", { category: "shoes" });
  });
  console.log(JSON.stringify(await page.evaluate(() => attune.segments())));
  await page.waitForSelector("p.shoes", { timeout: 5000 }).catch(async () => console.log(await page.content()));
  await page.evaluate(() => attune.flush());
  const id = await page.evaluate(() => attune.anonymousId()!);
  console.log(JSON.stringify(visitor.sent, null, 1).slice(0, 4000));
  console.log(JSON.stringify(await page.evaluate(() => heard)));
  console.log(JSON.stringify(await visitor.stored(id)).slice(0, 2000));
  console.log(JSON.stringify(await page.evaluate(() => attune.explain())));
});
