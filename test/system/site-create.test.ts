/** `attune site create` against a real Worker. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { callApi } from "../../cli/api.ts";
import { ROOT } from "../../cli/project.ts";
import { ADMIN_TOKEN, type System, startSystem } from "./system.ts";

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system?.stop());

it("makes a site with what is said of consent, and where it holds", async () => {
  const args = ["site", "create", "shop.example", "--url", system.worker.url];
  const consent = ["--consent", "session", "--consent-region", "everywhere"];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--no-warnings", `${ROOT}cli/attune.ts`, ...args, ...consent],
    { env: { ...process.env, ATTUNE_ADMIN_TOKEN: ADMIN_TOKEN } },
  );
  const [, id, token] = stdout.match(/^Site (\S+) for https:\/\/shop\.example\n[\s\S]* secret key {2}(\S+)/)!;
  const { body } = await callApi({ url: system.worker.url, token: token! }, "GET", `/api/sites/${id}`);
  expect(body).toMatchObject({ consentDefault: "session", consentRegion: "everywhere" });
});
