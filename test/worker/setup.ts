import { applyD1Migrations, env } from "cloudflare:test";
import { beforeAll } from "vitest";
import type { Env as WorkerEnv } from "../../edge/env.ts";

declare global {
  namespace Cloudflare {
    interface Env extends WorkerEnv {
      TEST_MIGRATIONS: Parameters<typeof applyD1Migrations>[1];
    }
  }
}

beforeAll(async () => {
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
});
