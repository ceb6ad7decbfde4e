/** A replay whose Worker is killed in the middle: what it acknowledged is there, the rest follows, nothing twice. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startGate } from "./gate.ts";
import { type Replay, removeCheckpoints, startReplay } from "./replay.ts";
import { readRows, type System, startSystem } from "./system.ts";

const SESSIONS = 600;

let system: System;

beforeAll(async () => {
  system = await startSystem();
});

afterAll(async () => {
  removeCheckpoints();
  await system?.stop();
});

it("ends with exactly the file's events when workerd is killed -9 under it and started again", async () => {
  const file = writeClicks("kill-worker.tsv", 1_000_000);
  // Batches 8 and on are with the Worker, unanswered, when it dies.
  const gate = await startGate(system.worker.url, 8, () => process.kill(findWorkerd(system.worker.pid), "SIGKILL"));
  const replay = startReplay(system, file.path, "--url", gate.url);
  await gate.reached;
  await system.worker.stop();
  await system.start();

  expect(await replay.exit, replay.output()).toBe(0);
  expect(gate.batches(), "the batches that died with it were sent again").toBeGreaterThan(file.events / 100 + 1);
  expect(replay.output()).toContain(`accepted  ${file.events.toLocaleString("en-US")}`);
  expect(readOwners(1_000_000)).toEqual(file.owners);
  await gate.close();
}, 600_000);

it("resumes after the Worker and the replay itself were killed -9, and a second replay changes nothing", async () => {
  const file = writeClicks("kill-both.tsv", 2_000_000);
  let replay: Replay | undefined;
  const gate = await startGate(system.worker.url, 12, () => {
    process.kill(findWorkerd(system.worker.pid), "SIGKILL");
    replay?.child.kill("SIGKILL");
  });
  replay = startReplay(system, file.path, "--url", gate.url);
  await gate.reached;
  expect(await replay.exit).toBe(null);
  await system.worker.stop();
  await system.start();
  const before = Object.keys(readOwners(2_000_000)).length;
  expect(before).toBeGreaterThan(0);
  expect(before).toBeLessThan(SESSIONS);

  const resumed = startReplay(system, file.path, "--url", gate.url);
  expect(await resumed.exit, resumed.output()).toBe(0);
  expect(readOwners(2_000_000)).toEqual(file.owners);

  const again = startReplay(system, file.path, "--url", gate.url);
  expect(await again.exit, again.output()).toBe(0);
  expect(again.output()).toContain("rejected  0");
  expect(readOwners(2_000_000)).toEqual(file.owners);
  await gate.close();
}, 600_000);

it("saves on Ctrl-C, says how to resume, and the resumed run sends only the rest", async () => {
  const file = writeClicks("interrupt.tsv", 3_000_000);
  let replay: Replay | undefined;
  const gate = await startGate(system.worker.url, 12, () => replay?.child.kill("SIGINT"));
  replay = startReplay(system, file.path, "--url", gate.url);
  expect(await replay.exit, replay.output()).toBe(130);
  expect(replay.output()).toMatch(/npm run replay -- .*interrupt\.tsv/);

  const resumed = startReplay(system, file.path, "--url", gate.url);
  expect(await resumed.exit, resumed.output()).toBe(0);
  expect(resumed.output()).toMatch(/Continuing after [\d,]+ events/);
  expect(gate.batches(), "batches of both runs, those cut off counted twice").toBeLessThan(2 * 12 + file.events / 80);
  expect(readOwners(3_000_000)).toEqual(file.owners);
  await gate.close();
}, 600_000);

interface ClickFile {
  path: string;
  events: number;
  /** Owner → its events. */
  owners: { [owner: string]: number };
}

/** Sessions of 1 to 9 clicks, and one that is longer than a batch; numbered from `first` on. */
function writeClicks(name: string, first: number): ClickFile {
  const lines = ["SessionId\tItemId\tTime"];
  const owners: { [owner: string]: number } = {};
  for (let index = 0; index < SESSIONS; index++) {
    const clicks = index === 17 ? 250 : 1 + ((index * 7) % 9);
    owners[`anonymousId:yoochoose-${first + index}`] = clicks;
    for (let click = 0; click < clicks; click++) {
      lines.push(`${first + index}\t${100 + ((index + click) % 50)}\t${1_396_310_400 + index * 60 + click}.5`);
    }
  }
  const path = join(system.folder, name);
  writeFileSync(path, `${lines.join("\n")}\n`);
  return { path, events: lines.length - 1, owners };
}

/** What D1 holds of the sessions from `first` on. */
function readOwners(first: number): { [owner: string]: number } {
  const rows = readRows<{ owner: string; events: number }>(
    system,
    "SELECT owner, count(*) AS events FROM events GROUP BY owner",
  );
  const isOurs = (owner: string) => Math.floor(Number(owner.split("-").at(-1)) / 1_000_000) === first / 1_000_000;
  return Object.fromEntries(rows.filter(({ owner }) => isOurs(owner)).map(({ owner, events }) => [owner, events]));
}

/** The workerd below the wrangler that this test started: by its pid, others may run on the machine. */
function findWorkerd(wrangler: number): number {
  const processes = new Map<number, { command: string; parent: number }>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const end = stat.lastIndexOf(")");
      const command = stat.slice(stat.indexOf("(") + 1, end);
      processes.set(Number(name), { command, parent: Number(stat.slice(end + 2).split(" ")[1]) });
    } catch {
      // It ended while we were looking.
    }
  }
  const isBelow = (pid: number): boolean => {
    const parent = processes.get(pid)?.parent ?? 0;
    return parent === wrangler || (parent > 1 && isBelow(parent));
  };
  const found = [...processes].find(([pid, { command }]) => command === "workerd" && isBelow(pid));
  if (!found) throw new Error(`There is no workerd below ${wrangler}`);
  return found[0];
}
