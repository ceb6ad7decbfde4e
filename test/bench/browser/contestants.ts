/** The scripts that are compared: each in one inline script, started as its documentation says, with a page view, a person and an event. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import type * as esbuild from "esbuild";
import { build, runEsbuild } from "../../../cli/build.ts";

export interface Script {
  name: string;
  /** Of what a page has to load before it can call it. */
  brotliBytes: number;
  code: string;
}

const PEERS: [name: string, entry: string][] = [
  ["growthbook + plugins", "growthbook"],
  ["posthog-js", "posthog"],
  ["posthog-js slim", "posthog-slim"],
  ["@segment/analytics-next", "segment"],
  ["@rudderstack/analytics-js", "rudderstack"],
  ["@snowplow/browser-tracker", "snowplow"],
];

export const bundlePeers = (): Promise<Script[]> => Promise.all(PEERS.map(bundlePeer));

async function bundlePeer([name, entry]: [string, string]): Promise<Script> {
  const options: esbuild.BuildOptions = {
    entryPoints: [fileURLToPath(new URL(`peers/${entry}.ts`, import.meta.url))],
    bundle: true,
    minify: true,
    target: ["es2022"],
    platform: "browser",
    legalComments: "none",
    charset: "utf8",
  };
  const [whole, first] = await Promise.all([
    runEsbuild({ ...options, format: "iife" }),
    // What it loads when it comes to that does not count.
    runEsbuild({ ...options, format: "esm", splitting: true, outdir: "dist", chunkNames: "later/[hash]" }),
  ]);
  return {
    name,
    code: whole.outputFiles[0]!.text,
    brotliBytes: countEntry(first.outputFiles, entry),
  };
}

/** The file of the entry and those that it imports at once. */
function countEntry(files: esbuild.OutputFile[], entry: string): number {
  const counted = new Set<esbuild.OutputFile>();
  const count = (ending: string) => {
    const file = files.find(({ path }) => path.endsWith(ending))!;
    if (counted.has(file)) return;
    counted.add(file);
    for (const [, path] of file.text.matchAll(/(?:from|import)"\.\/?(?:later)?\/([^"]+)"/g)) count(`/${path}`);
  };
  count(`/${entry}.js`);
  return [...counted].reduce((sum, { contents }) => sum + brotliCompressSync(contents).length, 0);
}

export interface Ours extends Script {
  /** What it loads where a site's rules need more: its own bytes. */
  rules: string;
  rulesBytes: number;
}

/** Ours as it ships. */
export async function readOurs(): Promise<Ours> {
  const { folder, scriptBytes, rulesBytes } = await build();
  const [code, rules] = await Promise.all(
    ["attune.js", "attune.rules.js"].map((name) => readFile(`${folder}/${name}`, "utf8")),
  );
  return { name: "attune", code: code!, brotliBytes: scriptBytes, rules: rules!, rulesBytes };
}

/** Goes in front of ours where it is inline, and has no address of its own. */
export const ADDRESS = 'Object.defineProperty(document.currentScript,"src",{value:location.origin+"/attune.js"});';

/** What the peers' entries call. */
export const CALLS = 'attune.identify("u",{plan:"pro"});attune.track("Product Viewed",{sku:"1"})';
