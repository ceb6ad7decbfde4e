import { expect, it } from "vitest";
import { createSite, track } from "../site.ts";

it("stores a batch whose common context would make each of its messages large, in parts that D1 takes", async () => {
  const site = await createSite();
  const messages = Array.from({ length: 400 }, (_, i) => ({
    type: "track",
    event: "E",
    anonymousId: `p${i % 7}`,
    messageId: `m${i}`,
  }));
  const answer = await site.batch(messages, { context: { pad: "x".repeat(20_000) } });
  expect(answer).toMatchObject({ accepted: 400, rejected: [] });
  expect(await site.batch(messages, { context: { pad: "y" } })).toMatchObject({ accepted: 400 });
  const [count] = await site.rows<{ n: number }>("SELECT count(*) AS n FROM events WHERE site_id = ?1");
  expect(count!.n).toBe(400);
});

it("stores a batch of many people who already hold much", async () => {
  const site = await createSite();
  const identify = (i: number, name: string, value: string) => ({
    type: "identify",
    userId: `u${i}`,
    messageId: `${name}${i}`,
    traits: { [name]: value },
  });
  for (let from = 0; from < 300; from += 20)
    await site.batch(Array.from({ length: 20 }, (_, i) => identify(from + i, "bio", "x".repeat(12_000))));
  const answer = await site.batch(Array.from({ length: 300 }, (_, i) => identify(i, "plan", "pro")));
  expect(answer).toMatchObject({ accepted: 300, rejected: [] });
});

it("leaves out the traits that would make one person's too large, says so, and stores every event", async () => {
  const site = await createSite();
  const identify = (userId: string, i: number) => ({
    type: "identify",
    userId,
    messageId: `${userId}${i}`,
    traits: { [`t${i}`]: "x".repeat(30_000) },
  });
  const answer = await site.batch([identify("a", 1), identify("a", 2), identify("a", 3), identify("b", 1)]);
  expect(answer).toMatchObject({
    accepted: 4,
    rejected: [],
    warnings: [{ index: 2, pointer: "/traits", code: "too-many", detail: expect.stringContaining('"t3"') }],
  });
  expect(await site.rows("SELECT 1 FROM events WHERE site_id = ?1")).toHaveLength(4);
});

it("does not take two large numbers for one because JSON rounds them", async () => {
  const site = await createSite();
  const body = `{"batch":[{"type":"track","event":"E","userId":1234567890123456781},{"type":"track","event":"E","userId":42}]}`;
  const answer = await (await site.post("/v1/batch", body)).json();
  expect(answer).toMatchObject({
    accepted: 1,
    rejected: [{ index: 0, problem: { errors: [{ pointer: "/userId" }] } }],
  });
});

it("keeps what rules need when other rules are published, however much else happened since", async () => {
  const site = await createSite({ segments: [{ key: "buyer", condition: { event: "Order Completed" } }] });
  await site.batch([track("Order Completed", {}, { timestamp: new Date(Date.now() - 9e7).toISOString() })]);
  await site.rows(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10500)
     INSERT INTO events (site_id, owner, message_id, type, name, at, received_at, body)
     SELECT ?1, 'anonymousId:a1', 'noise' || i, 'track', 'Noise', ?2 + i, ?2, '{}' FROM n`,
    Date.now() - 8e7,
  );
  await site.publish({ segments: [{ key: "other", condition: { event: "Searched" } }] });
  await site.batch([track("Searched")]);
  const rows = await site.rows("SELECT segment_key FROM memberships WHERE site_id = ?1 ORDER BY 1");
  expect(rows).toEqual([{ segment_key: "buyer" }, { segment_key: "other" }]);
});

it("keeps large events of a person as well as small ones, remembered or read", async () => {
  const site = await createSite({
    segments: [{ key: "many", condition: { event: "Big", where: { text: { exists: true } }, count: { gte: 30 } } }],
  });
  for (let i = 0; i < 30; i++) await site.batch([track("Big", { text: "x".repeat(6_000) })]);
  const [row] = await site.rows<{ n: number }>(
    "SELECT sum(json_array_length(body, '$.times')) AS n FROM histories WHERE site_id = ?1",
  );
  expect(row!.n).toBe(30);
  expect(await site.rows("SELECT 1 FROM memberships WHERE site_id = ?1")).toHaveLength(1);
});

it("keeps as much history as rules look at, in whatever order it comes", async () => {
  const site = await createSite({ segments: [{ key: "any", condition: { event: "View", count: { gte: 1_000 } } }] });
  const at = (i: number) => ({ timestamp: new Date(Date.now() - i * 1_000).toISOString() });
  for (let from = 0; from < 3_000; from += 300)
    await site.batch(Array.from({ length: 300 }, (_, i) => track("View", {}, at(((from + i) * 7_919) % 3_000))));
  const [row] = await site.rows<{ n: number }>(
    "SELECT sum(json_array_length(body, '$.times')) AS n FROM histories WHERE site_id = ?1",
  );
  expect(row!.n).toBeGreaterThanOrEqual(1_000);
  expect(row!.n).toBeLessThan(1_700);
  expect(await site.rows("SELECT 1 FROM memberships WHERE site_id = ?1")).toHaveLength(1);
});
