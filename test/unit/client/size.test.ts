import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { build, measureEngine } from "../../../cli/build.ts";

/** With everything that every page needs. The aim is 8 KiB; the bench says by how much it is missed. */
const BUDGET_BYTES = 8_896;
/** Builds whatever else the machine does. */
const PATIENCE = { timeout: 120_000 };
/** Of these, what deciding costs. */
const ENGINE_BYTES = 2_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "attune-size-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("keeps the whole script within its budget, brotli", PATIENCE, async () => {
  const { scriptBytes } = await build({ folder: join(folder, "assets") });
  expect(scriptBytes).toBeLessThanOrEqual(BUDGET_BYTES);
});

it("keeps the engine's share of it within 2 kB", PATIENCE, async () => {
  const { share, alone } = await measureEngine();
  expect(share).toBeLessThanOrEqual(ENGINE_BYTES);
  // A stand-in that no longer replaces all of the engine would make the share too small.
  expect(alone - share).toBeLessThan(alone / 4);
});
