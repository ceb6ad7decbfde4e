import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { ROOT } from "../../../cli/project.ts";
import { startWorker } from "../../../cli/worker.ts";

function attune(
  args: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ["--no-warnings", `${ROOT}cli/attune.ts`, ...args], {
    env: { ...process.env, ...env },
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (text) => {
    out += text;
  });
  child.stderr.on("data", (text) => {
    err += text;
  });
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, out, err })));
}

test("without a command, and with help, it tells how it is used", async () => {
  const [none, help, start] = await Promise.all([attune([]), attune(["--help"]), attune(["start", "--help"])]);
  expect(none).toEqual({ code: 0, out: expect.stringMatching(/^Usage: npm run attune -- <command>/), err: "" });
  expect(help.out).toBe(none.out);
  expect(start.out).toBe(none.out);
});

test.each([
  ["an unknown command", ["destroy"], 2, /^attune: Unknown command "destroy": one of start, build, /],
  ["an inherited name", ["constructor"], 2, /^attune: Unknown command "constructor"/],
  ["an unknown option", ["build", "--fast"], 2, /^attune: Unknown option '--fast'/],
  // What npm makes of `npm start --origin http://localhost:3000`.
  [
    "an option's value without its option",
    ["start", "http://localhost:3000"],
    2,
    /^attune: Unexpected argument 'http:/,
  ],
  ["a dry run without its dashes", ["deploy", "dry-run"], 2, /^attune: Unexpected argument 'dry-run'/],
  ["a port that is none", ["start", "--port", "http"], 2, /^attune: "http" is not a port/],
  ["an origin that is none", ["start", "--origin", "localhost:3000"], 2, /^attune: "localhost:3000" is not an origin/],
  ["an origin with a path", ["start", "--origin", "http://a.example/b"], 2, /^attune: "http:\/\/a.example\/b" is not/],
  ["a site without a domain", ["site", "create"], 2, /^attune: Usage: site create <domain>/],
  ["a folder in place of a file", ["replay", ROOT], 1, /^attune: .* cannot be read: EISDIR/],
  [
    "a Worker that is not there",
    ["site", "create", "shop.example", "--url", "http://127.0.0.1:9"],
    1,
    /^attune: No Worker answers at /,
  ],
])("%s is one line on standard error", async (_, args, code, line) => {
  const result = await attune(args, { ATTUNE_ADMIN_TOKEN: "x" });
  expect(result).toEqual({ code, out: "", err: expect.stringMatching(line) });
  expect(result.err.trimEnd()).not.toContain("\n");
});

test("what npm keeps of `npm run deploy --dry-run` deploys nothing", async () => {
  const { code, err } = await attune(["deploy"], { npm_config_dry_run: "true", PATH: "" });
  expect([code, err]).toEqual([2, "attune: npm kept --dry-run for itself: write `npm run deploy -- --dry-run`.\n"]);
});

test("a port in use is named before anything is started", async () => {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
  await expect(startWorker({ port, persistTo: "/nowhere" })).rejects.toThrow(`Port ${port} is in use`);
  server.close();
});
