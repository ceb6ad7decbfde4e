/** Runs the wrangler of this checkout: no prompts, no telemetry, no update check, and its errors as one line. */
import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { stripVTControlCharacters } from "node:util";
import { ROOT } from "./project.ts";

// wrangler's exported bin spawns a second node with the real program; starting that one directly saves a process and
// makes its pid the one that signals must go to.
const PROGRAM = new URL(
  "wrangler-dist/cli.js",
  `file://${createRequire(import.meta.url).resolve("wrangler/package.json")}`,
).pathname;

/** A child that outlives a parent killed with -9 would keep the port: when the channel to us breaks, its whole group ends. */
const END_WITH_PARENT =
  'data:text/javascript,process.on("disconnect",()=>process.kill(-process.pid,"SIGKILL"));process.channel?.unref()';

const QUIET = {
  CI: "1",
  NO_COLOR: "1",
  FORCE_COLOR: "0",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_WRITE_LOGS: "false",
  WRANGLER_NO_SKILLS_UPDATE_PROMPTS: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

export interface SpawnOptions {
  /** A group of its own: Ctrl-C in the terminal does not reach it, and `process.kill(-pid)` reaches all of it. */
  group?: boolean;
  /** Lets wrangler talk to the terminal: for logging in. */
  interactive?: boolean;
  /** Where it tells other `wrangler dev` of its Workers and looks for theirs; left out: a place that all on this machine share. */
  registry?: string;
}

export function spawnWrangler(args: string[], options: SpawnOptions = {}): ChildProcess {
  const { FORCE_COLOR: _, ...inherited } = process.env;
  if (options.interactive) {
    return spawn(process.execPath, ["--no-warnings", PROGRAM, ...args], {
      cwd: ROOT,
      stdio: "inherit",
      env: inherited,
    });
  }
  const guard = options.group ? ["--import", END_WITH_PARENT] : [];
  return spawn(process.execPath, ["--no-warnings", ...guard, PROGRAM, ...args], {
    cwd: ROOT,
    detached: options.group ?? false,
    stdio: options.group ? ["ignore", "pipe", "pipe", "ipc"] : ["ignore", "pipe", "pipe"],
    env: { ...inherited, ...QUIET, ...(options.registry && { WRANGLER_REGISTRY_PATH: options.registry }) },
  });
}

export interface WranglerResult {
  code: number;
  /** Standard output alone: what `--json` prints. */
  stdout: string;
  /** Both streams in the order they came. */
  output: string;
}

/** Runs one command to its end; it finds nobody to ask. */
export function runWrangler(args: string[]): Promise<WranglerResult> {
  const child = spawnWrangler(args);
  let stdout = "";
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    output += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 1, stdout, output }));
  });
}

/** The cause in wrangler's output: its first error, with the line that details it and the place; or the last thing it said. */
export function readCause(output: string): string {
  const lines = stripVTControlCharacters(output)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const first = lines.findIndex((line) => /\[ERROR\]|^(Syntax|Type|Reference)?Error:|^✘/.test(line));
  if (first < 0) return lines.at(-1) ?? "it said nothing";
  const cause = lines[first]!.replace(/^.*\[ERROR\]\s*/, "").replace(/^✘\s*/, "");
  const detail = lines[first + 1];
  // "Processing wrangler.toml configuration:" and "Build failed with 1 error:" only announce the line below.
  const told = /:$/.test(cause) && detail ? `${cause} ${detail.replace(/^[-✘]\s*(\[ERROR\]\s*)?/, "")}` : cause;
  const place = lines.slice(first + 1, first + 4).find((line) => /^\S+:\d+:\d+:$/.test(line));
  return place ? `${told} (${place.replace(ROOT, "").replace(/:\d+:$/, "")})` : told;
}
