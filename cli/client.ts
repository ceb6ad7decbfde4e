/** Builds the package that sites which bundle install: ES modules with their types, and nothing that they need. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { type Files, natives, runEsbuild, writeFiles } from "./build.ts";
import { CLIENT, Failure, ROOT } from "./project.ts";

/** What is imported as `attune/…` → its entry below client/. */
const ENTRIES: { [name: string]: string } = {
  client: "index",
  adapters: "adapters/index",
  consent: "consent/index",
};

/** Left as it is written: the bundler that takes it makes it small. */
export async function buildClient(version: string, folder = CLIENT): Promise<void> {
  const { outputFiles } = await runEsbuild({
    entryPoints: Object.values(ENTRIES).map((entry) => `${ROOT}client/${entry}.ts`),
    bundle: true,
    // What is loaded only when it is asked for has a file of its own.
    splitting: true,
    format: "esm",
    platform: "browser",
    target: ["es2022"],
    charset: "utf8",
    outdir: folder,
    ...natives,
    define: { ...natives.define, __ATTUNE_VERSION__: JSON.stringify(version) },
  });
  const files: Files = new Map(outputFiles.map(({ path, contents }) => [relative(folder, path), contents]));
  for (const [name, text] of await readTypes()) files.set(`types/${name}`, Buffer.from(text));
  files.set("package.json", Buffer.from(describePackage(version)));
  files.set("README.md", await readFile(`${ROOT}client/README.md`));
  files.set("LICENSE", await readFile(`${ROOT}LICENSE`));
  await writeFiles(folder, files, () => true);
}

/** The `package.json`: all is bundled, so it depends on nothing. */
function describePackage(version: string): string {
  const places = Object.entries(ENTRIES).map(([name, entry]) => [
    `./${name}`,
    { types: `./types/client/${entry}.d.ts`, default: `./${entry}.js` },
  ]);
  return JSON.stringify(
    {
      name: "attune",
      version,
      license: "Apache-2.0",
      type: "module",
      sideEffects: false,
      exports: Object.fromEntries(places),
    },
    null,
    2,
  );
}

/** Declarations by their path below the checkout. */
async function readTypes(): Promise<[name: string, text: string][]> {
  const folder = await mkdtemp(join(tmpdir(), "attune-types-"));
  try {
    const tsc = [`${ROOT}node_modules/typescript/bin/tsc`, "-p", `${ROOT}client/tsconfig.types.json`];
    await promisify(execFile)(process.execPath, [...tsc, "--outDir", folder]).catch(({ stdout }) => {
      throw new Failure(`Build failed: ${String(stdout).split("\n")[0]}`);
    });
    const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".ts"));
    return await Promise.all(
      names.map(async (name): Promise<[string, string]> => [name, await readFile(join(folder, name), "utf8")]),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
