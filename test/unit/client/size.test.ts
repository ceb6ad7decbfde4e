import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { build } from "../../../cli/build.ts";

/** 8 kB, with everything that the script does. */
const BUDGET_BYTES = 8_192;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "attune-size-"));
  await build({ folder: join(folder, "assets") });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("keeps the whole script within 8 kB brotli", async () => {
  const script = await readFile(join(folder, "assets/attune.js"));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: script.length };
  expect(brotliCompressSync(script, { params }).length).toBeLessThanOrEqual(BUDGET_BYTES);
});
