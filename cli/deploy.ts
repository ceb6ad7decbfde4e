/** `npm run deploy`: from a checkout to a running Worker in one's own Cloudflare account. Each step that fails says what to do. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isLoggedIn, makeMissingSecrets, provideDatabase, provideNamespace, type Run, step } from "./account.ts";
import { build } from "./build.ts";
import { readOptions } from "./options.ts";
import { Failure, ROOT } from "./project.ts";
import { findTypeError } from "./types.ts";
import { runWrangler, spawnWrangler } from "./wrangler.ts";

/** Not dist/assets: a local start may be serving that, with the demo in it. */
const RELEASE = `${ROOT}dist/release`;

export async function deploy(args: string[]): Promise<number> {
  const { values } = readOptions(args, { "dry-run": { type: "boolean" } });
  if (!values["dry-run"]) await logIn(runWrangler);
  await checkTypes();
  if (values["dry-run"]) await dryRun(runWrangler);
  else await release(runWrangler, `${ROOT}wrangler.toml`);
  return 0;
}

/** All that needs no account. */
async function dryRun(run: Run): Promise<void> {
  await buildRelease();
  const args = ["deploy", "--dry-run", "--outdir", `${ROOT}dist/worker`, "--assets", RELEASE];
  const { output } = await step(run, "Bundling the Worker", args, "mend that first");
  const size = readGzipSize(output);
  if (!size) throw new Failure("wrangler printed no size for the Worker: its output has changed.");
  say(`Worker: ${size} gzip (the platform's limit: 3 MiB on Free, 10 MiB on Paid).`);
  say("Nothing was deployed. `npm run deploy` does the rest.");
}

/**
 * Every step may be repeated: what is there already is found, not made again.
 * @param config path of the wrangler.toml that gets the ids.
 */
export async function release(run: Run, config: string): Promise<void> {
  await provideDatabase(run, config);
  await provideNamespace(run, config);
  await buildRelease();
  await step(
    run,
    "Applying the D1 migrations",
    ["d1", "migrations", "apply", "attune", "--remote"],
    "mend the cause and run `npm run deploy` again: migrations that are applied stay applied",
  );
  const secrets = await makeMissingSecrets(run);
  const { output } = await withSecretsFile(secrets, (file) =>
    step(run, "Deploying", ["deploy", "--assets", RELEASE, ...file], "nothing of the new version is live"),
  );
  const url = /https:\/\/[^\s]+\.workers\.dev/.exec(output)?.[0] ?? "https://<your Worker>";
  const size = readGzipSize(output);
  say(`\nDeployed${size ? ` (${size} gzip)` : ""}: ${url}`);
  if (secrets["ATTUNE_ADMIN_TOKEN"]) {
    say(`\nThe admin token, shown this once; keep it where you keep passwords:\n  ${secrets["ATTUNE_ADMIN_TOKEN"]}`);
  }
  say(`\nNext, your first site:\n  ATTUNE_ADMIN_TOKEN=… npm run attune -- site create shop.example --url ${url}`);
}

async function logIn(run: Run): Promise<void> {
  if (await isLoggedIn(run)) return;
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

/** wrangler prints `Total Upload: 812.34 KiB / gzip: 190.12 KiB`. */
export function readGzipSize(output: string): string | undefined {
  return /gzip:\s*([\d.]+ \w+)/.exec(output)?.[1];
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
