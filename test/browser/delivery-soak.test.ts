/** Offline for long in several tabs, then online: none lost, none twice, numbered without a gap. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Message } from "../../shared/event.ts";
import { idOf, readOutbox, ready } from "./device.ts";
import { openStage, type Stage, until } from "./stage.ts";

const TABS = 3;
const EVENTS = 5_000;
const DRAIN_MS = 180_000;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

it("delivers 5,000 events of three tabs that were offline, once each", { timeout: 300_000 }, async () => {
  const visitor = await stage.visitor();
  const pages: Page[] = [];
  for (let tab = 0; tab < TABS; tab++) {
    const page = await visitor.open();
    await ready(page);
    await page.evaluate(() => attune.flush());
    pages.push(page);
  }
  const id = await idOf(pages[0]!);
  await visitor.context.setOffline(true);
  await Promise.all(
    pages.map((page, tab) =>
      page.evaluate(
        ([tab, tabs, events]) => {
          for (let i = tab!; i < events!; i += tabs!) attune.track("Soak", { i });
          return attune.flush();
        },
        [tab, TABS, EVENTS],
      ),
    ),
  );
  const kept = (await readOutbox(pages[0]!, stage.writeKey))!;
  expect(kept).toHaveLength(EVENTS);
  expect(kept.map(({ seq }) => seq! - kept[0]!.seq!)).toEqual(kept.map((_, index) => index));

  const acked: Message[] = [];
  visitor.context.on("response", (response) => {
    if (response.ok() && response.url().endsWith("/a/batch"))
      acked.push(...JSON.parse(response.request().postData()!).batch);
  });
  await visitor.context.setOffline(false);
  await until(async () => !(await readOutbox(pages[0]!, stage.writeKey))?.length, "the outbox to be empty", DRAIN_MS);
  await until(() => acked.length >= EVENTS, "the last answer");
  expect(acked.map(({ seq }) => seq)).toEqual(kept.map(({ seq }) => seq));

  const { id: profile } = await stage.api<{ id: string }>("GET", `/api/profiles?anonymousId=${id}`);
  const { data } = await stage.api<{ data: object[] }>("GET", `/api/profiles/${profile}/delivery`);
  expect(data).toMatchObject([{ anonymousId: id, first: 1, last: kept.at(-1)?.seq, missing: 0 }]);
});
