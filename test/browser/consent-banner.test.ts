/** The sample banner: asks nobody twice, nothing is ticked beforehand, and no is as easy as yes. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, inject, it } from "vitest";
import { left, NOTHING, ready } from "./consent.ts";
import { openStage, type Stage, until } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterEach(() => {
  delete stage.headers["content-security-policy"];
});
afterAll(() => stage?.close());

const LINK = '<main><a href="#privacy" data-attune-consent>Privacy settings</a></main>';
const banner = (attributes = "") =>
  `${LINK}<script async nonce="banner" ${attributes} src="${inject("workerUrl")}/attune.banner.js"></script>`;
const OFF = 'data-consent="off"';
const dialog = (page: Page) => page.getByRole("dialog");
const mode = (page: Page) =>
  page.evaluate(() => heard.filter(({ type }) => type === "consent").at(-1)?.detail.mode as string | undefined);
const gone = (page: Page) => until(async () => (await dialog(page).count()) === 0, "the banner to go");

it("asks where nobody has chosen and the default is off, under a strict policy, and not again after a no", async () => {
  const worker = new URL(inject("workerUrl")).origin;
  stage.headers["content-security-policy"] =
    `default-src 'none'; script-src 'nonce-stub' 'nonce-tag' 'nonce-banner'; connect-src ${worker}; require-trusted-types-for 'script'; trusted-types attune`;
  const visitor = await stage.visitor();
  const page = await visitor.open(banner(), OFF);
  const violations: string[] = [];
  page.on("console", (message) => {
    if (/Content Security Policy|Trusted/i.test(message.text())) violations.push(message.text());
  });
  await dialog(page).waitFor();
  expect(await dialog(page).evaluate((panel) => getComputedStyle(panel).borderTopLeftRadius)).not.toBe("0px");
  // It does not take the focus from what somebody is doing.
  expect(await page.evaluate(() => document.activeElement === document.body)).toBe(true);
  expect(await left(page)).toEqual(NOTHING);
  const [reject, accept] = [
    page.getByRole("button", { name: "Reject all" }),
    page.getByRole("button", { name: "Accept all" }),
  ];
  const [no, yes] = [(await reject.boundingBox())!, (await accept.boundingBox())!];
  expect([no.width, no.height, no.y]).toEqual([yes.width, yes.height, yes.y]);
  await reject.click();
  await gone(page);
  await page.reload();
  await until(() => mode(page), "what holds");
  expect(await mode(page)).toBe("off");
  expect(await dialog(page).count()).toBe(0);
  expect(violations).toEqual([]);
});

it("lets a visitor choose by keyboard, purpose by purpose, and think again by a link", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(banner(), OFF);
  await dialog(page).waitFor();
  expect(await dialog(page).getByRole("heading", { name: "Your privacy" }).count()).toBe(1);
  // The first thing in the page.
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  const box = (name: string) => page.getByRole("checkbox", { name });
  expect(await box("Necessary").isDisabled()).toBe(true);
  for (const name of ["Statistics", "Personalization", "Marketing"]) expect(await box(name).isChecked()).toBe(false);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await ready(page);
  await gone(page);
  const purposes = () => page.evaluate(() => heard.filter(({ type }) => type === "consent").at(-1)!.detail.purposes);
  expect(await purposes()).toEqual({ necessary: true, analytics: true, personalization: false, marketing: false });

  await page.getByRole("link", { name: "Privacy settings" }).click();
  expect(await box("Statistics").isChecked()).toBe(true);
  expect(await box("Marketing").isChecked()).toBe(false);
  // Escape changes nothing, and the focus goes back to where it was.
  await box("Marketing").check();
  await page.keyboard.press("Escape");
  await gone(page);
  expect(await purposes()).toMatchObject({ analytics: true, marketing: false });
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Privacy settings");
  expect(page.url()).not.toContain("#privacy");

  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Accept all" }).click();
  await until(async () => (await purposes()).marketing, "all of it");
  await page.getByRole("link", { name: "Privacy settings" }).click();
  await page.getByRole("button", { name: "Reject all" }).click();
  await until(async () => (await mode(page)) === "off", "none of it");
});

it("goes in each tab when it is answered in one, and comes back after Escape, which is no answer", async () => {
  const visitor = await stage.visitor();
  const [one, two] = [await visitor.open(banner(), OFF), await visitor.open(banner(), OFF)];
  for (const page of [one, two]) await dialog(page).waitFor();
  await one.getByRole("button", { name: "Reject all" }).focus();
  await one.keyboard.press("Escape");
  await gone(one);
  expect(await left(one)).toEqual(NOTHING);
  await one.reload();
  await dialog(one).waitFor();
  await one.getByRole("button", { name: "Reject all" }).click();
  await gone(one);
  await gone(two);
});

it("speaks the page's language, or what the site writes, and offers no marketing to who refuses it by the browser", async () => {
  const visitor = await stage.visitor();
  await visitor.context.addInitScript(() => {
    Object.defineProperty(navigator, "globalPrivacyControl", { value: true });
  });
  const page = await visitor.open(banner('data-lang="de" data-title="Kekse?" data-policy="/datenschutz"'), OFF);
  await dialog(page).waitFor();
  expect(await dialog(page).getByRole("heading").textContent()).toBe("Kekse?");
  expect(await page.getByRole("link", { name: "Datenschutz" }).getAttribute("href")).toBe("/datenschutz");
  await page.getByText("Einzeln auswählen").click();
  const marketing = page.getByRole("checkbox", { name: /Marketing.*Ihr Browser sagt nein/ });
  expect([await marketing.isDisabled(), await marketing.isChecked()]).toEqual([true, false]);
  await page.getByRole("button", { name: "Alle annehmen" }).click();
  await ready(page);
  expect(
    await page.evaluate(() => heard.filter(({ type }) => type === "consent").at(-1)!.detail.purposes),
  ).toMatchObject({
    analytics: true,
    personalization: true,
    marketing: false,
  });
});

it("says in which language it speaks: its own where it has no texts in the page's", async () => {
  const visitor = await stage.visitor();
  for (const [attributes, expected] of [
    ['data-lang="ja"', "en"],
    ['data-lang="ja" data-title="プライバシー"', "ja"],
    ['data-lang="fr-CA"', "fr-CA"],
  ] as const) {
    const page = await visitor.open(banner(attributes), OFF);
    await dialog(page).waitFor();
    expect(await page.locator("attune-consent").getAttribute("lang")).toBe(expected);
  }
});

it("asks nobody where the site's default allows, or Do Not Track has answered", async () => {
  const visitor = await stage.visitor();
  await visitor.context.addInitScript(() => {
    Object.defineProperty(navigator, "doNotTrack", { value: "1" });
  });
  for (const attributes of ['data-consent="memory"', 'data-consent="memory" data-dnt']) {
    const page = await visitor.open(banner(), attributes);
    await until(() => mode(page), "what holds");
    await page.waitForLoadState();
    expect(await dialog(page).count()).toBe(0);
  }
});
