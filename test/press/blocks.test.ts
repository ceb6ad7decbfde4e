/** Blocks whose templates are MJML: as they are saved, published, rendered and read back. */
// Schemas of the API are made after it has extended zod.
import "@hono/zod-openapi";

import { expect, it } from "vitest";
import { type BlockInput, toBodyAnswer } from "../../edge/api/block-body.ts";
import { checkBody, checkLive, type Surroundings } from "../../edge/api/block-checks.ts";
import { lintHtml } from "../../edge/blocks/checks/html.ts";
import { decideSlots, NOBODY } from "../../edge/blocks/decide.ts";
import { type BlockBody, toManifestBlock } from "../../edge/db/blocks.ts";
import { buildLiveSite } from "../../edge/manifest/live.ts";
import { Problem } from "../../edge/problem.ts";
import type { Press } from "../../shared/press.ts";
import { press } from "./press.ts";

const T = Date.UTC(2026, 2, 1);
const around: Surroundings = {
  site: {
    ...{ id: "s1", name: "Shop", version: 1, rules: { version: 1, at: T }, createdAt: T },
    settings: { timeZone: "UTC", consentDefault: "full", origins: [] },
  },
  segments: [],
  published: [],
};

const MJML = `<mj-section><mj-column>
  <mj-text>Hi {{ customer.name | default: "you" }}</mj-text>
  {% if segment.vip %}<mj-button href="https://shop.example/vip">Go</mj-button>{% endif %}
</mj-column></mj-section>`;

const input = (template: string, fallback: string | null = null): BlockInput => ({
  ...{ name: null, format: "mjml", schedule: null, priority: 0, cap: null, safeIfStale: true, fallback },
  variants: [{ key: "all", audience: null, template, link: null, image: null }],
});

async function refused(template: string, by: Press | null = press): Promise<Problem> {
  const answer = await checkBody(input(template), around, by ?? undefined).catch((error: unknown) => error);
  expect(answer).toBeInstanceOf(Problem);
  return answer as Problem;
}

const version = (body: BlockBody) => ({ ...body, key: "hero", slot: "hero", version: 1, publishedAt: T });

it("is published as HTML in which the Liquid works, and read back as it was written", async () => {
  const body = await checkBody(input(MJML, "<mj-text>Bye {{ site.name }}</mj-text>"), around, press);
  const block = version(body);
  expect(toBodyAnswer(block)).toMatchObject({
    format: "mjml",
    fallback: "<mj-text>Bye {{ site.name }}</mj-text>",
    variants: [{ template: MJML }],
  });
  checkLive(block, around, T);
  const blocks = [toManifestBlock(block)];
  expect(JSON.stringify(blocks)).not.toMatch(/<mj-/);
  const { settings, rules } = around.site;
  const live = buildLiveSite({
    siteId: "s1",
    name: "Shop",
    version: 1,
    publishedAt: T,
    rules,
    settings,
    segments: [],
    blocks,
  });
  const show = (viewer: object) => decideSlots(live, ["hero"], { ...NOBODY, ...viewer }, undefined, T)["hero"]!.html!;
  const html = show({ traits: { name: "<Ada>" }, segments: { vip: [T, null] } });
  expect(html).toMatch(/^<style/);
  expect(html).toContain("Hi &lt;Ada&gt;");
  expect(html).toContain('href="https://shop.example/vip"');
  expect(show({})).toContain("Hi you");
  expect(show({})).not.toContain("shop.example");
});

it("is refused for its MJML at its line, for its Liquid at its line and column", async () => {
  const problem = await refused("<mj-section>\n<mj-column>\n<mj-text>a</mj-column></mj-section>");
  expect(problem.errors).toContainEqual({
    pointer: "/variants/0/template",
    code: "mjml",
    detail: "<mj-text> is not closed (line 3)",
  });
  expect((await refused("<mj-text>a</mj-text>\n  {% if a %}")).errors).toMatchObject([
    { code: "liquid-syntax", detail: expect.stringContaining("line 2, column 3") },
  ]);
});

it("is refused where a value would stand in what becomes CSS, or a URL is unsafe", async () => {
  const style =
    "<mjml><mj-head><mj-style>p { color: {{ customer.color }} }</mj-style></mj-head><mj-body></mj-body></mjml>";
  expect((await refused(style)).errors).toMatchObject([
    { code: "unsafe-position", detail: expect.stringMatching(/^In the HTML that it becomes/) },
  ]);
  const link = '<mj-button href="javascript:alert(1)">a</mj-button>';
  expect((await refused(link)).errors).toMatchObject([{ code: "unsafe-url" }]);
});

it("is refused where it becomes more than a row holds", async () => {
  const template = `<mj-text>${"x".repeat(60_000)}</mj-text>`;
  const one = input(template);
  const variants = Array.from({ length: 20 }, (_, index) => ({ ...one.variants[0]!, key: `v${index}` }));
  const answer = await checkBody({ ...one, variants }, around, press).catch((error: unknown) => error);
  expect((answer as Problem).errors).toMatchObject([{ pointer: "/variants", code: "too-large" }]);
});

it("is refused where there is no press, and told what to do", async () => {
  expect((await refused("<mj-text>a</mj-text>", null)).errors).toEqual([
    { pointer: "/format", code: "no-press", detail: expect.stringMatching(/press.*npm run/) },
  ]);
});

it("is looked over as it was written", () => {
  expect(lintHtml('<mj-image src="a.png" />\n<mj-image alt="A" src="a.png" />', [], "/fallback")).toMatchObject([
    { code: "no-alt", detail: expect.stringContaining("line 1, column 1") },
  ]);
});

it("is to be tried again where the press does not answer", async () => {
  const silent = { compileMjml: () => Promise.reject(new Error("gone")) } as unknown as Press;
  expect((await refused("<mj-text>a</mj-text>", silent)).slug).toBe("overloaded");
});
