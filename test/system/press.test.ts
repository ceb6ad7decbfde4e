/** Both Workers as they are started together: what the first one asks of the second one. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type System, startSystem } from "./system.ts";

let system: System;

beforeAll(async () => {
  system = await startSystem();
});

afterAll(() => system?.stop());

const save = (key: string, template: string) =>
  system.api("POST", "/api/blocks", {
    ...{ key, slot: key, format: "mjml" },
    variants: [{ key: "all", audience: null, template }],
  });

it("saves a block in MJML, and shows it as HTML", async () => {
  await save("hero", "<mj-section><mj-column><mj-text>Hello {{ 'you' | upcase }}</mj-text></mj-column></mj-section>");
  await system.api("POST", "/api/blocks/hero/publish", {});
  const response = await fetch(`${system.worker.url}/v1/decide`, {
    method: "POST",
    headers: { "content-type": "text/plain" },
    body: JSON.stringify({ writeKey: system.writeKey, anonymousId: "visitor-1", slots: ["hero"] }),
  });
  expect(await response.text()).toMatch(/<table [\s\S]*>Hello YOU<\/div>/);
});

it("refuses MJML that does not compile, with its line", async () => {
  await expect(save("broken", "<mj-section>\n<mj-column>\n<mj-txt />\n</mj-column></mj-section>")).rejects.toThrow(
    /answered 422[\s\S]*mj-txt/,
  );
});
