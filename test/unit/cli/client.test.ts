/** What `npm run build` makes of the ES modules, as a site that bundles takes it. */
import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as esbuild from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildClient } from "../../../cli/client.ts";
import { ROOT } from "../../../cli/project.ts";

let site: string;
beforeAll(async () => {
  site = await mkdtemp(join(tmpdir(), "attune-site-"));
  const installed = join(site, "node_modules/attune");
  await buildClient("1.2.3", installed);
  await writeFile(join(site, "package.json"), '{"type": "module"}');
}, 60_000);
afterAll(() => rm(site, { recursive: true, force: true }));

const APP = `
import { createAttune, type Attune, type Details, type EcommerceEvents } from "attune/client";

interface Own {
  "Letter Ordered": { topic: string };
  "Product Viewed": { colour?: string };
}
export const attune = createAttune<EcommerceEvents & Own>({ key: "pk_1", host: "https://edge.example.com" });
attune.track("Product Viewed");
attune.track("Product Viewed", { product_id: "1", colour: "red" });
attune.track("Order Completed", { order_id: "1", total: 5, products: [{ sku: "x", price: 5 }] }, { ip: "0.0.0.0" });
attune.track("Letter Ordered", { topic: "hats" });
// @ts-expect-error a name that is not declared
attune.track("Product Seen");
// @ts-expect-error a property of another type
attune.track("Product Viewed", { price: "5" });
// @ts-expect-error a property that nobody declared
attune.track("Product Viewed", { size: 5 });
// @ts-expect-error its properties are needed
attune.track("Order Completed");
// @ts-expect-error one of them is
attune.track("Order Completed", { total: 5 });
// @ts-expect-error there is no such mode
attune.consent("some");
// @ts-expect-error the key is needed
createAttune({ host: "https://edge.example.com" });

const any: Attune = createAttune({ key: "pk_1", consent: "session", search: "q" });
any.track("Whatever", { is: ["said"] });
export const off: () => void = any.on("slot", ({ slot, html }: Details["slot"]) => console.log(slot, html));
export const why: Promise<string[]> = any.explain().then((all) => (all ?? []).map(({ key }) => key));
`;

it("is a package of its own version that needs no other", async () => {
  const described = JSON.parse(await readFile(join(site, "node_modules/attune/package.json"), "utf8"));
  expect(described).toMatchObject({ name: "attune", version: "1.2.3" });
  expect(Object.keys(described)).not.toContain("dependencies");
});

it.each([
  ["bundler", "esnext"],
  ["nodenext", "nodenext"],
])("is typed for a site that compiles strictly, with module resolution %s", async (moduleResolution, module) => {
  await writeFile(join(site, "app.ts"), APP);
  await writeFile(
    join(site, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        strict: true,
        noEmit: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        target: "es2022",
        types: [],
        module,
        moduleResolution,
      },
      files: ["app.ts"],
    }),
  );
  const run = () =>
    execFileSync(process.execPath, [`${ROOT}node_modules/typescript/bin/tsc`], { cwd: site }).toString();
  let said: string;
  try {
    said = run();
  } catch (error) {
    said = String((error as { stdout: Buffer }).stdout);
  }
  expect(said).toBe("");
});

it("is bundled with the lazy part in a file of its own, and whole where it cannot be split", async () => {
  await writeFile(
    join(site, "main.js"),
    'import { createAttune } from "attune/client"; createAttune({ key: "pk_1" });',
  );
  const bundle = (outdir: string, splitting: boolean) =>
    esbuild.build({
      entryPoints: [join(site, "main.js")],
      bundle: true,
      splitting,
      format: "esm",
      minify: true,
      outdir: join(site, outdir),
      logLevel: "silent",
    });
  await bundle("split", true);
  const names = await readdir(join(site, "split"));
  expect(names.filter((name) => name.startsWith("debug-"))).toHaveLength(1);
  const main = await readFile(join(site, "split/main.js"), "utf8");
  expect(main).toContain('"1.2.3"');
  expect(main.length).toBeLessThan(30_000);
  await bundle("whole", false);
  expect(await readdir(join(site, "whole"))).toEqual(["main.js"]);
});

it("is imported on a server without effect, and does nothing there", async () => {
  await writeFile(
    join(site, "server.js"),
    `const before = Object.keys(globalThis).join();
    const { createAttune } = await import("attune/client");
    const attune = createAttune({ key: "pk_1", host: "https://edge.example.com" });
    attune.track("Product Viewed", {});
    attune.page();
    attune.identify("ada");
    attune.consent("full");
    attune.push(["track", "Once"]);
    attune.on("ready", () => console.log("ready"))();
    await attune.flush();
    const said = [attune.version, attune.segments(), attune.decisions(), attune.anonymousId() ?? null, attune.userId() ?? null];
    said.push(await attune.explain(), await attune.stored(), Object.keys(globalThis).join() === before);
    console.log(JSON.stringify(said));`,
  );
  const said = execFileSync(process.execPath, ["server.js"], { cwd: site }).toString();
  expect(JSON.parse(said)).toEqual(["", {}, {}, null, null, [], null, true]);
});
