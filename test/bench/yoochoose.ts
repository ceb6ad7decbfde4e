/**
 * `node test/bench/yoochoose.ts FILE [--shift] [--limit N] [--late] [--again MINUTES]`: replays YooChoose clicks into a Worker of its own
 * and puts the sizes of its segments beside those that plain loops over the file give for the same instant. With --late the segments are
 * made when the data is there, and each member is compared, also of an edited rule; with --again all sizes once more some minutes
 * later, when time alone has moved people out of windows.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Api, callApi } from "../../cli/api.ts";
import { startWorker } from "../../cli/worker.ts";
import { createSite } from "../system/site.ts";
import { buildQuestions, type Click, type Question, readClicks, viewsOneItemTwice } from "./clicks.ts";
import { awaitBackfill, checkLate, createSegments, runSchedule } from "./late.ts";
import { formatCell } from "./report.ts";

const ADMIN_TOKEN = "yoochoose-admin-token-0123456789abcdef";
const ATTUNE = fileURLToPath(new URL("../../cli/attune.ts", import.meta.url));
/** The minute's work takes so many profiles at a time; it is asked again until nothing changes. */
const WAKES = 50;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    shift: { type: "boolean", default: false },
    limit: { type: "string" },
    concurrency: { type: "string" },
    late: { type: "boolean", default: false },
    again: { type: "string" },
  },
});
const [path] = positionals;
if (path === undefined) {
  console.error(
    "usage: node test/bench/yoochoose.ts FILE [--shift] [--limit N] [--concurrency N] [--late] [--again MINUTES]",
  );
  process.exit(2);
}

const sessions = readClicks(path, Number(values.limit ?? Number.POSITIVE_INFINITY));
const clicks = [...sessions.values()].flat();
const all = [...sessions.values()];
console.log(
  `${clicks.length.toLocaleString("en-US")} clicks, ${sessions.size.toLocaleString("en-US")} sessions, ` +
    `${new Set(clicks.map(({ item }) => item)).size.toLocaleString("en-US")} items; by plain loops ` +
    `${all.filter(viewsOneItemTwice).length.toLocaleString("en-US")} sessions view one item at least twice, ` +
    `${all.filter((session) => session.length >= 5).length.toLocaleString("en-US")} have ≥ 5 clicks`,
);

const folder = await mkdtemp(join(tmpdir(), "attune-yoochoose-"));
const worker = await startWorker({
  persistTo: join(folder, "state"),
  vars: {
    ATTUNE_SECRET: "yoochoose-secret-0123456789abcdef0123456789",
    ATTUNE_ADMIN_TOKEN: ADMIN_TOKEN,
    ATTUNE_LOCAL: "1",
  },
});
try {
  const { writeKey, secretKey } = await createSite(worker.url, ADMIN_TOKEN);
  const api: Api = { url: worker.url, token: secretKey };
  const questions = buildQuestions(sessions);
  if (!values.late) await createSegments(api, questions);
  await replay(writeKey, secretKey);
  const shifted = shiftClicks(values.shift ? await readShift(api) : 0);
  if (values.late) {
    await createSegments(api, questions);
    await awaitBackfill(api);
  }
  let differing = await compare(api, questions, shifted);
  if (values.again !== undefined) {
    await wait(Number(values.again) * 60_000);
    differing += await compare(api, questions, shifted);
  }
  if (values.late) differing += await checkLate(api, questions, shifted);
  process.exitCode = differing === 0 ? 0 : 1;
} finally {
  await worker.stop();
  await rm(folder, { recursive: true, force: true });
}

async function replay(writeKey: string, secretKey: string): Promise<void> {
  const args = [
    "--no-warnings",
    ATTUNE,
    "replay",
    path!,
    "--url",
    worker.url,
    "--key",
    writeKey,
    "--secret",
    secretKey,
    "--fresh",
  ];
  if (values.shift) args.push("--shift");
  if (values.limit !== undefined) args.push("--limit", values.limit);
  if (values.concurrency !== undefined) args.push("--concurrency", values.concurrency);
  const child = spawn(process.execPath, args, { stdio: "inherit" });
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`The replay ended with ${code}`);
}

/** How far the replay moved the clicks: the Worker's time of the newest one less the file's. */
async function readShift(api: Api): Promise<number> {
  let newest: { session: string; at: number } | undefined;
  for (const [session, own] of sessions) {
    for (const { at } of own) if (newest === undefined || at > newest.at) newest = { session, at };
  }
  const person = await callApi<{ id: string }>(api, "GET", `/api/profiles?anonymousId=yoochoose-${newest!.session}`);
  const events = await callApi<{ data: { timestamp: string }[] }>(
    api,
    "GET",
    `/api/profiles/${person.body.id}/events?limit=1`,
  );
  return Date.parse(events.body.data[0]!.timestamp) - newest!.at;
}

function shiftClicks(shiftMs: number): Map<string, Click[]> {
  return new Map(
    [...sessions].map(([session, own]) => [session, own.map(({ item, at }) => ({ item, at: at + shiftMs }))]),
  );
}

/** Returns how many differ. */
async function compare(api: Api, questions: Question[], shifted: Map<string, Click[]>): Promise<number> {
  // Memberships that time alone ends are ended by the minute's work: all that is due is done before the counting.
  const from = Date.now();
  let sizes: number[] = [];
  for (let wake = 0; wake < WAKES; wake++) {
    await runSchedule(api);
    const next = await Promise.all(questions.map(({ key }) => countMembers(api, key)));
    const isSettled = next.every((size, index) => size === sizes[index]);
    sizes = next;
    if (isSettled) break;
  }
  const to = Date.now();

  console.log(`\n${"segment".padEnd(36)} ${"Worker".padStart(8)} ${"plain".padStart(8)}`);
  let differing = 0;
  for (const [index, { says, answer }] of questions.entries()) {
    // The counting took seconds; where a click left a window meanwhile, any size between is right.
    const counts = [from, to].map((now) => [...shifted.values()].filter((own) => answer(own, now)).length) as [
      number,
      number,
    ];
    const size = sizes[index]!;
    const isEqual = size >= Math.min(...counts) && size <= Math.max(...counts);
    if (!isEqual) differing++;
    const plain = counts[0] === counts[1] ? formatCell(counts[0]) : counts.map(formatCell).join("…");
    console.log(
      `${says.padEnd(36)} ${formatCell(size).padStart(8)} ${plain.padStart(8)}  ${isEqual ? "equal" : "DIFFERENT"}`,
    );
  }
  console.log(differing === 0 ? `\nall ${questions.length} equal` : `\n${differing} of ${questions.length} DIFFERENT`);
  return differing;
}

async function countMembers(api: Api, key: string): Promise<number> {
  const { body } = await callApi<{ members: number }>(api, "GET", `/api/segments/${key}`);
  return body.members;
}
