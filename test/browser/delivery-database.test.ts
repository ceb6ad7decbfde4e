/** The device's database is made anew where it is not ours, and lost without loss. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { arrived, heardOf, idOf, readOutbox, ready } from "./device.ts";
import { openStage, type Stage, type Visitor } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const offline = (visitor: Visitor) => visitor.context.route(/\/a\/(batch|decide)$/, (route) => route.abort());

/** A page of the shop's origin without the script. */
async function openBlank(visitor: Visitor): Promise<Page> {
  const page = await visitor.context.newPage();
  await page.route("**/blank", (route) => route.fulfill({ contentType: "text/html", body: "" }));
  await page.goto(`${stage.shopUrl}/blank`);
  return page;
}

/** Opens the database as somebody else would. @param held does not let go of it any more */
const makeDatabase = (page: Page, version: number, tables: readonly string[], held = false) =>
  page.evaluate(
    ({ name, version, tables, held }) =>
      new Promise<void>((resolve) => {
        const request = indexedDB.open(name, version);
        request.onupgradeneeded = () => {
          for (const table of tables) request.result.createObjectStore(table);
        };
        request.onsuccess = () => {
          if (!held) request.result.close();
          resolve();
        };
      }),
    { name: `attune.${stage.writeKey}`, version, tables, held },
  );

it.each([
  ["of the future", 99, ["things"]],
  ["half made", 1, []],
  ["of an earlier script", 1, ["outbox", "state"]],
] as const)("makes a database %s anew", async (_, version, tables) => {
  const visitor = await stage.visitor();
  const blank = await openBlank(visitor);
  await makeDatabase(blank, version, tables);
  await offline(visitor);
  const page = await visitor.open("", "", blank);
  await ready(page);
  await page.evaluate(() => {
    attune.track("Kept");
    return attune.flush();
  });
  const id = await idOf(page);
  expect((await readOutbox(page, stage.writeKey))?.map(({ event, seq }) => [event, seq])).toEqual([
    [undefined, 1],
    ["Kept", 2],
  ]);
  await page.reload();
  await ready(page);
  expect(await idOf(page)).toBe(id);
});

it("opens a database of a later version that has what it needs", async () => {
  const visitor = await stage.visitor();
  await offline(visitor);
  const page = await visitor.open();
  await ready(page);
  const id = await idOf(page);
  await page.evaluate(() => attune.flush());
  const blank = await openBlank(visitor);
  await makeDatabase(blank, 7, ["more"]);
  expect(await readOutbox(blank, stage.writeKey)).toHaveLength(1);
  const later = await visitor.open("", "", blank);
  await ready(later);
  expect(await idOf(later)).toBe(id);
});

it("goes on in memory within a second where another tab does not let go, and says so once", async () => {
  const visitor = await stage.visitor();
  await makeDatabase(await openBlank(visitor), 99, [], true);
  const page = await visitor.open();
  await ready(page);
  await page.evaluate(() => {
    attune.track("From memory");
    attune.track("And again");
    return attune.flush();
  });
  await arrived(visitor, await idOf(page), "From memory", "And again");
  expect(visitor.sent.flatMap(({ messages }) => messages).some((message) => "seq" in message)).toBe(false);
  expect(await heardOf(page, "error")).toHaveLength(1);
});

it("sends what the database was not given before the page goes", async () => {
  const visitor = await stage.visitor();
  const other = await openBlank(visitor);
  await makeDatabase(other, 99, [], true);
  const page = await visitor.open();
  await ready(page);
  const id = await idOf(page);
  await page.evaluate(() => {
    attune.track("At once");
    location.href = "about:blank";
  });
  await arrived(visitor, id, "At once");
});

it("keeps what was tracked when the database is deleted under it, and does not bring it back", async () => {
  const visitor = await stage.visitor();
  await offline(visitor);
  const page = await visitor.open();
  await ready(page);
  await page.evaluate(() => {
    attune.track("Before");
    return attune.flush();
  });
  const id = await idOf(page);
  const blank = await openBlank(visitor);
  await blank.evaluate(
    (name) =>
      new Promise<unknown>((resolve) => {
        indexedDB.deleteDatabase(name).onsuccess = resolve;
      }).then(() => undefined),
    `attune.${stage.writeKey}`,
  );
  await page.evaluate(() => attune.track("After"));
  await visitor.context.unrouteAll();
  await page.evaluate(() => attune.flush());
  await arrived(visitor, id, "Before", "After");
  const sent = visitor.sent.flatMap(({ messages }) => messages);
  expect(sent.find(({ event }) => event === "Before")?.seq).toBe(2);
  expect(sent.find(({ event }) => event === "After")).not.toHaveProperty("seq");
  expect(await readOutbox(blank, stage.writeKey)).toBeUndefined();
});

it("goes on in memory on a disk that is full", async () => {
  const visitor = await stage.visitor();
  const blank = await openBlank(visitor);
  const devtools = await visitor.context.newCDPSession(blank);
  await devtools.send("Storage.overrideQuotaForOrigin", { origin: stage.shopUrl, quotaSize: 1 });
  const page = await visitor.open("", "", blank);
  await ready(page);
  await page.evaluate(() => {
    attune.track("Too Much", { text: "x".repeat(20_000) });
    return attune.flush();
  });
  await arrived(visitor, await idOf(page), "Too Much");
  expect(await heardOf(page, "error")).toEqual([expect.stringMatching(/quota/i)]);
});
