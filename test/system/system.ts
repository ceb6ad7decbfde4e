/** A Worker of its own for a test, in a temporary folder, with one site in it: what a customer gets, spoken to over HTTP only. */
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { callApi } from "../../cli/api.ts";
import { build } from "../../cli/build.ts";
import { ASSETS } from "../../cli/project.ts";
import { type RunningWorker, startWorker } from "../../cli/worker.ts";
import { createSite } from "./site.ts";

export const ADMIN_TOKEN = "system-admin-token-0123456789abcdef";
const VARS = {
  ATTUNE_SECRET: "system-secret-0123456789abcdef0123456789abcdef",
  ATTUNE_ADMIN_TOKEN: ADMIN_TOKEN,
  ATTUNE_LOCAL: "1",
};

export interface System {
  /** Changes with `start`. */
  worker: RunningWorker;
  folder: string;
  writeKey: string;
  secretKey: string;
  /** What wrangler and the Worker printed. */
  log: string[];
  /** Starts the Worker again on the same port and data, after it was ended. */
  start(): Promise<void>;
  /** Asks the developer API with the site's secret key. */
  api<T>(method: string, path: string, body?: unknown): Promise<T>;
  stop(): Promise<void>;
}

/** @param vars beside those that every Worker has. */
export async function startSystem(vars: { [name: string]: string } = {}): Promise<System> {
  if (!existsSync(`${ASSETS}/attune.js`)) await build({ demo: true });
  const folder = await mkdtemp(join(tmpdir(), "attune-system-"));
  const log: string[] = [];
  const options = {
    persistTo: join(folder, "state"),
    vars: { ...VARS, ...vars },
    log: (line: string) => log.push(line),
  };
  const worker = await startWorker(options);
  const system: System = {
    worker,
    folder,
    writeKey: "",
    secretKey: "",
    log,
    async start() {
      system.worker = await startWorker({ ...options, port: Number(new URL(worker.url).port) });
    },
    async api<T>(method: string, path: string, body?: unknown) {
      return (await callApi<T>({ url: worker.url, token: system.secretKey }, method, path, body)).body;
    },
    async stop() {
      await system.worker.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    Object.assign(system, await createSite(worker.url, ADMIN_TOKEN));
  } catch (error) {
    await system.stop();
    throw error;
  }
  return system;
}

/** Rows of the Worker's D1, read from its file beside it. */
export function readRows<T>(system: System, sql: string): T[] {
  return withDatabase(system, { readOnly: true }, (database) => database.prepare(sql).all() as T[]);
}

/** Opens the file of the Worker's D1. Write to it only while the Worker is stopped. */
export function withDatabase<T>(system: System, options: { readOnly: boolean }, use: (database: DatabaseSync) => T): T {
  const state = join(system.folder, "state");
  const files = readdirSync(state, { recursive: true, encoding: "utf8" }).filter(
    (name) => /\bd1\b.*\.sqlite$/.test(name) && !name.endsWith("metadata.sqlite"),
  );
  for (const file of files) {
    const database = new DatabaseSync(join(state, file), options);
    try {
      const isOurs = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'events'").get() !== undefined;
      if (isOurs) return use(database);
    } finally {
      database.close();
    }
  }
  throw new Error(`There is no D1 database in ${state}`);
}
