/** `unit` in Node, `worker` inside workerd with real D1 and KV, `press` the second Worker there, `browser` drives a real Chromium, `system` the running Worker. */
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { bundlePress } from "./press/node/bundle.ts";
import { servePictures } from "./press/node/pictures.ts";

const root = new URL("..", import.meta.url).pathname;
/** What random suites are told, for those that run in workerd, which has no environment. */
const told = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^ATTUNE_(SEED|CASES)$/.test(name)));
/**
 * Of tests that drive processes: on a machine of somebody else one that fails is tried once more, and said to be unsteady
 * (test/unsteady.ts). Here it fails.
 */
const retry = process.env.CI ? 1 : 0;

export default defineConfig({
  root,
  test: {
    projects: [
      {
        root,
        test: { name: "unit", include: ["test/unit/**/*.test.ts"], environment: "node" },
      },
      {
        root,
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: `${root}wrangler.toml` },
            miniflare: {
              bindings: {
                ATTUNE_SECRET: "test-secret-0123456789abcdef0123456789abcdef",
                ATTUNE_ADMIN_TOKEN: "test-admin-token-0123456789abcdef",
                ATTUNE_PATIENCE: "10",
                // Of the random suites: see test/unit/shared/seed.ts.
                ...(process.env.ATTUNE_CASES && { ATTUNE_CASES: process.env.ATTUNE_CASES }),
                ...(process.env.ATTUNE_SEED && { ATTUNE_SEED: process.env.ATTUNE_SEED }),
                TEST_MIGRATIONS: await readD1Migrations(`${root}edge/migrations`),
              },
              workers: [await bundlePress()],
            },
          })),
        ],
        test: {
          name: "worker",
          env: told,
          include: ["test/worker/**/*.test.ts"],
          setupFiles: ["test/worker/setup.ts"],
          // Some cut a request at each of its round trips: seconds, on a busy machine.
          testTimeout: 30_000,
        },
      },
      {
        root,
        plugins: [
          cloudflareTest(async () => {
            const press = await bundlePress();
            return {
              miniflare: {
                compatibilityDate: press.compatibilityDate,
                serviceBindings: { PRESS: press.name },
                workers: [{ ...press, outboundService: servePictures }],
              },
            };
          }),
        ],
        test: { name: "press", include: ["test/press/**/*.test.ts"], testTimeout: 60_000 },
      },
      {
        root,
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          environment: "node",
          globalSetup: ["test/browser/setup.ts"],
          testTimeout: 120_000,
          // A Worker, a Chromium and sites are made there.
          hookTimeout: 300_000,
          fileParallelism: false,
          retry,
        },
      },
      {
        root,
        test: {
          name: "system",
          include: ["test/system/**/*.test.ts"],
          environment: "node",
          testTimeout: 120_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          retry,
        },
      },
    ],
  },
});
