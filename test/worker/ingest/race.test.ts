import { expect, it } from "vitest";
import { ingest } from "../../../edge/ingest/ingest.ts";
import { parseEvent } from "../../../edge/ingest/parse.ts";
import { readSiteByWriteKey } from "../../../edge/manifest/read.ts";
import { bindings, createSite, type TestSite, track } from "../site.ts";

const BUYER = { key: "buyer", condition: { event: "Order Completed", count: { gte: 2 } } };

async function openSite(): Promise<{ site: TestSite; store: (db: D1Database, ids: object) => Promise<unknown> }> {
  const site = await createSite({ segments: [BUYER] });
  const live = (await readSiteByWriteKey(bindings, { waitUntil: () => {} }, site.writeKey, Date.now()))!;
  const store = (db: D1Database, ids: object) => {
    const receivedAt = Date.now();
    const message = track("Order Completed", {}, { anonymousId: undefined, ...ids });
    const defaults = {
      sentAt: null,
      context: undefined,
      newId: () => crypto.randomUUID(),
      identity: live.identity,
    };
    const events = [parseEvent(message, receivedAt, defaults)];
    return ingest(db, live, { events, source: "server", receivedAt });
  };
  return { site, store };
}

/** D1, with something that happens elsewhere between what a request knows and what it writes. */
function interrupted(meanwhile: () => Promise<unknown>, before: number): D1Database {
  let calls = 0;
  return {
    prepare: (sql: string) => bindings.DB.prepare(sql),
    batch: async (statements: D1PreparedStatement[]) => {
      if (++calls === before) await meanwhile();
      return bindings.DB.batch(statements);
    },
  } as unknown as D1Database;
}

it("starts again when the person was written elsewhere since they were read", async () => {
  const { site, store } = await openSite();
  await site.batch([{ type: "identify", userId: "zoe", anonymousId: "a", messageId: "i1" }]);
  await site.batch([{ type: "identify", userId: "zoe", anonymousId: "b", messageId: "i2" }]);
  // Remembered here, so the first batch is the write.
  await store(
    interrupted(() => store(bindings.DB, { anonymousId: "b" }), 1),
    { anonymousId: "a" },
  );
  const profiles = await site.rows<{ version: number; decisions: string }>(
    "SELECT version, decisions FROM profiles WHERE site_id = ?1 AND merged_into IS NULL",
  );
  expect(profiles).toMatchObject([{ version: 4 }]);
  expect(Object.keys(JSON.parse(profiles[0]!.decisions))).toEqual(["buyer"]);
  expect(await site.rows("SELECT 1 FROM memberships WHERE site_id = ?1")).toHaveLength(1);
});

it("starts again when somebody new came into being elsewhere meanwhile", async () => {
  const { site, store } = await openSite();
  // Nobody is known, so the second batch is the write.
  const elsewhere = () => store(bindings.DB, { userId: "max", anonymousId: "c" });
  await store(interrupted(elsewhere, 2), { anonymousId: "c" });
  expect(await site.rows("SELECT 1 FROM identifiers WHERE site_id = ?1")).toHaveLength(2);
  expect(await site.rows("SELECT 1 FROM profiles WHERE site_id = ?1")).toHaveLength(1);
  expect(await site.rows("SELECT 1 FROM memberships WHERE site_id = ?1")).toHaveLength(1);
});
