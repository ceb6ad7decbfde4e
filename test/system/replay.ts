/** `npm run replay` as a process of its own, as a person starts it. */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { System } from "./system.ts";

const ATTUNE = fileURLToPath(new URL("../../cli/attune.ts", import.meta.url));
const CHECKPOINTS = fileURLToPath(new URL("../../.attune/replay", import.meta.url));

export interface Replay {
  child: ChildProcess;
  /** Both streams so far. */
  output(): string;
  /** The exit code; null after a signal. */
  exit: Promise<number | null>;
}

/** Options that are given win over those of the system. */
export function startReplay(system: System, path: string, ...options: string[]): Replay {
  const defaults = ["--url", system.worker.url, "--key", system.writeKey];
  const args = ["--no-warnings", ATTUNE, "replay", path, ...defaults, ...options];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const onText = (text: string) => {
    output += text;
  };
  child.stdout.setEncoding("utf8").on("data", onText);
  child.stderr.setEncoding("utf8").on("data", onText);
  return { child, output: () => output, exit: new Promise((resolve) => child.once("close", resolve)) };
}

/** Those that interrupted replays of this process's temporary files left behind. */
export function removeCheckpoints(): void {
  let names: string[] = [];
  try {
    names = readdirSync(CHECKPOINTS);
  } catch {
    // There never was one.
  }
  for (const name of names) {
    const path = join(CHECKPOINTS, name);
    if (readFileSync(path, "utf8").includes("attune-system-")) rmSync(path);
  }
}
