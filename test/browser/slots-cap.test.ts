/** What is shown so often at most, and what has its time: seen by a browser. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, type Stage, until } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  const variants = (text: string) => [{ key: "only", audience: null, template: `<p>${text}</p>` }];
  for (const block of [
    { key: "promo", priority: 10, cap: { times: 1, within: "1d" }, variants: variants("Promo") },
    { key: "over", priority: 20, schedule: { to: "2020-01-01T00:00" }, variants: variants("Over") },
    { key: "usual", variants: variants("Usual") },
  ]) {
    await stage.api("POST", "/api/blocks", { slot: "aside", ...block });
    await stage.api("POST", `/api/blocks/${block.key}/publish`);
  }
});
afterAll(() => stage?.close());

it("is shown once, and not again for a moment on the next page", async () => {
  const visitor = await stage.visitor();
  const html = "<attune-block name=aside>Fallback</attune-block>";
  const page = await visitor.open(html);
  await page.getByText("Promo").waitFor();
  await until(
    () => page.evaluate(() => heard.some(({ detail }) => detail.event === "Attune Exposure")),
    "the exposure",
  );
  await page.evaluate(() => attune.flush());
  // Whatever the slot shows from the first moment on.
  await page.addInitScript(() => {
    const seen: string[] = [];
    Object.assign(window, { seen });
    new MutationObserver(() => seen.push(document.body?.textContent ?? "")).observe(document, {
      childList: true,
      subtree: true,
    });
  });
  await visitor.open(html, "", page);
  await page.getByText("Usual").waitFor();
  const seen = await page.evaluate(() => (window as unknown as { seen: string[] }).seen);
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.filter((text) => /Promo|Over/.test(text))).toEqual([]);
});
