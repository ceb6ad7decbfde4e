import { expect, it } from "vitest";
import { ship } from "../bench/shipped.ts";

/** A request that meets a new isolate waits for all of it. */
const BUDGET_BYTES = 1_000_000;

it("keeps the Worker within 1 MB gzip, and what draws images out of it", async () => {
  const { gzipBytes, modules } = await ship("wrangler.toml");
  expect(gzipBytes).toBeLessThanOrEqual(BUDGET_BYTES);
  expect(modules.map(({ name }) => name)).toEqual(["worker.js"]);
});
