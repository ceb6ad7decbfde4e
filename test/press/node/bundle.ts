/** The press as wrangler bundles it, for a Miniflare beside others. Runs in Node. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import * as esbuild from "esbuild";
import { PRESS_CONFIG, ROOT } from "../../../cli/project.ts";

const TYPES: { [ending: string]: "ESModule" | "CompiledWasm" | "Data" } = {
  js: "ESModule",
  wasm: "CompiledWasm",
  woff: "Data",
};

/** A Worker of Miniflare's, by the name that wrangler.toml binds. */
export async function bundlePress() {
  const { outputFiles } = await esbuild.build({
    entryPoints: [`${ROOT}edge/press/worker.ts`],
    bundle: true,
    write: false,
    outdir: "press",
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*"],
    loader: { ".wasm": "copy", ".woff": "copy" },
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "error",
  });
  const modules = outputFiles.map(({ path, contents }) => {
    const name = basename(path);
    return { type: TYPES[name.split(".").at(-1)!]!, path: name, contents };
  });
  // The first one is the entry.
  modules.sort((a, b) => Number(b.type === "ESModule") - Number(a.type === "ESModule"));
  const [, compatibilityDate] = /compatibility_date = "(.*)"/.exec(await readFile(`${ROOT}${PRESS_CONFIG}`, "utf8"))!;
  return { name: "attune-press", modulesRoot: ".", modules, compatibilityDate: compatibilityDate! };
}
