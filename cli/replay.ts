/** `npm run replay -- FILE`: sends a recorded clickstream to a running Worker through its public HTTP plane. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import type { Message } from "../shared/event.ts";
import { readOptions } from "./options.ts";
import { Failure, LOCAL_PORT, ROOT } from "./project.ts";
import { buildBatches, personOf } from "./replay/batches.ts";
import { Checkpoint } from "./replay/checkpoint.ts";
import { type Format, findFormat } from "./replay/format.ts";
import { formatCount, formatSeconds, startProgress } from "./replay/progress.ts";
import { run } from "./replay/run.ts";
import { Stopped } from "./replay/send.ts";
import { readState } from "./replay/state.ts";
import { readText } from "./replay/text.ts";

const USAGE = `usage: npm run replay -- FILE [options]

FILE is a clickstream, gzipped or not: Segment messages (NDJSON), YooChoose clicks, Snowplow web events (CSV or TSV).

  --url URL          the Worker (http://127.0.0.1:8787)
  --key KEY          the site's write key (pk_demo)
  --secret KEY       a secret key, to print profiles and segment sizes at the end (sk_demo with pk_demo)
  --concurrency N    requests at a time (4)
  --limit N          only the first N events
  --shift            move all times so that the newest event is now
  --fresh            forget an interrupted run and start over`;

/** Beyond these the count would cost more memory than it tells. */
const PEOPLE_COUNTED = 1_000_000;
const CHECKPOINTS = `${ROOT}.attune/replay`;

/** `attune replay`. Resolves to the exit code: 0 all sent, 1 stopped, 130 interrupted. @throws {Failure} */
export async function replay(args: string[]): Promise<number> {
  const { values, positionals } = readOptions(
    args,
    {
      url: { type: "string", default: `http://127.0.0.1:${LOCAL_PORT}` },
      key: { type: "string", default: "pk_demo" },
      secret: { type: "string" },
      concurrency: { type: "string", default: "4" },
      limit: { type: "string" },
      shift: { type: "boolean", default: false },
      fresh: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
    true,
  );
  const [path] = positionals;
  if (values.help || path === undefined || positionals.length > 1) {
    if (!values.help) throw new Failure(USAGE, 2);
    console.log(USAGE);
    return 0;
  }
  const concurrency = readCount("--concurrency", values.concurrency, 64);
  const limit = values.limit === undefined ? Number.POSITIVE_INFINITY : readCount("--limit", values.limit);
  const secret = values.secret ?? (values.key === "pk_demo" ? "sk_demo" : undefined);

  await access(path).catch(() => {
    throw new Failure(`There is no file ${path}`);
  });
  const format = await findFormat(path);
  await checkWorker(values.url);
  const file = await survey(path, format, limit);
  const shiftMs = values.shift && file.newest !== undefined ? Date.now() - file.newest : 0;
  const identity = [file.hash, values.url, values.key, values.limit ?? null, values.shift];
  const checkpoint = new Checkpoint(CHECKPOINTS, identity, path, shiftMs, values.fresh);

  console.error(`${formatCount(file.events)} events in ${path} (${format.name}) → ${values.url}`);
  for (const line of file.unreadable.slice(0, 5)) console.error(`  left out: ${line}`);
  if (file.unreadable.length > 5) console.error(`  … and ${formatCount(file.unreadable.length - 5)} more`);
  if (checkpoint.resumed) {
    console.error(`Continuing after ${formatCount(checkpoint.tally.sent)} events; --fresh starts over.`);
  }

  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  process.once("SIGINT", onInterrupt).once("SIGTERM", onInterrupt);
  const alreadyDone = checkpoint.tally.sent;
  const progress = startProgress(file.events, alreadyDone);
  const startedAt = performance.now();
  let stopped: Stopped | undefined;
  try {
    await run({
      target: { url: values.url, key: values.key },
      batches: buildBatches(readMessages(path, format, limit, checkpoint.shiftMs)),
      checkpoint,
      concurrency,
      progress,
      signal: interrupt.signal,
    });
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    stopped = error;
  } finally {
    progress.end();
    process.off("SIGINT", onInterrupt).off("SIGTERM", onInterrupt);
  }

  const seconds = (performance.now() - startedAt) / 1_000;
  console.log(`people    ${file.people} in the file`);
  printTally(checkpoint, alreadyDone, seconds);
  if (stopped || interrupt.signal.aborted) {
    console.error(
      `${stopped ? `Stopped: ${stopped.message}` : "Interrupted"}. What is acknowledged is saved; to resume:`,
    );
    console.error(
      `  npm run replay -- ${args
        .filter((arg) => arg !== "--fresh")
        .map(quote)
        .join(" ")}`,
    );
    return stopped ? 1 : 130;
  }
  checkpoint.remove();
  if (secret !== undefined) for (const line of await readState({ url: values.url, token: secret })) console.log(line);
  return 0;
}

async function* readMessages(path: string, format: Format, limit: number, shiftMs: number): AsyncGenerator<Message> {
  let events = 0;
  for await (const read of format.read(readText(path))) {
    if (!("message" in read)) continue;
    if (events++ >= limit) return;
    yield shiftMs === 0 ? read.message : shift(read.message, shiftMs);
  }
}

function shift(message: Message, byMs: number): Message {
  const time = Date.parse(message.timestamp ?? "");
  return Number.isNaN(time) ? message : { ...message, timestamp: new Date(time + byMs).toISOString() };
}

/** One pass before the first request: what the progress bar and the checkpoint need to know. */
async function survey(path: string, format: Format, limit: number) {
  const hash = createHash("sha256");
  for await (const bytes of createReadStream(path)) hash.update(bytes);
  let events = 0;
  let newest: number | undefined;
  const people = new Set<string>();
  const unreadable: string[] = [];
  for await (const read of format.read(readText(path))) {
    if (!("message" in read)) {
      unreadable.push(read.unreadable);
      continue;
    }
    if (events >= limit) break;
    events++;
    if (people.size < PEOPLE_COUNTED) people.add(personOf(read.message));
    const time = Date.parse(read.message.timestamp ?? "");
    if (!Number.isNaN(time) && (newest === undefined || time > newest)) newest = time;
  }
  const counted = `${people.size < PEOPLE_COUNTED ? "" : "at least "}${formatCount(people.size)}`;
  return { hash: hash.digest("hex"), events, newest, unreadable, people: counted };
}

async function checkWorker(url: string): Promise<void> {
  try {
    await fetch(new URL("/healthz", url), { signal: AbortSignal.timeout(10_000) });
  } catch {
    throw new Failure(`There is no Worker at ${url}: start one with \`npm start\`, or name another with --url`);
  }
}

function printTally({ tally }: Checkpoint, alreadyDone: number, seconds: number): void {
  const now = tally.sent - alreadyDone;
  console.log(`sent      ${formatCount(tally.sent)} events`);
  console.log(`accepted  ${formatCount(tally.accepted)}`);
  const rejected = Object.entries(tally.rejected);
  console.log(`rejected  ${formatCount(rejected.reduce((sum, [, { count }]) => sum + count, 0))}`);
  for (const [type, { count, example }] of rejected) console.log(`  ${formatCount(count)} ${type}, such as ${example}`);
  const before = alreadyDone > 0 ? ` (${formatCount(now)} of them in this run)` : "";
  console.log(`time      ${formatSeconds(seconds)}, ${formatCount(now / Math.max(seconds, 0.001))} events/s${before}`);
}

function readCount(option: string, text: string, most = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new Failure(
    `${option} takes a whole number from 1${most < Number.MAX_SAFE_INTEGER ? ` to ${most}` : ""}, not "${text}".`,
  );
}

function quote(argument: string): string {
  return /^[\w./:=@-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
