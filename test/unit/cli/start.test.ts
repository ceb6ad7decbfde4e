import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer as createOrigin } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { ROOT } from "../../../cli/project.ts";

const START_MS = 120_000;

let state: string;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), "attune-start-"));
});
afterAll(async () => {
  for (const child of running) child.kill("SIGKILL");
  await rm(state, { recursive: true, force: true });
});

interface Started {
  child: ChildProcess;
  url: string;
  ended: Promise<{ code: number | null; out: string; err: string }>;
}

/** `npm start` without npm; resolves when it says how to end it, or when it has ended. */
async function start(port: number, ...more: string[]): Promise<Started> {
  const args = ["--no-warnings", `${ROOT}cli/attune.ts`, "start", "--port", String(port), "--state", state, ...more];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let out = "";
  let err = "";
  const said = new Promise<void>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      if (out.includes("Ctrl-C ends it")) resolve();
    });
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const ended = new Promise<Awaited<Started["ended"]>>((resolve) => {
    child.once("close", (code) => {
      running.delete(child);
      resolve({ code, out, err });
    });
  });
  await Promise.race([said, ended]);
  return { child, url: `http://127.0.0.1:${port}`, ended };
}

/** All processes below one. From /proc where there is one: small machines have no `ps`. */
function listDescendants(pid: number): number[] {
  const pairs = existsSync("/proc/self/stat") ? listProc() : listPs();
  const below = (parent: number): number[] =>
    pairs.filter(([, ppid]) => ppid === parent).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

type Pair = [pid: number, parent: number];

function listProc(): Pair[] {
  return readdirSync("/proc").flatMap((name): Pair[] => {
    try {
      // pid (name) state ppid …: the name may hold anything, parentheses too.
      const stat = readFileSync(`/proc/${Number(name)}/stat`, "utf8");
      return [[Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])]];
    } catch {
      return [];
    }
  });
}

function listPs(): Pair[] {
  const rows = execFileSync("ps", ["-e", "-o", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  return rows.map((row) => row.trim().split(/\s+/).map(Number) as Pair);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test("npm start: the shop, the keys and the e-mail work; a second one says why it cannot; Ctrl-C ends all of it", {
  timeout: START_MS,
}, async () => {
  const port = await findFreePort();
  const { child, url, ended } = await start(port);
  const shop = await fetch(`${url}/demo/`);
  expect([shop.status, await shop.text()]).toEqual([200, expect.stringContaining('data-key="pk_demo"')]);

  const key = { authorization: `Basic ${btoa("pk_demo:")}`, "content-type": "application/json" };
  const order = { anonymousId: "start-test", event: "Order Completed", properties: { revenue: 640 } };
  const tracked = await fetch(`${url}/v1/track`, { method: "POST", headers: key, body: JSON.stringify(order) });
  expect(await tracked.json()).toMatchObject({ success: true, accepted: 1 });
  const secret = { authorization: "Bearer sk_demo", "content-type": "application/json" };
  const profile = await fetch(`${url}/api/profiles?anonymousId=start-test`, { headers: secret });
  expect(await profile.json()).toMatchObject({ segments: [{ key: "high-value" }] });
  const send = { send: "test", recipients: [{ anonymousId: "start-test" }] };
  const tokens = await fetch(`${url}/api/email/tokens`, {
    method: "POST",
    headers: secret,
    body: JSON.stringify(send),
  });
  const [{ token }] = (await tokens.json()) as [{ token: string }];
  expect(await (await fetch(`${url}/e/${token}/hero`)).text()).toContain("Good to see you,<br>friend.");

  const second = await (await start(port)).ended;
  expect(second).toEqual({ code: 1, out: "", err: expect.stringMatching(/^attune: Port \d+ is in use: .*\n$/) });

  const below = listDescendants(child.pid!);
  expect(below.length).toBeGreaterThan(1);
  child.kill("SIGINT");
  expect(await ended).toMatchObject({ code: 0, err: "" });
  // The last of them have got their signal and need a moment to go.
  await expect.poll(() => below.filter(isAlive), { timeout: 2_000 }).toEqual([]);
});

test("started again it keeps what it stored, stands before another server, and killed with -9 leaves no process behind", {
  timeout: START_MS,
}, async () => {
  const origin = createOrigin((request, response) => response.end(`app ${request.url}`));
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    origin.close();
    origin.closeAllConnections();
  });
  const app = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
  const { child, url, ended } = await start(await findFreePort(), "--origin", app);
  const path = "/api/profiles?anonymousId=start-test";
  const own = await fetch(url.replace("127.0.0.1", "localhost") + path);
  expect(await own.text()).toBe(`app ${path}`);
  const profile = await fetch(url + path, { headers: { authorization: "Bearer sk_demo" } });
  expect(await profile.json()).toMatchObject({ segments: [{ key: "high-value" }] });

  const below = listDescendants(child.pid!);
  child.kill("SIGKILL");
  await ended;
  await expect.poll(() => below.filter(isAlive), { timeout: 10_000 }).toEqual([]);
});
