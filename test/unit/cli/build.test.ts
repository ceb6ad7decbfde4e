import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BuildResult, build } from "../../../cli/build.ts";

let parent: string;
let folder: string;
let first: BuildResult;

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "attune-build-"));
  folder = join(parent, "assets");
  first = await build({ folder, demo: true });
}, 60_000);
afterAll(() => rm(parent, { recursive: true, force: true }));

const read = (name: string) => readFile(join(folder, name), "utf8");

test("the hashed script is the same bytes, and its integrity is theirs", async () => {
  const script = await readFile(join(folder, "attune.js"));
  expect(await readFile(join(folder, first.hashedName))).toEqual(script);
  expect(first.integrity).toBe(`sha384-${createHash("sha384").update(script).digest("base64")}`);
});

test("headers: the script is shared across origins and short-lived, its hashed twin immutable", async () => {
  const headers = await read("_headers");
  const rule = (path: string) => headers.split("\n\n").find((text) => text.startsWith(`${path}\n`));
  expect(rule("/attune.js")).toMatch(/max-age=300, stale-while-revalidate/);
  expect(rule(`/${first.hashedName}`)).toMatch(/immutable/);
  for (const path of ["/attune.js", "/attune.debug.js", "/attune.ga4.js", `/${first.hashedName}`]) {
    expect(rule(path)).toContain("Access-Control-Allow-Origin: *");
    expect(rule(path)).toContain("Cross-Origin-Resource-Policy: cross-origin");
  }
  expect(rule("/*")).toContain("nosniff");
});

test("the shop's pages leave no placeholder open, name only what is there, and ask nothing of other hosts", async () => {
  const files = new Set(await readdir(folder, { recursive: true }));
  const pages = [...files].filter((name) => name.startsWith("demo/") && name.endsWith(".html"));
  expect(pages).toHaveLength(14);
  for (const page of pages) {
    const html = await read(page);
    expect(html).not.toMatch(/<!--[a-z]/);
    expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
    for (const [, link] of html.matchAll(/(?:src|href)="([^"#]+)/g)) {
      const path = new URL(link!, `http://shop/${page}`).pathname.slice(1);
      const names = [path, `${path}.html`, `${path}index.html`];
      expect(path === "api/docs" || names.some((name) => files.has(name)), `${page} names /${path}`).toBe(true);
    }
  }
});

test("building again writes nothing where nothing differs, and takes away what is no longer made", {
  timeout: 60_000,
}, async () => {
  const before = (await stat(join(folder, "attune.js"))).mtimeMs;
  await writeFile(join(folder, "attune.0123456789ab.js"), "of an earlier build");
  await writeFile(join(folder, "demo/gone.html"), "of an earlier build");
  await build({ folder, demo: true });
  const names = await readdir(folder, { recursive: true });
  expect((await stat(join(folder, "attune.js"))).mtimeMs).toBe(before);
  expect(names).not.toContain("attune.0123456789ab.js");
  expect(names).not.toContain("demo/gone.html");
  expect(await readdir(parent)).toEqual(["assets"]);
});

test("a build without the shop leaves that of a running start alone", { timeout: 60_000 }, async () => {
  await build({ folder });
  expect(await read("demo/index.html")).toContain("Northbound");
});
