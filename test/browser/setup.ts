/** Before the browser tests: a Chromium, the script as it ships, and the real Worker with the demo site in it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { build } from "../../cli/build.ts";
import { seedDemo } from "../../cli/seed.ts";
import { startWorker } from "../../cli/worker.ts";
import { SITE } from "../../client/demo/seed.ts";
import { findOrInstallChromium } from "./chromium.ts";

const ADMIN_TOKEN = "browser-admin-token-0123456789abcdef";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of the browser's binary. */
    chromium: string;
    workerUrl: string;
    adminToken: string;
  }
}

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  provide("chromium", findOrInstallChromium());
  await build({ demo: true });
  const folder = await mkdtemp(join(tmpdir(), "attune-browser-"));
  const worker = await startWorker({
    persistTo: join(folder, "state"),
    vars: {
      ATTUNE_SECRET: "browser-secret-0123456789abcdef0123456789abcdef",
      ATTUNE_ADMIN_TOKEN: ADMIN_TOKEN,
      ATTUNE_LOCAL: "1",
      ORIGIN: "assets",
      ORIGIN_KEY: SITE.writeKey,
    },
  });
  provide("workerUrl", worker.url);
  provide("adminToken", ADMIN_TOKEN);
  const stop = async () => {
    await worker.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await seedDemo({ url: worker.url, token: ADMIN_TOKEN });
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}
