/** One workerd with the product and the bare handlers in it, reached by direct sockets: no proxy is in between. */
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { buildPicture } from "./browser/picture.ts";
import type { Shipped } from "./shipped.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CLOCK_TICKS_PER_SECOND = 100;
const PICTURE = new Uint8Array(buildPicture(240, 240));

export const ADMIN_TOKEN = "bench-admin-token-0123456789abcdef";

export interface Bench {
  mf: Miniflare;
  /** The product as it is shipped. */
  product: string;
  /** The same with its use of D1 counted, answered in the header `x-bench`. Same database. */
  counted: string;
  bare: string;
  /** workers/render.ts */
  renderer: string;
  /** CPU seconds that workerd has used; undefined where the system does not say. */
  cpuSeconds(): number | undefined;
  stop(): Promise<void>;
}

/** A Worker that has a workerd for itself. */
export interface Alone extends Pick<Bench, "cpuSeconds" | "stop"> {
  url: string;
}

/**
 * @param entry from the project's root
 * @param bindings name → another Worker in the same workerd; whatever that one fetches is a picture
 */
export async function startAlone(entry: string, bindings: { [name: string]: Shipped } = {}): Promise<Alone> {
  const others = findWorkerds();
  const shared = await readShared();
  const mf = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      log: new Log(LogLevel.ERROR),
      workers: [
        {
          ...shared,
          name: "alone",
          script: await bundle(entry),
          serviceBindings: Object.fromEntries(Object.keys(bindings).map((name) => [name, name])),
        },
        ...Object.entries(bindings).map(([name, { modules }]) => ({
          ...shared,
          name,
          modules: modules.map(({ name, bytes, type: [, type] }) => ({ type, path: name, contents: bytes })),
          outboundService: () => new Response(PICTURE, { headers: { "content-type": "image/png" } }) as never,
        })),
      ],
    }),
  );
  await mf.ready;
  const url = String(await mf.unsafeGetDirectURL("alone")).replace(/\/$/, "");
  return { url, cpuSeconds: cpuOfNew(others), stop: () => mf.dispose() };
}

/** @param options.vars for the product and the bare handlers */
export async function startBench(
  options: { inspect?: boolean; vars?: { [name: string]: string } } = {},
): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), "attune-bench-"));
  const [product, counted, bare, renderer] = await Promise.all([
    bundle("edge/worker.ts"),
    bundle("test/bench/workers/product.ts"),
    bundle("test/bench/workers/bare.ts"),
    bundle("test/bench/workers/render.ts"),
  ]);
  const shared = await readShared();
  const others = findWorkerds();
  const own = {
    ...shared,
    d1Databases: { DB: "attune" },
    kvNamespaces: { KV: "attune" },
    serviceBindings: { ASSETS: () => new Response("asset") as never },
    bindings: {
      ATTUNE_SECRET: "bench-secret-0123456789abcdef0123456789abcdef",
      ATTUNE_ADMIN_TOKEN: ADMIN_TOKEN,
      ATTUNE_LOCAL: "1",
      ...options.vars,
    },
  };
  const mf = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      ...(options.inspect && { inspectorPort: 0 }),
      log: new Log(LogLevel.ERROR),
      d1Persist: join(folder, "d1"),
      kvPersist: join(folder, "kv"),
      workers: [
        { ...own, name: "product", script: product },
        { ...own, name: "counted", script: counted },
        { ...shared, name: "bare", script: bare, d1Databases: { DB: "bare" }, bindings: { ...options.vars } },
        { ...shared, name: "renderer", script: renderer },
      ],
    }),
  );
  const stop = async () => {
    await mf.dispose();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await mf.ready;
    await migrate(mf);
    const url = async (name: string) => String(await mf.unsafeGetDirectURL(name)).replace(/\/$/, "");
    return {
      mf,
      product: await url("product"),
      counted: await url("counted"),
      bare: await url("bare"),
      renderer: await url("renderer"),
      cpuSeconds: cpuOfNew(others),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What all Workers here have. */
async function readShared() {
  return {
    modules: true,
    compatibilityDate: await readCompatibilityDate(),
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  };
}

export async function readCompatibilityDate(): Promise<string> {
  const [, date] = /compatibility_date = "(.*)"/.exec(await readFile(`${ROOT}wrangler.toml`, "utf8"))!;
  return date!;
}

/** As wrangler bundles a Worker. */
async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(ROOT, entry)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    define: { "process.env.NODE_ENV": '"production"', "navigator.userAgent": '"Cloudflare-Workers"' },
    logLevel: "error",
  });
  return outputFiles[0]!.text;
}

async function migrate(mf: Miniflare): Promise<void> {
  const db = await mf.getD1Database("DB", "product");
  const folder = `${ROOT}edge/migrations`;
  for (const name of (await readdir(folder)).sort())
    await db.exec(oneLinePerStatement(await readFile(`${folder}/${name}`, "utf8")));
  const bare = await mf.getD1Database("DB", "bare");
  await bare.exec(
    "CREATE TABLE rows (id INTEGER PRIMARY KEY, profile_id TEXT NOT NULL, type TEXT NOT NULL, ts INTEGER NOT NULL, props TEXT)",
  );
  await bare.exec("CREATE INDEX rows_profile_id_ts ON rows (profile_id, ts)");
}

/** `exec` takes a line for a statement. */
function oneLinePerStatement(sql: string): string {
  return sql
    .replace(/--.*$/gm, "")
    .split(/;\s*$/m)
    .map((statement) => statement.replace(/\s+/g, " ").trim())
    .filter((statement) => statement !== "")
    .map((statement) => `${statement};`)
    .join("\n");
}

/** Reads the CPU seconds of our workerd that was not among the others when it was started. */
function cpuOfNew(others: readonly number[]): Bench["cpuSeconds"] {
  const pid = findWorkerds().find((pid) => !others.includes(pid));
  return () => (pid === undefined ? undefined : readCpuSeconds(pid));
}

/** Those that are our own children: others may run on the machine. */
function findWorkerds(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => {
        const stat = readStat(pid);
        return stat?.command === "workerd" && Number(stat.fields[1]) === process.pid;
      });
  } catch {
    // No /proc: not Linux.
    return [];
  }
}

function readCpuSeconds(pid: number): number | undefined {
  const stat = readStat(pid);
  return stat && (Number(stat.fields[11]) + Number(stat.fields[12])) / CLOCK_TICKS_PER_SECOND;
}

function readStat(pid: number): { command: string; fields: string[] } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const end = text.lastIndexOf(")");
    return { command: text.slice(text.indexOf("(") + 1, end), fields: text.slice(end + 2).split(" ") };
  } catch {
    return undefined;
  }
}
