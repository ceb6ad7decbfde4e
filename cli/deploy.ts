/** `npm run deploy`: from a checkout to a running Worker in one's own Cloudflare account. Each step that fails says what to do. */
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.ts";
import { readOptions } from "./options.ts";
import { Failure, ROOT } from "./project.ts";
import { findTypeError } from "./types.ts";
import { readCause, runWrangler, spawnWrangler } from "./wrangler.ts";

const CONFIG = `${ROOT}wrangler.toml`;
/** Not dist/assets: a local start may be serving that, with the demo in it. */
const RELEASE = `${ROOT}dist/release`;
const SECRETS = ["ATTUNE_SECRET", "ATTUNE_ADMIN_TOKEN"];

export async function deploy(args: string[]): Promise<number> {
  const { values } = readOptions(args, { "dry-run": { type: "boolean" } });
  return values["dry-run"] ? dryRun() : deployForReal();
}

/** All that needs no account. */
async function dryRun(): Promise<number> {
  await checkTypes();
  await buildRelease();
  const output = await step(
    "Bundling the Worker",
    ["deploy", "--dry-run", "--outdir", `${ROOT}dist/worker`, "--assets", RELEASE],
    "see the cause above it in `npx wrangler deploy --dry-run`",
  );
  const size = readGzipSize(output);
  if (!size) throw new Failure("wrangler printed no size for the Worker: its output has changed.");
  say(`Worker: ${size} gzip (limit of the platform: 3 MiB on Free, 10 MiB on Paid).`);
  say("Nothing was deployed. `npm run deploy` does the rest.");
  return 0;
}

async function deployForReal(): Promise<number> {
  await logIn();
  await checkTypes();
  await createDatabase();
  await createNamespace();
  await buildRelease();
  await step(
    "Applying the D1 migrations",
    ["d1", "migrations", "apply", "attune", "--remote"],
    "mend the cause and run `npm run deploy` again: migrations that are applied stay applied",
  );
  const secrets = makeSecrets(await listSecrets());
  const output = await withSecretsFile(secrets, (file) =>
    step("Deploying", ["deploy", "--assets", RELEASE, ...file], "nothing of the new version is live"),
  );
  const url = /https:\/\/[^\s]+\.workers\.dev/.exec(output)?.[0] ?? "https://<your Worker>";
  const size = readGzipSize(output);
  say(`\nDeployed${size ? ` (${size} gzip)` : ""}: ${url}`);
  if (secrets["ATTUNE_ADMIN_TOKEN"]) {
    say(`\nThe admin token, shown this once; keep it where you keep passwords:\n  ${secrets["ATTUNE_ADMIN_TOKEN"]}`);
  }
  say(`\nNext, your first site:\n  ATTUNE_ADMIN_TOKEN=… npm run attune -- site create shop.example --url ${url}`);
  return 0;
}

async function logIn(): Promise<void> {
  const { output } = await runWrangler(["whoami"]);
  if (!/not authenticated|not logged in/i.test(output)) return;
  const how = "run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN (and CLOUDFLARE_ACCOUNT_ID)";
  if (!process.stdin.isTTY) throw new Failure(`You are not logged in to Cloudflare: ${how}.`);
  say("You are not logged in to Cloudflare: opening the log-in …");
  const child = spawnWrangler(["login"], { interactive: true });
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Failure(`The log-in did not finish: ${how}.`);
}

async function checkTypes(): Promise<void> {
  say("Checking types …");
  const complaint = await findTypeError();
  if (complaint) throw new Failure(`The types do not fit: ${complaint} (all of them: \`npm run types\`).`);
}

async function buildRelease(): Promise<void> {
  say("Building the script …");
  await build({ folder: RELEASE, log: say });
}

async function createDatabase(): Promise<void> {
  if (!lacksDatabase(await readFile(CONFIG, "utf8"))) return;
  const known = await readDatabaseId();
  if (!known) {
    await step(
      "Creating the D1 database",
      ["d1", "create", "attune"],
      "check that your account may create D1 databases",
    );
  }
  const id = known ?? (await readDatabaseId());
  if (!id)
    throw new Failure("The D1 database was created, but its id is not listed: put it into wrangler.toml yourself.");
  await changeConfig((config) => setDatabaseId(config, id));
}

async function readDatabaseId(): Promise<string | undefined> {
  const { code, stdout } = await runWrangler(["d1", "list", "--json"]);
  return code === 0
    ? readList<{ name: string; uuid: string }>(stdout).find(({ name }) => name === "attune")?.uuid
    : undefined;
}

async function createNamespace(): Promise<void> {
  if (!lacksNamespace(await readFile(CONFIG, "utf8"))) return;
  const known = await readNamespaceId();
  if (!known) {
    await step(
      "Creating the KV namespace",
      ["kv", "namespace", "create", "attune"],
      "check that your account may create KV namespaces",
    );
  }
  const id = known ?? (await readNamespaceId());
  if (!id)
    throw new Failure("The KV namespace was created, but its id is not listed: put it into wrangler.toml yourself.");
  await changeConfig((config) => setNamespaceId(config, id));
}

async function readNamespaceId(): Promise<string | undefined> {
  const { code, stdout } = await runWrangler(["kv", "namespace", "list"]);
  return code === 0
    ? readList<{ title: string; id: string }>(stdout).find(({ title }) => title === "attune")?.id
    : undefined;
}

/** Names of the secrets that the Worker has; empty before the first deploy. */
async function listSecrets(): Promise<Set<string>> {
  const { code, stdout } = await runWrangler(["secret", "list", "--format", "json"]);
  return new Set(code === 0 ? readList<{ name: string }>(stdout).map(({ name }) => name) : []);
}

function makeSecrets(present: Set<string>): { [name: string]: string } {
  const missing = SECRETS.filter((name) => !present.has(name));
  return Object.fromEntries(missing.map((name) => [name, randomBytes(32).toString("base64url")]));
}

/** In a file that only we can read, and only as long as it is needed; an argument list is for everybody to see. */
async function withSecretsFile<T>(
  secrets: { [name: string]: string },
  work: (args: string[]) => Promise<T>,
): Promise<T> {
  if (Object.keys(secrets).length === 0) return work([]);
  const folder = await mkdtemp(join(tmpdir(), "attune-deploy-"));
  try {
    const file = join(folder, "secrets.json");
    await writeFile(file, JSON.stringify(secrets), { mode: 0o600 });
    return await work(["--secrets-file", file]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs one wrangler command under a title. @throws {Failure} the cause, and what to do. */
async function step(title: string, args: string[], advice: string): Promise<string> {
  say(`${title} …`);
  const { code, output } = await runWrangler(args);
  if (code !== 0) throw new Failure(`${title} failed: ${readCause(output)} – ${advice}.`);
  return output;
}

async function changeConfig(change: (config: string) => string): Promise<void> {
  const draft = `${CONFIG}.${process.pid}`;
  try {
    await writeFile(draft, change(await readFile(CONFIG, "utf8")));
    await rename(draft, CONFIG);
  } finally {
    await rm(draft, { force: true });
  }
  say("wrangler.toml now names it; commit that.");
}

/** The ids of a fresh checkout are all zeros. */
export const lacksDatabase = (config: string): boolean => /^database_id = "0{8}-/m.test(config);
export const lacksNamespace = (config: string): boolean => /^id = "0{32}"/m.test(config);

export function setDatabaseId(config: string, id: string): string {
  return config.replace(/^database_id = .*$/m, `database_id = "${id}"`);
}

export function setNamespaceId(config: string, id: string): string {
  return config.replace(/^id = .*$/m, `id = "${id}"`);
}

function readList<T>(json: string): T[] {
  try {
    const list: unknown = JSON.parse(json.slice(json.indexOf("[")));
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}

/** wrangler prints `Total Upload: 812.34 KiB / gzip: 190.12 KiB`. */
export function readGzipSize(output: string): string | undefined {
  return /gzip:\s*([\d.]+ \w+)/.exec(output)?.[1];
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
