import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { build, measureEngine } from "../../../cli/build.ts";

/** 8 kB, with everything that the script does. */
const BUDGET_BYTES = 8_192;
/** Of these, what deciding costs. */
const ENGINE_BYTES = 2_500;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "attune-size-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("keeps the whole script within 8 kB brotli", async () => {
  const { scriptBytes } = await build({ folder: join(folder, "assets") });
  expect(scriptBytes).toBeLessThanOrEqual(BUDGET_BYTES);
});

it("keeps the engine's share of it within 2.5 kB", async () => {
  const { share, alone } = await measureEngine();
  expect(share).toBeLessThanOrEqual(ENGINE_BYTES);
  // A stand-in that no longer replaces all of the engine would make the share too small.
  expect(alone - share).toBeLessThan(alone / 4);
});
