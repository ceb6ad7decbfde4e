/** The public Segment client for Node, as it comes from npm, pointed at the Worker. */
import { Analytics } from "@segment/analytics-node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type System, startSystem } from "./system.ts";

interface Profile {
  id: string;
  identifiers: { kind: string; value: string }[];
  traits: Record<string, unknown>;
}
interface StoredEvent {
  messageId: string;
  type: string;
  event?: string;
  name?: string;
}

const PATIENCE_MS = 60_000;
let system: System;

beforeAll(async () => {
  system = await startSystem();
});

afterAll(() => system?.stop());

async function readPerson(identifier: string): Promise<{ profile: Profile; events: StoredEvent[] }> {
  const profile = await system.api<Profile>("GET", `/api/profiles?${identifier}`);
  const { data } = await system.api<{ data: StoredEvent[] }>("GET", `/api/profiles/${profile.id}/events?limit=100`);
  return { profile, events: data };
}

it("delivers identify, track, page, screen, group and alias of an unmodified client, each exactly once", async () => {
  const analytics = new Analytics({
    writeKey: system.writeKey,
    host: system.worker.url,
    httpRequestTimeout: PATIENCE_MS,
  });
  const failures: unknown[] = [];
  analytics.on("error", (error) => failures.push(error));

  analytics.track({ anonymousId: "anon-1", event: "Product Viewed", properties: { product_id: "P1", price: 12.5 } });
  analytics.identify({ anonymousId: "anon-1", userId: "user-1", traits: { email: "ada@example.com", plan: "pro" } });
  analytics.page({ userId: "user-1", name: "Home", properties: { path: "/" } });
  analytics.screen({ userId: "user-1", name: "Main" });
  analytics.group({ userId: "user-1", groupId: "acme", traits: { employees: 12 } });
  analytics.track({ userId: "user-1", event: "Order Completed", properties: { revenue: 99 }, messageId: "order-1" });
  analytics.track({ userId: "user-1", event: "Order Completed", properties: { revenue: 99 }, messageId: "order-1" });
  analytics.alias({ userId: "user-1", previousId: "anon-0" });
  await analytics.closeAndFlush({ timeout: PATIENCE_MS });

  expect(failures).toEqual([]);
  const { profile, events } = await readPerson("userId=user-1");
  expect(events.map(({ type, event, name }) => `${type} ${event ?? name ?? ""}`.trim()).sort()).toEqual(
    ["alias", "group", "identify", "page Home", "screen Main", "track Order Completed", "track Product Viewed"].sort(),
  );
  expect(new Set(events.map(({ messageId }) => messageId)).size).toBe(events.length);
  expect(profile.traits).toMatchObject({ email: "ada@example.com", plan: "pro" });
  expect(profile.identifiers.map(({ kind, value }) => `${kind}:${value}`)).toEqual(
    expect.arrayContaining(["userId:user-1", "anonymousId:anon-1"]),
  );
});

it("takes the client's batches of many events, and its resend of a batch changes nothing", async () => {
  const sent: string[] = [];
  const analytics = new Analytics({
    writeKey: system.writeKey,
    host: system.worker.url,
    flushAt: 50,
    httpRequestTimeout: PATIENCE_MS,
    // The first answer is lost on its way, as a cut connection would: the client sends the same batch again.
    httpClient: async (url, options) => {
      const response = await fetch(url, options as RequestInit);
      sent.push(String((options as RequestInit).body));
      if (sent.length === 1) throw new TypeError("terminated");
      return response;
    },
  });
  for (let index = 0; index < 50; index++) {
    analytics.track({ userId: "user-2", event: "Song Played", properties: { index } });
  }
  await analytics.closeAndFlush({ timeout: PATIENCE_MS });

  expect(sent.length).toBe(2);
  const { events } = await readPerson("userId=user-2");
  expect(events.length).toBe(50);
});
