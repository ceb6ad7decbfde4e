/** Builds the demo shop: each page of client/demo/pages inside the layout, the modules bundled, the rest copied. */
import { readdir, readFile } from "node:fs/promises";
import { extname, relative } from "node:path";
import { type Files, runEsbuild } from "./build.ts";
import { ROOT } from "./project.ts";

const DEMO = `${ROOT}client/demo`;

export async function buildDemo(): Promise<Files> {
  const files: Files = new Map();
  const layout = await readFile(`${DEMO}/layout.html`, "utf8");
  for (const name of await readdir(`${DEMO}/pages`)) {
    if (extname(name) !== ".html") continue;
    files.set(name, Buffer.from(fillLayout(layout, await readFile(`${DEMO}/pages/${name}`, "utf8"))));
  }
  files.set("shop.css", await readFile(`${DEMO}/shop.css`));
  const { outputFiles } = await runEsbuild({
    entryPoints: [`${DEMO}/shop.ts`],
    bundle: true,
    format: "esm",
    target: ["es2022"],
    outdir: DEMO,
    charset: "utf8",
  });
  for (const { path, contents } of outputFiles) files.set(relative(DEMO, path), contents);
  return files;
}

/** A page is its `<title>` on the first line and the content of `<main>` below it. */
function fillLayout(layout: string, page: string): string {
  const [title = "", ...main] = page.split("\n");
  return layout.replace("<!--title-->", () => title).replace("<!--main-->", () => main.join("\n").trim());
}
