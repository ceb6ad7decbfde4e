/** An HTTP load generator on plain sockets: fast enough that one thread of it does not limit workerd. Runs in a worker thread. */
import { connect } from "node:net";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

export interface RequestTemplate {
  method: "GET" | "POST";
  path: string;
  headers: { [name: string]: string };
  /**
   * Sent as it is, except that each run of `#` becomes a number that no other request has, and each run of `@` the
   * number of one of `persons`, both zero-padded to the run's length.
   */
  body?: string;
  persons?: number;
  /** Requests that take turns, each as far as it differs. */
  turns?: Partial<Pick<RequestTemplate, "path" | "headers" | "body">>[];
}

export interface LoadOptions {
  url: string;
  request: RequestTemplate;
  connections: number;
  durationMs: number;
  /** Ends earlier once so many were sent. */
  requests?: number;
  /** First of the numbers that `#` gets. */
  serial: number;
}

export interface LoadResult {
  requests: number;
  seconds: number;
  perSecond: number;
  /** Milliseconds until an answer was whole. */
  p50: number;
  p99: number;
  /** Milliseconds until it began, the median. */
  firstByte: number;
  failures: number;
  /** Of those, how many were asked to come again: 429 and 503. */
  refusals: number;
  /** Of the first failure that was none of these: its status and the start of its body. */
  failure?: string;
  /** First number that was not used. */
  serial: number;
}

interface Patch {
  offset: number;
  length: number;
  kind: "serial" | "person";
}

/** @throws Error when nothing is answered. */
export function runLoad(options: LoadOptions): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: options });
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => {
      if (code !== 0) reject(new Error(`The load generator ended with ${code}`));
    });
  });
}

interface Prepared {
  bytes: Buffer;
  patches: Patch[];
}

function prepare(url: string, request: RequestTemplate): Prepared {
  const body = Buffer.from(request.body ?? "");
  const head = [
    `${request.method} ${request.path} HTTP/1.1`,
    `host: ${new URL(url).host}`,
    ...Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`),
    ...(request.body === undefined ? [] : [`content-length: ${body.length}`]),
  ];
  const headBytes = Buffer.from(`${head.join("\r\n")}\r\n\r\n`);
  const patches = [...body.toString("latin1").matchAll(/#{4,}|@{4,}/g)].map(
    (match): Patch => ({
      offset: headBytes.length + match.index,
      length: match[0].length,
      kind: match[0].startsWith("#") ? "serial" : "person",
    }),
  );
  return { bytes: Buffer.concat([headBytes, body]), patches };
}

/** Bytes of the first whole answer in `data`, its status and where its body starts; undefined while it is not whole. */
function readAnswer(data: Buffer): { status: number; body: number; end: number } | undefined {
  const headEnd = data.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const head = data.toString("latin1", 0, headEnd);
  const status = Number(head.slice(9, 12));
  const body = headEnd + 4;
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    const end = body + Number(length);
    return data.length < end ? undefined : { status, body, end };
  }
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return { status, body, end: body };
  for (let at = body; ; ) {
    const lineEnd = data.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(data.toString("latin1", at, lineEnd), 16);
    at = lineEnd + 2 + size + 2;
    if (data.length < at) return undefined;
    if (size === 0) return { status, body, end: at };
  }
}

async function generate(options: LoadOptions): Promise<LoadResult> {
  const { hostname, port } = new URL(options.url);
  const prepared = (options.request.turns ?? [{}]).map((turn) => prepare(options.url, { ...options.request, ...turn }));
  const persons = options.request.persons ?? 1;
  const latencies: number[] = [];
  const firstBytes: number[] = [];
  let { serial } = options;
  let failures = 0;
  let refusals = 0;
  let failure: string | undefined;
  const startedAt = performance.now();
  const endsAt = startedAt + options.durationMs;
  const lastSerial = options.serial + (options.requests ?? Number.POSITIVE_INFINITY);

  const runConnection = (): Promise<void> =>
    new Promise((resolve, reject) => {
      // Patched in place; the one before has been answered, so it has been written.
      const requests = prepared.map(({ bytes, patches }) => (patches.length > 0 ? Buffer.from(bytes) : bytes));
      const socket = connect({ host: hostname, port: Number(port), noDelay: true });
      let received: Buffer = Buffer.alloc(0);
      let sentAt = 0;

      function send(): void {
        const number = serial++;
        const digits = String(number);
        const turn = number % prepared.length;
        const request = requests[turn]!;
        for (const { offset, length, kind } of prepared[turn]!.patches) {
          const text = kind === "serial" ? digits : String(number % persons);
          request.write(text.padStart(length, "0").slice(-length), offset, "latin1");
        }
        sentAt = performance.now();
        socket.write(request);
      }

      socket.on("connect", send);
      socket.on("error", reject);
      socket.on("close", () => resolve());
      socket.on("data", (data) => {
        if (received.length === 0) firstBytes.push(performance.now() - sentAt);
        received = received.length === 0 ? data : Buffer.concat([received, data]);
        const answer = readAnswer(received);
        if (!answer) return;
        const now = performance.now();
        latencies.push(now - sentAt);
        if (answer.status >= 300) {
          failures++;
          if (answer.status === 429 || answer.status === 503) refusals++;
          else
            failure ??= `${answer.status} ${received.toString("utf8", answer.body, Math.min(answer.end, answer.body + 300))}`;
        }
        received = received.subarray(answer.end);
        if (now < endsAt && serial < lastSerial) send();
        else socket.destroy();
      });
    });

  await Promise.all(Array.from({ length: options.connections }, runConnection));
  if (latencies.length === 0) throw new Error(`${options.url} answered nothing`);
  const seconds = (performance.now() - startedAt) / 1_000;
  const quantile = (sorted: number[], q: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!;
  latencies.sort((a, b) => a - b);
  firstBytes.sort((a, b) => a - b);
  return {
    requests: latencies.length,
    seconds,
    perSecond: latencies.length / seconds,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    firstByte: quantile(firstBytes, 0.5),
    failures,
    refusals,
    ...(failure !== undefined && { failure }),
    serial,
  };
}

if (!isMainThread && parentPort) parentPort.postMessage(await generate(workerData as LoadOptions));
