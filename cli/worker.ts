/** Starts both Workers on one workerd as `wrangler dev` runs them, with D1 and KV on disk, and ends all of it again. */
import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ASSETS, Failure, PRESS_CONFIG } from "./project.ts";
import { readCause, runWrangler, spawnWrangler } from "./wrangler.ts";

const START_MS = 180_000;
const STOP_MS = 5_000;
/** Storage is cold here, the machine busy with other things, and nobody leaves for that. */
const ATTUNE_PATIENCE = "10";
/** After this, what was killed is left to the system. */
const GONE_MS = 5_000;

export interface WorkerOptions {
  /** Default: a free one. */
  port?: number;
  /** Folder of D1 and KV; kept. */
  persistTo: string;
  /** Secrets and variables; `.dev.vars` and `.env` are not read, so that a test sees only what it passes. */
  vars?: { [name: string]: string };
  /** Hears each line that wrangler and the Worker print. */
  log?: (line: string) => void;
}

export interface RunningWorker {
  url: string;
  /** Also the id of the process group: `process.kill(-pid, "SIGKILL")` ends wrangler and workerd at once. */
  pid: number;
  /** Resolves with the cause when it ends, by `stop` or by itself. */
  ended: Promise<string>;
  stop(): Promise<void>;
}

/**
 * Applies the D1 migrations, starts the Worker and resolves when `GET /healthz` answers.
 * @throws {Failure} one line: port in use, no build, or what wrangler found wrong.
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  if (options.port !== undefined) await checkPort(options.port);
  if (!existsSync(`${ASSETS}/attune.js`)) {
    throw new Failure("The browser script is not built: run `npm run build` first.");
  }
  await applyLocalMigrations(options.persistTo);
  const port = options.port ?? (await findFreePort());

  const folder = await mkdtemp(join(tmpdir(), "attune-worker-"));
  const envFile = join(folder, "vars.env");
  await writeFile(envFile, formatEnv({ ATTUNE_PATIENCE, ...options.vars }), { mode: 0o600 });

  // The first one is what listens; the second one is reached by its binding, in the same workerd.
  const args = ["dev", "-c", "wrangler.toml", "-c", PRESS_CONFIG, "--local"];
  args.push("--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0");
  args.push("--persist-to", options.persistTo, "--env-file", envFile, "--show-interactive-dev-session=false");
  // Its own registry: the press of another start is not ours.
  const child = spawnWrangler(args, { group: true, registry: join(folder, "registry") });
  const pid = child.pid;
  if (pid === undefined) throw new Failure("wrangler could not be started: run `npm ci` first.");

  let output = "";
  const onText = (text: string) => {
    if (output.length < 64_000) output += text;
    if (options.log) for (const line of text.split("\n")) if (line.trim() !== "") options.log(line);
  };
  child.stdout?.setEncoding("utf8").on("data", onText);
  child.stderr?.setEncoding("utf8").on("data", onText);
  const ended = new Promise<string>((resolve) => child.once("exit", () => resolve(readCause(output))));
  const stop = async () => {
    await stopGroup(child, pid);
    await rm(folder, { recursive: true, force: true });
  };

  const url = `http://127.0.0.1:${port}`;
  try {
    await Promise.race([
      untilHealthy(url, child, () => output),
      ended.then((cause) => {
        throw new Failure(`The Worker did not start: ${cause}`);
      }),
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, pid, ended, stop };
}

/** @throws {Failure} when something listens there already. */
export async function checkPort(port: number): Promise<void> {
  if (await isFree(port)) return;
  throw new Failure(`Port ${port} is in use: end what uses it, or choose another with --port or PORT.`);
}

/** Brings the local database to the newest schema; does nothing where it already is. */
export async function applyLocalMigrations(persistTo: string): Promise<void> {
  await mkdir(ASSETS, { recursive: true }); // wrangler refuses a config whose assets folder is missing
  const args = ["d1", "migrations", "apply", "attune", "--local", "--persist-to", persistTo];
  const { code, output } = await runWrangler(args);
  if (code !== 0) throw new Failure(`The D1 migrations could not be applied: ${readCause(output)}`);
}

async function untilHealthy(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = Date.now() + START_MS;
  let seen = "nothing answered";
  while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
    try {
      const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) });
      if (response.ok) return;
      seen = `GET /healthz answered ${response.status}`;
    } catch {
      // not listening yet
    }
    // wrangler keeps running, to try again, after a build that failed: for us that is the end.
    if (/Build failed with|runtime failed to start/.test(output()))
      throw new Failure(`The Worker did not start: ${readCause(output())}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  if (child.exitCode !== null || child.signalCode !== null) return new Promise(() => {}); // `ended` tells why
  throw new Failure(`The Worker did not start within ${START_MS / 1000} s: ${seen}.`);
}

async function stopGroup(child: ChildProcess, pid: number): Promise<void> {
  const gone = new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
  });
  child.kill("SIGINT"); // wrangler alone: were workerd to end before it, wrangler would report a crash and restart it
  const patience = setTimeout(() => signalGroup(pid, "SIGKILL"), STOP_MS);
  await gone;
  clearTimeout(patience);
  // Whatever of the group is left: until it is gone, it holds the port, and writes into its folder.
  const deadline = Date.now() + GONE_MS;
  while (signalGroup(pid, "SIGKILL") && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  if (child.connected) child.disconnect();
}

/** @returns false where the group is gone. */
function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

function formatEnv(vars: { [name: string]: string }): string {
  const lines = Object.entries(vars).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${lines.join("\n")}\n`;
}
