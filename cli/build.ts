/// <reference path="./uglify.d.ts" />
/**
 * Builds what the Worker serves as static files: the browser script, its lazy part, the files of the API reference
 * page, and on a local start the demo shop.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { brotliCompressSync } from "node:zlib";
import * as esbuild from "esbuild";
import { minify } from "terser";
import { minify as uglify } from "uglify-js";
import { buildClient } from "./client.ts";
import { buildDemo } from "./demo.ts";
import { readOptions } from "./options.ts";
import { ASSETS, Failure, ROOT } from "./project.ts";

const RUNTIME = `${ROOT}client/runtime`;
const ENGINE = `${RUNTIME}/engine.ts`;
/** Stands in for the engine where the script is measured without it. */
const NO_ENGINE = "export const compile = () => ({ keys: [], evaluate: () => [] }), baseLanguage = 0;";
/** Small scripts of their own beside `attune.js` → their entries below client/. */
const SCRIPTS: { [name: string]: string } = {
  "attune.banner.js": "consent/banner-tag.ts",
  "attune.ga4.js": "adapters/ga4-tag.ts",
  "attune.google-consent.js": "consent/google-tag.ts",
  "attune.segment.js": "adapters/segment-tag.ts",
  "attune.shopify.js": "adapters/shopify-tag.ts",
  "attune.tcf.js": "consent/tcf-tag.ts",
};
const SWAGGER = `${ROOT}node_modules/swagger-ui-dist`;
const SWAGGER_FILES = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png", "LICENSE", "NOTICE"];

export interface BuildOptions {
  /** Adds the demo shop under /demo/. */
  demo?: boolean;
  /** Default: `dist/assets`, which the Worker serves. */
  folder?: string;
  log?: (line: string) => void;
}

export interface BuildResult {
  folder: string;
  /** File name of the immutable script. */
  hashedName: string;
  /** For `<script integrity>`. */
  integrity: string;
  /** Brotli sizes of the script and of its lazy parts. */
  scriptBytes: number;
  rulesBytes: number;
  watchBytes: number;
  debugBytes: number;
}

/** Path below the assets folder → content. */
export type Files = Map<string, Uint8Array>;

/**
 * Everything is made in memory first and each file then moved into place, only where it differs: a running `wrangler
 * dev` never serves half a build and does not reload for an equal one. Files of an earlier build are removed last.
 * @throws {Failure} the first error of the sources, in one line.
 */
export async function build(options: BuildOptions = {}): Promise<BuildResult> {
  const folder = options.folder ?? ASSETS;
  const version = await readVersion();
  const [script, rules, watch, debug] = await Promise.all([
    bundleWithEngine(`${RUNTIME}/attune.ts`, "iife", version),
    bundleWithEngine(`${RUNTIME}/rules.ts`, "esm", version),
    bundle(`${RUNTIME}/watch.ts`, "esm", version),
    bundle(`${ROOT}client/debug/debug.ts`, "esm", version),
  ]);
  const hashedName = `attune.${createHash("sha256").update(script).digest("hex").slice(0, 12)}.js`;

  const files: Files = new Map([
    ["attune.js", script],
    [hashedName, script],
    ["attune.rules.js", rules],
    ["attune.watch.js", watch],
    ["attune.debug.js", debug],
    ["_headers", Buffer.from(formatHeaders(hashedName))],
  ]);
  await Promise.all(
    Object.entries(SCRIPTS).map(async ([name, entry]) => {
      files.set(name, await bundle(`${ROOT}client/${entry}`, "iife", version));
    }),
  );
  for (const name of SWAGGER_FILES) files.set(`docs/${name}`, await readFile(`${SWAGGER}/${name}`));
  if (options.demo) for (const [name, content] of await buildDemo()) files.set(`demo/${name}`, content);
  // Without the shop: that of a local start that runs beside this stays.
  await writeFiles(folder, files, (name) => !name.startsWith("demo/") || options.demo === true);

  const result: BuildResult = {
    folder,
    hashedName,
    integrity: `sha384-${createHash("sha384").update(script).digest("base64")}`,
    scriptBytes: brotliCompressSync(script).length,
    rulesBytes: brotliCompressSync(rules).length,
    watchBytes: brotliCompressSync(watch).length,
    debugBytes: brotliCompressSync(debug).length,
  };
  options.log?.(`attune.js         ${formatBytes(result.scriptBytes)} brotli (${formatBytes(script.length)} raw)`);
  options.log?.(
    `attune.rules.js   ${formatBytes(result.rulesBytes)} brotli, loaded where a site's rules use unless or sum`,
  );
  options.log?.(
    `attune.watch.js   ${formatBytes(result.watchBytes)} brotli, loaded by pages that show decisions or have marked elements`,
  );
  options.log?.(
    `attune.debug.js   ${formatBytes(result.debugBytes)} brotli, loaded by attune.debug(), explain() and stored() only`,
  );
  options.log?.(`${hashedName}  the same script, immutable; integrity="${result.integrity}"`);
  return result;
}

/** `attune build`. */
export async function runBuild(args: string[]): Promise<undefined> {
  const { demo } = readOptions(args, { demo: { type: "boolean", default: false } }).values;
  const log = (line: string) => process.stdout.write(`${line}\n`);
  await build({ demo: demo === true, log });
  await buildClient(await readVersion());
  const { share, alone } = await measureEngine();
  log(`of attune.js      ${formatBytes(share)} brotli are the decision engine, ${formatBytes(alone)} by itself`);
}

const readVersion = async (): Promise<string> => JSON.parse(await readFile(`${ROOT}package.json`, "utf8")).version;

/** Brotli bytes of the decision engine: `share` is what the script would lose without it, `alone` a file of its own. */
export async function measureEngine(): Promise<{ share: number; alone: number }> {
  const withoutEngine: esbuild.Plugin = {
    name: "without-engine",
    setup({ onLoad }) {
      onLoad({ filter: /\bengine\.ts$/ }, ({ path }) => (path === ENGINE ? { contents: NO_ENGINE } : undefined));
    },
  };
  const script = `${RUNTIME}/attune.ts`;
  const bundles = [
    bundleWithEngine(script, "iife", ""),
    bundleWithEngine(script, "iife", "", [withoutEngine]),
    bundleWithEngine(ENGINE, "esm", ""),
  ];
  const [whole, rest, alone] = (await Promise.all(bundles)).map((code) => brotliCompressSync(code).length);
  return { share: whole! - rest!, alone: alone! };
}

/** A page that breaks JSON or fetch later does not break what has been bundled with this. */
export const natives = {
  inject: [`${RUNTIME}/natives.ts`],
  define: { "JSON.parse": "nativeParse", "JSON.stringify": "nativeStringify" },
};

/**
 * One self-contained file; `__ATTUNE_VERSION__` in the sources becomes `version`.
 * @param mangle false: variables keep their names, for whoever shortens them later.
 */
export async function bundle(
  entry: string,
  format: "iife" | "esm",
  version: string,
  plugins: esbuild.Plugin[] = [],
  mangle = true,
): Promise<Uint8Array> {
  const { outputFiles } = await runEsbuild({
    entryPoints: [entry],
    bundle: true,
    format,
    plugins,
    minify: true,
    target: ["es2022"],
    platform: "browser",
    legalComments: "none",
    charset: "utf8",
    ...natives,
    define: { ...natives.define, __ATTUNE_VERSION__: JSON.stringify(version) },
  });
  // Terser takes a twelfth off what esbuild's own minifier leaves; the two together, a hundredth more.
  const { code } = await minify(outputFiles[0]!.text, {
    ecma: 2020,
    module: format === "esm",
    toplevel: true,
    mangle,
    compress: { passes: 3, hoist_funs: true, unsafe: true, unsafe_arrows: true, keep_fargs: false },
  });
  return new TextEncoder().encode(code);
}

/** As `bundle`, what has the engine in it: every visitor loads it. UglifyJS merges variables, a sixtieth of the bytes. */
async function bundleWithEngine(...[entry, format, version, plugins]: Parameters<typeof bundle>): Promise<Uint8Array> {
  const bundled = await bundle(entry, format, version, plugins, false);
  const { code, error } = uglify(new TextDecoder().decode(bundled), {
    toplevel: true,
    compress: { hoist_funs: true, unsafe: true, keep_fargs: false, inline: 1, varify: false },
  });
  if (error) throw error;
  return new TextEncoder().encode(code);
}

/** esbuild into memory, its first error as a `Failure`. */
export async function runEsbuild(options: esbuild.BuildOptions): Promise<{ outputFiles: esbuild.OutputFile[] }> {
  try {
    const { outputFiles } = await esbuild.build({ ...options, absWorkingDir: ROOT, write: false, logLevel: "silent" });
    return { outputFiles: outputFiles ?? [] };
  } catch (error) {
    const first = (error as Partial<esbuild.BuildFailure>).errors?.[0];
    if (!first) throw error;
    const place = first.location ? `${first.location.file}:${first.location.line}: ` : "";
    throw new Failure(`Build failed: ${place}${first.text}`);
  }
}

function formatHeaders(hashedName: string): string {
  const shared = ["Access-Control-Allow-Origin: *", "Cross-Origin-Resource-Policy: cross-origin"];
  const short = ["Cache-Control: public, max-age=300, stale-while-revalidate=86400", ...shared];
  const rules: [string, string[]][] = [
    ["/*", ["X-Content-Type-Options: nosniff"]],
    ["/attune.js", short],
    ["/attune.rules.js", short],
    ["/attune.watch.js", short],
    ["/attune.debug.js", short],
    ...Object.keys(SCRIPTS).map((name): [string, string[]] => [`/${name}`, short]),
    [`/${hashedName}`, ["Cache-Control: public, max-age=31536000, immutable", ...shared]],
    ["/docs/*", ["Cache-Control: public, max-age=3600"]],
    ["/demo/*", ["Cache-Control: no-cache", "Referrer-Policy: same-origin"]],
  ];
  return rules.map(([path, headers]) => `${path}\n${headers.map((header) => `  ${header}\n`).join("")}`).join("\n");
}

/** @param owned whether a file that is not among these is of an earlier build, to be removed. */
export async function writeFiles(folder: string, files: Files, owned: (name: string) => boolean): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of files) {
    const path = join(folder, name);
    const present = await readFile(path).catch(() => null);
    if (present && Buffer.compare(present, content) === 0) continue;
    await mkdir(dirname(path), { recursive: true });
    // Beside the folder, not in it: wrangler lists the folder while we write.
    const draft = join(
      dirname(folder),
      `.draft-${process.pid}-${createHash("sha256").update(path).digest("hex").slice(0, 12)}`,
    );
    await writeFile(draft, content);
    await rename(draft, path);
  }
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).replaceAll("\\", "/");
    if (entry.isFile() && !files.has(name) && owned(name)) await rm(path, { force: true });
  }
}

export function formatBytes(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(2)} KiB`;
}
