/** Each format of a clickstream file, good and bad, through the command into a real Worker. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startReplay } from "./replay.ts";
import { readRows, type System, startSystem } from "./system.ts";

interface Row {
  owner: string;
  message_id: string;
  type: string;
  name: string;
  at: number;
  body: string;
}

let system: System;

beforeAll(async () => {
  system = await startSystem();
});

afterAll(() => system?.stop());

async function replay(name: string, content: string | Buffer, ...options: string[]) {
  const path = join(system.folder, name);
  writeFileSync(path, content);
  const run = startReplay(system, path, ...options);
  return { code: await run.exit, output: run.output() };
}

const readEvents = (owners: string) =>
  readRows<Row>(
    system,
    `SELECT owner, message_id, type, name, at, body FROM events WHERE owner LIKE '${owners}' ORDER BY at`,
  );

it("sends Segment messages as they are, names what is bad, and keeps their times however old", async () => {
  const lines = [
    {
      type: "track",
      event: "A",
      anonymousId: "nd-1",
      messageId: "nd-a",
      timestamp: "2014-04-01T10:00:00.000Z",
      sentAt: "2014-04-01T10:00:01.000Z",
      properties: { x: 1 },
    },
    { type: "track", event: "B", anonymousId: "nd-2", messageId: "nd-b", timestamp: "2014-04-01T10:00:01.000Z" },
    { type: "page", name: "Home", anonymousId: "nd-1", timestamp: "2014-04-01T10:00:02.000Z" },
    { type: "track", event: "Nobody", messageId: "nd-c" },
    {
      type: "track",
      event: "Huge",
      anonymousId: "nd-1",
      messageId: "nd-d",
      properties: { text: "x".repeat(33 * 1024) },
    },
  ].map((message) => JSON.stringify(message));
  const text = [...lines, "{ this is not JSON", ""].join("\n");
  const first = await replay("events.ndjson.gz", gzipSync(text), "--secret", system.secretKey);

  expect(first.code, first.output).toBe(0);
  expect(first.output).toContain("5 events");
  expect(first.output).toContain("left out: line 6 is not a JSON object");
  expect(first.output).toMatch(/accepted {2}3\nrejected {2}2\n/);
  expect(first.output).toContain("1 invalid-event");
  expect(first.output).toContain("1 event-too-large");

  const rows = readEvents("anonymousId:nd-%");
  expect(rows.map(({ owner, type, name, at }) => [owner, type, name, new Date(at).toISOString()])).toEqual([
    ["anonymousId:nd-1", "track", "A", "2014-04-01T10:00:00.000Z"],
    ["anonymousId:nd-2", "track", "B", "2014-04-01T10:00:01.000Z"],
    ["anonymousId:nd-1", "page", "Home", "2014-04-01T10:00:02.000Z"],
  ]);

  const second = await replay("events.ndjson", text);
  expect(second.code, second.output).toBe(0);
  expect(readEvents("anonymousId:nd-%")).toEqual(rows);
});

it("moves all times with --shift so that the newest event is now", async () => {
  const startedAt = Date.now();
  const rows = ["SessionId\tItemId\tTime", "71\t9\t1396310400.25", "71\t8\t1396396800.5"];
  const { code, output } = await replay("shifted.tsv", rows.join("\n"), "--shift");
  expect(code, output).toBe(0);
  const [first, second] = readEvents("anonymousId:yoochoose-71") as [Row, Row];
  expect(second.at).toBeGreaterThanOrEqual(startedAt);
  expect(second.at).toBeLessThanOrEqual(Date.now());
  expect(second.at - first.at).toBe(86_400_250);
  expect(JSON.parse(second.body)).toMatchObject({ properties: { product_id: "8" } });
});

it("reads Snowplow's web events, quoted line breaks and repeated ids included", async () => {
  const csv = [
    "event_id,event,domain_userid,user_id,collector_tstamp,derived_tstamp,page_title,page_url,page_urlpath,se_category,se_action,se_value,event_name",
    'sp-1,page_view,dev-1,,2021-03-03 21:27:34.099,2021-03-03 21:27:32.500,"A ""quoted""\ntitle",https://s.example/a,/a,,,,page_view',
    "sp-1,page_view,dev-1,,2021-03-03 21:27:35.000,2021-03-03 21:27:33.000,Again,https://s.example/a,/a,,,,page_view",
    "sp-2,page_ping,dev-1,,2021-03-03 21:27:44.000,,A,https://s.example/a,/a,,,,page_ping",
    "sp-3,struct,dev-1,,2021-03-03 21:27:45.000,,A,https://s.example/a,/a,shop,add to cart,3.5,event",
    "sp-4,unstruct,dev-2,sp-user,2021-03-03 21:27:46.000,,A,https://s.example/a,/a,,,,link_click",
    ",page_view,dev-1,,2021-03-03 21:27:47.000,,A,https://s.example/a,/a,,,,page_view",
  ].join("\r\n");
  const { code, output } = await replay("snowplow.csv", csv);
  expect(code, output).toBe(0);
  expect(output).toContain("record 6 has no event_id, person or time");
  expect(output).toMatch(/sent {6}5 events\naccepted {2}5/);
  const rows = [...readEvents("anonymousId:dev-1"), ...readEvents("userId:sp-user")];
  expect(rows.map(({ message_id, type, name }) => [message_id, type, name])).toEqual([
    ["sp-1", "page", 'A "quoted"\ntitle'],
    ["sp-2", "track", "Page Ping"],
    ["sp-3", "track", "add to cart"],
    ["sp-4", "track", "Link Click"],
  ]);
  expect(new Date(rows[0]!.at).toISOString()).toBe("2021-03-03T21:27:32.500Z");
  expect(JSON.parse(rows[2]!.body)).toMatchObject({ properties: { category: "shop", value: 3.5 } });
});

it("says in one line what is wrong with a file, a key or an address", async () => {
  const unknown = await replay("unknown.txt", "hello\n");
  expect(unknown.code).toBe(1);
  expect(unknown.output).toMatch(/unknown\.txt is none of/);

  const refused = await replay("refused.tsv", "SessionId\tItemId\tTime\n1\t2\t3\n", "--key", "pk_wrong");
  expect(refused.code).toBe(1);
  expect(refused.output).toMatch(/Stopped: the Worker refuses: .*key/);

  const absent = await replay("absent.tsv", "1\t2\t3\n", "--url", "http://127.0.0.1:1");
  expect(absent.code).toBe(1);
  expect(absent.output).toContain("There is no Worker at http://127.0.0.1:1");

  const wrong = await replay("wrong.tsv", "1\t2\t3\n", "--concurrency", "many");
  expect(wrong.code).toBe(1);
  expect(wrong.output).toContain("--concurrency takes a whole number");
  expect([unknown, refused, absent, wrong].every(({ output }) => !/\n\s+at /.test(output))).toBe(true);
});
