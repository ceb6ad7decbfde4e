/** Workers as they are deployed: bundled by wrangler, measured, and started on a workerd of their own. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { ASSETS, Failure, ROOT } from "../../cli/project.ts";
import { readCause, runWrangler } from "../../cli/wrangler.ts";
import { readCompatibilityDate } from "./workerd.ts";

const WORKERD = `${ROOT}node_modules/.bin/workerd`;
/** Of modules, by the ends of their names; in the words of workerd and of Miniflare. */
const TYPES = {
  ".js": ["esModule", "ESModule"],
  ".wasm": ["wasm", "CompiledWasm"],
  ".woff": ["data", "Data"],
} as const;

interface Module {
  name: string;
  bytes: Uint8Array;
  type: (typeof TYPES)[keyof typeof TYPES];
}

export interface Shipped {
  /** The first is the entry. */
  modules: readonly Module[];
  bytes: number;
  /** As wrangler counts it. */
  gzipBytes: number;
}

/**
 * @param config from the project's root
 * @param entry in place of the config's own, from there, too; may hold the API
 * @throws {Failure} what wrangler found wrong
 */
export async function ship(config: string, entry?: string): Promise<Shipped> {
  await mkdir(ASSETS, { recursive: true }); // wrangler refuses a config whose assets folder is missing
  const folder = await mkdtemp(join(tmpdir(), "attune-shipped-"));
  try {
    const instead = entry ? [ROOT + entry, "--alias", `zod:${ROOT}edge/api/zod.ts`] : [];
    const args = ["deploy", ...instead, "--config", ROOT + config, "--dry-run", "--outdir", folder];
    const { code, output } = await runWrangler(args);
    if (code !== 0) throw new Failure(`${entry ?? config} could not be bundled: ${readCause(output)}`);
    const names = (await readdir(folder)).filter((name) => extname(name) in TYPES);
    const modules = await Promise.all(
      names.map(async (name): Promise<Module> => {
        return { name, bytes: await readFile(join(folder, name)), type: TYPES[extname(name) as keyof typeof TYPES] };
      }),
    );
    modules.sort((a, b) => Number(extname(b.name) === ".js") - Number(extname(a.name) === ".js"));
    return toShipped(modules);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function toShipped(modules: readonly Module[]): Shipped {
  const bytes = Buffer.concat(modules.map(({ bytes }) => bytes));
  return { modules, bytes: bytes.length, gzipBytes: gzipSync(bytes).length };
}

/** A Worker that answers and does nothing else. */
export const EMPTY = toShipped([
  {
    name: "empty.js",
    bytes: Buffer.from("export default { fetch: () => new Response() };"),
    type: TYPES[".js"],
  },
]);

/**
 * Milliseconds from the start of workerd to the first answer of each Worker, round after round. Nothing is bound to it:
 * whatever it answers is an answer.
 */
export async function timeStarts(workers: readonly Shipped[], rounds: number): Promise<number[][]> {
  const folder = await mkdtemp(join(tmpdir(), "attune-start-"));
  try {
    const configs = await Promise.all(workers.map((worker, index) => writeConfig(join(folder, String(index)), worker)));
    const times: number[][] = workers.map(() => []);
    for (let round = 0; round < rounds; round++)
      for (const [index, config] of configs.entries()) times[index]!.push(await timeStart(config));
    return times;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeConfig(folder: string, { modules }: Shipped): Promise<string> {
  await mkdir(folder);
  for (const { name, bytes } of modules) await writeFile(join(folder, name), bytes);
  const lines = modules.map(({ name, type: [type] }) => `(name = "${name}", ${type} = embed "${name}")`);
  const config = join(folder, "config.capnp");
  await writeFile(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
const worker :Workerd.Worker = (
  modules = [${lines.join(",\n    ")}],
  compatibilityDate = "${await readCompatibilityDate()}"
);
`,
  );
  return config;
}

async function timeStart(config: string): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(WORKERD, ["serve", config, "--control-fd=3"], { stdio: ["ignore", "ignore", "pipe", "pipe"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  try {
    const port = await new Promise<number>((resolve, reject) => {
      let told = "";
      let complaint = "";
      child.stderr!.on("data", (data) => {
        complaint += data;
      });
      child.stdio[3]!.on("data", (data) => {
        told += data;
        const listen = told.split("\n").find((line) => line.includes('"listen"'));
        if (listen) resolve(JSON.parse(listen).port);
      });
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`workerd ended with ${code}: ${complaint}`)));
    });
    await (await fetch(`http://127.0.0.1:${port}/healthz`)).arrayBuffer();
    return performance.now() - startedAt;
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}
