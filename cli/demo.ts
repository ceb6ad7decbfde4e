/** Builds the demo shop: each page of client/demo/pages inside the layout, its pictures drawn, its modules bundled. */
import { readdir, readFile } from "node:fs/promises";
import { extname, relative } from "node:path";
import { drawMark, drawProduct, drawScene, SCENE_NAMES } from "../client/demo/art.ts";
import { PRODUCTS } from "../client/demo/catalogue.ts";
import { PIECES } from "../client/demo/pieces.ts";
import { type Files, runEsbuild } from "./build.ts";
import { Failure, ROOT } from "./project.ts";

const DEMO = `${ROOT}client/demo`;

/** Paths below /demo/. */
export async function buildDemo(): Promise<Files> {
  const files: Files = new Map();
  const put = (name: string, text: string) => files.set(name, Buffer.from(text));

  const layout = await readFile(`${DEMO}/layout.html`, "utf8");
  for (const name of await readdir(`${DEMO}/pages`)) {
    if (extname(name) !== ".html") continue;
    const page = fillPage(layout, await readFile(`${DEMO}/pages/${name}`, "utf8"));
    put(name, page);
    // The same pages where the Worker comes first, and fills them.
    put(`stream/${name}`, page);
  }
  for (const name of ["shop.css", "panel.css"]) files.set(name, await readFile(`${DEMO}/${name}`));
  for (const { id, art } of PRODUCTS) put(`art/${id}.svg`, drawProduct(art.drawing, art.palette));
  for (const name of SCENE_NAMES) put(`art/scene-${name}.svg`, drawScene(name));
  put("art/mark.svg", drawMark());

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

/** A page is its `<title>` on the first line and the content of `<main>` below it; `<!--name-->` stands for a piece. */
function fillPage(layout: string, page: string): string {
  const [title = "", ...main] = page.split("\n");
  const pieces: { [name: string]: string } = { ...PIECES, title, main: main.join("\n").trim() };
  let html = layout;
  // Twice: the main part holds pieces of its own.
  for (let pass = 0; pass < 2; pass++) {
    html = html.replace(/<!--([a-z-]+)-->/g, (_, name: string) => {
      const piece = pieces[name];
      if (piece === undefined) throw new Failure(`client/demo: there is no piece named ${name}.`);
      return piece;
    });
  }
  return html;
}
