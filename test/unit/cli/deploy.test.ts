import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  lacksDatabase,
  lacksNamespace,
  makeMissingSecrets,
  type Run,
  setDatabaseId,
  setNamespaceId,
} from "../../../cli/account.ts";
import { fitsWorker, readGzipSize, release } from "../../../cli/deploy.ts";
import { PRESS_CONFIG, ROOT } from "../../../cli/project.ts";

// Each release builds the script.
vi.setConfig({ testTimeout: 60_000 });

const DATABASE_ID = "1b2c3d4e-0000-4000-8000-000000000000";
const NAMESPACE_ID = "a".repeat(32);

let folder: string;
let config: string;
let fresh: string;
let printed: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "attune-deploy-test-"));
  config = join(folder, "wrangler.toml");
  const text = await readFile(`${ROOT}wrangler.toml`, "utf8");
  fresh = setNamespaceId(setDatabaseId(text, "00000000-0000-0000-0000-000000000000"), "0".repeat(32));
  await writeFile(config, fresh);
  printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += text;
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

/** A Cloudflare account that answers as wrangler prints it, and remembers what it was asked. */
function account(failing: { [command: string]: string } = {}) {
  const has = { database: false, namespace: false, secrets: [] as string[] };
  const asked: string[] = [];
  const secretFiles: { path: string; names: string[] }[] = [];
  const run: Run = async (args) => {
    const words = args.filter((word) => !word.startsWith("-") && !word.includes("/")).join(" ");
    const command = args.includes(PRESS_CONFIG) ? `${words} press` : words;
    asked.push(command);
    const failure = Object.entries(failing).find(([name]) =>
      name === "deploy" ? command === name : command.startsWith(name),
    );
    if (failure) return { code: 1, stdout: "", output: failure[1] };
    let stdout = "";
    if (command === "d1 create attune") has.database = true;
    if (command === "kv namespace create attune") has.namespace = true;
    if (command === "d1 list") stdout = JSON.stringify(has.database ? [{ name: "attune", uuid: DATABASE_ID }] : []);
    if (command === "kv namespace list") {
      stdout = JSON.stringify(has.namespace ? [{ title: "attune", id: NAMESPACE_ID }] : []);
    }
    if (command === "secret list json") stdout = JSON.stringify(has.secrets.map((name) => ({ name })));
    if (command === "deploy press") stdout = "Total Upload: 5990.82 KiB / gzip: 1947.35 KiB\n";
    if (command === "deploy") {
      const path = args[args.indexOf("--secrets-file") + 1]!;
      if (args.includes("--secrets-file")) {
        const names = Object.keys(JSON.parse(await readFile(path, "utf8")));
        secretFiles.push({ path, names });
        has.secrets.push(...names);
      }
      stdout =
        "Total Upload: 812.34 KiB / gzip: 190.12 KiB\nDeployed attune triggers\n  https://attune.me.workers.dev\n";
    }
    return { code: 0, stdout, output: stdout };
  };
  return { run, asked, secretFiles };
}

test("a first deploy creates what is missing, a second one finds it", async () => {
  const { run, asked, secretFiles } = account();
  await release(run, config);
  expect(asked).toEqual([
    "d1 list",
    "d1 create attune",
    "d1 list",
    "kv namespace list",
    "kv namespace create attune",
    "kv namespace list",
    "d1 migrations apply attune",
    "deploy press",
    "secret list json",
    "deploy",
  ]);
  const before = fresh.split("\n");
  const changed = (await readFile(config, "utf8")).split("\n").filter((line, index) => line !== before[index]);
  expect(changed).toEqual([`database_id = "${DATABASE_ID}"`, `id = "${NAMESPACE_ID}"`]);
  expect(secretFiles.map(({ names }) => names)).toEqual([["ATTUNE_SECRET", "ATTUNE_ADMIN_TOKEN"]]);
  expect(existsSync(secretFiles[0]!.path)).toBe(false);
  expect(printed).toContain("Deployed (190.12 KiB gzip, its press 1947.35 KiB): https://attune.me.workers.dev");
  expect(printed).toMatch(/The admin token, shown this once; .*\n {2}[\w-]{43}\n/);

  asked.length = 0;
  printed = "";
  await release(run, config);
  expect(asked).toEqual(["d1 migrations apply attune", "deploy press", "secret list json", "deploy"]);
  expect(secretFiles).toHaveLength(1);
  expect(printed).not.toContain("admin token");
});

test.each([
  [
    "d1 create",
    "Creating the D1 database failed: no access – check that your log-in or token may edit Workers, D1 and KV.",
  ],
  ["d1 migrations", "Applying the D1 migrations failed: no access – mend the cause and run `npm run deploy` again: "],
  ["deploy press", "Deploying the press failed: no access – nothing of the new version is live."],
  ["deploy", "Deploying failed: no access – nothing but its press is live."],
])("when %s fails, one line says what and what to do", async (command, line) => {
  const { run } = account({ [command]: "✘ [ERROR] no access\n\n  more of it\n" });
  const failure = await release(run, config).catch((error: Error) => error.message);
  expect(failure).toContain(line);
  expect(failure).not.toContain("\n");
});

test("secrets are made for a Worker that does not exist yet, and never while it cannot be asked", async () => {
  const unknown = account({ "secret list": '✘ [ERROR] Worker "attune" not found.' });
  expect(Object.keys(await makeMissingSecrets(unknown.run))).toEqual(["ATTUNE_SECRET", "ATTUNE_ADMIN_TOKEN"]);
  const offline = account({ "secret list": "✘ [ERROR] fetch failed" });
  await expect(makeMissingSecrets(offline.run)).rejects.toThrow("Listing the secrets failed: fetch failed – run");
});

test("the zeros of a fresh checkout are told from ids", () => {
  expect([lacksDatabase(fresh), lacksNamespace(fresh)]).toEqual([true, true]);
  const database = setDatabaseId(fresh, DATABASE_ID);
  expect([lacksDatabase(database), lacksNamespace(database)]).toEqual([false, true]);
  expect(lacksNamespace(setNamespaceId(database, NAMESPACE_ID))).toBe(false);
});

test("the gzip size is read from what wrangler prints", () => {
  expect(readGzipSize("Total Upload: 812.34 KiB / gzip: 190.12 KiB\n--dry-run: exiting now.")).toBe("190.12 KiB");
  expect(readGzipSize("something else")).toBeUndefined();
});

test.each([
  ["342.10 KiB", true],
  ["1000.00 KiB", true],
  ["1000.01 KiB", false],
  ["1.20 MiB", false],
])("a Worker of %s fits: %s", (size, fits) => {
  expect(fitsWorker(size)).toBe(fits);
});
