/** The whole script under policies: the strictest that it works under, and those that refuse it something. */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { ASSETS } from "../../cli/project.ts";
import { openStage, type Stage, until, type Visitor } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const HERO = '<attune-block name="hero"><p class=plain>Plain</p></attune-block>';

const strict = () => ({
  "default-src": "'none'",
  "script-src": "'nonce-stub' 'nonce-tag' 'strict-dynamic'",
  "connect-src": inject("workerUrl"),
  "style-src": "'none'",
  "require-trusted-types-for": "'script'",
  "trusted-types": "attune",
  "report-uri": "/reports",
});

/** What the page's policy has refused, and what of us has thrown in it. */
interface Open {
  page: Page;
  reports: string[];
  thrown: string[];
}

async function open(visitor: Visitor, policy: { [directive: string]: string }, html: string, tag = ""): Promise<Open> {
  stage.headers["content-security-policy"] = Object.entries(policy)
    .map(([name, value]) => `${name} ${value}`)
    .join("; ");
  const page = await visitor.context.newPage();
  const reports: string[] = [];
  const thrown: string[] = [];
  page.on("request", (request) => request.url().endsWith("/reports") && reports.push(request.postData() ?? ""));
  page.on("console", (message) => /policy|Trusted/i.test(message.text()) && reports.push(message.text()));
  page.on("pageerror", (error) => thrown.push(String(error)));
  await visitor.open(html, tag, page);
  delete stage.headers["content-security-policy"];
  return { page, reports, thrown };
}
const shown = (page: Page, selector: string) =>
  until(
    () =>
      page.evaluate((selector) => {
        const element = document.querySelector(selector);
        return !!element && getComputedStyle(element).visibility === "visible";
      }, selector),
    selector,
  );

async function useAll({ page, reports, thrown }: Open): Promise<void> {
  await shown(page, "p.all");
  const [why, kept] = await page.evaluate(async () => {
    attune.track("Product Viewed", { category: "shoes" });
    attune.track("Product Viewed", { category: "shoes" });
    await attune.flush();
    const why = (await attune.explain())?.find(({ key }) => key === "interested");
    return [why?.value, Object.keys((await attune.stored()) ?? {})];
  });
  expect([why, kept]).toEqual([true, expect.arrayContaining(["outbox", "state"])]);
  await shown(page, "p.shoes");
  await page.evaluate(() => attune.debug());
  expect(reports).toEqual([]);
  expect(thrown).toEqual([]);
}

it("works whole under a strict policy, and causes no report", async () => {
  await useAll(await open(await stage.visitor(), strict(), HERO));
});

/** The hashed file, and its tag with an integrity. */
async function readHashed(): Promise<[integrity: string, tag: (integrity: string, nonce?: string) => string]> {
  const name = (await readdir(ASSETS)).find((file) => /^attune\.[0-9a-f]{12}\.js$/.test(file))!;
  const url = `${inject("workerUrl")}/${name}`;
  const body = Buffer.from(await (await fetch(url)).arrayBuffer());
  return [
    `sha384-${createHash("sha384").update(body).digest("base64")}`,
    (integrity, nonce = "tag") =>
      `<script nonce="${nonce}" src="${url}" integrity="${integrity}" crossorigin data-key="${stage.writeKey}"></script>`,
  ];
}
const NO_TAG = 'type="text/plain"';

it("works whole as the hashed file with its integrity; of another content the page stays as it is", async () => {
  const [integrity, tag] = await readHashed();
  await useAll(await open(await stage.visitor(), strict(), HERO + tag(integrity), NO_TAG));

  const wrong = tag(integrity.replace(/.{8}$/, "AAAAAAAA"));
  const { page, thrown } = await open(await stage.visitor(), strict(), HERO + wrong, NO_TAG);
  await shown(page, "p.plain");
  expect(await page.evaluate(() => "version" in attune)).toBe(false);
  expect(thrown).toEqual([]);
});

it.each([
  ["the policy names the Worker, without a nonce", () => `'nonce-stub' ${inject("workerUrl")}`],
  ["the policy names a nonce and nothing else", () => "'nonce-stub' 'nonce-tag'"],
])("works whole where %s", async (_, source) => {
  await useAll(await open(await stage.visitor(), { ...strict(), "script-src": source() }, HERO));
});

it.each([
  ["its Trusted Types", { "trusted-types": "another" }],
  ["its requests", { "connect-src": "'none'" }],
])("leaves the page's own content where %s are refused, says so, and throws nothing", async (_, refusal) => {
  const { page, thrown, reports } = await open(await stage.visitor(), { ...strict(), ...refusal }, HERO);
  await until(() => page.evaluate(() => heard.some(({ type }) => type === "error")), "the error");
  await shown(page, "p.plain");
  await until(() => reports.length, "the report");
  await page.evaluate(() => attune.track("Still"));
  expect(thrown).toEqual([]);
});

it("leaves the page's own content where the script is refused", async () => {
  const policy = { ...strict(), "script-src": "'nonce-stub'" };
  const { page, thrown } = await open(
    await stage.visitor(),
    policy,
    `${HERO}<script nonce=stub>attune.track("Kept")</script>`,
  );
  await shown(page, "p.plain");
  expect(await page.evaluate(() => Array.isArray(attune) && attune.some(([method]) => method === "track"))).toBe(true);
  expect(thrown).toEqual([]);
});

it("answers nothing where its lazy part is refused, and says so", async () => {
  // The hash of a file does not pass on to what the file loads.
  const [integrity, tag] = await readHashed();
  const policy = { ...strict(), "script-src": `'nonce-stub' '${integrity}'` };
  const { page, thrown } = await open(await stage.visitor(), policy, HERO + tag(integrity, ""), NO_TAG);
  await shown(page, "p.all");
  const refused = (part: string) =>
    page.evaluate((part) => heard.filter(({ detail }) => String(detail).includes(part)).length, part);
  await until(() => refused("attune.watch"), "the refusal of another");
  expect(await page.evaluate(async () => [await attune.explain(), await attune.stored()])).toEqual([
    undefined,
    undefined,
  ]);
  expect(await refused("attune.debug")).toBe(1);
  expect(thrown).toEqual([]);
});
