/** What visitors allow in a consent manager, they allow here: stubs written to the published interfaces. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { left, NOTHING, ready } from "./consent.ts";
import { openStage, type Stage, until } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const tag = (name: string, attributes = "") => `<script ${attributes} src="${inject("workerUrl")}/${name}"></script>`;
/** What holds now: the mode, and what is granted besides the necessary. */
const terms = (page: Page) =>
  page.evaluate(() => {
    const { mode, purposes } = heard.filter(({ type }) => type === "consent").at(-1)?.detail ?? {};
    return [mode, ...["analytics", "personalization", "marketing"].filter((purpose) => purposes?.[purpose])].join(" ");
  });
const become = (page: Page, expected: string) => until(async () => (await terms(page)) === expected, expected);

declare global {
  var gtag: (...args: unknown[]) => void;
  var cmp: {
    /** The manager has come: what waited in the stub is answered. */
    load(): void;
    /** The visitor has been asked, or what they said before is known. */
    say(eventStatus: string, consents: number[], gdprApplies?: boolean): void;
  };
}

/** gtag.js as Google has it in pages, before the tag itself is there. */
const GTAG = "window.dataLayer=window.dataLayer||[];function gtag(){dataLayer.push(arguments)}";
const ALL = ["ad_storage", "ad_user_data", "ad_personalization", "analytics_storage", "personalization_storage"];
const signals = (value: string, names = ALL) => Object.fromEntries(names.map((name) => [name, value]));

it("takes what Consent Mode is told, before and after it came, and no default for a choice", async () => {
  const visitor = await stage.visitor();
  const wait = JSON.stringify({ ...signals("granted"), wait_for_update: 500, region: ["US"] });
  const denied = JSON.stringify({ ...signals("denied"), security_storage: "granted", region: ["DE", "US-CA"] });
  const html = `<script nonce="gtag">${GTAG};gtag("consent","default",${wait});gtag("consent","default",${denied});gtag("js",new Date())</script>${tag("attune.google-consent.js")}`;
  const page = await visitor.open(html, 'data-consent="off"');
  await become(page, "off");
  expect(await left(page)).toEqual(NOTHING);

  await page.evaluate(() => {
    // A manager that says signal by signal.
    for (const signal of ["analytics_storage", "personalization_storage"])
      gtag("consent", "update", { [signal]: "granted" });
  });
  await become(page, "full analytics personalization");
  await ready(page);
  await page.evaluate(() => gtag("consent", "update", { ad_storage: "granted", ad_user_data: "granted" }));
  await page.evaluate(() => gtag("consent", "update", { ad_personalization: "granted" }));
  await become(page, "full analytics personalization marketing");
  // Whatever else a page pushes is none of ours.
  await page.evaluate(() => {
    gtag("consent", "update", null);
    gtag("consent", "update", { analytics_storage: "perhaps" });
    gtag(
      "consent",
      "update",
      Object.defineProperty({}, "ad_storage", { get: () => JSON.parse("{"), enumerable: true }),
    );
    (window as unknown as { dataLayer: unknown[] }).dataLayer.push(null, [
      "consent",
      "update",
      { analytics_storage: "denied" },
    ]);
  });
  expect(await terms(page)).toBe("full analytics personalization marketing");
  await page.evaluate((none) => gtag("consent", "update", none), signals("denied"));
  await become(page, "off");
  await until(async () => (await left(page)).databases.length === 0, "the database to go");
});

it("takes an update of before, fills it from the defaults, and lets the site name the signal for personalization", async () => {
  const visitor = await stage.visitor();
  const some = JSON.stringify({ ...signals("denied"), functionality_storage: "granted" });
  const html = `<script nonce="gtag">${GTAG};gtag("consent","default",${some});gtag("consent","update",{analytics_storage:"granted"})</script>${tag("attune.google-consent.js", 'data-personalization="functionality_storage"')}`;
  const page = await visitor.open(html, 'data-consent="off"');
  await become(page, "full analytics personalization");
});

it("takes what is granted by default in some regions for nobody's yes", async () => {
  const visitor = await stage.visitor();
  const defaults = [{ ...signals("granted"), region: ["US"] }, { personalization_storage: "granted" }].map(
    (said) => `gtag("consent","default",${JSON.stringify(said)})`,
  );
  const html = `<script nonce="gtag">${GTAG};${defaults.join(";")};gtag("consent","update",{ad_storage:"denied"})</script>${tag("attune.google-consent.js")}`;
  const page = await visitor.open(html, 'data-consent="off"');
  await become(page, "full personalization");
});

/** The stub that managers put into pages: queues until they come. After "CMP API v2", with its own queue format. */
const CMP = `(function(){var queue=[],listeners=[],loaded=false,data={gdprApplies:undefined,cmpStatus:"stub"};
function call(l){l.callback(Object.assign({},data,{listenerId:l.id}),true)}
window.__tcfapi=function(command,version,callback,parameter){
  if(command==="ping")return callback({gdprApplies:data.gdprApplies,cmpLoaded:loaded,cmpStatus:loaded?"loaded":"stub",apiVersion:"2.2"},true);
  if(!loaded)return queue.push([command,version,callback,parameter]);
  if(version!==2)return callback(null,false);
  if(command==="addEventListener"){var l={id:listeners.length+1,callback:callback};listeners.push(l);call(l)}
};
window.cmp={load:function(){loaded=true;data.cmpStatus="loaded";queue.splice(0).forEach(function(c){__tcfapi.apply(null,c)})},
say:function(status,consents,applies){data={tcString:"CP",tcfPolicyVersion:4,cmpStatus:"loaded",eventStatus:status,gdprApplies:applies!==false,
  purpose:{consents:Object.fromEntries(consents.map(function(id){return[id,true]})),legitimateInterests:{2:true,7:true,8:true,9:true,10:true}}};listeners.forEach(call)}}})()`;

it("takes what a TCF manager says when it has loaded and when the visitor changes it", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(`<script nonce="cmp">${CMP}</script>${tag("attune.tcf.js")}`, 'data-consent="off"');
  await become(page, "off");
  await page.evaluate(() => cmp.load());
  // What it assumes while it asks is no answer.
  await page.evaluate(() => cmp.say("cmpuishown", [1, 3, 4, 5, 6, 7, 8, 9, 10]));
  expect(await terms(page)).toBe("off");
  expect(await left(page)).toEqual(NOTHING);
  await page.evaluate(() => cmp.say("useractioncomplete", [1, 8, 9, 10]));
  await become(page, "full analytics");
  await ready(page);
  await page.evaluate(() => cmp.say("useractioncomplete", [1, 3, 4, 5, 6, 7, 8, 9, 10]));
  await become(page, "full analytics personalization marketing");
  // An opt-out later; half of what a purpose needs is not enough, nor is legitimate interest.
  await page.evaluate(() => cmp.say("useractioncomplete", [1, 5, 6, 3, 8]));
  await become(page, "full personalization");
  // Nothing may be stored on the device.
  await page.evaluate(() => cmp.say("useractioncomplete", [3, 4, 5, 6, 7, 8, 9, 10]));
  await become(page, "off");
  await until(async () => (await left(page)).databases.length === 0, "the database to go");
});

it("waits for a TCF manager that comes late, and leaves visitors to the site's default where GDPR does not apply", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open(tag("attune.tcf.js"), 'data-consent="memory"');
  await ready(page);
  await page.evaluate(CMP);
  await page.evaluate(() => {
    cmp.load();
    cmp.say("tcloaded", [], false);
  });
  expect(await terms(page)).toBe("memory analytics personalization marketing");
  await page.evaluate(() => cmp.say("tcloaded", [1, 5, 6]));
  await become(page, "full personalization");
});
